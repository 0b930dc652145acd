use super::rows::{Cell, Rows};
use super::{ColumnKind, SYS, SystemSources, SystemTable};

pub(super) const TABLE: SystemTable = SystemTable {
    schema: SYS,
    name: "tasks",
    columns: &[
        ("task_id", ColumnKind::Text),
        ("group_id", ColumnKind::Text),
        ("type", ColumnKind::Text),
        ("datasource", ColumnKind::Text),
        ("created_time", ColumnKind::Text),
        ("queue_insertion_time", ColumnKind::Text),
        ("status", ColumnKind::Text),
        ("runner_status", ColumnKind::Text),
        ("duration", ColumnKind::Long),
        ("location", ColumnKind::Text),
        ("host", ColumnKind::Text),
        ("plaintext_port", ColumnKind::Long),
        ("tls_port", ColumnKind::Long),
        ("error_msg", ColumnKind::Text),
    ],
    fill,
};

/// Each supervisor that is not suspended reads in one task, of its own name, from the start of the process on.
fn fill(sources: &SystemSources<'_>, rows: &mut Rows) {
    let location = sources.server.map(|server| server.name());
    let started_at = sources.server.map(|server| server.started_at.to_string());
    for supervisor in sources.store.supervisors() {
        if supervisor.suspended {
            continue;
        }
        let name = supervisor.data_source.as_str();
        rows.push(&[
            name.into(),
            name.into(),
            "index_kafka".into(),
            name.into(),
            started_at.as_ref().into(),
            started_at.as_ref().into(),
            "RUNNING".into(),
            "RUNNING".into(),
            Cell::Long(-1),
            location.as_ref().into(),
            sources.server.map(|server| &server.host).into(),
            sources.server.map(|server| i64::from(server.port)).into(),
            Cell::Long(-1),
            Cell::Null,
        ]);
    }
}
