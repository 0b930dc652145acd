package plugin

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"henge-datasource/pkg/henge"
)

// logLines names the columns as the contract of log lines wants them; columns it has no name for stay as they are.
func logLines(answer *henge.Answer) (*data.Frame, error) {
	var fields []*data.Field
	for _, field := range answer.Fields {
		switch field.Name {
		case answer.Meta.TimeColumn:
			field.Name = "timestamp"
			fields = append([]*data.Field{field}, fields...)
			continue
		case "labels":
			labels, err := labelObjects(field)
			if err != nil {
				return nil, err
			}
			field = labels
		}
		fields = append(fields, field)
	}
	frame := newFrame(data.FrameTypeLogLines, fields...)
	frame.Meta.PreferredVisualization = data.VisTypeLogs
	return frame, nil
}

// labelObjects turns texts of JSON objects into values of JSON.
func labelObjects(texts *data.Field) (*data.Field, error) {
	objects := make([]json.RawMessage, texts.Len())
	for row := range objects {
		value, present := texts.ConcreteAt(row)
		text, isText := value.(string)
		if !present || !isText {
			objects[row] = json.RawMessage("{}")
			continue
		}
		if !json.Valid([]byte(text)) {
			return nil, fmt.Errorf("the labels of row %d are no JSON object", row)
		}
		objects[row] = json.RawMessage(text)
	}
	return data.NewField("labels", nil, objects), nil
}

func commaSeparated(tags []string) string { return strings.Join(tags, ",") }
