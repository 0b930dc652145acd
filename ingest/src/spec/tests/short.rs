use super::*;

fn valid() -> Value {
    json!({
        "topic": "usage",
        "kafka": { "bootstrap.servers": "127.0.0.1:9092" },
        "time": { "column": "timestamp", "format": "auto" },
        "dimensions": ["org_id", "cluster_id", "topic", "principal", { "name": "partition", "type": "long" }],
        "measures": { "events": "count", "bytes_in": "long_sum", "latency_max": { "max": "latency_ms" } },
        "rollup": "1m",
        "segment": "1h",
    })
}

/// With every key.
fn full() -> Value {
    json!({
        "datasource": "usage",
        "topic": "usage",
        "kafka": { "bootstrap.servers": "b:9092", "sasl.username": { "env": "USER" }, "sasl.password": { "file": "/p" } },
        "time": { "column": "meta.ts", "format": "micros", "missing": "2026-01-01T00:00:00Z" },
        "dimensions": [
            "org_id",
            "user.id",
            { "name": "ratio", "type": "double", "from": ["a.b", "c"] },
            { "name": "ok", "type": "boolean" },
            { "name": "source", "from": "kafka.header.source" },
            { "name": "at", "type": "long", "from": "kafka.offset" },
            { "name": "kafka", "from": ["kafka", "topic"] },
        ],
        "measures": {
            "events": "count",
            "n": "long_sum",
            "low": { "long_min": "n" },
            "high": { "long_max": "user.n" },
            "d": "sum",
            "dmin": { "double_min": ["x"] },
            "ok_users": { "hll": "user.id", "lg_k": 14, "type": "long" },
            "offsets": { "theta": "kafka.offset", "size": 1000 },
            "latency": { "quantiles": "ms", "k": 400 },
            "sessions": "hll",
        },
        "sort": ["__time"],
        "tenant": "org_id",
        "query_granularity": { "type": "period", "period": "P1D", "timeZone": "Europe/Berlin" },
        "segment": { "type": "period", "period": "P1D", "timeZone": "Europe/Berlin" },
        "start": "latest",
        "late": "7d",
        "early": "PT1H",
        "not_before": "2026-01-01T00:00:00Z",
        "retention": [{ "type": "loadByPeriod", "period": "P1M", "includeFuture": false }, { "type": "dropForever" }],
        "compaction": { "rows": 500_000, "bytes": 50_000_000, "quiet": "90s" },
        "cut": { "rows": 1000, "bytes": 2_000_000, "age": "90s" },
        "record_bytes_max": 4096,
        "suspended": true,
    })
}

#[test]
fn the_short_form_is_understood() {
    let spec = SupervisorSpec::from_short_form("usage", &valid()).unwrap();
    let dimensions = ["org_id", "cluster_id", "topic", "principal"];
    let mut expected = SupervisorSpec {
        data_source: DataSourceName::new("usage").unwrap(),
        schema: DataSourceSchema {
            dimensions: dimensions.map(|name| dimension(name, DimensionType::String)).into(),
            measures: vec![
                measure("events", Aggregation::Count),
                measure("bytes_in", Aggregation::LongSum),
                measure("latency_max", Aggregation::DoubleMax),
            ],
            rollup: true,
            query_granularity: granularity("1m"),
            segment_granularity: granularity("1h"),
            sort: Vec::new(),
            tenant: None,
        },
        input: InputSpec {
            time: TimeSpec { source: path("timestamp"), format: TimeFormat::Auto, missing: None },
            dimensions: dimensions.map(path).into(),
            measures: vec![None, Some(path("bytes_in")), Some(path("latency_ms"))],
        },
        transform: Transform::default(),
        topics: Topics::One("usage".into()),
        client_properties: spec.client_properties.clone(),
        start: StartAt::Earliest,
        time_policy: TimePolicy::default(),
        cut: CutConfig { rows_max: 5_000_000, bytes_max: 268_435_456, age_ms_max: 300_000 },
        upkeep: UpkeepPolicy::default(),
        record_bytes_max: 1_048_576,
        suspended: false,
    };
    expected.schema.dimensions.push(dimension("partition", DimensionType::Long));
    expected.input.dimensions.push(path("partition"));
    assert_eq!(spec, expected);
    assert_eq!(spec.client_properties.literal("bootstrap.servers"), Some("127.0.0.1:9092"));
    assert_reads_back(&spec);
}

