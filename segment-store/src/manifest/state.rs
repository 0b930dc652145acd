//! What the records add up to.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::record::{Change, ConsumedRange, ManifestRecord, Publish};
use crate::dataset::{Dataset, DatasetError, DatasetName};
use crate::error::StoreError;
use crate::ledger::{Gap, LedgerCounts, RefusedSample};
use crate::retention::Rule;
use crate::schema::{ColumnHistory, DataSourceName, DataSourceSchema};
use crate::segment::{SegmentId, SegmentMeta};
use crate::stream::{Checkpoint, StreamPartition};
use crate::time::TimestampMs;
use crate::upkeep::{PolicyError, UpkeepPolicy};

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
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub datasets: BTreeMap<DatasetName, Arc<Dataset>>,
}

/// What the manifest says of one datasource.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DataSourceState {
    /// What was declared last, with types that hold all that was ever declared.
    pub schema: DataSourceSchema,
    #[serde(default)]
    pub columns: ColumnHistory,
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
    /// From the supervisor's spec; stays when the supervisor goes.
    #[serde(default)]
    pub upkeep: UpkeepPolicy,
    /// An operator's; asked before those of `upkeep`.
    #[serde(default)]
    pub rules: Vec<Rule>,
    /// What retention has retired so far.
    #[serde(default)]
    pub retired: RetiredCounts,
}

/// Segments that left by retention rules, all together: with the live segments, every accepted event is accounted for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetiredCounts {
    pub segments: u64,
    pub rows: u64,
    pub events: u64,
    pub bytes: u64,
}

impl RetiredCounts {
    fn add(&mut self, segment: &SegmentMeta) {
        self.segments = self.segments.saturating_add(1);
        self.rows = self.rows.saturating_add(segment.rows);
        self.events = self.events.saturating_add(segment.events);
        self.bytes = self.bytes.saturating_add(segment.bytes);
    }
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
            Change::PutSupervisor { data_source, schema, upkeep, .. } => {
                schema.validate()?;
                upkeep.validate(schema)?;
                self.declare(data_source, schema).map(|_| ())
            }
            Change::SetSuspended { data_source, .. }
            | Change::TerminateSupervisor { data_source }
            | Change::Reset { data_source, .. } => self.data_source(data_source).map(|_| ()),
            Change::Publish(publish) => self.data_source(&publish.data_source)?.check_publish(publish),
            Change::SetRules { data_source, rules } => {
                Rule::check_all(rules).map_err(PolicyError::from)?;
                self.data_source(data_source).map(|_| ())
            }
            Change::Retire { data_source, segments, .. } => self.data_source(data_source)?.check_live(segments),
            Change::PutDataset { name, dataset } => self.check_dataset(name, dataset),
            Change::RemoveDataset { name } => match self.datasets.contains_key(name) {
                true => Ok(()),
                false => Err(StoreError::UnknownDataset(name.clone())),
            },
        }
    }

    fn check_dataset(&self, name: &DatasetName, dataset: &Dataset) -> Result<(), StoreError> {
        let problems = dataset.check(|data_source| Some(&self.data_sources.get(data_source)?.schema));
        if problems.is_empty() {
            return Ok(());
        }
        Err(DatasetError { name: name.as_str().to_owned(), problems }.into())
    }

    /// Moves past a record that was checked when it was written.
    pub fn apply(&mut self, record: &ManifestRecord, digest: String) -> Result<(), StoreError> {
        self.check(&record.change)?;
        self.epoch = self.epoch.max(record.epoch);
        self.next_number = record.number.saturating_add(1);
        self.last_digest = digest;
        match &record.change {
            Change::ClaimEpoch => {}
            Change::PutSupervisor { data_source, schema, spec, suspended, upkeep } => {
                let supervisor = Some(SupervisorState { spec: spec.clone(), suspended: *suspended });
                let (columns, schema) = self.declare(data_source, schema)?;
                let new = || DataSourceState::new(schema.clone());
                let data_source = self.data_sources.entry(data_source.clone()).or_insert_with(new);
                data_source.columns = columns;
                data_source.schema = schema;
                data_source.supervisor = supervisor;
                data_source.upkeep = upkeep.clone();
            }
            Change::SetSuspended { data_source, suspended } => {
                if let Some(supervisor) = &mut self.known(data_source).supervisor {
                    supervisor.suspended = *suspended;
                }
            }
            Change::TerminateSupervisor { data_source } => self.known(data_source).supervisor = None,
            Change::Reset { data_source, reason } => self.known(data_source).reset(reason, record.written_at),
            Change::Publish(publish) => self.known(&publish.data_source).apply_publish(publish),
            Change::SetRules { data_source, rules } => self.known(data_source).rules = rules.clone(),
            Change::Retire { data_source, segments, .. } => self.known(data_source).apply_retire(segments),
            Change::PutDataset { name, dataset } => {
                self.datasets.insert(name.clone(), Arc::new(dataset.clone()));
            }
            Change::RemoveDataset { name } => {
                self.datasets.remove(name);
            }
        }
        Ok(())
    }

    /// A datasource's columns and schema after a declaration.
    fn declare(
        &self,
        name: &DataSourceName,
        schema: &DataSourceSchema,
    ) -> Result<(ColumnHistory, DataSourceSchema), StoreError> {
        let columns = match self.data_sources.get(name) {
            // A snapshot from before there was a history: the schema in force is all of it.
            Some(known) if known.columns == ColumnHistory::default() => known.columns.declare(&known.schema),
            Some(known) => Ok((known.columns.clone(), known.schema.clone())),
            None => Ok((ColumnHistory::default(), schema.clone())),
        };
        let declared = columns.and_then(|(columns, _)| columns.declare(schema));
        declared.map_err(|cause| StoreError::Evolution { data_source: name.clone(), cause })
    }

    fn known(&mut self, name: &DataSourceName) -> &mut DataSourceState {
        self.data_sources.get_mut(name).expect("checked before it is applied")
    }
}

