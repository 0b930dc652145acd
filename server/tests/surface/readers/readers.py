"""Opens segments with DuckDB and pyarrow and compares every value with what Henge answered and what was appended.

stdin: {"url", "tables": {name: {"files", "segments", "rows"}}, "questions": [{"sql", "answer"}]}
  url        where Henge answers, for the same answers as Arrow streams
  segments   what the manifest says of each file
  rows       the values in the order of the columns, where each event is a row; else null
  answer     Henge's rows as JSON objects, one a line
Ends with 0 and a line that says how much was compared, or with 1 and the first difference.
"""

import collections
import json
import sys
import urllib.request

import duckdb
import pyarrow
import pyarrow.ipc
import pyarrow.parquet

def exact(value):
    """Something that is equal only for equal values: 0.0 is not -0.0, 1 is not 1.0, true is not 1."""
    return (type(value).__name__, value.hex() if isinstance(value, float) else value)


def bag(rows):
    return collections.Counter(tuple(exact(value) for value in row) for row in rows)


def compare(what, found, expected):
    missing, surplus = bag(expected) - bag(found), bag(found) - bag(expected)
    if missing or surplus:
        show = lambda difference: list(difference.items())[:3]
        sys.exit(f"{what}\n  lacks {show(missing)}\n  has instead {show(surplus)}")


def check_file(file, segment, is_sorted_by):
    """Types, provenance and order of one file, by pyarrow alone."""
    metadata = pyarrow.parquet.read_metadata(file)
    provenance = json.loads(metadata.metadata[b"henge.segment"])
    for key in ["id", "rows", "events"]:
        if provenance[key] != segment[key]:
            sys.exit(f"{file}: its provenance says {key} = {provenance[key]}, the manifest {segment[key]}")
    if metadata.num_rows != segment["rows"]:
        sys.exit(f"{file}: {metadata.num_rows} rows, the manifest says {segment['rows']}")
    if provenance["consumed"] != segment["consumed"]:
        sys.exit(f"{file}: its provenance consumed {provenance['consumed']}, not {segment['consumed']}")
    table = pyarrow.parquet.read_table(file)
    types = {"string": {"string", "large_string"}, "long": {"int64"}, "double": {"double"}, "boolean": {"bool"}}
    declared = {dimension["name"]: types[dimension["type"]] for dimension in provenance["schema"]["dimensions"]}
    declared["__time"] = {"timestamp[ms, tz=UTC]"}
    for name, wanted in declared.items():
        if str(table.schema.field(name).type) not in wanted:
            sys.exit(f"{file}: {name} is {table.schema.field(name).type}, not one of {wanted}")
    key = lambda value: (value is not None, value.encode() if isinstance(value, str) else value)
    rows = list(zip(*[map(key, column_values(table, name)) for name in is_sorted_by]))
    if any(before > after for before, after in zip(rows, rows[1:])):
        sys.exit(f"{file}: its rows are not sorted by {is_sorted_by}")
    return table


def column_values(table, name):
    column = table.column(name)
    if name == "__time":
        column = column.cast("int64")
    return column.to_pylist()


def arrow_answer(url, sql):
    """What Henge answers as an Arrow stream."""
    headers = {"Accept": "application/vnd.apache.arrow.stream", "Content-Type": "text/plain"}
    with urllib.request.urlopen(urllib.request.Request(f"{url}/druid/v2/sql", sql.encode(), headers)) as response:
        return pyarrow.ipc.open_stream(response).read_all()


def main():
    request = json.load(sys.stdin)
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("CREATE MACRO TIMESTAMP_TO_MILLIS(t) AS epoch_ms(t)")
    compared = 0
    for name, table in request["tables"].items():
        columns = table["columns"]
        arrow = [check_file(*pair, table["sort"]) for pair in zip(table["files"], table["segments"])]
        rows = [row for part in arrow for row in zip(*[column_values(part, column) for column in columns])]
        connection.execute(f"CREATE VIEW {name} AS SELECT * FROM read_parquet({table['files']}, union_by_name = true)")
        quoted = ", ".join(f'"{column}"' for column in columns).replace('"__time"', "epoch_ms(__time)")
        duck = connection.execute(f"SELECT {quoted} FROM {name}").fetchall()
        compare(f"{name}: DuckDB's rows against pyarrow's", duck, rows)
        if table["rows"] is not None:
            compare(f"{name}: pyarrow's rows against what was appended", rows, table["rows"])
        compared += len(rows)
    for question in request["questions"]:
        answer = [list(json.loads(line).values()) for line in question["answer"].splitlines()]
        duck = connection.execute(question["sql"]).fetchall()
        compare(f"{question['sql']}: Henge's answer against DuckDB's", answer, duck)
        if not duck:
            sys.exit(f"{question['sql']}: an empty answer compares nothing")
        arrow = arrow_answer(request["url"], question["sql"])
        rows = list(zip(*[column.to_pylist() for column in arrow.columns]))
        compare(f"{question['sql']}: Henge's Arrow stream against its JSON", rows, answer)
        compared += len(duck)
    types = [str(kind) for kind in arrow_answer(request["url"], 'SELECT __time, "text", "size", "ratio" FROM plain').schema.types]
    if types != ["timestamp[ms, tz=UTC]", "string", "int64", "double"]:
        sys.exit(f"an Arrow stream has the types {types}")
    print(f"DuckDB {duckdb.__version__} and pyarrow {pyarrow.__version__}: {compared} rows are equal")


main()
