use std::fmt;

use serde_json::{Value, json};

use super::Node;
use super::fields::unknown;

/// Where in a Kafka record a value stands.
///
/// Written as text, it is a dotted path into the record's JSON object (`user.id`), or, when it starts with `kafka.`, a
/// field of the record itself (`kafka.topic`, `kafka.header.region`). Written as an array of strings it is always a path,
/// and its keys may hold dots (`["kafka", "topic"]`). Written as `{ expression = "..." }` it is computed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldSource {
    /// Keys from the outermost object inward; never empty. A path of several keys is also found as one literal key of the
    /// outermost object, `{"user.id": 7}`; where a record has both, the literal key is taken, null or not.
    Path(Vec<String>),
    Kafka(KafkaField),
    /// The text of an expression over fields; [`Transform`](crate::transform::Transform) reads it.
    Expression(String),
}

/// What Kafka says of a record. `Offset`, `Partition` and `Timestamp` (ms) are whole numbers, the others text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KafkaField {
    Topic,
    Partition,
    Offset,
    Timestamp,
    Key,
    /// The last header of this name.
    Header(String),
}

const KAFKA_PREFIX: &str = "kafka.";
const HEADER_PREFIX: &str = "header.";
const KAFKA_FIELDS: [(&str, KafkaField); 5] = [
    ("topic", KafkaField::Topic),
    ("partition", KafkaField::Partition),
    ("offset", KafkaField::Offset),
    ("timestamp", KafkaField::Timestamp),
    ("key", KafkaField::Key),
];

impl FieldSource {
    /// A top-level key, taken as it is.
    pub(super) fn key(name: &str) -> Self {
        Self::Path(vec![name.to_owned()])
    }

    /// For values that cannot be computed.
    pub(super) fn read_field(node: &Node<'_>) -> Option<Self> {
        let source = Self::read(node)?;
        if let Self::Expression(_) = source {
            node.problem("this cannot be computed: name a field");
            return None;
        }
        Some(source)
    }

    pub(super) fn read(node: &Node<'_>) -> Option<Self> {
        if node.value().is_object() {
            let fields = node.fields(&["expression"])?;
            let text = fields.required("expression", "write an expression over fields")?.text()?;
            return Some(Self::Expression(text.to_owned()));
        }
        if !node.value().is_array() {
            let text =
                node.value().as_str().or_else(|| node.expected("a field's path, as a string or an array of keys"))?;
            return Self::parse(text).map_err(|message| node.problem(message)).ok();
        }
        let keys: Option<Vec<String>> = node.items()?.iter().map(|key| key.text().map(str::to_owned)).collect();
        let keys = keys?;
        if keys.is_empty() {
            node.problem("a path needs at least one key");
            return None;
        }
        Some(Self::Path(keys))
    }

    /// Reads the text form; the error says what to change.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let Some(field) = text.strip_prefix(KAFKA_PREFIX) else {
            let keys: Vec<String> = text.split('.').map(str::to_owned).collect();
            if keys.iter().any(String::is_empty) {
                return Err(format!("`{text}` has an empty key; write a path with such a key as an array of strings"));
            }
            return Ok(Self::Path(keys));
        };
        if let Some(name) = field.strip_prefix(HEADER_PREFIX).filter(|name| !name.is_empty()) {
            return Ok(Self::Kafka(KafkaField::Header(name.to_owned())));
        }
        match KAFKA_FIELDS.into_iter().find(|(name, _)| *name == field) {
            Some((_, field)) => Ok(Self::Kafka(field)),
            None => {
                let known = KAFKA_FIELDS.iter().map(|(name, _)| *name).chain(["header.NAME"]);
                let problem = unknown(&format!("field `{field}` of a Kafka record"), field, known);
                Err(format!("{problem}; a path into the JSON that begins with `kafka` is written as an array of keys"))
            }
        }
    }

    /// The text form, an object for what is computed, or an array of keys where that would be read as something else.
    pub(super) fn write(&self) -> Value {
        let text = self.to_string();
        match self {
            Self::Expression(text) => json!({ "expression": text }),
            Self::Path(keys) if Self::parse(&text).as_ref() != Ok(self) => Value::from(keys.clone()),
            _ => Value::from(text),
        }
    }
}

/// The text form, also where it would be read as something else.
impl fmt::Display for FieldSource {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(keys) => out.write_str(&keys.join(".")),
            Self::Kafka(KafkaField::Header(name)) => write!(out, "{KAFKA_PREFIX}{HEADER_PREFIX}{name}"),
            Self::Kafka(field) => {
                let (name, _) =
                    KAFKA_FIELDS.iter().find(|(_, known)| known == field).expect("every field but headers has a name");
                write!(out, "{KAFKA_PREFIX}{name}")
            }
            Self::Expression(text) => out.write_str(text),
        }
    }
}
