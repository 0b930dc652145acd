package plugin

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/experimental"

	"henge-datasource/pkg/henge"
)

// Set to the URL of a `henge demo`, this asks it and writes what it answers to testdata; see the README.
const recordFrom = "HENGE_RECORD_FROM"

// recording is one request of the plugin to a real Henge, and what that answered.
type recording struct {
	Method      string          `json:"method"`
	Path        string          `json:"path"`
	Accept      string          `json:"accept"`
	Request     json.RawMessage `json:"request,omitempty"`
	Status      int             `json:"status"`
	ContentType string          `json:"contentType"`
	// Base64, for most are Arrow.
	Body []byte `json:"body"`
}

func recordingPath(name string) string { return filepath.Join("testdata", "recorded", name+".json") }

func readRecording(t *testing.T, name string) recording {
	t.Helper()
	text, err := os.ReadFile(recordingPath(name))
	if err != nil {
		t.Fatal(err)
	}
	var recorded recording
	if err := json.Unmarshal(text, &recorded); err != nil {
		t.Fatal(err)
	}
	return recorded
}

// replay is a server that answers what was recorded, and only to the request that was.
func replay(t *testing.T, name string) *httptest.Server {
	recorded := readRecording(t, name)
	return serve(t, func(w http.ResponseWriter, r *http.Request, body []byte) {
		asked := recording{Method: r.Method, Path: r.URL.Path, Accept: r.Header.Get("Accept"), Request: body}
		if asked.Method != recorded.Method || asked.Path != recorded.Path || asked.Accept != recorded.Accept ||
			!sameJSON(asked.Request, recorded.Request) {
			t.Errorf("asked %s %s %s %s", asked.Method, asked.Path, asked.Accept, body)
		}
		w.Header().Set("Content-Type", recorded.ContentType)
		w.WriteHeader(recorded.Status)
		if _, err := w.Write(recorded.Body); err != nil {
			t.Error(err)
		}
	})
}

// record is a server in front of a real one that writes down what goes through it.
func record(t *testing.T, name, target string) *httptest.Server {
	return serve(t, func(w http.ResponseWriter, r *http.Request, body []byte) {
		onward, err := http.NewRequest(r.Method, strings.TrimSuffix(target, "/")+r.URL.Path, bytes.NewReader(body))
		if err != nil {
			t.Error(err)
			return
		}
		onward.Header = r.Header.Clone()
		// Compressed, the bytes would not be the answer.
		onward.Header.Set("Accept-Encoding", "identity")
		answer, err := http.DefaultClient.Do(onward)
		if err != nil {
			t.Error(err)
			return
		}
		content, err := io.ReadAll(answer.Body)
		if closed := answer.Body.Close(); err != nil || closed != nil {
			t.Error(err, closed)
		}
		recorded := recording{
			Method: r.Method, Path: r.URL.Path, Accept: r.Header.Get("Accept"), Request: body,
			Status: answer.StatusCode, ContentType: answer.Header.Get("Content-Type"), Body: content,
		}
		text, err := json.MarshalIndent(recorded, "", "  ")
		if err != nil {
			t.Error(err)
		}
		if err := os.WriteFile(recordingPath(name), append(text, '\n'), 0o644); err != nil {
			t.Error(err)
		}
		w.WriteHeader(answer.StatusCode)
		if _, err := w.Write(content); err != nil {
			t.Error(err)
		}
	})
}

func sameJSON(a, b []byte) bool {
	if len(a) == 0 || len(b) == 0 {
		return len(a) == len(b)
	}
	var left, right any
	return json.Unmarshal(a, &left) == nil && json.Unmarshal(b, &right) == nil && reflect.DeepEqual(left, right)
}

type testCase struct {
	Name      string          `json:"name"`
	QueryType string          `json:"queryType"`
	Query     json.RawMessage `json:"query"`
	// What the server says of it, if it is wrong.
	Error string `json:"error"`
}

func TestRecordedAnswersBecomeGoldenFrames(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "cases.json"))
	if err != nil {
		t.Fatal(err)
	}
	var cases []testCase
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	client := started(t)
	target, isRecording := os.LookupEnv(recordFrom)
	recordedRange := backend.TimeRange{To: time.Now().Truncate(time.Minute).Add(time.Minute)}
	recordedRange.From = recordedRange.To.Add(-3 * time.Minute)
	for _, one := range cases {
		t.Run(one.Name, func(t *testing.T) {
			var server *httptest.Server
			span := recordedRange
			if isRecording {
				server = record(t, one.Name, target)
			} else {
				server = replay(t, one.Name)
				span = rangeAsked(t, one.Name)
			}
			response := ask(t, client, server.URL, backend.DataQuery{
				RefID: "A", QueryType: one.QueryType, TimeRange: span, Interval: time.Minute, MaxDataPoints: 100, JSON: one.Query,
			})
			if one.Error != "" || response.Error != nil {
				// The SDK's golden files hold no answer without frames.
				if messageOf(response.Error) != one.Error || response.Status != backend.StatusBadRequest || response.ErrorSource != backend.ErrorSourceDownstream {
					t.Errorf("found %q %v %v", messageOf(response.Error), response.Status, response.ErrorSource)
				}
				return
			}
			if isRecording {
				// The old frames are of other data.
				if err := os.Remove(filepath.Join("testdata", "frames", one.Name+".jsonc")); err != nil && !os.IsNotExist(err) {
					t.Fatal(err)
				}
			}
			experimental.CheckGoldenJSONResponse(t, filepath.Join("testdata", "frames"), one.Name, &response, isRecording)
		})
	}
}

func rangeAsked(t *testing.T, name string) backend.TimeRange {
	t.Helper()
	var request struct {
		Range henge.Range `json:"range"`
	}
	if err := json.Unmarshal(readRecording(t, name).Request, &request); err != nil {
		t.Fatal(err)
	}
	return backend.TimeRange{From: time.UnixMilli(request.Range.From), To: time.UnixMilli(request.Range.To)}
}
