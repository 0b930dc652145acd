//! Walks a spec's JSON, remembers the path, and collects what is wrong instead of stopping at the first mistake.

use std::cell::RefCell;

use serde_json::{Map, Value};

use super::{Accepted, Problem, SpecError, SupervisorSpec};

/// What was found so far.
#[derive(Debug, Default)]
pub(crate) struct Problems {
    found: RefCell<Vec<Problem>>,
    warnings: RefCell<Vec<String>>,
}

impl Problems {
    /// `spec` is `None` only after a problem was reported.
    pub(super) fn accept(self, spec: Option<SupervisorSpec>) -> Result<Accepted, SpecError> {
        let problems = self.found.into_inner();
        match spec {
            Some(spec) if problems.is_empty() => Ok(Accepted { spec, warnings: self.warnings.into_inner() }),
            _ => {
                assert!(!problems.is_empty(), "a spec is refused for a stated reason");
                Err(SpecError { problems })
            }
        }
    }
}

/// A value and its place. Reading it as something that it is not reports a problem and gives `None`.
#[derive(Debug, Clone)]
pub(crate) struct Node<'a> {
    path: String,
    value: &'a Value,
    problems: &'a Problems,
}

impl<'a> Node<'a> {
    pub(super) fn new(path: String, value: &'a Value, problems: &'a Problems) -> Self {
        Self { path, value, problems }
    }

    pub(super) fn root(value: &'a Value, problems: &'a Problems) -> Self {
        Self::new(String::new(), value, problems)
    }

    pub(crate) fn value(&self) -> &'a Value {
        self.value
    }

    pub(crate) fn problem(&self, message: impl Into<String>) {
        let problem = Problem { path: self.path.clone(), message: message.into() };
        self.problems.found.borrow_mut().push(problem);
    }

    pub(crate) fn warn(&self, message: &str) {
        self.problems.warnings.borrow_mut().push(format!("{}: {message}", self.path));
    }

    /// Reports that something else was expected here, and what is here.
    pub(crate) fn expected<T>(&self, what: &str) -> Option<T> {
        self.problem(format!("expected {what}, found {}", shown(self.value)));
        None
    }

    pub(crate) fn text(&self) -> Option<&'a str> {
        self.value.as_str().or_else(|| self.expected("a string"))
    }

    pub(crate) fn boolean(&self) -> Option<bool> {
        self.value.as_bool().or_else(|| self.expected("true or false"))
    }

    /// A whole number of at least `min`.
    pub(crate) fn number(&self, min: u64) -> Option<u64> {
        self.value
            .as_u64()
            .filter(|number| *number >= min)
            .or_else(|| self.expected(&format!("a whole number of at least {min}")))
    }

    pub(crate) fn items(&self) -> Option<Vec<Self>> {
        let items = self.value.as_array().or_else(|| self.expected("an array"))?;
        let item = |(index, value)| Self::new(format!("{}[{index}]", self.path), value, self.problems);
        Some(items.iter().enumerate().map(item).collect())
    }

    /// A Kafka topic's name, by Kafka's own rules.
    pub(crate) fn topic(&self) -> Option<&'a str> {
        let topic = self.text()?;
        let is_legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if topic.is_empty() || topic.len() > 249 || !topic.chars().all(is_legal) || matches!(topic, "." | "..") {
            self.problem("a topic has a name of 1 to 249 letters, digits, `.`, `_` and `-`");
            return None;
        }
        Some(topic)
    }

    /// The entries of an object whose keys are the author's.
    pub(crate) fn entries(&self) -> Option<Vec<(&'a str, Self)>> {
        let map = self.value.as_object().or_else(|| self.expected("an object"))?;
        Some(map.iter().map(|(key, value)| (key.as_str(), self.child(key, value))).collect())
    }

    /// An object whose keys are ours: every other key is reported.
    pub(crate) fn fields(&self, known: &'static [&'static str]) -> Option<Fields<'a>> {
        self.fields_or_ignored(known, &[])
    }

    /// Like [`fields`](Self::fields); keys in `ignored` only cause a warning.
    pub(crate) fn fields_or_ignored(
        &self,
        known: &'static [&'static str],
        ignored: &'static [&'static str],
    ) -> Option<Fields<'a>> {
        let map = self.value.as_object().or_else(|| self.expected("an object"))?;
        for (key, value) in map.iter().filter(|(key, _)| !known.contains(&key.as_str())) {
            let node = self.child(key, value);
            match ignored.contains(&key.as_str()) {
                true if value.is_null() => {}
                true => node.warn("has no meaning here and is ignored"),
                false => node.problem(unknown("field", key, known.iter().chain(ignored).copied())),
            }
        }
        Some(Fields { node: self.clone(), map, known })
    }

    /// One of `choices`, by name.
    pub(crate) fn choice<T: Copy>(&self, choices: &[(&str, T)]) -> Option<T> {
        let text = self.text()?;
        if let Some((_, choice)) = choices.iter().find(|(name, _)| *name == text) {
            return Some(*choice);
        }
        let names: Vec<String> = choices.iter().map(|(name, _)| format!("`{name}`")).collect();
        self.problem(format!("expected one of {}, found {}", names.join(", "), shown(self.value)));
        None
    }

    fn child(&self, key: &str, value: &'a Value) -> Self {
        Self::new(self.child_path(key), value, self.problems)
    }

    fn child_path(&self, key: &str) -> String {
        let segment = path_segment(key);
        if self.path.is_empty() { segment } else { format!("{}.{segment}", self.path) }
    }
}

