"""Checks a packed plugin by those rules of Grafana's plugin validator that need no network. Prints each that is broken.

inspect_zip.py ZIP VERSION
"""

import json
import re
import sys
import zipfile

path, version = sys.argv[1:]
problems = []


def expect(holds, problem):
    if not holds:
        problems.append(problem)


with zipfile.ZipFile(path) as packed:
    entries = {entry.filename: entry for entry in packed.infolist()}
    roots = {name.split("/")[0] for name in entries}
    expect(roots == {"henge-datasource"}, f"one folder named after the plugin, not {sorted(roots)}")
    files = {name.split("/", 1)[1]: entry for name, entry in entries.items()}
    for wanted in ("plugin.json", "module.js", "README.md", "CHANGELOG.md", "LICENSE", "img/logo.svg"):
        expect(wanted in files and files[wanted].file_size > 0, f"{wanted} is missing or empty")
    for executable in ("gpx_henge_linux_amd64", "gpx_henge_linux_arm64"):
        expect(executable in files, f"{executable} is missing")
        expect(executable in files and files[executable].external_attr >> 16 & 0o111, f"{executable} is not executable")
    known = r"plugin\.json|module\.js|[A-Z]+(\.md)?|img/[\w-]+\.(svg|png)|gpx_henge_\w+"
    for name in files:
        expect(re.fullmatch(known, name), f"{name} does not belong into a plugin")
    plugin = json.loads(packed.read("henge-datasource/plugin.json"))
    module = packed.read("henge-datasource/module.js").decode()
    readme = packed.read("henge-datasource/README.md").decode()

expect(plugin["id"] == "henge-datasource", f"id {plugin['id']}")
expect(plugin["info"]["version"] == version, f"version {plugin['info']['version']}, the workspace has {version}")
expect(re.fullmatch(r"\d{4}-\d\d-\d\d", plugin["info"]["updated"]), f"date {plugin['info']['updated']}")
expect(all(logo in files for logo in plugin["info"]["logos"].values()), "a logo is missing")
expect(module.startswith("define(["), "module.js is no AMD module")
# Two Reacts on a page break hooks; the runtime of JSX is not there in every Grafana.
expect("react.production" not in module and "react/jsx-runtime" not in module, "module.js has React or its JSX runtime inside")
expect("sourceMappingURL" not in module, "module.js names a source map that is not there")
expect("```" in readme or len(readme) > 1000, "README.md says too little")

for problem in problems:
    print(f"inspect_zip: {problem}", file=sys.stderr)
sys.exit(1 if problems else 0)
