package henge

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/grafana/grafana-plugin-sdk-go/data"
)

// The key of the schema's metadata that holds Meta in JSON.
const metaKey = "henge.panel"

// Answer is the rows of one query: fields of equal length, in the order of the columns, every value nullable.
type Answer struct {
	Meta   Meta
	Fields []*data.Field
}

// Rows tells how many there are.
func (a *Answer) Rows() int {
	if len(a.Fields) == 0 {
		return 0
	}
	return a.Fields[0].Len()
}

// Field finds a column by its name; nil if there is none.
func (a *Answer) Field(name string) *data.Field {
	for _, field := range a.Fields {
		if field.Name == name {
			return field
		}
	}
	return nil
}

func decodeAnswer(stream []byte) (*Answer, error) {
	reader, err := ipc.NewReader(bytes.NewReader(stream))
	if err != nil {
		return nil, fmt.Errorf("the answer is no Arrow stream: %w", err)
	}
	defer reader.Release()
	answer := &Answer{}
	metadata := reader.Schema().Metadata()
	at := metadata.FindKey(metaKey)
	if at < 0 {
		return nil, fmt.Errorf("the answer does not say what its columns are (%s)", metaKey)
	}
	if err := json.Unmarshal([]byte(metadata.Values()[at]), &answer.Meta); err != nil {
		return nil, fmt.Errorf("what the answer says of its columns cannot be understood: %w", err)
	}
	for _, column := range reader.Schema().Fields() {
		kind, err := fieldType(column)
		if err != nil {
			return nil, err
		}
		field := data.NewFieldFromFieldType(kind, 0)
		field.Name = column.Name
		answer.Fields = append(answer.Fields, field)
	}
	for reader.Next() {
		batch := reader.RecordBatch()
		for index, field := range answer.Fields {
			appendColumn(field, batch.Column(index))
		}
	}
	if err := reader.Err(); err != nil {
		return nil, fmt.Errorf("the answer's Arrow stream is broken: %w", err)
	}
	return answer, nil
}

func fieldType(column arrow.Field) (data.FieldType, error) {
	switch kind := column.Type.(type) {
	case *arrow.StringType:
		return data.FieldTypeNullableString, nil
	case *arrow.Int64Type:
		return data.FieldTypeNullableInt64, nil
	case *arrow.Float64Type:
		return data.FieldTypeNullableFloat64, nil
	case *arrow.BooleanType:
		return data.FieldTypeNullableBool, nil
	case *arrow.TimestampType:
		if kind.Unit == arrow.Millisecond {
			return data.FieldTypeNullableTime, nil
		}
	}
	return data.FieldTypeUnknown, fmt.Errorf("column %q has a type that this plugin does not know: %s", column.Name, column.Type)
}

// appendColumn copies the values: the buffers of the batch are let go.
func appendColumn(field *data.Field, column arrow.Array) {
	start, rows := field.Len(), column.Len()
	field.Extend(rows)
	for row := range rows {
		if column.IsNull(row) {
			continue
		}
		switch values := column.(type) {
		case *array.String:
			field.SetConcrete(start+row, strings.Clone(values.Value(row)))
		case *array.Int64:
			field.SetConcrete(start+row, values.Value(row))
		case *array.Float64:
			field.SetConcrete(start+row, values.Value(row))
		case *array.Boolean:
			field.SetConcrete(start+row, values.Value(row))
		case *array.Timestamp:
			field.SetConcrete(start+row, time.UnixMilli(int64(values.Value(row))).UTC())
		}
	}
}
