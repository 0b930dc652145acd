"""Asks a server in PostgreSQL's protocol, as psycopg's and asyncpg's users do. Reads from stdin: the address, a key's id and
its secret. Whatever differs from what is expected ends it with a message."""

import asyncio
import datetime
import decimal
import sys
import threading
import time

import asyncpg
import psycopg
from psycopg.rows import dict_row

address, user, password = sys.stdin.read().split()
host, port = address.rsplit(":", 1)
HOUR = datetime.datetime(1970, 1, 1, 1, tzinfo=datetime.timezone.utc)
LONG = (
    "SELECT COUNT(*) FROM usage a CROSS JOIN usage b CROSS JOIN usage c CROSS JOIN usage d CROSS JOIN usage e "
    "CROSS JOIN usage f CROSS JOIN usage g CROSS JOIN usage h CROSS JOIN usage i CROSS JOIN usage j CROSS JOIN usage k "
    "CROSS JOIN usage l CROSS JOIN usage m CROSS JOIN usage n CROSS JOIN usage o CROSS JOIN usage p CROSS JOIN usage q "
    "CROSS JOIN usage r CROSS JOIN usage s CROSS JOIN usage t WHERE a.shard + b.shard + c.shard + t.shard > 100"
)


def check(what, found, expected):
    if found != expected:
        sys.exit(f"{what}: found {found!r}, expected {expected!r}")


def connect(**more):
    parts = {"host": host, "port": port, "user": user, "password": password, "dbname": "henge", "connect_timeout": 10}
    return psycopg.connect(**{**parts, **more})


def fails(what, ask, state, *parts):
    try:
        ask()
    except psycopg.Error as error:
        missing = [part for part in parts if part not in str(error)]
        check(what, (error.sqlstate, str(error), missing), (state, str(error), []))
        return error
    sys.exit(f"{what}: it did not fail")


def with_psycopg():
    fails("a wrong secret", lambda: connect(password="wrong"), None, "no such key")
    with connect(autocommit=True) as connection:
        check("server", connection.info.server_version, 150000)
        by_org = "SELECT org, shard, SUM(events) AS events, MAX(load) AS load FROM usage GROUP BY 1, 2 ORDER BY 1 NULLS FIRST"
        expected = [(None, None, 1, None), ("", -3, 1, None), ('eu, "west"', -3, 2, 2.25)]
        for binary in (False, True):
            cursor = connection.cursor(binary=binary)
            check("values", cursor.execute(by_org).fetchall(), expected)
            check("a tag", cursor.statusmessage, "SELECT 3")
            check("names", [column.name for column in cursor.description], ["org", "shard", "events", "load"])
            check("types", [column.type_code for column in cursor.description], [25, 20, 20, 701])
            typed = (
                "SELECT TRUE AS a, DATE '2024-02-29' AS b, MAX(__time) AS c, CAST(1.50 AS DECIMAL(10, 2)) AS d, ARRAY['x', 'y'] AS e "
                "FROM usage WHERE __time < '1970-01-01T02:00:00Z'"
            )
            row = cursor.execute(typed).fetchone()
            last = HOUR + datetime.timedelta(minutes=1)
            check("types of values", row, (True, datetime.date(2024, 2, 29), last, decimal.Decimal("1.50"), ["x", "y"]))
            where = "SELECT COUNT(*) FROM usage WHERE org = %s AND shard = %s AND __time >= %s"
            check("parameters", cursor.execute(where, ['eu, "west"', -3, HOUR - datetime.timedelta(hours=1)]).fetchone(), (1,))
            check("hostile", cursor.execute(where, ["x' OR '1'='1", -3, HOUR]).fetchone(), (0,))
            many = cursor.execute("SELECT COUNT(*) FROM usage WHERE org = ANY(%s)", [['eu, "west"', ""]]).fetchone()
            check("any of a list", many, (2,))
        rows = connection.cursor(row_factory=dict_row).execute("SELECT org FROM usage WHERE 1 = 2").fetchall()
        check("no rows", rows, [])
        for _ in range(8):
            # From the sixth time on it is prepared.
            check("prepared", connection.execute("SELECT SUM(events) FROM usage WHERE shard = %s", [-3]).fetchone(), (3,))
        error = fails("a wrong column", lambda: connection.execute("SELECT ogr FROM usage"), "42703", "did you mean 'org'")
        check("its place", error.diag.statement_position, "8")
        fails("no SQL", lambda: connection.execute("SELEC 1"), "42601")
        fails("no such table", lambda: connection.execute("SELECT 1 FROM nowhere"), "42P01")
        fails("a change", lambda: connection.execute("DROP TABLE usage"), "0A000", "only SELECT")
        fails("division", lambda: connection.execute("SELECT 1 / (SELECT COUNT(*) - COUNT(*) FROM usage)"), "22012")
        connection.execute("SET statement_timeout = 50")
        fails("a timeout", lambda: connection.execute(LONG), "57014", "query_timeout")
        connection.execute("RESET statement_timeout")
        cancelled_by_another(connection)
        check("a zone", connection.execute("SHOW TimeZone").fetchone(), ("UTC",))
        connection.execute("SET TimeZone = 'Europe/Berlin'")
        found = connection.execute("SELECT MIN(__time), TIME_FLOOR(MIN(__time), 'P1D') FROM usage").fetchone()
        day = datetime.datetime(1969, 12, 31, 23, tzinfo=datetime.timezone.utc)
        check("times in a zone", found, (datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc), day))
    transactions()


