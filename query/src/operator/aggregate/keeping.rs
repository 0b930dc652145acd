//! What threads find of one segment, gathered until it is complete and can be kept for later queries.

use std::sync::{Arc, Mutex, PoisonError};

use henge_segment_store::segment::PublishedSegment;

use super::KeptGroups;
use super::accumulator::Accumulator;
use super::numbered::NumberedGroups;
use super::result_key::ResultKey;
use crate::result_cache::ResultCacheUse;

/// Groups that stand for fewer rows each are nearly as fast to find as to merge.
const GROUP_ROWS_MIN: u64 = 8;
/// So few are kept in any case: what led to them may have been a long search.
const GROUPS_FREE: u64 = 1_024;

/// A segment of which nothing was kept.
#[derive(Debug)]
pub(super) struct Keeping {
    key: ResultKey,
    segment: Arc<PublishedSegment>,
    found: Mutex<Found>,
}

#[derive(Debug, Default)]
struct Found {
    pieces: Vec<KeptGroups>,
    /// Parts of the segment that the pieces stand for.
    parts: usize,
    groups: u64,
    is_too_large: bool,
}

impl Keeping {
    pub fn new(key: ResultKey, segment: Arc<PublishedSegment>) -> Self {
        Self { key, segment, found: Mutex::default() }
    }

    /// Whether groups that were found in some parts could be kept, by their number and their memory. `rows`: of the
    /// segment, those that pass the query's filter.
    pub fn wants(&self, groups: usize, bytes: usize, rows: u64, results: &ResultCacheUse) -> bool {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        found.groups += groups as u64;
        let is_too_many = found.groups > GROUPS_FREE.max(rows / GROUP_ROWS_MIN);
        found.is_too_large |= is_too_many || bytes > results.entry_bytes_max();
        !found.is_too_large
    }

    /// Nothing is kept of the segment.
    pub fn give_up(&self) {
        self.found.lock().unwrap_or_else(PoisonError::into_inner).is_too_large = true;
    }

    /// Adds what was found in some of `parts_total` parts; `None` for nothing. With the last of them all of it is kept.
    pub fn add(&self, piece: Option<KeptGroups>, parts: usize, parts_total: usize, results: &ResultCacheUse) {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        found.pieces.extend(piece);
        found.parts += parts;
        if found.is_too_large {
            found.pieces.clear();
        } else if found.parts == parts_total {
            let pieces = std::mem::take(&mut found.pieces);
            drop(found);
            results.put(self.key.clone(), &self.segment, pieces.into());
        }
    }
}

/// Memory of the groups that rows were seen of, roughly.
pub(super) fn bytes_of(found: &NumberedGroups, accumulators: &[Accumulator], groups_total: usize) -> usize {
    let bytes: usize = accumulators.iter().map(Accumulator::bytes).sum();
    let keys = found.groups.len() * (found.keys.len() + 1) * size_of::<u32>();
    keys + (bytes as u128 * found.groups.len() as u128 / groups_total.max(1) as u128) as usize
}
