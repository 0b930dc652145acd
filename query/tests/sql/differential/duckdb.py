"""Asks DuckDB what the engine is asked.

Standard input: a JSON line [sql, ..] with the statements that make tables, then any number of lines [sql, ..] of queries.
Standard output: one JSON line a query, either {"rows": [[cell, ..], ..]} with cells as canonical.rs writes them, or
{"error": text}. All queries of a line are read before the first of them is answered.
"""

import datetime
import decimal
import json
import math
import struct
import sys

import duckdb

EPOCH = datetime.datetime(1970, 1, 1)


def cell(value):
    if value is None:
        return "null"
    if isinstance(value, bool):
        return f"b:{str(value).lower()}"
    if isinstance(value, int):
        return f"i:{value}"
    if isinstance(value, float):
        return "f:" + ("7ff8000000000000" if math.isnan(value) else struct.pack(">d", value).hex())
    if isinstance(value, str):
        return f"s:{value}"
    if isinstance(value, datetime.datetime):
        return f"t:{(value - EPOCH) // datetime.timedelta(milliseconds=1)}"
    if isinstance(value, datetime.date):
        return f"d:{(value - EPOCH.date()).days}"
    if isinstance(value, decimal.Decimal):
        return f"n:{value}"
    raise TypeError(f"{type(value)} in an answer")


def answer(connection, sql):
    try:
        rows = connection.execute(sql).fetchall()
        return {"rows": [[cell(value) for value in row] for row in rows]}
    except duckdb.Error as error:
        return {"error": str(error)}


def main():
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    # What `nulls_min` is in Henge.
    connection.execute("SET default_null_order = 'NULLS_FIRST_ON_ASC_LAST_ON_DESC'")
    connection.execute("CREATE MACRO regexp_like(text, pattern) AS regexp_matches(text, pattern)")
    # In units of UTF-16: characters outside of the basic plane are two.
    astral = r"regexp_replace(text, '[\x{0}-\x{FFFF}]', '', 'g')"
    connection.execute(f"CREATE MACRO utf16_length(text) AS length(text) + length({astral})")
    for statement in json.loads(sys.stdin.readline()):
        connection.execute(statement)
    for line in sys.stdin:
        for sql in json.loads(line):
            print(json.dumps(answer(connection, sql)))
        sys.stdout.flush()


main()
