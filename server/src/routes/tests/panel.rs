//! `/henge/v1/panel/*` over the two events of the fixture, at 0 ms and 1 ms, and over those that a test adds.

use super::*;

/// A body around a statement, for a range of an hour in buckets of a minute.
fn asked(sql: &str, more: Value) -> Value {
    let mut body = json!({
        "query": { "mode": "sql", "sql": sql },
        "range": { "from": 1_700_000_000_000_i64, "to": 1_700_003_600_000_i64 },
        "intervalMs": 60_000,
        "variables": {
            "org": { "values": ["a", "it's"] },
            "one": { "values": ["a"] },
            "number": { "values": [-5] },
            "digits": { "values": ["7"] },
            "column": { "values": ["code"] },
            "evil": { "values": ["x' OR '1'='1"] },
            "none": { "values": [] },
            "all": { "values": ["a"], "isAll": true },
            "pattern": { "values": ["a.b", "c"] },
        },
    });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

impl Fixture {
    async fn expanded(&self, sql: &str, more: Value) -> Result<String, (u16, Value)> {
        let (status, answer) = self.post("/henge/v1/panel/check", asked(sql, more)).await;
        if status == 200 { Ok(answer["sql"].as_str().unwrap().to_owned()) } else { Err((status, answer)) }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn macros_and_variables_stand_for_literals() {
    let fixture = Fixture::new().await;
    let (from, to) = ("TIMESTAMP '2023-11-14T22:13:20.000Z'", "TIMESTAMP '2023-11-14T23:13:20.000Z'");
    let within = format!(r#"(__time >= {from} AND __time < {to})"#);
    let cases = [
        ("SELECT 1 FROM usage WHERE $__timeFilter(__time)", format!("SELECT 1 FROM usage WHERE {within}")),
        (
            "SELECT 1 FROM usage WHERE $__timeFilter",
            format!("SELECT 1 FROM usage WHERE {}", within.replace("__time", "\"__time\"")),
        ),
        ("SELECT $__timeFrom AS a, $__toTime() AS b", format!("SELECT {from} AS a, {to} AS b")),
        ("SELECT $__timeFrom_ms AS a, ${__to} AS b", "SELECT 1700000000000 AS a, 1700003600000 AS b".into()),
        ("SELECT 1 FROM usage WHERE $__timeFrom(__time)", format!("SELECT 1 FROM usage WHERE __time >= {from}")),
        (
            "SELECT 1 FROM usage WHERE $__timeFilter_ms(code)",
            "SELECT 1 FROM usage WHERE (code >= 1700000000000 AND code < 1700003600000)".into(),
        ),
        (
            "SELECT $__timeGroup(__time, '5m') AS t FROM usage",
            "SELECT TIME_FLOOR(__time, 'PT5M') AS t FROM usage".into(),
        ),
        (
            "SELECT $__timeGroupAlias(__time, 1h, NULL) FROM usage",
            "SELECT TIME_FLOOR(__time, 'PT1H') AS \"time\" FROM usage".into(),
        ),
        (
            "SELECT $__timeGroupAlias(__time, $__interval) FROM usage",
            "SELECT TIME_FLOOR(__time, 'PT1M') AS \"time\" FROM usage".into(),
        ),
        (
            "SELECT $__timeInterval(__time) AS t, $__dateBin(__time) AS b FROM usage",
            "SELECT TIME_FLOOR(__time, 'PT1M') AS t, TIME_FLOOR(__time, 'PT1M') AS b FROM usage".into(),
        ),
        (
            "SELECT $__dateBinAlias(__time) FROM usage",
            "SELECT TIME_FLOOR(__time, 'PT1M') AS \"time\" FROM usage".into(),
        ),
        (
            "SELECT TIME_FLOOR(__time, '$__interval') AS t FROM usage",
            "SELECT TIME_FLOOR(__time, 'PT1M') AS t FROM usage".into(),
        ),
        (
            "SELECT $__interval_ms AS a, $__interval_s AS b, $__range_s AS c, '$__rate_interval' AS d",
            "SELECT 60000 AS a, 60 AS b, 3600 AS c, 'PT75S' AS d".into(),
        ),
        (
            "SELECT 1 FROM usage WHERE $__unixEpochFilter(code)",
            "SELECT 1 FROM usage WHERE (code >= 1700000000 AND code < 1700003600)".into(),
        ),
        (
            "SELECT $__unixEpochGroup(code, '5m') AS t FROM usage",
            "SELECT ((code) - MOD(MOD(code, 300) + 300, 300)) AS t FROM usage".into(),
        ),
        ("SELECT $__unixEpochNanoFrom() AS a", "SELECT 1700000000000000000 AS a".into()),
        ("SELECT 1 FROM usage WHERE org IN ($org)", "SELECT 1 FROM usage WHERE org IN ('a', 'it''s')".into()),
        (
            "SELECT 1 FROM usage WHERE org=$one AND code=$number",
            "SELECT 1 FROM usage WHERE org= 'a' AND code= (-5)".into(),
        ),
        ("SELECT 1 FROM usage WHERE org = $none", "SELECT 1 FROM usage WHERE org = NULL".into()),
        ("SELECT 1 FROM usage WHERE org = $evil", "SELECT 1 FROM usage WHERE org = 'x'' OR ''1''=''1'".into()),
        ("SELECT 'a $one ${org} $nothing $evil' AS t", "SELECT 'a a a,it''s $nothing x'' OR ''1''=''1' AS t".into()),
        (
            "SELECT ${org:csv} AS a, ${pattern:regex} AS b, ${pattern:pipe} AS c",
            r"SELECT 'a,it''s' AS a, '(a\.b|c)' AS b, 'a.b|c' AS c".into(),
        ),
        (
            "SELECT ${digits:raw} AS a, ${column:raw} AS b, ${column:doublequote} AS c FROM usage",
            "SELECT 7 AS a, \"code\" AS b, \"code\" AS c FROM usage".into(),
        ),
        (
            "SELECT 1 FROM usage WHERE $__conditionalAll(org IN ($org, 'z'), $one)",
            "SELECT 1 FROM usage WHERE (org IN ('a', 'it''s', 'z'))".into(),
        ),
        ("SELECT 1 FROM usage WHERE $__conditionalAll(org IN ($all), $all)", "SELECT 1 FROM usage WHERE TRUE".into()),
        ("SELECT 1 FROM usage WHERE $__adhocFilters", "SELECT 1 FROM usage WHERE TRUE".into()),
        (
            "SELECT '$__timeFilter(x)' AS a, \"code\" AS \"$one\" -- $nothing\n FROM usage /* $__nothing( */",
            "SELECT '$__timeFilter(x)' AS a, \"code\" AS \"$one\" -- $nothing\n FROM usage /* $__nothing( */".into(),
        ),
    ];
    for (sql, expected) in cases {
        assert_eq!(fixture.expanded(sql, json!({})).await, Ok(expected), "{sql}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mistake_has_its_place_in_the_text_as_sent() {
    let fixture = Fixture::new().await;
    let cases = [
        ("SELECT $nothing", (1, 8, 8), "`$nothing` is no variable of the dashboard"),
        ("SELECT 1,\n  $__timeGruop(__time, '1m')", (2, 3, 12), "the nearest is $__timeGroup("),
        ("SELECT $__timeGroup(__time)", (1, 8, 12), "is written $__timeGroup(column"),
        ("SELECT $__timeGroup(__time, 'x')", (1, 8, 12), "'x' is no length of a bucket"),
        ("SELECT $__timeFilter(", (1, 21, 1), "not closed"),
        ("SELECT 1,\n 'open", (2, 2, 1), "Unterminated"),
        ("SELECT ${one", (1, 8, 1), "stands for nothing by itself"),
        ("SELECT ${one:sql}", (1, 8, 1), "`sql` is no format"),
        ("SELECT ${evil:raw}", (1, 8, 1), "neither a number nor the name"),
        ("SELECT ${evil:doublequote}", (1, 8, 1), "neither a number nor the name"),
        (
            "SELECT 1 FROM usage WHERE org IN ($org) AND $__timeFilter(__time) AND nothing = 1",
            (1, 71, 7),
            "Column 'nothing' not found",
        ),
        (
            "SELECT $__timeFilter(__time)\n FROM usage WHERE $__timeFilter(__time) AND nothing = 1",
            (2, 45, 7),
            "Column 'nothing' not found",
        ),
        ("SELECT 1 FROM usage WHERE $__timeFilter(nothing)", (1, 41, 7), "Column 'nothing' not found"),
        ("SELECT 1 FROM usage WHERE $__timeFilter(__time) AND )", (1, 53, 1), "Expected"),
    ];
    for (sql, (line, column, length), message) in cases {
        for path in ["/henge/v1/panel/check", "/henge/v1/panel/query"] {
            let (status, error) = fixture.post(path, asked(sql, json!({}))).await;
            assert_eq!(status, 400, "{sql}: {error}");
            let position = json!({ "line": line, "column": column, "length": length });
            assert_eq!(error["position"], position, "{sql}: {error}");
            assert!(error["errorMessage"].as_str().unwrap().contains(message), "{sql}: {error}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_of_the_dashboard_restrict_what_can_take_them() {
    let fixture = Fixture::new().await;
    let filters = json!({ "filters": [
        { "key": "org", "operator": "!=", "values": ["x'y"] },
        { "key": "code", "operator": "=|", "values": ["1", "2"] },
    ] });
    let condition = r#"("org" <> 'x''y' AND "code" IN (1, 2))"#;
    let cases = [
        ("SELECT 1 FROM usage WHERE $__adhocFilters OR TRUE", format!("SELECT 1 FROM usage WHERE {condition} OR TRUE")),
        ("SELECT code FROM usage", format!("SELECT code FROM usage WHERE {condition}")),
        (
            "SELECT code FROM usage u GROUP BY code; ",
            format!("SELECT code FROM usage u WHERE {condition} GROUP BY code; "),
        ),
        (
            "SELECT code FROM druid.usage WHERE code = 1 OR code = 2 -- or\n ORDER BY code LIMIT 1",
            format!(
                "SELECT code FROM druid.usage WHERE {condition} AND ( code = 1 OR code = 2) -- or\n ORDER BY code LIMIT 1"
            ),
        ),
        (
            "SELECT EXTRACT(DAY FROM __time) AS d FROM usage WHERE code IS DISTINCT FROM 4",
            format!("SELECT EXTRACT(DAY FROM __time) AS d FROM usage WHERE {condition} AND ( code IS DISTINCT FROM 4)"),
        ),
    ];
    for (sql, expected) in cases {
        assert_eq!(fixture.expanded(sql, filters.clone()).await, Ok(expected), "{sql}");
    }
    for sql in ["SELECT a.code FROM usage a, usage b", "SELECT code FROM (SELECT code FROM usage) t", "SELECT 1 AS n"] {
        let (status, answer) = fixture.post("/henge/v1/panel/query", asked(sql, filters.clone())).await;
        assert_eq!(status, 200, "{answer}");
        let notice = answer["meta"]["notices"][0]["text"].as_str().unwrap();
        assert!(notice.starts_with("the filters of the dashboard do not apply"), "{notice}");
        assert_eq!(answer["meta"]["sql"], sql);
    }
    let unknown = json!({ "filters": [{ "key": "nothing", "operator": "=", "values": ["1"] }] });
    let (_, answer) = fixture.post("/henge/v1/panel/query", asked("SELECT code FROM usage", unknown)).await;
    assert_eq!(
        answer["meta"]["notices"][0],
        json!({ "severity": "warning", "text": "the filter on `nothing` does not apply: `usage` has no such column" })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_series_is_in_order_of_time_and_its_gaps_are_filled_as_asked() {
    let fixture = Fixture::new().await;
    let usage = fixture.app.services().unwrap().store.data_source("usage").unwrap();
    let minute = 60_000;
    usage.append(&[event(3 * minute, Some("a"), 1, 11), event(minute, Some("b"), 2, 4)]);
    let ask = async |fill: &str| {
        let sql = format!(
            "SELECT $__timeGroupAlias(__time, '1m'{fill}), COALESCE(org, 'b') AS who, SUM(bytes) AS bytes \
             FROM usage WHERE $__timeFilter(__time) GROUP BY 1, 2 ORDER BY 3 DESC"
        );
        let body = json!({
            "query": { "mode": "sql", "sql": sql, "format": "timeSeries" }, "range": { "from": 0, "to": 4 * minute + 1 },
        });
        let (status, answer) = fixture.post("/henge/v1/panel/query", body).await;
        assert_eq!(status, 200, "{answer}");
        answer
    };
    let plain = ask("").await;
    let column = |name: &str, kind: &str| json!({ "name": name, "type": kind });
    assert_eq!(plain["columns"], json!([column("time", "time"), column("who", "string"), column("bytes", "long")]));
    assert_eq!(plain["rows"], json!([[0, "b", 7], [0, "a", 5], [minute, "b", 4], [3 * minute, "a", 11]]));
    let meta = &plain["meta"];
    assert_eq!(meta["shape"], "timeSeriesLong");
    let described = (&meta["timeColumn"], &meta["labelColumns"], &meta["valueColumns"], &meta["rows"]);
    assert_eq!(described, (&json!("time"), &json!(["who"]), &json!(["bytes"]), &json!(4)));
    let values = async |fill: &str, who: &str| -> Vec<Value> {
        let answer = ask(fill).await;
        let rows = answer["rows"].as_array().unwrap().clone();
        assert_eq!(rows.len(), 10, "{rows:?}");
        assert_eq!((&rows[2][0], &rows[9][0]), (&json!(minute), &json!(4 * minute)));
        rows.into_iter().filter(|row| row[1] == who).map(|row| row[2].clone()).collect()
    };
    assert_eq!(values(", NULL", "a").await, [json!(5), Value::Null, Value::Null, json!(11), Value::Null]);
    assert_eq!(values(", 0", "b").await, [json!(7), json!(4), json!(0), json!(0), json!(0)]);
    assert_eq!(values(", previous", "a").await, [json!(5), json!(5), json!(5), json!(11), json!(11)]);
    assert_eq!(values(", linear", "a").await, [json!(5.0), json!(7.0), json!(9.0), json!(11.0), Value::Null]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_arrow_answer_has_few_types_and_carries_what_is_told_of_it() {
    let fixture = Fixture::new().await;
    let sql = "SELECT __time AS \"time\", org, code > 300 AS flag, 1.5 AS half, ARRAY[1, 2] AS items, \
               CAST(1 AS DECIMAL(5, 2)) AS exact, CAST('2026-01-02' AS DATE) AS day, bytes FROM usage ORDER BY 1";
    let body = json!({ "query": { "mode": "sql", "sql": sql }, "range": { "from": 0, "to": 2 } }).to_string();
    let request = Request::post("/henge/v1/panel/query").header("accept", "application/vnd.apache.arrow.stream");
    let response = fixture.router.clone().oneshot(request.body(Body::from(body)).unwrap()).await.unwrap();
    assert_eq!(header(&response, "content-type"), Some("application/vnd.apache.arrow.stream"));
    let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    let mut reader = arrow::ipc::reader::StreamReader::try_new(bytes.as_ref(), None).unwrap();
    let schema = reader.schema();
    let types: Vec<String> = schema.fields().iter().map(|field| field.data_type().to_string()).collect();
    let time = "Timestamp(ms, \"UTC\")";
    assert_eq!(types, [time, "Utf8", "Boolean", "Float64", "Utf8", "Float64", time, "Int64"]);
    let meta: Value = serde_json::from_str(&schema.metadata()["henge.panel"]).unwrap();
    assert_eq!((&meta["rows"], &meta["sql"], &meta["shape"]), (&json!(2), &json!(sql), &json!("table")));
    let batch = reader.next().unwrap().unwrap();
    assert_eq!((batch.num_rows(), reader.next().is_none()), (2, true));
}

#[tokio::test(flavor = "multi_thread")]
async fn values_and_macros_cannot_make_a_statement_grow_without_bound() {
    let fixture = Fixture::new().await;
    let nested = format!("SELECT {}a{}", "$__timeFilter(".repeat(40), ")".repeat(40));
    let long = "x".repeat(100_000);
    let often = format!("SELECT {}", vec!["$long"; 5_000].join(", "));
    for sql in [nested.clone(), often.clone(), format!("SELECT '{}' AS a", "$long".repeat(5_000))] {
        let variables = json!({ "variables": { "long": { "values": [long] } } });
        let (status, error) = fixture.post("/henge/v1/panel/query", asked(&sql, variables)).await;
        assert_eq!(status, 400);
        assert!(error["errorMessage"].as_str().unwrap().contains("choose fewer values"), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_catalogue_lists_what_can_be_asked() {
    let fixture = Fixture::new().await;
    let (status, catalogue) = fixture.get("/henge/v1/panel/catalogue").await;
    assert_eq!(status, 200);
    let column = |name: &str, kind: &str, role: &str| json!({ "name": name, "type": kind, "kind": role });
    let expected = json!([{
        "name": "usage", "rows": 2, "newestEvent": 1, "completeUntil": null,
        "columns": [
            column("__time", "time", "time"), column("org", "string", "dimension"), column("code", "long", "dimension"),
            column("events", "long", "measure"), column("bytes", "long", "measure"),
        ],
    }]);
    assert_eq!(catalogue["datasources"], expected);
    let functions = catalogue["functions"].as_array().unwrap();
    assert!(functions.iter().any(|function| function["name"] == "TIME_FLOOR"));
    // Each macro that people are told of is one.
    for known in catalogue["macros"].as_array().unwrap() {
        let signature = known["signature"].as_str().unwrap();
        let is_of_time =
            ["timeFilter(", "timeGroup", "timeInterval", "dateBin"].iter().any(|name| signature.contains(name));
        let column = if is_of_time { "(__time" } else { "(code" };
        let call = signature.replace("(column", column).replace("[, fill]", ", 0");
        let call = call.replace("(condition", "(code = 1").replace("$variable", "$one");
        let sql = match signature.contains("Filter") || signature.contains("conditional") {
            true => format!("SELECT 1 FROM usage WHERE {call}"),
            false => format!("SELECT {call} FROM usage"),
        };
        let expanded = fixture.expanded(&sql, json!({})).await;
        assert!(expanded.is_ok(), "{sql}: {expanded:?}");
    }
}
