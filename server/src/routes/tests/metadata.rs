use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn datasources_are_listed_with_their_columns() {
    let fixture = Fixture::new().await;
    for path in ["/druid/v2/datasources", "/druid/v2/datasources/"] {
        assert_eq!(fixture.get(path).await, (200, json!(["usage"])));
    }
    let columns = json!({ "dimensions": ["org", "code"], "metrics": ["events", "bytes"] });
    let none = json!({ "dimensions": [], "metrics": [] });
    let all = "1970-01-01T00:00:00.000Z/1970-01-01T00:00:00.002Z";
    let one = "/druid/v2/datasources/usage";
    for (path, expected) in [
        (one.to_owned(), columns.clone()),
        (format!("{one}?interval=1970-01-01/1970-01-02"), columns.clone()),
        (format!("{one}?interval=1980-01-01/1980-01-02"), none),
        (format!("{one}?full"), json!({ all: columns })),
        (
            format!("{one}?full&interval=1970-01-01T00:00:00.001Z/1980-01-01"),
            json!({
                "1970-01-01T00:00:00.001Z/1970-01-01T00:00:00.002Z": columns
            }),
        ),
        (format!("{one}?full&interval=1980-01-01/1980-01-02"), json!({})),
        (format!("{one}/dimensions"), json!(["org", "code"])),
        (format!("{one}/metrics"), json!(["events", "bytes"])),
    ] {
        assert_eq!(fixture.get(&path).await, (200, expected), "{path}");
    }
    for path in ["other", "other/dimensions", "other/metrics"] {
        assert_eq!(fixture.get(&format!("/druid/v2/datasources/{path}")).await.0, 404, "{path}");
    }
    let (status, body) = fixture.get(&format!("{one}?interval=P1D")).await;
    let message = "`interval` must be like 2026-01-01/2026-02-01T12:00:00Z, not `P1D`";
    assert_eq!((status, &body["errorMessage"]), (400, &json!(message)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_probes_druids_servers_finds_all_of_them_here() {
    let fixture = Fixture::new().await;
    let (_, status) = fixture.get("/status").await;
    let own = json!([{ "name": "henge", "artifact": "henge", "version": env!("CARGO_PKG_VERSION") }]);
    assert_eq!((&status["version"], &status["modules"]), (&json!("33.0.0"), &own));
    for (path, expected) in [
        ("/status/health", json!(true)),
        ("/status/ready", json!(true)),
        ("/status/selfDiscovered/status", json!({ "selfDiscovered": true })),
        ("/druid/broker/v1/loadstatus", json!({ "inventoryInitialized": true })),
        ("/druid/historical/v1/loadstatus", json!({ "cacheInitialized": true })),
        ("/druid/coordinator/v1/isLeader", json!({ "leader": true })),
        ("/druid/indexer/v1/isLeader", json!({ "leader": true })),
        ("/druid/coordinator/v1/loadstatus", json!({ "usage": 100.0 })),
        ("/druid/coordinator/v1/datasources/usage/loadstatus", json!({ "usage": 100.0 })),
        ("/druid/coordinator/v1/metadata/datasources", json!(["usage"])),
        ("/druid/coordinator/v1/lookups/config/all", json!({})),
    ] {
        assert_eq!(fixture.get(path).await, (200, expected), "{path}");
    }
    for path in ["/status/selfDiscovered", "/druid/broker/v1/readiness", "/druid/historical/v1/readiness"] {
        assert_eq!(fixture.send("GET", path, "", "").await.status(), 200, "{path}");
    }
    let (_, properties) = fixture.get("/status/properties").await;
    assert_eq!(properties["henge.version"], env!("CARGO_PKG_VERSION"));
    assert!(properties.as_object().unwrap().values().all(Value::is_string), "{properties}");

    let leader = Request::get("/druid/coordinator/v1/leader").header("host", "metrics.example:8888");
    let response = fixture.router.clone().oneshot(leader.body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(text_of(response).await, "http://metrics.example:8888");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_coordinator_tells_of_published_segments() {
    let fixture = Fixture::new().await;
    const DATA_SOURCES: &str = "/druid/coordinator/v1/datasources";
    assert_eq!(fixture.get(DATA_SOURCES).await, (200, json!([])), "nothing is published");
    let segment = fixture.publish().await.published()[0].clone();
    let id = segment.id.to_string();
    let tier = json!({ "size": segment.bytes, "replicatedSize": segment.bytes, "segmentCount": 1 });
    let summary = json!({
        "tiers": { "_default_tier": tier },
        "segments": {
            "minTime": "1970-01-01T00:00:00.000Z",
            "maxTime": "1970-01-01T01:00:00.000Z",
            "count": 1,
            "size": segment.bytes,
            "replicatedSize": segment.bytes,
        },
    });
    let described = json!({
        "dataSource": "usage",
        "interval": "1970-01-01T00:00:00.000Z/1970-01-01T01:00:00.000Z",
        "version": segment.id.version,
        "loadSpec": { "type": "local", "path": segment.path },
        "dimensions": "org,code",
        "metrics": "events,bytes",
        "shardSpec": { "type": "numbered", "partitionNum": 0, "partitions": 0 },
        "binaryVersion": 9,
        "size": segment.bytes,
        "identifier": id,
    });
    for (path, expected) in [
        (DATA_SOURCES.to_owned(), json!(["usage"])),
        (format!("{DATA_SOURCES}?simple"), json!([{ "name": "usage", "properties": summary }])),
        (format!("{DATA_SOURCES}?full"), json!([{ "name": "usage", "properties": {}, "segments": [described] }])),
        (format!("{DATA_SOURCES}/usage"), summary.clone()),
        ("/druid/coordinator/v1/metadata/segments".to_owned(), json!([described])),
        ("/druid/coordinator/v1/metadata/segments?datasources=other".to_owned(), json!([])),
        ("/druid/coordinator/v1/metadata/datasources/usage/segments".to_owned(), json!([id])),
    ] {
        assert_eq!(fixture.get(&path).await, (200, expected), "{path}");
    }
    assert_eq!(fixture.get(&format!("{DATA_SOURCES}/other")).await.0, 404);
    assert_eq!(fixture.get(&format!("{DATA_SOURCES}/other/loadstatus")).await.0, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_supervisor_that_reads_is_a_task() {
    let fixture = Fixture::new().await;
    const OVERLORD: &str = "/druid/indexer/v1";
    assert_eq!(fixture.get(&format!("{OVERLORD}/tasks")).await, (200, json!([])), "it is suspended");
    let resumed = fixture.post(&format!("{SUPERVISOR}/usage/resume"), json!({})).await;
    assert_eq!(resumed.0, 200);
    let task = json!({
        "id": "usage",
        "groupId": "usage",
        "type": "index_kafka",
        "createdTime": null,
        "queueInsertionTime": null,
        "statusCode": "RUNNING",
        "status": "RUNNING",
        "runnerStatusCode": "RUNNING",
        "duration": -1,
        "location": null,
        "dataSource": "usage",
        "errorMsg": null,
    });
    for (path, expected) in [
        ("tasks", json!([task])),
        ("tasks?state=running&datasource=usage&type=index_kafka", json!([task])),
        ("tasks?state=complete", json!([])),
        ("tasks?datasource=other", json!([])),
        ("runningTasks", json!([task])),
        ("completeTasks", json!([])),
        ("task/usage/status", json!({ "task": "usage", "status": task })),
    ] {
        assert_eq!(fixture.get(&format!("{OVERLORD}/{path}")).await, (200, expected), "{path}");
    }
    assert_eq!(fixture.get(&format!("{OVERLORD}/task/usage")).await.1["payload"]["type"], "index_kafka");
    assert_eq!(fixture.get(&format!("{OVERLORD}/task/other/status")).await.0, 404);
    let (status, body) = fixture.post(&format!("{OVERLORD}/task"), json!({ "type": "index_parallel" })).await;
    assert_eq!((status, &body["category"]), (501, &json!("UNSUPPORTED")));
}
