use henge_segment_store::time::Granularity;
use serde_json::Value;

use super::Node;

/// A granularity as a name, a period, or Druid's object with a time zone or an origin.
pub(super) fn read(node: &Node<'_>) -> Option<Granularity> {
    let result = match node.value() {
        Value::String(text) => text.parse::<Granularity>().map_err(|error| error.to_string()),
        Value::Object(_) => {
            node.fields(&["type", "period", "timeZone", "origin", "duration"])?;
            serde_json::from_value(node.value().clone()).map_err(|error| match error.to_string() {
                // What serde says of an object that is neither a period nor a duration.
                text if text.starts_with("data did not match") => {
                    r#"expected {"type": "period", "period": "PT1H"} or {"type": "duration", "duration": 3600000}"#
                        .into()
                }
                text => text,
            })
        }
        _ => return node.expected("a granularity such as `1h`"),
    };
    result.map_err(|message| node.problem(message)).ok()
}
