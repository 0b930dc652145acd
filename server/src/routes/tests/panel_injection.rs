//! What comes in through variables, macros, filters, builders and searches is data: whatever it holds, whoever asks sees only
//! what their key lets them see, nothing changes, and the answer is rows or an error that says what to change.

use super::keys::Keyed;
use super::*;

/// What has broken others: ends of texts, names and comments, statements behind statements, and odd characters.
const PAYLOADS: [&str; 64] = [
    "'",
    "''",
    "\"",
    "\"\"",
    "`",
    "\\",
    "\\'",
    "' OR '1'='1",
    "' OR 1=1 --",
    "' OR 1=1 /*",
    "\" OR \"\"=\"",
    "') OR ('1'='1",
    "')) OR 1=1 --",
    "a' UNION ALL SELECT org, code FROM usage --",
    "a') UNION ALL SELECT org FROM usage --",
    "'; DROP TABLE usage; --",
    "; DROP TABLE usage",
    "1; DELETE FROM usage",
    "x'; SET sqlTimeZone = 'UTC'; SELECT 1 --",
    "INSERT INTO usage SELECT 1",
    "COPY usage TO '/tmp/x'",
    "1 OR 1=1",
    "1) OR (1=1",
    "-1",
    "--1",
    "- -1",
    "1e309",
    "0x41",
    "NaN",
    "NULL",
    "TRUE",
    "DEFAULT",
    "*/ OR 1=1 /*",
    "/* */",
    "-- comment",
    "#",
    "$__timeFilter(__time)",
    "${org}",
    "$one",
    "$__conditionalAll(1=1, $one)",
    "$$",
    "$a$ OR 1=1 $a$",
    "${__from}",
    "{{org}}",
    "%27%20OR%201%3D1",
    "\u{2019} OR \u{2018}1\u{2019}=\u{2018}1",
    "\u{ff07} OR 1=1",
    "\u{0}",
    "a\u{0}' OR 1=1",
    "\r\n' OR 1=1 --\r\n",
    "\t'\n||org||'",
    "' || org || '",
    "'||(SELECT MAX(org) FROM usage)||'",
    "(SELECT org FROM usage LIMIT 1)",
    "usage WHERE 1=1 --",
    "sys.segments",
    "INFORMATION_SCHEMA.COLUMNS",
    "usage\" WHERE 1=1 OR \"org",
    "org\", \"code",
    "LOOKUP('a', 'b')",
    "(?i).*",
    "((((((((((a+)+)+)+)+)+)+)+)+)+$",
    "[",
    "\u{202e}'--\u{1f600}",
];

/// What stands around them: nothing, letters, and what ends a text, a parenthesis or a line before, or leaves out what is behind.
const SURROUNDINGS: [(&str, &str); 5] = [("", ""), ("a", "b"), ("' ", " '"), ("1) ", " (1"), ("\n; ", " --")];

/// 320 of them.
fn payloads() -> Vec<String> {
    let surrounded = |(before, after): (&str, &str)| PAYLOADS.map(|payload| format!("{before}{payload}{after}"));
    SURROUNDINGS.into_iter().flat_map(surrounded).collect()
}

