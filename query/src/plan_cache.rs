//! Optimised plans of statements that were asked before, with other values or over older rows.
//!
//! tokens -> shape -> template -> plan over this query's snapshots, with this statement's values

mod operand;
mod shape;
pub(crate) mod template;
mod value;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

pub(crate) use self::shape::{PlacedValue, Shape};
pub(crate) use self::template::{Template, sampled};

/// A dashboard has tens of statements; more shapes than this are no repetition.
const ENTRIES_MAX: usize = 1_000;
const BYTES_MAX: usize = 16 << 20;
/// Longer lists of values are not worth a comparison of all of them.
const ENTRY_BYTES_MAX: usize = 1 << 20;

/// What is known of a key.
#[derive(Debug, Clone)]
pub(crate) enum Known {
    Plan(Arc<Template>),
    /// The values are part of the plan: ask by the key that has them.
    ByValue,
}

/// Bounded by entries and bytes; the one that was not asked for longest goes first.
#[derive(Debug, Default)]
pub(crate) struct PlanCache {
    entries: Mutex<Entries>,
    hits: AtomicU64,
    misses: AtomicU64,
}

#[derive(Debug, Default)]
struct Entries {
    by_key: HashMap<String, Entry>,
    bytes: usize,
    /// Counts uses, to tell their order.
    clock: u64,
}

#[derive(Debug)]
struct Entry {
    known: Known,
    bytes: usize,
    used: u64,
}

/// What the cache did since the start, and holds now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlanCacheFigures {
    /// Statements whose plan was found.
    pub hits: u64,
    /// Statements that were planned from their text, though a plan could be kept for them.
    pub misses: u64,
    pub entries: usize,
    /// Estimated.
    pub bytes: usize,
}

impl PlanCache {
    pub fn get(&self, key: &str) -> Option<Known> {
        let mut entries = self.entries();
        entries.clock += 1;
        let now = entries.clock;
        let entry = entries.by_key.get_mut(key)?;
        entry.used = now;
        Some(entry.known.clone())
    }

    pub fn insert(&self, key: String, known: Known) {
        let plan_bytes = match &known {
            Known::Plan(template) => template.bytes,
            Known::ByValue => 0,
        };
        let bytes = size_of::<Entry>() + key.len() + plan_bytes;
        if bytes > ENTRY_BYTES_MAX {
            return;
        }
        let mut entries = self.entries();
        entries.clock += 1;
        entries.remove(&key);
        while entries.by_key.len() >= ENTRIES_MAX || entries.bytes + bytes > BYTES_MAX {
            let oldest = entries.by_key.iter().min_by_key(|(_, entry)| entry.used).map(|(key, _)| key.clone());
            entries.remove(&oldest.expect("one entry is smaller than the cache"));
        }
        let used = entries.clock;
        entries.bytes += bytes;
        entries.by_key.insert(key, Entry { known, bytes, used });
    }

    pub fn remove(&self, key: &str) {
        self.entries().remove(key);
    }

    pub fn count(&self, is_hit: bool) {
        let counter = if is_hit { &self.hits } else { &self.misses };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub fn figures(&self) -> PlanCacheFigures {
        let entries = self.entries();
        PlanCacheFigures {
            hits: self.hits.load(Ordering::Relaxed),
            misses: self.misses.load(Ordering::Relaxed),
            entries: entries.by_key.len(),
            bytes: entries.bytes,
        }
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().expect("no code panics while it holds the entries")
    }
}

impl Entries {
    fn remove(&mut self, key: &str) {
        if let Some(entry) = self.by_key.remove(key) {
            self.bytes -= entry.bytes;
        }
    }
}

#[cfg(test)]
mod tests;
