//! What sketches look like in an answer, what their functions refuse, and how far estimates are off.

use std::process::Command;

use henge_query::answer::ResultColumn;
use henge_query::error::QueryErrorKind;

use crate::fixture::{Fixture, event, request};
use crate::python;

#[tokio::test]
async fn sketches_are_answered_in_base64_with_druids_names_of_their_types() {
    let fixture = Fixture::with_events().await;
    let sql = "SELECT DS_HLL(org) AS h, DS_THETA(org) AS t, DS_QUANTILES_SKETCH(bytes) AS q, \
               THETA_SKETCH_UNION(DS_THETA(org), DS_THETA(Topic)) AS u, HLL_SKETCH_ESTIMATE(DS_HLL(org)) AS n FROM usage";
    for publishes in [false, true] {
        if publishes {
            fixture.publish().await;
        }
        let (columns, rows) = fixture.answer(request(sql)).await.unwrap();
        let column = |name: &str, druid_type: &str, sql_type: &str| ResultColumn {
            name: name.into(),
            druid_type: druid_type.into(),
            sql_type: sql_type.into(),
        };
        assert_eq!(
            columns,
            [
                column("h", "COMPLEX<HLLSketch>", "OTHER"),
                column("t", "COMPLEX<thetaSketch>", "OTHER"),
                column("q", "COMPLEX<KllDoublesSketch>", "OTHER"),
                column("u", "COMPLEX<thetaSketch>", "OTHER"),
                column("n", "DOUBLE", "DOUBLE"),
            ]
        );
        let cells: Vec<&str> = rows[0].split('|').collect();
        // Preamble and version, family, then how many values there are.
        assert_eq!(&cells[0][..8], "AgEHDAMI", "{cells:?}");
        assert_eq!(&cells[1][..16], "AgMDAAAazJMDAAAA", "{cells:?}");
        assert_eq!(&cells[2][..24], "BQEPAMgACAAFAAAAAAAAAMgA", "{cells:?}");
        assert_eq!(&cells[3][..16], "AgMDAAAazJMGAAAA", "{cells:?}");
        assert_eq!(cells[4].parse::<f64>().unwrap().round(), 3.0, "{cells:?}");
    }
}

#[tokio::test]
async fn wrong_arguments_are_refused_with_what_to_write() {
    let fixture = Fixture::with_events().await;
    for (sql, kind, message) in [
        (
            "SELECT APPROX_QUANTILE_DS(bytes, 1.5) FROM usage",
            QueryErrorKind::Plan,
            "the rank of APPROX_QUANTILE_DS must lie between 0 and 1, not be 1.5",
        ),
        (
            "SELECT APPROX_QUANTILE_DS(org, 0.5) FROM usage",
            QueryErrorKind::Plan,
            "APPROX_QUANTILE_DS ranks numbers, not Utf8View: CAST the argument to DOUBLE",
        ),
        (
            "SELECT DS_HLL(org, 40) FROM usage",
            QueryErrorKind::Plan,
            "lgK of an HLL sketch must lie between 4 and 21, not 40",
        ),
        (
            "SELECT APPROX_COUNT_DISTINCT_DS_THETA(org, 7) FROM usage",
            QueryErrorKind::Plan,
            "the size of a theta sketch must lie between 32 and 1048576, not 7",
        ),
        (
            "SELECT HLL_SKETCH_ESTIMATE(DS_THETA(org)) FROM usage",
            QueryErrorKind::Plan,
            "a theta sketch stands where a HLL sketch is needed",
        ),
        (
            "SELECT DS_GET_QUANTILE(DS_QUANTILES_SKETCH(bytes), 2) FROM usage",
            QueryErrorKind::Plan,
            "a rank must lie between 0 and 1, not be 2",
        ),
    ] {
        let error = fixture.error(sql).await;
        assert_eq!((error.kind, error.message.as_str()), (kind, message), "{sql}");
    }
}

