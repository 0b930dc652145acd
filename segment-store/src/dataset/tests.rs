use serde_json::{Value, json};

use super::*;
use crate::schema::{Aggregation, DataSourceSchema, Dimension, DimensionType, Measure};

fn definition() -> Value {
    json!({
        "resources": { "kafka": { "description": "a cluster", "id": "cluster_id", "labels": { "env": "env_id" } } },
        "metrics": {
            "server/bytes": {
                "datasource": "usage", "measure": "bytes", "kind": "counter", "unit": "By",
                "resources": ["kafka"],
                "labels": { "topic": "topic", "partition": { "dimension": "partition", "exportable": false } },
            },
        },
    })
}

fn schema() -> DataSourceSchema {
    let dimension = |name: &str, kind| Dimension { name: name.into(), kind };
    let measure = |name: &str, aggregation| Measure { name: name.into(), aggregation };
    DataSourceSchema {
        dimensions: vec![
            dimension("cluster_id", DimensionType::String),
            dimension("env_id", DimensionType::String),
            dimension("topic", DimensionType::String),
            dimension("partition", DimensionType::Long),
            dimension("load", DimensionType::Double),
        ],
        measures: vec![measure("bytes", Aggregation::LongSum), measure("load_max", Aggregation::DoubleMax)],
        rollup: true,
        query_granularity: "1m".parse().unwrap(),
        segment_granularity: "1h".parse().unwrap(),
        sort: Vec::new(),
        tenant: None,
    }
}

/// All problems of the definition with a value put at a place.
fn problems_with(path: &str, value: Value) -> Vec<String> {
    let mut json = definition();
    *json.pointer_mut(path).unwrap_or_else(|| panic!("{path} is not there")) = value;
    match Dataset::from_json(&json) {
        Ok(dataset) => dataset.check(|name| (name.as_str() == "usage").then(|| Box::leak(Box::new(schema())) as &_)),
        Err(problems) => problems,
    }
}

#[test]
fn a_definition_has_its_defaults_and_reads_back_equal() {
    let dataset = Dataset::from_json(&definition()).unwrap();
    let metric = &dataset.metrics["server/bytes"];
    assert_eq!(
        (metric.stage, metric.exportable, metric.agg),
        (LifecycleStage::GeneralAvailability, true, SeriesFunction::Sum)
    );
    let fields: Vec<(String, &str)> = metric.fields(&dataset);
    let expected = [
        ("resource.kafka.id", "cluster_id"),
        ("resource.kafka.env", "env_id"),
        ("metric.partition", "partition"),
        ("metric.topic", "topic"),
    ];
    assert_eq!(fields, expected.map(|(field, dimension)| (field.to_owned(), dimension)));
    let again: Dataset = serde_json::from_value(serde_json::to_value(&dataset).unwrap()).unwrap();
    assert_eq!(again, dataset);
    assert_eq!(dataset.check(|_| Some(Box::leak(Box::new(schema())))), Vec::<String>::new());
}

#[test]
fn each_problem_says_where_it_stands_and_what_to_change() {
    const METRIC: &str = "/metrics/server~1bytes";
    let at = |member: &str| format!("{METRIC}/{member}");
    let cases = [
        (at("unit"), json!(""), "metrics.`server/bytes`: `unit` is a UCUM code such as `By`, `ms`, `1` or `{records}`"),
        (
            at("datasource"),
            json!("other"),
            "metrics.`server/bytes`: there is no datasource `other`: declare it first, or name another one",
        ),
        (
            at("measure"),
            json!("byte"),
            "metrics.`server/bytes`: datasource `usage` has no measure `byte`; it has bytes, load_max",
        ),
        (
            at("measure"),
            json!("load_max"),
            "metrics.`server/bytes`: measure `load_max` is a double_max: a counter adds up, so read a count or a sum, or call it a gauge",
        ),
        (
            at("resources"),
            json!([]),
            "metrics.`server/bytes`: `resources` is empty: name the types of resources that it is about",
        ),
        (
            at("resources"),
            json!(["ksql"]),
            "metrics.`server/bytes`: there is no resource type `ksql`; declared are kafka",
        ),
        (
            at("labels/topic"),
            json!("topics"),
            "metrics.`server/bytes`: `metric.topic` is read from dimension `topics`, which datasource `usage` does not have",
        ),
        (
            at("labels/topic"),
            json!("load"),
            "metrics.`server/bytes`: `metric.topic` is read from dimension `load`, a double: labels are strings, longs or booleans",
        ),
        (
            at("labels/topic"),
            json!(7),
            "metrics.`server/bytes`: a label is the name of a dimension, or a table with `dimension`, not 7",
        ),
        (
            at("labels"),
            json!({ "kafka.id": "topic" }),
            "metrics.`server/bytes`: to scrapers `metric.kafka.id` has the name of another label: rename one of them",
        ),
        (
            at("kind"),
            json!("histogram"),
            "metrics.`server/bytes`: unknown variant `histogram`, expected `counter` or `gauge`",
        ),
        ("/metrics".into(), json!({}), "`metrics` are missing: declare one at least"),
        (
            "/resources/kafka/labels".into(),
            json!({ "id": "cluster_id" }),
            "resources.`kafka`: its label `id` is what the key `id` says: leave it out of `labels`",
        ),
    ];
    for (path, value, expected) in cases {
        let problems = problems_with(&path, value.clone());
        assert!(problems.iter().any(|problem| problem == expected), "{path} = {value}: {problems:#?}");
    }
}

#[test]
fn only_words_name_a_dataset() {
    for name in ["cloud", "cloud-custom", "USM", "health-plus"] {
        assert_eq!(DatasetName::new(name).unwrap().as_str(), name);
    }
    for name in ["", "-a", "a b", "a/b", "..", &"x".repeat(65)] {
        assert!(DatasetName::new(name).is_err(), "{name}");
    }
}
