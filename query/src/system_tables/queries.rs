use super::rows::Rows;
use super::{ColumnKind, SYS, SystemSources, SystemTable};

/// Queries that wait, run, or are read by their askers; the one that asks, too.
pub(super) const TABLE: SystemTable = SystemTable {
    schema: SYS,
    name: "queries",
    columns: &[
        ("query_id", ColumnKind::Text),
        ("created_time", ColumnKind::Text),
        ("elapsed_ms", ColumnKind::Long),
        ("segments", ColumnKind::Long),
        ("rows_total", ColumnKind::Long),
        ("rows_done", ColumnKind::Long),
        ("sql", ColumnKind::Text),
    ],
    fill,
};

fn fill(sources: &SystemSources<'_>, rows: &mut Rows) {
    for query in sources.running.progress() {
        rows.push(&[
            (&query.query_id).into(),
            (&query.started_at.to_string()).into(),
            (query.elapsed.as_millis() as i64).into(),
            (query.segments as i64).into(),
            (query.rows_total as i64).into(),
            (query.rows_done as i64).into(),
            (&query.sql).into(),
        ]);
    }
}
