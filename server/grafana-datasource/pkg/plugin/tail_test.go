package plugin

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/data"

	"henge-datasource/pkg/arrowtest"
	"henge-datasource/pkg/henge"
)

// logs is an answer of one line at a time, in milliseconds since 1970.
func logs(t *testing.T, time int64) []byte {
	return arrowtest.Stream(t, fmt.Sprintf(`{"shape":"logs","timeColumn":"time","next":%d}`, time),
		arrowtest.Column{Name: "time", Type: &arrow.TimestampType{Unit: arrow.Millisecond, TimeZone: "UTC"}, Values: []any{time}},
		arrowtest.Column{Name: "body", Type: arrow.BinaryTypes.String, Values: []any{fmt.Sprintf("line %d", time)}},
		arrowtest.Column{Name: "labels", Type: arrow.BinaryTypes.String, Values: []any{`{"region":"eu"}`}},
	)
}

// packets hands over what a stream sends.
type packets chan json.RawMessage

func (p packets) Send(packet *backend.StreamPacket) error {
	p <- packet.Data
	return nil
}

func datasourceFor(t *testing.T, url, jsonData string) *Datasource {
	t.Helper()
	made, err := New(context.Background(), backend.DataSourceInstanceSettings{UID: "henge", URL: url, JSONData: []byte(jsonData)})
	if err != nil {
		t.Fatal(err)
	}
	datasource := made.(*Datasource)
	datasource.tailInterval = 0
	return datasource
}

func liveQuery(t *testing.T, datasource *Datasource, headers map[string]string) backend.DataResponse {
	t.Helper()
	answer, err := datasource.QueryData(context.Background(), &backend.QueryDataRequest{
		PluginContext: backend.PluginContext{DataSourceInstanceSettings: &backend.DataSourceInstanceSettings{UID: "henge"}},
		Headers:       headers,
		Queries:       []backend.DataQuery{{RefID: "A", JSON: []byte(`{"query":{"mode":"logs"},"live":true}`)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return answer.Responses["A"]
}

func TestATailBeginsAfterWhatIsShownAndGoesOnFromThere(t *testing.T) {
	asked := make(chan int64, 100)
	server := serve(t, func(w http.ResponseWriter, r *http.Request, body []byte) {
		time := int64(1000)
		if strings.HasSuffix(r.URL.Path, "/tail") {
			var request henge.TailRequest
			if err := json.Unmarshal(body, &request); err != nil {
				t.Error(err)
			}
			asked <- *request.After
			time = *request.After + 1
		}
		if _, err := w.Write(logs(t, time)); err != nil {
			t.Error(err)
		}
	})
	datasource := datasourceFor(t, server.URL, `{}`)
	response := liveQuery(t, datasource, nil)
	if response.Error != nil {
		t.Fatal(response.Error)
	}
	path, found := strings.CutPrefix(response.Frames[0].Meta.Channel, "ds/henge/")
	if !found {
		t.Fatalf("channel %q", response.Frames[0].Meta.Channel)
	}
	ctx, cancel := context.WithCancel(context.Background())
	sent, ended := make(packets), make(chan error, 1)
	go func() {
		ended <- datasource.RunStream(ctx, &backend.RunStreamRequest{Path: path}, backend.NewStreamSender(sent))
	}()
	var bodies []any
	for range 3 {
		var frame data.Frame
		if err := json.Unmarshal(<-sent, &frame); err != nil {
			t.Fatal(err)
		}
		body, _ := frame.Fields[1].ConcreteAt(0)
		bodies = append(bodies, body)
	}
	cancel()
	// A step may be under way; what it sends nobody reads any more.
	for done := false; !done; {
		select {
		case <-sent:
		case err := <-ended:
			done = true
			if err != nil {
				t.Error(err)
			}
		}
	}
	if expected := []any{"line 1001", "line 1002", "line 1003"}; !reflect.DeepEqual(bodies, expected) {
		t.Errorf("found %v", bodies)
	}
	if first := <-asked; first != 1000 {
		t.Errorf("the first step began after %d", first)
	}
}

func TestATailThatCanOnlyFailEnds(t *testing.T) {
	server := serve(t, func(w http.ResponseWriter, r *http.Request, _ []byte) {
		if strings.HasSuffix(r.URL.Path, "/tail") {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		if _, err := w.Write(logs(t, 1000)); err != nil {
			t.Error(err)
		}
	})
	datasource := datasourceFor(t, server.URL, `{}`)
	path := strings.TrimPrefix(liveQuery(t, datasource, nil).Frames[0].Meta.Channel, "ds/henge/")
	err := datasource.RunStream(context.Background(), &backend.RunStreamRequest{Path: path}, backend.NewStreamSender(make(packets)))
	if !backend.IsDownstreamError(err) {
		t.Errorf("ended with %v", err)
	}
}

func TestOnlyChannelsOfAnswersCanBeSubscribedTo(t *testing.T) {
	server := serve(t, func(w http.ResponseWriter, _ *http.Request, _ []byte) {
		if _, err := w.Write(logs(t, 1000)); err != nil {
			t.Error(err)
		}
	})
	datasource := datasourceFor(t, server.URL, `{}`)
	path := strings.TrimPrefix(liveQuery(t, datasource, nil).Frames[0].Meta.Channel, "ds/henge/")
	for asked, expected := range map[string]backend.SubscribeStreamStatus{
		path: backend.SubscribeStreamStatusOK, "tail/guessed": backend.SubscribeStreamStatusNotFound,
	} {
		answer, err := datasource.SubscribeStream(context.Background(), &backend.SubscribeStreamRequest{Path: asked})
		if err != nil || answer.Status != expected {
			t.Errorf("%s: %v %v", asked, answer, err)
		}
	}
}

func TestATokenOfAPersonIsNotSharedByAStream(t *testing.T) {
	server := serve(t, func(w http.ResponseWriter, _ *http.Request, _ []byte) {
		if _, err := w.Write(logs(t, 1000)); err != nil {
			t.Error(err)
		}
	})
	datasource := datasourceFor(t, server.URL, `{"oauthPassThru":true}`)
	response := liveQuery(t, datasource, map[string]string{"Authorization": "Bearer person"})
	expected := "live rows need a key of the data source: with forwarded tokens people would share a stream"
	if messageOf(response.Error) != expected || response.ErrorSource != backend.ErrorSourceDownstream {
		t.Errorf("found %v %v", response.Error, response.ErrorSource)
	}
}

func TestOldChannelsAreForgottenFirst(t *testing.T) {
	registry := tailRegistry{requests: map[string]henge.TailRequest{}}
	paths := make([]string, 0, tailsMax+1)
	for index := range tailsMax + 1 {
		path, err := registry.remember(henge.TailRequest{Query: json.RawMessage(fmt.Sprint(index))})
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	_, first := registry.find(paths[0])
	_, second := registry.find(paths[1])
	_, last := registry.find(paths[tailsMax])
	if first || !second || !last || len(registry.requests) != tailsMax {
		t.Errorf("found %v %v %v of %d", first, second, last, len(registry.requests))
	}
}
