use std::time::Duration;

use henge_segment_store::time::TimestampMs;

use super::*;

fn request(content_type: &'static str, body: &'static str) -> Result<SqlRequest, ApiError> {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, content_type.parse().unwrap());
    parse(&headers, &Bytes::from_static(body.as_bytes()), "fresh".into(), Reader::Everything)
}

fn refused(content_type: &'static str, body: &'static str) -> (u16, String) {
    let error = request(content_type, body).unwrap_err();
    (error.status.as_u16(), error.body.error_message)
}

#[test]
fn a_json_request_carries_everything_that_druid_knows() {
    let request = request(
        "application/json; charset=utf-8",
        r#"{"query":"SELECT ?","resultFormat":"arrayLines","header":true,"typesHeader":true,"sqlTypesHeader":true,
            "someFutureField":1,
            "context":{"sqlQueryId":"q-1","sqlTimeZone":"America/Los_Angeles","timeout":"1500",
                       "sqlStringifyArrays":"false","useIndexes":"false","useNativeOperators":false,"usePlanCache":false,
                       "unknownKey":{}},
            "parameters":[{"type":"VARCHAR","value":"a"},{"type":"bigint","value":7},{"type":"DOUBLE","value":2.5},
                          {"type":"TIMESTAMP","value":"2026-01-01 00:00:00"},{"type":"TIMESTAMP","value":5},
                          {"type":"DATE","value":"1970-01-02"},{"type":"BOOLEAN","value":true},
                          {"type":"ARRAY","value":[1,null,2.5,"a",false]},{"type":"VARCHAR","value":null},null]}"#,
    )
    .unwrap();
    let query = &request.query;
    assert_eq!((query.sql.as_str(), query.query_id.as_str()), ("SELECT ?", "q-1"));
    assert_eq!(query.timeout, Some(Duration::from_millis(1_500)));
    assert_eq!(query.time_zone.as_deref(), Some("America/Los_Angeles"));
    assert!(!query.use_indexes && !query.use_native_operators && !query.use_plan_cache);
    let expected = [
        Parameter::String("a".into()),
        Parameter::Long(7),
        Parameter::Double(2.5),
        Parameter::Timestamp(TimestampMs(1_767_225_600_000)),
        Parameter::Timestamp(TimestampMs(5)),
        Parameter::Date(1),
        Parameter::Boolean(true),
        Parameter::Array(vec![
            Parameter::Long(1),
            Parameter::Null,
            Parameter::Double(2.5),
            Parameter::String("a".into()),
            Parameter::Boolean(false),
        ]),
        Parameter::Null,
        Parameter::Null,
    ];
    assert_eq!(query.parameters, expected);
    assert_eq!(request.layout.format, ResultFormat::ArrayLines);
    assert_eq!(request.layout.header, Header { names: true, druid_types: true, sql_types: true });
    assert_eq!(request.layout.arrays, ArrayStyle::Nested);
}

#[test]
fn settings_before_the_statement_go_before_those_of_the_context() {
    let body = r#"{"query":"SET sqlTimeZone = 'Asia/Tokyo'; SET timeout = 20;\nSELECT 1","context":{"timeout":5}}"#;
    let query = request("application/json", body).unwrap().query;
    assert_eq!((query.sql.trim_start(), query.time_zone.as_deref()), ("SELECT 1", Some("Asia/Tokyo")));
    assert_eq!(query.timeout, Some(Duration::from_millis(20)));
    let (status, message) = refused("text/plain", "SET timeout = ; SELECT 1");
    assert_eq!((status, message.contains("SET key = value;")), (400, true), "{message}");
    assert_eq!(refused("text/plain", "SET timeout = 5;").1, "the query is empty: put SQL into `query`");
}

