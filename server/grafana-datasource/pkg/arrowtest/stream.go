// Package arrowtest writes the Arrow streams that tests hand out in the server's place.
package arrowtest

import (
	"bytes"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// Column is a column by its type; a nil in Values is a null.
type Column struct {
	Name   string
	Type   arrow.DataType
	Values []any
}

// Stream is one batch of columns of equal length, with this JSON as the metadata `henge.panel`.
func Stream(t *testing.T, meta string, columns ...Column) []byte {
	t.Helper()
	fields := make([]arrow.Field, 0, len(columns))
	for _, column := range columns {
		fields = append(fields, arrow.Field{Name: column.Name, Type: column.Type, Nullable: true})
	}
	metadata := arrow.NewMetadata([]string{"henge.panel"}, []string{meta})
	schema := arrow.NewSchema(fields, &metadata)
	builder := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer builder.Release()
	for index, column := range columns {
		for _, value := range column.Values {
			appendValue(t, builder.Field(index), value)
		}
	}
	batch := builder.NewRecordBatch()
	defer batch.Release()
	var stream bytes.Buffer
	writer := ipc.NewWriter(&stream, ipc.WithSchema(schema))
	if err := writer.Write(batch); err != nil {
		t.Fatal(err)
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	return stream.Bytes()
}

func appendValue(t *testing.T, builder array.Builder, value any) {
	t.Helper()
	if value == nil {
		builder.AppendNull()
		return
	}
	switch builder := builder.(type) {
	case *array.StringBuilder:
		builder.Append(value.(string))
	case *array.Int64Builder:
		builder.Append(value.(int64))
	case *array.Float64Builder:
		builder.Append(value.(float64))
	case *array.BooleanBuilder:
		builder.Append(value.(bool))
	case *array.TimestampBuilder:
		builder.Append(arrow.Timestamp(value.(int64)))
	case *array.Int32Builder:
		builder.Append(value.(int32))
	default:
		t.Fatalf("no such column: %T", builder)
	}
}
