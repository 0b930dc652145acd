//! Replays the manifest from its first record, and holds its snapshots against what the records say.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::report::{Check, Finding, Report};
use super::tiling::Tiling;
use super::writers;
use crate::error::{StoreError, with_sources};
use crate::manifest::{
    Change, ConsumedRange, ManifestRecord, ManifestState, RECORDS, SNAPSHOTS, decode_checked, record_path,
    snapshot_path,
};
use crate::objects::Objects;
use crate::segment::SegmentId;

const RESTORE: &str = "restore it from a backup of the object store; records are never skipped";

/// What one publish made its segments from.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Origin {
    pub consumed: Vec<ConsumedRange>,
    /// Segments that the new ones replace.
    pub merged_from: Vec<SegmentId>,
}

/// The manifest as far as it was replayed.
pub(super) struct Chain {
    objects: Objects,
    pub state: ManifestState,
    tiling: Tiling,
    /// Snapshots that were not yet compared, by the number of the record that they come before.
    snapshots: BTreeSet<u64>,
    /// Paths of the segments that some record retired.
    pub retired: BTreeSet<String>,
    /// The newest record was reached, over a jump maybe.
    is_at_end: bool,
    /// Every record was read; otherwise nobody knows all that was ever named.
    pub is_whole: bool,
    /// What each live segment was made from; segments from before a jump are missing.
    pub origins: BTreeMap<SegmentId, Arc<Origin>>,
}

impl Chain {
    /// Replays everything there is. Damage is a finding; the error is for a store that cannot be read at all.
    pub async fn replay(objects: Objects, report: &mut Report) -> Result<Self, StoreError> {
        let mut chain = Self {
            objects,
            state: ManifestState::default(),
            tiling: Tiling::default(),
            snapshots: BTreeSet::new(),
            retired: BTreeSet::new(),
            is_at_end: true,
            is_whole: true,
            origins: BTreeMap::new(),
        };
        chain.snapshots = chain.numbers(SNAPSHOTS, Check::ManifestSnapshot, report).await?;
        chain.go_on(report).await?;
        if chain.state.next_number == 0 {
            let advice =
                "check that this is the directory or the bucket of the server; without records nothing is left";
            report.push(Finding::error(Check::ManifestChain, RECORDS, "there is no manifest record", advice));
        }
        for &number in &chain.snapshots {
            let detail = format!("it stands before record {number}, the records end at {}", chain.state.next_number);
            report.push(Finding::error(Check::ManifestSnapshot, snapshot_path(number), detail, RESTORE));
        }
        if chain.is_at_end {
            chain.tiling.compare(&chain.state, report);
        }
        Ok(chain)
    }

    /// Takes the records that were written since, by a server that runs beside.
    pub async fn catch_up(&mut self) -> Result<(), StoreError> {
        // What is wrong with new records is for the next check to say.
        self.snapshots.clear();
        self.go_on(&mut Report::default()).await
    }

    async fn go_on(&mut self, report: &mut Report) -> Result<(), StoreError> {
        let records = self.numbers(RECORDS, Check::ManifestChain, report).await?;
        loop {
            self.compare_snapshot(report).await?;
            let number = self.state.next_number;
            let damage = match self.objects.get(&record_path(number)).await? {
                None if records.last().is_none_or(|&newest| newest < number) => return Ok(()),
                None => "it is missing, but later records exist".to_owned(),
                Some(bytes) => match ManifestRecord::decode(&bytes) {
                    Err(detail) => detail,
                    Ok((record, digest)) => match self.take(&record, digest, report) {
                        Err(detail) => detail,
                        Ok(()) => continue,
                    },
                },
            };
            report.push(Finding::error(Check::ManifestChain, format!("record {number}"), damage, RESTORE));
            self.is_whole = false;
            if !self.jump(report).await? {
                self.is_at_end = false;
                return Ok(());
            }
        }
    }

