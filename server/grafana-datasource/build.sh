#!/usr/bin/env bash
# Builds the plugin: dist/ (a folder that Grafana loads) and release/henge-datasource-VERSION.zip with its checksum.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
. scripts/environment.sh

use_node
install_packages
rm -rf dist release
tsc
node scripts/bundle.mjs

version=$(node --print 'require("./package.json").version')
for architecture in amd64 arm64; do
  # Static, without paths of this machine; Grafana asks the SDK for the version.
  CGO_ENABLED=0 GOOS=linux GOARCH=$architecture go build -trimpath -buildvcs=false \
    -ldflags "-s -w -X 'github.com/grafana/grafana-plugin-sdk-go/build/buildinfo.buildInfoJSON={\"pluginID\":\"henge-datasource\",\"version\":\"$version\"}'" \
    -o "dist/gpx_henge_linux_$architecture" ./pkg
done

mkdir release
zip=release/henge-datasource-$version.zip
python3 scripts/pack.py dist henge-datasource "$zip"
python3 scripts/inspect_zip.py "$zip" "$version"
(cd release && sha256sum "${zip##*/}" >"${zip##*/}.sha256")
ls -l dist/gpx_henge_* "$zip"
