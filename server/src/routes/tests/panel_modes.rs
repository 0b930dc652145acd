//! Questions of panels that are no SQL, and what editors ask. The events are those of the fixture, at 0 ms and 1 ms, and more.

use super::*;

const MINUTE: i64 = 60_000;

async fn filled() -> Fixture {
    let fixture = Fixture::new().await;
    let usage = fixture.app.services().unwrap().store.data_source("usage").unwrap();
    usage.append(&[
        event(MINUTE, Some("b"), 200, 40),
        event(MINUTE + 1, Some("c"), 404, 30),
        event(2 * MINUTE, Some("a"), 200, 60),
        event(2 * MINUTE + 1, Some("$one's"), 200, 1),
    ]);
    fixture
}

impl Fixture {
    async fn panel(&self, query: Value, more: Value) -> Value {
        let mut body = json!({ "query": query, "range": { "from": 0, "to": 3 * MINUTE }, "intervalMs": MINUTE });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let (status, answer) = self.post("/henge/v1/panel/query", body.clone()).await;
        assert_eq!(status, 200, "{body}: {answer}");
        // What is written for a person means the same.
        let (status, checked) = self.post("/henge/v1/panel/check", body.clone()).await;
        assert_eq!(status, 200, "{body}: {checked}");
        let columns = |answer: &Value| answer["columns"].clone();
        if query["mode"] != "logs" {
            assert_eq!(columns(&checked), columns(&answer), "{body}");
        }
        if query["mode"] != "sql" && !body.to_string().contains("\"top\":") {
            let is_series = answer["meta"]["shape"] == "timeSeriesLong";
            let format = if is_series { "timeSeries" } else { "table" };
            let sql = json!({ "mode": "sql", "sql": checked["template"], "format": format });
            let mut again = body.clone();
            again["query"] = sql;
            let (status, by_hand) = self.post("/henge/v1/panel/query", again).await;
            assert_eq!(status, 200, "{checked}: {by_hand}");
            // Lines of a log are put together, and one row more than the limit tells that there is more.
            if query["mode"] != "logs" && query["limit"].is_null() {
                assert_eq!(by_hand["rows"], answer["rows"], "{checked}");
            }
        }
        answer
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_builder_groups_by_time_and_by_the_largest_values() {
    let fixture = filled().await;
    let measures = json!([{ "aggregate": "sum", "column": "bytes", "alias": "bytes" }]);
    let built = |more: Value| {
        let mut query =
            json!({ "mode": "builder", "format": "timeSeries", "datasource": "usage", "measures": measures });
        query.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        query
    };
    let answer = fixture.panel(built(json!({ "timeBucket": "auto" })), json!({})).await;
    assert_eq!(answer["rows"], json!([[0, 12], [MINUTE, 70], [2 * MINUTE, 61]]));
    assert_eq!(answer["meta"]["shape"], "timeSeriesLong");
    let top = json!({ "groupBy": [{ "column": "org", "top": 2, "other": true }] });
    let answer = fixture.panel(built(top), json!({})).await;
    let mut rows = answer["rows"].as_array().unwrap().clone();
    rows.sort_by_key(|row| row[1].as_i64());
    assert_eq!(rows, [json!(["other", 38]), json!(["b", 40]), json!(["a", 65])]);
    assert_eq!(answer["meta"]["shape"], "numericLong");
    let top =
        json!({ "groupBy": [{ "column": "org", "top": 2 }], "orderBy": [{ "name": "bytes", "descending": true }] });
    assert_eq!(fixture.panel(built(top), json!({})).await["rows"], json!([["a", 65], ["b", 40]]));
    let one = json!({ "variables": { "who": { "values": ["b", "c"] }, "every": { "isAll": true } } });
    let filtered = json!({ "where": [
        { "column": "org", "operator": "=|", "values": ["$who"] }, { "column": "code", "operator": "=", "values": ["${every}"] },
    ] });
    assert_eq!(fixture.panel(built(filtered), one.clone()).await["rows"], json!([[70]]));
    let filtered = json!({ "where": [{ "column": "org", "operator": "=", "values": ["$one's"] }] });
    assert_eq!(fixture.panel(built(filtered), one).await["rows"], json!([[1]]), "a value with a dollar is a value");
    let filled = json!({ "timeBucket": "PT30S", "fill": "zero" });
    let answer = fixture.panel(built(filled), json!({})).await;
    let values: Vec<&Value> = answer["rows"].as_array().unwrap().iter().map(|row| &row[1]).collect();
    assert_eq!(values, [12, 0, 70, 0, 61, 0]);
    let limited = json!({ "groupBy": [{ "column": "org" }], "orderBy": [{ "name": "org" }], "limit": 2 });
    let answer = fixture.panel(built(limited), json!({})).await;
    assert_eq!((&answer["rows"], &answer["meta"]["isTruncated"]), (&json!([[null, 7], ["$one's", 1]]), &json!(true)));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_aggregate_of_a_builder_is_a_function_of_the_engine() {
    let fixture = filled().await;
    let cases = [
        ("sum", json!(143)),
        ("count", json!(6)),
        ("avg", json!(143.0 / 6.0)),
        ("min", json!(1)),
        ("max", json!(60)),
        ("countDistinct", json!(6)),
        ("approxCountDistinct", json!(6)),
        ("p50", json!(18.5)),
        ("p99", Value::Null),
        ("first", json!(5)),
        ("last", json!(1)),
        ("rate", json!(143.0 / 180.0)),
        ("increase", json!(143)),
    ];
    for (aggregate, expected) in cases {
        let measures = json!([{ "aggregate": aggregate, "column": "bytes" }]);
        let query = json!({ "mode": "builder", "datasource": "usage", "measures": measures });
        let answer = fixture.panel(query, json!({})).await;
        let value = &answer["rows"][0][0];
        let is_rank = aggregate.starts_with('p');
        assert!(if is_rank { value.is_number() } else { *value == expected }, "{aggregate}: {answer}");
    }
    let rate = json!({
        "mode": "builder", "format": "timeSeries", "datasource": "usage", "timeBucket": "PT1M",
        "measures": [{ "aggregate": "rate", "column": "bytes" }, { "aggregate": "count" }],
    });
    let answer = fixture.panel(rate, json!({})).await;
    assert_eq!(answer["rows"], json!([[0, 0.2, 2], [MINUTE, 70.0 / 60.0, 2], [2 * MINUTE, 61.0 / 60.0, 2]]));
    let counted =
        json!({ "mode": "builder", "datasource": "usage", "measures": [{ "aggregate": "rate", "column": "code" }] });
    let answer = fixture.panel(counted, json!({})).await;
    assert!(answer["meta"]["notices"][0]["text"].as_str().unwrap().contains("samples of a counter"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_top_is_the_largest_first_and_a_log_the_newest_first() {
    let fixture = filled().await;
    let measure = json!({ "aggregate": "sum", "column": "bytes", "alias": "bytes" });
    let top = json!({ "mode": "top", "datasource": "usage", "dimension": "org", "measure": measure, "limit": 2 });
    let answer = fixture.panel(top, json!({})).await;
    assert_eq!((&answer["rows"], &answer["meta"]["shape"]), (&json!([["a", 65], ["b", 40]]), &json!("table")));
    let logs = json!({
        "mode": "logs", "datasource": "usage", "columns": ["org", "code"], "limit": 2,
        "where": [{ "column": "code", "operator": ">=", "values": ["200"] }],
    });
    let answer = fixture.panel(logs, json!({})).await;
    let expected = json!([
        [2 * MINUTE + 1, "org=$one's code=200", r#"{"org":"$one's","code":"200"}"#],
        [2 * MINUTE, "org=a code=200", r#"{"org":"a","code":"200"}"#],
    ]);
    assert_eq!((&answer["rows"], &answer["meta"]["shape"]), (&expected, &json!("logs")));
    assert_eq!(answer["meta"]["isTruncated"], true);
    let found = json!({ "mode": "logs", "datasource": "usage", "search": "$ONE'S" });
    assert_eq!(fixture.panel(found, json!({})).await["rows"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_of_a_builder_are_told() {
    let fixture = filled().await;
    let sum = json!([{ "aggregate": "sum", "column": "bytes" }]);
    let cases = [
        (
            json!({ "mode": "builder", "datasource": "nowhere", "measures": sum }),
            "there is no datasource `nowhere`; known: usage",
        ),
        (json!({ "mode": "builder", "datasource": "usage", "measures": [] }), "`measures` is empty"),
        (
            json!({ "mode": "builder", "datasource": "usage", "measures": [{ "aggregate": "sum", "column": "byte" }] }),
            "no column `byte`; the nearest is `bytes`",
        ),
        (
            json!({ "mode": "builder", "datasource": "usage", "measures": [{ "aggregate": "sum" }] }),
            "`sum` needs a column",
        ),
        (
            json!({ "mode": "builder", "datasource": "usage", "measures": sum, "orderBy": [{ "name": "x\" --" }] }),
            "which is not selected",
        ),
        (json!({ "mode": "builder", "datasource": "usage", "measures": sum, "timeBucket": "soon" }), "`timeBucket` is"),
        (
            json!({ "mode": "builder", "datasource": "usage", "measures": sum, "where": [{ "column": "org", "operator": "=", "values": ["$x"] }] }),
            "is no variable of the dashboard",
        ),
        (json!({ "mode": "logs", "datasource": "usage", "limit": 0 }), "`limit` is a number from 1"),
        (json!({ "mode": "metrics", "dataset": "cloud", "metric": "m" }), "there is no dataset `cloud`"),
        (json!({ "mode": "sql", "sql": " " }), "the query is empty"),
        (json!({ "mode": "guess" }), "unknown variant `guess`"),
        (
            json!({ "mode": "sql", "sql": "SELECT 1 AS n", "format": "timeSeries" }),
            "a time series needs a column of type TIMESTAMP",
        ),
    ];
    for (query, message) in cases {
        let body = json!({ "query": query, "range": { "from": 0, "to": MINUTE } });
        let (status, error) = fixture.post("/henge/v1/panel/query", body).await;
        assert!((400..500).contains(&status), "{query}: {status}");
        assert!(error["errorMessage"].as_str().unwrap().contains(message), "{query}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn values_options_and_marks_are_listed() {
    let fixture = filled().await;
    let asked = async |path: &str, body: Value| {
        let (status, answer) = fixture.post(path, body.clone()).await;
        assert_eq!(status, 200, "{body}: {answer}");
        answer
    };
    let values = async |more: Value| {
        let mut body = json!({ "datasource": "usage", "column": "org" });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        asked("/henge/v1/panel/values", body).await
    };
    let all = json!({ "values": ["$one's", "a", "b", "c"], "isTruncated": false });
    assert_eq!(values(json!({})).await, all);
    assert_eq!(values(json!({ "limit": 1 })).await, json!({ "values": ["$one's"], "isTruncated": true }));
    assert_eq!(values(json!({ "search": "E'" })).await["values"], json!(["$one's"]));
    assert_eq!(values(json!({ "range": { "from": MINUTE, "to": 2 * MINUTE } })).await["values"], json!(["b", "c"]));
    let filters = json!({ "filters": [{ "key": "code", "operator": "=", "value": "404" }] });
    assert_eq!(values(filters).await["values"], json!(["c"]));
    assert_eq!(values(json!({ "column": "code" })).await["values"], json!(["200", "404", "500"]));
    let options = async |body: Value| asked("/henge/v1/panel/variable", body).await["options"].clone();
    let option = |text: &str, value: &str| json!({ "text": text, "value": value });
    assert_eq!(options(json!({ "kind": "datasources" })).await, json!([option("usage", "usage")]));
    let columns = json!({ "kind": "columns", "datasource": "usage", "search": "o" });
    assert_eq!(options(columns).await, json!([option("org", "org"), option("code", "code")]));
    let found = json!({ "kind": "values", "datasource": "usage", "column": "org", "search": "b" });
    assert_eq!(options(found).await, json!([option("b", "b")]));
    let sql = "SELECT DISTINCT org AS __value, UPPER(org) AS __text FROM usage WHERE org IN ($who) ORDER BY 1";
    let body = json!({ "kind": "sql", "sql": sql, "variables": { "who": { "values": ["a", "b"] } } });
    assert_eq!(options(body).await, json!([option("A", "a"), option("B", "b")]));
    let sql = "SELECT __time AS \"time\", MILLIS_TO_TIMESTAMP(120000) AS \"timeEnd\", org AS text, 'x,y' AS tags \
               FROM usage WHERE code = 404 AND $__timeFilter(__time)";
    let marks =
        asked("/henge/v1/panel/annotations", json!({ "sql": sql, "range": { "from": 0, "to": 3 * MINUTE } })).await;
    let mark = json!({ "time": MINUTE + 1, "timeEnd": 2 * MINUTE, "title": null, "text": "c", "tags": ["x", "y"] });
    assert_eq!(marks, json!({ "annotations": [mark] }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tail_goes_on_where_it_ended() {
    let fixture = filled().await;
    let look = async |after: Value, limit: u64| {
        let query = json!({ "mode": "logs", "datasource": "usage", "columns": ["bytes"] });
        let body = json!({ "query": query, "after": after, "limit": limit });
        let (status, answer) = fixture.post("/henge/v1/panel/tail", body).await;
        assert_eq!(status, 200, "{answer}");
        let rows = answer["rows"].as_array().unwrap().iter().map(|row| row[1].as_str().unwrap().to_owned());
        (rows.collect::<Vec<_>>(), answer["meta"]["next"].clone())
    };
    let (rows, next) = look(Value::Null, 2).await;
    assert_eq!((rows, &next), (vec!["bytes=60".to_owned(), "bytes=1".to_owned()], &json!(2 * MINUTE + 1)));
    assert_eq!(look(next.clone(), 2).await, (Vec::new(), next.clone()));
    let usage = fixture.app.services().unwrap().store.data_source("usage").unwrap();
    let at = 3 * MINUTE;
    usage.append(&[event(at, None, 1, 7), event(at + 1, None, 1, 8), event(at + 1, None, 2, 9)]);
    let (rows, next) = look(next, 2).await;
    assert_eq!((rows, &next), (vec!["bytes=7".to_owned()], &json!(at)), "what may go on is left for the next look");
    let (rows, next) = look(next, 2).await;
    assert_eq!((rows.len(), next), (2, json!(at + 1)));
}
