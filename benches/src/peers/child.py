"""DuckDB, embedded ClickHouse and DataFusion in this process, asked by lines of JSON.

Each line of stdin is a request, each line of stdout its answer: {"error": text} where it fails.

  {"do": "load", "system": S, "parquet": DIR, "rows": N}      -> version, bytes, seconds, cpu_seconds (of loading, if it had to)
  {"do": "ask", "system": S, "sql": Q, "turn_ms": T}          -> wall_ms, cpu_ms: of each time, as often as fits into T
  {"do": "answer", "system": S, "sql": Q, "path": FILE}       -> rows: the answer as a Parquet file
  {"do": "mix", "system": S, "statements": [Q], "clients": K, "seconds": T} -> latencies_ms of each statement by its number

An answer is complete when DuckDB and DataFusion hold it as Arrow, and when ClickHouse has written it in its Null format.
"""

import json
import os
import sys
import threading
import time

answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # What a library prints must not end up among the answers.

import pyarrow
import pyarrow.ipc
import pyarrow.parquet


# What differs by workload.
workload = sys.argv[3]
LEFT_OUT = ", event_id" if workload == "cmu" else ""
FEW = "LowCardinality(String)"
CLICKHOUSE_ORDER = {"cmu": "cluster_id, metric, ts", "tsbs": "hostname, ts"}
CLICKHOUSE_COLUMNS = {
    "cmu": f"metric {FEW}, org_id {FEW}, env_id String, cluster_id String, cluster_type {FEW}, pkc {FEW}, "
    f"tenant String, topic String, \"partition\" UInt16, principal Nullable(String), broker UInt16, az {FEW}, "
    f"region {FEW}, cloud {FEW}, bytes_in UInt64, bytes_out UInt64, requests UInt32, errors UInt32, latency_ms Float64",
    "tsbs": ", ".join(
        [f"{name} {FEW}" for name in "hostname region datacenter rack os arch team service service_version".split()]
        + [f"service_environment {FEW}"]
        + [f"usage_{name} UInt8" for name in "user system idle nice iowait irq softirq steal guest guest_nice".split()]
    ),
}


class DuckDb:
    def __init__(self, folder, threads):
        import duckdb

        os.makedirs(folder, exist_ok=True)
        self.path = os.path.join(folder, "events.duckdb")
        self.connection = duckdb.connect(self.path)
        self.connection.execute(f"SET threads={threads}; SET memory_limit='8GB'; SET TimeZone='UTC'")
        self.connection.execute("SET enable_progress_bar=false")
        self.version = "DuckDB " + duckdb.__version__

    def rows(self):
        known = self.value("SELECT COUNT(*) FROM duckdb_tables() WHERE table_name = 'ev'")
        return self.value("SELECT COUNT(*) FROM ev") if known else 0

    def value(self, sql):
        return self.connection.execute(sql).fetchall()[0][0]

    def load(self, parquet):
        self.connection.execute(
            f"CREATE OR REPLACE TABLE ev AS SELECT * EXCLUDE (timestamp{LEFT_OUT}), timestamp AS ts "
            f"FROM read_parquet('{parquet}/*.parquet')"
        )
        self.connection.execute("CHECKPOINT")

    def bytes(self):
        return os.path.getsize(self.path)

    def table(self, sql, connection=None):
        return (connection or self.connection).sql(sql).to_arrow_table()

    def run(self, sql, connection=None):
        self.table(sql, connection)

    def client(self):
        return self.connection.cursor()


class ClickHouse:
    """One session holds both tables: a process can have one ClickHouse."""

    session = None

    def __init__(self, folder, threads, table, order):
        import chdb
        from chdb import session

        if ClickHouse.session is None:
            os.makedirs(folder, exist_ok=True)
            ClickHouse.session = session.Session(folder)
            self.session.query("CREATE DATABASE IF NOT EXISTS cmu ENGINE=Atomic")
        self.name, self.order, self.threads = table, order, threads
        self.version = f"chDB {chdb.__version__}, ClickHouse {self.value('SELECT version()')}"

    def value(self, sql):
        return str(self.session.query(sql, "TSV")).strip()

    def rows(self):
        known = self.value(f"SELECT COUNT() FROM system.tables WHERE database = 'cmu' AND name = '{self.name}'")
        return int(self.value(f"SELECT COUNT() FROM cmu.{self.name}")) if known == "1" else 0

    def load(self, parquet):
        self.session.query(f"DROP TABLE IF EXISTS cmu.{self.name} SYNC")
        self.session.query(
            f"CREATE TABLE cmu.{self.name} (ts DateTime64(3, 'UTC'), {CLICKHOUSE_COLUMNS[workload]}) "
            f"ENGINE=MergeTree ORDER BY ({self.order}) PARTITION BY toDate(ts)"
        )
        self.session.query(
            f"INSERT INTO cmu.{self.name} SELECT timestamp AS ts, * EXCEPT (timestamp{LEFT_OUT}) "
            f"FROM file('{parquet}/*.parquet', Parquet) SETTINGS max_threads={self.threads}"
        )
        self.session.query(f"OPTIMIZE TABLE cmu.{self.name} FINAL")

    def bytes(self):
        return int(self.value(
            f"SELECT sum(bytes_on_disk) FROM system.parts WHERE database = 'cmu' AND table = '{self.name}' AND active"
        ))

    def run(self, sql, connection=None):
        self.session.query(f"{sql} SETTINGS max_threads={self.threads}", "Null")

    def table(self, sql):
        table = pyarrow.ipc.open_file(pyarrow.py_buffer(self.session.query(sql, "Arrow").bytes())).read_all()
        # Its Arrow has instants of whole seconds as plain numbers.
        types = [line.split("\t")[1] for line in self.value(f"DESCRIBE ({sql})").splitlines()]
        for place, (name, of) in enumerate(zip(table.column_names, types)):
            if of.startswith("DateTime(") or of == "DateTime":
                table = table.set_column(place, name, table.column(place).cast("int64").cast(pyarrow.timestamp("s")))
        return table

    def client(self):
        return None


