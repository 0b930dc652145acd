use henge_segment_store::event::{DimensionValue, MeasureValue};
use henge_segment_store::ledger::Reason;
use serde_json::{Value, json};

use super::*;
use crate::decode::KafkaRecord;
use crate::decode::json::JsonDecoder;
use crate::spec::{SpecError, SupervisorSpec};

/// `n` is a long, `x` a double, `flag` a boolean, `s` and `t` are texts, and so are fields that no column is read from.
fn spec(of: Value) -> Result<SupervisorSpec, SpecError> {
    let mut spec = json!({
        "topic": "usage",
        "kafka": { "bootstrap.servers": "127.0.0.1:9092" },
        "time": { "column": "ts", "format": "millis" },
        "dimensions": [
            "s", "t",
            { "name": "flag", "type": "boolean" },
            { "name": "n", "type": "long" },
        ],
        "measures": { "events": "count", "x": "double_sum" },
    });
    for (key, value) in of.as_object().expect("changes of the spec") {
        match (value, spec.get_mut(key).and_then(Value::as_array_mut)) {
            (Value::Array(more), Some(items)) => items.extend(more.clone()),
            _ => spec[key] = value.clone(),
        }
    }
    SupervisorSpec::from_short_form("usage", &spec)
}

fn computed(kind: &str, expression: &str) -> Result<SupervisorSpec, SpecError> {
    spec(json!({ "dimensions": [{ "name": "c", "type": kind, "from": { "expression": expression } }] }))
}

/// The rows of some records, each decided on in one batch with the others.
fn rows(spec: &SupervisorSpec, records: &[Value]) -> Vec<Result<EventRow, Refusal>> {
    let width = spec.schema.dimensions.len() + spec.transform.inputs().len();
    let mut rows = vec![EventRow::new(width, spec.schema.measures.len()); records.len()];
    let mut decoder = JsonDecoder::new(spec);
    let mut pending = Vec::new();
    for (row, record) in rows.iter_mut().zip(records) {
        let payload = record.to_string();
        let record = KafkaRecord {
            topic: "usage",
            partition: 3,
            offset: 7,
            timestamp: None,
            key: None,
            headers: &[],
            payload: Some(payload.as_bytes()),
        };
        let refusal = decoder.decode(&record, row).err();
        pending.push(Pending { refusal, is_filter_readable: decoder.is_filter_readable() });
    }
    spec.transform.apply(&mut rows, &spec.schema, &mut pending);
    rows.into_iter().zip(pending).map(|(row, pending)| pending.refusal.map_or(Ok(row), Err)).collect()
}

fn row(spec: &SupervisorSpec, record: &Value) -> Result<EventRow, Refusal> {
    rows(spec, std::slice::from_ref(record)).remove(0)
}

const RECORD: &str =
    r#"{ "ts": 3600001, "s": "Ab", "n": 7, "x": 2.5, "flag": true, "size": "12.9", "a": { "b": "deep" } }"#;

/// The value of an expression of that type over the record above; or why there is none.
fn value(kind: &str, expression: &str) -> String {
    let spec = computed(kind, expression).unwrap_or_else(|error| panic!("{expression}: {error}"));
    match row(&spec, &serde_json::from_str(RECORD).unwrap()) {
        Ok(row) => match row.dimension(4) {
            DimensionValue::Null => "null".to_owned(),
            DimensionValue::String(text) => format!("'{text}'"),
            DimensionValue::Long(number) => number.to_string(),
            DimensionValue::Double(number) => format!("{number:?}"),
            DimensionValue::Boolean(flag) => flag.to_string(),
        },
        Err(refusal) => refusal.to_string(),
    }
}

