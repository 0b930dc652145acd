use henge_segment_store::completeness::{Look, ReadPartition};

use super::*;

/// The header of an answer, as JSON.
async fn told(fixture: &Fixture, context: Value) -> Value {
    let request = json!({ "query": "SELECT SUM(bytes) FROM usage", "context": context });
    let response = fixture.sql(request).await;
    let context: Value = serde_json::from_str(header(&response, "x-druid-response-context").unwrap()).unwrap();
    assert_eq!(response.status(), 200);
    context["provenance"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_tells_how_far_it_is_complete_when_it_is_asked() {
    let fixture = Fixture::new().await;
    let unknown = json!([{ "datasource": "usage", "as_of": null, "complete_until": null }]);
    assert_eq!(told(&fixture, json!({ "provenance": true })).await, unknown);
    assert_eq!(told(&fixture, json!({})).await, Value::Null);
    let usage = fixture.app.services().unwrap().store.data_source("usage").unwrap();
    usage.look(Look {
        at: TimestampMs(5_000),
        lateness_ms: 1,
        partitions: vec![ReadPartition {
            partition: StreamPartition { topic: "usage".into(), partition: 3 },
            first: Offset(1),
            next: Offset(2),
            high_watermark: Some(Offset(2)),
            newest_event: Some(TimestampMs(1)),
        }],
        gap_found_at: None,
        is_share: false,
    });
    let source = json!({
        "topic": "usage", "partition": 3, "from_offset": 1, "to_offset": 2, "broker_high_watermark": 2,
        "event_time_watermark": "1970-01-01T00:00:00.000Z",
    });
    let known = json!([{
        "datasource": "usage", "as_of": "1970-01-01T00:00:05.000Z", "complete_until": "1970-01-01T00:00:00.000Z",
        "sources": [source],
    }]);
    // Each time a statement of this shape is asked its plan may be kept; what is told is not.
    for _ in 0..2 {
        assert_eq!(told(&fixture, json!({ "provenance": "true" })).await, known);
    }
}
