//! What costly tests of strings found, for the dictionaries of one segment and no longer than it lives.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use henge_indexing::{CodeSetCache, DictionaryCache};

/// The next dictionary's number: no two dictionaries of a process have the same.
static DICTIONARIES: AtomicU64 = AtomicU64::new(0);

/// A segment's part of the process's cache: one dictionary for each of its columns.
#[derive(Debug)]
pub(crate) struct CodeSets {
    cache: Arc<CodeSetCache>,
    first: u64,
    columns: usize,
}

impl CodeSets {
    pub fn new(cache: &Arc<CodeSetCache>, columns: usize) -> Self {
        let first = DICTIONARIES.fetch_add(columns as u64, Ordering::Relaxed);
        Self { cache: cache.clone(), first, columns }
    }

    /// What is kept of a column's dictionary.
    pub fn of_column(&self, column: usize) -> DictionaryCache<'_> {
        debug_assert!(column < self.columns);
        self.cache.dictionary(self.first + column as u64)
    }
}

impl Drop for CodeSets {
    fn drop(&mut self) {
        (self.first..).take(self.columns).for_each(|dictionary| self.cache.forget(dictionary));
    }
}
