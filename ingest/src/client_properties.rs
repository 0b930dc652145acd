//! Which properties of librdkafka's a spec may set, and where their values come from.
//!
//! Only what the list in `properties.rs` allows passes through: other properties load code (`plugin.library.paths`,
//! `ssl.engine.location`), run programs (`sasl.kerberos.kinit.cmd`), print secrets (`debug`), or would break what the
//! consumer relies on (`enable.auto.commit`).

mod properties;

use std::collections::BTreeMap;

use serde_json::Value;

use self::properties::{PROPERTIES, Rule, rule};
use crate::secret::{SecretError, SecretRef};
use crate::spec::{Node, SupervisorSpec, unknown};

/// The properties of a Kafka client, checked; secrets are references. Free to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientProperties(BTreeMap<String, PropertyValue>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum PropertyValue {
    Literal(String),
    Secret(SecretRef),
}

/// Why the properties of a client cannot be had.
#[derive(Debug, thiserror::Error)]
#[error("Kafka property `{property}` has no value")]
pub struct PropertyError {
    pub property: String,
    pub source: SecretError,
}

/// Who wrote the properties: Druid's users bring those of the Java client along.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WrittenFor {
    Henge,
    Druid,
}

/// Druid's key for properties that come from elsewhere.
const DRUID_PROVIDER: &str = "druid.dynamic.config.provider";

/// The properties to connect with, secrets included: read when connecting, and neither log nor keep them.
pub fn resolve(spec: &SupervisorSpec) -> Result<Vec<(String, String)>, PropertyError> {
    let resolved = |(property, value): (&String, &PropertyValue)| {
        let value = match value {
            PropertyValue::Literal(text) => text.clone(),
            PropertyValue::Secret(reference) => {
                reference.read().map_err(|source| PropertyError { property: property.clone(), source })?
            }
        };
        Ok((property.clone(), value))
    };
    spec.client_properties.0.iter().map(resolved).collect()
}

impl ClientProperties {
    /// The literal value of a property, such as `bootstrap.servers`; `None` for one that is not set or is a secret.
    pub fn literal(&self, property: &str) -> Option<&str> {
        match self.0.get(property) {
            Some(PropertyValue::Literal(text)) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn read(node: &Node<'_>, written_for: WrittenFor) -> Option<Self> {
        let mut properties = BTreeMap::new();
        for (name, value) in node.entries()? {
            if name == DRUID_PROVIDER && written_for == WrittenFor::Druid {
                read_provider(&value, &mut properties);
            } else if let Some(read) = read_property(name, &value, written_for) {
                properties.insert(name.to_owned(), read);
            }
        }
        let is_written = node.value().get("bootstrap.servers").is_some_and(|value| !value.is_null());
        if !properties.contains_key("bootstrap.servers") && !is_written {
            node.problem("`bootstrap.servers` is missing: name at least one broker, such as `127.0.0.1:9092`");
        }
        Some(Self(properties))
    }

    pub(crate) fn write(&self) -> Value {
        let written = |(name, value): (&String, &PropertyValue)| {
            let value = match value {
                PropertyValue::Literal(text) => Value::from(text.clone()),
                PropertyValue::Secret(reference) => reference.write(),
            };
            (name.clone(), value)
        };
        Value::Object(self.0.iter().map(written).collect())
    }
}

/// No message shows a value here: what is misplaced may be a secret.
fn read_property(name: &str, node: &Node<'_>, written_for: WrittenFor) -> Option<PropertyValue> {
    if node.value().is_null() {
        return None;
    }
    let Some(rule) = rule(name) else {
        node.problem(format!(
            "{}; it is not among the properties that pass through to the Kafka client",
            unknown("property", name, PROPERTIES.iter().map(|(known, _)| *known))
        ));
        return None;
    };
    match rule {
        Rule::Ours(why) if written_for == WrittenFor::Druid => node.warn(&format!("is ignored: {why}")),
        Rule::Ours(why) => node.problem(format!("cannot be set, leave it out: {why}")),
        Rule::Instead(advice) => node.problem(advice),
        Rule::Secret | Rule::Credential if node.value().is_object() => {
            return SecretRef::read_spec(node).map(PropertyValue::Secret);
        }
        Rule::Secret => node.problem(
            r#"a secret does not belong in a spec: use {"file": "/path"} or {"env": "NAME"}, and change the secret if it was real"#,
        ),
        Rule::Credential | Rule::Text | Rule::Number | Rule::Flag | Rule::OneOf(_) => {
            let text = read_literal(name, rule, node)?;
            if name == "isolation.level" && text.eq_ignore_ascii_case("read_uncommitted") {
                node.warn("the records of aborted transactions are counted too");
            }
            return Some(PropertyValue::Literal(text));
        }
    }
    None
}

fn read_literal(name: &str, rule: Rule, node: &Node<'_>) -> Option<String> {
    let text = match node.value() {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        _ => {
            node.problem("expected a string, a number, or true or false");
            return None;
        }
    };
    let wrong = match rule {
        Rule::Number => text.parse::<i64>().is_err().then(|| "expected a whole number".to_owned()),
        Rule::Flag => (text != "true" && text != "false").then(|| "expected true or false".to_owned()),
        Rule::OneOf(choices) => {
            let is_choice = choices.iter().any(|choice| choice.eq_ignore_ascii_case(&text));
            (!is_choice).then(|| format!("expected one of {}", choices.join(", ")))
        }
        _ if name == "ssl.endpoint.identification.algorithm" && text.is_empty() => {
            // The Java client's way to say that host names are not to be checked.
            return Some("none".to_owned());
        }
        _ => (text.is_empty() || text.contains('\0')).then(|| "expected text".to_owned()),
    };
    match wrong {
        None => Some(text),
        Some(message) => {
            node.problem(message);
            None
        }
    }
}

/// Druid's `{"type": "environment", "variables": {property: variable}}` or `{"type": "mapString", "config": {..}}`.
fn read_provider(node: &Node<'_>, properties: &mut BTreeMap<String, PropertyValue>) {
    let Some(fields) = node.fields(&["type", "variables", "config"]) else { return };
    match fields.required("type", "use `environment`").and_then(|kind| kind.text()) {
        Some("environment") => {
            let variables = fields.required("variables", "name a variable for each property");
            for (name, node) in variables.and_then(|node| node.entries()).unwrap_or_default() {
                match rule(name) {
                    Some(Rule::Secret | Rule::Credential) => match node.value().as_str().and_then(SecretRef::env) {
                        Some(reference) => {
                            properties.insert(name.to_owned(), PropertyValue::Secret(reference));
                        }
                        None => node.problem("expected the name of an environment variable"),
                    },
                    Some(Rule::Instead(advice)) => node.problem(advice),
                    Some(Rule::Ours(why)) => node.warn(&format!("is ignored: {why}")),
                    _ => node.problem("only user names and secrets come from the environment: write the value itself"),
                }
            }
        }
        Some("mapString") => {
            let config = fields.required("config", "give each property its value");
            for (name, node) in config.and_then(|node| node.entries()).unwrap_or_default() {
                if let Some(value) = read_property(name, &node, WrittenFor::Druid) {
                    properties.insert(name.to_owned(), value);
                }
            }
        }
        Some(_) => fields.problem_at("type", "this provider is not supported: use `environment`"),
        None => {}
    }
}

#[cfg(test)]
mod tests;