def cancelled_by_another(connection):
    def cancel():
        # Before the query runs there is nothing to cancel.
        while not done.wait(0.05):
            connection.cancel()

    done = threading.Event()
    thread = threading.Thread(target=cancel)
    thread.start()
    try:
        fails("a cancellation", lambda: connection.execute(LONG), "57014", "cancelled")
    finally:
        done.set()
        thread.join()


def transactions():
    with connect() as connection:
        check("a transaction", connection.execute("SELECT 1 AS one").fetchone(), (1,))
        check("is open", connection.info.transaction_status, psycopg.pq.TransactionStatus.INTRANS)
        fails("an error in it", lambda: connection.execute("SELECT nothing"), "42703")
        fails("what comes after", lambda: connection.execute("SELECT 1"), "25P02")
        connection.rollback()
        check("and a new one", connection.execute("SELECT 2 AS two").fetchone(), (2,))


async def with_asyncpg():
    connection = await asyncpg.connect(host=host, port=int(port), user=user, password=password, database="henge")
    by_org = "SELECT org, SUM(events) AS events, MAX(__time) AS newest FROM usage WHERE shard = $1 AND __time < $2 GROUP BY org ORDER BY 2 DESC"
    rows = [tuple(row) for row in await connection.fetch(by_org, -3, HOUR)]
    minute = lambda number: datetime.datetime(1970, 1, 1, 0, number, tzinfo=datetime.timezone.utc)
    check("asyncpg", rows, [('eu, "west"', 2, minute(0)), ("", 1, minute(5))])
    statement = await connection.prepare("SELECT COUNT(*) AS n FROM usage WHERE org = $1 LIMIT 5")
    check("its parameters", [kind.name for kind in statement.get_parameters()], ["text"])
    check("its columns", [(column.name, column.type.name) for column in statement.get_attributes()], [("n", "int8")])
    check("its values", await statement.fetchval(""), 1)
    async with connection.transaction():
        found = [row["org"] async for row in connection.cursor("SELECT org FROM usage ORDER BY org", prefetch=2)]
        check("a cursor", found, [None, "", 'eu, "west"'])
    check("several at once", await connection.execute("SELECT 1; SELECT 2"), "SELECT 1")
    try:
        await connection.fetch("SELECT ogr FROM usage")
        sys.exit("asyncpg: a wrong column did not fail")
    except asyncpg.UndefinedColumnError as error:
        check("asyncpg's error", (error.sqlstate, error.position), ("42703", "8"))
    try:
        await asyncio.wait_for(connection.fetch(LONG), 0.3)
        sys.exit("asyncpg: a long query did not time out")
    except asyncio.TimeoutError:
        pass
    check("after a cancellation", await connection.fetchval("SELECT 7"), 7)
    await connection.close()
    pool = await asyncpg.create_pool(host=host, port=int(port), user=user, password=password, database="henge", min_size=1, max_size=3)
    check("a pool", await asyncio.gather(*(pool.fetchval("SELECT SUM(events) FROM usage") for _ in range(9))), [4] * 9)
    await pool.close()


with_psycopg()
asyncio.run(with_asyncpg())
print("psycopg and asyncpg found what they expected")
