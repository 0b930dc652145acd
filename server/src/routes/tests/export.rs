use axum::http::header::{ACCEPT, AUTHORIZATION, HOST};
use henge_query::reader::Tenant;
use henge_segment_store::clock;
use henge_segment_store::completeness::{Look, ReadPartition};
use henge_segment_store::dataset::{Dataset, DatasetName};

use super::*;
use crate::auth::key::Role;
use crate::auth::key_files;

const MINUTE_MS: i64 = 60_000;

/// Clusters of two organisations, with two metrics; one label is not for scrapers.
struct Clusters {
    fixture: Fixture,
    /// The newest complete minute.
    minute: i64,
}

fn spec() -> Value {
    json!({
        "datasource": "clusters",
        "topic": "clusters",
        "kafka": { "bootstrap.servers": "127.0.0.1:1" },
        "time": { "column": "t", "format": "millis" },
        "dimensions": ["org", "cluster", "topic", { "name": "partition", "type": "long" }],
        "tenant": "org",
        "measures": { "bytes": "long_sum", "load": { "double_max": "load" } },
        "segment": "1h",
        "suspended": true,
    })
}

fn dataset() -> Dataset {
    let metric = |measure: &str, kind: &str, agg: &str, labels: Value| {
        json!({
            "datasource": "clusters", "measure": measure, "kind": kind, "unit": "1", "description": measure,
            "agg": agg, "resources": ["kafka"], "labels": labels,
        })
    };
    let labels = json!({ "topic": "topic", "partition": { "dimension": "partition", "exportable": false } });
    let definition = json!({
        "resources": { "kafka": { "description": "a cluster", "id": "cluster" } },
        "metrics": {
            "io.confluent.kafka.server/received_bytes": metric("bytes", "counter", "sum", labels),
            "io.confluent.kafka.server/load": metric("load", "gauge", "max", json!({})),
        },
    });
    Dataset::from_json(&definition).unwrap()
}

fn sample(time: i64, [org, cluster, topic]: [&str; 3], partition: i64, bytes: i64, load: f64) -> EventRow {
    let mut row = EventRow::new(4, 2);
    row.time = TimestampMs(time);
    for (at, text) in [org, cluster, topic].into_iter().enumerate() {
        row.set_dimension(at, DimensionValue::String(text));
    }
    row.set_dimension(3, DimensionValue::Long(partition));
    row.set_measure(0, MeasureValue::Long(bytes));
    row.set_measure(1, MeasureValue::Double(load));
    row
}

impl Clusters {
    async fn new() -> Self {
        let fixture = Fixture::new().await;
        let store = &fixture.app.services().unwrap().store;
        let spec = SupervisorSpec::from_json(&spec()).unwrap().spec;
        store
            .put_supervisor(&spec.data_source, spec.schema.clone(), spec.to_json(), true, spec.upkeep.clone())
            .await
            .unwrap();
        store.put_dataset(DatasetName::new("cloud").unwrap(), dataset()).await.unwrap();
        let minute = clock::now().0.div_euclid(MINUTE_MS) * MINUTE_MS - 10 * MINUTE_MS;
        store.data_source("clusters").unwrap().append(&[
            sample(minute, ["a", "lkc-1", "orders"], 0, 5, 0.25),
            sample(minute + 59_999, ["a", "lkc-1", "orders"], 1, 6, 0.5),
            sample(minute, ["a", "lkc-1", "a\"b\\"], 0, 7, 0.125),
            sample(minute, ["a", "lkc-2", "orders"], 0, 8, 1.5),
            sample(minute, ["b", "lkc-9", "orders"], 0, 9, 0.75),
            sample(minute - MINUTE_MS, ["a", "lkc-3", "old"], 0, 10, 2.0),
            sample(minute + MINUTE_MS, ["a", "lkc-1", "orders"], 0, 1_000, 4.0),
        ]);
        Self { fixture, minute }
    }

