"""Asks a server random questions about metrics, and computes each answer by itself from the rows that SQL tells.

Whole numbers are ints, means of them fractions rounded half to even at nine digits, doubles fractions rounded once a stage.
stdin: {"url": ..., "questions": ..., "seed": ...}
"""

import bisect
import json
import random
import sys
import urllib.error
import urllib.request
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
LENGTHS = {
    "PT1M": (MINUTE, 6 * HOUR), "PT5M": (5 * MINUTE, DAY), "PT15M": (15 * MINUTE, 4 * DAY),
    "PT30M": (30 * MINUTE, 7 * DAY), "PT1H": (HOUR, None), "PT4H": (4 * HOUR, None), "PT6H": (6 * HOUR, None),
    "PT12H": (12 * HOUR, None), "P1D": (DAY, None), "ALL": (None, None),
}
# Of each metric the measure, how its rows merge, its own functions over time and over series, whether it is a double.
METRICS = {
    "server/bytes": ("bytes", "SUM", "SUM", "SUM", False),
    "server/load": ("load", "MAX", "MEAN", "MAX", False),
    "server/free": ("free", "MIN", "MEAN", "SUM", False),
    "server/cost": ("cost", "SUM", "SUM", "SUM", True),
    "server/heat": ("heat", "MAX", "MEAN", "SUM", True),
}
FIELDS = {
    "resource.kafka.id": "cluster", "resource.kafka.environment": "environment", "metric.topic": "topic",
    "metric.partition": "partition", "metric.internal": "internal",
}
SERIES = ("org", *FIELDS.values())
FUNCTIONS = ("SUM", "MIN", "MAX", "MEAN", "COUNT")
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def post(url, body):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.loads(answer.read(), parse_float=Decimal)
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read(), parse_float=Decimal)


def millis(text):
    return (datetime.fromisoformat(text.replace("Z", "+00:00")) - EPOCH) // timedelta(milliseconds=1)


def instant(ms):
    time = EPOCH + timedelta(milliseconds=ms)
    return time.strftime("%Y-%m-%dT%H:%M:%S.") + f"{ms % 1000:03}Z"


def label(value):
    return value if value is None or isinstance(value, str) else ("true" if value else "false") if isinstance(value, bool) else str(value)


def rows_of(url):
    columns = ["__time", *SERIES, *sorted({measure for measure, *_ in METRICS.values()})]
    quoted = ", ".join(f'"{column}"' for column in columns)
    _, rows = post(url + "/druid/v2/sql", {"query": f"SELECT {quoted} FROM samples", "resultFormat": "array"})
    rows = [dict(zip(columns, row)) for row in rows]
    for row in rows:
        row["__time"] = millis(row["__time"])
        for measure, *_, is_double in METRICS.values():
            if is_double and row[measure] is not None:
                # The double that the text means, and not the decimal that it is.
                row[measure] = float(row[measure])
        for name in SERIES:
            # SQL tells booleans as numbers or as words.
            value = row[name]
            row[name] = label(bool(value)) if name == "internal" and isinstance(value, int) else label(value)
    return rows


def passes(row, test):
    if test is None:
        return True
    op = test["op"]
    if op in ("AND", "OR"):
        return (all if op == "AND" else any)(passes(row, inner) for inner in test["filters"])
    if op == "NOT":
        return not passes(row, test["filter"])
    found = row[FIELDS[test["field"]]]
    if found is None:
        return False
    found, wanted = found.encode(), str(test["value"]).encode()
    return {"EQ": found == wanted, "GT": found > wanted, "GTE": found >= wanted}[op]


def half_even(value, digits=9):
    return Fraction(round(value * 10**digits), 10**digits)


def fold(function, values, is_double):
    """Of fractions one; what it yields for doubles is a double."""
    if function == "COUNT":
        return Fraction(len(values))
    if function in ("MIN", "MAX"):
        return (min if function == "MIN" else max)(values)
    total = sum(values, Fraction(0))
    if function == "SUM":
        return Fraction(float(total)) if is_double else total
    if is_double:
        return Fraction(float(total) / len(values))
    return half_even(total / len(values))


