//! Metrics of two clusters over a datasource of their own.

use henge_segment_store::clock;
use henge_segment_store::dataset::{Dataset, DatasetName};

use super::*;

/// 2026-01-01T00:00:00Z.
const NEW_YEAR_MS: i64 = 1_767_225_600_000;

fn fleet_json() -> Value {
    json!({
        "datasource": "fleet",
        "topic": "fleet",
        "kafka": { "bootstrap.servers": "127.0.0.1:1" },
        "time": { "column": "t", "format": "millis" },
        "dimensions": ["cluster_id", "topic", { "name": "partition", "type": "long" }],
        "measures": { "bytes": "long_sum", "load": { "double_max": "load" }, "schemas": { "long_max": "schemas" } },
        "segment": "1h",
        "suspended": true,
    })
}

fn dataset() -> Dataset {
    let labels = json!({ "topic": "topic", "partition": { "dimension": "partition", "exportable": false } });
    let metric = |measure: &str, kind: &str, agg: &str, labels: &Value| {
        json!({
            "datasource": "fleet", "measure": measure, "kind": kind, "unit": "1", "description": measure, "agg": agg,
            "resources": ["kafka"], "labels": labels,
        })
    };
    let definition = json!({
        "resources": {
            "kafka": { "description": "a cluster", "id": "cluster_id" },
        },
        "metrics": {
            "io.confluent.kafka.server/received_bytes": metric("bytes", "counter", "sum", &labels),
            "io.confluent.kafka.server/cluster_load_percent": metric("load", "gauge", "max", &json!({})),
            "io.confluent.kafka.schema_registry/schema_count": metric("schemas", "gauge", "sum", &labels),
            "received_records": metric("bytes", "counter", "sum", &labels),
        },
    });
    Dataset::from_json(&definition).unwrap()
}

fn sample(time: i64, cluster: &str, topic: &str, partition: i64, bytes: i64, load: f64, schemas: i64) -> EventRow {
    let mut row = EventRow::new(3, 3);
    row.time = TimestampMs(time);
    row.set_dimension(0, DimensionValue::String(cluster));
    row.set_dimension(1, DimensionValue::String(topic));
    row.set_dimension(2, DimensionValue::Long(partition));
    row.set_measure(0, MeasureValue::Long(bytes));
    row.set_measure(1, MeasureValue::Double(load));
    row.set_measure(2, MeasureValue::Long(schemas));
    row
}

