//! What the records add up to.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::record::{Change, ConsumedRange, ManifestRecord, Publish};
use crate::error::StoreError;
use crate::ledger::{Gap, LedgerCounts, RefusedSample};
use crate::schema::{DataSourceName, DataSourceSchema};
use crate::segment::{SegmentId, SegmentMeta};
use crate::stream::{Checkpoint, StreamPartition};
use crate::time::TimestampMs;

/// Gaps and resets that a datasource remembers one by one; older ones remain in the records.
const HISTORY_MAX: usize = 1_000;

/// Everything that the manifest says at one record.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ManifestState {
    /// The number of the next record.
    pub next_number: u64,
    /// Digest of the newest record.
    pub last_digest: String,
    /// The newest writer epoch.
    pub epoch: u64,
    pub data_sources: BTreeMap<DataSourceName, DataSourceState>,
}

/// What the manifest says of one datasource.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DataSourceState {
    pub schema: DataSourceSchema,
    pub supervisor: Option<SupervisorState>,
    pub generation: u32,
    pub checkpoint: Checkpoint,
    pub segments: BTreeMap<SegmentId, SegmentMeta>,
    /// What became of each partition's records, over all generations.
    #[serde(with = "partition_counts")]
    pub ledger: BTreeMap<StreamPartition, LedgerCounts>,
    pub refused: RefusedSample,
    pub gaps: Vec<Gap>,
    pub resets: Vec<Reset>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SupervisorState {
    pub spec: serde_json::Value,
    pub suspended: bool,
}

/// An audited reset.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reset {
    pub reason: String,
    pub at: TimestampMs,
    /// The checkpoint that was given up.
    pub checkpoint: Checkpoint,
}

/// JSON objects have string keys only, so the map stands as a list of pairs.
mod partition_counts {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::{BTreeMap, LedgerCounts, StreamPartition};

    pub fn serialize<S: Serializer>(map: &BTreeMap<StreamPartition, LedgerCounts>, out: S) -> Result<S::Ok, S::Error> {
        map.iter().collect::<Vec<_>>().serialize(out)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(
        input: D,
    ) -> Result<BTreeMap<StreamPartition, LedgerCounts>, D::Error> {
        Ok(Vec::deserialize(input)?.into_iter().collect())
    }
}

impl ManifestState {
    pub fn data_source(&self, name: &DataSourceName) -> Result<&DataSourceState, StoreError> {
        self.data_sources.get(name).ok_or_else(|| StoreError::UnknownDataSource(name.clone()))
    }

    /// Whether `change` may follow: a publish continues the checkpoint, retires only live segments, and its ledger
    /// balances (invariants M2, M3, Q3).
    pub fn check(&self, change: &Change) -> Result<(), StoreError> {
        match change {
            Change::ClaimEpoch => Ok(()),
            Change::PutSupervisor { data_source, schema, .. } => {
                schema.validate()?;
                let conflict = self.data_sources.get(data_source).and_then(|known| known.schema.conflict_with(schema));
                match conflict {
                    Some(column) => Err(StoreError::ColumnKind { data_source: data_source.clone(), column }),
                    None => Ok(()),
                }
            }
            Change::SetSuspended { data_source, .. }
            | Change::TerminateSupervisor { data_source }
            | Change::Reset { data_source, .. } => self.data_source(data_source).map(|_| ()),
            Change::Publish(publish) => self.data_source(&publish.data_source)?.check_publish(publish),
        }
    }

    /// Moves past a record that was checked when it was written.
    pub fn apply(&mut self, record: &ManifestRecord, digest: String) -> Result<(), StoreError> {
        self.check(&record.change)?;
        self.epoch = self.epoch.max(record.epoch);
        self.next_number = record.number + 1;
        self.last_digest = digest;
        match &record.change {
            Change::ClaimEpoch => {}
            Change::PutSupervisor { data_source, schema, spec, suspended } => {
                let supervisor = Some(SupervisorState { spec: spec.clone(), suspended: *suspended });
                match self.data_sources.get_mut(data_source) {
                    Some(known) => {
                        known.schema = schema.clone();
                        known.supervisor = supervisor;
                    }
                    None => {
                        self.data_sources.insert(data_source.clone(), DataSourceState::new(schema.clone(), supervisor));
                    }
                }
            }
            Change::SetSuspended { data_source, suspended } => {
                if let Some(supervisor) = &mut self.known(data_source).supervisor {
                    supervisor.suspended = *suspended;
                }
            }
            Change::TerminateSupervisor { data_source } => self.known(data_source).supervisor = None,
            Change::Reset { data_source, reason } => self.known(data_source).reset(reason, record.written_at),
            Change::Publish(publish) => self.known(&publish.data_source).apply_publish(publish),
        }
        Ok(())
    }