/// An object with known keys. A null counts as absent, as it does in Druid.
#[derive(Debug)]
pub(crate) struct Fields<'a> {
    node: Node<'a>,
    map: &'a Map<String, Value>,
    known: &'static [&'static str],
}

impl<'a> Fields<'a> {
    pub(crate) fn get(&self, name: &'static str) -> Option<Node<'a>> {
        debug_assert!(self.known.contains(&name), "`{name}` would be reported as unknown");
        self.map.get(name).filter(|value| !value.is_null()).map(|value| self.node.child(name, value))
    }

    /// Reports what is missing, with `advice` on what to write.
    pub(crate) fn required(&self, name: &'static str, advice: &str) -> Option<Node<'a>> {
        let node = self.get(name);
        if node.is_none() {
            self.problem_at(name, format!("is missing: {advice}"));
        }
        node
    }

    /// A problem with a field, whether it is there or not.
    pub(crate) fn problem_at(&self, name: &str, message: impl Into<String>) {
        let problem = Problem { path: self.node.child_path(name), message: message.into() };
        self.node.problems.found.borrow_mut().push(problem);
    }

    /// A warning about a field, whether it is there or not.
    pub(crate) fn warn_at(&self, name: &str, message: &str) {
        self.node.problems.warnings.borrow_mut().push(format!("{}: {message}", self.node.child_path(name)));
    }

    /// Reports a field that asks for something, that is anything but null, false or empty. Whether it does.
    pub(crate) fn refuse(&self, name: &'static str, message: &str) -> bool {
        let Some(node) = self.get(name) else { return false };
        let asks_nothing = match node.value {
            Value::Bool(flag) => !flag,
            Value::Array(items) => items.is_empty(),
            Value::Object(map) => map.is_empty(),
            _ => false,
        };
        if !asks_nothing {
            node.problem(message);
        }
        !asks_nothing
    }

    pub(crate) fn node(&self) -> &Node<'a> {
        &self.node
    }
}

/// A key as it stands in a path: quoted where it would be misread.
pub(super) fn path_segment(key: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if !key.is_empty() && key.chars().all(is_bare) { key.to_owned() } else { format!("{key:?}") }
}

/// That `name` is not known, with the nearest name that is.
pub(crate) fn unknown<'n>(what: &str, name: &str, known: impl Iterator<Item = &'n str>) -> String {
    let distance = |known: &str| strsim::damerau_levenshtein(&name.to_lowercase(), &known.to_lowercase());
    let nearest = known.map(|known| (distance(known), known)).min_by_key(|(distance, _)| *distance);
    match nearest {
        // A third of the letters may be wrong; further away a suggestion is only noise.
        Some((distance, nearest)) if distance <= name.chars().count().div_ceil(3) => {
            format!("unknown {what} (did you mean `{nearest}`?)")
        }
        _ => format!("unknown {what}"),
    }
}

/// A value in a message: short, and of objects and arrays only what they are.
fn shown(value: &Value) -> String {
    match value {
        Value::Array(_) => "an array".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        Value::String(text) if text.chars().count() > 40 => "a long string".to_owned(),
        scalar => scalar.to_string(),
    }
}
