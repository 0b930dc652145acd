//! Questions about metrics: the stages of the aggregate, each where it makes a difference.

use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Decimal128Type, Float64Type, TimestampMillisecondType};
use futures::TryStreamExt;
use henge_query::reader::Reader;
use henge_query::request::AskedLimits;
use henge_query::series::{GroupOrder, LabelFilter, LabelTest, SeriesRequest, SeriesValue};
use henge_segment_store::dataset::{Dataset, SeriesFunction};
use henge_segment_store::time::{Interval, TimestampMs};
use serde_json::json;

use crate::fixture::{Fixture, NEW_YEAR_MS, event};

const SUM: SeriesFunction = SeriesFunction::Sum;
const MAX: SeriesFunction = SeriesFunction::Max;
const MEAN: SeriesFunction = SeriesFunction::Mean;
const COUNT: SeriesFunction = SeriesFunction::Count;

fn dataset() -> Arc<Dataset> {
    let metric = |measure: &str, kind: &str| {
        json!({
            "datasource": "usage", "measure": measure, "kind": kind, "unit": "1", "resources": ["org"],
            "labels": { "topic": "Topic", "partition": "partition", "internal": "internal" },
        })
    };
    let definition = json!({
        "resources": { "org": { "id": "org" } },
        "metrics": {
            "bytes": metric("bytes", "counter"), "load": metric("bytes", "gauge"), "cost": metric("cost", "counter"),
        },
    });
    Arc::new(Dataset::from_json(&definition).unwrap())
}

/// Over the three hours of the fixture's kind of events, by hours.
fn request(metric: &str, group_by: &[&str]) -> SeriesRequest {
    let hours = Interval::new(TimestampMs(NEW_YEAR_MS), TimestampMs(NEW_YEAR_MS + 3 * 3_600_000)).unwrap();
    SeriesRequest {
        reader: Reader::Everything,
        dataset: dataset(),
        metric: metric.to_owned(),
        value: SeriesValue::Aggregate { time_agg: None, agg: None },
        filter: None,
        group_by: group_by.iter().map(|field| (*field).to_owned()).collect(),
        granularity: Some("1h".parse().unwrap()),
        intervals: vec![hours],
        order: GroupOrder::ByLabels { after: None, count: 100 },
        query_id: "series".to_owned(),
        timeout: None,
        limits: AskedLimits::default(),
    }
}

fn by(metric: &str, group_by: &[&str], time_agg: SeriesFunction, agg: SeriesFunction) -> SeriesRequest {
    let value = SeriesValue::Aggregate { time_agg: Some(time_agg), agg: Some(agg) };
    SeriesRequest { value, ..request(metric, group_by) }
}

fn equal(field: &str, value: &str) -> LabelFilter {
    LabelFilter::Test { field: field.into(), test: LabelTest::Equal, value: value.into() }
}

/// The rows, each as its labels, the minute and the value.
async fn rows(fixture: &Fixture, request: SeriesRequest) -> Vec<String> {
    let answer = fixture.engine.series(request.clone()).await.unwrap_or_else(|error| panic!("{request:?}: {error}"));
    let batches: Vec<RecordBatch> = answer.batches.try_collect().await.unwrap();
    batches.iter().flat_map(|batch| (0..batch.num_rows()).map(|row| line(batch, row)).collect::<Vec<_>>()).collect()
}

fn line(batch: &RecordBatch, row: usize) -> String {
    let cell = |column: &Arc<dyn Array>| match column.data_type() {
        _ if column.is_null(row) => "NULL".to_owned(),
        DataType::Utf8View => column.as_string_view().value(row).to_owned(),
        DataType::Timestamp(..) => {
            let time = column.as_primitive::<TimestampMillisecondType>().value(row);
            format!("{}m", (time - NEW_YEAR_MS) / 60_000)
        }
        DataType::Float64 => column.as_primitive::<Float64Type>().value(row).to_string(),
        _ => column.as_primitive::<Decimal128Type>().value_as_string(row),
    };
    batch.columns().iter().map(cell).collect::<Vec<_>>().join("|")
}

