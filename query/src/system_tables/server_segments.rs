use super::rows::Rows;
use super::{ColumnKind, SYS, SystemSources, SystemTable, segments};

pub(super) const TABLE: SystemTable = SystemTable {
    schema: SYS,
    name: "server_segments",
    columns: &[("server", ColumnKind::Text), ("segment_id", ColumnKind::Text)],
    fill,
};

fn fill(sources: &SystemSources<'_>, rows: &mut Rows) {
    let Some(server) = sources.server.map(|server| server.name()) else { return };
    for name in sources.data_sources() {
        let Some(data_source) = sources.store.data_source(name.as_str()) else { continue };
        for segment in segments::of(&data_source) {
            rows.push(&[(&server).into(), (&segment.id).into()]);
        }
    }
}