    /// Everything before the end of the minute is there, and a little more.
    fn complete(&self) {
        let clusters = self.fixture.app.services().unwrap().store.data_source("clusters").unwrap();
        clusters.look(Look {
            at: clock::now(),
            lateness_ms: 0,
            partitions: vec![ReadPartition {
                partition: StreamPartition { topic: "clusters".into(), partition: 0 },
                first: Offset(0),
                next: Offset(7),
                high_watermark: Some(Offset(7)),
                newest_event: Some(TimestampMs(self.minute + MINUTE_MS + 1)),
            }],
            gap_found_at: None,
            is_share: false,
        });
    }

    async fn viewer(&self, organisation: &str) -> String {
        let objects = Objects::Local(self.fixture.data_dir.path().join("store"));
        let role = Role::MetricsViewer(Tenant::new(organisation).unwrap());
        let (key, secret) = key_files::create(&objects, role, None).await.unwrap();
        format!("Bearer {}.{}", key.id, secret.reveal())
    }

    async fn ask(&self, path: &str, headers: &[(axum::http::HeaderName, &str)]) -> Response {
        let request = headers.iter().fold(Request::get(path), |request, (name, value)| request.header(name, *value));
        self.fixture.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
    }
}

const ACCESS: &str = "# HELP confluent_scrape_resource_access_error Whether the resource may not be read, or is not there\n\
                      # TYPE confluent_scrape_resource_access_error gauge\n";

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_complete_minute_is_exported_in_both_texts() {
    let clusters = Clusters::new().await;
    clusters.complete();
    let path = "/v2/metrics/cloud/export?resource.kafka.id=lkc-1,lkc-2&resource_kafka_id=lkc-3&resource.kafka.id=no";
    let plain = clusters.ask(path, &[]).await;
    assert_eq!(header(&plain, "content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    assert_eq!(plain.status(), 200);
    let minute = clusters.minute;
    let families = |time: &str| {
        format!(
            "# HELP confluent_kafka_server_load load\n# TYPE confluent_kafka_server_load gauge\n\
             confluent_kafka_server_load{{kafka_id=\"lkc-1\"}} 0.5 {time}\n\
             confluent_kafka_server_load{{kafka_id=\"lkc-2\"}} 1.5 {time}\n\
             # HELP confluent_kafka_server_received_bytes bytes\n# TYPE confluent_kafka_server_received_bytes gauge\n\
             confluent_kafka_server_received_bytes{{kafka_id=\"lkc-1\",topic=\"a\\\"b\\\\\"}} 7 {time}\n\
             confluent_kafka_server_received_bytes{{kafka_id=\"lkc-1\",topic=\"orders\"}} 11 {time}\n\
             confluent_kafka_server_received_bytes{{kafka_id=\"lkc-2\",topic=\"orders\"}} 8 {time}\n\
             {ACCESS}\
             confluent_scrape_resource_access_error{{resource_id=\"lkc-1\",resource_type=\"kafka\"}} 0\n\
             confluent_scrape_resource_access_error{{resource_id=\"lkc-2\",resource_type=\"kafka\"}} 0\n\
             confluent_scrape_resource_access_error{{resource_id=\"lkc-3\",resource_type=\"kafka\"}} 0\n\
             confluent_scrape_resource_access_error{{resource_id=\"no\",resource_type=\"kafka\"}} 1\n"
        )
    };
    assert_eq!(text_of(plain).await, families(&minute.to_string()));
    let open = clusters.ask(path, &[(ACCEPT, "application/openmetrics-text;version=1.0.0,text/plain;q=0.5")]).await;
    assert_eq!(header(&open, "content-type"), Some("application/openmetrics-text; version=1.0.0; charset=utf-8"));
    assert_eq!(text_of(open).await, families(&format!("{}.000", minute / 1_000)) + "# EOF\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_complete_is_not_exported() {
    let clusters = Clusters::new().await;
    let path = "/v2/metrics/cloud/export?resource.kafka.id=lkc-1&metric=io.confluent.kafka.server/load";
    let (status, body) = json_of(clusters.ask(path, &[]).await).await;
    assert_eq!((status, &body["errors"][0]["code"]), (503, &json!("not_complete")), "{body}");
    let ignoring = text_of(clusters.ask(&format!("{path}&ignore_failed_metrics=true"), &[]).await).await;
    let expected = format!(
        "{ACCESS}confluent_scrape_resource_access_error{{resource_id=\"lkc-1\",resource_type=\"kafka\"}} 0\n\
         # HELP export_status Metrics that are not exported now\n# TYPE export_status gauge\n\
         export_status{{export_status=\"error\",metric=\"io.confluent.kafka.server/load\",resource=\"kafka\"}} 1\n"
    );
    assert_eq!(ignoring, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_exports_and_discovers_its_own_resources() {
    let clusters = Clusters::new().await;
    clusters.complete();
    let viewer = clusters.viewer("b").await;
    let path = "/v2/metrics/cloud/export?metric=io.confluent.kafka.server/received_bytes&resource.kafka.id=";
    let headers = [(AUTHORIZATION, viewer.as_str()), (HOST, "henge:8888")];
    let exported = text_of(clusters.ask(&format!("{path}lkc-1,lkc-9"), &headers).await).await;
    let samples: Vec<&str> = exported.lines().filter(|line| !line.starts_with('#')).collect();
    let expected = [
        format!("confluent_kafka_server_received_bytes{{kafka_id=\"lkc-9\",topic=\"orders\"}} 9 {}", clusters.minute),
        "confluent_scrape_resource_access_error{resource_id=\"lkc-1\",resource_type=\"kafka\"} 1".to_owned(),
        "confluent_scrape_resource_access_error{resource_id=\"lkc-9\",resource_type=\"kafka\"} 0".to_owned(),
    ];
    assert_eq!(samples, expected);
    // One of another organisation, and one that is not there, are told of alike.
    let refused = async |id: &str| {
        let (status, body) = json_of(clusters.ask(&format!("{path}{id}"), &headers).await).await;
        (status, body.to_string().replace(id, "ID"))
    };
    assert_eq!(refused("lkc-1").await, refused("lkc-nobodys").await);
    assert_eq!(refused("lkc-1").await.0, 403);
    let found = json_of(clusters.ask("/v2/metrics/cloud/discovery", &headers).await).await;
    let target = json!([{
        "targets": ["henge:8888"],
        "labels": { "__metrics_path__": "/v2/metrics/cloud/export", "__param_resource_kafka_id": "lkc-9" },
    }]);
    assert_eq!(found, (200, target));
    let twice = "/v2/metrics/cloud/discovery?resource_type=kafka&resource_type=kafka";
    assert_eq!(clusters.ask(twice, &headers).await.status(), 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scrape_that_names_nothing_is_told_what_to_name() {
    let clusters = Clusters::new().await;
    let cases = [
        ("cloud/export", 400, "resource_missing"),
        ("cloud/export?resource.ksql.id=a", 400, "unknown_resource_type"),
        ("cloud/export?resource.kafka.id=lkc-1&metric=none", 400, "unknown_metric"),
        ("none/export?resource.kafka.id=lkc-1", 404, "not_found"),
    ];
    for (path, expected, code) in cases {
        let (status, body) = json_of(clusters.ask(&format!("/v2/metrics/{path}"), &[]).await).await;
        assert_eq!((status, &body["errors"][0]["code"]), (expected, &json!(code)), "{path}: {body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_about_a_metric_tells_how_far_it_is_complete() {
    let clusters = Clusters::new().await;
    let body = json!({
        "aggregations": [{ "metric": "io.confluent.kafka.server/received_bytes" }],
        "filter": { "field": "resource.kafka.id", "op": "EQ", "value": "lkc-1" },
        "granularity": "ALL", "intervals": ["PT1H/now"],
    });
    let meta = async || {
        let (status, answer) = clusters.fixture.post("/v2/metrics/cloud/query", body.clone()).await;
        assert_eq!(status, 200, "{answer}");
        answer["meta"].clone()
    };
    let unknown = meta().await;
    assert_eq!((&unknown["as_of"], &unknown["complete_until"]), (&Value::Null, &Value::Null));
    assert!(unknown.as_object().unwrap().contains_key("complete_until"), "{unknown}");
    clusters.complete();
    let told = meta().await;
    let until = TimestampMs(clusters.minute + MINUTE_MS + 1).to_string();
    assert_eq!(told["complete_until"], json!(until), "{told}");
    assert!(told["as_of"].is_string() && told["pagination"].is_object(), "{told}");
}