def grouped(pairs):
    groups = {}
    for key, value in pairs:
        groups.setdefault(key, []).append(value)
    return groups


def expected(rows, question, name):
    measure, merge, own_time, own_series, is_double = METRICS[name]
    time_agg = question["aggregations"][0].get("time_agg", own_time)
    agg = question["aggregations"][0].get("agg", own_series)
    length, _ = LENGTHS[question["granularity"]]
    spans = question["spans"]
    start = min(span[0] for span in spans)
    group_by = [FIELDS[field] for field in question.get("group_by", [])]

    def bucket(time):
        return start if length is None else time - time % length

    chosen = [
        (tuple(row[name] for name in SERIES), row["__time"], Fraction(row[measure]))
        for row in rows
        if row[measure] is not None and any(a <= row["__time"] < b for a, b in spans) and passes(row, question.get("filter"))
    ]
    of_group = {series: tuple(series[SERIES.index(name)] for name in group_by) for series, _, _ in chosen}
    is_same = time_agg == merge or (length == MINUTE and time_agg != "COUNT")
    if is_same and agg == merge:
        # Sums of sums are one sum, rounded once.
        cells = grouped(((of_group[series], bucket(time)), value) for series, time, value in chosen)
        return {key: fold(merge, values, is_double) for key, values in cells.items()}
    if is_same:
        cells = grouped(((series, bucket(time)), value) for series, time, value in chosen)
        of_series = {key: fold(merge, values, is_double) for key, values in cells.items()}
    else:
        cells = grouped(((series, time - time % MINUTE), value) for series, time, value in chosen)
        samples = {key: fold(merge, values, is_double) for key, values in cells.items()}
        cells = grouped(((series, bucket(time)), value) for (series, time), value in samples.items())
        of_series = {key: fold(time_agg, values, is_double) for key, values in cells.items()}
    is_double = is_double and time_agg != "COUNT"
    cells = grouped(((of_group[series], time), value) for (series, time), value in of_series.items())
    return {key: fold(agg, values, is_double) for key, values in cells.items()}


def sort_key(labels):
    return [(text is not None, (text or "").encode()) for text in labels]


class Questions:
    def __init__(self, rows, seed):
        self.random = random.Random(seed)
        self.rows = rows
        self.values = {field: sorted({row[name] for row in rows if row[name] is not None}) for field, name in FIELDS.items()}
        self.first = min(row["__time"] for row in rows)
        self.last = max(row["__time"] for row in rows)

    def span(self, covered_max):
        choose = self.random
        longest = min(covered_max or 2 * (self.last - self.first), 2 * (self.last - self.first))
        covered = choose.choice([MINUTE, HOUR, longest, choose.randrange(1, longest + 1)])
        start = choose.randrange(self.first - HOUR, self.last + 1)
        unit = choose.choice([1, MINUTE, HOUR])
        start -= start % unit
        return start, start + max(1, min(covered, longest))

    def interval(self, span):
        start, end = span
        forms = [f"{instant(start)}/{instant(end)}"]
        if (end - start) % 1000 == 0:
            seconds = (end - start) // 1000
            forms += [f"{instant(start)}/PT{seconds}S", f"PT{seconds}S/{instant(end)}"]
        return self.random.choice(forms)

    def test(self, depth):
        choose = self.random
        kind = choose.choice(["EQ", "EQ", "GT", "GTE"] + (["AND", "OR", "NOT"] if depth < 2 else []))
        if kind in ("AND", "OR"):
            return {"op": kind, "filters": [self.test(depth + 1) for _ in range(choose.randrange(1, 4))]}
        if kind == "NOT":
            return {"op": kind, "filter": self.test(depth + 1)}
        field = choose.choice(list(FIELDS))
        value = choose.choice(self.values[field] + ["", "zz", "01"])
        return {"op": kind, "field": field, "value": int(value) if field == "metric.partition" and value == str(value) and value.lstrip("-").isdigit() and str(int(value)) == value else value}

    def ask(self):
        choose = self.random
        name = choose.choice(list(METRICS))
        aggregation = {"metric": name}
        if choose.random() < 0.6:
            aggregation["time_agg"] = choose.choice(FUNCTIONS)
        if choose.random() < 0.6:
            own = METRICS[name][3]
            aggregation["agg"] = choose.choice([function for function in FUNCTIONS if function != "SUM" or own == "SUM"])
        granularity = choose.choice(list(LENGTHS))
        spans = [self.span(LENGTHS[granularity][1])]
        while LENGTHS[granularity][1] is None and choose.random() < 0.3:
            spans.append(self.span(None))
        clusters = choose.sample(self.values["resource.kafka.id"], choose.randrange(1, 4))
        resources = {"op": "OR", "filters": [{"op": "EQ", "field": "resource.kafka.id", "value": id} for id in clusters]}
        question = {"aggregations": [aggregation], "granularity": granularity, "spans": spans}
        question["intervals"] = [self.interval(span) for span in spans]
        question["filter"] = {"op": "AND", "filters": [resources, self.test(0)]} if choose.random() < 0.6 else resources
        if choose.random() < 0.7:
            question["group_by"] = choose.sample(list(FIELDS), choose.randrange(1, 4))
            question["limit"] = choose.choice([1, 2, 5, 1000])
            question["format"] = choose.choice(["FLAT", "GROUPED"])
        if granularity == "ALL" and choose.random() < 0.5:
            question["order_by"] = [{"metric": name, "order": choose.choice(["ASCENDING", "DESCENDING"])}]
        return name, question


