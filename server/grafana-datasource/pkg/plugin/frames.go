package plugin

import (
	"fmt"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"henge-datasource/pkg/henge"
)

// Every frame follows the first version of its type's contract.
var typeVersion = data.FrameTypeVersion{0, 1}

// framesOf turns rows into frames of the type that Grafana's data plane contract has for their shape.
func framesOf(answer *henge.Answer, legend string) (data.Frames, error) {
	frames, err := shaped(answer, legend)
	if err != nil {
		return nil, err
	}
	first := frames[0]
	first.Meta.ExecutedQueryString = answer.Meta.SQL
	first.Meta.Notices = notices(answer.Meta)
	first.Meta.Custom = map[string]any{
		"completeUntil": answer.Meta.CompleteUntil,
		"asOf":          answer.Meta.AsOf,
		"intervalMs":    answer.Meta.IntervalMS,
	}
	return frames, nil
}

func shaped(answer *henge.Answer, legend string) (data.Frames, error) {
	switch answer.Meta.Shape {
	case "timeSeriesLong":
		return timeSeries(answer, legend)
	case "numericLong":
		return data.Frames{columnsFrame(answer, data.FrameTypeNumericLong)}, nil
	case "table":
		return data.Frames{columnsFrame(answer, data.FrameTypeTable)}, nil
	case "logs":
		frame, err := logLines(answer)
		return data.Frames{frame}, err
	}
	return nil, fmt.Errorf("the answer has a shape that this plugin does not know: %q", answer.Meta.Shape)
}

func newFrame(kind data.FrameType, fields ...*data.Field) *data.Frame {
	frame := data.NewFrame("", fields...)
	frame.Meta = &data.FrameMeta{Type: kind, TypeVersion: typeVersion}
	return frame
}

// columnsFrame keeps the rows as they are.
func columnsFrame(answer *henge.Answer, kind data.FrameType) *data.Frame {
	for _, field := range answer.Fields {
		setUnit(field, answer.Meta)
	}
	return newFrame(kind, answer.Fields...)
}

func setUnit(field *data.Field, meta henge.Meta) {
	if unit := meta.Unit[field.Name]; unit != "" {
		configOf(field).Unit = unit
	}
}

func configOf(field *data.Field) *data.FieldConfig {
	if field.Config == nil {
		field.Config = &data.FieldConfig{}
	}
	return field.Config
}

func notices(meta henge.Meta) []data.Notice {
	var all []data.Notice
	for _, notice := range meta.Notices {
		severity := data.NoticeSeverityInfo
		if notice.Severity == "warning" {
			severity = data.NoticeSeverityWarning
		}
		all = append(all, data.Notice{Severity: severity, Text: notice.Text})
	}
	if meta.IsTruncated && len(all) == 0 {
		all = append(all, data.Notice{Severity: data.NoticeSeverityWarning, Text: "There are more rows than these: raise the limit, or ask for less."})
	}
	return all
}

// annotationFrame has the fields that Grafana draws annotations from.
func annotationFrame(found []henge.Annotation) *data.Frame {
	times, ends := make([]time.Time, len(found)), make([]*time.Time, len(found))
	titles, texts, tags := make([]*string, len(found)), make([]*string, len(found)), make([]string, len(found))
	for row, annotation := range found {
		times[row] = time.UnixMilli(annotation.Time).UTC()
		if annotation.TimeEnd != nil {
			end := time.UnixMilli(*annotation.TimeEnd).UTC()
			ends[row] = &end
		}
		titles[row], texts[row] = annotation.Title, annotation.Text
		tags[row] = commaSeparated(annotation.Tags)
	}
	return newFrame(data.FrameTypeTable,
		data.NewField("time", nil, times), data.NewField("timeEnd", nil, ends),
		data.NewField("title", nil, titles), data.NewField("text", nil, texts), data.NewField("tags", nil, tags))
}
