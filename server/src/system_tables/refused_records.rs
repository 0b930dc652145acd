use henge_query::system_tables::ColumnKind::{Long, Text, Time};
use henge_query::system_tables::Rows;
use henge_segment_store::ledger::RefusedRecord;

use super::{Columns, Ingested, outcome};

/// The newest ones of each reason.
pub(super) const COLUMNS: Columns = &[
    ("datasource", Text),
    ("topic", Text),
    ("partition", Long),
    ("offset", Long),
    ("outcome", Text),
    ("reason", Text),
    ("detail", Text),
    ("sample", Text),
    ("refused_at", Time),
    ("is_published", Long),
];

pub(super) fn fill(ingested: &Ingested, rows: &mut Rows) {
    let progress = ingested.data_source.progress();
    let mut push = |record: &RefusedRecord, is_published: bool| {
        rows.push(&[
            ingested.name.as_str().into(),
            record.partition.topic.as_ref().into(),
            i64::from(record.partition.partition).into(),
            record.offset.0.into(),
            outcome(record.reason.is_filtered()).into(),
            record.reason.as_str().into(),
            (&record.detail).into(),
            (&record.sample).into(),
            record.refused_at.into(),
            is_published.into(),
        ]);
    };
    progress.refused.records().iter().for_each(|record| push(record, true));
    let unpublished = ingested.supervisor.iter().flat_map(|(_, status)| status.refused.records());
    unpublished.for_each(|record| push(record, false));
}
