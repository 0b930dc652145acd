use super::*;

fn parse(text: &str) -> Result<Config, ConfigError> {
    Config::parse("henge.toml", text, Overrides::default())
}

#[test]
fn an_empty_file_is_all_defaults() {
    let expected = Config {
        listen: "127.0.0.1:8888".parse().unwrap(),
        pg_listen: None,
        data_dir: "henge-data".into(),
        object_store: None,
        slot: Slot::WHOLE,
        refresh: Duration::from_secs(1),
        limits: Limits::default(),
        upkeep: UpkeepConfig::default(),
        lookups: Lookups::default(),
        specs: vec![],
        datasets: vec![],
    };
    assert_eq!(parse(""), Ok(expected));
}

#[test]
fn every_setting_is_read() {
    let config = parse(
        r#"
        [server]
        listen = "0.0.0.0:80"
        pg_listen = "127.0.0.1:5432"
        data_dir = "/var/lib/henge"
        object_store = "s3://bucket/prefix"
        slot = "2/3"
        refresh = "250ms"
        [limits]
        connections = 7
        connections_per_address = 6
        header_timeout = "1s"
        idle_timeout = "5s"
        stall_timeout = "2s"
        request_size = "1KiB"
        statement_size = "20KiB"
        statement_tokens = 21
        list_items = 22
        expression_operators = 23
        set_arms = 24
        nesting = 25
        plan_timeout = "26s"
        query_timeout = "3s"
        query_timeout_max = "4m"
        queries = 11
        queries_waiting = 12
        queue_timeout = "27s"
        query_memory = "5MiB"
        queries_memory = "6GiB"
        result_cache = "7MiB"
        spill_size = "11GiB"
        result_rows = 8
        result_size = "9MiB"
        metrics_requests = 16
        async_statements = 13
        async_size = "14MiB"
        async_age = "15m"
        scanned_segments = 28
        scanned_size = "29GiB"
        ingest_memory = "3GiB"
        cache_size = "10GiB"
        shutdown_timeout = "1500ms"
        [lookup.regions]
        map = { eu = "Europe" }
        [upkeep]
        cpu = 0.5
        every = "1s"
        sweep_grace = "2h"
        scrub_rate = "1MiB"
        [datasource.usage]
        topic = "usage"
        kafka = { "bootstrap.servers" = "127.0.0.1:9092" }
        dimensions = ["org", { name = "partition", type = "long" }]
        time = { column = "t" }
        measures = { events = "count" }
        segment = "1h"
        [dataset.cloud.resources.org]
        id = "org"
        [dataset.cloud.metrics."server/events"]
        datasource = "usage"
        measure = "events"
        kind = "counter"
        unit = "1"
        resources = ["org"]
        labels = { partition = "partition" }
        "#,
    )
    .unwrap();
    let limits = Limits {
        connection: ConnectionLimits {
            connections_max: 7,
            per_address_max: 6,
            header_timeout: Duration::from_secs(1),
            idle_timeout: Duration::from_secs(5),
            stall_timeout: Duration::from_secs(2),
        },
        request_bytes_max: 1 << 10,
        metrics_requests_max: 16,
        query: QueryLimits {
            statement: StatementLimits {
                text_bytes: 20 << 10,
                tokens: 21,
                list_items: 22,
                operators: 23,
                set_arms: 24,
                nesting: 25,
            },
            plan_time_max: Duration::from_secs(26),
            wait_max: Duration::from_secs(27),
            scanned_segments_max: 28,
            scanned_bytes_max: 29 << 30,
            timeout_default: Duration::from_secs(3),
            timeout_max: Duration::from_secs(240),
            queries_max: 11,
            queries_waiting_max: 12,
            query_memory_bytes: 5 << 20,
            memory_bytes: 6 << 30,
            result_cache_bytes: 7 << 20,
            spill_bytes: 11 << 30,
            result_rows_max: 8,
            result_bytes_max: 9 << 20,
            ..QueryLimits::default()
        },
        asynchronous: AsyncLimits { count_max: 13, bytes_max: 14 << 20, age_max: Duration::from_secs(900) },
        ingest_bytes_max: 3 << 30,
        cache_bytes_max: 10 << 30,
        shutdown_timeout: Duration::from_millis(1_500),
    };
    let spec = serde_json::json!({
        "topic": "usage",
        "kafka": {"bootstrap.servers": "127.0.0.1:9092"},
        "dimensions": ["org", {"name": "partition", "type": "long"}],
        "time": {"column": "t"},
        "measures": {"events": "count"},
        "segment": "1h"
    });
    let dataset = serde_json::json!({
        "resources": { "org": { "id": "org" } },
        "metrics": { "server/events": {
            "datasource": "usage", "measure": "events", "kind": "counter", "unit": "1", "resources": ["org"],
            "labels": { "partition": "partition" },
        } },
    });
    let expected = Config {
        listen: "0.0.0.0:80".parse().unwrap(),
        pg_listen: Some("127.0.0.1:5432".parse().unwrap()),
        data_dir: "/var/lib/henge".into(),
        object_store: Some("s3://bucket/prefix".into()),
        slot: "2/3".parse().unwrap(),
        refresh: Duration::from_millis(250),
        limits,
        lookups: Lookups([("regions".to_owned(), [("eu".to_owned(), "Europe".to_owned())].into())].into()),
        upkeep: UpkeepConfig {
            cpu: 0.5,
            every: Duration::from_secs(1),
            sweep_grace: Duration::from_secs(7_200),
            scrub_rate: 1 << 20,
        },
        specs: vec![SupervisorSpec::from_short_form("usage", &spec).unwrap()],
        datasets: vec![(DatasetName::new("cloud").unwrap(), Dataset::from_json(&dataset).unwrap())],
    };
    assert_eq!(config, expected);
}

