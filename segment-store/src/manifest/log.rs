//! Appends records by put-if-absent and replays them at start-up.
//!
//! ```text
//! manifest/records/00000000000000000000    the records, by number
//! manifest/snapshots/00000000000000000063  the state after the records before that number; shortens the replay
//! ```
//!
//! Several processes may write, each for a slot of its own: who finds a number taken reads what stands there, checks its
//! change against the newer state, and tries the next number.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};

use super::record::{Change, ConsumedRange, ManifestRecord, decode_checked, encode_checked};
use super::state::ManifestState;
use crate::error::StoreError;
use crate::objects::Objects;
use crate::schema::DataSourceName;
use crate::slot::Slot;
use crate::time::TimestampMs;

pub(crate) const RECORDS: &str = "manifest/records";
pub(crate) const SNAPSHOTS: &str = "manifest/snapshots";
/// Records between two snapshots: replaying this many local files takes a few milliseconds.
const SNAPSHOT_EVERY: u64 = 64;
/// Attempts at a put whose outcome is unknown, before the caller is told.
const PUT_ATTEMPTS: u32 = 3;

/// The manifest as one process sees it; the only thing that writes records.
#[derive(Debug)]
pub struct ManifestLog {
    objects: Objects,
    state: ManifestState,
    /// Ours.
    slot: Slot,
    /// Ours, once claimed.
    epoch: u64,
    commits: u64,
    /// What records changed that were read since anybody asked.
    changed: BTreeMap<DataSourceName, Changed>,
}

/// What records changed of a datasource that this process read, and did not write just now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changed {
    /// Its schema, its supervisor or its rules.
    pub control: bool,
    /// This process's own publishes of cuts, whose puts seemed to have failed, by commit id.
    pub own_cuts: Vec<String>,
}

impl ManifestLog {
    /// Replays the manifest. Any record that cannot be read ends it with an error: records are never skipped.
    pub async fn open(objects: Objects) -> Result<Self, StoreError> {
        objects.sync_folder(RECORDS)?;
        Self::replay(objects).await
    }

    /// The newest state, without a change to anything: for tools, also where nothing can be written.
    pub async fn read(objects: Objects) -> Result<ManifestState, StoreError> {
        Ok(Self::replay(objects).await?.state)
    }

    async fn replay(objects: Objects) -> Result<Self, StoreError> {
        let state = newest_snapshot(&objects).await?.unwrap_or_default();
        let (slot, changed) = (Slot::WHOLE, BTreeMap::new());
        let mut log = Self { objects, state, slot, epoch: 0, commits: 0, changed };
        log.catch_up().await?;
        log.changed.clear();
        Ok(log)
    }

    pub fn state(&self) -> &ManifestState {
        &self.state
    }

    /// Reads what another process may have written since.
    pub async fn refresh(&mut self) -> Result<(), StoreError> {
        self.apply_new_records().await
    }

    /// The datasources that records changed which were read since the last call, by commits as well.
    pub fn take_changed(&mut self) -> BTreeMap<DataSourceName, Changed> {
        std::mem::take(&mut self.changed)
    }

    /// Which partitions are this process's, and since which claim.
    pub fn writer(&self) -> (Slot, u64) {
        (self.slot, self.epoch)
    }

    /// Fails with `Fenced` where another process is known to have taken over.
    pub fn check_is_writer(&self) -> Result<(), StoreError> {
        match self.state.slot_of(self.epoch) == Some(self.slot) {
            true => Ok(()),
            false => Err(StoreError::Fenced { ours: self.epoch, newer: self.state.epoch }),
        }
    }

    /// Becomes the only writer of a slot: every older one whose slot overlaps with it is fenced off by its next attempt to
    /// publish.
    pub async fn claim_epoch(&mut self, slot: Slot, now: TimestampMs) -> Result<(), StoreError> {
        self.check_conditional_put().await?;
        // Process ids say little between containers, in each of which ours may be 1.
        let nonce = RandomState::new().hash_one(std::process::id());
        loop {
            let epoch = self.state.epoch + 1;
            let commit_id = format!("{epoch}-claim-{now}-{nonce:016x}");
            let record = self.record(epoch, commit_id, Change::ClaimEpoch { slot }, now);
            if self.put(&record).await? {
                (self.slot, self.epoch) = (slot, epoch);
                self.changed.clear();
                return Ok(());
            }
            self.catch_up().await?;
        }
    }

    /// A name that no other publish, past or future, uses: the epoch is ours alone.
    pub fn next_commit_id(&mut self) -> String {
        self.commits += 1;
        format!("{:08}-{:08}", self.epoch, self.commits)
    }

    /// Appends `change` if its preconditions still hold in the newest state, and this is still the writer.
    ///
    /// Fails with `Fenced` when another process claimed the slot. Once this returns `Ok` the change is durable.
    pub async fn commit(&mut self, commit_id: String, change: Change, now: TimestampMs) -> Result<(), StoreError> {
        loop {
            self.check_is_writer()?;
            self.check_is_ours(&change)?;
            self.state.check(&change)?;
            let record = self.record(self.epoch, commit_id.clone(), change.clone(), now);
            if self.put(&record).await? {
                self.snapshot_if_due().await;
                return Ok(());
            }
            self.catch_up().await?;
        }
    }

    /// Only partitions of our slot are ours to move on (invariant M5).
    fn check_is_ours(&self, change: &Change) -> Result<(), StoreError> {
        let Change::Publish(publish) = change else { return Ok(()) };
        let not_ours = |consumed: &&ConsumedRange| !self.slot.owns(consumed.partition.partition);
        match publish.consumed.iter().find(not_ours) {
            Some(consumed) => Err(StoreError::OtherSlot { partition: consumed.partition.to_string(), slot: self.slot }),
            None => Ok(()),
        }
    }

