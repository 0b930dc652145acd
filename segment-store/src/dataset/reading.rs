//! A definition as it is written, entry by entry, so that each problem says where it stands.

use std::collections::BTreeMap;

use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::Dataset;

impl Dataset {
    /// Reads `{"resources": {..}, "metrics": {..}}`. The error has every problem that can be found without knowing the
    /// datasources.
    pub fn from_json(json: &Value) -> Result<Self, Vec<String>> {
        let Value::Object(members) = json else {
            return Err(vec![format!("a dataset is a table with `resources` and `metrics`, not {json}")]);
        };
        let mut problems = Vec::new();
        for unknown in members.keys().filter(|key| !matches!(key.as_str(), "resources" | "metrics")) {
            problems.push(format!("`{unknown}` is unknown: a dataset has `resources` and `metrics`"));
        }
        let resources = entries(members, "resources", &mut problems);
        let metrics = entries(members, "metrics", &mut problems);
        let dataset = Self { resources, metrics };
        if problems.is_empty() {
            dataset.check_names(&mut problems);
        }
        if problems.is_empty() { Ok(dataset) } else { Err(problems) }
    }
}

fn entries<T: DeserializeOwned>(
    members: &Map<String, Value>,
    key: &str,
    problems: &mut Vec<String>,
) -> BTreeMap<String, T> {
    let entries = match members.get(key) {
        Some(Value::Object(entries)) if !entries.is_empty() => entries,
        Some(Value::Object(_)) | None => {
            problems.push(format!("`{key}` are missing: declare one at least"));
            return BTreeMap::new();
        }
        Some(other) => {
            problems.push(format!("`{key}` is a table by name, not {other}"));
            return BTreeMap::new();
        }
    };
    let mut read = BTreeMap::new();
    for (name, json) in entries {
        match serde_json::from_value(json.clone()) {
            Ok(entry) => {
                read.insert(name.clone(), entry);
            }
            Err(error) => problems.push(format!("{key}.`{name}`: {error}")),
        }
    }
    read
}

/// As the manifest keeps it.
impl<'de> Deserialize<'de> for Dataset {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        Self::from_json(&Value::deserialize(input)?).map_err(|problems| D::Error::custom(problems.join("; ")))
    }
}
