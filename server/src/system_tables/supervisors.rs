use henge_ingest::status::State;
use henge_query::system_tables::ColumnKind::{Double, Long, Text, Time};
use henge_query::system_tables::Rows;
use henge_segment_store::clock;

use super::{Columns, Ingested};
use crate::routes::druid_state;

/// The first ones are Druid's.
pub(super) const COLUMNS: Columns = &[
    ("supervisor_id", Text),
    ("datasource", Text),
    ("state", Text),
    ("detailed_state", Text),
    ("healthy", Long),
    ("type", Text),
    ("source", Text),
    ("suspended", Long),
    ("spec", Text),
    ("detail", Text),
    ("paused", Text),
    ("recovering", Long),
    ("generation", Long),
    ("partitions", Long),
    ("lag_records", Long),
    ("lag_ms", Long),
    ("newest_event_time", Time),
    ("records_seen", Long),
    ("records_accepted", Long),
    ("records_rejected", Long),
    ("records_filtered", Long),
    ("records_per_second", Double),
    ("bytes_per_second", Double),
    ("open_rows", Long),
    ("open_bytes", Long),
    ("open_time_chunks", Long),
    ("publishing_rows", Long),
    ("publishing_bytes", Long),
    ("publishes", Long),
    ("publish_failures", Long),
    ("last_publish_time", Time),
    ("last_publish_rows", Long),
    ("last_publish_bytes", Long),
    ("last_publish_ms", Long),
];

pub(super) fn fill(ingested: &Ingested, rows: &mut Rows) {
    let Some((spec, status)) = &ingested.supervisor else { return };
    let (open, last) = (ingested.data_source.open_stats(), status.last_publish);
    let name = ingested.name.as_str();
    let written = spec.to_json().to_string();
    let state = status.state.to_string();
    let paused = status.pause.map(|pause| pause.to_string());
    rows.push(&[
        name.into(),
        name.into(),
        druid_state(status.state).into(),
        (&state).into(),
        status.is_healthy().into(),
        "kafka".into(),
        spec.topics.as_str().into(),
        (status.state == State::Suspended).into(),
        (&written).into(),
        status.detail.as_ref().into(),
        paused.as_ref().into(),
        status.is_recovering.into(),
        i64::from(ingested.data_source.progress().generation).into(),
        (status.partitions.len() as u64).into(),
        status.lag_records().into(),
        status.lag_ms(clock::now()).into(),
        status.totals.newest_event.into(),
        status.counts.seen().into(),
        status.counts.accepted.into(),
        status.counts.rejected().into(),
        status.counts.filtered().into(),
        status.rates.processed.per_second()[0].into(),
        status.rates.processed_bytes.per_second()[0].into(),
        (open.rows as u64).into(),
        (open.bytes as u64).into(),
        (open.time_chunks as u64).into(),
        (open.frozen_rows as u64).into(),
        (open.frozen_bytes as u64).into(),
        status.publishes.into(),
        status.publish_failures.into(),
        last.map(|last| last.at).into(),
        last.map(|last| last.rows).into(),
        last.map(|last| last.bytes).into(),
        last.map(|last| last.elapsed_ms).into(),
    ]);
}