/// Where each of them is put; the second is how a person would have meant it to be.
fn bodies(payload: &str) -> Vec<(&'static str, Value)> {
    let around = |query: Value| json!({ "query": query, "range": { "from": 0, "to": 1_000 } });
    let sql = |sql: &str| {
        let mut body = around(json!({ "mode": "sql", "sql": sql }));
        body["variables"] = json!({ "v": { "values": [payload] }, "w": { "values": ["a", payload] } });
        body["variables"][payload] = json!({ "values": ["a"] });
        body
    };
    let with = |body: Value, key: &str, value: Value| {
        let mut body = body;
        body[key] = value;
        body
    };
    let query = "/henge/v1/panel/query";
    let plain = || sql("SELECT org, code FROM usage WHERE $__timeFilter(__time)");
    let filter = |key: &str, operator: &str| json!([{ "key": key, "operator": operator, "values": [payload] }]);
    let built = |part: &str, value: Value| {
        let mut built = json!({
            "mode": "builder", "datasource": "usage", "measures": [{ "aggregate": "count" }],
            "groupBy": [{ "column": "org", "top": 5, "other": true }],
        });
        built[part] = value;
        around(built)
    };
    let condition = |operator: &str| json!([{ "column": "org", "operator": operator, "values": [payload] }]);
    let macros = format!("SELECT org FROM usage WHERE $__timeFilter({payload})");
    let group = format!("SELECT $__timeGroup(__time, '{payload}') AS t, org FROM usage");
    vec![
        (query, sql("SELECT org, code FROM usage WHERE org = $v")),
        (query, sql("SELECT org, code FROM usage WHERE org IN ($w)")),
        (query, sql("SELECT org, '$v and ${w:pipe}' AS t FROM usage WHERE REGEXP_LIKE(org, ${w:regex})")),
        (query, sql("SELECT ${v:doublequote}, org FROM usage")),
        (query, sql("SELECT org FROM usage LIMIT ${v:raw}")),
        (query, sql("SELECT org FROM usage WHERE $__conditionalAll(org = ${v:sqlstring}, $v) AND code >= -$v")),
        (query, sql(&macros)),
        (query, sql(&group)),
        (query, sql(&format!("SELECT org FROM usage WHERE org = '{payload}'"))),
        (query, with(plain(), "filters", filter("org", "="))),
        (query, with(plain(), "filters", filter("org", "=~"))),
        (query, with(plain(), "filters", filter("code", ">"))),
        (query, with(plain(), "filters", filter(payload, "="))),
        (query, with(plain(), "filters", filter("org", payload))),
        (query, with(plain(), "timeZone", payload.into())),
        (query, with(plain(), "queryId", payload.into())),
        (query, built("datasource", payload.into())),
        (query, built("where", condition("=|"))),
        (query, built("where", condition("!~"))),
        (query, built("measures", json!([{ "aggregate": "count", "alias": payload }]))),
        (query, built("measures", json!([{ "aggregate": "max", "column": payload }]))),
        (query, built("groupBy", json!([{ "column": payload }]))),
        (query, built("orderBy", json!([{ "name": payload, "descending": true }]))),
        (query, built("timeBucket", payload.into())),
        (query, around(json!({ "mode": "logs", "datasource": "usage", "search": payload }))),
        (query, around(json!({ "mode": "logs", "datasource": "usage", "columns": [payload] }))),
        (query, around(json!({ "mode": "metrics", "dataset": payload, "metric": payload, "groupBy": [payload] }))),
        ("/henge/v1/panel/values", json!({ "datasource": "usage", "column": "org", "search": payload })),
        ("/henge/v1/panel/values", json!({ "datasource": payload, "column": payload })),
        (
            "/henge/v1/panel/variable",
            json!({ "kind": "sql", "sql": format!("SELECT org FROM usage WHERE '{payload}' = org") }),
        ),
        (
            "/henge/v1/panel/annotations",
            with(
                sql("").clone(),
                "sql",
                format!("SELECT __time AS \"time\", org AS text FROM usage WHERE org = '{payload}'").into(),
            ),
        ),
        (
            "/henge/v1/panel/tail",
            json!({ "query": { "mode": "logs", "datasource": "usage", "search": payload }, "after": -1 }),
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn no_payload_shows_other_rows_changes_anything_or_breaks_the_server() {
    let keyed = Keyed::new().await;
    let usage = keyed.fixture.app.services().unwrap().store.data_source("usage").unwrap();
    usage.append(&[event(2, Some("other-org"), 999_777, 888_777)]);
    let state = async || {
        let counted = keyed.sql(&keyed.admin, "SELECT COUNT(*) AS n, SUM(code) AS c FROM usage").await;
        (counted, keyed.fixture.app.services().unwrap().store.data_sources())
    };
    let before = state().await;
    let (mut asked, mut answered) = (0, 0);
    for (number, payload) in payloads().iter().enumerate() {
        // Each payload in two or three places, each place with twenty payloads and more.
        for (path, body) in bodies(payload).into_iter().skip(number % 15).step_by(15) {
            let response = keyed.send("POST", path, Some(keyed.viewer.1.as_str()), &body.to_string()).await;
            let status = response.status().as_u16();
            let text = text_of(response).await;
            assert!(matches!(status, 200 | 400 | 403 | 404), "{path} {body}: {status} {text}");
            assert!(
                !text.contains("other-org") && !text.contains("999777") && !text.contains("888777"),
                "{path} {body}: {text}"
            );
            if status != 200 {
                let error: Value = serde_json::from_str(&text).unwrap();
                assert!(error["errorMessage"].as_str().is_some_and(|message| !message.is_empty()), "{text}");
            }
            asked += 1;
            answered += usize::from(status == 200);
        }
    }
    assert!(asked >= 600 && answered * 3 > asked, "{answered} of {asked} have rows or none");
    assert_eq!(state().await, before, "nothing changed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_is_found_as_it_is_whatever_it_holds() {
    let fixture = Fixture::new().await;
    let usage = fixture.app.services().unwrap().store.data_source("usage").unwrap();
    for (at, payload) in PAYLOADS.into_iter().enumerate() {
        usage.append(&[event(100 + at as i64, Some(payload), at as i64, 0)]);
    }
    for (at, payload) in PAYLOADS.into_iter().enumerate() {
        let ask = async |query: Value, more: (&str, Value)| {
            let mut body = json!({ "query": query, "range": { "from": 100, "to": 1_000 } });
            body[more.0] = more.1;
            let (status, answer) = fixture.post("/henge/v1/panel/query", body.clone()).await;
            assert_eq!(status, 200, "{body}: {answer}");
            answer["rows"].clone()
        };
        let found = json!([[at]]);
        let variables = || ("variables", json!({ "v": { "values": [payload] } }));
        let sql = |sql: &str| json!({ "mode": "sql", "sql": sql });
        assert_eq!(ask(sql("SELECT code FROM usage WHERE org = $v"), variables()).await, found, "{payload:?}");
        assert_eq!(ask(sql("SELECT code FROM usage WHERE org = '$v'"), variables()).await, found, "{payload:?}");
        let pattern = sql("SELECT code FROM usage WHERE REGEXP_LIKE(org, '^${v:regex}$') AND org = $v");
        assert_eq!(ask(pattern, variables()).await, found, "{payload:?}");
        let filters = json!([{ "key": "org", "operator": "=", "value": payload }]);
        assert_eq!(ask(sql("SELECT code FROM usage"), ("filters", filters)).await, found, "{payload:?}");
        // Those are variables there.
        if !["$one", "${org}", "${__from}"].contains(&payload) {
            let built = json!({
                "mode": "builder", "datasource": "usage", "measures": [{ "aggregate": "max", "column": "code" }],
                "where": [{ "column": "org", "operator": "=", "values": [payload] }],
            });
            assert_eq!(ask(built, variables()).await, found, "{payload:?}");
        }
    }
}
