"""Lets a real Superset ask a Henge, by `druid://`, and compares what its charts show with the same SQL asked by hand.

    superset_charts.py [--henge HOST:PORT] [--table NAME] [--time COLUMN] [--key COLUMN] [--measure COLUMN]
                       [--work DIR] [--port PORT]

Everything goes through Superset's REST API: the database and a dataset of a table and one of a query are made, then a
chart for each time grain and for each filter. README.md says how to get a Henge with rows that stay as they are.
"""

import argparse
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

HERE = Path(__file__).parent
USER, PASSWORD = "admin", "admin"
START_SECONDS = 180
CALL_SECONDS = 120
RELATIVE = 1e-9

CONFIG = """
SECRET_KEY = "only for this test, on this machine"
SQLALCHEMY_DATABASE_URI = "sqlite:///{directory}/superset.db?check_same_thread=false"
WTF_CSRF_ENABLED = False
TALISMAN_ENABLED = False
RATELIMIT_ENABLED = False
PREVENT_UNSAFE_DB_CONNECTIONS = False
"""

# What Superset offers, and the same said by hand.
GRAINS = {
    "PT1S": "TIME_FLOOR({t}, 'PT1S')",
    "PT5S": "TIME_FLOOR({t}, 'PT5S')",
    "PT30S": "TIME_FLOOR({t}, 'PT30S')",
    "PT1M": "FLOOR({t} TO MINUTE)",
    "PT5M": "TIME_FLOOR({t}, 'PT5M')",
    "PT10M": "TIME_FLOOR({t}, 'PT10M')",
    "PT15M": "TIME_FLOOR({t}, 'PT15M')",
    "PT30M": "TIME_FLOOR({t}, 'PT30M')",
    "PT1H": "FLOOR({t} TO HOUR)",
    "PT6H": "TIME_FLOOR({t}, 'PT6H')",
    "P1D": "FLOOR({t} TO DAY)",
    "P1W": "FLOOR({t} TO WEEK)",
    "P1M": "FLOOR({t} TO MONTH)",
    "P3M": "FLOOR({t} TO QUARTER)",
    "P1Y": "FLOOR({t} TO YEAR)",
    "P1W/1970-01-03T00:00:00Z": "FLOOR(({t} + INTERVAL '1' DAY) TO WEEK) + INTERVAL '5' DAY",
    "1969-12-28T00:00:00Z/P1W": "FLOOR(({t} + INTERVAL '1' DAY) TO WEEK) - INTERVAL '1' DAY",
}

# Superset's filter, and the condition that it stands for; `{k}` is the key, `{v}` one of its values, `{m}` the measure.
FILTERS = [
    ("equal", [{"col": "{k}", "op": "==", "val": "{v}"}], "{k} = '{v}'"),
    ("not equal", [{"col": "{k}", "op": "!=", "val": "{v}"}], "{k} <> '{v}'"),
    ("in", [{"col": "{k}", "op": "IN", "val": ["{v}", "none of them"]}], "{k} IN ('{v}', 'none of them')"),
    ("not in", [{"col": "{k}", "op": "NOT IN", "val": ["{v}", "x"]}], "{k} NOT IN ('{v}', 'x')"),
    ("like", [{"col": "{k}", "op": "LIKE", "val": "%a%"}], "{k} LIKE '%a%'"),
    ("ilike", [{"col": "{k}", "op": "ILIKE", "val": "%A%"}], "LOWER({k}) LIKE '%a%'"),
    ("null", [{"col": "{k}", "op": "IS NULL"}], "{k} IS NULL"),
    ("not null", [{"col": "{k}", "op": "IS NOT NULL"}], "{k} IS NOT NULL"),
    ("greater", [{"col": "{m}", "op": ">", "val": 1}], "{m} > 1"),
    ("at most", [{"col": "{m}", "op": "<=", "val": 1}], "{m} <= 1"),
]


class Failed(Exception):
    pass