/// By the package datasketches 5.2.0 for Python: of three strings, and of four numbers.
#[tokio::test]
async fn sketches_of_others_are_decoded_and_merged() {
    let fixture = Fixture::with_events().await;
    let hll = "DECODE_BASE64_COMPLEX('HLLSketch', 'AgEHDAMIAwAvdKYGjlpiEQPZhwc=')";
    let theta = "DECODE_BASE64_COMPLEX('thetaSketch', 'AgMDAAAazJMDAAAAAAAAAIHsw1lr/i0LRy2x1s6G6lEXOlMdWM4LXQ==')";
    let kll = "DECODE_BASE64_COMPLEX('KllDoublesSketch', 'BQEPAMgACAAEAAAAAAAAAMgAAQDEAAAAAAAAAAAA8D8AAAAAAAAQQAAAAAAA\
               ABBAAAAAAAAAAEAAAAAAAADwPwAAAAAAAAhA')";
    // They are of `acme`, `beta` and one more; here there are `acme`, `beta` and the empty string.
    for (sql, expected) in [
        (format!("SELECT ROUND(HLL_SKETCH_ESTIMATE({hll})) AS n"), "3.0"),
        (format!("SELECT ROUND(HLL_SKETCH_ESTIMATE(HLL_SKETCH_UNION({hll}, DS_HLL(org)))) AS n FROM usage"), "4.0"),
        (format!("SELECT THETA_SKETCH_ESTIMATE(THETA_SKETCH_UNION({theta}, DS_THETA(org))) AS n FROM usage"), "4.0"),
        (
            format!("SELECT THETA_SKETCH_ESTIMATE(THETA_SKETCH_INTERSECT({theta}, DS_THETA(org))) AS n FROM usage"),
            "2.0",
        ),
        (format!("SELECT THETA_SKETCH_ESTIMATE(THETA_SKETCH_NOT({theta}, DS_THETA(org))) AS n FROM usage"), "1.0"),
        (format!("SELECT APPROX_COUNT_DISTINCT_DS_THETA({theta}) AS n FROM usage"), "3"),
        (format!("SELECT DS_GET_QUANTILES({kll}, 0.5, 1.0) AS q"), "[2.0, 4.0]"),
    ] {
        assert_eq!(fixture.rows(&sql).await, [expected], "{sql}");
    }
    for (argument, message) in [
        ("'HLLSketch', 'AgMD'", "the bytes are no sketch that can be read: "),
        ("'HLLSketch', '?'", "a sketch is not base64: "),
        ("'thetaSketch', 'AgEHDAMIAwAvdKYGjlpiEQPZhwc='", "the text is a HLL sketch"),
        ("'json', 'AgEHDAMIAwAvdKYGjlpiEQPZhwc='", "DECODE_BASE64_COMPLEX takes a type and text: "),
    ] {
        let error = fixture.error(&format!("SELECT DECODE_BASE64_COMPLEX({argument}) AS s FROM usage")).await;
        assert!(error.kind == QueryErrorKind::Plan && error.message.starts_with(message), "{argument}: {error:?}");
    }
}

#[tokio::test]
async fn quantile_sketches_tell_ranks_fractions_and_counts() {
    let fixture = Fixture::with_events().await;
    let sketch = "DS_QUANTILES_SKETCH(cost)";
    let told = |function: &str| format!("SELECT {function} FROM (SELECT {sketch} AS s FROM usage)");
    for (function, expected) in [
        ("DS_GET_QUANTILE(s, 0.5)", "1.0"),
        ("DS_GET_QUANTILES(s, 0.0, 0.9, 1.0)", "[0.25, 8.0, 8.0]"),
        ("DS_RANK(s, 0.5)", "0.3333333333333333"),
        ("DS_CDF(s, 0.0, 2.0, 100.0)", "[0.0, 0.6666666666666666, 1.0, 1.0]"),
        ("DS_HISTOGRAM(s, 0.3, 4.0)", "[1.0, 4.0, 1.0]"),
        ("DS_GET_QUANTILE(NULL, 0.5)", "NULL"),
    ] {
        assert_eq!(fixture.rows(&told(function)).await, [expected], "{function}");
    }
    let nothing = "SELECT DS_CDF(s, 1.0), DS_RANK(s, 1.0), DS_GET_QUANTILES(s, 0.5) FROM (SELECT DS_QUANTILES_SKETCH(cost) AS s FROM usage WHERE org = 'x')";
    assert_eq!(fixture.rows(nothing).await, ["NULL|NULL|[null]"]);
    let error = fixture.error(&told("DS_CDF(s, 2.0, 1.0)")).await;
    assert_eq!(error.message, "the values that split a sketch must ascend");
}

