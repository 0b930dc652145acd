use super::*;

fn nested() -> Value {
    json!({
        "type": "kafka",
        "spec": {
            "dataSchema": {
                "dataSource": "usage",
                "timestampSpec": { "column": "ts", "format": "posix", "missingValue": null },
                "dimensionsSpec": { "dimensions": [
                    "host",
                    { "type": "long", "name": "code" },
                    { "type": "float", "name": "ratio", "createBitmapIndex": false },
                    "region",
                ] },
                "metricsSpec": [
                    { "type": "count", "name": "count" },
                    { "type": "doubleSum", "name": "v", "fieldName": "value" },
                    { "type": "longMax", "name": "peak", "fieldName": "deep" },
                    { "type": "floatMin", "name": "low", "fieldName": "value" },
                ],
                "granularitySpec": {
                    "type": "uniform", "segmentGranularity": "HOUR", "queryGranularity": "MINUTE", "rollup": true,
                },
            },
            "ioConfig": {
                "type": "kafka",
                "topic": "t",
                "inputFormat": {
                    "type": "json",
                    "flattenSpec": { "useFieldDiscovery": true, "fields": [
                        { "type": "path", "name": "deep", "expr": "$.a['b.c'].d" },
                        { "type": "root", "name": "region", "expr": "Region" },
                    ] },
                },
                "consumerProperties": { "bootstrap.servers": "b:9092" },
                "useEarliestOffset": true,
                "lateMessageRejectionPeriod": "P7D",
                "earlyMessageRejectionPeriod": "PT1H",
                "lateMessageRejectionStartDateTime": "2026-01-01T00:00:00Z",
                "taskCount": 1,
                "replicas": 1,
                "taskDuration": "PT1H",
                "autoScalerConfig": null,
            },
            "tuningConfig": {
                "type": "kafka",
                "maxRowsInMemory": 150_000,
                "maxBytesInMemory": 0,
                "maxRowsPerSegment": 1_000_000,
                "maxTotalRows": 20_000_000,
                "intermediateHandoffPeriod": "PT10M",
            },
        },
    })
}

fn read(json: &Value) -> Result<Accepted, String> {
    SupervisorSpec::from_druid(json).map_err(|error| error.to_string())
}

#[test]
fn druids_spec_is_understood_nested_and_flat() {
    let accepted = read(&nested()).unwrap();
    let keys = |keys: &[&str]| FieldSource::Path(keys.iter().map(|key| (*key).to_owned()).collect());
    let expected = SupervisorSpec {
        data_source: DataSourceName::new("usage").unwrap(),
        schema: DataSourceSchema {
            dimensions: vec![
                dimension("host", DimensionType::String),
                dimension("code", DimensionType::Long),
                dimension("ratio", DimensionType::Double),
                dimension("region", DimensionType::String),
            ],
            measures: vec![
                measure("count", Aggregation::Count),
                measure("v", Aggregation::DoubleSum),
                measure("peak", Aggregation::LongMax),
                measure("low", Aggregation::DoubleMin),
            ],
            rollup: true,
            query_granularity: granularity("1m"),
            segment_granularity: granularity("1h"),
            sort: Vec::new(),
            tenant: None,
        },
        input: InputSpec {
            time: TimeSpec { source: path("ts"), format: TimeFormat::Seconds, missing: None },
            dimensions: vec![path("host"), path("code"), path("ratio"), path("Region")],
            measures: vec![None, Some(path("value")), Some(keys(&["a", "b.c", "d"])), Some(path("value"))],
        },
        transform: Transform::default(),
        topics: Topics::One("t".into()),
        client_properties: accepted.spec.client_properties.clone(),
        start: StartAt::Earliest,
        time_policy: TimePolicy {
            late_ms_max: Some(7 * 86_400_000),
            early_ms_max: Some(3_600_000),
            not_before: Some(TimestampMs(1_767_225_600_000)),
        },
        cut: CutConfig { rows_max: 1_000_000, bytes_max: 268_435_456, age_ms_max: 600_000 },
        upkeep: UpkeepPolicy {
            compaction: CompactionTarget { rows: 1_000_000, ..CompactionTarget::default() },
            ..UpkeepPolicy::default()
        },
        record_bytes_max: 1_048_576,
        suspended: false,
    };
    assert_eq!(accepted.spec, expected);
    let ignored = [
        "spec.ioConfig.taskCount",
        "spec.ioConfig.replicas",
        "spec.ioConfig.taskDuration",
        "spec.dataSchema.dimensionsSpec.dimensions[2].createBitmapIndex",
        "spec.tuningConfig.maxRowsInMemory",
    ];
    assert_eq!(accepted.warnings, ignored.map(|path| format!("{path}: has no meaning here and is ignored")));
    assert_reads_back(&accepted.spec);

    let mut flat = nested()["spec"].clone();
    flat["type"] = json!("kafka");
    assert_eq!(read(&flat).unwrap().spec, expected);
    assert_eq!(SupervisorSpec::from_json(&flat).unwrap().spec, expected);
    assert_eq!(SupervisorSpec::from_json(&nested()).unwrap().spec, expected);
}

