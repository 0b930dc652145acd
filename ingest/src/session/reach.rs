//! What the datasource is told of how far its partitions are read.

use std::collections::BTreeMap;

use henge_segment_store::clock;
use henge_segment_store::completeness::{Look, ReadPartition};
use henge_segment_store::stream::StreamPartition;
use henge_segment_store::time::TimestampMs;

use super::Session;
use crate::status::PartitionStatus;

impl Session<'_> {
    /// Where nothing is fetched, or the broker may be away, what it said last of its high watermark may be old, and is not
    /// told on.
    pub(super) fn tell_reach(
        &self,
        partitions: &BTreeMap<StreamPartition, PartitionStatus>,
        gap_found_at: Option<TimestampMs>,
    ) {
        let spec = &self.context.spec;
        let is_fetched = self.pause.is_none() && self.trouble.is_none();
        let read = |(partition, status): (&StreamPartition, &PartitionStatus)| ReadPartition {
            partition: partition.clone(),
            first: status.first,
            next: status.next,
            high_watermark: status.high_watermark.filter(|_| is_fetched && status.stopped.is_none()),
            newest_event: status.newest_event,
        };
        self.context.data_source.look(Look {
            at: clock::now(),
            lateness_ms: spec.time_policy.late_ms_max.unwrap_or(0),
            partitions: partitions.iter().map(read).collect(),
            gap_found_at,
            is_share: !self.context.store.slot().is_whole(),
        });
    }
}
