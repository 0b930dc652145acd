use std::collections::BTreeMap;

use henge_query::system_tables::ColumnKind::{Long, Text};
use henge_query::system_tables::{Cell, Rows};
use henge_segment_store::ledger::LedgerCounts;
use henge_segment_store::stream::StreamPartition;

use super::{Columns, Ingested, outcome};

/// One row for what was accepted, and one for each reason to refuse a record.
pub(super) const COLUMNS: Columns = &[
    ("datasource", Text),
    ("topic", Text),
    ("partition", Long),
    ("outcome", Text),
    ("reason", Text),
    ("records", Long),
];

pub(super) fn fill(ingested: &Ingested, rows: &mut Rows) {
    let name = ingested.name.as_str();
    for (stream, counts) in counts(ingested) {
        let mut push = |outcome: &str, reason: Cell<'_>, records: u64| {
            let partition = i64::from(stream.partition);
            rows.push(&[
                name.into(),
                stream.topic.as_ref().into(),
                partition.into(),
                outcome.into(),
                reason,
                records.into(),
            ]);
        };
        push("accepted", Cell::Null, counts.accepted);
        for (reason, &records) in &counts.refused {
            push(outcome(reason.is_filtered()), reason.as_str().into(), records);
        }
    }
}

/// What became of the records of each partition, published or not; of topics that are read no more, too.
fn counts(ingested: &Ingested) -> BTreeMap<StreamPartition, LedgerCounts> {
    let mut counts = ingested.data_source.progress().ledger.clone();
    if let Some((_, status)) = &ingested.supervisor {
        counts.extend(status.partitions.iter().map(|(partition, status)| (partition.clone(), status.counts.clone())));
    }
    counts
}