#[test]
fn druids_aggregators_of_sketches_become_sketches() {
    let mut json = nested();
    let metrics = json!([
        { "type": "HLLSketchBuild", "name": "hosts", "fieldName": "host", "lgK": 14, "tgtHllType": "HLL_4", "round": true },
        { "type": "HLLSketchBuild", "name": "codes", "fieldName": "code", "stringEncoding": "utf8" },
        { "type": "thetaSketch", "name": "users", "fieldName": "deep", "size": 4096, "isInputThetaSketch": false },
        { "type": "quantilesDoublesSketch", "name": "older", "fieldName": "value", "k": 256 },
        { "type": "quantilesDoublesSketch", "name": "usual", "fieldName": "value" },
        { "type": "KllDoublesSketch", "name": "kll", "fieldName": "value", "k": 256 },
    ]);
    put(&mut json, "/spec/dataSchema/metricsSpec", Some(metrics));
    let accepted = read(&json).unwrap();
    let sketch = |name: &str, kind, of| measure(name, Aggregation::Sketch(SketchMeasure { kind, of }));
    let expected = [
        sketch("hosts", SketchKind::Hll { lg_k: 14 }, DimensionType::String),
        sketch("codes", SketchKind::HLL, DimensionType::Long),
        sketch("users", SketchKind::Theta { lg_k: 12 }, DimensionType::String),
        sketch("older", SketchKind::Quantiles { k: 400 }, DimensionType::Double),
        sketch("usual", SketchKind::Quantiles { k: 200 }, DimensionType::Double),
        sketch("kll", SketchKind::Quantiles { k: 256 }, DimensionType::Double),
    ];
    assert_eq!(accepted.spec.schema.measures, expected);
    let sources = ["host", "code", "", "value", "value", "value"].map(|field| Some(path(field)));
    assert_eq!(accepted.spec.input.measures[..2], sources[..2]);
    assert_eq!(accepted.spec.input.measures[3..], sources[3..]);
    let metric = |place: usize, message: &str| format!("spec.dataSchema.metricsSpec[{place}]{message}");
    for warning in [
        metric(0, ".tgtHllType: has no meaning here and is ignored"),
        metric(0, ".round: has no meaning here and is ignored"),
        metric(3, ": is kept as a KLL sketch of k = 400, which is as exact"),
        metric(4, ": is kept as a KLL sketch of k = 200, which is as exact"),
    ] {
        assert!(accepted.warnings.contains(&warning), "{warning} in {:?}", accepted.warnings);
    }
    assert_reads_back(&accepted.spec);
}