#[test]
fn values_are_those_of_queries() {
    let cases = [
        ("long", "n + 1", "8"),
        ("long", "7 / 2 - -7 / 2", "6"),
        ("long", "7 % -2", "1"),
        ("long", "-9223372036854775808", "-9223372036854775808"),
        ("long", "ABS(-n) * 2", "14"),
        ("double", "n / 2.0", "3.5"),
        ("double", "x * 2", "5.0"),
        ("double", "n", "7.0"),
        ("string", "s || '-' || n || flag", "'Ab-7true'"),
        ("string", "s || t", "null"),
        ("string", "CONCAT('a', 'b', 1)", "'ab1'"),
        ("string", "LOWER(s) || UPPER(s)", "'abAB'"),
        ("long", "LENGTH('aé😀')", "4"),
        ("string", "SUBSTRING('aé😀z', 2)", "'é😀z'"),
        ("string", "SUBSTRING('aé😀z', 3, 1)", "''"),
        ("string", "SUBSTRING('abc' FROM 2 FOR 1)", "'b'"),
        ("string", "SUBSTRING('abc', 0, 2)", "'a'"),
        ("string", "TRIM(' a ') || TRIM(LEADING 'x' FROM 'xax') || RTRIM('ax', 'x')", "'aaxa'"),
        ("string", "REPLACE('banana', 'an', 'o') || REPLACE('abc', '', 'x')", "'booaabc'"),
        ("string", "REGEXP_EXTRACT('id=42;', 'id=([0-9]+)', 1)", "'42'"),
        ("string", "REGEXP_EXTRACT('none', '[0-9]+')", "null"),
        ("boolean", "REGEXP_LIKE('henge', 'n.e') AND s LIKE 'A_' AND s NOT LIKE 'a%' AND s ILIKE 'a%'", "true"),
        ("boolean", r"'a_b' LIKE 'a\_b' AND 'a%' LIKE 'a!%' ESCAPE '!'", "true"),
        ("long", "CAST(size AS BIGINT)", "12"),
        ("double", "CAST(size AS DOUBLE)", "12.9"),
        ("long", "CAST('foo' AS BIGINT)", "null"),
        ("long", "CAST(-2.9 AS BIGINT)", "-2"),
        ("string", "CAST(2.0 * n AS VARCHAR)", "'14'"),
        ("boolean", "CAST('TRUE' AS BOOLEAN)", "true"),
        ("string", "a.b", "'deep'"),
        ("string", "\"a.b\"", "'deep'"),
        ("string", "missing", "null"),
        ("long", "TIME_FLOOR(__time, 'PT1H')", "3600000"),
        ("string", "CASE WHEN n > 5 THEN 'big' ELSE 'small' END", "'big'"),
        ("string", "CASE s WHEN 'x' THEN '1' WHEN 'Ab' THEN '2' END", "'2'"),
        ("long", "CASE WHEN NULL THEN 1 END", "null"),
        ("double", "COALESCE(NULL, n, x)", "7.0"),
        ("string", "NVL(t, 'none')", "'none'"),
        ("long", "NULLIF(n, 7)", "null"),
        ("boolean", "n BETWEEN 7 AND 8 AND n NOT IN (1, 2)", "true"),
        ("boolean", "n NOT IN (1, NULL)", "null"),
        ("boolean", "NULL AND FALSE", "false"),
        ("boolean", "t = 'x' OR TRUE", "true"),
        ("boolean", "NOT t = 'x'", "null"),
        ("boolean", "t IS NULL AND s IS NOT NULL AND (t = 'x') IS NOT TRUE", "true"),
        ("boolean", "(t IS DISTINCT FROM s) AND (t IS NOT DISTINCT FROM NULL)", "true"),
        ("boolean", "kafka.partition = '3' AND kafka.offset = '7'", "true"),
    ];
    for (kind, expression, expected) in cases {
        assert_eq!(value(kind, expression), expected, "{expression}");
    }
}

#[test]
fn what_has_no_answer_refuses_the_record_and_names_the_expression() {
    let failed = |what: &str, expression: &str| format!("expression_failed: `c`: {what} in `{expression}`");
    let cases = [
        ("long", "1 / (n - 7)", "division by zero"),
        ("long", "n % 0", "division by zero"),
        ("double", "x / 0", "division by zero"),
        ("long", "9223372036854775807 + n", "a number leaves 64 bits"),
        ("long", "-(-9223372036854775808)", "a number leaves 64 bits"),
        ("double", "1e308 * n", "a number leaves 64 bits"),
        ("long", "CAST(1e300 AS BIGINT)", "a number leaves 64 bits"),
        ("boolean", "1 / 0 = 1 AND TRUE", "division by zero"),
        ("long", "COALESCE(1 / 0, 2)", "division by zero"),
    ];
    for (kind, expression, what) in cases {
        assert_eq!(value(kind, expression), failed(what, expression));
    }
    let long = format!("REPLACE('{}', 'x', '{}')", "x".repeat(1_000), "y".repeat(1_000));
    assert_eq!(value("string", &long), failed("a text has more than 65536 bytes", &long));
}

