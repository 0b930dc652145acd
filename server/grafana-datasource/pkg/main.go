// Command gpx_henge is the backend of the Grafana data source for Henge.
//
// Grafana starts it and speaks gRPC with it: plugin (settings, queries, health, resources, streams) -> henge (one
// request of Henge's HTTP API, and its answer).
package main

import (
	"os"

	"github.com/grafana/grafana-plugin-sdk-go/backend/datasource"
	"github.com/grafana/grafana-plugin-sdk-go/backend/log"

	"henge-datasource/pkg/plugin"
)

func main() {
	if err := datasource.Manage("henge-datasource", plugin.New, datasource.ManageOpts{}); err != nil {
		log.DefaultLogger.Error("the plugin ended", "error", err)
		os.Exit(1)
	}
}
