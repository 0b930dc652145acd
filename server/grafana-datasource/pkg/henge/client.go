// Package henge asks a Henge server: the endpoint for dashboards, `/henge/v1/panel/*`.
//
// client (requests, credentials, bounds) -> answer (Arrow into fields), problem (errors with their place)
package henge

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// The most that is read of one answer. A million rows, the most that the server sends, of 16 columns fit.
const answerBytesMax = 512 << 20

const (
	arrowStream = "application/vnd.apache.arrow.stream"
	jsonText    = "application/json"
)

// Client asks one server. It is safe for concurrent use.
type Client struct {
	http *http.Client
	base *url.URL
}

// NewClient returns an error unless base is an absolute http or https URL.
func NewClient(base string, client *http.Client) (*Client, error) {
	parsed, err := url.Parse(strings.TrimSpace(base))
	if err != nil {
		return nil, fmt.Errorf("the URL of the server cannot be understood: %w", err)
	}
	if (parsed.Scheme != "http" && parsed.Scheme != "https") || parsed.Host == "" {
		return nil, fmt.Errorf("the URL of the server is %q: write it like http://127.0.0.1:8888", base)
	}
	return &Client{http: client, base: parsed.JoinPath("henge/v1/panel")}, nil
}

// Close lets go of connections that nobody uses.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Response is an answer of the server as it came.
type Response struct {
	Status      int
	ContentType string
	Body        []byte
}

// Forward sends a request to `/henge/v1/panel/{path}` and returns what the server answers, errors of the server included.
func (c *Client) Forward(ctx context.Context, method, path string, headers http.Header, body []byte) (Response, error) {
	return c.send(ctx, method, path, jsonText, headers, body)
}

// Query asks for the rows of one panel.
func (c *Client) Query(ctx context.Context, headers http.Header, request PanelRequest) (*Answer, error) {
	return c.rows(ctx, "query", headers, request)
}

// Tail asks for the rows that are newer than request.After, oldest first.
func (c *Client) Tail(ctx context.Context, headers http.Header, request TailRequest) (*Answer, error) {
	return c.rows(ctx, "tail", headers, request)
}

// Annotations asks for events that are drawn over panels.
func (c *Client) Annotations(ctx context.Context, headers http.Header, request AnnotationRequest) ([]Annotation, error) {
	var answer struct {
		Annotations []Annotation `json:"annotations"`
	}
	return answer.Annotations, c.object(ctx, http.MethodPost, "annotations", headers, request, &answer)
}

// Catalogue asks what there is for the credential of this client.
func (c *Client) Catalogue(ctx context.Context, headers http.Header) (*Catalogue, error) {
	var answer Catalogue
	return &answer, c.object(ctx, http.MethodGet, "catalogue", headers, nil, &answer)
}

func (c *Client) rows(ctx context.Context, path string, headers http.Header, request any) (*Answer, error) {
	body, err := json.Marshal(request)
	if err != nil {
		return nil, err
	}
	response, err := c.send(ctx, http.MethodPost, path, arrowStream, headers, body)
	if err != nil {
		return nil, err
	}
	if response.Status != http.StatusOK {
		return nil, problemOf(response)
	}
	return decodeAnswer(response.Body)
}

func (c *Client) object(ctx context.Context, method, path string, headers http.Header, request, answer any) error {
	var body []byte
	if request != nil {
		var err error
		if body, err = json.Marshal(request); err != nil {
			return err
		}
	}
	response, err := c.send(ctx, method, path, jsonText, headers, body)
	if err != nil {
		return err
	}
	if response.Status != http.StatusOK {
		return problemOf(response)
	}
	if err := json.Unmarshal(response.Body, answer); err != nil {
		return fmt.Errorf("the answer of %s is not what Henge sends, is the URL right? %w", path, err)
	}
	return nil
}

func (c *Client) send(ctx context.Context, method, path, accept string, headers http.Header, body []byte) (Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, c.base.JoinPath(path).String(), bytes.NewReader(body))
	if err != nil {
		return Response{}, err
	}
	for name, values := range headers {
		request.Header[name] = values
	}
	request.Header.Set("Accept", accept)
	if len(body) > 0 {
		request.Header.Set("Content-Type", jsonText)
	}
	answer, err := c.http.Do(request)
	if err != nil {
		return Response{}, unreachable(err)
	}
	content, err := io.ReadAll(io.LimitReader(answer.Body, answerBytesMax+1))
	if closed := answer.Body.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return Response{}, unreachable(err)
	}
	if len(content) > answerBytesMax {
		return Response{}, errors.New("the answer has more than 512 MiB: ask for fewer rows or columns")
	}
	return Response{Status: answer.StatusCode, ContentType: answer.Header.Get("Content-Type"), Body: content}, nil
}