#[test]
fn druids_defaults_are_honoured_and_those_that_surprise_are_mentioned() {
    let accepted = read(&json!({
        "type": "kafka",
        "id": "usage-eu",
        "suspended": true,
        "dataSchema": {
            "dataSource": "usage",
            "timestampSpec": {},
            "dimensionsSpec": { "dimensions": ["a.b"] },
        },
        "ioConfig": {
            "topic": "t", "inputFormat": { "type": "json" }, "consumerProperties": { "bootstrap.servers": "b:9092" },
        },
    }))
    .unwrap();
    let spec = &accepted.spec;
    assert_eq!(spec.start, StartAt::Latest);
    assert_eq!(spec.input.time, TimeSpec { source: path("timestamp"), format: TimeFormat::Auto, missing: None });
    // Druid does not look into nested objects without a flattenSpec.
    assert_eq!(spec.input.dimensions, [FieldSource::Path(vec!["a.b".into()])]);
    assert!(spec.schema.rollup && spec.schema.query_granularity.is_none() && spec.suspended);
    assert_eq!(spec.schema.segment_granularity, granularity("day"));
    assert_eq!(spec.cut, CutConfig::default());
    assert_eq!(
        accepted.warnings,
        [
            "ioConfig.useEarliestOffset: is false by default, so records that are in the topic already are not read; set it to \
             true to read them",
            "dataSchema.metricsSpec: has no count, and rollup is on (Druid's default): how many events were folded into a row \
             will not be known",
            "id: is ignored: a supervisor has the name of its datasource",
        ]
    );
    assert_reads_back(spec);
}