#[test]
fn a_failure_that_does_not_matter_is_none() {
    let cases = [
        ("boolean", "n <> 7 AND 1 / (n - 7) > 1", "false"),
        ("boolean", "1 / (n - 7) > 1 AND n <> 7", "false"),
        ("boolean", "n = 7 OR 1 / 0 = 1", "true"),
        ("long", "CASE WHEN n = 7 THEN 0 ELSE 1 / (n - 7) END", "0"),
        ("long", "COALESCE(n, 1 / 0)", "7"),
    ];
    for (kind, expression, expected) in cases {
        assert_eq!(value(kind, expression), expected, "{expression}");
    }
}

#[test]
fn a_wrong_expression_is_an_error_of_the_spec_that_says_where() {
    let cases = [
        ("s +", "Expected: an expression, found: EOF"),
        ("n n", "expected the end of the expression, found `n` at line 1, column 3"),
        ("FOO(n)", "`FOO`: unknown function at line 1, column 1"),
        ("n || SUBSTING(s, 1)", "`SUBSTING`: unknown function (did you mean `SUBSTRING`?) at line 1, column 6"),
        ("LOWER(s, t)", "`LOWER` does not take 2 arguments at line 1, column 1"),
        ("s || (s + 1)", "`+` takes numbers, found string: CAST it to BIGINT or DOUBLE at line 1, column 7"),
        ("CASE WHEN\n n THEN 's' END", "expected boolean, found long: CAST it at line 2, column 2"),
        ("CASE WHEN s = n THEN 's' END", "string and long cannot be compared without CAST at line 1, column 11"),
        ("n", "the expression gives values of type long, and string is needed: CAST it"),
        ("s LIKE t", "the pattern must be a literal at line 1, column 8"),
        ("REGEXP_EXTRACT(s, '(')", "`(` is not a regular expression, or too large a one at line 1, column 1"),
        (
            "REGEXP_EXTRACT(s, '(o)', 2)",
            "the group must be a number from 0 to 1, as the pattern has at line 1, column 1",
        ),
        (
            "CAST(99999999999999999999 AS VARCHAR)",
            "`99999999999999999999` does not fit into 64 bits at line 1, column 6",
        ),
        ("(SELECT 1)", "this cannot be used in an expression over records"),
        ("COUNT(*)", "`COUNT`: unknown function at line 1, column 1"),
        ("CAST(n AS DATE)", "`DATE` is no type: use VARCHAR, BIGINT, DOUBLE, BOOLEAN at line 1, column 6"),
    ];
    let message = |expression: &str| {
        let error = computed("string", expression).expect_err(expression).to_string();
        error.strip_prefix("datasource.usage.dimensions: `c`: ").expect("it names the column").to_owned()
    };
    let found = cases.map(|(expression, _)| (expression, message(expression)));
    assert_eq!(found, cases.map(|(expression, expected)| (expression, expected.to_owned())));
    let error = spec(json!({ "where": "n" })).expect_err("no condition").to_string();
    assert_eq!(
        error,
        "datasource.usage.where: the expression gives values of type long, and boolean is needed: CAST it"
    );
}

#[test]
fn texts_made_to_exhaust_a_stack_are_refused() {
    let cases = [
        format!("n{}", " + 1".repeat(1_000)),
        format!("{}n", "- ".repeat(2_000)),
        format!("{}n{}", "(".repeat(2_000), ")".repeat(2_000)),
        format!("{}s{}", "LOWER(".repeat(600), ")".repeat(600)),
        format!("s{}", " IS NULL".repeat(500)),
        format!("'{}'", "x".repeat(TEXT_BYTES_MAX)),
        "CASE WHEN TRUE THEN ".repeat(200),
        "CASE WHEN TRUE THEN ".repeat(10),
        "CASE WHEN CAST(SUBSTRING(TRIM(".repeat(2),
        format!("{}n", "(n + ".repeat(10)),
    ];
    for expression in cases {
        computed("long", &expression).expect_err("it is too long or too deep");
    }
    let chain = format!("s = '0'{}", " OR s = '1'".repeat(300));
    spec(json!({ "where": chain })).expect("chains of OR may be long");
}

#[test]
fn no_keyword_in_a_row_or_within_itself_keeps_the_parser() {
    for keyword in sqlparser::keywords::ALL_KEYWORDS {
        let forms = [" ", "(", "["].map(|link| format!("{keyword}{link}").repeat(if link == " " { 300 } else { 10 }));
        for expression in forms {
            computed("long", &expression).expect_err("it is not finished");
        }
    }
}

