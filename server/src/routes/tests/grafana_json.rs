//! `/grafana/json/*` over the two events of the fixture, at 0 ms and 1 ms.

use super::*;

fn asked(targets: Value, more: Value) -> Value {
    let mut body = json!({
        "panelId": 1,
        "range": { "from": "1970-01-01T00:00:00.000Z", "to": "1970-01-01T01:00:00.000Z", "raw": { "from": "now-1h", "to": "now" } },
        "interval": "1m",
        "intervalMs": 60_000,
        "maxDataPoints": 1_000,
        "targets": targets,
        "scopedVars": {},
    });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

#[tokio::test(flavor = "multi_thread")]
async fn each_question_of_both_contracts_has_its_answer() {
    let fixture = Fixture::new().await;
    let one = |target: &str| json!([{ "refId": "A", "target": target }]);
    let points = |name: &str, value: i64| json!([{ "target": name, "refId": "A", "datapoints": [[value, 0]] }]);
    let by_org = "SELECT $__timeGroupAlias(__time, '1m'), org, SUM(bytes) AS bytes FROM usage WHERE $__timeFilter(__time) GROUP BY 1, 2 ORDER BY 1, 2";
    let table = "SELECT org, SUM(bytes) AS bytes FROM usage WHERE org = 'a' GROUP BY org";
    let filters = |key: &str| json!({ key: [{ "key": "org", "operator": "=", "value": "a" }] });
    let hostile = json!({ "filters": [{ "key": "org", "operator": "=", "value": "x' OR '1'='1" }] });
    let note = "SELECT __time AS \"time\", org AS text FROM usage WHERE $__timeFilter(__time) AND org = 'a'";
    let cases = [
        (
            "metrics",
            json!({}),
            json!([
                { "label": "usage.events", "value": "usage.events", "payloads": [] },
                { "label": "usage.bytes", "value": "usage.bytes", "payloads": [] },
            ]),
        ),
        ("metric-payload-options", json!({ "metric": "usage.bytes", "payload": {}, "name": "x" }), json!([])),
        ("search", json!({ "target": "" }), json!(["usage.events", "usage.bytes"])),
        ("search", json!({ "target": "BYT" }), json!(["usage.bytes"])),
        ("query", asked(one("usage.bytes"), json!({})), points("usage.bytes", 12)),
        ("query", asked(one("usage.bytes"), filters("filters")), points("usage.bytes", 5)),
        ("query", asked(one("usage.bytes"), filters("adhocFilters")), points("usage.bytes", 5)),
        ("query", asked(one("usage.bytes"), hostile), json!([])),
        (
            "query",
            asked(json!([{ "refId": "A", "target": "usage.bytes", "hide": true }, { "refId": "B" }]), json!({})),
            json!([]),
        ),
        (
            "query",
            asked(json!([{ "refId": "A", "target": table, "type": "table" }]), json!({})),
            json!([{
                "type": "table",
                "refId": "A",
                "columns": [{ "text": "org", "type": "string" }, { "text": "bytes", "type": "number" }],
                "rows": [["a", 5]],
            }]),
        ),
        (
            "query",
            asked(one(by_org), json!({})),
            json!([
                { "target": "null", "refId": "A", "datapoints": [[7, 0]] },
                { "target": "a", "refId": "A", "datapoints": [[5, 0]] },
            ]),
        ),
        (
            "variable",
            json!({ "payload": { "target": "SELECT DISTINCT code FROM usage ORDER BY code" } }),
            json!([
                { "__text": "200", "__value": "200" },
                { "__text": "500", "__value": "500" },
            ]),
        ),
        ("tag-keys", json!({}), json!([{ "type": "string", "text": "code" }, { "type": "string", "text": "org" }])),
        ("tag-values", json!({ "key": "org" }), json!([{ "text": "a" }])),
        (
            "annotations",
            asked(json!([]), json!({ "annotation": { "name": "n", "query": note } })),
            json!([
                { "annotation": { "name": "n", "query": note }, "time": 0, "text": "a" },
            ]),
        ),
    ];
    for (path, body, expected) in cases {
        let (status, mut answer) = fixture.post(&format!("/grafana/json/{path}"), body.clone()).await;
        if path == "annotations" {
            let mark = &answer[0];
            answer = json!([{ "annotation": mark["annotation"], "time": mark["time"], "text": mark["text"] }]);
        }
        assert_eq!((status, answer), (200, expected), "{path} {body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_is_none_is_an_error_that_says_so() {
    let fixture = Fixture::new().await;
    for (target, expected) in
        [("bytes", "neither a statement of SQL nor a measure"), ("SELECT nothing FROM usage", "not found")]
    {
        let body = asked(json!([{ "refId": "A", "target": target }]), json!({}));
        let (status, answer) = fixture.post("/grafana/json/query", body).await;
        assert!(status == 400 && answer["errorMessage"].as_str().unwrap().contains(expected), "{answer}");
    }
}