    fn take(&mut self, record: &ManifestRecord, digest: String, report: &mut Report) -> Result<(), String> {
        if record.number != self.state.next_number {
            return Err(format!("it calls itself record {}", record.number));
        }
        if record.previous != self.state.last_digest {
            return Err("it does not name the digest of the record before it".to_owned());
        }
        let retired: Vec<(SegmentId, String)> = self.paths_retired_by(&record.change);
        writers::check(record, &self.state, report);
        self.tiling.observe(record, &self.state, report);
        self.state.apply(record, digest).map_err(|error| with_sources(&error))?;
        for (id, path) in retired {
            self.origins.remove(&id);
            self.retired.insert(path);
        }
        if let Change::Publish(publish) = &record.change {
            let origin = Origin { consumed: publish.consumed.clone(), merged_from: publish.retired.clone() };
            let origin = Arc::new(origin);
            self.origins.extend(publish.added.iter().map(|added| (added.id.clone(), origin.clone())));
        }
        report.checked.records += 1;
        Ok(())
    }

    fn paths_retired_by(&self, change: &Change) -> Vec<(SegmentId, String)> {
        let (data_source, ids) = match change {
            Change::Publish(publish) => (&publish.data_source, &publish.retired),
            Change::Retire { data_source, segments, .. } => (data_source, segments),
            _ => return Vec::new(),
        };
        let Ok(known) = self.state.data_source(data_source) else { return Vec::new() };
        let metas = ids.iter().filter_map(|id| known.segments.get(id));
        metas.map(|meta| (meta.id.clone(), meta.path.clone())).collect()
    }

    /// A snapshot is believed at start-up, so it has to say what the records say.
    async fn compare_snapshot(&mut self, report: &mut Report) -> Result<(), StoreError> {
        let number = self.state.next_number;
        if !self.snapshots.remove(&number) {
            return Ok(());
        }
        let Some(read) = self.snapshot(number).await? else { return Ok(()) };
        report.checked.snapshots += 1;
        let advice = "stop the server and delete the snapshot: the records hold all that it says";
        let path = snapshot_path(number);
        match read {
            Err(detail) => report.push(Finding::warning(Check::ManifestSnapshot, path, detail, advice)),
            Ok(state) if state != self.state => {
                let detail = differences(&state, &self.state);
                report.push(Finding::error(Check::ManifestSnapshot, path, detail, advice));
            }
            Ok(_) => {}
        }
        Ok(())
    }

    /// Goes on at the next snapshot that can be read, as a server would.
    async fn jump(&mut self, report: &mut Report) -> Result<bool, StoreError> {
        let from = self.state.next_number;
        while let Some(number) = self.snapshots.range(from + 1..).next().copied() {
            self.snapshots.retain(|&later| later > number);
            if let Some(Ok(state)) = self.snapshot(number).await?
                && state.next_number == number
            {
                report.checked.snapshots += 1;
                self.tiling = Tiling::at(&state);
                self.origins.clear();
                self.state = state;
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// `None`: it was removed meanwhile, as a server does with old ones.
    async fn snapshot(&self, number: u64) -> Result<Option<Result<ManifestState, String>>, StoreError> {
        let bytes = self.objects.get(&snapshot_path(number)).await?;
        Ok(bytes.map(|bytes| decode_checked::<ManifestState>(&bytes).map(|(state, _)| state)))
    }

    /// The numbers that name the objects of a folder.
    async fn numbers(&self, folder: &str, check: Check, report: &mut Report) -> Result<BTreeSet<u64>, StoreError> {
        let mut numbers = BTreeSet::new();
        for name in self.objects.list(folder).await? {
            match name.parse() {
                Ok(number) => {
                    numbers.insert(number);
                }
                Err(_) => {
                    let advice = "move it away: nothing that henge writes has such a name";
                    let object = format!("{folder}/{name}");
                    report.push(Finding::warning(check, object, "its name is no number", advice));
                }
            }
        }
        Ok(numbers)
    }
}

fn differences(snapshot: &ManifestState, replayed: &ManifestState) -> String {
    if snapshot.next_number != replayed.next_number || snapshot.last_digest != replayed.last_digest {
        return "it stands at another record than its name says".to_owned();
    }
    let names: BTreeSet<_> = snapshot.data_sources.keys().chain(replayed.data_sources.keys()).collect();
    let differs = |name: &_| snapshot.data_sources.get(name) != replayed.data_sources.get(name);
    let differing: Vec<String> =
        names.into_iter().filter(|name| differs(name)).map(|name| format!("`{name}`")).collect();
    match differing.is_empty() {
        true => "it disagrees with the records before it on the writer's epoch".to_owned(),
        false => format!("it disagrees with the records before it on {}", differing.join(", ")),
    }
}