#[test]
fn the_row_filter_keeps_what_it_is_true_for() {
    let spec = spec(json!({
        "dimensions": [{ "name": "c", "from": { "expression": "UPPER(s)" } }],
        "where": "c = 'KEEP' AND n > 1",
    }));
    let record = |s: &str, n: Value| json!({ "ts": 1, "s": s, "n": n });
    let records = [
        record("keep", json!(2)),
        record("drop", json!(2)),
        record("keep", Value::Null),
        // Filtered by what could be read, although its number cannot be.
        record("drop", json!("odd")),
        record("keep", json!("odd")),
        record("Keep", json!(3)),
        json!({ "s": "drop", "n": 1 }),
        json!([1]),
    ];
    let outcome = |row: Result<EventRow, Refusal>| match row {
        Ok(row) => format!("{:?}", row.dimension(3)),
        Err(refusal) => refusal.reason.to_string(),
    };
    let outcomes: Vec<String> = rows(&spec.unwrap(), &records).into_iter().map(outcome).collect();
    let unreadable = "dimension_unreadable";
    let expected = ["Long(2)", "filtered", "filtered", unreadable, unreadable, "Long(3)", "filtered", "not_an_object"];
    assert_eq!(outcomes, expected);
}

#[test]
fn a_measure_is_computed_and_a_column_may_have_the_name_of_its_field() {
    let spec = spec(json!({
        "measures": { "errors": { "long_sum": { "expression": "CASE WHEN n >= 5 THEN 1 ELSE 0 END" } } },
        "dimensions": [{ "name": "region", "from": { "expression": "LOWER(region)" } }],
    }));
    let spec = spec.unwrap();
    let row = row(&spec, &json!({ "ts": 1, "n": 7, "region": "EU" })).unwrap();
    assert_eq!(row.measure(0), MeasureValue::Long(1));
    assert_eq!(row.dimension(4), DimensionValue::String("eu"));
    let error = super::tests::spec(json!({ "dimensions": [
        { "name": "a", "from": { "expression": "s" } },
        { "name": "b", "from": { "expression": "a || 'x'" } },
    ] }));
    let expected =
        "datasource.usage.dimensions: `b`: `a` is computed itself: write its expression here at line 1, column 1";
    assert_eq!(error.unwrap_err().to_string(), expected);
}

#[test]
fn values_are_kept_in_the_type_in_force() {
    let mut spec = computed("long", "n * 2").unwrap();
    spec.schema.dimensions[3].kind = DimensionType::String;
    spec.schema.dimensions[4].kind = DimensionType::String;
    let row = row(&spec, &json!({ "ts": 1, "n": 21 })).unwrap();
    assert_eq!((row.dimension(3), row.dimension(4)), (DimensionValue::String("21"), DimensionValue::String("42")));
}

#[test]
fn a_batch_gives_what_its_records_give_alone() {
    let mut random = crate::fleet::random::Random(7);
    let expression = "CASE WHEN flag THEN s || n WHEN n / x > 2 THEN REPLACE(t, s, 'y') ELSE SUBSTRING(t, n) END";
    let spec = spec(json!({
        "dimensions": [{ "name": "c", "from": { "expression": expression } }],
        "where": "NOT (flag AND s = 'ab') AND (n % x < 3 OR t IS NULL)",
    }));
    let spec = spec.unwrap();
    let texts = [Value::Null, json!(""), json!("ab"), json!("babab"), json!("é😀")];
    let numbers = [Value::Null, json!(0), json!(1), json!(-3), json!(9_223_372_036_854_775_807_i64)];
    let flags = [Value::Null, json!(true), json!(false), json!("odd")];
    let mut pick = |values: &[Value]| values[random.below(values.len() as u64) as usize].clone();
    let records: Vec<Value> = (0..2_000)
        .map(|_| json!({ "ts": 1, "s": pick(&texts), "t": pick(&texts), "n": pick(&numbers), "x": pick(&numbers), "flag": pick(&flags) }))
        .collect();
    let shown = |outcome: Result<EventRow, Refusal>| outcome.map(|row| format!("{:?}", row.dimension(4)));
    let alone: Vec<_> = records.iter().map(|record| shown(row(&spec, record))).collect();
    let together: Vec<_> = records.chunks(256).flat_map(|records| rows(&spec, records)).map(shown).collect();
    assert_eq!(together, alone);
    let count = |reason: Option<Reason>| {
        alone.iter().filter(|outcome| outcome.as_ref().err().map(|refusal| refusal.reason) == reason).count()
    };
    for reason in [None, Some(Reason::Filtered), Some(Reason::ExpressionFailed), Some(Reason::DimensionUnreadable)] {
        assert!(count(reason) > 50, "{reason:?} comes {} times", count(reason));
    }
}
