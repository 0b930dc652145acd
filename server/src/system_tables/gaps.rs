use henge_query::system_tables::ColumnKind::{Long, Text, Time};
use henge_query::system_tables::Rows;
use henge_segment_store::ledger::GapCause;

use super::{Columns, Ingested};

/// Offsets that were never read: Kafka no longer had them, or a reset skipped them.
pub(super) const COLUMNS: Columns = &[
    ("datasource", Text),
    ("topic", Text),
    ("partition", Long),
    ("from_offset", Long),
    ("to_offset", Long),
    ("cause", Text),
    ("found_at", Time),
];

pub(super) fn fill(ingested: &Ingested, rows: &mut Rows) {
    for gap in &ingested.data_source.progress().gaps {
        let cause = match gap.cause {
            GapCause::Retention => "retention",
            GapCause::Reset => "reset",
        };
        rows.push(&[
            ingested.name.as_str().into(),
            gap.partition.topic.as_ref().into(),
            i64::from(gap.partition.partition).into(),
            gap.from.0.into(),
            gap.to.0.into(),
            cause.into(),
            gap.found_at.into(),
        ]);
    }
}
