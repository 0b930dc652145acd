use henge_segment_store::retention::{Rule, keep_for};
use henge_segment_store::schema::{Aggregation, Dimension, DimensionType, Measure, SketchMeasure};
use henge_segment_store::sketch::SketchKind;
use henge_segment_store::time::Granularity;
use henge_segment_store::upkeep::{CompactionTarget, RollupTier};
use serde_json::json;

use super::*;

mod druid_form;
mod short;

/// Reads a spec in either form, and what was written of it.
fn assert_reads_back(spec: &SupervisorSpec) {
    let written = spec.to_json();
    let again = SupervisorSpec::from_json(&written).unwrap_or_else(|error| panic!("{error} in {written}"));
    assert_eq!(&again.spec, spec, "{written}");
    assert_eq!(again.warnings, Vec::<String>::new());
    assert_eq!(again.spec.to_json(), written);
}

/// Puts `value` at a JSON pointer, or removes what is there.
fn put(json: &mut Value, pointer: &str, value: Option<Value>) {
    let (parent, key) = pointer.rsplit_once('/').expect("a pointer has a slash");
    let parent = json.pointer_mut(parent).unwrap_or_else(|| panic!("nothing at {parent}"));
    let key = key.replace("~1", "/");
    match (parent, value) {
        (Value::Object(map), Some(value)) => drop(map.insert(key, value)),
        (Value::Object(map), None) => drop(map.shift_remove(&key)),
        (Value::Array(items), Some(value)) => items[key.parse::<usize>().expect("an index")] = value,
        (parent, _) => panic!("cannot put into {parent}"),
    }
}

/// Every place in a spec.
fn pointers(json: &Value, prefix: &str, out: &mut Vec<String>) {
    out.push(prefix.to_owned());
    match json {
        Value::Object(map) => map.iter().for_each(|(key, value)| pointers(value, &format!("{prefix}/{key}"), out)),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, value)| pointers(value, &format!("{prefix}/{index}"), out));
        }
        _ => {}
    }
}

/// Puts each of many values at each place: every outcome is fine, but one there must be.
fn assert_no_change_makes_it_panic(valid: &Value) {
    let mut places = Vec::new();
    pointers(valid, "", &mut places);
    let values = [
        json!(null),
        json!(false),
        json!(true),
        json!(0),
        json!(-1),
        json!(3),
        json!(u64::MAX),
        json!(1e300),
        json!(""),
        json!("\u{e9}"),
        json!("kafka."),
        json!("P1M"),
        json!("none"),
        json!("all"),
        json!([]),
        json!([[]]),
        json!({}),
        json!({ "type": "json" }),
        json!({ "": "" }),
        json!([{}]),
        json!("x".repeat(100)),
    ];
    for place in places.iter().filter(|place| !place.is_empty()) {
        for value in &values {
            let mut changed = valid.clone();
            put(&mut changed, place, Some(value.clone()));
            if let Ok(accepted) = SupervisorSpec::from_json(&changed) {
                assert_reads_back(&accepted.spec);
            }
        }
        let mut changed = valid.clone();
        if changed.pointer(place.rsplit_once('/').expect("has a slash").0).is_some_and(Value::is_object) {
            put(&mut changed, place, None);
            if let Ok(accepted) = SupervisorSpec::from_json(&changed) {
                assert_reads_back(&accepted.spec);
            }
        }
    }
}

fn dimension(name: &str, kind: DimensionType) -> Dimension {
    Dimension { name: name.to_owned(), kind }
}

fn measure(name: &str, aggregation: Aggregation) -> Measure {
    Measure { name: name.to_owned(), aggregation }
}

fn granularity(text: &str) -> Granularity {
    text.parse().expect("a granularity")
}

fn path(text: &str) -> FieldSource {
    FieldSource::Path(text.split('.').map(str::to_owned).collect())
}
