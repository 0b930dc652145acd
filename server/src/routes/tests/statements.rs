use super::*;
use crate::statements::{State, Statements};

const STATEMENTS: &str = "/druid/v2/sql/statements";

async fn submitted(fixture: &Fixture, query: &str) -> String {
    let context = json!({ "executionMode": "ASYNC", "sqlTimeZone": "+01:00" });
    let (status, body) = fixture.post(STATEMENTS, json!({ "query": query, "context": context })).await;
    assert_eq!(status, 200, "{body}");
    body["queryId"].as_str().unwrap().to_owned()
}

async fn over(fixture: &Fixture, id: &str) -> Value {
    loop {
        let (status, body) = fixture.get(&format!("{STATEMENTS}/{id}")).await;
        assert_eq!(status, 200, "{body}");
        if body["state"] == "SUCCESS" || body["state"] == "FAILED" {
            return body;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_runs_by_itself_and_its_result_is_read_in_any_format() {
    let fixture = Fixture::new().await;
    let id = submitted(&fixture, "SELECT __time, org, bytes FROM usage ORDER BY 1").await;
    let mut told = over(&fixture, &id).await;
    let page_bytes = told["result"]["totalSizeInBytes"].clone();
    for passing in ["createdAt", "durationMs"] {
        assert!(told.as_object_mut().unwrap().remove(passing).is_some(), "{passing}");
    }
    let expected = json!({
        "queryId": id,
        "state": "SUCCESS",
        "schema": [
            { "name": "__time", "type": "TIMESTAMP", "nativeType": "LONG" },
            { "name": "org", "type": "VARCHAR", "nativeType": "STRING" },
            { "name": "bytes", "type": "BIGINT", "nativeType": "LONG" },
        ],
        "result": {
            "numTotalRows": 2,
            "totalSizeInBytes": page_bytes,
            "dataSource": "__query_select",
            "sampleRecords": [
                ["1970-01-01T01:00:00.000+01:00", "a", 5],
                ["1970-01-01T01:00:00.001+01:00", null, 7],
            ],
            "pages": [{ "id": 0, "numRows": 2, "sizeInBytes": page_bytes }],
        },
    });
    assert_eq!(told, expected);

    let results = format!("{STATEMENTS}/{id}/results");
    let csv = "1970-01-01T01:00:00.000+01:00,a,5\n1970-01-01T01:00:00.001+01:00,,7\n\n";
    let arrays = "[\"1970-01-01T01:00:00.000+01:00\",\"a\",5]\n[\"1970-01-01T01:00:00.001+01:00\",null,7]\n\n";
    for (query, content_type, expected) in [
        ("?resultFormat=csv", "text/csv", csv),
        ("?resultFormat=csv&page=0", "text/csv", csv),
        ("?resultFormat=arrayLines", "text/plain", arrays),
    ] {
        let response = fixture.send("GET", &format!("{results}{query}"), "", "").await;
        assert_eq!(header(&response, "content-type"), Some(content_type));
        assert_eq!(text_of(response).await, expected, "{query}");
    }
    assert_eq!(fixture.get(&results).await.1[1]["bytes"], 7);
    let saved = fixture.send("GET", &format!("{results}?filename=usage.json"), "", "").await;
    assert_eq!(header(&saved, "content-disposition"), Some("attachment; filename=\"usage.json\""));
    assert_eq!(fixture.get(&format!("{results}?filename=a%22b")).await.0, 400);
    let (status, body) = fixture.get(&format!("{results}?page=1")).await;
    let message = json!("there is no page 1: the result has 1, from 0");
    assert_eq!((status, &body["errorMessage"]), (404, &message));

    assert_eq!(fixture.send("DELETE", &format!("{STATEMENTS}/{id}"), "", "").await.status(), 200);
    for path in [format!("{STATEMENTS}/{id}"), results] {
        assert_eq!(fixture.get(&path).await.0, 404, "{path}");
    }
    assert_eq!(fixture.send("DELETE", &format!("{STATEMENTS}/{id}"), "", "").await.status(), 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_fails_says_why_and_leaves_no_files() {
    let fixture = Fixture::new().await;
    let id = submitted(&fixture, "SELECT nothing FROM usage").await;
    let told = over(&fixture, &id).await;
    assert_eq!((&told["state"], &told["errorDetails"]["category"]), (&json!("FAILED"), &json!("INVALID_INPUT")));
    let (status, body) = fixture.get(&format!("{STATEMENTS}/{id}/results")).await;
    assert_eq!((status, &body), (400, &told["errorDetails"]));
    let statements = &fixture.app.services().unwrap().statements;
    assert!(!statements.directory_of(&id).exists());
    for context in [json!({ "executionMode": "SYNC" }), json!({})] {
        let (status, body) = fixture.post(STATEMENTS, json!({ "query": "SELECT 1", "context": context })).await;
        let message = json!("context `executionMode` must be ASYNC; others wait at /druid/v2/sql");
        assert_eq!((status, &body["errorMessage"]), (400, &message));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_statement_is_cancelled_and_has_no_results_meanwhile() {
    let fixture = Fixture::new().await;
    let services = fixture.app.services().unwrap().clone();
    let rows: Vec<_> = (0..1_000).map(|at| event(at, None, at, at)).collect();
    services.store.data_source("usage").unwrap().append(&rows);
    let endless = "SELECT COUNT(*) FROM usage a, usage b, usage c, usage d, usage e \
                   WHERE a.bytes + b.bytes + c.bytes + d.bytes + e.bytes = 1";
    let id = submitted(&fixture, endless).await;
    while services.engine.running() == 0 {
        tokio::task::yield_now().await;
    }
    let (status, body) = fixture.get(&format!("{STATEMENTS}/{id}/results")).await;
    let message = format!("statement `{id}` is ACCEPTED: ask for its results when it is SUCCESS");
    assert_eq!((status, &body["errorMessage"]), (404, &json!(message)));
    assert_eq!(fixture.send("DELETE", &format!("{STATEMENTS}/{id}"), "", "").await.status(), 202);
    let told = over(&fixture, &id).await;
    assert_eq!((&told["state"], &told["errorDetails"]["category"]), (&json!("FAILED"), &json!("CANCELED")));
}

/// The next process, so to speak.
fn reopened(fixture: &Fixture) -> Arc<Statements> {
    let services = fixture.app.services().unwrap();
    let directory = services.statements.directory_of("x").parent().unwrap().to_owned();
    let (limits, metrics) = (fixture.app.limits.asynchronous.clone(), fixture.app.queries.clone());
    Statements::open(directory, limits, services.engine.clone(), metrics)
}

#[tokio::test(flavor = "multi_thread")]
async fn whole_results_outlive_the_process_and_half_written_ones_are_never_served() {
    let fixture = Fixture::new().await;
    let statements = fixture.app.services().unwrap().statements.clone();
    let mut ids = Vec::new();
    for _ in 0..4 {
        let id = submitted(&fixture, "SELECT org FROM usage").await;
        over(&fixture, &id).await;
        ids.push(id);
    }
    let page = |id: &str| statements.directory_of(id).join("0.arrow");
    std::fs::remove_file(statements.directory_of(&ids[1]).join("statement.json")).unwrap();
    std::fs::remove_file(page(&ids[2])).unwrap();
    std::fs::write(page(&ids[3]), b"half").unwrap();
    let (status, body) = fixture.get(&format!("{STATEMENTS}/{}/results", ids[3])).await;
    assert_eq!((status, &body["error"]), (500, &json!("Unknown exception")), "damage under way is an error");

    let next = reopened(&fixture);
    assert!(matches!(next.get(&ids[0]).unwrap().state, State::Success(result) if result.rows() == 2));
    for id in &ids[1..] {
        assert!(next.get(id).is_none() && !next.directory_of(id).exists(), "{id}");
    }
}
