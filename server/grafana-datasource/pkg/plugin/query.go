package plugin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/data"
	"github.com/grafana/grafana-plugin-sdk-go/experimental/concurrent"

	"henge-datasource/pkg/henge"
)

// How many queries of one request run at once; the rest wait.
const concurrentQueriesMax = 8

const queryTypeAnnotations = "annotations"

// panelQuery is a query as the editor stores it. Its member `query` is the server's, not ours.
type panelQuery struct {
	Query                json.RawMessage `json:"query"`
	IncludePartialBucket bool            `json:"includePartialBucket"`
	// What a series is called; `{{label}}` stands for the value of a label.
	Legend string `json:"legend"`
	// Rows that come later are wanted too.
	Live      bool            `json:"live"`
	TimeZone  string          `json:"timeZone"`
	Variables json.RawMessage `json:"variables"`
	Filters   json.RawMessage `json:"filters"`
}

// QueryData asks the server once for each query, several at the same time; one that fails does not touch the others.
func (d *Datasource) QueryData(ctx context.Context, request *backend.QueryDataRequest) (*backend.QueryDataResponse, error) {
	return concurrent.QueryData(ctx, request, d.answer, concurrentQueriesMax)
}

func (d *Datasource) answer(ctx context.Context, query concurrent.Query) backend.DataResponse {
	var panel panelQuery
	if err := json.Unmarshal(query.DataQuery.JSON, &panel); err != nil {
		return failed(&badQuery{fmt.Errorf("the query cannot be understood: %w", err)})
	}
	if len(panel.Query) == 0 {
		return failed(&badQuery{errors.New("the query is empty: it needs a member `query`")})
	}
	headers, err := d.settings.headersFor(query.Headers, query.PluginContext.User)
	if err != nil {
		return failed(err)
	}
	if query.DataQuery.QueryType == queryTypeAnnotations {
		return d.annotations(ctx, headers, panel, query.DataQuery)
	}
	answer, err := d.client.Query(ctx, headers, henge.PanelRequest{
		Query:                panel.Query,
		Range:                rangeOf(query.DataQuery),
		IntervalMS:           query.DataQuery.Interval.Milliseconds(),
		MaxDataPoints:        query.DataQuery.MaxDataPoints,
		TimeZone:             panel.TimeZone,
		Variables:            panel.Variables,
		Filters:              panel.Filters,
		IncludePartialBucket: panel.IncludePartialBucket,
	})
	if err != nil {
		return failed(err)
	}
	// Asked before the frames are made: those rename the column of time.
	shownUntil := newest(answer)
	frames, err := framesOf(answer, panel.Legend)
	if err != nil {
		return failed(err)
	}
	if panel.Live {
		if err := d.announceTail(uidOf(query.PluginContext), panel, shownUntil, frames); err != nil {
			return failed(err)
		}
	}
	return answered(query.DataQuery.RefID, frames)
}

func uidOf(context backend.PluginContext) string {
	if context.DataSourceInstanceSettings == nil {
		return ""
	}
	return context.DataSourceInstanceSettings.UID
}

func (d *Datasource) annotations(ctx context.Context, headers http.Header, panel panelQuery, query backend.DataQuery) backend.DataResponse {
	var statement struct {
		SQL string `json:"sql"`
	}
	if err := json.Unmarshal(panel.Query, &statement); err != nil {
		return failed(&badQuery{fmt.Errorf("the query cannot be understood: %w", err)})
	}
	found, err := d.client.Annotations(ctx, headers, henge.AnnotationRequest{
		SQL: statement.SQL, Range: rangeOf(query), Variables: panel.Variables,
	})
	if err != nil {
		return failed(err)
	}
	return answered(query.RefID, data.Frames{annotationFrame(found)})
}

func rangeOf(query backend.DataQuery) henge.Range {
	return henge.Range{From: query.TimeRange.From.UnixMilli(), To: query.TimeRange.To.UnixMilli()}
}

func answered(refID string, frames data.Frames) backend.DataResponse {
	for _, frame := range frames {
		frame.RefID = refID
	}
	return backend.DataResponse{Status: backend.StatusOK, Frames: frames}
}

// badQuery is a query that cannot be sent: a person wrote it, so it is not the plugin's fault.
type badQuery struct{ error }

// failed says whose fault an error is: alerting and the plugin's own error rate depend on it.
func failed(err error) backend.DataResponse {
	response := backend.DataResponse{Error: err, Status: backend.StatusInternal, ErrorSource: backend.ErrorSourcePlugin}
	if problem, ok := errors.AsType[*henge.Problem](err); ok {
		// Also 501: the server answers it to a statement that it cannot run.
		response.Status, response.ErrorSource = backend.Status(problem.Status), backend.ErrorSourceDownstream
		return response
	}
	if _, ok := errors.AsType[*badQuery](err); ok {
		response.Status, response.ErrorSource = backend.StatusBadRequest, backend.ErrorSourceDownstream
		return response
	}
	if errors.Is(err, context.DeadlineExceeded) {
		response.Status, response.ErrorSource = backend.StatusTimeout, backend.ErrorSourceDownstream
		return response
	}
	if backend.IsDownstreamError(err) || errors.Is(err, context.Canceled) {
		response.Status, response.ErrorSource = backend.StatusBadGateway, backend.ErrorSourceDownstream
	}
	return response
}
