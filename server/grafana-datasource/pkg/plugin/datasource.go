// Package plugin is the side of the data source that Grafana sees.
//
// settings (what provisioning says) -> identity (who asks) -> query, health, resources, tail -> frames (rows as Grafana
// wants them)
package plugin

import (
	"context"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/backend/instancemgmt"

	"henge-datasource/pkg/henge"
)

// Datasource is one configured data source; Grafana makes a new one when its settings change.
type Datasource struct {
	client   *henge.Client
	settings settings
	tails    tailRegistry
	now      func() time.Time
	// How long a stream waits between two steps.
	tailInterval time.Duration
}

var (
	_ backend.QueryDataHandler      = (*Datasource)(nil)
	_ backend.CheckHealthHandler    = (*Datasource)(nil)
	_ backend.CallResourceHandler   = (*Datasource)(nil)
	_ backend.StreamHandler         = (*Datasource)(nil)
	_ instancemgmt.InstanceDisposer = (*Datasource)(nil)
)

// New makes the data source of these settings; an error says which of them to change.
func New(ctx context.Context, instance backend.DataSourceInstanceSettings) (instancemgmt.Instance, error) {
	parsed, err := parseSettings(instance)
	if err != nil {
		return nil, backend.DownstreamError(err)
	}
	client, err := newClient(ctx, instance)
	if err != nil {
		return nil, backend.DownstreamError(err)
	}
	return &Datasource{
		client:       client,
		settings:     parsed,
		tails:        tailRegistry{requests: map[string]henge.TailRequest{}},
		now:          time.Now,
		tailInterval: tailInterval,
	}, nil
}

// Dispose lets go of the connections.
func (d *Datasource) Dispose() { d.client.Close() }