#[test]
fn every_key_is_understood_and_written_back() {
    let spec = SupervisorSpec::from_json(&full()).unwrap().spec;
    assert_reads_back(&spec);
    assert_eq!(SupervisorSpec::from_short_form("usage", &full()).as_ref(), Ok(&spec));
    let kafka = |field| FieldSource::Kafka(field);
    let keys = |keys: &[&str]| FieldSource::Path(keys.iter().map(|key| (*key).to_owned()).collect());
    let dimensions = [
        path("org_id"),
        path("user.id"),
        keys(&["a.b", "c"]),
        path("ok"),
        kafka(KafkaField::Header("source".into())),
        kafka(KafkaField::Offset),
        keys(&["kafka", "topic"]),
    ];
    assert_eq!(spec.input.dimensions, dimensions);
    let measures = [None, Some("n"), Some("n"), Some("user.n"), Some("d"), Some("x"), Some("user.id")];
    let mut measures = measures.map(|field| field.map(path)).to_vec();
    measures.extend([Some(kafka(KafkaField::Offset)), Some(path("ms")), Some(path("sessions"))]);
    assert_eq!(spec.input.measures, measures);
    let sketch = |kind, of| Aggregation::Sketch(SketchMeasure { kind, of });
    let sketches: Vec<_> = spec.schema.measures[6..].iter().map(|measure| measure.aggregation).collect();
    let expected = [
        sketch(SketchKind::Hll { lg_k: 14 }, DimensionType::Long),
        // As the dimension that is read from there, and the next power of two.
        sketch(SketchKind::Theta { lg_k: 10 }, DimensionType::Long),
        sketch(SketchKind::Quantiles { k: 400 }, DimensionType::Double),
        sketch(SketchKind::HLL, DimensionType::String),
    ];
    assert_eq!(sketches, expected);
    let missing = Some(TimestampMs(1_767_225_600_000));
    assert_eq!(spec.input.time, TimeSpec { source: path("meta.ts"), format: TimeFormat::Micros, missing });
    assert!(!spec.schema.rollup);
    assert_eq!(spec.schema.query_granularity, spec.schema.segment_granularity);
    let policy = TimePolicy { late_ms_max: Some(604_800_000), early_ms_max: Some(3_600_000), not_before: missing };
    assert_eq!(spec.time_policy, policy);
    assert_eq!(spec.cut, CutConfig { rows_max: 1000, bytes_max: 2_000_000, age_ms_max: 90_000 });
    assert_eq!((spec.start, spec.record_bytes_max, spec.suspended), (StartAt::Latest, 4096, true));
}

#[test]
fn upkeep_is_understood_in_its_short_and_its_long_form() {
    let spec = SupervisorSpec::from_json(&full()).unwrap().spec;
    let period = "P1M".parse().unwrap();
    let keep = Rule::LoadByPeriod { period, include_future: false, tiered_replicants: None };
    assert_eq!(spec.upkeep.retention, [keep, Rule::DropForever]);
    assert_eq!(spec.upkeep.compaction, CompactionTarget { rows: 500_000, bytes: 50_000_000, quiet_ms: 90_000 });

    let mut json = valid();
    put(&mut json, "/retention", Some(json!("1y")));
    let tiers = json!([{ "after": "7d", "granularity": "15m" }, { "after": "P3M", "granularity": "hour" }]);
    put(&mut json, "/rollup_after", Some(tiers));
    let spec = SupervisorSpec::from_short_form("usage", &json).unwrap();
    assert_eq!(spec.upkeep.retention, keep_for("P1Y".parse().unwrap()));
    let tier = |after: &str, to| RollupTier { after: after.parse().unwrap(), granularity: granularity(to) };
    assert_eq!(spec.upkeep.rollup_after, [tier("P7D", "15m"), tier("P3M", "1h")]);
    assert_eq!(spec.to_json()["retention"], json!("P1Y"));
    assert_reads_back(&spec);
}

