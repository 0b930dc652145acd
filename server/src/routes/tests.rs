//! The doors over a real store and a real engine; the supervisor is suspended, so no Kafka is asked.

use axum::body::Body;
use axum::http::Request;
use axum::response::Response;
use henge_ingest::memory::MemoryLimit;
use henge_ingest::spec::SupervisorSpec;
use henge_ingest::supervisors::Supervisors;
use henge_query::engine::{QueryEngine, Surroundings};
use henge_segment_store::data_source::DataSource;
use henge_segment_store::event::{DimensionValue, EventRow, MeasureValue};
use henge_segment_store::ledger::{Gap, GapCause, LedgerCounts, Reason, RefusedRecord};
use henge_segment_store::manifest::ConsumedRange;
use henge_segment_store::objects::Objects;
use henge_segment_store::schema::DataSourceName;
use henge_segment_store::scrub::ScrubCounts;
use henge_segment_store::store::{Consumed, Store, StoreOptions};
use henge_segment_store::stream::{Offset, OffsetRange, StreamPartition};
use henge_segment_store::time::TimestampMs;
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt;

use super::*;
use crate::app::Services;
use crate::auth::key_ring::KeyRing;
use crate::config::Limits;
use crate::openapi::OPERATIONS;
use crate::query_metrics::QueryOutcome;
use crate::statements::Statements;
use crate::system_tables;

mod answers;
mod export;
mod golden;
mod grafana_json;
mod interference;
mod keys;
mod metadata;
mod metrics;
mod panel;
mod panel_injection;
mod panel_modes;
mod provenance;
mod statements;

struct Fixture {
    app: Arc<App>,
    router: Router,
    data_dir: TempDir,
}

fn spec_json() -> Value {
    json!({
        "datasource": "usage",
        "topic": "usage",
        "kafka": { "bootstrap.servers": "127.0.0.1:1" },
        "time": { "column": "t", "format": "millis" },
        "dimensions": ["org", { "name": "code", "type": "long" }],
        "measures": { "events": "count", "bytes": "long_sum" },
        "segment": "1h",
        "suspended": true,
    })
}

fn event(time: i64, org: Option<&str>, code: i64, bytes: i64) -> EventRow {
    let mut row = EventRow::new(2, 2);
    row.time = TimestampMs(time);
    if let Some(org) = org {
        row.set_dimension(0, DimensionValue::String(org));
    }
    row.set_dimension(1, DimensionValue::Long(code));
    row.set_measure(0, MeasureValue::Long(1));
    row.set_measure(1, MeasureValue::Long(bytes));
    row
}

impl Fixture {
    /// A datasource `usage` with two events.
    async fn new() -> Self {
        Self::with_limits(Limits::default()).await
    }

    async fn with_limits(limits: Limits) -> Self {
        let data_dir = TempDir::new().unwrap();
        let options = StoreOptions::local(data_dir.path());
        let store = Store::open(options).await.unwrap();
        let spec = SupervisorSpec::from_json(&spec_json()).unwrap().spec;
        let name = DataSourceName::new("usage").unwrap();
        store.put_supervisor(&name, spec.schema.clone(), spec.to_json(), true, spec.upkeep.clone()).await.unwrap();
        store.data_source("usage").unwrap().append(&[event(0, Some("a"), 200, 5), event(1, None, 500, 7)]);
        let app = App::new(limits, KeyRing::open(Objects::Local(data_dir.path().join("store"))).await.unwrap());
        let supervisors = Supervisors::start(store.clone(), MemoryLimit::new(1 << 30)).unwrap();
        let tables = system_tables::of(&store, &supervisors);
        let engine = Arc::new(QueryEngine::of_server(
            store.clone(),
            app.limits.query.clone(),
            Surroundings { provided: tables, ..Surroundings::default() },
        ));
        let directory = data_dir.path().join("statements");
        app.recovered(Services {
            engine: engine.clone(),
            statements: Statements::open(directory, app.limits.asynchronous.clone(), engine, app.queries.clone()),
            supervisors,
            store,
        });
        Self { router: router(app.clone()), app, data_dir }
    }

