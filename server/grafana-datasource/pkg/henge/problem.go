package henge

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
)

// Problem is an error that the server answered.
type Problem struct {
	Status   int
	Code     string
	Message  string
	Position *Position
}

// Position is where the text of a statement is at fault: from one, in characters of the text as it was sent.
type Position struct {
	Line   int `json:"line"`
	Column int `json:"column"`
	Length int `json:"length"`
}

func (p *Problem) Error() string {
	// The message may say its place itself, as Druid's do.
	if p.Position == nil || strings.Contains(p.Message, "line [") {
		return p.Message
	}
	return fmt.Sprintf("%s (line %d, column %d)", p.Message, p.Position.Line, p.Position.Column)
}

// IsFinal tells that the same request would fail again.
func (p *Problem) IsFinal() bool {
	return p.Status >= 400 && p.Status < 500 && p.Status != http.StatusTooManyRequests
}

// How much of an answer that is no error object is shown.
const excerptBytesMax = 200

func problemOf(response Response) *Problem {
	var body struct {
		ErrorCode    string    `json:"errorCode"`
		ErrorMessage string    `json:"errorMessage"`
		Position     *Position `json:"position"`
	}
	problem := &Problem{Status: response.Status}
	if err := json.Unmarshal(response.Body, &body); err == nil && body.ErrorMessage != "" {
		problem.Code, problem.Message, problem.Position = body.ErrorCode, body.ErrorMessage, body.Position
		return problem
	}
	if response.Status == http.StatusNotFound {
		problem.Message = "the server does not know /henge/v1/panel: is the URL that of a Henge of this version?"
		return problem
	}
	excerpt := response.Body[:min(len(response.Body), excerptBytesMax)]
	problem.Message = fmt.Sprintf("the server answered %d: %s", response.Status, strings.ToValidUTF8(string(excerpt), "?"))
	return problem
}

// unreachable marks an error of the connection as the other side's.
func unreachable(err error) error {
	return backend.DownstreamError(fmt.Errorf("the server cannot be asked: %w", err))
}