#[test]
fn flags_and_environment_stand_before_the_file() {
    let overrides = Overrides {
        listen: Some("127.0.0.1:1".parse().unwrap()),
        data_dir: Some("flag".into()),
        object_store: Some("s3://flag".into()),
        slot: Slot::new(1, 2),
        pg_listen: Some("127.0.0.1:3".parse().unwrap()),
    };
    let file = "[server]\nlisten = \"127.0.0.1:2\"\npg_listen = \"127.0.0.1:4\"\ndata_dir = \"file\"\nobject_store = \"s3://file\"\nslot = \"0/2\"";
    let config = Config::parse("henge.toml", file, overrides).unwrap();
    let ports = (config.listen.port(), config.pg_listen.map(|address| address.port()));
    let found = (ports, config.data_dir, config.object_store, config.slot.to_string());
    assert_eq!(found, ((1, Some(3)), "flag".into(), Some("s3://flag".into()), "1/2".to_owned()));
}

#[test]
fn each_mistake_is_one_line_that_names_the_file_and_the_setting() {
    let cases = [
        ("[server]\nlisten = ", "henge.toml:2:10: string values must be quoted, expected literal string"),
        ("[sever]", "henge.toml: `sever` is no setting; did you mean `server`?"),
        ("[server]\nlisen = \"x\"", "henge.toml: `server.lisen` is no setting; did you mean `server.listen`?"),
        ("[server]\nzzz = 1", "henge.toml: `server.zzz` is no setting"),
        (
            "[dataset.cloud.resources.org]\nid = \"org\"",
            "henge.toml: dataset `cloud`: `metrics` are missing: declare one at least",
        ),
        ("[upkeep]\ncpu = 1.5", "henge.toml: `upkeep.cpu` must be a number above 0 and up to 1, not 1.5"),
        (
            "[server]\nlisten = \"localhost\"",
            "henge.toml: `server.listen` must be an address such as \"127.0.0.1:8888\", not \"localhost\"",
        ),
        (
            "[server]\nslot = \"2/2\"",
            "henge.toml: `server.slot` must be a slot such as \"0/2\", the first of two, not \"2/2\"",
        ),
        (
            "[server]\nslot = \"0/2\"\n[upkeep]\nsweep_grace = \"1m\"",
            "henge.toml: `upkeep.sweep_grace` must be longer than `limits.query_timeout_max` where there are slots, not 60s",
        ),
        ("[server]\ndata_dir = 7", "henge.toml: `server.data_dir` must be a string, not 7"),
        ("server = 1", "henge.toml: `server` must be a table, not 1"),
        ("[limits]\nconnections = 0", "henge.toml: `limits.connections` must be a whole number of at least 1, not 0"),
        (
            "[limits]\nquery_timeout = 30",
            "henge.toml: `limits.query_timeout` must be a duration such as \"30s\" or \"5m\", not 30",
        ),
        (
            "[limits]\nquery_timeout = \"0s\"",
            "henge.toml: `limits.query_timeout` must be a duration such as \"30s\" or \"5m\", not \"0s\"",
        ),
        (
            "[limits]\nquery_memory = \"1 GB\"",
            "henge.toml: `limits.query_memory` must be a size such as \"512MiB\" or \"2GiB\", not \"1 GB\"",
        ),
        (
            "[limits]\nquery_memroy = \"1GiB\"",
            "henge.toml: `limits.query_memroy` is no setting; did you mean `limits.query_memory`?",
        ),
        (
            "[datasource.usage]\ntopik = \"x\"\nkafka = { \"bootstrap.servers\" = \"b:1\" }\ntime = { column = \"t\" }\n\
             dimensions = [\"o\"]",
            "henge.toml: datasource.usage.topik: unknown field (did you mean `topic`?); datasource.usage.topic: is \
             missing: name the Kafka topic to read, or write a `topic_pattern`",
        ),
        ("[datasource]\nusage = \"x\"", "henge.toml: `datasource.usage` must be a table, not \"x\""),
    ];
    for (text, expected) in cases {
        assert_eq!(parse(text).unwrap_err().to_string(), expected, "{text}");
    }
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let error = Config::load(Some(Path::new("no/such/henge.toml")), Overrides::default()).unwrap_err();
    assert_eq!(error.to_string(), "cannot read no/such/henge.toml: No such file or directory (os error 2)");
}
