"""Asks a server as pydruid's users do: by its DB-API, and by SQLAlchemy, which is how Superset asks. Reads the server's
address from stdin. Whatever differs from what is expected ends it with a message."""

import sys

from pydruid.db import connect, exceptions
from sqlalchemy import MetaData, Table, create_engine, func, inspect, select, text

host, port = sys.stdin.read().strip().rsplit(":", 1)


def check(what, found, expected):
    if found != expected:
        sys.exit(f"{what}: found {found!r}, expected {expected!r}")


def fails(what, ask, *parts):
    try:
        ask()
    except exceptions.ProgrammingError as error:
        missing = [part for part in parts if part not in str(error)]
        check(what, (str(error), missing), (str(error), []))
    else:
        sys.exit(f"{what}: it did not fail")


def db_api():
    connection = connect(host=host, port=int(port), path="/druid/v2/sql/", scheme="http", context={"timeout": 30000})
    cursor = connection.cursor()
    check("SELECT 1", [tuple(row) for row in cursor.execute("SELECT 1 AS one")], [(1,)])

    cursor.execute("SELECT org, shard, SUM(events) AS events, MAX(load) AS load FROM usage GROUP BY 1, 2 ORDER BY 1 NULLS FIRST")
    check("column names", [column[0] for column in cursor.description], ["org", "shard", "events", "load"])
    rows = [tuple(row) for row in cursor.fetchall()]
    check("values", rows, [(None, None, 1, None), ("", -3, 1, None), ('eu, "west"', -3, 2, 2.25)])

    by_org = "SELECT SUM(events) AS events FROM usage WHERE org = %(org)s AND shard = %(shard)s"
    check("parameters", cursor.execute(by_org, {"org": 'eu, "west"', "shard": -3}).fetchone().events, 2)
    check("hostile parameters", cursor.execute(by_org, {"org": "x' OR '1' = '1", "shard": -3}).fetchone().events, None)
    check("no rows", cursor.execute("SELECT org FROM usage WHERE 1 = 2").fetchall(), [])
    check("times", cursor.execute("SELECT MIN(__time) AS t FROM usage").fetchone().t, "1970-01-01T00:00:00.000Z")
    floored = "SELECT TIME_FLOOR(CAST(__time AS TIMESTAMP), 'PT1H') AS t, SUM(events) AS n FROM usage GROUP BY 1 ORDER BY 1"
    rows = [tuple(row) for row in cursor.execute(floored)]
    check("hours", rows, [("1970-01-01T00:00:00.000Z", 3), ("1970-01-01T01:00:00.000Z", 1)])

    many = "SELECT x.org AS org, ROW_NUMBER() OVER (ORDER BY x.org) AS n FROM (%s) AS x ORDER BY n"
    union = " UNION ALL ".join(["SELECT COALESCE(org, 'none') AS org FROM usage"] * 50)
    found = [row.n for row in cursor.execute(many % union)]
    check("a longer answer", found, list(range(1, len(found) + 1)))
    check("its length", len(found) >= 150, True)

    with_header = connect(host=host, port=int(port), path="/druid/v2/sql/", header=True).cursor()
    with_header.execute("SELECT org FROM usage WHERE 1 = 2")
    check("names without rows", [column[0] for column in with_header.description], ["org"])

    fails("a wrong column", lambda: cursor.execute("SELECT ogr FROM usage"), "INVALID_INPUT", "did you mean 'org'?")
    fails("no SQL", lambda: cursor.execute("SELEC 1"), "druidException", "Expected: SELECT")
    fails("no such table", lambda: cursor.execute("SELECT 1 FROM nowhere"), "Object 'nowhere' not found")
    fails("a change", lambda: cursor.execute("DROP TABLE usage"), "UNSUPPORTED", "only SELECT")
    connection.close()


def sqlalchemy():
    engine = create_engine(f"druid://{host}:{port}/druid/v2/sql/")
    inspector = inspect(engine)
    check("schemas", inspector.get_schema_names(), ["druid", "sys"])
    check("tables", inspector.get_table_names(schema="druid"), ["usage"])
    check("a table", (inspector.has_table("usage"), inspector.has_table("nowhere")), (True, False))
    columns = [
        (column["name"], column["type"].__class__.__name__ if not isinstance(column["type"], type) else column["type"].__name__,
         column["nullable"], column["default"])
        for column in inspector.get_columns("usage", schema="druid")
    ]
    expected = [
        ("__time", "TIMESTAMP", False, None),
        ("org", "String", True, None),
        ("shard", "BigInteger", True, None),
        ("events", "BigInteger", True, None),
        ("load", "Float", True, None),
    ]
    check("columns", columns, expected)

    with engine.connect() as connection:
        check("a ping", engine.dialect.do_ping(connection.connection), True)
        usage = Table("usage", MetaData(), autoload_with=engine)
        events = func.sum(usage.c.events).label("events")
        query = select(usage.c.org, events).where(usage.c.shard == -3).group_by(usage.c.org).order_by(events.desc()).limit(5)
        check("an expression", [tuple(row) for row in connection.execute(query)], [('eu, "west"', 2), ("", 1)])
        named = text("SELECT COUNT(*) AS n FROM sys.segments WHERE datasource = :name AND is_published = 1")
        check("segments", connection.execute(named, {"name": "usage"}).fetchone().n, 2)
        week = (
            "SELECT TIME_SHIFT(TIME_FLOOR(TIME_SHIFT(CAST(__time AS TIMESTAMP), 'P1D', 1), 'P1W'), 'P1D', -1) AS w, "
            "COUNT(*) AS n FROM druid.usage WHERE __time >= TIME_PARSE('1970-01-01T00:00:00') GROUP BY 1"
        )
        check("weeks from Sunday", [tuple(row) for row in connection.execute(text(week))], [("1969-12-28T00:00:00.000Z", 3)])


db_api()
sqlalchemy()
print("pydruid found what it expected")