/// Two series of `acme` with several samples, two rows in one of them, and one of `beta`.
async fn fixture() -> Fixture {
    let fixture = Fixture::new().await;
    fixture.usage.append(&[
        event(0, Some("acme"), "orders", 0, Some(100), 0.1),
        event(0, Some("acme"), "orders", 0, Some(1), 0.2),
        event(1, Some("acme"), "orders", 0, Some(50), 0.3),
        event(2, Some("acme"), "orders", 1, Some(7), 1e100),
        event(3, Some("acme"), "orders", 1, Some(8), -1e100),
    ]);
    fixture.publish().await;
    fixture.usage.append(&[
        event(61, Some("acme"), "orders", 1, Some(9), 1.0),
        event(62, Some("beta"), "_audit", 10, Some(4), 1.0),
        event(63, None, "clicks", 9, None, 2.0),
    ]);
    fixture
}

#[tokio::test]
async fn a_counter_adds_up_over_time_and_over_series() {
    let fixture = fixture().await;
    let expected = ["acme|0m|166", "acme|60m|9", "beta|60m|4"];
    assert_eq!(rows(&fixture, request("bytes", &["resource.org.id"])).await, expected);
    // Exact, in whichever segments the parts are.
    assert_eq!(rows(&fixture, request("cost", &[])).await, ["0m|0.6", "60m|4"]);
}

#[tokio::test]
async fn a_gauge_is_the_mean_of_its_samples_and_then_the_sum_of_its_series() {
    let fixture = fixture().await;
    // Of series 0 the samples 101 and 50, of series 1 the samples 7 and 8.
    let expected = ["orders|0m|83.000000000", "orders|60m|9.000000000"];
    let request =
        SeriesRequest { filter: Some(equal("resource.org.id", "acme")), ..request("load", &["metric.topic"]) };
    assert_eq!(rows(&fixture, request).await, expected);
}

#[tokio::test]
async fn each_stage_takes_the_function_that_is_asked_for() {
    let fixture = fixture().await;
    let acme = || Some(equal("resource.org.id", "acme"));
    let cases = [
        (by("bytes", &[], MAX, SUM), vec!["0m|109", "60m|9"]),
        (by("bytes", &[], SUM, MAX), vec!["0m|151", "60m|9"]),
        (by("bytes", &[], MAX, MAX), vec!["0m|101", "60m|9"]),
        (by("bytes", &[], SUM, MEAN), vec!["0m|83.000000000", "60m|9.000000000"]),
        (by("bytes", &[], MEAN, MEAN), vec!["0m|41.500000000", "60m|9.000000000"]),
        (by("bytes", &[], SUM, COUNT), vec!["0m|2", "60m|1"]),
        (by("bytes", &[], COUNT, SUM), vec!["0m|4", "60m|1"]),
        (by("bytes", &[], SUM, SeriesFunction::Min), vec!["0m|15", "60m|9"]),
        (SeriesRequest { granularity: None, ..by("bytes", &[], MAX, SUM) }, vec!["110"]),
        (
            SeriesRequest { granularity: None, ..by("bytes", &["metric.partition"], MEAN, SUM) },
            vec!["0|75.500000000", "1|8.000000000"],
        ),
    ];
    for (request, expected) in cases {
        let request = SeriesRequest { filter: acme(), ..request };
        assert_eq!(rows(&fixture, request.clone()).await, expected, "{request:?}");
    }
}

