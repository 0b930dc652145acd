package plugin

import (
	"errors"
	"net/http"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
)

// Which of Grafana's headers go on to the server, so that its log of queries says where one comes from.
var forwardedHeaders = []string{"X-Dashboard-Uid", "X-Dashboard-Title", "X-Panel-Id", "X-Panel-Title", "X-Rule-Uid", "X-Query-Group-Id"}

const userHeader = "X-Grafana-User"

var errNoPerson = backend.DownstreamError(errors.New(
	"this data source forwards the token of who looks, and none came with this request: sign in by OAuth, or set a key"))

// headersFor returns what a request to the server carries besides its body. Cookies never go on.
func (s *settings) headersFor(incoming http.Header, user *backend.User) (http.Header, error) {
	headers := http.Header{}
	for _, name := range forwardedHeaders {
		if value := incoming.Get(name); value != "" {
			headers.Set(name, value)
		}
	}
	if s.ForwardUser && user != nil && user.Login != "" {
		headers.Set(userHeader, user.Login)
	}
	if s.Authentication != authenticationForward {
		if s.authorization != "" {
			headers.Set("Authorization", s.authorization)
		}
		return headers, nil
	}
	token := incoming.Get(backend.OAuthIdentityTokenHeaderName)
	if token == "" {
		return nil, errNoPerson
	}
	headers.Set("Authorization", token)
	if identity := incoming.Get(backend.OAuthIdentityIDTokenHeaderName); identity != "" {
		headers.Set(backend.OAuthIdentityIDTokenHeaderName, identity)
	}
	return headers, nil
}
