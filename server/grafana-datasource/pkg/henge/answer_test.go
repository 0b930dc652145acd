package henge

import (
	"reflect"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"henge-datasource/pkg/arrowtest"
)

var milliseconds = &arrow.TimestampType{Unit: arrow.Millisecond, TimeZone: "UTC"}

// values are the concrete ones of a field; nil where there is none.
func values(answer *Answer, name string) []any {
	field := answer.Field(name)
	all := make([]any, field.Len())
	for row := range all {
		if value, present := field.ConcreteAt(row); present {
			all[row] = value
		}
	}
	return all
}

func TestEveryTypeIsReadWithItsNulls(t *testing.T) {
	stream := arrowtest.Stream(t, `{"shape":"table","timeColumn":"time","isTruncated":true,"next":7}`,
		arrowtest.Column{Name: "time", Type: milliseconds, Values: []any{int64(-1), nil}},
		arrowtest.Column{Name: "text", Type: arrow.BinaryTypes.String, Values: []any{"a", nil}},
		arrowtest.Column{Name: "long", Type: arrow.PrimitiveTypes.Int64, Values: []any{int64(9_007_199_254_740_993), nil}},
		arrowtest.Column{Name: "double", Type: arrow.PrimitiveTypes.Float64, Values: []any{nil, 0.5}},
		arrowtest.Column{Name: "flag", Type: arrow.FixedWidthTypes.Boolean, Values: []any{true, nil}},
	)
	answer, err := decodeAnswer(stream)
	if err != nil {
		t.Fatal(err)
	}
	next := int64(7)
	if expected := (Meta{Shape: "table", TimeColumn: "time", IsTruncated: true, Next: &next}); !reflect.DeepEqual(answer.Meta, expected) {
		t.Errorf("found %+v", answer.Meta)
	}
	expected := map[string][]any{
		"time": {time.UnixMilli(-1).UTC(), nil}, "text": {"a", nil}, "long": {int64(9_007_199_254_740_993), nil},
		"double": {nil, 0.5}, "flag": {true, nil},
	}
	for name, wanted := range expected {
		if found := values(answer, name); !reflect.DeepEqual(found, wanted) {
			t.Errorf("%s: found %v", name, found)
		}
	}
}

func TestWhatIsNoAnswerIsAnError(t *testing.T) {
	whole := arrowtest.Stream(t, `{}`, arrowtest.Column{Name: "n", Type: arrow.PrimitiveTypes.Int64, Values: []any{int64(1), int64(2)}})
	cases := map[string][]byte{
		"nothing":             nil,
		"a cut in the schema": whole[:20],
		"a cut in the rows":   whole[:len(whole)-40],
		"no JSON":             arrowtest.Stream(t, `{`),
		"a type of tomorrow":  arrowtest.Stream(t, `{}`, arrowtest.Column{Name: "n", Type: arrow.PrimitiveTypes.Int32, Values: []any{int32(1)}}),
	}
	for name, stream := range cases {
		if answer, err := decodeAnswer(stream); err == nil {
			t.Errorf("%s: answered %+v", name, answer.Meta)
		}
	}
}
