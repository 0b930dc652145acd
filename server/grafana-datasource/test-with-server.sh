#!/usr/bin/env bash
# The built plugin against a running Henge: the executable in plugin-host, then the editors in Chromium.
#
#   test-with-server.sh HENGE [host|editors]
#
# HENGE is the server's binary. PLUGIN_HOST names plugin-host.sh, CHROMIUM the browser. Run build.sh first.
set -euo pipefail
henge=$(realpath "$1")
what=${2:-all}
cd "$(dirname "${BASH_SOURCE[0]}")"
. scripts/environment.sh
plugin_host=${PLUGIN_HOST:-../../../shared/grafana/plugin-host.sh}
use_node
install_packages
[[ -x dist/gpx_henge_linux_amd64 ]] || { echo 'run build.sh first' >&2; exit 1; }

work=$(mktemp -d)
demo=
# Ends what was started here, by its pid.
finish() {
  "$plugin_host" stop "$work/host" || true
  [[ -z $demo ]] || { kill -INT "$demo" 2>/dev/null && wait "$demo" || true; }
  rm -rf "$work"
}
trap finish EXIT

free_port() { node --eval 'const s=require("net").createServer().listen(0,"127.0.0.1",()=>{console.log(s.address().port);s.close()})'; }

export HENGE_URL
HENGE_URL=http://127.0.0.1:$(free_port)
"$henge" demo --data-dir "$work/data" --listen "${HENGE_URL#http://}" </dev/null >"$work/demo.log" 2>&1 &
demo=$!

mkdir -p "$work/plugins" "$work/provisioning/datasources"
ln -s "$PWD/dist" "$work/plugins/henge-datasource"
# The second has a key that nobody made, the third a server that is not there.
cat >"$work/provisioning/datasources/henge.yaml" <<YAML
apiVersion: 1
datasources:
  - {name: Henge, uid: henge, type: henge-datasource, access: proxy, url: \$HENGE_URL, jsonData: {defaultDatasource: fleet, timeout: 30}}
  - {name: Missing, uid: missing, type: henge-datasource, access: proxy, url: \$HENGE_URL, jsonData: {defaultDatasource: nothing}}
  - {name: Nobody, uid: nobody, type: henge-datasource, access: proxy, url: "http://127.0.0.1:1"}
  - {name: Keyless, uid: keyless, type: henge-datasource, access: proxy, url: \$HENGE_URL, jsonData: {authentication: bearer}, secureJsonData: {key: half}}
YAML
port=$(free_port)
"$plugin_host" start "$work/host" "$port" "$work/plugins" "$work/provisioning"
export HENGE_PLUGIN_HOST=http://127.0.0.1:$port

# Events have to be there before anything is asked.
node host/await-events.mjs || { tail -20 "$work/demo.log" >&2; exit 1; }
[[ $what == editors ]] || node --test host/host.test.mjs
[[ $what == host ]] || node --test editors/editors.test.mjs