    /// Makes a segment of the two events.
    async fn publish(&self) -> Arc<DataSource> {
        let store = &self.app.services().unwrap().store;
        let usage = store.data_source("usage").unwrap();
        let range = ConsumedRange {
            partition: StreamPartition { topic: "usage".into(), partition: 0 },
            range: OffsetRange { start: Offset(0), end: Offset(2) },
            topic_id: None,
            leader_epoch: None,
            counts: LedgerCounts { accepted: 2, ..LedgerCounts::default() },
        };
        let consumed = Consumed { ranges: vec![range], ..Consumed::default() };
        store.publish(&usage, &usage.cut(), consumed).await.unwrap();
        usage
    }

    async fn send(&self, method: &str, path: &str, content_type: &str, body: impl Into<Body>) -> Response {
        let request = Request::builder().method(method).uri(path).header("content-type", content_type);
        self.router.clone().oneshot(request.body(body.into()).unwrap()).await.unwrap()
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        json_of(self.send("GET", path, "", "").await).await
    }

    async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        json_of(self.send("POST", path, "application/json", body.to_string()).await).await
    }

    async fn sql(&self, request: Value) -> Response {
        self.send("POST", "/druid/v2/sql", "application/json", request.to_string()).await
    }
}

async fn text_of(response: Response) -> String {
    let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    String::from_utf8(bytes.to_vec()).unwrap()
}

async fn json_of(response: Response) -> (u16, Value) {
    let status = response.status().as_u16();
    let text = text_of(response).await;
    (status, serde_json::from_str(&text).unwrap_or_else(|_| panic!("no JSON: {text}")))
}

fn header<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    response.headers().get(name).map(|value| value.to_str().unwrap())
}

const SUPERVISOR: &str = "/druid/indexer/v1/supervisor";