def points_of(answer, question):
    fields = question.get("group_by", [])
    points = []
    for item in answer["data"]:
        labels = tuple(item[field] for field in fields)
        for point in item["points"] if question.get("format") == "GROUPED" else [item]:
            points.append((labels, millis(point["timestamp"]), point["value"], point["value_exact"]))
    return points


def check(url, rows, name, question):
    """Compares all pages of an answer; returns how many points there were."""
    values = expected(rows, question, name)
    body = {key: value for key, value in question.items() if key != "spans"}
    limit = question.get("limit", 1000)
    if question["granularity"] == "ALL":
        is_ascending = question.get("order_by", [{"order": "DESCENDING"}])[0]["order"] == "ASCENDING"
        order = sorted(values.items(), key=lambda cell: ((1 if is_ascending else -1) * cell[1], sort_key(cell[0][0])))[:limit]
    else:
        order = sorted(values.items(), key=lambda cell: (sort_key(cell[0][0]), cell[0][1]))
    points, path, pages = [], "/v2/metrics/cloud/query", 0
    while True:
        status, answer = post(url + path, body)
        assert status == 200, answer
        page = points_of(answer, question)
        assert len({labels for labels, *_ in page}) <= limit, "more groups than were asked for"
        points += page
        pages += 1
        token = answer["meta"]["pagination"].get("next_page_token")
        if token is None:
            break
        path = f"/v2/metrics/cloud/query?page_token={token}"
    assert [(labels, time) for (labels, time), _ in order] == [(labels, time) for labels, time, _, _ in points]
    is_double = METRICS[name][4] and "COUNT" not in question["aggregations"][0].values()
    for (_, value), (_, _, number, exact) in zip(order, points):
        if is_double:
            assert float(number) == float(exact) == float(value), (value, number, exact)
        else:
            assert Fraction(number) == Fraction(exact) == value, (value, number, exact)
    return len(points), pages


def main():
    wanted = json.load(sys.stdin)
    url = wanted["url"]
    rows = rows_of(url)
    questions = Questions(rows, wanted["seed"])
    points = pages = 0
    for number in range(wanted["questions"]):
        name, question = questions.ask()
        try:
            found, turned = check(url, rows, name, question)
        except Exception:
            print(f"question {number} of seed {wanted['seed']}: {json.dumps(question)}")
            raise
        points += found
        pages += turned
    print(f"{wanted['questions']} answers of {points} points on {pages} pages are right")


main()