#[test]
fn without_rollup_every_event_is_kept_as_it_is() {
    for rollup in [None, Some(json!(false))] {
        let mut json = valid();
        put(&mut json, "/rollup", rollup);
        put(&mut json, "/measures", None);
        let spec = SupervisorSpec::from_short_form("usage", &json).unwrap();
        assert!(!spec.schema.rollup && spec.schema.query_granularity.is_none() && spec.schema.measures.is_empty());
        assert_reads_back(&spec);
    }
}

/// What is changed in a valid spec, to what, and what is said about it.
#[rustfmt::skip]
fn mistakes() -> Vec<(&'static str, Option<Value>, &'static str)> {
    vec![
        ("/topicc", Some(json!("usage")), "topicc: unknown field (did you mean `topic`?)"),
        ("/Segment", Some(json!("1h")), "Segment: unknown field (did you mean `segment`?)"),
        ("/partitions_per_thread", Some(json!(1)), "partitions_per_thread: unknown field"),
        ("/topic", None, "topic: is missing: name the Kafka topic to read, or write a `topic_pattern`"),
        ("/topic", Some(json!(null)), "topic: is missing: name the Kafka topic to read, or write a `topic_pattern`"),
        ("/topic", Some(json!(3)), "topic: expected a string, found 3"),
        ("/topic_pattern", Some(json!("usage.*")), "topic_pattern: `topic` says already what is read: leave one of the two out"),
        ("/topic", Some(json!("")), "topic: a topic has a name of 1 to 249 letters, digits, `.`, `_` and `-`"),
        ("/topic", Some(json!("^usage.*")), "topic: a topic has a name of 1 to 249 letters, digits, `.`, `_` and `-`"),
        ("/datasource", Some(json!("other")), "datasource: the spec stands under the name `usage`: leave this out"),
        ("/kafka", None, "kafka: is missing: set at least { \"bootstrap.servers\" = \"HOST:PORT\" }"),
        ("/kafka", Some(json!("b:9092")), "kafka: expected an object, found \"b:9092\""),
        ("/time", None, "time: is missing: say which field holds the event time, such as `timestamp`"),
        ("/time", Some(json!(5)), "time: expected a field's path, as a string or an array of keys, found 5"),
        ("/time/column", None, "time.column: is missing: say which field holds the event time"),
        ("/time/colum", Some(json!("t")), "time.colum: unknown field (did you mean `column`?)"),
        ("/time/format", Some(json!("posix")), "time.format: expected one of `iso`, `seconds`, `millis`, `micros`, `nanos`, `auto`, found \"posix\""),
        ("/time/missing", Some(json!("now")), "time.missing: expected an ISO-8601 instant such as `2026-01-01T00:00:00Z`, found \"now\""),
        ("/dimensions", Some(json!("org_id")), "dimensions: expected an array, found \"org_id\""),
        ("/dimensions/1", Some(json!(5)), "dimensions[1]: expected a name, or an object with `name`, `type` and `from`, found 5"),
        ("/dimensions/1", Some(json!("org_id")), "column `org_id` is declared twice"),
        ("/dimensions/1", Some(json!("__time")), "`__time` is the event time and cannot be declared as a dimension or a measure"),
        ("/dimensions/1", Some(json!("a..b")), "dimensions[1]: `a..b` has an empty key; write a path with such a key as an array of strings"),
        ("/dimensions/1", Some(json!("kafka.topik")), "dimensions[1]: unknown field `topik` of a Kafka record (did you mean `topic`?); a path into the JSON that begins with `kafka` is written as an array of keys"),
        ("/dimensions/4/name", None, "dimensions[4].name: is missing: name the column"),
        ("/dimensions/4/type", Some(json!("lnog")), "dimensions[4].type: expected one of `string`, `long`, `double`, `boolean`, found \"lnog\""),
        ("/dimensions/4/from", Some(json!([])), "dimensions[4].from: a path needs at least one key"),
        ("/dimensions/4/from", Some(json!(["a", 1])), "dimensions[4].from[1]: expected a string, found 1"),
        ("/dimensions/4/form", Some(json!("p")), "dimensions[4].form: unknown field (did you mean `from`?)"),
        ("/measures", Some(json!(["count"])), "measures: expected an object, found an array"),
        ("/measures/bytes_in", Some(json!("longsum")), "measures.bytes_in: unknown aggregation `longsum` (did you mean `long_sum`?); expected \"count\", an aggregation such as \"long_sum\", { long_sum = \"FIELD\" }, or a sketch such as { hll = \"FIELD\" }"),
        ("/measures/bytes_in", Some(json!({ "p99": "x" })), "measures.bytes_in.p99: unknown aggregation `p99`; expected \"count\", an aggregation such as \"long_sum\", { long_sum = \"FIELD\" }, or a sketch such as { hll = \"FIELD\" }"),
        ("/measures/bytes_in", Some(json!({ "count": "x" })), "measures.bytes_in.count: a count needs no field: write \"count\""),
        ("/measures/bytes_in", Some(json!({})), "measures.bytes_in: expected \"count\", an aggregation such as \"long_sum\", { long_sum = \"FIELD\" }, or a sketch such as { hll = \"FIELD\" }, found an object"),
        ("/measures/users", Some(json!({ "hll": "user", "lgk": 12 })), "measures.users.lgk: unknown field (did you mean `lg_k`?)"),
        ("/measures/users", Some(json!({ "hll": "user", "lg_k": 40 })), "measures.users.lg_k: lgK of an HLL sketch must lie between 4 and 21, not 40"),
        ("/measures/users", Some(json!({ "hll": "user", "type": "text" })), "measures.users.type: expected one of `string`, `long`, `double`, `boolean`, found \"text\""),
        ("/measures/users", Some(json!({ "theta": "user", "size": 7 })), "measures.users.size: the size of a theta sketch must lie between 32 and 1048576, not 7"),
        ("/measures/users", Some(json!({ "theta": 7 })), "measures.users.theta: expected a field's path, as a string or an array of keys, found 7"),
        ("/measures/users", Some(json!({ "quantiles": "ms", "type": "long" })), "measures.users.type: unknown field"),
        ("/measures/users", Some(json!("hlls")), "measures.users: unknown aggregation `hlls` (did you mean `hll`?); expected \"count\", an aggregation such as \"long_sum\", { long_sum = \"FIELD\" }, or a sketch such as { hll = \"FIELD\" }"),
        ("/measures/org_id", Some(json!("count")), "column `org_id` is declared twice"),
        ("/rollup", Some(json!(true)), "rollup: expected a granularity such as `1h`, found true"),
        ("/rollup", Some(json!("1 minute")), "rollup: `1 minute` is not a granularity: write a number and ms, s, m, h, d or w (`5m`), an ISO-8601 period (`PT5M`, `P1M`), or a name such as minute, hour, day, month, none, all"),
        ("/rollup", Some(json!("7m")), "rollup buckets of PT7M cross the boundaries of time chunks of PT1H"),
        ("/rollup", Some(json!({ "type": "period" })), "rollup: expected {\"type\": \"period\", \"period\": \"PT1H\"} or {\"type\": \"duration\", \"duration\": 3600000}"),
        ("/rollup", Some(json!({ "type": "period", "period": "P1D", "timeZone": "Mars" })), "rollup: `Mars` is not a time zone: use an IANA name such as `America/Los_Angeles`, `UTC`, or an offset such as `-08:00`"),
        ("/query_granularity", Some(json!("1m")), "query_granularity: `rollup` already says what event times are floored to: leave this out"),
        ("/segment", Some(json!("none")), "segment granularity `none` would make a time chunk of every millisecond"),
        ("/start", Some(json!("begin")), "start: expected one of `earliest`, `latest`, found \"begin\""),
        ("/late", Some(json!("1 week")), "late: expected a length of time such as `90s`, `5m`, `7d`, `PT1H` or `P7D` (no months or years), found \"1 week\""),
        ("/early", Some(json!(60)), "early: expected a string, found 60"),
        ("/cut", Some(json!({ "row": 5 })), "cut.row: unknown field (did you mean `rows`?)"),
        ("/cut", Some(json!({ "rows": 0 })), "cut.rows: expected a whole number of at least 1, found 0"),
        ("/cut", Some(json!({ "bytes": 1.5 })), "cut.bytes: expected a whole number of at least 1, found 1.5"),
        ("/cut", Some(json!({ "age": "0s" })), "cut.age: an age of nothing would cut at every event: use at least `1s`"),
        ("/retention", Some(json!("0d")), "retention: `0d` is not a length of time: write an ISO-8601 period such as `P30D` or `P1M`, or `30d`, `36h`, `6mo`"),
        ("/retention", Some(json!(30)), "retention: expected a length of time such as `30d`, or a list of Druid's load and drop rules, found 30"),
        ("/retention", Some(json!([{ "type": "keepForever" }])), "retention[0]: is no rule: unknown variant `keepForever`, expected one of `loadForever`, `loadByPeriod`, `loadByInterval`, `dropForever`, `dropByPeriod`, `dropBeforeByPeriod`, `dropByInterval`"),
        ("/retention", Some(json!([{ "type": "dropForever" }, { "type": "loadForever" }])), "rule 2 is never asked: the rule before it decides about every time chunk"),
        ("/rollup_after", Some(json!([{ "after": "7d" }])), "rollup_after[0].granularity: is missing: say how coarse, such as `1h`"),
        ("/rollup_after", Some(json!([{ "after": "7d", "granularity": "1d" }])), "rolling up to P1D would cross the boundaries of time chunks"),
        ("/compaction", Some(json!({ "rows": 0 })), "compaction.rows: expected a whole number of at least 1, found 0"),
        ("/record_bytes_max", Some(json!("1MiB")), "record_bytes_max: expected a whole number of at least 1, found \"1MiB\""),
        ("/suspended", Some(json!("no")), "suspended: expected true or false, found \"no\""),
    ]
}