#[tokio::test]
async fn labels_are_texts_and_one_that_is_missing_passes_only_negations() {
    let fixture = fixture().await;
    let labels = |filter: Option<LabelFilter>| SeriesRequest {
        value: SeriesValue::Labels,
        granularity: None,
        filter,
        ..request("cost", &["metric.partition", "resource.org.id"])
    };
    assert_eq!(rows(&fixture, labels(None)).await, ["0|acme", "1|acme", "10|beta", "9|NULL"]);
    let test = |field: &str, test, value: &str| LabelFilter::Test { field: field.into(), test, value: value.into() };
    let not = |filter| LabelFilter::Not(Box::new(filter));
    let cases = [
        (equal("metric.partition", "1"), vec!["1|acme"]),
        (equal("metric.partition", "01"), vec![]),
        (test("metric.partition", LabelTest::Greater, "1"), vec!["10|beta", "9|NULL"]),
        (test("metric.partition", LabelTest::GreaterOrEqual, "1"), vec!["1|acme", "10|beta", "9|NULL"]),
        (test("metric.topic", LabelTest::Greater, "clicks"), vec!["0|acme", "1|acme"]),
        (equal("metric.internal", "true"), vec!["10|beta"]),
        (not(equal("resource.org.id", "acme")), vec!["10|beta", "9|NULL"]),
        (not(not(equal("resource.org.id", "acme"))), vec!["0|acme", "1|acme"]),
        (
            not(LabelFilter::Any(vec![equal("resource.org.id", "acme"), equal("metric.topic", "_audit")])),
            vec!["9|NULL"],
        ),
        (LabelFilter::All(vec![equal("resource.org.id", "acme"), not(equal("metric.partition", "0"))]), vec!["1|acme"]),
    ];
    for (filter, expected) in cases {
        assert_eq!(rows(&fixture, labels(Some(filter.clone()))).await, expected, "{filter:?}");
    }
    // Without a value there is no series.
    assert_eq!(
        rows(&fixture, SeriesRequest { value: SeriesValue::Labels, ..request("bytes", &["resource.org.id"]) })
            .await
            .len(),
        3
    );
}

#[tokio::test]
async fn groups_come_page_by_page_or_the_greatest_first() {
    let fixture = fixture().await;
    let page = |after: Option<&str>, count| SeriesRequest {
        order: GroupOrder::ByLabels { after: after.map(|label| vec![Some(label.to_owned())]), count },
        ..request("bytes", &["metric.partition"])
    };
    assert_eq!(rows(&fixture, page(None, 1)).await, ["0|0m|151"]);
    assert_eq!(rows(&fixture, page(Some("0"), 1)).await, ["1|0m|15", "1|60m|9"]);
    assert_eq!(rows(&fixture, page(Some("1"), 9)).await, ["10|60m|4"]);
    let top = |is_descending| SeriesRequest {
        granularity: None,
        order: GroupOrder::ByValue { is_descending, count: 2 },
        ..request("bytes", &["metric.partition"])
    };
    assert_eq!(rows(&fixture, top(true)).await, ["0|151", "1|24"]);
    assert_eq!(rows(&fixture, top(false)).await, ["10|4", "1|24"]);
}

#[tokio::test]
async fn what_several_intervals_cover_counts_once() {
    let fixture = fixture().await;
    let minutes = |from: i64, to: i64| {
        Interval::new(TimestampMs(NEW_YEAR_MS + from * 60_000), TimestampMs(NEW_YEAR_MS + to * 60_000)).unwrap()
    };
    let over = |intervals| SeriesRequest { intervals, ..request("bytes", &[]) };
    assert_eq!(rows(&fixture, over(vec![minutes(0, 2), minutes(1, 3), minutes(61, 62)])).await, ["0m|158", "60m|9"]);
    assert_eq!(rows(&fixture, over(vec![minutes(100, 101)])).await, Vec::<String>::new());
}

#[tokio::test]
async fn what_a_metric_does_not_have_is_told_with_what_it_has() {
    let fixture = fixture().await;
    let error = fixture.engine.series(request("bites", &[])).await.unwrap_err();
    assert_eq!(error.message, "there is no metric 'bites'; did you mean 'bytes'?");
    let error = fixture.engine.series(request("bytes", &["metric.topics"])).await.unwrap_err();
    assert_eq!(
        error.message,
        "metric 'bytes' has no field 'metric.topics'; did you mean 'metric.topic'?; it has metric.internal, \
         metric.partition, metric.topic, resource.org.id"
    );
}
