package plugin

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/backend/httpclient"

	"henge-datasource/pkg/henge"
)

// How requests prove who sends them.
const (
	// No key: a server on loopback.
	authenticationNone = "none"
	// `Authorization: Bearer ID.SECRET`, from secureJsonData.key.
	authenticationBearer = "bearer"
	// The same key as user and password, or Grafana's own basicAuthUser and secureJsonData.basicAuthPassword.
	authenticationBasic = "basic"
	// The token of the person who looks, as Grafana forwards it; nothing else.
	authenticationForward = "forward"
)

// settings are what provisioning or the config page says; secrets are only in secureJsonData.
type settings struct {
	Authentication    string `json:"authentication"`
	OAuthPassThru     bool   `json:"oauthPassThru"`
	ForwardUser       bool   `json:"forwardUser"`
	DefaultDatasource string `json:"defaultDatasource"`
	// The value of the header Authorization; empty if there is none, or if it is a person's.
	authorization string
}

func parseSettings(instance backend.DataSourceInstanceSettings) (settings, error) {
	parsed := settings{}
	if len(instance.JSONData) > 0 {
		if err := json.Unmarshal(instance.JSONData, &parsed); err != nil {
			return parsed, fmt.Errorf("jsonData cannot be understood: %w", err)
		}
	}
	key := strings.TrimSpace(instance.DecryptedSecureJSONData["key"])
	switch {
	case parsed.OAuthPassThru:
		parsed.Authentication = authenticationForward
	case parsed.Authentication == authenticationForward:
		return parsed, errors.New("jsonData.authentication `forward` needs jsonData.oauthPassThru, or Grafana forwards no token")
	case parsed.Authentication != "":
	case instance.BasicAuthEnabled:
		parsed.Authentication = authenticationBasic
	case key != "":
		parsed.Authentication = authenticationBearer
	default:
		parsed.Authentication = authenticationNone
	}
	var err error
	parsed.authorization, err = authorization(parsed.Authentication, key, instance)
	return parsed, err
}

func authorization(authentication, key string, instance backend.DataSourceInstanceSettings) (string, error) {
	id, secret, whole := strings.Cut(key, ".")
	switch authentication {
	case authenticationNone, authenticationForward:
		return "", nil
	case authenticationBearer:
		if !whole {
			return "", errors.New("secureJsonData.key is needed: ID.SECRET, as `henge keys create` shows it")
		}
		return "Bearer " + key, nil
	case authenticationBasic:
		if instance.BasicAuthEnabled {
			id, secret, whole = instance.BasicAuthUser, instance.DecryptedSecureJSONData["basicAuthPassword"], true
		}
		if !whole {
			return "", errors.New("secureJsonData.key (ID.SECRET), or basicAuth, basicAuthUser and secureJsonData.basicAuthPassword, are needed")
		}
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(id+":"+secret)), nil
	}
	return "", fmt.Errorf("jsonData.authentication is %q: write none, bearer, basic or forward", authentication)
}

// newClient takes TLS, timeouts, proxy and further headers as Grafana names them in jsonData and secureJsonData.
func newClient(ctx context.Context, instance backend.DataSourceInstanceSettings) (*henge.Client, error) {
	options, err := instance.HTTPClientOptions(ctx)
	if err != nil {
		return nil, fmt.Errorf("the settings of the connection cannot be understood: %w", err)
	}
	// Credentials are set on each request, so that a person's token and the key never travel together.
	options.BasicAuth = nil
	client, err := httpclient.New(options)
	if err != nil {
		return nil, fmt.Errorf("the settings of the connection do not fit: %w", err)
	}
	// A redirect would carry the key, and a panel's statement, to another place than the one that was set.
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return henge.NewClient(instance.URL, client)
}
