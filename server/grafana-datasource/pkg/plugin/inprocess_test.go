package plugin

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/experimental/datasourcetest"

	"henge-datasource/pkg/henge"
)

// thePlugin runs in this process, behind gRPC as Grafana would ask it; the SDK can start only one in a process.
var thePlugin = sync.OnceValues(func() (datasourcetest.TestPlugin, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return datasourcetest.TestPlugin{}, err
	}
	if err := listener.Close(); err != nil {
		return datasourcetest.TestPlugin{}, err
	}
	return datasourcetest.Manage(New, datasourcetest.ManageOpts{Address: listener.Addr().String()})
})

func started(t *testing.T) *datasourcetest.TestPluginClient {
	t.Helper()
	plugin, err := thePlugin()
	if err != nil {
		t.Fatal(err)
	}
	return plugin.Client
}

// settingsChanged counts, for a data source is made anew only when its settings are of another time.
var settingsChanged atomic.Int64

func contextFor(url string) backend.PluginContext {
	updated := time.Unix(settingsChanged.Add(1), 0)
	return backend.PluginContext{
		PluginID:                   "henge-datasource",
		DataSourceInstanceSettings: &backend.DataSourceInstanceSettings{UID: "henge", URL: url, Updated: updated},
	}
}

func ask(t *testing.T, client *datasourcetest.TestPluginClient, url string, queries ...backend.DataQuery) backend.DataResponse {
	t.Helper()
	answer, err := client.QueryData(context.Background(), &backend.QueryDataRequest{PluginContext: contextFor(url), Queries: queries})
	if err != nil {
		t.Fatal(err)
	}
	return answer.Responses[queries[0].RefID]
}

