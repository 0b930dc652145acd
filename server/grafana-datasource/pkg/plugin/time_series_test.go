package plugin

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"henge-datasource/pkg/henge"
)

func pointer[T any](value T) *T { return &value }

func minute(n int) *time.Time { return pointer(time.UnixMilli(int64(n) * 60_000).UTC()) }

// usage has two series, `eu` and one without a region, whose rows are interleaved.
func usage() *henge.Answer {
	return &henge.Answer{
		Meta: henge.Meta{
			Shape: "timeSeriesLong", TimeColumn: "time", LabelColumns: []string{"region"},
			ValueColumns: []string{"bytes", "errors"}, Unit: map[string]string{"bytes": "bytes"},
		},
		Fields: []*data.Field{
			data.NewField("time", nil, []*time.Time{minute(0), minute(0), minute(1)}),
			data.NewField("region", nil, []*string{pointer("eu"), nil, pointer("eu")}),
			data.NewField("bytes", nil, []*int64{pointer(int64(1)), pointer(int64(2)), nil}),
			data.NewField("errors", nil, []*float64{pointer(0.5), nil, pointer(1.5)}),
		},
	}
}

// text is what a frame holds, so that whole frames are compared in a line each.
func text(frame *data.Frame) string {
	line := string(frame.Meta.Type)
	for _, field := range frame.Fields {
		line += fmt.Sprintf(" | %s%v", field.Name, field.Labels)
		for row := range field.Len() {
			value, present := field.ConcreteAt(row)
			switch moment, isTime := value.(time.Time); {
			case !present:
				line += " -"
			case isTime:
				line += fmt.Sprintf(" %dm", moment.Unix()/60)
			default:
				line += fmt.Sprintf(" %v", value)
			}
		}
	}
	return line
}

func texts(frames data.Frames) []string {
	lines := make([]string, 0, len(frames))
	for _, frame := range frames {
		lines = append(lines, text(frame))
	}
	return lines
}

func TestEachSeriesAndValueIsAFrameOfItsOwn(t *testing.T) {
	frames, err := framesOf(usage(), "")
	if err != nil {
		t.Fatal(err)
	}
	expected := []string{
		"timeseries-multi | time 0m | bytesregion=(null) 2",
		"timeseries-multi | time 0m | errorsregion=(null) -",
		"timeseries-multi | time 0m 1m | bytesregion=eu 1 -",
		"timeseries-multi | time 0m 1m | errorsregion=eu 0.5 1.5",
	}
	if found := texts(frames); !reflect.DeepEqual(found, expected) {
		t.Errorf("found %q", found)
	}
	if unit := frames[0].Fields[1].Config.Unit; unit != "bytes" {
		t.Errorf("unit %q", unit)
	}
}

func TestWithoutLabelsAllValuesShareOneFrame(t *testing.T) {
	answer := usage()
	answer.Meta.LabelColumns = nil
	answer.Fields = []*data.Field{answer.Fields[0], answer.Fields[2], answer.Fields[3]}
	frames, err := framesOf(answer, "")
	if err != nil {
		t.Fatal(err)
	}
	expected := []string{"timeseries-wide | time 0m 0m 1m | bytes 1 2 - | errors 0.5 - 1.5"}
	if found := texts(frames); !reflect.DeepEqual(found, expected) {
		t.Errorf("found %q", found)
	}
}

func TestLegendNamesSeriesByTheirLabels(t *testing.T) {
	frames, err := framesOf(usage(), "{{region}}: {{ __name__ }}{{nothing}}")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, frame := range frames {
		names = append(names, frame.Fields[1].Config.DisplayNameFromDS)
	}
	expected := []string{"(null): bytes", "(null): errors", "eu: bytes", "eu: errors"}
	if !reflect.DeepEqual(names, expected) {
		t.Errorf("found %q", names)
	}
}

func TestLabelsThatOnlyTogetherLookAlikeAreTwoSeries(t *testing.T) {
	answer := usage()
	answer.Meta.LabelColumns = []string{"a", "b"}
	answer.Meta.ValueColumns = []string{"bytes"}
	answer.Fields = []*data.Field{
		answer.Fields[0], answer.Fields[2],
		data.NewField("a", nil, []*string{pointer("x"), pointer("xy"), pointer("x")}),
		data.NewField("b", nil, []*string{pointer("yz"), pointer("z"), pointer("yz")}),
	}
	frames, err := framesOf(answer, "")
	if err != nil {
		t.Fatal(err)
	}
	expected := []string{"timeseries-multi | time 0m 1m | bytesa=x, b=yz 1 -", "timeseries-multi | time 0m | bytesa=xy, b=z 2"}
	if found := texts(frames); !reflect.DeepEqual(found, expected) {
		t.Errorf("found %q", found)
	}
}

func TestTooManySeriesAreAnErrorThatSaysWhatToChange(t *testing.T) {
	rows := seriesMax + 1
	times, names, values := make([]*time.Time, rows), make([]*string, rows), make([]*int64, rows)
	for row := range rows {
		times[row], names[row], values[row] = minute(0), pointer(fmt.Sprint(row)), pointer(int64(row))
	}
	answer := &henge.Answer{
		Meta: henge.Meta{Shape: "timeSeriesLong", TimeColumn: "time", LabelColumns: []string{"name"}, ValueColumns: []string{"value"}},
		Fields: []*data.Field{
			data.NewField("time", nil, times), data.NewField("name", nil, names), data.NewField("value", nil, values),
		},
	}
	_, err := framesOf(answer, "")
	if err == nil || err.Error() != "more than 10000 series: group by fewer columns, or take only the top ones" {
		t.Errorf("found %v", err)
	}
}

func TestNoRowsAreATypedFrameWithoutFields(t *testing.T) {
	frames, err := framesOf(&henge.Answer{Meta: henge.Meta{Shape: "timeSeriesLong", TimeColumn: "time", SQL: "SELECT 1"}}, "")
	if err != nil {
		t.Fatal(err)
	}
	if found := texts(frames); !reflect.DeepEqual(found, []string{"timeseries-multi"}) {
		t.Errorf("found %q", found)
	}
	if frames[0].Meta.ExecutedQueryString != "SELECT 1" {
		t.Errorf("found %q", frames[0].Meta.ExecutedQueryString)
	}
}
