package plugin

import (
	"net/http"
	"reflect"
	"testing"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
)

func TestCredentialsComeFromSecretsAlone(t *testing.T) {
	cases := []struct {
		name     string
		instance backend.DataSourceInstanceSettings
		expected string
		problem  string
	}{
		{name: "nothing is set", instance: backend.DataSourceInstanceSettings{}},
		{name: "a key alone is a bearer", instance: instance(`{}`, "key", "ID.SECRET"), expected: "Bearer ID.SECRET"},
		{name: "a key by basic", instance: instance(`{"authentication":"basic"}`, "key", "ID.SE.CRET"), expected: "Basic SUQ6U0UuQ1JFVA=="},
		{name: "none ignores the key", instance: instance(`{"authentication":"none"}`, "key", "ID.SECRET")},
		{
			name:    "half a key",
			problem: "secureJsonData.key is needed: ID.SECRET, as `henge keys create` shows it",
			// The secret alone, as people paste it.
			instance: instance(`{"authentication":"bearer"}`, "key", "henge_secret"),
		},
		{
			name:     "a key in jsonData is not read",
			instance: instance(`{"authentication":"bearer","key":"ID.SECRET"}`, "", ""),
			problem:  "secureJsonData.key is needed: ID.SECRET, as `henge keys create` shows it",
		},
		{
			name:     "forwarding needs Grafana's switch",
			instance: instance(`{"authentication":"forward"}`, "", ""),
			problem:  "jsonData.authentication `forward` needs jsonData.oauthPassThru, or Grafana forwards no token",
		},
		{
			name:     "an unknown word",
			instance: instance(`{"authentication":"digest"}`, "", ""),
			problem:  "jsonData.authentication is \"digest\": write none, bearer, basic or forward",
		},
		{
			name: "Grafana's own basic authentication",
			instance: backend.DataSourceInstanceSettings{
				BasicAuthEnabled: true, BasicAuthUser: "ID", DecryptedSecureJSONData: map[string]string{"basicAuthPassword": "SECRET"},
			},
			expected: "Basic SUQ6U0VDUkVU",
		},
	}
	for _, one := range cases {
		t.Run(one.name, func(t *testing.T) {
			parsed, err := parseSettings(one.instance)
			if problem := messageOf(err); parsed.authorization != one.expected || problem != one.problem {
				t.Errorf("found %q, %q", parsed.authorization, problem)
			}
		})
	}
}

func TestOnlyNamedHeadersGoOn(t *testing.T) {
	incoming := http.Header{
		"Cookie": {"grafana_session=x"}, "Authorization": {"Bearer person"}, "X-Id-Token": {"identity"},
		"X-Dashboard-Uid": {"fleet"}, "X-Grafana-User": {"forged"}, "X-Forwarded-For": {"10.0.0.1"},
	}
	ada := &backend.User{Login: "ada"}
	cases := []struct {
		name     string
		settings settings
		expected http.Header
	}{
		{
			name:     "a key never travels with the token of a person",
			settings: settings{Authentication: authenticationBearer, authorization: "Bearer ID.SECRET"},
			expected: http.Header{"X-Dashboard-Uid": {"fleet"}, "Authorization": {"Bearer ID.SECRET"}},
		},
		{
			name:     "a person's token replaces the key",
			settings: settings{Authentication: authenticationForward, ForwardUser: true},
			expected: http.Header{
				"X-Dashboard-Uid": {"fleet"}, "Authorization": {"Bearer person"}, "X-Id-Token": {"identity"}, "X-Grafana-User": {"ada"},
			},
		},
	}
	for _, one := range cases {
		t.Run(one.name, func(t *testing.T) {
			headers, err := one.settings.headersFor(incoming, ada)
			if err != nil || !reflect.DeepEqual(headers, one.expected) {
				t.Errorf("found %v, %v", headers, err)
			}
		})
	}
	_, err := (&settings{Authentication: authenticationForward}).headersFor(http.Header{}, nil)
	if !backend.IsDownstreamError(err) {
		t.Errorf("without a person: %v", err)
	}
}

func instance(jsonData, secretName, secret string) backend.DataSourceInstanceSettings {
	return backend.DataSourceInstanceSettings{
		UID: "henge", JSONData: []byte(jsonData), DecryptedSecureJSONData: map[string]string{secretName: secret},
	}
}

func messageOf(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
