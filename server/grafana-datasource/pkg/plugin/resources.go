package plugin

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/grafana/grafana-plugin-sdk-go/backend"

	"henge-datasource/pkg/henge"
)

// What the editors may ask the server, and how.
var resourceMethods = map[string]string{
	"catalogue":   http.MethodGet,
	"check":       http.MethodPost,
	"values":      http.MethodPost,
	"variable":    http.MethodPost,
	"annotations": http.MethodPost,
}

// The largest body that an editor sends: a statement and the values of its variables.
const resourceBytesMax = 1 << 20

// CallResource hands a request of the editors to `/henge/v1/panel/{path}`, and its answer back as it is.
func (d *Datasource) CallResource(ctx context.Context, request *backend.CallResourceRequest, sender backend.CallResourceResponseSender) error {
	path := strings.Trim(request.Path, "/")
	method, known := resourceMethods[path]
	switch {
	case !known:
		return refuse(sender, http.StatusNotFound, "no such resource: there are catalogue, check, values, variable and annotations")
	case method != request.Method:
		return refuse(sender, http.StatusMethodNotAllowed, "send "+method)
	case len(request.Body) > resourceBytesMax:
		return refuse(sender, http.StatusRequestEntityTooLarge, "a request may have 1 MiB")
	}
	headers, err := d.settings.headersFor(request.GetHTTPHeaders(), request.PluginContext.User)
	if err != nil {
		return refuse(sender, http.StatusForbidden, err.Error())
	}
	answer, err := d.client.Forward(ctx, method, path, headers, request.Body)
	if err != nil {
		if errors.Is(err, context.Canceled) {
			return err
		}
		return refuse(sender, http.StatusBadGateway, err.Error())
	}
	return sender.Send(asResource(answer))
}

// asResource hides a 401 of the server: for Grafana's frontend that would mean that its own session ended.
func asResource(answer henge.Response) *backend.CallResourceResponse {
	status := answer.Status
	if status == http.StatusUnauthorized {
		status = http.StatusForbidden
	}
	return &backend.CallResourceResponse{
		Status:  status,
		Headers: map[string][]string{"Content-Type": {answer.ContentType}},
		Body:    answer.Body,
	}
}

// refuse answers in the shape of the server's errors.
func refuse(sender backend.CallResourceResponseSender, status int, message string) error {
	body, err := json.Marshal(map[string]string{"error": "henge-datasource", "errorMessage": message})
	if err != nil {
		return err
	}
	return sender.Send(&backend.CallResourceResponse{
		Status: status, Headers: map[string][]string{"Content-Type": {"application/json"}}, Body: body,
	})
}