/// More values than a group keeps one by one.
#[tokio::test]
async fn estimates_of_many_values_are_within_their_bounds() {
    const ROWS: i64 = 20_000;
    let fixture = Fixture::new().await;
    let row = |number: i64| event(number % 120, Some(&format!("org{number}")), "t", number, Some(number * number), 0.5);
    fixture.usage.append(&(0..ROWS / 2).map(row).collect::<Vec<_>>());
    fixture.publish().await;
    fixture.usage.append(&(ROWS / 2..ROWS).map(row).collect::<Vec<_>>());
    let sql = "SELECT APPROX_COUNT_DISTINCT(org), APPROX_COUNT_DISTINCT_DS_THETA(org, 4096), APPROX_COUNT_DISTINCT(partition), \
               APPROX_QUANTILE_DS(bytes, 0.5), DS_GET_QUANTILE(DS_QUANTILES_SKETCH(bytes), 0.99) FROM usage";
    for native in [true, false] {
        let mut request = request(sql);
        request.use_native_operators = native;
        let (_, rows) = fixture.answer(request).await.unwrap();
        let cells: Vec<f64> = rows[0].split('|').map(|cell| cell.parse().unwrap()).collect();
        for (found, error) in cells[..3].iter().zip([3.0 * 1.04 / 64.0, 3.0 / 64.0, 3.0 * 1.04 / 64.0]) {
            assert!((found - ROWS as f64).abs() < error * ROWS as f64, "{cells:?}");
        }
        for (found, rank) in cells[3..].iter().zip([0.5, 0.99]) {
            assert!((found.sqrt() / ROWS as f64 - rank).abs() < 0.027, "{cells:?}");
        }
    }
}

/// Standard input would do as well, but a sketch of this size fits an argument.
const READER: &str = r#"
import base64, sys, datasketches as d
h, t, q = (base64.b64decode(text) for text in sys.argv[1:])
hll, theta, kll = d.hll_sketch.deserialize(h), d.compact_theta_sketch.deserialize(t), d.kll_doubles_sketch.deserialize(q)
own_theta, own_hll = d.update_theta_sketch(12), d.hll_sketch(11)
for number in range(20000):
    own_theta.update(f"org{number}")
    own_hll.update(f"org{number}")
both, hlls = d.theta_union(12), d.hll_union(11)
for sketch in (theta, own_theta.compact()):
    both.update(sketch)
for sketch in (hll, own_hll):
    hlls.update(sketch)
print(round(hll.get_estimate()), round(theta.get_estimate()), kll.n, kll.get_min_value(), kll.get_max_value())
print(round(hlls.get_estimate()), round(both.get_result().get_estimate()))
"#;

#[tokio::test]
#[ignore = "needs Apache DataSketches: run with --include-ignored (needs python3 with venv, and pip to reach an index)"]
async fn apache_datasketches_reads_sketches_and_finds_the_same_hashes_in_them() {
    let fixture = Fixture::new().await;
    let row = |number: i64| event(number % 120, Some(&format!("org{number}")), "t", 0, Some(number), 0.5);
    fixture.usage.append(&(0..20_000).map(row).collect::<Vec<_>>());
    let rows = fixture
        .rows(
            "SELECT DS_HLL(org, 11), DS_THETA(org, 4096), DS_QUANTILES_SKETCH(bytes), \
             APPROX_COUNT_DISTINCT_DS_HLL(org, 11), APPROX_COUNT_DISTINCT_DS_THETA(org, 4096) FROM usage",
        )
        .await;
    let cells: Vec<&str> = rows[0].split('|').collect();
    let reader =
        Command::new(python::with_package("datasketches", "5.2.0")).args(["-c", READER]).args(&cells[..3]).output();
    let output = String::from_utf8(reader.expect("the environment has a Python").stdout).expect("it prints text");
    let (hll, theta) = (cells[3], cells[4]);
    assert_eq!(output, format!("{hll} {theta} 20000 0.0 19999.0\n{hll} {theta}\n"));
}
