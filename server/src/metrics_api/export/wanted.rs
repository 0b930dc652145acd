//! The query string of a scrape: `resource.kafka.id=lkc-1,lkc-2&metric=...`, names also with `_` for `.`.

use std::collections::{BTreeMap, BTreeSet};

use henge_segment_store::dataset::{Dataset, resource_id_field};

use crate::metrics_api::problem::Problem;

/// Resources that one scrape may name.
const RESOURCES_MAX: usize = 2_000;

/// What a scraper asks for.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// By type, their ids.
    pub resources: BTreeMap<String, BTreeSet<String>>,
    /// Empty: all of them.
    pub metrics: BTreeSet<String>,
    /// A metric that has no answer does not take the others with it.
    pub ignores_failures: bool,
}

impl Wanted {
    /// Parameters that are none of ours, a scraper may send.
    pub fn read<'q>(pairs: impl Iterator<Item = (&'q str, &'q str)>, dataset: &Dataset) -> Result<Self, Problem> {
        let mut wanted = Self::default();
        for (name, value) in pairs {
            let values = || value.split(',').map(str::trim).filter(|value| !value.is_empty()).map(str::to_owned);
            match name {
                "metric" => wanted.metrics.extend(values()),
                "ignore_failed_metrics" => wanted.ignores_failures = flag(name, value)?,
                name if name.starts_with("resource.") || name.starts_with("resource_") => {
                    let kind = resource_type(name, dataset)?;
                    wanted.resources.entry(kind.to_owned()).or_default().extend(values());
                }
                _ => {}
            }
        }
        wanted.resources.retain(|_, ids| !ids.is_empty());
        let count: usize = wanted.resources.values().map(BTreeSet::len).sum();
        match count {
            0 => Err(Problem::invalid(
                "resource_missing",
                format!("name the resources to export, such as `{}=ID`", example(dataset)),
            )),
            count if count > RESOURCES_MAX => Err(Problem::invalid(
                "too_many_resources",
                format!("{count} resources are too many for one scrape: name at most {RESOURCES_MAX}"),
            )),
            _ => Ok(wanted),
        }
    }
}

/// The type of which a parameter names ids.
fn resource_type<'d>(name: &str, dataset: &'d Dataset) -> Result<&'d str, Problem> {
    let is_it = |kind: &&String| {
        let field = resource_id_field(kind);
        field == name || field.replace('.', "_") == name
    };
    dataset.resources.keys().find(is_it).map(String::as_str).ok_or_else(|| {
        let known: Vec<String> =
            dataset.resources.keys().map(|kind| format!("`{}`", resource_id_field(kind))).collect();
        Problem::invalid(
            "unknown_resource_type",
            format!("`{name}` names no resources of this dataset: use {}", known.join(" or ")),
        )
    })
}

/// A type that there is something to export of.
fn example(dataset: &Dataset) -> String {
    let kind = dataset.metrics.values().find_map(|metric| metric.resources.first());
    kind.map_or_else(|| "resource.TYPE.id".to_owned(), |kind| resource_id_field(kind))
}

fn flag(name: &str, value: &str) -> Result<bool, Problem> {
    match value {
        "true" | "1" | "" => Ok(true),
        "false" | "0" => Ok(false),
        other => Err(Problem::invalid("invalid_parameter", format!("`{name}` is true or false, not `{other}`"))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn dataset() -> Dataset {
        let kind = |id: &str| json!({ "description": "", "id": id });
        let definition = json!({
            "resources": { "kafka": kind("cluster_id"), "schema_registry": kind("registry") },
            "metrics": { "m": {
                "datasource": "fleet", "measure": "bytes", "kind": "counter", "unit": "By",
                "resources": ["kafka", "schema_registry"],
            } },
        });
        Dataset::from_json(&definition).unwrap()
    }

    fn read(pairs: &[(&'static str, &'static str)]) -> Result<Wanted, String> {
        Wanted::read(pairs.iter().copied(), &dataset()).map_err(|problem| problem.code.to_owned())
    }

    #[test]
    fn resources_are_named_in_any_spelling() {
        let set = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<BTreeSet<_>>();
        let wanted = read(&[
            ("resource.kafka.id", "a"),
            ("resource_kafka_id", "b, c,"),
            ("resource.schema_registry.id", "r"),
            ("metric", "m"),
            ("debug_job_id", "x"),
            ("ignore_failed_metrics", "true"),
        ]);
        let resources =
            BTreeMap::from([("kafka".to_owned(), set(&["a", "b", "c"])), ("schema_registry".to_owned(), set(&["r"]))]);
        assert_eq!(wanted, Ok(Wanted { resources, metrics: set(&["m"]), ignores_failures: true }));
    }

    #[test]
    fn what_names_no_resource_is_refused() {
        assert_eq!(read(&[]), Err("resource_missing".to_owned()));
        assert_eq!(read(&[("resource.kafka.id", ",")]), Err("resource_missing".to_owned()));
        assert_eq!(read(&[("resource.ksql.id", "a")]), Err("unknown_resource_type".to_owned()));
        let doubtful = [("resource.kafka.id", "a"), ("ignore_failed_metrics", "maybe")];
        assert_eq!(read(&doubtful), Err("invalid_parameter".to_owned()));
    }
}