class DataFusion:
    def __init__(self, threads):
        import datafusion

        config = datafusion.SessionConfig().with_target_partitions(threads)
        config = config.set("datafusion.execution.parquet.pushdown_filters", "true")
        self.context = datafusion.SessionContext(config)
        self.version = "DataFusion " + datafusion.__version__
        self.folder = None

    def rows(self):
        return 0

    def load(self, parquet):
        self.folder = parquet
        self.context.register_parquet("events", parquet)
        self.context.sql(f'CREATE VIEW ev AS SELECT * EXCLUDE ("timestamp"{LEFT_OUT}), "timestamp" AS ts FROM events')

    def bytes(self):
        return sum(entry.stat().st_size for entry in os.scandir(self.folder))

    def table(self, sql, connection=None):
        frame = self.context.sql(sql)
        return pyarrow.Table.from_batches(frame.collect(), schema=frame.schema())

    def run(self, sql, connection=None):
        self.context.sql(sql).collect()

    def client(self):
        return None


class Peers:
    def __init__(self, folder, threads):
        chdb = os.path.join(folder, "chdb")
        self.makers = {
            "duckdb": lambda: DuckDb(os.path.join(folder, "duckdb"), threads),
            "clickhouse": lambda: ClickHouse(chdb, threads, "ev", CLICKHOUSE_ORDER[workload]),
            "clickhouse-time": lambda: ClickHouse(chdb, threads, "ev_time", "ts"),
            "datafusion": lambda: DataFusion(threads),
        }
        self.made = {}

    def load(self, request):
        system = self.made[request["system"]] = self.makers[request["system"]]()
        began, cpu = time.perf_counter(), time.process_time()
        if system.rows() != request["rows"]:
            system.load(request["parquet"])
        return {
            "version": system.version, "bytes": system.bytes(),
            "seconds": time.perf_counter() - began, "cpu_seconds": time.process_time() - cpu,
        }

    def ask(self, request):
        system, sql = self.made[request["system"]], request["sql"]
        wall_ms, left_ms, cpu = [], request["turn_ms"], time.process_time()
        while not wall_ms or left_ms > 0:
            began = time.perf_counter()
            system.run(sql)
            wall_ms.append((time.perf_counter() - began) * 1e3)
            left_ms -= wall_ms[-1]
        return {"wall_ms": wall_ms, "cpu_ms": (time.process_time() - cpu) * 1e3 / len(wall_ms)}

    def answer(self, request):
        table = self.made[request["system"]].table(request["sql"])
        pyarrow.parquet.write_table(table, request["path"], compression="zstd")
        return {"rows": table.num_rows}

    def mix(self, request):
        system, statements = self.made[request["system"]], request["statements"]
        latencies_ms = [[] for _ in statements]
        end = time.perf_counter() + request["seconds"]
        failures = []

        def client(first):
            connection, number = system.client(), first
            while time.perf_counter() < end:
                began = time.perf_counter()
                try:
                    system.run(statements[number % len(statements)], connection)
                except Exception as error:
                    failures.append(str(error))
                    return
                latencies_ms[number % len(statements)].append((time.perf_counter() - began) * 1e3)
                number += request["clients"]

        clients = [threading.Thread(target=client, args=(number,)) for number in range(request["clients"])]
        [one.start() for one in clients]
        [one.join() for one in clients]
        if failures:
            raise RuntimeError(failures[0])
        return {"latencies_ms": latencies_ms}


def main():
    peers = Peers(sys.argv[1], int(sys.argv[2]))
    for line in sys.stdin:
        try:
            request = json.loads(line)
            answer = getattr(peers, request["do"])(request)
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"[:2000]}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


main()