func TestQueriesOfOneRequestRunAtTheSameTime(t *testing.T) {
	const queries = concurrentQueriesMax
	var arrived sync.WaitGroup
	arrived.Add(queries)
	server := serve(t, func(w http.ResponseWriter, _ *http.Request, _ []byte) {
		arrived.Done()
		// Nobody is answered before all have asked.
		arrived.Wait()
		w.WriteHeader(http.StatusTooManyRequests)
		if _, err := fmt.Fprint(w, `{"errorMessage":"busy"}`); err != nil {
			t.Error(err)
		}
	})
	request := &backend.QueryDataRequest{PluginContext: contextFor(server.URL)}
	for index := range queries {
		request.Queries = append(request.Queries, backend.DataQuery{RefID: fmt.Sprint(index), JSON: []byte(`{"query":{"mode":"sql"}}`)})
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	answer, err := started(t).QueryData(ctx, request)
	if err != nil {
		t.Fatal(err)
	}
	for refID, response := range answer.Responses {
		if response.Error.Error() != "busy" || response.Status != backend.StatusTooManyRequests || response.ErrorSource != backend.ErrorSourceDownstream {
			t.Errorf("%s: %v %v %v", refID, response.Error, response.Status, response.ErrorSource)
		}
	}
	if len(answer.Responses) != queries {
		t.Errorf("%d answers", len(answer.Responses))
	}
}

func TestEveryFailureHasAMessageAStatusAndSomebodyToBlame(t *testing.T) {
	cases := []struct {
		name, query, body, contentType string
		answer, status                 int
		message                        string
		source                         backend.ErrorSource
	}{
		{
			name: "no query", query: `{}`, status: 400, source: backend.ErrorSourceDownstream,
			message: "the query is empty: it needs a member `query`",
		},
		{
			name: "a place in the text", query: `{"query":{}}`, answer: 400, status: 400, source: backend.ErrorSourceDownstream,
			body:    `{"errorMessage":"unknown macro","position":{"line":2,"column":5,"length":3}}`,
			message: "unknown macro (line 2, column 5)",
		},
		{
			name: "another server", query: `{"query":{}}`, answer: 404, body: "<html>", status: 404, source: backend.ErrorSourceDownstream,
			message: "the server does not know /henge/v1/panel: is the URL that of a Henge of this version?",
		},
		{
			name: "a redirect is not followed", query: `{"query":{}}`, answer: 302, status: 302, source: backend.ErrorSourceDownstream,
			message: "the server answered 302: ",
		},
		{
			name: "no Arrow", query: `{"query":{}}`, answer: 200, body: "{}", status: 500, source: backend.ErrorSourcePlugin,
			message: "the answer is no Arrow stream: arrow/ipc: could not read message schema: arrow/ipc: could not read continuation indicator: unexpected EOF",
		},
	}
	client := started(t)
	for _, one := range cases {
		t.Run(one.name, func(t *testing.T) {
			server := serve(t, func(w http.ResponseWriter, _ *http.Request, _ []byte) {
				if one.answer == http.StatusFound {
					w.Header().Set("Location", "/elsewhere")
				}
				w.WriteHeader(one.answer)
				if _, err := fmt.Fprint(w, one.body); err != nil {
					t.Error(err)
				}
			})
			found := ask(t, client, server.URL, backend.DataQuery{RefID: "A", JSON: []byte(one.query)})
			if messageOf(found.Error) != one.message || int(found.Status) != one.status || found.ErrorSource != one.source {
				t.Errorf("found %q %v %v", messageOf(found.Error), found.Status, found.ErrorSource)
			}
		})
	}
	closed := httptest.NewServer(nil)
	closed.Close()
	found := ask(t, client, closed.URL, backend.DataQuery{RefID: "A", JSON: []byte(`{"query":{}}`)})
	if found.Status != backend.StatusBadGateway || found.ErrorSource != backend.ErrorSourceDownstream {
		t.Errorf("nobody listens: %v %v %v", found.Error, found.Status, found.ErrorSource)
	}
}

func TestHealthSaysVersionDatasourcesAndFreshness(t *testing.T) {
	now := time.UnixMilli(1_700_000_000_000)
	catalogue := &henge.Catalogue{Version: "1.2.3", Datasources: []henge.Datasource{
		{Name: "fleet", NewestEvent: pointer(now.UnixMilli() - 2_000), CompleteUntil: pointer(now.UnixMilli() - 13_000)},
		{Name: "usage", NewestEvent: pointer(now.UnixMilli() - 7_200_000)},
		{Name: "empty"}, {Name: "d"}, {Name: "e"}, {Name: "f"},
	}}
	expected := "Henge 1.2.3; datasources: fleet (newest event 2 s ago, complete until 2023-11-14T22:13:07Z), " +
		"usage (newest event 2h0m0s ago), empty (no events), d (no events), e (no events), and 1 more"
	if found := summary(catalogue, now); found != expected {
		t.Errorf("found %q", found)
	}
}

func TestHealthIsAnErrorWhenTheDefaultIsMissing(t *testing.T) {
	server := serve(t, func(w http.ResponseWriter, _ *http.Request, _ []byte) {
		if _, err := fmt.Fprint(w, `{"version":"1","datasources":[{"name":"fleet"}]}`); err != nil {
			t.Error(err)
		}
	})
	where := contextFor(server.URL)
	where.DataSourceInstanceSettings.JSONData = []byte(`{"defaultDatasource":"usage"}`)
	found, err := started(t).CheckHealth(context.Background(), &backend.CheckHealthRequest{PluginContext: where})
	if err != nil {
		t.Fatal(err)
	}
	if found.Status != backend.HealthStatusError || found.Message != `the server has no datasource "usage", the default of this data source` {
		t.Errorf("found %v %q", found.Status, found.Message)
	}
}

func TestResourcesAreForwardedByAListOfNames(t *testing.T) {
	server := serve(t, func(w http.ResponseWriter, r *http.Request, body []byte) {
		w.WriteHeader(http.StatusUnauthorized)
		if _, err := fmt.Fprintf(w, "%s %s %s", r.Method, r.URL.Path, body); err != nil {
			t.Error(err)
		}
	})
	cases := []struct {
		method, path, body string
		status             int
		answer             string
	}{
		// 401 would end the session of who looks.
		{"POST", "values", "{}", 403, "POST /henge/v1/panel/values {}"},
		{"GET", "catalogue", "", 403, "GET /henge/v1/panel/catalogue "},
		{"GET", "values", "", 405, `{"error":"henge-datasource","errorMessage":"send POST"}`},
		{"POST", "query", "{}", 404, `{"error":"henge-datasource","errorMessage":"no such resource: there are catalogue, check, values, variable and annotations"}`},
		{"POST", "values/../../../../druid/v2/sql", "{}", 404, `{"error":"henge-datasource","errorMessage":"no such resource: there are catalogue, check, values, variable and annotations"}`},
	}
	client := started(t)
	for _, one := range cases {
		var status int
		var answer string
		sender := backend.CallResourceResponseSenderFunc(func(response *backend.CallResourceResponse) error {
			status, answer = response.Status, answer+string(response.Body)
			return nil
		})
		err := client.CallResource(context.Background(), &backend.CallResourceRequest{
			PluginContext: contextFor(server.URL), Method: one.method, Path: one.path, URL: one.path, Body: []byte(one.body),
		}, sender)
		if err != nil || status != one.status || answer != one.answer {
			t.Errorf("%s %s: %d %s %v", one.method, one.path, status, answer, err)
		}
	}
}

// serve is a server on loopback until the test ends; what it is sent has been read.
func serve(t *testing.T, handle func(http.ResponseWriter, *http.Request, []byte)) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		handle(w, r, body)
	}))
	t.Cleanup(server.Close)
	return server
}