#[test]
fn a_filter_of_a_transform_spec_is_the_condition_that_means_the_same() {
    let text = |filter: Value| {
        let mut json = nested();
        put(&mut json, "/spec/dataSchema/transformSpec", Some(json!({ "filter": filter })));
        let spec = read(&json).unwrap_or_else(|error| panic!("{filter}: {error}")).spec;
        assert_reads_back(&spec);
        spec.transform.filter_text().expect("there is a filter").to_owned()
    };
    let host = |value: Value| json!({ "type": "selector", "dimension": "host", "value": value });
    let cases = [
        (host(json!("it's")), r#"CAST("host" AS VARCHAR) = 'it''s'"#),
        (host(Value::Null), r#"CAST("host" AS VARCHAR) IS NULL"#),
        (json!({ "type": "selector", "dimension": "code", "value": "7" }), r#"CAST("code" AS VARCHAR) = '7'"#),
        (json!({ "type": "equals", "column": "code", "matchValueType": "LONG", "matchValue": 7 }), r#""code" = 7"#),
        (
            json!({ "type": "in", "dimension": "host", "values": ["a", null] }),
            r#""host" IS NULL OR CAST("host" AS VARCHAR) IN ('a')"#,
        ),
        (
            json!({ "type": "like", "dimension": "region", "pattern": "eu-%" }),
            r#"CAST("region" AS VARCHAR) LIKE 'eu-%' ESCAPE ''"#,
        ),
        (
            json!({ "type": "regex", "dimension": "host", "pattern": "^a" }),
            r#"REGEXP_LIKE(CAST("host" AS VARCHAR), '^a')"#,
        ),
        (
            json!({ "type": "and", "fields": [{ "type": "not", "field": host(json!("a")) }, { "type": "null", "column": "code" }] }),
            r#"(NOT (CAST("host" AS VARCHAR) = 'a')) AND ("code" IS NULL)"#,
        ),
    ];
    for (filter, expected) in cases {
        assert_eq!(text(filter), expected);
    }
}

#[test]
fn the_kafka_input_format_names_the_fields_of_the_record() {
    let mut json = nested();
    let format = json!({
        "type": "kafka",
        "valueFormat": { "type": "json" },
        "headerFormat": { "type": "string", "encoding": "UTF-8" },
        "headerColumnPrefix": "h.",
        "keyFormat": { "type": "tsv", "findColumnsFromHeader": false, "columns": ["x"] },
        "keyColumnName": "key",
    });
    put(&mut json, "/spec/ioConfig/inputFormat", Some(format));
    put(&mut json, "/spec/dataSchema/timestampSpec", Some(json!({ "column": "kafka.timestamp", "format": "millis" })));
    let dimensions = json!(["host", "h.region", "key", "kafka.topic", { "type": "long", "name": "kafka.offset" }]);
    put(&mut json, "/spec/dataSchema/dimensionsSpec/dimensions", Some(dimensions));
    let spec = read(&json).unwrap().spec;
    let kafka = FieldSource::Kafka;
    let expected = [
        path("host"),
        kafka(KafkaField::Header("region".into())),
        kafka(KafkaField::Key),
        kafka(KafkaField::Topic),
        kafka(KafkaField::Offset),
    ];
    assert_eq!(spec.input.dimensions, expected);
    assert_eq!(spec.input.time.source, kafka(KafkaField::Timestamp));
    assert_reads_back(&spec);
}

#[test]
fn bounds_of_memory_and_age_are_mapped_where_they_mean_something() {
    let mut json = nested();
    put(&mut json, "/spec/tuningConfig/maxBytesInMemory", Some(json!(100_000_000)));
    put(&mut json, "/spec/tuningConfig/intermediateHandoffPeriod", Some(json!("P2147483647D")));
    let accepted = read(&json).unwrap();
    let expected = CutConfig { rows_max: 1_000_000, bytes_max: 100_000_000, age_ms_max: 300_000 };
    assert_eq!(accepted.spec.cut, expected);
    assert!(accepted.warnings.contains(
        &"spec.tuningConfig.intermediateHandoffPeriod: is ignored: segments are published at least daily, and by default every \
          five minutes"
            .to_owned()
    ));
}

/// What is changed in a valid spec, to what, and what is said about it.
#[rustfmt::skip]
fn mistakes() -> Vec<(&'static str, Option<Value>, &'static str)> {
    let schema = |path: &'static str| -> &'static str { Box::leak(format!("/spec/dataSchema/{path}").into_boxed_str()) };
    let io = |path: &'static str| -> &'static str { Box::leak(format!("/spec/ioConfig/{path}").into_boxed_str()) };
    vec![
        ("/type", Some(json!("kinesis")), "type: only Kafka supervisors exist here: use `kafka`"),
        ("/specc", Some(json!({})), "specc: unknown field (did you mean `spec`?)"),
        ("/spec/ioConfigs", Some(json!({})), "spec.ioConfigs: unknown field (did you mean `ioConfig`?)"),
        ("/spec/dataSchema", None, "spec.dataSchema: is missing: declare the time, the dimensions and the measures"),
        ("/spec/ioConfig", None, "spec.ioConfig: is missing: say which topic to read"),
        (schema("dataSource"), None, "spec.dataSchema.dataSource: is missing: name the datasource"),
        (schema("dataSource"), Some(json!("a/b")), "spec.dataSchema.dataSource: `a/b` cannot name a datasource: use 1 to 128 letters, digits, `_`, `-` or `.`, and start with a letter, a digit or `_`"),
        (schema("timestampSpec"), None, "spec.dataSchema.timestampSpec: is missing: say which column holds the event time"),
        (schema("timestampSpec/format"), Some(json!("yyyy-MM-dd")), "spec.dataSchema.timestampSpec.format: expected one of auto, iso, posix, millis, micro, nano (patterns and `ruby` are not supported), found \"yyyy-MM-dd\""),
        (schema("dimensionsSpec"), None, "spec.dataSchema.dimensionsSpec: is missing: list the dimensions"),
        (schema("dimensionsSpec/dimensions"), Some(json!([])), "spec.dataSchema.dimensionsSpec.dimensions: columns are not discovered yet: list each dimension"),
        (schema("dimensionsSpec/useSchemaDiscovery"), Some(json!(true)), "spec.dataSchema.dimensionsSpec.useSchemaDiscovery: columns are not discovered yet: list each dimension"),
        (schema("dimensionsSpec/includeAllDimensions"), Some(json!(true)), "spec.dataSchema.dimensionsSpec.includeAllDimensions: columns are not discovered yet: list each dimension"),
        (schema("dimensionsSpec/dimensions/1/type"), Some(json!("json")), "spec.dataSchema.dimensionsSpec.dimensions[1].type: expected one of string, long, double, float, boolean (`auto` and `json` are not supported yet), found \"json\""),
        (schema("dimensionsSpec/dimensions/1/nmae"), Some(json!("x")), "spec.dataSchema.dimensionsSpec.dimensions[1].nmae: unknown field (did you mean `name`?)"),
        (schema("dimensionsSpec/dimensions/1/maxStringLength"), Some(json!(5)), "spec.dataSchema.dimensionsSpec.dimensions[1].maxStringLength: strings are not shortened: leave this out"),
        (schema("metricsSpec/1"), Some(json!({ "type": "hyperUnique", "name": "users", "fieldName": "user" })), "spec.dataSchema.metricsSpec[1]: the aggregator `hyperUnique` is not supported yet: use count, longSum, longMin, longMax, doubleSum, doubleMin, doubleMax, floatSum, floatMin, floatMax, HLLSketchBuild, thetaSketch, KllDoublesSketch, quantilesDoublesSketch"),
        (schema("metricsSpec/1"), Some(json!({ "type": "HLLSketchBuild", "name": "users", "fieldName": "user", "lgK": 3 })), "spec.dataSchema.metricsSpec[1].lgK: lgK of an HLL sketch must lie between 4 and 21, not 3"),
        (schema("metricsSpec/1"), Some(json!({ "type": "HLLSketchBuild", "name": "users", "fieldName": "user", "stringEncoding": "utf16le" })), "spec.dataSchema.metricsSpec[1].stringEncoding: strings are hashed as `utf8`: write that, or leave this out"),
        (schema("metricsSpec/1"), Some(json!({ "type": "thetaSketch", "name": "users", "fieldName": "user", "isInputThetaSketch": true })), "spec.dataSchema.metricsSpec[1].isInputThetaSketch: sketches are built of values here: produce those"),
        (schema("metricsSpec/1"), Some(json!({ "type": "thetaSketch", "name": "users" })), "spec.dataSchema.metricsSpec[1].fieldName: is missing: name the field to aggregate"),
        (schema("metricsSpec/1/fieldName"), None, "spec.dataSchema.metricsSpec[1].fieldName: is missing: name the field to aggregate"),
        (schema("metricsSpec/1/type"), None, "spec.dataSchema.metricsSpec[1].type: is missing: use an aggregator such as `longSum`"),
        (schema("metricsSpec/1/expression"), Some(json!("a+b")), "spec.dataSchema.metricsSpec[1].expression: `fieldName` says already what is aggregated: leave one of the two out"),
        (schema("granularitySpec/segmentGranularity"), Some(json!("fortnight")), "spec.dataSchema.granularitySpec.segmentGranularity: `fortnight` is not a granularity: write a number and ms, s, m, h, d or w (`5m`), an ISO-8601 period (`PT5M`, `P1M`), or a name such as minute, hour, day, month, none, all"),
        (schema("granularitySpec/type"), Some(json!("arbitrary")), "spec.dataSchema.granularitySpec.type: only `uniform` granularities are supported"),
        (schema("transformSpec"), Some(json!({ "transforms": [{ "type": "expression" }], "filter": { "type": "selector" } })), "the spec has 2 problems:\n- spec.dataSchema.transformSpec.transforms[0].name: is missing: name the column that is computed\n- spec.dataSchema.transformSpec.filter.dimension: is missing: name the column"),
        (schema("transformSpec"), Some(json!({ "filter": { "type": "javascript" } })), "spec.dataSchema.transformSpec.filter: expected a filter of type and, or, not, selector, equals, in, null, like, regex, true; write others as `where` in the short form, found an object"),
        (schema("transformSpec"), Some(json!({ "filter": { "type": "equals", "column": "host", "matchValue": 5 } })), "spec.dataSchema: string and long cannot be compared without CAST at line 1, column 1"),
        (schema("projections"), Some(json!([{ "type": "aggregate" }])), "spec.dataSchema.projections: projections are not supported yet: leave them out, queries give the same answers"),
        (io("topicc"), Some(json!("t")), "spec.ioConfig.topicc: unknown field (did you mean `topic`?)"),
        (io("topic"), Some(json!(3)), "spec.ioConfig.topic: expected a string, found 3"),
        (io("topicPattern"), Some(json!("t.*")), "spec.ioConfig.topicPattern: `topic` says already what is read: leave one of the two out"),
        (io("multiTopic"), Some(json!(true)), "spec.ioConfig.multiTopic: is what Druid had before `topicPattern`: write that one instead"),
        (io("inputFormat"), None, "spec.ioConfig.inputFormat: is missing: only JSON is read: use {\"type\": \"json\"}"),
        (io("inputFormat/type"), Some(json!("avro_stream")), "spec.ioConfig.inputFormat.type: expected `json`, or `kafka` around `json` (other formats are not supported yet), found \"avro_stream\""),
        (io("inputFormat/flattenSpec/fields/0/expr"), Some(json!("$.a[0]")), "spec.ioConfig.inputFormat.flattenSpec.fields[0].expr: only paths of plain keys are supported, such as `$.a.b` or `$['a']['b.c']`"),
        (io("inputFormat/flattenSpec/fields/0/type"), Some(json!("jq")), "spec.ioConfig.inputFormat.flattenSpec.fields[0].type: expected `root`, `path` or `tree` (jq expressions are not supported), found \"jq\""),
        (io("consumerProperties"), None, "spec.ioConfig.consumerProperties: is missing: set at least `bootstrap.servers`"),
        (io("useEarliestOffset"), Some(json!("yes")), "spec.ioConfig.useEarliestOffset: expected true or false, found \"yes\""),
        (io("lateMessageRejectionPeriod"), Some(json!("P1M")), "spec.ioConfig.lateMessageRejectionPeriod: expected a length of time such as `90s`, `5m`, `7d`, `PT1H` or `P7D` (no months or years), found \"P1M\""),
        ("/spec/tuningConfig/maxRowPerSegment", Some(json!(1)), "spec.tuningConfig.maxRowPerSegment: unknown field (did you mean `maxRowsPerSegment`?)"),
        ("/spec/tuningConfig/maxTotalRows", Some(json!(-5)), "spec.tuningConfig.maxTotalRows: expected a whole number of at least 1, found -5"),
    ]
}

#[test]
fn each_mistake_is_named_with_its_path_and_what_to_change() {
    for (pointer, value, message) in mistakes() {
        let mut json = nested();
        put(&mut json, pointer, value);
        assert_eq!(read(&json).unwrap_err(), message, "{pointer}");
    }
}

#[test]
fn a_column_that_nothing_fills_is_refused_without_field_discovery() {
    let mut json = nested();
    put(&mut json, "/spec/ioConfig/inputFormat/flattenSpec/useFieldDiscovery", Some(json!(false)));
    let error = read(&json).unwrap_err();
    let first = "the spec has 6 problems:\n- spec.dataSchema.timestampSpec: `ts` is not among the fields of flattenSpec, and \
                 useFieldDiscovery is false\n";
    assert!(error.starts_with(first), "{error}");
}

#[test]
fn every_field_of_druids_documentation_is_known() {
    // The complete shape, with what cannot be done left empty.
    let json = json!({
        "type": "kafka", "id": "m", "suspended": false, "context": { "useConcurrentLocks": true },
        "spec": {
            "dataSchema": {
                "dataSource": "m",
                "timestampSpec": { "column": "ts", "format": "auto", "missingValue": null },
                "transformSpec": { "transforms": [], "filter": null },
                "dimensionsSpec": {
                    "dimensions": ["host"], "dimensionExclusions": [], "includeAllDimensions": false,
                    "useSchemaDiscovery": false, "forceSegmentSortByTime": true,
                },
                "metricsSpec": [{ "type": "count", "name": "count" }],
                "granularitySpec": {
                    "type": "uniform", "segmentGranularity": "hour", "queryGranularity": "minute", "rollup": true,
                },
                "projections": [],
            },
            "ioConfig": {
                "type": "kafka", "topic": "t", "topicPattern": null,
                "inputFormat": { "type": "json", "flattenSpec": { "useFieldDiscovery": true, "fields": [] } },
                "consumerProperties": { "bootstrap.servers": "127.0.0.1:9092" },
                "useEarliestOffset": false, "pollTimeout": 100, "taskCount": 1, "replicas": 1, "taskDuration": "PT1H",
                "startDelay": "PT5S", "period": "PT30S", "completionTimeout": "PT30M", "stopTaskCount": null,
                "lateMessageRejectionPeriod": null, "lateMessageRejectionStartDateTime": null,
                "earlyMessageRejectionPeriod": null, "autoScalerConfig": null, "idleConfig": null,
            },
            "tuningConfig": {
                "type": "kafka", "maxRowsInMemory": 150_000, "maxBytesInMemory": 0, "maxRowsPerSegment": 5_000_000,
                "maxTotalRows": 20_000_000, "intermediatePersistPeriod": "PT10M",
                "intermediateHandoffPeriod": "P2147483647D", "maxPendingPersists": 0, "numPersistThreads": 1,
                "handoffConditionTimeout": 900_000, "resetOffsetAutomatically": false, "maxParseExceptions": 2_147_483_647,
                "maxSavedParseExceptions": 0, "logParseExceptions": false, "offsetFetchPeriod": "PT30S",
                "indexSpec": {
                    "bitmap": { "type": "roaring" }, "dimensionCompression": "lz4", "metricCompression": "lz4",
                    "longEncoding": "longs", "stringDictionaryEncoding": { "type": "utf8" },
                },
            },
        },
    });
    let accepted = read(&json).unwrap();
    assert_eq!(accepted.warnings.len(), 22, "{:#?}", accepted.warnings);
    assert_reads_back(&accepted.spec);
}

#[test]
fn transforms_compute_columns_of_the_record_as_it_came() {
    let mut json = nested();
    let transform =
        |name: &str, expression: &str| json!({ "type": "expression", "name": name, "expression": expression });
    let transforms = json!([
        transform("host", "lower(host)"),
        transform("kilobytes", "cast(bytes, 'LONG') / 1024"),
        transform("nobody", "upper(host)"),
    ]);
    put(&mut json, "/spec/dataSchema/transformSpec", Some(json!({ "transforms": transforms })));
    put(&mut json, "/spec/dataSchema/dimensionsSpec/dimensions", Some(json!(["host", "region"])));
    let measures = json!([
        { "type": "count", "name": "events" },
        { "type": "longSum", "name": "kb", "fieldName": "kilobytes" },
        { "type": "doubleMax", "name": "most", "expression": "if(region == 'eu', cast(bytes, 'DOUBLE') * 2, null)" },
    ]);
    put(&mut json, "/spec/dataSchema/metricsSpec", Some(measures));
    let spec = read(&json).unwrap().spec;
    let computed = |text: &str| FieldSource::Expression(text.to_owned());
    assert_eq!(spec.input.dimensions, [computed("LOWER(\"host\")"), path("Region")]);
    let measures = [
        None,
        Some(computed("CAST(\"bytes\" AS BIGINT) / 1024")),
        Some(computed("CASE WHEN \"region\" = 'eu' THEN CAST(\"bytes\" AS DOUBLE) * 2 ELSE NULL END")),
    ];
    assert_eq!(spec.input.measures, measures);
    assert_reads_back(&spec);
}

#[test]
#[rustfmt::skip]
fn what_a_transform_cannot_do_is_named_with_its_path() {
    let cases = [
        (json!({ "type": "expression", "name": "x", "expression": "sqrt(bytes)" }), "transforms[0].expression: `sqrt` with 1 arguments is not known here; write the column in the short form, in SQL"),
        (json!({ "type": "javascript", "name": "x", "expression": "1" }), "transforms[0].type: expected `expression`, found \"javascript\""),
        (json!({ "type": "expression", "name": "__time", "expression": "1" }), "transforms[0].name: the event time is not computed: read it by timestampSpec"),
        (json!({ "type": "expression", "name": "x", "expression": "h" }), "transforms[0].expression: `h` has another name in the record, or is computed: list it as a dimension to use it here"),
    ];
    for (transform, message) in cases {
        let mut json = nested();
        put(&mut json, "/spec/ioConfig/inputFormat/flattenSpec", Some(json!({ "fields": [{ "type": "path", "name": "h", "expr": "$.a.b" }] })));
        put(&mut json, "/spec/dataSchema/dimensionsSpec/dimensions", Some(json!(["host"])));
        put(&mut json, "/spec/dataSchema/metricsSpec", Some(json!([{ "type": "count", "name": "events" }])));
        put(&mut json, "/spec/dataSchema/transformSpec", Some(json!({ "transforms": [transform] })));
        assert_eq!(read(&json).unwrap_err(), format!("spec.dataSchema.transformSpec.{message}"));
    }
}

#[test]
fn a_topic_pattern_stands_in_the_place_of_a_topic() {
    let mut json = nested();
    put(&mut json, "/spec/ioConfig/topic", None);
    put(&mut json, "/spec/ioConfig/topicPattern", Some(json!("metrics-.*")));
    let spec = read(&json).unwrap().spec;
    assert_eq!((spec.topics.as_str(), spec.topics.includes("metrics-eu")), ("metrics-.*", true));
    assert_reads_back(&spec);
}

#[test]
fn no_change_of_a_spec_makes_reading_it_panic() {
    assert_no_change_makes_it_panic(&nested());
}