    fn known(&mut self, name: &DataSourceName) -> &mut DataSourceState {
        self.data_sources.get_mut(name).expect("checked before it is applied")
    }
}

impl DataSourceState {
    fn new(schema: DataSourceSchema, supervisor: Option<SupervisorState>) -> Self {
        Self {
            schema,
            supervisor,
            generation: 0,
            checkpoint: Checkpoint::default(),
            segments: BTreeMap::new(),
            ledger: BTreeMap::new(),
            refused: RefusedSample::default(),
            gaps: Vec::new(),
            resets: Vec::new(),
        }
    }

    fn check_publish(&self, publish: &Publish) -> Result<(), StoreError> {
        let unbalanced = |detail: String| StoreError::Ledger { data_source: publish.data_source.clone(), detail };
        if publish.generation != self.generation {
            return Err(unbalanced(format!(
                "it was read in generation {}, a reset began generation {}",
                publish.generation, self.generation
            )));
        }
        for consumed in &publish.consumed {
            self.check_consumed(consumed, publish)?;
        }
        if let Some(id) = publish.retired.iter().find(|id| !self.segments.contains_key(id)) {
            return Err(unbalanced(format!("segment `{id}` is not there to be retired")));
        }
        if let Some(again) = publish.added.iter().find(|added| self.segments.contains_key(&added.id)) {
            return Err(unbalanced(format!("segment `{}` is published already", again.id)));
        }
        let accepted: u64 = publish.consumed.iter().map(|consumed| consumed.counts.accepted).sum();
        let events: u64 = publish.added.iter().map(|added| added.events).sum();
        let retired: u64 = publish.retired.iter().map(|id| self.segments[id].events).sum();
        if events != accepted + retired {
            return Err(unbalanced(format!("{accepted} events were accepted, the segments hold {events}")));
        }
        Ok(())
    }

    /// A range follows the checkpoint, with a recorded gap between them at the most.
    fn check_consumed(&self, consumed: &ConsumedRange, publish: &Publish) -> Result<(), StoreError> {
        let data_source = || publish.data_source.clone();
        self.checkpoint
            .check(&consumed.partition, publish.covered(consumed), consumed.topic_id)
            .map_err(|source| StoreError::Checkpoint { data_source: data_source(), source: Box::new(source) })?;
        // Aborted and control records, and those that compaction removed, take offsets that nobody sees.
        let (seen, offsets) = (consumed.counts.seen(), consumed.range.len());
        if seen > offsets {
            let detail = format!("{}: {seen} records in {offsets} offsets", consumed.partition);
            return Err(StoreError::Ledger { data_source: data_source(), detail });
        }
        Ok(())
    }

    fn apply_publish(&mut self, publish: &Publish) {
        for consumed in &publish.consumed {
            self.checkpoint
                .advance(&consumed.partition, publish.covered(consumed), consumed.topic_id, consumed.leader_epoch)
                .expect("checked before it is applied");
            self.ledger.entry(consumed.partition.clone()).or_default().add(&consumed.counts);
        }
        for id in &publish.retired {
            self.segments.remove(id);
        }
        self.segments.extend(publish.added.iter().map(|added| (added.id.clone(), added.clone())));
        for record in publish.refused.records() {
            self.refused.push(record.clone());
        }
        self.gaps.extend_from_slice(&publish.gaps);
        drop_oldest(&mut self.gaps);
    }

    fn reset(&mut self, reason: &str, at: TimestampMs) {
        self.generation += 1;
        let checkpoint = std::mem::take(&mut self.checkpoint);
        self.resets.push(Reset { reason: reason.to_owned(), at, checkpoint });
        drop_oldest(&mut self.resets);
    }
}

fn drop_oldest<T>(history: &mut Vec<T>) {
    history.drain(..history.len().saturating_sub(HISTORY_MAX));
}