/// With three minutes of two clusters at the start of 2026.
pub async fn fixture() -> Fixture {
    let fixture = Fixture::new().await;
    let store = &fixture.app.services().unwrap().store;
    let spec = SupervisorSpec::from_json(&fleet_json()).unwrap().spec;
    let name = DataSourceName::new("fleet").unwrap();
    store.put_supervisor(&name, spec.schema.clone(), spec.to_json(), true, spec.upkeep.clone()).await.unwrap();
    store.put_dataset(DatasetName::new("cloud").unwrap(), dataset()).await.unwrap();
    store.put_dataset(DatasetName::new("dataflow").unwrap(), dataset()).await.unwrap();
    let minute = |minute: i64| NEW_YEAR_MS + minute * 60_000;
    store.data_source("fleet").unwrap().append(&[
        sample(minute(0), "lkc-1", "orders", 0, 5, 0.25, 3),
        sample(minute(0), "lkc-1", "orders", 1, i64::MAX - 5, 0.5, 4),
        sample(minute(1), "lkc-1", "orders", 0, 7, 0.75, 4),
        sample(minute(1), "lkc-1", "clicks \"a\"", 0, 11, 0.125, 5),
        sample(minute(2), "lkc-2", "orders", 0, 13, 0.875, 6),
    ]);
    fixture
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shrink_guard_sees_the_load_of_the_last_minutes_and_days() {
    let fixture = fixture().await;
    let now = clock::now().0.div_euclid(60_000) * 60_000;
    let fleet = fixture.app.services().unwrap().store.data_source("fleet").unwrap();
    fleet.append(&[
        sample(now - 5 * 60_000, "lkc-1", "orders", 0, 1, 0.5, 1),
        sample(now - 5 * 60_000, "lkc-1", "orders", 1, 1, 0.75, 1),
        sample(now - 30 * 3_600_000, "lkc-1", "orders", 1, 1, 0.625, 1),
    ]);
    let ask = |granularity: &str, interval: &str, limit: u32| {
        json!({
            "aggregations": [{ "metric": "io.confluent.kafka.server/cluster_load_percent", "agg": "MAX" }],
            "filter": { "field": "resource.kafka.id", "op": "EQ", "value": "lkc-1" },
            "granularity": granularity, "intervals": [interval], "limit": limit,
        })
    };
    let values = async |body: Value| {
        let (status, answer) = fixture.post("/v2/metrics/cloud/query", body).await;
        assert_eq!(status, 200, "{answer}");
        answer["data"].as_array().unwrap().iter().map(|point| point["value"].as_f64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(values(ask("PT1M", "PT15M/now", 15)).await, [0.75]);
    // The mean over the hour of the one series that the metric has, then the greatest of the series.
    assert_eq!(values(ask("PT1H", "P3D/now", 1_000)).await, [0.625, 0.75]);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_follow_each_other_until_all_groups_were_there() {
    let fixture = fixture().await;
    let body = json!({
        "aggregations": [{ "metric": "io.confluent.kafka.server/received_bytes" }],
        "filter": { "op": "OR", "filters": [
            { "field": "resource.kafka.id", "op": "EQ", "value": "lkc-1" },
            { "field": "resource.kafka.id", "op": "EQ", "value": "lkc-2" },
        ] },
        "group_by": ["resource.kafka.id", "metric.topic"], "granularity": "PT1M",
        "intervals": ["2026-01-01T00:00:00Z/PT3M"], "limit": 1,
    });
    let (mut path, mut groups) = ("/v2/metrics/cloud/query".to_owned(), Vec::new());
    loop {
        let (status, answer) = fixture.post(&path, body.clone()).await;
        assert_eq!(status, 200, "{answer}");
        let first = &answer["data"][0];
        groups.push(format!("{}/{}", first["resource.kafka.id"], first["metric.topic"]));
        let Some(token) = answer["meta"]["pagination"]["next_page_token"].as_str() else { break };
        path = format!("/v2/metrics/cloud/query?page_token={token}");
    }
    assert_eq!(groups, [r#""lkc-1"/"clicks \"a\"""#, r#""lkc-1"/"orders""#, r#""lkc-2"/"orders""#]);

    let (_, first) = fixture.post("/v2/metrics/cloud/query", body.clone()).await;
    let token = first["meta"]["pagination"]["next_page_token"].as_str().unwrap();
    let mut other = body;
    other["limit"] = 2.into();
    let (status, answer) = fixture.post(&format!("/v2/metrics/cloud/query?page_token={token}"), other).await;
    let detail = "`page_token` belongs to another request: send the same body, or begin again without it";
    assert_eq!((status, answer["errors"][0]["detail"].as_str()), (400, Some(detail)));
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_of_labels_and_descriptors_have_pages_too() {
    let fixture = fixture().await;
    let body = json!({
        "group_by": ["metric.topic"], "intervals": ["2026-01-01T00:00:00Z/PT1H"], "limit": 1,
        "filter": { "field": "resource.kafka.id", "op": "EQ", "value": "lkc-1" },
    });
    let (_, first) = fixture.post("/v2/metrics/cloud/attributes", body.clone()).await;
    assert_eq!(first["data"], json!([{ "metric.topic": "clicks \"a\"" }]));
    let token = first["meta"]["pagination"]["next_page_token"].as_str().unwrap();
    let (_, second) = fixture.post(&format!("/v2/metrics/cloud/attributes?page_token={token}"), body).await;
    let expected = json!({ "data": [{ "metric.topic": "orders" }], "meta": {
        "pagination": { "page_size": 1 }, "complete_until": null, "as_of": null,
    } });
    assert_eq!(second, expected);

    let (mut path, mut names) = ("/v2/metrics/cloud/descriptors/metrics?page_size=3".to_owned(), Vec::new());
    loop {
        let (status, answer) = fixture.get(&path).await;
        assert_eq!((status, &answer["meta"]["pagination"]["total_size"]), (200, &json!(4)), "{answer}");
        names.extend(answer["data"].as_array().unwrap().iter().map(|metric| metric["name"].clone()));
        let Some(next) = answer["links"]["next"].as_str() else { break };
        path = next.to_owned();
    }
    assert_eq!(names.len(), 4, "{names:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn datasets_are_declared_and_taken_away_by_an_operator() {
    let fixture = Fixture::new().await;
    let definition = json!({
        "resources": { "org": { "id": "org" } },
        "metrics": { "bytes": {
            "datasource": "usage", "measure": "bytes", "kind": "counter", "unit": "By", "resources": ["org"],
        } },
    });
    let put = async |body: &Value| {
        json_of(fixture.send("PUT", "/henge/v1/datasets/mine", "application/json", body.to_string()).await).await
    };
    let mut broken = definition.clone();
    broken["metrics"]["bytes"]["measure"] = "bites".into();
    let (status, answer) = put(&broken).await;
    let problem = "dataset `mine`: metrics.`bytes`: datasource `usage` has no measure `bites`; it has events, bytes";
    assert_eq!((status, answer["errorMessage"].as_str()), (400, Some(problem)));
    assert_eq!(put(&definition).await, (200, json!({ "name": "mine" })));
    assert_eq!(fixture.get("/henge/v1/datasets").await, (200, json!(["mine"])));
    let (_, declared) = fixture.get("/henge/v1/datasets/mine").await;
    assert_eq!(Dataset::from_json(&declared), Dataset::from_json(&definition));
    let (status, _) = json_of(fixture.send("DELETE", "/henge/v1/datasets/mine", "", "").await).await;
    assert_eq!((status, fixture.get("/henge/v1/datasets").await.1), (200, json!([])));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_asks_too_often_is_told_when_to_ask_again() {
    let limits = Limits { metrics_requests_max: 2, ..Limits::default() };
    let data_dir = TempDir::new().unwrap();
    let keys = KeyRing::open(Objects::Local(data_dir.path().to_owned())).await.unwrap();
    let router = router(App::new(limits, keys));
    let ask = async || {
        let request = Request::builder().uri("/v2/metrics/cloud/descriptors/metrics").body(Body::empty()).unwrap();
        router.clone().oneshot(request).await.unwrap()
    };
    // The store is not there yet; requests count all the same.
    for remaining in ["1", "0"] {
        let response = ask().await;
        assert_eq!((response.status().as_u16(), header(&response, "ratelimit-remaining")), (503, Some(remaining)));
    }
    let response = ask().await;
    assert_eq!(header(&response, "ratelimit-limit"), Some("2"));
    assert_eq!(header(&response, "ratelimit-reset"), Some("60"));
    let (status, answer) = json_of(response).await;
    assert_eq!((status, answer["errors"][0]["code"].as_str()), (429, Some("too_many_requests")));
}
