use henge_segment_store::event::{DimensionValue, MeasureValue};
use henge_segment_store::sketch::{HashedValue, HllHash, SketchInput, ThetaHasher};
use henge_segment_store::time::TimestampMs;
use serde_json::json;

use super::*;

mod agreement;

/// A spec with every kind of column.
fn spec() -> SupervisorSpec {
    SupervisorSpec::from_short_form(
        "usage",
        &json!({
            "topic": "usage",
            "kafka": { "bootstrap.servers": "127.0.0.1:9092" },
            "time": "ts",
            "dimensions": [
                "s",
                { "name": "l", "type": "long" },
                { "name": "d", "type": "double" },
                { "name": "b", "type": "boolean" },
                "user.id",
                { "name": "deep", "type": "long", "from": "a.b.c" },
            ],
            "measures": {
                "events": "count",
                "bytes": { "long_sum": "n" },
                "latency": { "max": "x" },
                "n_max": { "long_max": "n" },
            },
        }),
    )
    .expect("a valid spec")
}

const COLUMNS: (usize, usize) = (6, 4);

fn record(payload: &[u8]) -> KafkaRecord<'_> {
    KafkaRecord {
        topic: "usage",
        partition: 3,
        offset: 17,
        timestamp: Some(1_700_000_000_999),
        key: None,
        headers: &[],
        payload: Some(payload),
    }
}

fn new_row() -> EventRow {
    EventRow::new(COLUMNS.0, COLUMNS.1)
}

/// What a row holds, to compare whole rows.
fn shown(row: &EventRow) -> String {
    let dimensions: Vec<_> = (0..COLUMNS.0).map(|index| row.dimension(index)).collect();
    let measures: Vec<_> = (0..COLUMNS.1).map(|index| row.measure(index)).collect();
    format!("{} {dimensions:?} {measures:?}", row.time.0)
}

fn decode(decoder: &mut JsonDecoder, payload: &[u8]) -> Result<String, Refusal> {
    let mut row = new_row();
    decoder.decode(&record(payload), &mut row).map(|()| shown(&row))
}

