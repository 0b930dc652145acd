//! Events through Henge's own publish path, in this process and without Kafka.

use std::sync::Arc;

use henge_segment_store::clock;
use henge_segment_store::compaction::{self, Urgency};
use henge_segment_store::data_source::DataSource;
use henge_segment_store::ledger::LedgerCounts;
use henge_segment_store::manifest::ConsumedRange;
use henge_segment_store::store::{Consumed, Store};
use henge_segment_store::stream::{Offset, OffsetRange, StreamPartition};
use tokio::runtime::Runtime;

/// Publishes what is open, as if it came from one partition.
pub fn publish_open(runtime: &Runtime, store: &Store, data_source: &DataSource) -> anyhow::Result<()> {
    let frozen = data_source.cut();
    let partition = StreamPartition { topic: data_source.name().as_str().into(), partition: 0 };
    let start = data_source.progress().checkpoint.get(&partition).map_or(0, |position| position.next.0);
    let range = ConsumedRange {
        partition,
        range: OffsetRange { start: Offset(start), end: Offset(start + frozen.events() as i64) },
        topic_id: None,
        leader_epoch: None,
        counts: LedgerCounts { accepted: frozen.events(), ..LedgerCounts::default() },
    };
    let consumed = Consumed { ranges: vec![range], ..Consumed::default() };
    runtime.block_on(store.publish(data_source, &frozen, consumed))?;
    Ok(())
}

/// Merges as far as it goes; returns how many rows were read.
pub fn compact(runtime: &Runtime, store: &Arc<Store>, data_source: &Arc<DataSource>) -> anyhow::Result<u64> {
    let mut rows = 0;
    loop {
        let planned = runtime.block_on(store.plan_compaction(Urgency::Now, clock::now()));
        let Some((_, task)) = planned.into_iter().find(|(name, _)| name == data_source.name()) else { return Ok(rows) };
        rows += compaction::run(store, runtime.handle(), data_source, &task, &mut || Ok(()))?.rows_read;
    }
}
