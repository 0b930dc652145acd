package plugin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"

	"henge-datasource/pkg/henge"
)

// How many datasources "Save & test" names; all are in its details.
const namedDatasourcesMax = 5

// CheckHealth asks for the catalogue: that proves URL, TLS and credentials, and says what they give.
func (d *Datasource) CheckHealth(ctx context.Context, request *backend.CheckHealthRequest) (*backend.CheckHealthResult, error) {
	headers, err := d.settings.headersFor(request.GetHTTPHeaders(), request.PluginContext.User)
	if err != nil {
		return unhealthy(err), nil
	}
	catalogue, err := d.client.Catalogue(ctx, headers)
	if err != nil {
		return unhealthy(err), nil
	}
	wanted := d.settings.DefaultDatasource
	if wanted != "" && !slices.ContainsFunc(catalogue.Datasources, func(one henge.Datasource) bool { return one.Name == wanted }) {
		return unhealthy(fmt.Errorf("the server has no datasource %q, the default of this data source", wanted)), nil
	}
	details, err := json.Marshal(map[string]any{"version": catalogue.Version, "datasources": catalogue.Datasources})
	if err != nil {
		return nil, err
	}
	return &backend.CheckHealthResult{
		Status:      backend.HealthStatusOk,
		Message:     summary(catalogue, d.now()),
		JSONDetails: details,
	}, nil
}

func unhealthy(err error) *backend.CheckHealthResult {
	message := err.Error()
	if problem, ok := errors.AsType[*henge.Problem](err); ok {
		message = fmt.Sprintf("%s (status %d)", problem.Message, problem.Status)
	}
	return &backend.CheckHealthResult{Status: backend.HealthStatusError, Message: message}
}

// summary says version, datasources and how fresh they are in a sentence.
func summary(catalogue *henge.Catalogue, now time.Time) string {
	parts := make([]string, 0, namedDatasourcesMax)
	for _, datasource := range catalogue.Datasources[:min(len(catalogue.Datasources), namedDatasourcesMax)] {
		parts = append(parts, datasource.Name+" ("+freshness(datasource, now)+")")
	}
	if more := len(catalogue.Datasources) - len(parts); more > 0 {
		parts = append(parts, fmt.Sprintf("and %d more", more))
	}
	if len(parts) == 0 {
		return fmt.Sprintf("Henge %s; this credential sees no datasource", catalogue.Version)
	}
	return fmt.Sprintf("Henge %s; datasources: %s", catalogue.Version, strings.Join(parts, ", "))
}

func freshness(datasource henge.Datasource, now time.Time) string {
	if datasource.NewestEvent == nil {
		return "no events"
	}
	text := "newest event " + ago(*datasource.NewestEvent, now)
	if datasource.CompleteUntil != nil {
		text += ", complete until " + time.UnixMilli(*datasource.CompleteUntil).UTC().Format(time.RFC3339)
	}
	return text
}

func ago(eventMS int64, now time.Time) string {
	age := now.Sub(time.UnixMilli(eventMS))
	if age < 0 {
		return "in the future"
	}
	if age < time.Minute {
		return fmt.Sprintf("%d s ago", int(age.Seconds()))
	}
	return age.Round(time.Minute).String() + " ago"
}