#[test]
fn each_mistake_is_named_with_its_path_and_what_to_change() {
    for (pointer, value, message) in mistakes() {
        let mut json = valid();
        put(&mut json, pointer, value);
        let error = SupervisorSpec::from_short_form("usage", &json).unwrap_err();
        // What is wrong with the columns together stands at the spec itself.
        let has_path = message.split_once(": ").is_some_and(|(path, _)| !path.contains(' '));
        let separator = if has_path { "." } else { ": " };
        assert_eq!(error.to_string(), format!("datasource.usage{separator}{message}"), "{pointer}");
    }
}

#[test]
fn all_mistakes_are_reported_at_once() {
    let mut json = valid();
    for (pointer, value) in [
        ("/topic", Some(json!(3))),
        ("/kafka/bootstrap.servers", None),
        ("/time", None),
        ("/dimensions/0", Some(json!(false))),
        ("/dimensions/4/type", Some(json!("int"))),
        ("/measures/events", Some(json!("counter"))),
        ("/segments", Some(json!("1h"))),
        ("/late", Some(json!("soon"))),
        ("/early", Some(json!("soon"))),
    ] {
        put(&mut json, pointer, value);
    }
    let error = SupervisorSpec::from_json(&json).unwrap_err();
    let paths: Vec<&str> = error.problems.iter().map(|problem| problem.path.as_str()).collect();
    let expected = [
        "segments",
        "datasource",
        "topic",
        "kafka",
        "time",
        "dimensions[0]",
        "dimensions[4].type",
        "measures.events",
        "late",
        "early",
    ];
    assert_eq!(paths, expected, "{error}");
    assert!(
        error
            .to_string()
            .starts_with("the spec has 10 problems:\n- segments: unknown field (did you mean `segment`?)\n")
    );
}

#[test]
fn names_of_datasources_are_checked() {
    let error = SupervisorSpec::from_short_form("../etc", &valid()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "datasource.\"../etc\".datasource: `../etc` cannot name a datasource: use 1 to 128 letters, digits, `_`, `-` or `.`, \
         and start with a letter, a digit or `_`"
    );
}

#[test]
fn a_spec_without_columns_is_refused() {
    let mut json = valid();
    put(&mut json, "/dimensions", None);
    put(&mut json, "/measures", None);
    assert_eq!(
        SupervisorSpec::from_short_form("usage", &json).unwrap_err().to_string(),
        "datasource.usage: declares no columns: list at least one dimension or measure"
    );
    for no_spec in [json!(null), json!(5), json!([]), json!("usage")] {
        let error = SupervisorSpec::from_json(&no_spec).unwrap_err();
        assert!(error.to_string().starts_with("expected an object, found "), "{error}");
    }
}

#[test]
fn no_change_of_a_spec_makes_reading_it_panic() {
    assert_no_change_makes_it_panic(&full());
}
