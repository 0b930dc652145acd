use henge_query::system_tables::ColumnKind::{Long, Text, Time};
use henge_query::system_tables::Rows;
use henge_segment_store::clock;
use henge_segment_store::time::TimestampMs;

use super::{Columns, Ingested};

pub(super) const COLUMNS: Columns = &[
    ("datasource", Text),
    ("topic", Text),
    ("partition", Long),
    ("next_offset", Long),
    ("published_offset", Long),
    ("high_watermark", Long),
    ("lag_records", Long),
    ("lag_ms", Long),
    ("caught_up", Long),
    ("newest_event_time", Time),
    ("event_time_watermark", Time),
    ("stopped", Text),
    ("records_accepted", Long),
    ("records_rejected", Long),
    ("records_filtered", Long),
];

pub(super) fn fill(ingested: &Ingested, rows: &mut Rows) {
    let Some((spec, status)) = &ingested.supervisor else { return };
    let progress = ingested.data_source.progress();
    let lateness_ms = spec.time_policy.late_ms_max.unwrap_or(0);
    for (stream, partition) in &status.partitions {
        let watermark = partition.newest_event.map(|newest| TimestampMs(newest.0.saturating_sub(lateness_ms)));
        rows.push(&[
            ingested.name.as_str().into(),
            stream.topic.as_ref().into(),
            i64::from(stream.partition).into(),
            partition.next.0.into(),
            progress.checkpoint.get(stream).map(|position| position.next.0).into(),
            partition.high_watermark.map(|offset| offset.0).into(),
            partition.lag_records().into(),
            partition.lag_ms(clock::now()).into(),
            partition.lag_records().map(|lag| lag == 0).into(),
            partition.newest_event.into(),
            watermark.filter(|time| time.is_storable()).into(),
            partition.stopped.as_ref().into(),
            partition.counts.accepted.into(),
            partition.counts.rejected().into(),
            partition.counts.filtered().into(),
        ]);
    }
}