def call(url, body=None, token=None, method=None):
    headers = {} if body is None else {"Content-Type": "application/json"}
    headers |= {"Authorization": f"Bearer {token}"} if token else {}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, headers=headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=CALL_SECONDS) as response:
            return json.loads(response.read())
    except urllib.error.HTTPError as error:
        raise Failed(f"{url}: {error.code}: {error.read().decode()[:1500]}") from error


class Superset:
    """A Superset of its own in a directory, without anything from the last run but its packages."""

    def __init__(self, work, port):
        self.url, self.port, self.bin = f"http://127.0.0.1:{port}", port, work / "env" / "bin"
        self.home = work / "home"
        if not (self.bin / "superset").exists():
            subprocess.run([sys.executable, "-m", "venv", work / "env"], check=True)
            subprocess.run([self.bin / "pip", "install", "-q", "-r", HERE / "requirements.txt"], check=True)
        self.home.mkdir(parents=True, exist_ok=True)
        (self.home / "superset.db").unlink(missing_ok=True)
        (self.home / "superset_config.py").write_text(CONFIG.format(directory=self.home))
        self.environment = os.environ | {
            "SUPERSET_HOME": str(self.home), "SUPERSET_CONFIG_PATH": str(self.home / "superset_config.py"),
            "FLASK_APP": "superset.app:create_app()",
        }
        self.run("db", "upgrade")
        self.run("fab", "create-admin", "--username", USER, "--password", PASSWORD,
                 "--firstname", "a", "--lastname", "b", "--email", "a@example.org")
        self.run("init")

    def run(self, *arguments):
        log = (self.home / "setup.log").open("ab")
        command = [self.bin / "superset", *arguments]
        if subprocess.run(command, env=self.environment, stdout=log, stderr=log, check=False).returncode:
            raise Failed(f"superset {' '.join(arguments)} failed: see {self.home}/setup.log")

    def __enter__(self):
        log = (self.home / "server.log").open("wb")
        command = [self.bin / "superset", "run", "-h", "127.0.0.1", "-p", str(self.port), "--with-threads"]
        self.process = subprocess.Popen(command, env=self.environment, stdout=log, stderr=log)
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                urllib.request.urlopen(f"{self.url}/health", timeout=5).read()
                break
            except OSError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    raise Failed(f"Superset does not start: see {self.home}/server.log") from None
                time.sleep(0.5)
        login = {"username": USER, "password": PASSWORD, "provider": "db", "refresh": True}
        self.token = call(f"{self.url}/api/v1/security/login", login)["access_token"]
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def version(self):
        told = subprocess.run([self.bin / "pip", "show", "apache-superset"], capture_output=True, text=True, check=True)
        return next(line.split()[1] for line in told.stdout.splitlines() if line.startswith("Version:"))

    def post(self, path, body):
        return call(f"{self.url}/api/v1/{path}", body, self.token)

    def get(self, path):
        return call(f"{self.url}/api/v1/{path}", None, self.token)

    def chart(self, name, dataset, query):
        """The rows of a chart that is made, kept, and asked for its data."""
        source = {"id": dataset, "type": "table"}
        context = {"datasource": source, "force": True, "queries": [query], "result_format": "json", "result_type": "full",
                   "form_data": {"datasource": f"{dataset}__table", "viz_type": "table"}}
        made = self.post("chart/", {
            "slice_name": name, "viz_type": "table", "datasource_id": dataset, "datasource_type": "table",
            "params": json.dumps(context["form_data"]), "query_context": json.dumps(context),
        })
        result = self.get(f"chart/{made['id']}/data/?force=true")["result"][0]
        if result.get("error"):
            raise Failed(f"{name}: {result['error']}\n{result['query']}")
        return result["data"], result["query"]


def ask(henge, sql):
    return call(f"http://{henge}/druid/v2/sql", {"query": sql, "resultFormat": "object"})


def millis(value):
    """Of a time as either side writes it."""
    from datetime import datetime, timezone

    if isinstance(value, str):
        text = value.replace("Z", "+00:00")
        told = datetime.fromisoformat(text)
        return int((told if told.tzinfo else told.replace(tzinfo=timezone.utc)).timestamp() * 1000)
    return value


