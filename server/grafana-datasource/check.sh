#!/usr/bin/env bash
# What every change to the plugin has to pass, without a server: types, tests of frontend and backend, size of the bundle.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
. scripts/environment.sh

step() {
  local started=$SECONDS
  "$@"
  printf '<== plugin: %s: %d s\n' "$*" $((SECONDS - started))
}

step use_node
step install_packages
step tsc
step jest
step node scripts/bundle.mjs
[[ -z $(gofmt -l pkg) ]] || { gofmt -d pkg; exit 1; }
step go vet ./...
step go test ./...