#[tokio::test(flavor = "multi_thread")]
async fn sql_is_answered_with_druids_headers_in_the_format_that_was_asked_for() {
    let fixture = Fixture::new().await;
    let query = "SELECT __time, org, code, bytes FROM usage ORDER BY __time";
    let plain = fixture.sql(json!({ "query": query, "context": { "sqlQueryId": "my-id" } })).await;
    assert_eq!(plain.status(), 200);
    assert_eq!(header(&plain, "content-type"), Some("application/json"));
    assert_eq!(header(&plain, "x-druid-sql-query-id"), Some("my-id"));
    assert_eq!(header(&plain, "x-druid-query-id"), Some("my-id"));
    assert_eq!(header(&plain, "x-druid-sql-header-included"), None);
    let expected = concat!(
        r#"[{"__time":"1970-01-01T00:00:00.000Z","org":"a","code":200,"bytes":5},"#,
        r#"{"__time":"1970-01-01T00:00:00.001Z","org":null,"code":500,"bytes":7}]"#,
        "\n"
    );
    assert_eq!(text_of(plain).await, expected);

    let csv = fixture
        .sql(json!({
            "query": query, "resultFormat": "csv", "header": true, "typesHeader": true, "sqlTypesHeader": true,
            "context": { "sqlTimeZone": "America/Los_Angeles" },
        }))
        .await;
    assert_eq!(header(&csv, "content-type"), Some("text/csv"));
    assert_eq!(header(&csv, "x-druid-sql-header-included"), Some("yes"));
    let expected = "__time,org,code,bytes\nLONG,STRING,LONG,LONG\nTIMESTAMP,VARCHAR,BIGINT,BIGINT\n\
                    1969-12-31T16:00:00.000-08:00,a,200,5\n1969-12-31T16:00:00.001-08:00,,500,7\n\n";
    assert_eq!(text_of(csv).await, expected);

    let bound = json!({
        "query": "SELECT SUM(bytes) FROM usage WHERE code = ?", "resultFormat": "arrayLines",
        "parameters": [{ "type": "BIGINT", "value": 500 }],
    });
    assert_eq!(text_of(fixture.sql(bound).await).await, "[7]\n\n");

    for path in ["/druid/v2/sql", "/druid/v2/sql/"] {
        let response = fixture.send("POST", path, "text/plain", "SELECT COUNT(*) AS n FROM usage").await;
        assert!(header(&response, "x-druid-sql-query-id").is_some_and(|id| id.len() == 36));
        assert_eq!(text_of(response).await, "[{\"n\":2}]\n");
    }
    assert_eq!(fixture.app.queries.count(QueryOutcome::Success), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_is_at_fault_gets_400_and_one_that_would_change_something_is_refused() {
    let fixture = Fixture::new().await;
    for (query, status, error) in [
        ("SELEC 1", 400, "druidException"),
        ("SELECT nothing FROM usage", 400, "druidException"),
        ("SELECT 1 FROM nowhere", 400, "druidException"),
        ("DROP TABLE usage", 501, "Unsupported operation"),
        ("COPY usage TO 'x.csv'", 501, "Unsupported operation"),
        ("SHOW TABLES", 501, "Unsupported operation"),
    ] {
        let response = fixture.sql(json!({ "query": query, "context": { "sqlQueryId": "q" } })).await;
        assert_eq!(header(&response, "x-druid-sql-query-id"), Some("q"), "{query}");
        let (found, body) = json_of(response).await;
        assert_eq!((found, body["error"].as_str()), (status, Some(error)), "{query}: {body}");
        assert!(body["errorMessage"].as_str().is_some_and(|message| !message.is_empty()), "{body}");
    }
    assert_eq!(fixture.app.queries.count(QueryOutcome::Refused), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_query_is_cancelled_by_its_id_and_says_so() {
    let fixture = Fixture::new().await;
    let rows: Vec<_> = (0..1_000).map(|at| event(at, None, at, at)).collect();
    let services = fixture.app.services().unwrap().clone();
    services.store.data_source("usage").unwrap().append(&rows);
    let endless = "SELECT COUNT(*) FROM usage a, usage b, usage c, usage d, usage e \
                   WHERE a.bytes + b.bytes + c.bytes + d.bytes + e.bytes = 1";
    let router = fixture.router.clone();
    let body = json!({ "query": endless, "context": { "sqlQueryId": "endless" } }).to_string();
    let request = Request::post("/druid/v2/sql").header("content-type", "application/json");
    let asked = tokio::spawn(router.oneshot(request.body(Body::from(body)).unwrap()));
    while services.engine.running() == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(fixture.send("DELETE", "/druid/v2/sql/other", "", "").await.status(), 404);
    assert_eq!(fixture.send("DELETE", "/druid/v2/sql/endless", "", "").await.status(), 202);
    let (status, body) = json_of(asked.await.unwrap().unwrap()).await;
    assert_eq!((status, &body["error"]), (500, &json!("Query cancelled")));
    assert_eq!(fixture.app.queries.count(QueryOutcome::Cancelled), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_at_the_limit_is_read_and_one_byte_more_is_too_much() {
    let fixture = Fixture::new().await;
    let sql = "SELECT 1 AS n";
    let padded = |length: usize| format!("{sql}{}", " ".repeat(length - sql.len()));
    let limit = fixture.app.limits.request_bytes_max;
    let (status, body) = json_of(fixture.send("POST", "/druid/v2/sql", "text/plain", padded(limit + 1)).await).await;
    let message = "the request's body is longer than 2097152 bytes (`limits.request_size`)";
    assert_eq!((status, &body["errorMessage"]), (413, &json!(message)));
    // What the engine says of so long a statement is its own matter.
    let (status, _) = json_of(fixture.send("POST", "/druid/v2/sql", "text/plain", padded(limit)).await).await;
    assert_ne!(status, 413);
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_paths_and_wrong_methods_are_answered_in_json() {
    let fixture = Fixture::new().await;
    let (status, body) = fixture.get("/druid/nothing").await;
    assert_eq!((status, &body["errorMessage"]), (404, &json!("there is nothing at /druid/nothing")));
    assert_eq!((&body["error"], &body["category"]), (&json!("druidException"), &json!("NOT_FOUND")));
    let (status, body) = fixture.get("/druid/v2/sql").await;
    assert_eq!((status, &body["errorMessage"]), (405, &json!("/druid/v2/sql does not take GET")));
}

#[tokio::test]
async fn a_panic_costs_one_request_and_shows_nothing() {
    let router = Router::new()
        .route("/panic", get(|| async { panic!("secret {}", 7) as &'static str }))
        .layer(CatchPanicLayer::custom(panicked));
    let response = router.oneshot(Request::get("/panic").body(Body::empty()).unwrap()).await.unwrap();
    let (status, body) = json_of(response).await;
    assert_eq!((status, &body["category"]), (500, &json!("DEFENSIVE")));
    assert!(!body.to_string().contains("secret"), "{body}");
}

#[tokio::test(flavor = "multi_thread")]
async fn health_says_what_it_waits_for() {
    let fixture = Fixture::new().await;
    assert_eq!(fixture.get("/status/health").await, (200, json!(true)));
    assert_eq!(fixture.get("/health/live").await, (200, json!({ "live": true })));
    let ready = json!({ "ready": true, "waitingFor": [], "degraded": [] });
    assert_eq!(fixture.get("/health/ready").await, (200, ready));
    assert_eq!(fixture.get("/status/ready").await, (200, json!(true)));
    fixture.app.stop.cancel();
    let stopping = json!({ "ready": false, "waitingFor": ["the process is stopping"], "degraded": [] });
    assert_eq!(fixture.get("/health/ready").await, (503, stopping));
    assert_eq!(fixture.get("/status/ready").await, (503, json!(false)));
    assert_eq!(fixture.send("GET", "/druid/broker/v1/readiness", "", "").await.status(), 503);
}

/// Each path with each method: those of the document are open, and no others.
#[tokio::test]
async fn the_document_of_the_interface_names_every_door_and_no_other() {
    let fixture = Fixture::new().await;
    let documented: std::collections::BTreeSet<&str> = OPERATIONS.iter().map(|operation| operation.path).collect();
    let paths: std::collections::BTreeSet<&str> = doors().map(|(path, _)| path).collect();
    assert_eq!(documented, paths);
    for path in paths {
        for method in ["get", "post", "put", "patch", "delete"] {
            let is_documented = OPERATIONS.iter().any(|operation| operation.path == path && operation.method == method);
            let asked = path.replace('{', "no-").replace('}', "");
            let response = fixture.send(&method.to_uppercase(), &asked, "", "").await;
            let is_open = response.status() != StatusCode::METHOD_NOT_ALLOWED;
            assert_eq!(is_open, is_documented, "{method} {path}");
        }
    }
}

#[tokio::test]
async fn running_queries_tell_how_far_they_are_until_they_end() {
    let fixture = Fixture::new().await;
    let rows: Vec<_> = (0..10_000).map(|at| event(at, Some("org"), at, at)).collect();
    fixture.app.services().unwrap().store.data_source("usage").unwrap().append(&rows);
    // More than the piece of the answer that is made at once.
    let request = json!({ "query": "SELECT org, bytes FROM usage", "context": { "sqlQueryId": "watched" } });
    let answer = fixture.sql(request).await;
    let (status, mut query) = fixture.get("/henge/v1/queries/watched").await;
    let passing = ["startedAt", "elapsedMs", "rowsDone"].map(|key| query.as_object_mut().unwrap().remove(key).unwrap());
    assert!(passing[0].is_string() && passing[1].is_u64(), "{passing:?}");
    // Rows count once all of their segment are read.
    assert!(passing[2].as_u64().is_some_and(|rows| rows <= 10_002), "{passing:?}");
    let expected =
        json!({ "queryId": "watched", "sql": "SELECT org, bytes FROM usage", "segments": 1, "rowsTotal": 10_002 });
    assert_eq!((status, query), (200, expected));
    assert_eq!(fixture.get("/henge/v1/queries").await.1.as_array().map(Vec::len), Some(1));
    drop(answer);
    assert_eq!(fixture.get("/henge/v1/queries").await, (200, json!([])));
    assert_eq!(fixture.get("/henge/v1/queries/watched").await.0, 404);
}

#[tokio::test]
async fn before_recovery_the_doors_answer_503_and_the_process_is_alive() {
    let data_dir = TempDir::new().unwrap();
    let app = App::new(Limits::default(), KeyRing::open(Objects::Local(data_dir.path().to_owned())).await.unwrap());
    let router = router(app);
    let get = async |path: &str| {
        let request = Request::get(path).body(Body::empty()).unwrap();
        json_of(router.clone().oneshot(request).await.unwrap()).await
    };
    let recovering = json!({ "ready": false, "waitingFor": ["the manifest is being replayed"], "degraded": [] });
    assert_eq!(get("/health/ready").await, (503, recovering));
    assert_eq!(get("/health/live").await.0, 200);
    let not_yet = json!({ "inventoryInitialized": false });
    assert_eq!(get("/druid/broker/v1/loadstatus").await, (200, not_yet));
    let (status, body) = get("/druid/v2/datasources").await;
    assert_eq!((status, &body["errorMessage"]), (503, &json!("henge is recovering: try again in a moment")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_supervisor_is_put_listed_shown_and_terminated() {
    let fixture = Fixture::new().await;
    let mut spec = spec_json();
    spec["datasource"] = json!("audit");
    assert_eq!(fixture.post(SUPERVISOR, spec).await, (200, json!({ "id": "audit", "warnings": [] })));
    assert_eq!(fixture.get(SUPERVISOR).await, (200, json!(["audit", "usage"])));
    let state = |id| json!({ "id": id, "state": "SUSPENDED", "detailedState": "SUSPENDED", "healthy": true, "suspended": true });
    let with_state = fixture.get(&format!("{SUPERVISOR}?state=true")).await;
    assert_eq!(with_state, (200, json!([state("audit"), state("usage")])));
    let (_, full) = fixture.get(&format!("{SUPERVISOR}?full")).await;
    assert_eq!(full[0]["spec"]["topic"], "usage");

    let one = format!("{SUPERVISOR}/audit");
    assert_eq!(fixture.get(&one).await.1["dimensions"][0]["name"], "org");
    let (_, status) = fixture.get(&format!("{one}/status")).await;
    let payload = &status["payload"];
    assert_eq!((&status["id"], &payload["stream"]), (&json!("audit"), &json!("usage")));
    assert_eq!((&payload["state"], &payload["suspended"]), (&json!("SUSPENDED"), &json!(true)));
    assert_eq!(payload["records"]["seen"], 0);
    assert_eq!(fixture.get(&format!("{one}/health")).await, (200, json!({ "healthy": true })));
    let (_, stats) = fixture.get(&format!("{one}/stats")).await;
    assert_eq!(stats["0"]["audit"]["totals"]["buildSegments"]["processed"], 0);
    assert_eq!(stats["0"]["audit"]["movingAverages"]["buildSegments"]["5m"]["unparseable"], 0.0);
    assert_eq!(fixture.get(&format!("{one}/parseErrors")).await, (200, json!([])));

    let (status, reset) = fixture.post(&format!("{one}/reset?reason=moved"), json!({})).await;
    assert_eq!((status, reset), (200, json!({ "id": "audit" })));
    let (_, status) = fixture.get(&format!("{one}/status")).await;
    assert_eq!(status["payload"]["generation"], 1);
    assert_eq!(status["payload"]["resets"][0]["reason"], "moved");

    assert_eq!(fixture.post(&format!("{one}/terminate"), json!({})).await, (200, json!({ "id": "audit" })));
    assert_eq!(fixture.get(SUPERVISOR).await, (200, json!(["usage"])));
    let (status, body) = fixture.get(&one).await;
    assert_eq!((status, &body["errorMessage"]), (404, &json!("there is no supervisor `audit`")));
    for action in ["suspend", "resume", "terminate", "reset"] {
        assert_eq!(fixture.post(&format!("{one}/{action}"), json!({})).await.0, 404, "{action}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spec_that_is_wrong_is_refused_with_every_problem() {
    let fixture = Fixture::new().await;
    let (status, body) =
        fixture.post(SUPERVISOR, json!({ "datasource": "x", "topik": "x", "dimensions": "org" })).await;
    assert_eq!(status, 400, "{body}");
    let problems = body["problems"].as_array().unwrap();
    assert!(problems.len() > 1, "{body}");
    assert!(problems.iter().any(|problem| problem.as_str().unwrap().contains("topik")), "{body}");
    let (status, body) = json_of(fixture.send("POST", SUPERVISOR, "text/plain", "{}").await).await;
    assert_eq!(status, 415);
    assert_eq!(body["errorMessage"], "a spec comes as application/json, not as `text/plain`");
    let (status, _) = json_of(fixture.send("POST", SUPERVISOR, "application/json", "{").await).await;
    assert_eq!(status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_are_well_formed_and_count_queries_and_rows() {
    let fixture = Fixture::new().await;
    fixture.sql(json!({ "query": "SELEC" })).await;
    let response = fixture.send("GET", "/metrics", "", "").await;
    assert_eq!(header(&response, "content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    let text = text_of(response).await;
    for line in [
        "henge_queries_total{outcome=\"refused\"} 1",
        "henge_query_duration_seconds_count 1",
        "henge_open_rows{datasource=\"usage\"} 2",
        "henge_segments{datasource=\"usage\"} 0",
        "henge_quarantined_segments{datasource=\"usage\"} 0",
        "henge_scrub_damaged_total 0",
        "henge_supervisor_healthy{datasource=\"usage\"} 1",
        "henge_ingest_paused{datasource=\"usage\"} 0",
        "henge_ingest_memory_bytes 0",
        "henge_ingest_memory_limit_bytes 1073741824",
        "henge_ingest_records_total{datasource=\"usage\",outcome=\"accepted\"} 0",
    ] {
        assert!(text.lines().any(|found| found == line), "`{line}` is missing in:\n{text}");
    }
    let mut family = "";
    for line in text.lines() {
        if let Some(declared) = line.strip_prefix("# TYPE ") {
            family = declared.split(' ').next().unwrap();
        } else if !line.starts_with("# HELP ") {
            assert!(line.starts_with(family), "`{line}` stands under `{family}`");
            assert!(line.rsplit(' ').next().unwrap().parse::<f64>().is_ok(), "{line}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_tell_of_damage() {
    let fixture = Fixture::new().await;
    fixture.publish().await.published_segments()[0].quarantine("its digest is not the manifest's".into());
    fixture.app.upkeep.scrubbed(ScrubCounts { segments: 3, bytes: 5, damaged: 1, restored: 0, serving_discarded: 2 });
    let text = text_of(fixture.send("GET", "/metrics", "", "").await).await;
    for line in [
        "henge_segments{datasource=\"usage\"} 1",
        "henge_quarantined_segments{datasource=\"usage\"} 1",
        "henge_scrub_segments_total 3",
        "henge_scrub_bytes_total 5",
        "henge_scrub_damaged_total 1",
        "henge_scrub_restored_total 0",
        "henge_scrub_discarded_total 2",
    ] {
        assert!(text.lines().any(|found| found == line), "`{line}` is missing in:\n{text}");
    }
}

const RULES: &str = "/druid/coordinator/v1/rules";

#[tokio::test(flavor = "multi_thread")]
async fn retention_rules_are_set_shown_and_refused_as_by_druid() {
    let fixture = Fixture::new().await;
    let forever = json!({ "type": "loadForever" });
    let rules = json!([
        { "type": "loadByPeriod", "period": "P30D", "includeFuture": true, "tieredReplicants": { "hot": 2 } },
        { "type": "dropForever" },
    ]);
    assert_eq!(fixture.get(&format!("{RULES}/usage")).await, (200, json!([])));
    let set = fixture.send("POST", &format!("{RULES}/usage"), "application/json", rules.to_string()).await;
    assert_eq!((set.status().as_u16(), text_of(set).await.as_str()), (200, ""));
    assert_eq!(fixture.get(&format!("{RULES}/usage")).await, (200, rules.clone()));
    assert_eq!(fixture.get(RULES).await, (200, json!({ "_default": [forever], "usage": rules })));
    let full = json!([rules[0], rules[1], forever]);
    assert_eq!(fixture.get(&format!("{RULES}/usage?full")).await, (200, full));
    assert_eq!(fixture.get(&format!("{RULES}/_default")).await, (200, json!([forever])));
    assert_eq!(fixture.get(&format!("{RULES}/unknown")).await, (200, json!([])));

    let refused = [
        ("unknown", json!([]), 404, "there is no datasource `unknown`"),
        (
            "usage",
            json!([{ "type": "broadcastForever" }]),
            400,
            "these are no rules: unknown variant `broadcastForever`",
        ),
        ("usage", json!({ "type": "dropForever" }), 400, "these are no rules: invalid type: map"),
        ("usage", json!([forever, { "type": "dropForever" }]), 400, "rule 2 is never asked"),
    ];
    for (name, body, status, message) in refused {
        let (found, answer) = fixture.post(&format!("{RULES}/{name}"), body).await;
        let text = answer["errorMessage"].as_str().unwrap();
        assert!(found == status && text.starts_with(message), "{found}: {text}");
    }
    assert_eq!(fixture.get(&format!("{RULES}/usage")).await, (200, rules));
    assert_eq!(fixture.send("POST", &format!("{RULES}/usage"), "application/json", "[]").await.status(), 200);
    assert_eq!(fixture.get(RULES).await, (200, json!({ "_default": [forever] })));
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_and_metrics_tell_what_was_kept() {
    let fixture = Fixture::new().await;
    fixture.publish().await;
    let sql = "SELECT org, SUM(bytes) FROM usage GROUP BY 1 ORDER BY 1";
    let kept = |hits: u64, misses: u64| json!({ "resultCache": { "hits": hits, "misses": misses } }).to_string();
    for (context, expected) in [
        (json!({ "populateCache": false }), kept(0, 1)),
        (json!({}), kept(0, 1)),
        (json!({}), kept(1, 0)),
        (json!({ "useCache": "false" }), kept(0, 0)),
        (json!({ "useResultLevelCache": false, "populateResultLevelCache": false }), kept(1, 0)),
    ] {
        let answer = fixture.sql(json!({ "query": sql, "context": context.clone() })).await;
        assert_eq!(header(&answer, "x-druid-response-context"), Some(expected.as_str()), "{context}");
        assert_eq!(text_of(answer).await, "[{\"org\":null,\"EXPR$1\":7},{\"org\":\"a\",\"EXPR$1\":5}]\n");
    }
    let estimated = "SELECT APPROX_COUNT_DISTINCT(org) AS n FROM usage";
    for native in [true, false] {
        let context = json!({ "useNativeOperators": native, "useCache": false, "populateCache": false });
        let answer = fixture.sql(json!({ "query": estimated, "context": context })).await;
        let expected = r#"{"resultCache":{"hits":0,"misses":0},"approximate":true}"#;
        assert_eq!(header(&answer, "x-druid-response-context"), Some(expected));
    }
    let metrics = text_of(fixture.send("GET", "/metrics", "", "").await).await;
    for line in [
        r#"henge_result_cache_lookups_total{outcome="hit"} 2"#,
        r#"henge_result_cache_lookups_total{outcome="miss"} 2"#,
        "henge_result_cache_evictions_total 0",
        "henge_result_cache_entries 1",
    ] {
        assert!(metrics.lines().any(|found| found == line), "{line} is not in {metrics}");
    }
    assert!(metrics.contains("henge_result_cache_bytes "));
}

#[tokio::test(flavor = "multi_thread")]
async fn ingestion_is_told_in_sql() {
    let fixture = Fixture::new().await;
    let usage = fixture.publish().await;
    let refused = RefusedRecord {
        partition: StreamPartition { topic: "usage".into(), partition: 0 },
        offset: Offset(2),
        reason: Reason::Malformed,
        detail: "no JSON".to_owned(),
        sample: "{".to_owned(),
        refused_at: TimestampMs(5),
    };
    let gap = Gap {
        partition: StreamPartition { topic: "usage".into(), partition: 0 },
        from: Offset(3),
        to: Offset(10),
        cause: GapCause::Retention,
        found_at: TimestampMs(6),
    };
    let mut counts = LedgerCounts::default();
    counts.refuse(Reason::Malformed);
    let range = |start, end, counts| ConsumedRange {
        partition: StreamPartition { topic: "usage".into(), partition: 0 },
        range: OffsetRange { start: Offset(start), end: Offset(end) },
        topic_id: None,
        leader_epoch: None,
        counts,
    };
    let mut consumed = Consumed { ranges: vec![range(2, 3, counts)], ..Consumed::default() };
    consumed.refused.push(refused);
    let store = &fixture.app.services().unwrap().store;
    store.publish(&usage, &usage.cut(), consumed).await.unwrap();
    let ranges = vec![range(10, 12, LedgerCounts::default())];
    let consumed = Consumed { ranges, gaps: vec![gap], ..Consumed::default() };
    store.publish(&usage, &usage.cut(), consumed).await.unwrap();
    let cases = [
        (
            "SELECT supervisor_id, state, healthy, type, source, suspended, lag_records FROM sys.supervisors",
            json!([["usage", "SUSPENDED", 1, "kafka", "usage", 1, null]]),
        ),
        ("SELECT COUNT(*) FROM sys.partitions", json!([[0]])),
        (
            "SELECT * FROM sys.ledger ORDER BY outcome",
            json!([["usage", "usage", 0, "accepted", null, 2], ["usage", "usage", 0, "rejected", "malformed", 1]]),
        ),
        (
            "SELECT datasource, \"offset\", reason, detail, sample, refused_at, is_published FROM sys.refused_records",
            json!([["usage", 2, "malformed", "no JSON", "{", "1970-01-01T00:00:00.005Z", 1]]),
        ),
        ("SELECT * FROM sys.gaps", json!([["usage", "usage", 0, 3, 10, "retention", "1970-01-01T00:00:00.006Z"]])),
        (
            "SELECT TABLE_NAME FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_NAME IN ('gaps', 'partitions')",
            json!([["partitions"], ["gaps"]]),
        ),
        ("SELECT DATA_TYPE FROM INFORMATION_SCHEMA.COLUMNS WHERE COLUMN_NAME = 'found_at'", json!([["TIMESTAMP"]])),
    ];
    for (query, expected) in cases {
        let answer = json_of(fixture.sql(json!({ "query": query, "resultFormat": "array" })).await).await;
        assert_eq!(answer, (200, expected), "{query}");
    }
}