def equal(one, other):
    if isinstance(one, (int, float)) and isinstance(other, (int, float)):
        return abs(one - other) <= RELATIVE * max(abs(one), abs(other))
    return one == other


def plain(value):
    """Pandas makes doubles of whole numbers, too."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def compare(name, found, expected, times=()):
    """Fails where two lists of rows differ, whatever their order."""
    def normal(rows):
        rows = [{key: plain(millis(value) if key in times else value) for key, value in row.items()} for row in rows]
        # Means may differ in their last digits.
        return sorted(rows, key=lambda row: json.dumps([[k, v] for k, v in sorted(row.items()) if k != "mean"]))

    found, expected = normal(found), normal(expected)
    alike = len(found) == len(expected) and all(
        one.keys() == other.keys() and all(equal(one[key], other[key]) for key in one)
        for one, other in zip(found, expected)
    )
    if not alike:
        raise Failed(f"{name}: Superset has {len(found)} rows, {found[:3]}; by hand there are {len(expected)}, {expected[:3]}")


def metric(label, sql):
    return {"expressionType": "SQL", "sqlExpression": sql, "label": label}


def grain_query(column, grain, measure):
    axis = {"columnType": "BASE_AXIS", "expressionType": "SQL", "label": column, "sqlExpression": column, "timeGrain": grain}
    metrics = [metric("n", "COUNT(*)"), metric("total", f"SUM({measure})"), metric("mean", f"AVG(CAST({measure} AS DOUBLE))")]
    return {"columns": [axis], "metrics": metrics, "filters": [], "row_limit": 50000, "orderby": [],
            "extras": {"time_grain_sqla": grain, "having": "", "where": ""}}


def charts_of_grains(superset, henge, dataset, relation, column, measure):
    offered = superset.get(f"dataset/{dataset}")["result"].get("time_grain_sqla") or [[grain] for grain in GRAINS]
    unknown = [grain for grain, *_ in offered if grain and grain not in GRAINS]
    if unknown:
        raise Failed(f"Superset offers time grains that are not compared here: {unknown}")
    for grain, floor in GRAINS.items():
        name = f"{relation[:20]} by {grain}"
        rows, _ = superset.chart(name, dataset, grain_query(column, grain, measure))
        expected = ask(henge, f"SELECT {floor.format(t=column)} AS \"{column}\", COUNT(*) AS n, SUM({measure}) AS total, "
                              f"AVG({measure} * 1.0) AS mean FROM {relation} AS t GROUP BY 1 LIMIT 50000")
        compare(name, rows, expected, times=(column,))
    return len(GRAINS)


def filled(value, words):
    if isinstance(value, str):
        for word, said in words.items():
            value = value.replace(f"{{{word}}}", said)
        return value
    if isinstance(value, list):
        return [filled(item, words) for item in value]
    return {key: filled(item, words) for key, item in value.items()} if isinstance(value, dict) else value


def charts_of_filters(superset, henge, dataset, options):
    table, key, measure, column = options.table, options.key, options.measure, options.time
    value = ask(henge, f"SELECT {key} AS k FROM {table} WHERE {key} IS NOT NULL GROUP BY 1 ORDER BY COUNT(*) DESC LIMIT 1")[0]["k"]
    words = {"k": key, "v": value, "m": measure}
    cases = [(name, filled(filters, words), "", filled(where, words)) for name, filters, where in FILTERS]
    start, end = (ask(henge, f"SELECT {bound}({column}) AS t FROM {table}")[0]["t"] for bound in ("MIN", "MAX"))
    time_range = f"{start[:19]} : {end[:19]}"
    within = f"{column} >= TIMESTAMP '{start[:19].replace('T', ' ')}' AND {column} < TIMESTAMP '{end[:19].replace('T', ' ')}'"
    between = [{"col": column, "op": "TEMPORAL_RANGE", "val": time_range}]
    cases.append(("time range", between, "", within))
    cases.append(("free condition", between, f"{key} <> 'x' OR {measure} > 2", f"{within} AND ({key} <> 'x' OR {measure} > 2)"))
    for name, filters, where, said in cases:
        query = {"columns": [key], "metrics": [metric("n", "COUNT(*)"), metric("most", f"MAX({measure})")], "filters": filters,
                 "row_limit": 1000, "orderby": [["n", False]], "extras": {"where": where, "having": ""}}
        rows, _ = superset.chart(name, dataset, query)
        expected = ask(henge, f"SELECT {key}, COUNT(*) AS n, MAX({measure}) AS most FROM {table} WHERE {said} GROUP BY 1")
        compare(name, rows, expected)
    return len(cases)


def dataset_of_table(superset, database, options):
    dataset = superset.post("dataset/", {"database": database, "schema": "druid", "table_name": options.table})["id"]
    columns = superset.get(f"dataset/{dataset}")["result"]["columns"]
    told = {row["COLUMN_NAME"] for row in ask(options.henge, "SELECT COLUMN_NAME FROM INFORMATION_SCHEMA.COLUMNS "
                                                             f"WHERE TABLE_NAME = '{options.table}'")}
    if {column["column_name"] for column in columns} != told:
        raise Failed(f"the dataset has the columns {columns}, the table {told}")
    if not next(column["is_dttm"] for column in columns if column["column_name"] == options.time):
        raise Failed(f"`{options.time}` is no time column of the dataset")
    return dataset


def time_column_of_query(superset, dataset):
    """Says that `t` is a time: pydruid has only texts to tell, and a person ticks a box."""
    columns = superset.get(f"dataset/{dataset}")["result"]["columns"]
    told = [{"id": column["id"], "column_name": column["column_name"], "type": column["type"]} for column in columns]
    for column in told:
        if column["column_name"] == "t":
            column |= {"is_dttm": True, "type": "TIMESTAMP"}
    call(f"{superset.url}/api/v1/dataset/{dataset}", {"columns": told}, superset.token, "PUT")


def judged(superset, options):
    uri = f"druid://{options.henge}/druid/v2/sql/"
    superset.post("database/test_connection/", {"database_name": "henge", "sqlalchemy_uri": uri})
    database = superset.post("database/", {"database_name": "henge", "sqlalchemy_uri": uri, "expose_in_sqllab": True})["id"]
    tables = superset.get(f"database/{database}/tables/?q=(schema_name:druid)")["result"]
    if options.table not in [table["value"] for table in tables]:
        raise Failed(f"Superset sees the tables {tables}")
    dataset = dataset_of_table(superset, database, options)
    count = charts_of_grains(superset, options.henge, dataset, options.table, options.time, options.measure)
    # The same rows scattered over two years before, so that days, weeks and months differ.
    scattered = (f"SELECT TIME_SHIFT({options.time}, 'PT1H', -13 * MOD(CHAR_LENGTH({options.key}) * 89 + "
                 f"TIME_EXTRACT({options.time}, 'SECOND') * 37, 1361)) AS t, {options.measure} FROM {options.table}")
    made = superset.post("dataset/", {"database": database, "schema": "druid", "table_name": "scattered", "sql": scattered})
    time_column_of_query(superset, made["id"])
    count += charts_of_grains(superset, options.henge, made["id"], f"({scattered})", "t", options.measure)
    return count, charts_of_filters(superset, options.henge, dataset, options)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--henge", default="127.0.0.1:8888", help="host and port")
    parser.add_argument("--table", default="fleet")
    parser.add_argument("--time", default="__time")
    parser.add_argument("--key", default="topic", help="a column of texts")
    parser.add_argument("--measure", default="bytes_in", help="a column of numbers")
    parser.add_argument("--work", type=Path, default=HERE.parents[2] / "target" / "superset")
    parser.add_argument("--port", type=int, default=18089, help="Superset's own")
    options = parser.parse_args()
    try:
        with Superset(options.work.resolve(), options.port) as superset:
            grains, filters = judged(superset, options)
            print(f"Superset {superset.version()}: {grains} charts by time and {filters} with filters show what SQL says")
    except Failed as failure:
        sys.exit(f"FAILED: {failure}")


main()
