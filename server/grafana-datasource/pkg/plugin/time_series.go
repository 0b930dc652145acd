package plugin

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"henge-datasource/pkg/henge"
)

// More lines than this no panel shows, and each costs a frame.
const seriesMax = 10_000

// What stands for a label without a value.
const labelNull = "(null)"

// timeSeries splits rows of time, labels and values into one frame for each series and value; without labels all
// values share one frame.
func timeSeries(answer *henge.Answer, legend string) (data.Frames, error) {
	clock := answer.Field(answer.Meta.TimeColumn)
	values, err := fieldsOf(answer, answer.Meta.ValueColumns)
	if err != nil {
		return nil, err
	}
	if clock == nil || len(values) == 0 || answer.Rows() == 0 {
		if answer.Rows() > 0 {
			return nil, fmt.Errorf("a time series needs the column %q and a number: name them, or take the format table", answer.Meta.TimeColumn)
		}
		return data.Frames{newFrame(data.FrameTypeTimeSeriesMulti)}, nil
	}
	if len(answer.Meta.LabelColumns) == 0 {
		for _, value := range values {
			setUnit(value, answer.Meta)
			name(value, legend)
		}
		return data.Frames{newFrame(data.FrameTypeTimeSeriesWide, slices.Concat([]*data.Field{clock}, values)...)}, nil
	}
	labels, err := fieldsOf(answer, answer.Meta.LabelColumns)
	if err != nil {
		return nil, err
	}
	series, err := splitSeries(labels, answer.Rows())
	if err != nil {
		return nil, err
	}
	frames := make(data.Frames, 0, len(series)*len(values))
	for _, one := range series {
		for _, value := range values {
			picked := pick(value, one.rows)
			picked.Labels = one.labels.Copy()
			setUnit(picked, answer.Meta)
			name(picked, legend)
			frames = append(frames, newFrame(data.FrameTypeTimeSeriesMulti, pick(clock, one.rows), picked))
		}
	}
	return frames, nil
}

type seriesRows struct {
	key    string
	labels data.Labels
	rows   []int
}

// splitSeries groups rows by the values of their labels, in the order of those, so that colours stay when rows change.
func splitSeries(labels []*data.Field, rows int) ([]*seriesRows, error) {
	known := map[string]*seriesRows{}
	var series []*seriesRows
	var key strings.Builder
	for row := range rows {
		key.Reset()
		for _, label := range labels {
			// The length in front keeps `a` + `bc` from `ab` + `c`.
			text := labelText(label, row)
			fmt.Fprintf(&key, "%d:%s", len(text), text)
		}
		one, found := known[key.String()]
		if !found {
			if len(series) == seriesMax {
				return nil, &badQuery{fmt.Errorf("more than %d series: group by fewer columns, or take only the top ones", seriesMax)}
			}
			one = &seriesRows{key: key.String(), labels: labelsAt(labels, row)}
			known[one.key] = one
			series = append(series, one)
		}
		one.rows = append(one.rows, row)
	}
	slices.SortFunc(series, func(a, b *seriesRows) int { return strings.Compare(a.labels.String(), b.labels.String()) })
	return series, nil
}

func labelsAt(fields []*data.Field, row int) data.Labels {
	labels := make(data.Labels, len(fields))
	for _, field := range fields {
		labels[field.Name] = labelText(field, row)
	}
	return labels
}

func labelText(field *data.Field, row int) string {
	value, present := field.ConcreteAt(row)
	if !present {
		return labelNull
	}
	if text, isText := value.(string); isText {
		return text
	}
	return fmt.Sprint(value)
}

func fieldsOf(answer *henge.Answer, names []string) ([]*data.Field, error) {
	fields := make([]*data.Field, 0, len(names))
	for _, column := range names {
		field := answer.Field(column)
		if field == nil {
			return nil, fmt.Errorf("the answer speaks of the column %q, and has none", column)
		}
		fields = append(fields, field)
	}
	return fields, nil
}

func pick(field *data.Field, rows []int) *data.Field {
	picked := data.NewFieldFromFieldType(field.Type(), len(rows))
	picked.Name = field.Name
	for index, row := range rows {
		picked.Set(index, field.At(row))
	}
	return picked
}

var legendLabel = regexp.MustCompile(`\{\{\s*([^{}]*?)\s*\}\}`)

// name sets what a series is called; an empty legend leaves that to Grafana.
func name(field *data.Field, legend string) {
	if legend == "" {
		return
	}
	configOf(field).DisplayNameFromDS = legendLabel.ReplaceAllStringFunc(legend, func(match string) string {
		label := legendLabel.FindStringSubmatch(match)[1]
		if label == "__name__" {
			return field.Name
		}
		return field.Labels[label]
	})
}
