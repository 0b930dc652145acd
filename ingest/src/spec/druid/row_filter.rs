//! Druid's filter of a `transformSpec`, as the condition in SQL that means the same.

use std::fmt::Write;

use henge_segment_store::schema::TIME_COLUMN;
use serde_json::Value;

use super::expression::quoted;
use super::input_format::Columns;
use super::transforms::DeclaredNames;
use crate::spec::fields::Fields;
use crate::spec::{FieldSource, Node};

/// Filters within each other.
const DEPTH_MAX: usize = 10;
const KINDS: &str = "and, or, not, selector, equals, in, null, like, regex, true";

/// What the names in filters and expressions mean.
pub(super) struct ColumnNames<'s> {
    pub(super) columns: &'s Columns,
    pub(super) declared: &'s DeclaredNames,
}

impl ColumnNames<'_> {
    /// A column's name in SQL, where it means what it means in Druid.
    pub(super) fn sql_name(&self, name: &str) -> Result<String, String> {
        if name == TIME_COLUMN {
            return Ok(name.to_owned());
        }
        let source = self.columns.find(name)?;
        // A declared column is found by its name, wherever it is read from; other names are those of fields.
        let is_dimension = self.declared.dimensions.contains(name);
        if !is_dimension && FieldSource::parse(name).as_ref() != Ok(&source) {
            return Err(format!(
                "`{name}` has another name in the record, or is computed: list it as a dimension to use it here"
            ));
        }
        if !is_dimension && self.declared.renamed_measures.contains(name) {
            return Err(format!("`{name}` is a field and the name of a measure of another field: rename the measure"));
        }
        Ok(format!("\"{}\"", name.replace('"', "\"\"")))
    }
}

pub(super) fn read(node: &Node<'_>, names: &ColumnNames<'_>) -> Option<String> {
    condition(node, names, DEPTH_MAX)
}

fn condition(node: &Node<'_>, names: &ColumnNames<'_>, depth: usize) -> Option<String> {
    if depth == 0 {
        node.problem(format!("filters are nested more than {DEPTH_MAX} deep"));
        return None;
    }
    let kind = node.value().get("type").and_then(Value::as_str);
    let Some(kind) = kind else { return node.expected("a filter with a `type`") };
    let inner = |node: Node<'_>| condition(&node, names, depth - 1).map(|text| format!("({text})"));
    match kind {
        "and" | "or" => {
            let parts = node.fields(&["type", "fields"])?.required("fields", "list the filters")?.items()?;
            let parts: Vec<String> = parts.into_iter().map(inner).collect::<Option<_>>()?;
            let word = if kind == "and" { " AND " } else { " OR " };
            if parts.is_empty() { node.expected("at least one filter in `fields`") } else { Some(parts.join(word)) }
        }
        "not" => {
            let field = node.fields(&["type", "field"])?.required("field", "name the filter to negate")?;
            Some(format!("NOT {}", inner(field)?))
        }
        "true" => node.fields(&["type"]).map(|_| "TRUE".to_owned()),
        "null" => {
            let fields = node.fields(&["type", "column"])?;
            Some(format!("{} IS NULL", column(&fields, "column", names)?))
        }
        "selector" => {
            let fields = node.fields(&["type", "dimension", "value"])?;
            let text = as_text(&column(&fields, "dimension", names)?);
            Some(match fields.get("value") {
                None => format!("{text} IS NULL"),
                Some(value) => format!("{text} = {}", text_literal(&value)?),
            })
        }
        "equals" => {
            let fields = node.fields_or_ignored(&["type", "column", "matchValue"], &["matchValueType"])?;
            let name = column(&fields, "column", names)?;
            let value = fields.required("matchValue", "say what to compare with")?;
            Some(match value.value() {
                Value::Number(number) => format!("{name} = {number}"),
                Value::Bool(flag) => format!("{name} = {flag}"),
                _ => format!("{} = {}", as_text(&name), text_literal(&value)?),
            })
        }
        "in" => {
            let fields = node.fields(&["type", "dimension", "values"])?;
            one_of(&column(&fields, "dimension", names)?, &fields.required("values", "list the values")?)
        }
        "like" => {
            let fields = node.fields(&["type", "dimension", "pattern", "escape"])?;
            let name = column(&fields, "dimension", names)?;
            let pattern = text_literal(&fields.required("pattern", "write a pattern")?)?;
            // Without an escape character Druid has none.
            let escape = fields.get("escape").map_or(Some("''".to_owned()), |escape| text_literal(&escape))?;
            Some(format!("{} LIKE {pattern} ESCAPE {escape}", as_text(&name)))
        }
        "regex" => {
            let fields = node.fields(&["type", "dimension", "pattern"])?;
            let name = column(&fields, "dimension", names)?;
            let pattern = text_literal(&fields.required("pattern", "write a regular expression")?)?;
            Some(format!("REGEXP_LIKE({}, {pattern})", as_text(&name)))
        }
        _ => node.expected(&format!("a filter of type {KINDS}; write others as `where` in the short form")),
    }
}

/// A null among the values is a value like the others.
fn one_of(name: &str, values: &Node<'_>) -> Option<String> {
    let (mut list, mut has_null) = (String::new(), false);
    for value in values.items()? {
        if value.value().is_null() {
            has_null = true;
            continue;
        }
        let separator = if list.is_empty() { "" } else { ", " };
        write!(list, "{separator}{}", text_literal(&value)?).expect("a String takes all text");
    }
    let is_in = if list.is_empty() { "FALSE".to_owned() } else { format!("{} IN ({list})", as_text(name)) };
    Some(if has_null { format!("{name} IS NULL OR {is_in}") } else { is_in })
}

/// A column's name in SQL.
fn column(fields: &Fields<'_>, key: &'static str, names: &ColumnNames<'_>) -> Option<String> {
    let node = fields.required(key, "name the column")?;
    names.sql_name(node.text()?).map_err(|message| node.problem(message)).ok()
}

/// Such filters compare the text of whatever a column holds.
fn as_text(name: &str) -> String {
    format!("CAST({name} AS VARCHAR)")
}

fn text_literal(node: &Node<'_>) -> Option<String> {
    let text = match node.value() {
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        _ => node.text()?.to_owned(),
    };
    Some(quoted(&text))
}
