//! What queries found of published segments, kept for those that ask the same of them.
//!
//! A published segment never changes (invariant S1): its part of an aggregation is the same whenever it is asked for. Rows
//! that are not published yet are read every time. So only what is new in a moving window is computed again.

mod usage;

use std::collections::HashMap;
use std::mem;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use henge_segment_store::segment::PublishedSegment;

pub use self::usage::ResultCacheCounts;
pub(crate) use self::usage::ResultCacheUse;
use crate::operator::aggregate::{KeptGroups, ResultKey};

/// An entry takes at most this part of the cache: what is larger is nearly as fast to compute as to merge.
const ENTRY_SHARE: usize = 32;
/// What an entry takes beside its key and its groups: its place in a map.
const ENTRY_BYTES: usize = 128;
/// Less entries than this are not worth a search for retired segments.
const SWEEP_MIN: usize = 64;

/// Bounded by bytes; what was not asked for longest goes first, roughly, and what was found of retired segments goes in any
/// case.
#[derive(Debug)]
pub(crate) struct ResultCache {
    bytes_max: usize,
    state: Mutex<State>,
    hits: AtomicU64,
    misses: AtomicU64,
    evictions: AtomicU64,
}

/// Entries are put among the young ones, and return there when they are asked for. Once those fill half of the cache they
/// become the old ones, and the old ones go.
#[derive(Debug, Default)]
struct State {
    young: Generation,
    old: Generation,
    /// Entries put since retired segments were looked for.
    put: usize,
}

#[derive(Debug, Default)]
struct Generation {
    entries: HashMap<ResultKey, Entry>,
    bytes: usize,
}

#[derive(Debug)]
struct Entry {
    found: Arc<[KeptGroups]>,
    /// Keeps the segment's address, which is in the key, from standing for another segment.
    segment: Weak<PublishedSegment>,
    bytes: usize,
}

/// What the cache did since the start, and holds now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResultCacheFigures {
    /// Segments of which the answer was there.
    pub hits: u64,
    /// Published segments that were read, though their answer could have been there.
    pub misses: u64,
    /// Entries that made room for others.
    pub evictions: u64,
    pub entries: usize,
    pub bytes: usize,
}

impl ResultCache {
    /// A cache of at most `bytes_max` bytes.
    pub fn new(bytes_max: usize) -> Self {
        let (hits, misses, evictions) = Default::default();
        Self { bytes_max, state: Mutex::default(), hits, misses, evictions }
    }

    /// Larger entries are not kept.
    pub fn entry_bytes_max(&self) -> usize {
        self.bytes_max / ENTRY_SHARE
    }

    pub fn figures(&self) -> ResultCacheFigures {
        let (entries, bytes) = {
            let mut state = self.state();
            state.sweep();
            let generations = [&state.young, &state.old];
            let sum = |figure: fn(&Generation) -> usize| generations.into_iter().map(figure).sum();
            (sum(|generation| generation.entries.len()), sum(|generation| generation.bytes))
        };
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let (hits, misses, evictions) = (read(&self.hits), read(&self.misses), read(&self.evictions));
        ResultCacheFigures { hits, misses, evictions, entries, bytes }
    }

    fn get(&self, key: &ResultKey) -> Option<Arc<[KeptGroups]>> {
        let mut state = self.state();
        if let Some(entry) = state.young.entries.get(key) {
            return Some(entry.found.clone());
        }
        let (key, entry) = state.old.remove(key)?;
        let found = entry.found.clone();
        let evicted = state.put(key, entry, self.bytes_max / 2);
        drop(state);
        self.evict(evicted);
        Some(found)
    }

    fn put(&self, key: ResultKey, segment: &Arc<PublishedSegment>, found: Arc<[KeptGroups]>) {
        let groups = found.iter().map(KeptGroups::bytes).sum::<usize>();
        let bytes = ENTRY_BYTES + key.bytes() + groups;
        if bytes > self.entry_bytes_max() {
            return;
        }
        let entry = Entry { found, segment: Arc::downgrade(segment), bytes };
        let mut state = self.state();
        state.old.remove(&key);
        state.put += 1;
        if state.put > SWEEP_MIN.max(state.young.entries.len() + state.old.entries.len()) {
            state.sweep();
        }
        let evicted = state.put(key, entry, self.bytes_max / 2);
        drop(state);
        self.evict(evicted);
    }

    /// Freeing many entries takes a while, which others should not have to wait.
    fn evict(&self, evicted: Generation) {
        self.evictions.fetch_add(evicted.entries.len() as u64, Ordering::Relaxed);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // What a panic leaves behind are at worst wrong counts of bytes.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Returns what goes.
    fn put(&mut self, key: ResultKey, entry: Entry, generation_bytes_max: usize) -> Generation {
        self.young.remove(&key);
        let mut evicted = Generation::default();
        if self.young.bytes + entry.bytes > generation_bytes_max {
            evicted = mem::replace(&mut self.old, mem::take(&mut self.young));
        }
        self.young.bytes += entry.bytes;
        self.young.entries.insert(key, entry);
        evicted
    }

    fn sweep(&mut self) {
        self.put = 0;
        for generation in [&mut self.young, &mut self.old] {
            generation.entries.retain(|_, entry| entry.segment.strong_count() > 0);
            generation.bytes = generation.entries.values().map(|entry| entry.bytes).sum();
        }
    }
}

impl Generation {
    fn remove(&mut self, key: &ResultKey) -> Option<(ResultKey, Entry)> {
        let (key, entry) = self.entries.remove_entry(key)?;
        self.bytes -= entry.bytes;
        Some((key, entry))
    }
}