impl DataSourceState {
    fn new(schema: DataSourceSchema) -> Self {
        Self {
            schema,
            columns: ColumnHistory::default(),
            supervisor: None,
            generation: 0,
            checkpoint: Checkpoint::default(),
            segments: BTreeMap::new(),
            ledger: BTreeMap::new(),
            refused: RefusedSample::default(),
            gaps: Vec::new(),
            resets: Vec::new(),
            upkeep: UpkeepPolicy::default(),
            rules: Vec::new(),
            retired: RetiredCounts::default(),
        }
    }

    /// The retention rules in the order in which they are asked; what none speaks of stays.
    pub fn retention_rules(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter().chain(&self.upkeep.retention)
    }

    /// Every id is of a live segment and stands there once.
    fn check_live(&self, ids: &[SegmentId]) -> Result<(), StoreError> {
        let mut seen = BTreeSet::new();
        match ids.iter().find(|id| !self.segments.contains_key(id) || !seen.insert(*id)) {
            Some(id) => Err(StoreError::NotLive { id: id.clone() }),
            None => Ok(()),
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
        // Each range follows the ones before it, also those of this publish.
        let mut checkpoint = self.checkpoint.clone();
        for consumed in &publish.consumed {
            check_consumed(consumed, publish, &mut checkpoint)?;
        }
        self.check_live(&publish.retired)?;
        let mut ids = BTreeSet::new();
        let mut is_new = |id: &SegmentId| !self.segments.contains_key(id) && ids.insert(id.clone());
        if let Some(again) = publish.added.iter().find(|added| !is_new(&added.id)) {
            return Err(unbalanced(format!("segment `{}` is published already", again.id)));
        }
        let accepted = sum(publish.consumed.iter().map(|consumed| consumed.counts.accepted));
        let retired = sum(publish.retired.iter().map(|id| self.segments[id].events));
        let events = sum(publish.added.iter().map(|added| added.events));
        if events != accepted + retired {
            return Err(unbalanced(format!("{accepted} events were accepted, the segments hold {events}")));
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

    fn apply_retire(&mut self, segments: &[SegmentId]) {
        for id in segments {
            let segment = self.segments.remove(id).expect("checked before it is applied");
            self.retired.add(&segment);
        }
    }

    fn reset(&mut self, reason: &str, at: TimestampMs) {
        self.generation = self.generation.saturating_add(1);
        let checkpoint = std::mem::take(&mut self.checkpoint);
        self.resets.push(Reset { reason: reason.to_owned(), at, checkpoint });
        drop_oldest(&mut self.resets);
    }
}

/// A range follows the checkpoint, with a recorded gap between them at the most. Moves the checkpoint.
fn check_consumed(consumed: &ConsumedRange, publish: &Publish, checkpoint: &mut Checkpoint) -> Result<(), StoreError> {
    let data_source = || publish.data_source.clone();
    checkpoint
        .advance(&consumed.partition, publish.covered(consumed), consumed.topic_id, consumed.leader_epoch)
        .map_err(|source| StoreError::Checkpoint { data_source: data_source(), source: Box::new(source) })?;
    // Aborted and control records, and those that compaction removed, take offsets that nobody sees.
    let (seen, offsets) = (consumed.counts.seen(), consumed.range.len());
    if seen > offsets {
        let detail = format!("{}: {seen} records in {offsets} offsets", consumed.partition);
        return Err(StoreError::Ledger { data_source: data_source(), detail });
    }
    Ok(())
}

/// In 128 bits, which no number of counts leaves.
fn sum(counts: impl Iterator<Item = u64>) -> u128 {
    counts.map(u128::from).sum()
}

fn drop_oldest<T>(history: &mut Vec<T>) {
    history.drain(..history.len().saturating_sub(HISTORY_MAX));
}