#[test]
fn a_bare_request_gets_druids_defaults_and_a_fresh_id() {
    for (content_type, body) in [
        ("application/json", r#"{"query":"SELECT 1 + 1"}"#),
        ("text/plain", "SELECT 1 + 1"),
        ("TEXT/PLAIN;charset=UTF-8, application/json", "SELECT 1 + 1"),
        ("application/x-www-form-urlencoded", "SELECT+1%20%2B+1"),
    ] {
        let request = request(content_type, body).unwrap();
        assert_eq!(request.query.sql, "SELECT 1 + 1", "{content_type}");
        assert_eq!(request.query.query_id, "fresh");
        assert_eq!((request.query.timeout, request.query.time_zone), (None, None));
        assert!(request.query.use_indexes && request.query.use_native_operators && request.query.use_plan_cache);
        assert_eq!(request.layout.format, ResultFormat::Object);
        assert_eq!(request.layout.header, Header::default());
    }
}

#[test]
fn arrow_streams_are_asked_for_by_what_the_client_accepts() {
    let cases = [
        (ARROW_STREAM, ResultFormat::ArrowStream),
        ("application/json;q=0.1, Application/Vnd.Apache.Arrow.Stream;q=1", ResultFormat::ArrowStream),
        ("application/vnd.apache.arrow.file", ResultFormat::Array),
        ("*/*", ResultFormat::Array),
    ];
    for (accepted, format) in cases {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, "application/json".parse().unwrap());
        headers.insert(header::ACCEPT, accepted.parse().unwrap());
        let body = Bytes::from_static(br#"{"query":"SELECT 1","resultFormat":"array"}"#);
        assert_eq!(
            parse(&headers, &body, "fresh".into(), Reader::Everything).unwrap().layout.format,
            format,
            "{accepted}"
        );
    }
}

#[test]
fn a_request_that_cannot_be_meant_is_refused_with_what_to_change() {
    let json = "application/json";
    let cases = [
        ((json, r#"{}"#), (400, "the query is empty: put SQL into `query`")),
        (("text/plain", "  "), (400, "the query is empty: put SQL into `query`")),
        (
            (json, r#"{"query":"SELECT 1","typesHeader":true}"#),
            (400, "`typesHeader` and `sqlTypesHeader` need `header` to be true"),
        ),
        (
            (json, r#"{"query":"SELECT 1","context":{"timeout":-1}}"#),
            (400, "context `timeout` must be a whole number of milliseconds, 0 or more, not -1"),
        ),
        (
            (json, r#"{"query":"SELECT 1","context":{"sqlQueryId":"a\r\nX-Evil: 1"}}"#),
            (400, r#"context `sqlQueryId` must be a string of printable ASCII, not "a\r\nX-Evil: 1""#),
        ),
        (
            (json, r#"{"query":"SELECT 1","context":{"sqlTimeZone":"Mars/Olympus"}}"#),
            (
                400,
                "context `sqlTimeZone` must be a time zone such as `UTC`, `Europe/Berlin` or `-08:00`, not \
                 `Mars/Olympus`",
            ),
        ),
        (
            (json, r#"{"query":"SELECT ?","parameters":[{"type":"MAP","value":[1]}]}"#),
            (400, "parameter 1 has type `MAP`: use VARCHAR, BIGINT, DOUBLE, BOOLEAN, TIMESTAMP, DATE or ARRAY"),
        ),
        (
            (json, r#"{"query":"SELECT ?","parameters":[{"type":"ARRAY","value":[[1]]}]}"#),
            (400, "parameter 1: [[1]] is no ARRAY"),
        ),
        (
            (json, r#"{"query":"SELECT ?","parameters":[{"type":"BIGINT","value":"x"}]}"#),
            (400, r#"parameter 1: "x" is no BIGINT"#),
        ),
        (
            ("application/xml", "<x/>"),
            (
                415,
                "content type `application/xml` is not supported: send application/json, text/plain or \
                 application/x-www-form-urlencoded",
            ),
        ),
        (("application/x-www-form-urlencoded", "SELECT%2"), (400, "the request is not URL-encoded UTF-8 text")),
    ];
    for ((content_type, body), (status, message)) in cases {
        assert_eq!(refused(content_type, body), (status, message.to_owned()), "{body}");
    }
    let (status, message) = refused(json, r#"{"query":"SELECT 1","resultFormat":"xml"}"#);
    assert_eq!(status, 400);
    assert!(message.contains("unknown variant `xml`, expected one of `object`, `array`"), "{message}");
}

#[test]
fn fixed_offsets_are_time_zones_too() {
    let body = r#"{"query":"SELECT 1","context":{"sqlTimeZone":"-08:00"}}"#;
    let mut out = Vec::new();
    request("application/json", body).unwrap().layout.time.write_instant(0, &mut out);
    assert_eq!(String::from_utf8(out).unwrap(), "1969-12-31T16:00:00.000-08:00");
}
