use super::rows::{Cell, Rows};
use super::{ColumnKind, DRUID, INFORMATION_SCHEMA, SystemSources, SystemTable};

pub(super) const TABLE: SystemTable = SystemTable {
    schema: INFORMATION_SCHEMA,
    name: "SCHEMATA",
    columns: &[
        ("CATALOG_NAME", ColumnKind::Text),
        ("SCHEMA_NAME", ColumnKind::Text),
        ("SCHEMA_OWNER", ColumnKind::Text),
        ("DEFAULT_CHARACTER_SET_CATALOG", ColumnKind::Text),
        ("DEFAULT_CHARACTER_SET_SCHEMA", ColumnKind::Text),
        ("DEFAULT_CHARACTER_SET_NAME", ColumnKind::Text),
        ("SQL_PATH", ColumnKind::Text),
    ],
    fill,
};

fn fill(sources: &SystemSources<'_>, rows: &mut Rows) {
    for schema in [DRUID].into_iter().chain(sources.schemas()) {
        rows.push(&[DRUID.into(), schema.into(), Cell::Null, Cell::Null, Cell::Null, Cell::Null, Cell::Null]);
    }
}
