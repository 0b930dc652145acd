"""Debian's prometheus, promtool, vmagent and victoria-metrics scrape a demo, and its SQL says the same.

stdin: URL, id and secret of a tenant's key, one a line. Needs nothing but Python and those programs.
"""

import base64
import collections
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

URL, ID, SECRET = sys.stdin.read().split()
HOST = urllib.parse.urlparse(URL).netloc
PREFIX = "confluent_kafka_server_"
# Metrics that are sums of a measure, by the labels that they have beside those of their cluster.
METRICS = {
    "received_bytes": ("bytes_in", ["topic", "partition"]),
    "sent_bytes": ("bytes_out", ["topic", "partition"]),
    "request_count": ("requests", ["principal_id", "type"]),
}
DIMENSIONS = {"principal_id": "principal", "type": "metric", "kafka_id": "cluster_id", "kafka_environment": "env_id"}
WAIT_S = 200


def ask(path, body=None, accept="*/*", secret=SECRET):
    """Status, headers and text of an answer."""
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(path if path.startswith("http") else URL + path, data)
    if path.startswith("/"):
        request.add_header("Authorization", "Basic " + base64.b64encode(f"{ID}:{secret}".encode()).decode())
    request.add_header("Accept", accept)
    if data:
        request.add_header("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode()


def wait_for(what, look):
    end = time.monotonic() + WAIT_S
    seen = None
    while time.monotonic() < end:
        found, seen = look()
        if found:
            return found
        time.sleep(1)
    raise SystemExit(f"waited too long for {what}: {seen}")


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def started(directory, *command):
    log = open(os.path.join(directory, os.path.basename(command[0]) + ".log"), "wb")
    return subprocess.Popen(command, stdout=log, stderr=log)


def expected(metric, minute_ms):
    """What SQL says of one minute: labels -> value."""
    measure, labels = METRICS[metric]
    labels = ["kafka_id", "kafka_environment"] + labels
    columns = ", ".join(f"CAST({DIMENSIONS.get(label, label)} AS VARCHAR) AS {label}" for label in labels)
    sql = (
        f"SELECT {columns}, SUM({measure}) AS v FROM fleet WHERE __time >= MILLIS_TO_TIMESTAMP({minute_ms}) "
        f"AND __time < MILLIS_TO_TIMESTAMP({minute_ms + 60_000}) "
        f"GROUP BY {', '.join(str(at + 1) for at in range(len(labels)))}"
    )
    status, _, text = ask("/druid/v2/sql", {"query": sql, "resultFormat": "array", "context": {"resultRows": 1000000}})
    assert status == 200, text
    return {tuple(row[:-1]): float(row[-1]) for row in json.loads(text)}


def compared(program, samples):
    """Samples: (metric, minute in ms) -> labels -> value."""
    assert samples, f"{program} has no samples"
    count = 0
    for (metric, minute_ms), found in samples.items():
        wanted = expected(metric, minute_ms)
        assert found == wanted, f"{program}, {metric} at {minute_ms}: {len(found)} series, SQL has {len(wanted)}: " + str(
            list(set(found.items()) ^ set(wanted.items()))[:6]
        )
        count += len(found)
    minutes = len({minute for _, minute in samples})
    print(f"{program}: {count} samples of {len(METRICS)} metrics in {minutes} minutes are those of SQL")


def labels_of(metric, series):
    return tuple(series.get(label) for label in ["kafka_id", "kafka_environment"] + METRICS[metric][1])


def whole_minutes(samples):
    """Without the newest minute, of which some series may not be stored yet."""
    minutes = sorted({minute for _, minute in samples})
    return {key: value for key, value in samples.items() if key[1] in minutes[:-1]}


def check_export():
    status, headers, text = ask("/v2/metrics/cloud/discovery")
    assert status == 200, text
    [target] = json.loads(text)
    assert target["targets"] == [HOST], target
    ids = target["labels"]["__param_resource_kafka_id"]
    path = f"{target['labels']['__metrics_path__']}?resource.kafka.id={ids}"

    def has_samples():
        status, headers, text = ask(path)
        return (status == 200 and PREFIX + "received_bytes{" in text and text), text[:300]

    text = wait_for("a complete minute", has_samples)
    lint = subprocess.run(["promtool", "check", "metrics"], input=text.encode(), capture_output=True)
    # The names are those of the contract, and some end as only parts of histograms should.
    told = [line for line in lint.stderr.decode().splitlines() if "_count" not in line or "suffix" not in line]
    assert told == [] and lint.returncode in (0, 3), (lint.returncode, told[:5])
    print("promtool: finds no fault but suffixes `_count`, which are those of the contract")
    status, headers, text = ask(path, accept="application/openmetrics-text;version=1.0.0,text/plain;q=0.5")
    assert text.endswith("# EOF\n") and headers["Content-Type"].startswith("application/openmetrics-text"), headers
    assert ask(path, secret="henge_wrong")[0] == 401
    status, _, text = ask("/v2/metrics/cloud/export?resource.kafka.id=lkc-nobodys")
    assert status == 403 and "lkc-nobodys" in json.loads(text)["errors"][0]["detail"], text


def config(directory):
    auth = f"""
    basic_auth: {{ username: "{ID}", password: "{SECRET}" }}"""
    text = f"""
global: {{ scrape_interval: 5s, scrape_timeout: 5s }}
scrape_configs:
  - job_name: henge{auth}
    http_sd_configs:
      - url: {URL}/v2/metrics/cloud/discovery
        refresh_interval: 5s
        basic_auth: {{ username: "{ID}", password: "{SECRET}" }}
"""
    path = os.path.join(directory, "scrape.yml")
    with open(path, "w") as file:
        file.write(text)
    return path


def check_prometheus(directory):
    port = free_port()
    process = started(
        directory,
        "prometheus",
        f"--config.file={config(directory)}",
        f"--storage.tsdb.path={directory}/prometheus",
        f"--web.listen-address=127.0.0.1:{port}",
    )

    def samples():
        found = collections.defaultdict(dict)
        for metric in METRICS:
            query = urllib.parse.quote(f"{PREFIX}{metric}[15m]")
            try:
                status, _, text = ask(f"http://127.0.0.1:{port}/api/v1/query?query={query}")
            except OSError as error:
                return None, error
            for series in json.loads(text).get("data", {}).get("result", []):
                for at, value in series["values"]:
                    found[metric, round(at * 1000)][labels_of(metric, series["metric"])] = float(value)
        whole = whole_minutes(found)
        return whole, f"{len(found)} minutes of metrics"

    try:
        compared("prometheus", wait_for("samples of prometheus", samples))
        errors = ask(f"http://127.0.0.1:{port}/api/v1/query?query=confluent_scrape_resource_access_error")[2]
        assert {result["value"][1] for result in json.loads(errors)["data"]["result"]} == {"0"}, errors
    finally:
        process.terminate()
        process.wait()


def check_vmagent(directory):
    port, agent_port = free_port(), free_port()
    store = started(
        directory, "victoria-metrics", f"-storageDataPath={directory}/vm", f"-httpListenAddr=127.0.0.1:{port}"
    )
    agent = started(
        directory,
        "vmagent",
        f"-promscrape.config={config(directory)}",
        # It has no `refresh_interval`.
        "-promscrape.config.strictParse=false",
        "-promscrape.httpSDCheckInterval=5s",
        f"-remoteWrite.url=http://127.0.0.1:{port}/api/v1/write",
        f"-remoteWrite.tmpDataPath={directory}/vmagent",
        f"-httpListenAddr=127.0.0.1:{agent_port}",
    )

    def samples():
        found = collections.defaultdict(dict)
        match = urllib.parse.quote('{__name__=~"' + "|".join(PREFIX + metric for metric in METRICS) + '"}')
        try:
            status, _, text = ask(f"http://127.0.0.1:{port}/api/v1/export?match[]={match}")
        except OSError as error:
            return None, error
        for line in text.splitlines():
            series = json.loads(line)
            metric = series["metric"]["__name__"].removeprefix(PREFIX)
            # A mark that a series ended is no sample.
            samples_of = zip(series["timestamps"], series["values"])
            for at, value in ((at, value) for at, value in samples_of if value is not None):
                found[metric, at][labels_of(metric, series["metric"])] = float(value)
        return whole_minutes(found), f"{len(found)} minutes of metrics"

    try:
        compared("vmagent", wait_for("samples of vmagent", samples))
    finally:
        for process in (agent, store):
            process.terminate()
            process.wait()


with tempfile.TemporaryDirectory() as scratch:
    wait_for("resources", lambda: (ask("/v2/metrics/cloud/discovery")[2].count("lkc-") > 0, ask("/v2/metrics/cloud/discovery")))
    check_export()
    check_prometheus(scratch)
    check_vmagent(scratch)
print("the scrapers found what SQL says")