#[test]
fn a_sketch_is_given_what_a_column_of_its_type_would_hash() {
    let measures = json!({
        "texts": { "hll": "v" }, "longs": { "hll": "v", "type": "long" }, "doubles": { "theta": "v", "type": "double" },
        "ranks": { "quantiles": "v" },
    });
    let spec = json!({ "topic": "t", "kafka": { "bootstrap.servers": "b:9092" }, "time": "ts", "measures": measures });
    let mut decoder = JsonDecoder::new(&SupervisorSpec::from_short_form("usage", &spec).expect("a valid spec"));
    let mut row = EventRow::new(0, 4);
    decoder.decode(&record(br#"{"ts":1,"v":70}"#), &mut row).unwrap();
    let hll = |value| MeasureValue::Sketched(SketchInput::Hll(HllHash::of(value)));
    let theta = ThetaHasher::default().hash(HashedValue::Double(70.0)).unwrap();
    let expected = [
        hll(HashedValue::Text(b"70")),
        hll(HashedValue::Long(70)),
        MeasureValue::Sketched(SketchInput::Theta(theta)),
        MeasureValue::Sketched(SketchInput::Quantile(70.0)),
    ];
    assert_eq!([0, 1, 2, 3].map(|measure| row.measure(measure)), expected);
    decoder.decode(&record(br#"{"ts":1,"v":null}"#), &mut row).unwrap();
    assert_eq!([0, 1, 2, 3].map(|measure| row.measure(measure)), [MeasureValue::Null; 4]);
    let refusal = decoder.decode(&record(br#"{"ts":1,"v":"seventy"}"#), &mut row).unwrap_err();
    let detail = "measure `longs` (HLL(12) of longs): expected a whole number, found the string \"seventy\"";
    assert_eq!(refusal, Refusal::new(Reason::MeasureUnreadable, detail));
}

#[test]
fn a_record_becomes_a_row() {
    let payload = br#" { "ts" : "2023-11-14T22:13:20.123Z", "s":"eu \u00e9\ud83d\ude00\n", "l":-5, "d":1.5, "b":true,
        "unused":[{"x":[1,2,{"y":"}"}]}, "]"], "user":{"name":"n","id":42}, "a":{"b":{"c":7}}, "n":"12", "x":3 } "#;
    let mut row = new_row();
    JsonDecoder::new(&spec()).decode(&record(payload), &mut row).unwrap();
    assert_eq!(row.time, TimestampMs(1_700_000_000_123));
    let dimensions: Vec<_> = (0..6).map(|index| row.dimension(index)).collect();
    use DimensionValue::{Boolean, Double, Long, String};
    let expected = [String("eu \u{e9}\u{1f600}\n"), Long(-5), Double(1.5), Boolean(true), String("42"), Long(7)];
    assert_eq!(dimensions, expected);
    let measures: Vec<_> = (0..4).map(|index| row.measure(index)).collect();
    let expected = [MeasureValue::Null, MeasureValue::Long(12), MeasureValue::Double(3.0), MeasureValue::Long(12)];
    assert_eq!(measures, expected);
}

/// Text before and after one field, around a value that makes a valid record.
fn with(field: &str) -> Vec<u8> {
    format!(r#"{{"ts":1700000000,{field}}}"#).into_bytes()
}

#[test]
fn each_kind_of_value_is_converted_as_documented() {
    use DimensionValue::{Boolean, Double, Long, Null, String};
    let cases = [
        (r#""s":null"#, 0, Null),
        (r#""s":"""#, 0, String("")),
        (r#""s":1.10"#, 0, String("1.10")),
        (r#""s":1E5"#, 0, String("1E5")),
        (r#""s":12345678901234567890123"#, 0, String("12345678901234567890123")),
        (r#""s":false"#, 0, String("false")),
        (r#""s":"first","s":"last""#, 0, String("last")),
        (r#""s":"first","s":null"#, 0, Null),
        (r#""s":[1],"s":"mended""#, 0, String("mended")),
        (r#""\u0073":"escaped key""#, 0, String("escaped key")),
        (r#""S":"other case""#, 0, Null),
        (r#""s":"\u0000""#, 0, String("\0")),
        (r#""l":9223372036854775807"#, 1, Long(i64::MAX)),
        (r#""l":-9223372036854775808"#, 1, Long(i64::MIN)),
        (r#""l":9007199254740993"#, 1, Long(9_007_199_254_740_993)),
        (r#""l":3.0"#, 1, Long(3)),
        (r#""l":"12""#, 1, Long(12)),
        (r#""l":-0"#, 1, Long(0)),
        (r#""d":9007199254740993"#, 2, Double(9_007_199_254_740_992.0)),
        (r#""d":1e-400"#, 2, Double(0.0)),
        (r#""d":"1e3""#, 2, Double(1000.0)),
        (r#""b":"true""#, 3, Boolean(true)),
        (r#""b":false"#, 3, Boolean(false)),
        (r#""user":{"id":"u"}"#, 4, String("u")),
        (r#""user":5"#, 4, Null),
        (r#""user":[{"id":"u"}]"#, 4, Null),
        (r#""deep":1,"a":{"b":{"c":2}}"#, 5, Long(2)),
        (r#""a":{"b":{"c":2}},"a":{"b":{}}"#, 5, Null),
        (r#""a":{"b":{"c":2}},"a":{"b":{"c":3}}"#, 5, Long(3)),
        (r#""a":{"b":{"c":2},"b":1}"#, 5, Null),
        (r#""a":{"b":{"c":2}},"a":null"#, 5, Null),
        (r#""a":{"b":{"c":"x"}},"a":null"#, 5, Null),
        (r#""a.b.c":4"#, 5, Long(4)),
        (r#""a.b.c":4,"a":{"b":{"c":2}}"#, 5, Long(4)),
        (r#""a":{"b":{"c":2}},"a.b.c":4"#, 5, Long(4)),
        (r#""a.b.c":null,"a":{"b":{"c":2}}"#, 5, Null),
        (r#""a.b.c":4,"a":{"b":{"c":"x"}}"#, 5, Long(4)),
        (r#""a.b.c":4,"a":{"b":{"c":2}},"a":{}"#, 5, Long(4)),
        (r#""a.b":{"c":4}"#, 5, Null),
        (r#""unused":1e400"#, 0, Null),
    ];
    for (field, index, expected) in cases {
        let mut row = new_row();
        let result = JsonDecoder::new(&spec()).decode(&record(&with(field)), &mut row);
        assert_eq!(result, Ok(()), "{field}");
        assert_eq!(row.dimension(index), expected, "{field}");
    }
}

/// What a bad record is refused for, with the exact words.
#[rustfmt::skip]
const BAD_RECORDS: &[(&[u8], Reason, &str)] = &[
    (b"", Reason::Malformed, "nothing at byte 0"),
    (b" \n ", Reason::Malformed, "nothing at byte 3"),
    (b"\xef\xbb\xbf{}", Reason::Malformed, "a byte order mark at byte 0"),
    (b"{\"ts\":1}x", Reason::Malformed, "text after the JSON value at byte 8"),
    (b"{\"ts\":1}{\"ts\":1}", Reason::Malformed, "text after the JSON value at byte 8"),
    (b"{\"ts\":1,}", Reason::Malformed, "no key at byte 8"),
    (b"{ts:1}", Reason::Malformed, "no key at byte 1"),
    (b"{\"ts\" 1}", Reason::Malformed, "no colon at byte 6"),
    (b"{\"ts\":1 \"s\":1}", Reason::Malformed, "no comma and no end of the object at byte 8"),
    (b"{\"u\":[1 2]}", Reason::Malformed, "no comma and no end of the array or object at byte 8"),
    (b"{\"u\":[1,]}", Reason::Malformed, "no JSON value at byte 8"),
    (b"{\"u\":", Reason::Malformed, "the end at byte 5"),
    (b"{\"u\":\"abc", Reason::Malformed, "the end within a string at byte 9"),
    (b"{\"u\":\"a\nb\"}", Reason::Malformed, "a control character in a string at byte 7"),
    (b"{\"u\":\"\x00\"}", Reason::Malformed, "a control character in a string at byte 6"),
    (b"{\"u\":\"\\x\"}", Reason::Malformed, "no JSON escape at byte 7"),
    (b"{\"u\":\"\\u12g4\"}", Reason::Malformed, "no hex digit at byte 10"),
    (b"{\"u\":\"\\ud800\"}", Reason::Malformed, "a lone surrogate at byte 12"),
    (b"{\"u\":\"\\udc00\\ud800\"}", Reason::Malformed, "a lone surrogate at byte 12"),
    (b"{\"u\":\"\\ud800\\u0041\"}", Reason::Malformed, "a lone surrogate at byte 18"),
    (b"{\"u\":\"\xff\"}", Reason::Malformed, "not UTF-8 at byte 6"),
    (b"{\"u\":\"\xc0\xaf\"}", Reason::Malformed, "not UTF-8 at byte 6"),
    (b"{\0\"\0u\0\"\0:\x001\0}\0", Reason::Malformed, "no key at byte 1"),
    (b"{\"u\":01}", Reason::Malformed, "no comma and no end of the object at byte 6"),
    (b"{\"u\":1.}", Reason::Malformed, "no JSON number at byte 5"),
    (b"{\"u\":-}", Reason::Malformed, "no JSON number at byte 5"),
    (b"{\"u\":+1}", Reason::Malformed, "no JSON value at byte 5"),
    (b"{\"u\":0x10}", Reason::Malformed, "no comma and no end of the object at byte 6"),
    (b"{\"u\":1_000}", Reason::Malformed, "no comma and no end of the object at byte 6"),
    (b"{\"u\":NaN}", Reason::Malformed, "no JSON value at byte 5"),
    (b"{\"u\":Infinity}", Reason::Malformed, "no JSON value at byte 5"),
    (b"{\"u\":nul}", Reason::Malformed, "no JSON value at byte 5"),
    (b"{'u':1}", Reason::Malformed, "no key at byte 1"),
    (b"hello", Reason::Malformed, "no JSON value at byte 0"),
    (b"[{\"ts\":1}", Reason::Malformed, "no comma and no end of the array or object at byte 9"),
    (b"[{\"ts\":1}]", Reason::NotAnObject, "the record's value is JSON, but no object"),
    (b"null", Reason::NotAnObject, "the record's value is JSON, but no object"),
    (b" 17 ", Reason::NotAnObject, "the record's value is JSON, but no object"),
    (b"\"ts\"", Reason::NotAnObject, "the record's value is JSON, but no object"),
    (b"{}", Reason::TimeMissing, "event time is null or missing"),
    (b"{\"ts\":null}", Reason::TimeMissing, "event time is null or missing"),
    (b"{\"ts\":5,\"ts\":null}", Reason::TimeMissing, "event time is null or missing"),
    (b"{\"ts\":null,\"l\":\"x\"}", Reason::TimeMissing, "event time is null or missing"),
    (b"{\"TS\":5}", Reason::TimeMissing, "event time is null or missing"),
    (b"{\"ts\":\"soon\"}", Reason::TimeUnreadable, "event time: expected ISO-8601 text or a number since 1970, found the string \"soon\""),
    (b"{\"ts\":5,\"ts\":{}}", Reason::TimeUnreadable, "event time: expected ISO-8601 text or a number since 1970, found an object"),
    (b"{\"ts\":true,\"l\":\"x\"}", Reason::TimeUnreadable, "event time: expected ISO-8601 text or a number since 1970, found true"),
    (b"{\"ts\":\"9999-12-31T23:00:00Z\"}", Reason::TimeOutOfRange, "event time: the string \"9999-12-31T23:00:00Z\" is not within the years 1 to 9999"),
    (b"{\"ts\":292277026596000000000}", Reason::TimeOutOfRange, "event time: 292277026596000000000 is not within the years 1 to 9999"),
    (b"{\"ts\":1,\"s\":[\"a\"]}", Reason::DimensionUnreadable, "dimension `s` (string): expected text, a number or a boolean, found an array"),
    (b"{\"ts\":1,\"s\":{\"a\":1}}", Reason::DimensionUnreadable, "dimension `s` (string): expected text, a number or a boolean, found an object"),
    (b"{\"ts\":1,\"l\":3.5}", Reason::DimensionUnreadable, "dimension `l` (long): expected a whole number, found 3.5"),
    (b"{\"ts\":1,\"l\":true}", Reason::DimensionUnreadable, "dimension `l` (long): expected a whole number, found true"),
    (b"{\"ts\":1,\"l\":\"\"}", Reason::DimensionUnreadable, "dimension `l` (long): expected a whole number, found the string \"\""),
    (b"{\"ts\":1,\"l\":\"007\"}", Reason::DimensionUnreadable, "dimension `l` (long): expected a whole number, found the string \"007\""),
    (b"{\"ts\":1,\"l\":\"0x10\"}", Reason::DimensionUnreadable, "dimension `l` (long): expected a whole number, found the string \"0x10\""),
    (b"{\"ts\":1,\"d\":\"NaN\"}", Reason::DimensionUnreadable, "dimension `d` (double): expected a number, found the string \"NaN\""),
    (b"{\"ts\":1,\"b\":1}", Reason::DimensionUnreadable, "dimension `b` (boolean): expected true or false, found 1"),
    (b"{\"ts\":1,\"a\":{\"b\":{\"c\":{}}}}", Reason::DimensionUnreadable, "dimension `deep` (long): expected a whole number, found an object"),
    (b"{\"ts\":1,\"n\":\"12 kB\"}", Reason::MeasureUnreadable, "measure `bytes` (long): expected a whole number, found the string \"12 kB\""),
    (b"{\"ts\":1,\"n\":0.5,\"l\":[]}", Reason::DimensionUnreadable, "dimension `l` (long): expected a whole number, found an array"),
    (b"{\"ts\":1,\"x\":\"1,5\"}", Reason::MeasureUnreadable, "measure `latency` (double): expected a number, found the string \"1,5\""),
    (b"{\"ts\":1,\"x\":\"an unusually long value that nobody wants to read in full\"}", Reason::MeasureUnreadable, "measure `latency` (double): expected a number, found the string \"an unusually long value that nobody want...\""),
    (b"{\"ts\":1,\"l\":9223372036854775808}", Reason::NumberOutOfRange, "dimension `l` (long): 9223372036854775808 does not fit into 64 bits"),
    (b"{\"ts\":1,\"l\":-9223372036854775809}", Reason::NumberOutOfRange, "dimension `l` (long): -9223372036854775809 does not fit into 64 bits"),
    (b"{\"ts\":1,\"n\":1e19}", Reason::NumberOutOfRange, "measure `bytes` (long): 1e19 does not fit into 64 bits"),
    (b"{\"ts\":1,\"d\":1e400}", Reason::NumberOutOfRange, "dimension `d` (double): 1e400 does not fit into 64 bits"),
    (b"{\"ts\":1,\"x\":\"-1e400\"}", Reason::NumberOutOfRange, "measure `latency` (double): the string \"-1e400\" does not fit into 64 bits"),
];

#[test]
fn a_bad_record_is_refused_with_its_reason_and_the_next_one_is_unaffected() {
    let mut decoder = JsonDecoder::new(&spec());
    let good = with(r#""s":"good","user":{"id":"u"}"#);
    let expected = decode(&mut decoder, &good);
    assert!(expected.is_ok(), "{expected:?}");
    for (payload, reason, detail) in BAD_RECORDS {
        let refusal = Refusal::new(*reason, *detail);
        assert_eq!(decode(&mut decoder, payload), Err(refusal), "{}", String::from_utf8_lossy(payload));
        assert_eq!(decode(&mut decoder, &good), expected, "after {}", String::from_utf8_lossy(payload));
    }
}

fn reason(payload: &[u8]) -> Option<Reason> {
    decode(&mut JsonDecoder::new(&spec()), payload).err().map(|refusal| refusal.reason)
}

#[test]
fn limits_hold_to_the_unit() {
    let nested = |levels: usize| with(&format!("\"u\":{}{}", "[".repeat(levels), "]".repeat(levels)));
    let objects = |levels: usize| with(&format!("\"u\":{}1{}", "{\"a\":".repeat(levels), "}".repeat(levels)));
    // The outermost object is a level too.
    assert_eq!(reason(&nested(NESTING_MAX - 1)), None);
    assert_eq!(reason(&nested(NESTING_MAX)), Some(Reason::NestedTooDeep));
    assert_eq!(reason(&objects(NESTING_MAX - 1)), None);
    assert_eq!(reason(&objects(NESTING_MAX)), Some(Reason::NestedTooDeep));
    assert_eq!(reason("[".repeat(1_000_000).as_bytes()), Some(Reason::NestedTooDeep));
    assert_eq!(reason("{\"a\":".repeat(100_000).as_bytes()), Some(Reason::NestedTooDeep));

    let fields = |count: usize| with(&vec!["\"u\":1"; count - 1].join(","));
    assert_eq!(reason(&fields(2_000)), None);
    assert_eq!(reason(&fields(2_001)), Some(Reason::TooManyFields));

    let string = |bytes: usize| with(&format!("\"s\":\"{}\"", "x".repeat(bytes)));
    assert_eq!(reason(&string(64 * 1024)), None);
    assert_eq!(reason(&string(64 * 1024 + 1)), Some(Reason::StringTooLong));
    let unused = with(&format!("\"u\":\"{}\"", "x".repeat(100_000)));
    assert_eq!(reason(&unused), None);

    let padded = |bytes: usize| [with("\"s\":1"), vec![b' '; bytes]].concat()[..bytes].to_vec();
    assert_eq!(reason(&padded(1024 * 1024)), None);
    assert_eq!(reason(&padded(1024 * 1024 + 1)), Some(Reason::RecordTooLarge));
}

#[test]
fn a_path_deeper_than_the_limit_is_refused_like_any_other_value() {
    let mut spec = spec();
    spec.input.dimensions[0] = FieldSource::Path(vec!["a".to_owned(); NESTING_MAX + 1]);
    let payload = with(&format!("{}1{}", "\"a\":{".repeat(NESTING_MAX), "}".repeat(NESTING_MAX)));
    let refusal = decode(&mut JsonDecoder::new(&spec), &payload).unwrap_err();
    assert_eq!(refusal.reason, Reason::NestedTooDeep);
}

#[test]
fn a_tombstone_is_filtered() {
    let mut row = new_row();
    let tombstone = KafkaRecord { payload: None, ..record(b"") };
    let refusal = JsonDecoder::new(&spec()).decode(&tombstone, &mut row).unwrap_err();
    assert_eq!(refusal, Refusal::new(Reason::Tombstone, "the record has no value"));
}

#[test]
fn a_missing_time_can_be_given_by_the_spec_but_an_unreadable_one_cannot() {
    let mut spec = spec();
    spec.input.time.missing = Some(TimestampMs(42));
    let mut decoder = JsonDecoder::new(&spec);
    let mut row = new_row();
    assert_eq!(decoder.decode(&record(b"{}"), &mut row), Ok(()));
    assert_eq!(row.time, TimestampMs(42));
    let refusal = decoder.decode(&record(b"{\"ts\":\"soon\"}"), &mut row).unwrap_err();
    assert_eq!(refusal.reason, Reason::TimeUnreadable);
}

#[test]
fn metadata_of_the_record_becomes_columns() {
    let dimensions = ["topic", "partition", "offset", "key", "header.region", "header.absent"];
    let long = |name: &str| ["partition", "offset"].contains(&name);
    let dimensions: Vec<_> = dimensions
        .iter()
        .map(|name| json!({ "name": format!("kafka.{name}"), "type": if long(name) { "long" } else { "string" } }))
        .collect();
    let spec = json!({
        "topic": "usage", "kafka": { "bootstrap.servers": "b:1" }, "time": "kafka.timestamp",
        "dimensions": dimensions, "measures": { "a": "count", "b": "count", "c": "count", "d": "count" },
    });
    let spec = SupervisorSpec::from_short_form("usage", &spec).unwrap();
    let mut decoder = JsonDecoder::new(&spec);
    assert!(decoder.needs_headers());
    let headers = [("region", Some(b"old".as_slice())), ("region", Some(b"eu")), ("other", None)];
    let full = KafkaRecord { key: Some(b"k"), headers: &headers, ..record(b"{}") };
    let mut row = new_row();
    decoder.decode(&full, &mut row).unwrap();
    assert_eq!(row.time, TimestampMs(1_700_000_000_999));
    let values: Vec<_> = (0..6).map(|index| row.dimension(index)).collect();
    use DimensionValue::{Long, Null, String};
    assert_eq!(values, [String("usage"), Long(3), Long(17), String("k"), String("eu"), Null]);

    let not_text = KafkaRecord { key: Some(b"\xff"), ..full };
    let refusal = decoder.decode(&not_text, &mut row).unwrap_err();
    let detail = "dimension `kafka.key` (string): the record's key is not UTF-8";
    assert_eq!(refusal, Refusal::new(Reason::DimensionUnreadable, detail));
    let timeless = KafkaRecord { timestamp: None, ..full };
    assert_eq!(decoder.decode(&timeless, &mut row).unwrap_err().reason, Reason::TimeMissing);
}

#[test]
fn a_record_cut_off_anywhere_is_malformed() {
    let full = with(r#""s":"e\u00e9 \ud83d\ude00","l":-1.5e1,"b":true,"u":[{"x":null}],"user":{"id":"u"},"n":7"#);
    let mut decoder = JsonDecoder::new(&spec());
    assert!(decode(&mut decoder, &full).is_ok());
    for length in 0..full.len() {
        let refusal = decode(&mut decoder, &full[..length]).unwrap_err();
        assert_eq!(refusal.reason, Reason::Malformed, "{length} of {} bytes", full.len());
    }
}

#[test]
fn the_order_of_keys_makes_no_difference() {
    let fields = [r#""ts":5"#, r#""s":"a""#, r#""l":1"#, r#""u":{"s":"b"}"#, r#""user":{"id":"x"}"#, r#""n":2"#];
    let mut decoder = JsonDecoder::new(&spec());
    let expected = decode(&mut decoder, format!("{{{}}}", fields.join(",")).as_bytes());
    assert!(expected.is_ok());
    for rotation in 0..fields.len() {
        for dropped in 0..2 {
            // Every other record lacks the field that nobody needs, so that predictions fail too.
            let mut order: Vec<_> = fields.iter().cycle().skip(rotation).take(fields.len()).copied().collect();
            order.retain(|field| dropped == 0 || !field.starts_with("\"u\""));
            assert_eq!(decode(&mut decoder, format!("{{{}}}", order.join(",")).as_bytes()), expected);
        }
    }
}
