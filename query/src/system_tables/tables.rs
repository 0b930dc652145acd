use super::rows::Rows;
use super::{ColumnKind, DRUID, INFORMATION_SCHEMA, SystemSources, SystemTable};

pub(super) const TABLE: SystemTable = SystemTable {
    schema: INFORMATION_SCHEMA,
    name: "TABLES",
    columns: &[
        ("TABLE_CATALOG", ColumnKind::Text),
        ("TABLE_SCHEMA", ColumnKind::Text),
        ("TABLE_NAME", ColumnKind::Text),
        ("TABLE_TYPE", ColumnKind::Text),
        ("IS_JOINABLE", ColumnKind::Text),
        ("IS_BROADCAST", ColumnKind::Text),
    ],
    fill,
};

/// Unlike in Druid every table can be joined as it is.
fn fill(sources: &SystemSources<'_>, rows: &mut Rows) {
    let mut push = |schema: &str, name: &str, kind: &str| {
        rows.push(&[DRUID.into(), schema.into(), name.into(), kind.into(), "YES".into(), "NO".into()]);
    };
    for name in sources.data_sources() {
        push(DRUID, name.as_str(), "TABLE");
    }
    for (schema, name, _) in sources.tables() {
        push(schema, name, "SYSTEM_TABLE");
    }
}
