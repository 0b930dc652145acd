use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// A dimension under the name that readers of metrics know it by.
///
/// Written as the dimension's name, or as a table with more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Label {
    pub dimension: String,
    pub description: String,
    /// Whether scrapers get it; where not, series that differ in nothing else are one to them.
    pub exportable: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LabelTable {
    dimension: String,
    #[serde(default)]
    description: String,
    #[serde(default = "super::yes")]
    exportable: bool,
}

impl<'de> Deserialize<'de> for Label {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        match Value::deserialize(input)? {
            Value::String(dimension) => Ok(Self { dimension, description: String::new(), exportable: true }),
            table @ Value::Object(_) => {
                let LabelTable { dimension, description, exportable } =
                    serde_json::from_value(table).map_err(D::Error::custom)?;
                Ok(Self { dimension, description, exportable })
            }
            other => Err(D::Error::custom(format!(
                "a label is the name of a dimension, or a table with `dimension`, not {other}"
            ))),
        }
    }
}
