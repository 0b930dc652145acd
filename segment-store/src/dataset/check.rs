//! Whether a definition can mean something, first by itself, then over the datasources as they are.

use std::collections::{BTreeMap, BTreeSet};

use super::{Dataset, Label, Metric, MetricKind, ResourceType};
use crate::schema::{Aggregation, DataSourceName, DataSourceSchema, DimensionType};

/// Metrics of a dataset: more cannot be looked over.
const METRICS_MAX: usize = 1_000;
const RESOURCES_MAX: usize = 50;
const LABELS_MAX: usize = 30;
const NAME_BYTES_MAX: usize = 200;
const TEXT_BYTES_MAX: usize = 2_000;

impl Dataset {
    /// What can be said without the datasources.
    pub(super) fn check_names(&self, problems: &mut Vec<String>) {
        for (what, count, count_max) in
            [("metrics", self.metrics.len(), METRICS_MAX), ("resources", self.resources.len(), RESOURCES_MAX)]
        {
            if count > count_max {
                problems.push(format!("{count} {what} are declared; a dataset has at most {count_max}"));
            }
        }
        for (kind, resource) in &self.resources {
            resource.check_names(&format!("resources.`{kind}`"), kind, problems);
        }
        for (name, metric) in &self.metrics {
            metric.check_names(&format!("metrics.`{name}`"), name, self, problems);
        }
    }

    /// What is wrong with it over the datasources; empty where nothing is. `schema_of`: `None` of one that is not there.
    pub fn check<'a>(&self, schema_of: impl Fn(&DataSourceName) -> Option<&'a DataSourceSchema>) -> Vec<String> {
        let mut problems = Vec::new();
        for (name, metric) in &self.metrics {
            let place = format!("metrics.`{name}`");
            match schema_of(&metric.data_source) {
                Some(schema) => metric.check_columns(&place, self, schema, &mut problems),
                None => problems.push(format!(
                    "{place}: there is no datasource `{}`: declare it first, or name another one",
                    metric.data_source
                )),
            }
        }
        problems
    }
}

impl ResourceType {
    fn check_names(&self, place: &str, kind: &str, problems: &mut Vec<String>) {
        if !is_label_name(kind) || kind.contains('.') {
            problems.push(format!("{place}: a resource type is named by letters, digits and `_`"));
        }
        if self.labels.contains_key("id") {
            problems.push(format!("{place}: its label `id` is what the key `id` says: leave it out of `labels`"));
        }
        check_text(place, &self.description, problems);
        check_labels(place, &self.labels, problems);
    }
}

impl Metric {
    fn check_names(&self, place: &str, name: &str, dataset: &Dataset, problems: &mut Vec<String>) {
        let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '/' | '-');
        if !name.starts_with(|c: char| c.is_ascii_alphabetic())
            || name.len() > NAME_BYTES_MAX
            || !name.chars().all(is_word)
        {
            problems.push(format!(
                "{place}: a metric is named by up to {NAME_BYTES_MAX} letters, digits, `.`, `/`, `_` and `-`, a letter first"
            ));
        }
        let is_unit = |c: char| c.is_ascii_graphic();
        if self.unit.is_empty() || self.unit.len() > 50 || !self.unit.chars().all(is_unit) {
            problems.push(format!("{place}: `unit` is a UCUM code such as `By`, `ms`, `1` or `{{records}}`"));
        }
        if self.resources.is_empty() {
            problems.push(format!("{place}: `resources` is empty: name the types of resources that it is about"));
        }
        for kind in self.resources.iter().filter(|kind| !dataset.resources.contains_key(*kind)) {
            let known: Vec<&str> = dataset.resources.keys().map(String::as_str).collect();
            problems.push(format!("{place}: there is no resource type `{kind}`; declared are {}", known.join(", ")));
        }
        check_text(place, &self.description, problems);
        check_labels(place, &self.labels, problems);
        self.check_exposed_labels(place, dataset, problems);
    }

    /// Scrapers see labels without `resource.` and `metric.`, and `_` for `.`.
    fn check_exposed_labels(&self, place: &str, dataset: &Dataset, problems: &mut Vec<String>) {
        let mut exposed = BTreeSet::new();
        for (field, _) in self.fields(dataset) {
            let (_, label) = field.split_once('.').unwrap_or_default();
            if !exposed.insert(label.replace('.', "_")) {
                problems
                    .push(format!("{place}: to scrapers `{field}` has the name of another label: rename one of them"));
            }
        }
    }

    fn check_columns(&self, place: &str, dataset: &Dataset, schema: &DataSourceSchema, problems: &mut Vec<String>) {
        match schema.measures.iter().find(|measure| measure.name == self.measure) {
            None => {
                let known: Vec<&str> = schema.measures.iter().map(|measure| measure.name.as_str()).collect();
                problems.push(format!(
                    "{place}: datasource `{}` has no measure `{}`; it has {}",
                    self.data_source,
                    self.measure,
                    known.join(", ")
                ));
            }
            Some(measure) => {
                if let Some(problem) = self.check_aggregation(measure.aggregation) {
                    problems.push(format!("{place}: measure `{}` is {problem}", self.measure));
                }
            }
        }
        for (field, dimension) in self.fields(dataset) {
            match schema.dimensions.iter().find(|known| known.name == dimension) {
                None => problems.push(format!(
                    "{place}: `{field}` is read from dimension `{dimension}`, which datasource `{}` does not have",
                    self.data_source
                )),
                Some(found) if found.kind == DimensionType::Double => problems.push(format!(
                    "{place}: `{field}` is read from dimension `{dimension}`, a double: labels are strings, longs or booleans"
                )),
                Some(_) => {}
            }
        }
    }

    fn check_aggregation(&self, aggregation: Aggregation) -> Option<String> {
        let is_sum = matches!(aggregation, Aggregation::Count | Aggregation::LongSum | Aggregation::DoubleSum);
        match (aggregation, self.kind) {
            (Aggregation::Sketch(_), _) => {
                Some(format!("{aggregation}: metrics are numbers, so read a measure of longs or doubles"))
            }
            (_, MetricKind::Counter) if !is_sum => {
                Some(format!("a {aggregation}: a counter adds up, so read a count or a sum, or call it a gauge"))
            }
            _ => None,
        }
    }
}

fn check_labels(place: &str, labels: &BTreeMap<String, Label>, problems: &mut Vec<String>) {
    if labels.len() > LABELS_MAX {
        problems.push(format!("{place}: {} labels are declared; {LABELS_MAX} is the most", labels.len()));
    }
    for (name, label) in labels {
        if !is_label_name(name) {
            problems.push(format!("{place}: label `{name}`: use letters, digits, `_` and `.`, a letter or `_` first"));
        }
        check_text(&format!("{place}: label `{name}`"), &label.description, problems);
    }
}

fn check_text(place: &str, text: &str, problems: &mut Vec<String>) {
    if text.len() > TEXT_BYTES_MAX {
        problems.push(format!("{place}: `description` has more than {TEXT_BYTES_MAX} bytes"));
    }
}

fn is_label_name(name: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.');
    name.len() <= NAME_BYTES_MAX
        && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(is_word)
}
