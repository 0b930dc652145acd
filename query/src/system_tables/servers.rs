use std::num::NonZeroUsize;
use std::thread::available_parallelism;

use super::rows::{Cell, Rows};
use super::{ColumnKind, SYS, SystemSources, SystemTable};

pub(super) const TABLE: SystemTable = SystemTable {
    schema: SYS,
    name: "servers",
    columns: &[
        ("server", ColumnKind::Text),
        ("host", ColumnKind::Text),
        ("plaintext_port", ColumnKind::Long),
        ("tls_port", ColumnKind::Long),
        ("server_type", ColumnKind::Text),
        ("tier", ColumnKind::Text),
        ("curr_size", ColumnKind::Long),
        ("max_size", ColumnKind::Long),
        ("is_leader", ColumnKind::Long),
        ("start_time", ColumnKind::Text),
        ("version", ColumnKind::Text),
        ("build_revision", ColumnKind::Text),
        ("labels", ColumnKind::Text),
        ("available_processors", ColumnKind::Long),
        ("total_memory", ColumnKind::Long),
    ],
    fill,
};

/// What the one process does, in Druid's words for its servers.
const ROLES: [&str; 5] = ["broker", "coordinator", "historical", "indexer", "overlord"];

/// One process is a server of each kind; sizes are those of serving forms, which the historical has.
fn fill(sources: &SystemSources<'_>, rows: &mut Rows) {
    let Some(server) = sources.server else { return };
    let (name, started_at) = (server.name(), server.started_at.to_string());
    let processors = available_parallelism().map_or(1, NonZeroUsize::get) as i64;
    let cache = sources.store.cache_stats();
    for role in ROLES {
        let has_segments = role == "historical";
        let leads = matches!(role, "coordinator" | "overlord");
        rows.push(&[
            (&name).into(),
            (&server.host).into(),
            i64::from(server.port).into(),
            Cell::Long(-1),
            role.into(),
            has_segments.then_some("_default_tier").into(),
            if has_segments { cache.bytes as i64 } else { 0 }.into(),
            if has_segments { cache.bytes_max as i64 } else { 0 }.into(),
            leads.then_some(1_i64).into(),
            (&started_at).into(),
            server.version.into(),
            Cell::Null,
            Cell::Null,
            processors.into(),
            Cell::Null,
        ]);
    }
}