    fn record(&self, epoch: u64, commit_id: String, change: Change, now: TimestampMs) -> ManifestRecord {
        let (number, previous) = (self.state.next_number, self.state.last_digest.clone());
        ManifestRecord { number, previous, epoch, commit_id, written_at: now, change }
    }

    /// Puts a record under its number and applies it. `false`: another record has the number.
    ///
    /// After an error the outcome is unknown, so the number is read again: our commit id there means that the put took
    /// effect; nothing there means that the same record may be put under the same number once more.
    async fn put(&mut self, record: &ManifestRecord) -> Result<bool, StoreError> {
        let (bytes, digest) = record.encode();
        let path = record_path(record.number);
        let mut attempt = 1;
        loop {
            match self.objects.put_if_absent(&path, bytes.clone().into()).await {
                Ok(true) => break,
                Ok(false) => match self.read_record(record.number).await? {
                    Some((found, _)) if found.commit_id == record.commit_id => break,
                    _ => return Ok(false),
                },
                Err(error) if attempt == PUT_ATTEMPTS => return Err(error),
                Err(error) => {
                    tracing::warn!(number = record.number, %error, "manifest put failed, reading before trying again");
                    attempt += 1;
                }
            }
        }
        self.state.apply(record, digest)?;
        Ok(true)
    }

    /// Applies every record from `next_number` on, and makes sure that those were all: a missing record with later ones
    /// behind it is damage, not the end.
    async fn catch_up(&mut self) -> Result<(), StoreError> {
        loop {
            self.apply_new_records().await?;
            let number = self.state.next_number;
            let newest = self.objects.list(RECORDS).await?.pop();
            let Some(newest) = newest.and_then(|name| name.parse::<u64>().ok()).filter(|newest| *newest >= number)
            else {
                return Ok(());
            };
            // Records are written one after another, so what came before a listed one is there by now.
            if self.read_record(number).await?.is_none() {
                let detail = format!("it is missing, but record {newest} exists");
                return Err(StoreError::ManifestRecord { number, detail });
            }
        }
    }

    async fn apply_new_records(&mut self) -> Result<(), StoreError> {
        while let Some((record, digest)) = self.read_record(self.state.next_number).await? {
            let number = record.number;
            if record.previous != self.state.last_digest {
                let detail = "it does not follow the record before it".to_owned();
                return Err(StoreError::ManifestRecord { number, detail });
            }
            self.state
                .apply(&record, digest)
                .map_err(|error| StoreError::ManifestRecord { number, detail: error.to_string() })?;
            self.note_changed(&record);
        }
        Ok(())
    }

    fn note_changed(&mut self, record: &ManifestRecord) {
        let Some(name) = record.change.data_source() else { return };
        let changed = self.changed.entry(name.clone()).or_default();
        match &record.change {
            Change::Publish(publish) if record.epoch == self.epoch && publish.retired.is_empty() => {
                changed.own_cuts.push(record.commit_id.clone());
            }
            Change::Publish(_) | Change::Retire { .. } => {}
            _ => changed.control = true,
        }
    }

    async fn read_record(&self, number: u64) -> Result<Option<(ManifestRecord, String)>, StoreError> {
        let Some(bytes) = self.objects.get(&record_path(number)).await? else { return Ok(None) };
        match ManifestRecord::decode(&bytes) {
            Ok((record, digest)) if record.number == number => Ok(Some((record, digest))),
            Ok((record, _)) => {
                let detail = format!("it calls itself record {}", record.number);
                Err(StoreError::ManifestRecord { number, detail })
            }
            Err(detail) => Err(StoreError::ManifestRecord { number, detail }),
        }
    }

    /// A snapshot only saves time, so failing to write one is no failure of the commit.
    async fn snapshot_if_due(&self) {
        let number = self.state.next_number;
        if !number.is_multiple_of(SNAPSHOT_EVERY) {
            return;
        }
        let (bytes, _) = encode_checked(&self.state);
        let written = self.objects.put_if_absent(&snapshot_path(number), bytes.into()).await;
        let removed = match number.checked_sub(4 * SNAPSHOT_EVERY) {
            Some(old) => self.objects.delete(&snapshot_path(old)).await,
            None => Ok(()),
        };
        if let Err(error) = written.map(|_| ()).and(removed) {
            tracing::warn!(number, %error, "manifest snapshot not written");
        }
    }

    /// Two writers are kept apart by put-if-absent alone, so a store without it is refused.
    async fn check_conditional_put(&self) -> Result<(), StoreError> {
        if let Objects::Remote(_) = self.objects {
            let path = "manifest/conditional-put-check";
            self.objects.put_if_absent(path, "checked at every start".into()).await?;
            if self.objects.put_if_absent(path, "overwritten".into()).await? {
                return Err(StoreError::NoConditionalPut);
            }
        }
        Ok(())
    }
}

pub(crate) fn record_path(number: u64) -> String {
    format!("{RECORDS}/{number:020}")
}

pub(crate) fn snapshot_path(number: u64) -> String {
    format!("{SNAPSHOTS}/{number:020}")
}

/// The newest snapshot that can be read; one that is damaged, or of a release that kept less, is passed over, since the
/// records hold all that it says.
async fn newest_snapshot(objects: &Objects) -> Result<Option<ManifestState>, StoreError> {
    for name in objects.list(SNAPSHOTS).await?.iter().rev() {
        let Some(bytes) = objects.get(&format!("{SNAPSHOTS}/{name}")).await? else { continue };
        match decode_checked::<ManifestState>(&bytes) {
            Ok((state, _)) => return Ok(Some(state)),
            Err(detail) => {
                tracing::warn!(snapshot = %name, detail, "manifest snapshot cannot be read, replaying more records")
            }
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests;
