//! Druid's `transforms`: columns that are computed from the record's fields, under the name of a field or a new one.

use std::collections::BTreeSet;

use henge_segment_store::schema::TIME_COLUMN;
use serde_json::Value;

use super::expression;
use super::input_format::Columns;
use super::row_filter::ColumnNames;
use crate::spec::{FieldSource, Node};

/// What the columns of a `dataSchema` are called, before any of them is read: names in expressions depend on it.
#[derive(Debug, Default)]
pub(super) struct DeclaredNames {
    pub(super) dimensions: BTreeSet<String>,
    /// Measures of fields that are called otherwise. In an expression their names would mean what they aggregate.
    pub(super) renamed_measures: BTreeSet<String>,
}

impl DeclaredNames {
    /// Whatever has a name; what is wrong is reported where it is read.
    pub(super) fn of(data_schema: &Value) -> Self {
        let items = |pointer| data_schema.pointer(pointer).and_then(Value::as_array).into_iter().flatten();
        let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
        let dimensions =
            items("/dimensionsSpec/dimensions").filter_map(|item| text(Some(item)).or(text(item.get("name"))));
        let renamed = items("/metricsSpec")
            .filter(|item| item.get("fieldName").is_some_and(|field| Some(field) != item.get("name")));
        Self {
            dimensions: dimensions.collect(),
            renamed_measures: renamed.filter_map(|item| text(item.get("name"))).collect(),
        }
    }
}

/// The columns with those that transforms compute. All expressions see the record as it came, never each other.
pub(super) fn read(transforms: &Node<'_>, names: &ColumnNames<'_>) -> Option<Columns> {
    let mut computed = names.columns.clone();
    let mut seen = BTreeSet::new();
    let mut is_good = true;
    for node in transforms.items()? {
        match read_one(&node, names) {
            Some((name, _)) if !seen.insert(name.clone()) => {
                node.problem(format!("`{name}` is computed by another transform already"));
                is_good = false;
            }
            Some((name, source)) => computed.put(name, source),
            None => is_good = false,
        }
    }
    is_good.then_some(computed)
}

fn read_one(node: &Node<'_>, names: &ColumnNames<'_>) -> Option<(String, FieldSource)> {
    let fields = node.fields(&["type", "name", "expression"])?;
    let kind = fields.required("type", "use `expression`")?;
    if kind.text()? != "expression" {
        return kind.expected("`expression`");
    }
    let name = fields.required("name", "name the column that is computed")?;
    if name.text()? == TIME_COLUMN {
        name.problem("the event time is not computed: read it by timestampSpec");
        return None;
    }
    let expression = fields.required("expression", "write an expression over fields")?;
    Some((name.text()?.to_owned(), read_expression(&expression, names)?))
}

/// An expression of Druid's, as what computes a column.
pub(super) fn read_expression(node: &Node<'_>, names: &ColumnNames<'_>) -> Option<FieldSource> {
    let sql = expression::to_sql(node.text()?, |name| names.sql_name(name));
    sql.map(FieldSource::Expression).map_err(|message| node.problem(message)).ok()
}
