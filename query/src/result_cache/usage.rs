use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use henge_segment_store::segment::PublishedSegment;

use super::ResultCache;
use crate::operator::aggregate::{KeptGroups, ResultKey};

/// One query's way to the cache.
#[derive(Debug)]
pub(crate) struct ResultCacheUse {
    cache: Arc<ResultCache>,
    is_asked: bool,
    is_filled: bool,
    hits: AtomicU64,
    misses: AtomicU64,
}

/// What one query had of the cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ResultCacheCounts {
    /// Segments that were not read, because what was asked of them was kept.
    pub hits: u64,
    /// Published segments that were read, though what was asked of them could have been kept.
    pub misses: u64,
}

impl ResultCacheUse {
    /// `is_asked`: what is kept may be used. `is_filled`: what is found may be kept.
    pub fn new(cache: Arc<ResultCache>, is_asked: bool, is_filled: bool) -> Self {
        Self { cache, is_asked, is_filled, hits: AtomicU64::new(0), misses: AtomicU64::new(0) }
    }

    pub fn is_on(&self) -> bool {
        self.is_asked || self.is_filled
    }

    pub fn is_filled(&self) -> bool {
        self.is_filled
    }

    /// What is kept, if `is_usable`; counts whether there is such a thing.
    pub fn get(&self, key: &ResultKey, is_usable: impl FnOnce(&[KeptGroups]) -> bool) -> Option<Arc<[KeptGroups]>> {
        if !self.is_asked {
            return None;
        }
        let found = self.cache.get(key).filter(|found| is_usable(found));
        let counters = match found {
            Some(_) => [&self.hits, &self.cache.hits],
            None => [&self.misses, &self.cache.misses],
        };
        counters.into_iter().for_each(|counter| _ = counter.fetch_add(1, Ordering::Relaxed));
        found
    }

    /// Keeps what was found of a segment, unless it is too large.
    pub fn put(&self, key: ResultKey, segment: &Arc<PublishedSegment>, found: Arc<[KeptGroups]>) {
        self.cache.put(key, segment, found);
    }

    /// Larger results are not kept.
    pub fn entry_bytes_max(&self) -> usize {
        self.cache.entry_bytes_max()
    }

    /// So far.
    pub fn counts(&self) -> ResultCacheCounts {
        let [hits, misses] = [&self.hits, &self.misses].map(|counter| counter.load(Ordering::Relaxed));
        ResultCacheCounts { hits, misses }
    }
}
