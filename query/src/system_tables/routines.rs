use std::collections::BTreeMap;

use datafusion::logical_expr::Documentation;

use super::rows::Rows;
use super::{ColumnKind, DRUID, INFORMATION_SCHEMA, SystemSources, SystemTable};
use crate::dialect;

pub(super) const TABLE: SystemTable = SystemTable {
    schema: INFORMATION_SCHEMA,
    name: "ROUTINES",
    columns: &[
        ("ROUTINE_CATALOG", ColumnKind::Text),
        ("ROUTINE_SCHEMA", ColumnKind::Text),
        ("ROUTINE_NAME", ColumnKind::Text),
        ("ROUTINE_TYPE", ColumnKind::Text),
        ("IS_AGGREGATOR", ColumnKind::Text),
        ("SIGNATURES", ColumnKind::Text),
    ],
    fill,
};

/// The functions of the session by all their names, and those that are rewritten before it sees them.
fn fill(sources: &SystemSources<'_>, rows: &mut Rows) {
    let mut routines: BTreeMap<String, (bool, Option<String>)> = BTreeMap::new();
    let mut add = |name: &str, is_aggregator: bool, documentation: Option<&Documentation>| {
        let usage = documentation.map(|documentation| documentation.syntax_example.clone());
        routines.insert(name.to_uppercase(), (is_aggregator, usage));
    };
    let session = sources.functions;
    for name in dialect::FUNCTIONS {
        add(name, false, None);
    }
    for name in dialect::AGGREGATES {
        add(name, true, None);
    }
    for (name, function) in session.scalar_functions() {
        add(name, false, function.documentation());
    }
    for (name, function) in session.aggregate_functions() {
        add(name, true, function.documentation());
    }
    for (name, function) in session.window_functions() {
        add(name, false, function.documentation());
    }
    for (name, (is_aggregator, usage)) in &routines {
        let is_aggregator = if *is_aggregator { "YES" } else { "NO" };
        let usage = usage.as_deref();
        rows.push(&[
            DRUID.into(),
            INFORMATION_SCHEMA.into(),
            name.into(),
            "FUNCTION".into(),
            is_aggregator.into(),
            usage.into(),
        ]);
    }
}
