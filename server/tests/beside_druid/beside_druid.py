"""Asks a Henge and a real Druid the same statements over the same rows, and says where they differ.

    beside_druid.py load    [--henge URL] [--druid URL] [--coordinator URL] [--files DIR]
    beside_druid.py compare [--henge URL] [--druid URL] [--show-unreviewed]

`load` copies the datasource `events` from Henge into Druid, row by row; `compare` fails on every difference that is
not in differences.toml, and on every entry there that no longer differs in that way. README.md says how to get both.
"""

import argparse
import json
import math
import sys
import tempfile
import time
import tomllib
import urllib.error
import urllib.request
from pathlib import Path

HERE = Path(__file__).parent
TABLE = "events"
DRUID_TYPES = {"VARCHAR": "string", "BIGINT": "long", "DOUBLE": "double"}
# Sums of the same doubles differ in their last digits by the order of the rows.
RELATIVE = 1e-9
# Of an outcome, as differences.toml keeps it.
OUTCOME_CHARACTERS = 240
CALL_SECONDS = 120
LOADING_SECONDS = 600
# Druid's own choice; in a statement's words it would not be seen.
CONTEXT = {"useCache": False, "populateCache": False}


def call(url, body=None):
    """Status and body as text."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, headers={"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=CALL_SECONDS) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def ask(url, request):
    return call(f"{url}/druid/v2/sql", request)


def statements():
    """`(family, statement, what else the request has)` of each line of statements.sql."""
    family, extra = None, {}
    for line in (HERE / "statements.sql").read_text().splitlines():
        if line.startswith("-- # "):
            family = line.removeprefix("-- # ")
        elif line.startswith("--@ "):
            extra = json.loads(line.removeprefix("--@ "))
        elif line and not line.startswith("--"):
            yield family, line, extra
            extra = {}


def outcome(url, statement, extra):
    """What a client sees: the category of an error, the rows, or the text of formats that are lines."""
    request = {"query": statement, "resultFormat": "array", "header": True, **extra}
    request["context"] = {**CONTEXT, **extra.get("context", {})}
    status, text = ask(url, request)
    if status != 200:
        try:
            category = json.loads(text).get("category")
        except ValueError:
            category = text[:80]
        return {"status": status, "category": category}
    if request["resultFormat"] not in ("array", "object"):
        return {"text": text}
    rows = json.loads(text)
    heads = sum(map(bool, (request.get("header"), request.get("typesHeader"), request.get("sqlTypesHeader"))))
    heads = min(heads, 1) if request["resultFormat"] == "object" else heads
    if "ORDER BY" not in statement.rsplit(")", 1)[-1]:
        rows[heads:] = sorted(rows[heads:], key=json.dumps)
    return {"rows": rows}


def alike(left, right):
    if isinstance(left, float) and isinstance(right, float):
        return math.isclose(left, right, rel_tol=RELATIVE, abs_tol=RELATIVE)
    if type(left) is not type(right):
        return False
    if isinstance(left, list):
        return len(left) == len(right) and all(map(alike, left, right))
    if isinstance(left, dict):
        return list(left) == list(right) and all(alike(left[key], right[key]) for key in left)
    return left == right


def short(found):
    return json.dumps(found, ensure_ascii=False)[:OUTCOME_CHARACTERS]


def reviewed():
    entries = tomllib.loads((HERE / "differences.toml").read_text()).get("difference", [])
    return {(entry["statement"], json.dumps(entry.get("request", {}))): entry for entry in entries}


def compare(arguments):
    expected, seen, failed, equal, total = reviewed(), set(), 0, 0, 0
    for family, statement, extra in statements():
        total += 1
        henge, druid = (outcome(url, statement, extra) for url in (arguments.henge, arguments.druid))
        if alike(henge, druid):
            equal += 1
            continue
        key = statement, json.dumps(extra)
        entry = expected.get(key)
        if entry and (entry["henge"], entry["druid"]) == (short(henge), short(druid)):
            seen.add(key)
            continue
        failed += 1
        if arguments.show_unreviewed:
            print_entry(statement, extra, henge, druid)
        else:
            print(f"{family}: {statement}\n  henge {short(henge)}\n  druid {short(druid)}")
    stale = set(expected) - seen
    for statement, _ in sorted(stale):
        print(f"reviewed, but not found like that: {statement}")
    print(f"# {total} statements, {equal} equal, {len(seen)} differ as reviewed, {failed} differ otherwise")
    return failed + len(stale) == 0


def print_entry(statement, extra, henge, druid):
    """As differences.toml wants it, but for the reason."""
    print("[[difference]]")
    print(f"statement = '''{statement}'''")
    if extra:
        pairs = ", ".join(f"{json.dumps(key)} = {inline(value)}" for key, value in extra.items())
        print(f"request = {{ {pairs} }}")
    print(f"henge = '''{short(henge)}'''\ndruid = '''{short(druid)}'''\nreason = ''\n")


def inline(value):
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(key)} = {inline(part)}" for key, part in value.items()) + " }"
    return json.dumps(value)


def load(arguments):
    request = {"query": f"SELECT * FROM {TABLE}", "resultFormat": "array", "header": True, "sqlTypesHeader": True}
    status, text = ask(arguments.henge, request)
    if status != 200:
        sys.exit(f"Henge cannot be read: {text}")
    names, types, *rows = json.loads(text)
    with tempfile.TemporaryDirectory(dir=arguments.files) as files:
        with open(Path(files) / "rows.ndjson", "w") as file:
            file.writelines(json.dumps(dict(zip(names, row))) + "\n" for row in rows)
        Path(files).chmod(0o755)
        run_task(arguments, task(list(zip(names, types)), files))
    wait_for_rows(arguments, len(rows))


def task(columns, files):
    dimensions = [{"type": DRUID_TYPES[kind], "name": name} for name, kind in columns if name != "__time"]
    schema = {
        "dataSource": TABLE,
        "timestampSpec": {"column": "__time", "format": "iso"},
        "dimensionsSpec": {"dimensions": dimensions},
        "granularitySpec": {"segmentGranularity": "DAY", "queryGranularity": "NONE", "rollup": False},
    }
    source = {
        "type": "index_parallel",
        "inputSource": {"type": "local", "baseDir": files, "filter": "*.ndjson"},
        "inputFormat": {"type": "json"},
    }
    return {"type": "index_parallel", "spec": {"dataSchema": schema, "ioConfig": source}}


def run_task(arguments, spec):
    status, text = call(f"{arguments.coordinator}/druid/indexer/v1/task", spec)
    if status != 200:
        sys.exit(f"Druid refused the task: {text}")
    name = json.loads(text)["task"]
    for _ in range(LOADING_SECONDS):
        _, text = call(f"{arguments.coordinator}/druid/indexer/v1/task/{name}/status")
        state = json.loads(text)["status"]
        if state["statusCode"] == "SUCCESS":
            return
        if state["statusCode"] == "FAILED":
            sys.exit(f"Druid's task failed: {state.get('errorMsg')}")
        time.sleep(1)
    sys.exit("Druid's task does not end")


def wait_for_rows(arguments, rows):
    for _ in range(LOADING_SECONDS):
        status, text = ask(arguments.druid, {"query": f"SELECT COUNT(*) AS n FROM {TABLE}", "context": CONTEXT})
        if status == 200 and json.loads(text) == [{"n": rows}]:
            print(f"Druid serves {rows} rows")
            return
        time.sleep(1)
    sys.exit(f"Druid does not serve {rows} rows: {text}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["load", "compare"])
    parser.add_argument("--henge", default="http://127.0.0.1:8888")
    parser.add_argument("--druid", default="http://127.0.0.1:8082", help="its broker")
    parser.add_argument("--coordinator", default="http://127.0.0.1:8081", help="with the overlord")
    parser.add_argument("--files", help="where rows lie on their way, for Druid to read")
    parser.add_argument("--show-unreviewed", action="store_true", help="as entries of differences.toml, without reasons")
    arguments = parser.parse_args()
    if arguments.command == "load":
        load(arguments)
    elif not compare(arguments):
        sys.exit(1)


if __name__ == "__main__":
    main()
