package henge

import "encoding/json"

// PanelRequest is the body of `POST /henge/v1/panel/query`. What the editor wrote stays as it is: the server alone knows
// what it means.
type PanelRequest struct {
	Query                json.RawMessage `json:"query"`
	Range                Range           `json:"range"`
	IntervalMS           int64           `json:"intervalMs,omitempty"`
	MaxDataPoints        int64           `json:"maxDataPoints,omitempty"`
	TimeZone             string          `json:"timeZone,omitempty"`
	Variables            json.RawMessage `json:"variables,omitempty"`
	Filters              json.RawMessage `json:"filters,omitempty"`
	IncludePartialBucket bool            `json:"includePartialBucket"`
}

// Range is a half-open span of event time in milliseconds since 1970.
type Range struct {
	From int64 `json:"from"`
	To   int64 `json:"to"`
}

// TailRequest is the body of `POST /henge/v1/panel/tail`.
type TailRequest struct {
	Query     json.RawMessage `json:"query"`
	Variables json.RawMessage `json:"variables,omitempty"`
	Filters   json.RawMessage `json:"filters,omitempty"`
	// Event time in milliseconds since 1970; nil asks where to begin.
	After *int64 `json:"after"`
	Limit int    `json:"limit"`
}

// AnnotationRequest is the body of `POST /henge/v1/panel/annotations`.
type AnnotationRequest struct {
	SQL       string          `json:"sql"`
	Range     Range           `json:"range"`
	Variables json.RawMessage `json:"variables,omitempty"`
}

// Annotation is an event, or with TimeEnd a span. Times are milliseconds since 1970.
type Annotation struct {
	Time    int64    `json:"time"`
	TimeEnd *int64   `json:"timeEnd"`
	Title   *string  `json:"title"`
	Text    *string  `json:"text"`
	Tags    []string `json:"tags"`
}

// Meta says what the columns of an answer are.
type Meta struct {
	Shape        string            `json:"shape"`
	TimeColumn   string            `json:"timeColumn"`
	LabelColumns []string          `json:"labelColumns"`
	ValueColumns []string          `json:"valueColumns"`
	SQL          string            `json:"sql"`
	Notices      []Notice          `json:"notices"`
	IsTruncated  bool              `json:"isTruncated"`
	Unit         map[string]string `json:"unit"`
	IntervalMS   int64             `json:"intervalMs"`
	// Event time up to which nothing is missing any more, in milliseconds since 1970.
	CompleteUntil *int64 `json:"completeUntil"`
	// When the answer was true, in milliseconds since 1970.
	AsOf *int64 `json:"asOf"`
	// What to send as After for what comes next; only of Tail.
	Next *int64 `json:"next"`
}

// Notice is something that a person who looks at the panel should know.
type Notice struct {
	Severity string `json:"severity"`
	Text     string `json:"text"`
}

// Catalogue is the part of `GET /henge/v1/panel/catalogue` that health is about.
type Catalogue struct {
	Version     string       `json:"version"`
	Datasources []Datasource `json:"datasources"`
	Datasets    []struct {
		Name string `json:"name"`
	} `json:"datasets"`
}

// Datasource is a table. Times are milliseconds since 1970.
type Datasource struct {
	Name          string `json:"name"`
	NewestEvent   *int64 `json:"newestEvent"`
	CompleteUntil *int64 `json:"completeUntil"`
	Rows          *int64 `json:"rows"`
}
