//! How much memory the rows of all datasources may take that are not published yet (invariant B1).
//!
//! Each supervisor says what its datasource holds. Well before the limit those that hold more than their share cut early,
//! and close to it they pause, so that one that is hot leaves room for the others; at the limit nothing is read. Kafka holds
//! the rest until a publish has made room.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The limit of a process, and what is taken of it.
#[derive(Debug)]
pub struct MemoryLimit {
    bytes_max: u64,
    taken: AtomicU64,
    holders: AtomicU64,
}

impl MemoryLimit {
    /// When nobody says another one: room for one datasource with two cuts' worth open while a third is published.
    pub const BYTES_DEFAULT: usize = 1 << 30;

    pub fn new(bytes_max: u64) -> Arc<Self> {
        Arc::new(Self { bytes_max, taken: AtomicU64::new(0), holders: AtomicU64::new(0) })
    }

    pub fn bytes_max(&self) -> u64 {
        self.bytes_max
    }

    /// What all datasources hold together.
    pub fn taken(&self) -> u64 {
        self.taken.load(Ordering::Relaxed)
    }

    /// A datasource's part; it is given back when dropped.
    pub fn share(self: &Arc<Self>) -> MemoryShare {
        self.holders.fetch_add(1, Ordering::Relaxed);
        MemoryShare { limit: self.clone(), bytes: 0 }
    }
}

/// What one datasource holds.
#[derive(Debug)]
pub struct MemoryShare {
    limit: Arc<MemoryLimit>,
    bytes: u64,
}

/// What the memory of all datasources asks of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemoryPressure {
    None,
    /// Publish what is open now.
    Cut,
    /// Read nothing, and publish what is open.
    Pause,
}

impl MemoryShare {
    /// Tells how much the datasource holds now, `open` of it in rows that no cut has taken, and learns what to do.
    pub fn set(&mut self, bytes: u64, open: u64) -> MemoryPressure {
        let limit = &self.limit;
        limit.taken.fetch_add(bytes, Ordering::Relaxed);
        limit.taken.fetch_sub(self.bytes, Ordering::Relaxed);
        self.bytes = bytes;
        let part = limit.bytes_max / limit.holders.load(Ordering::Relaxed).max(1);
        pressure(limit.bytes_max, limit.taken(), part, bytes, open)
    }
}

impl Drop for MemoryShare {
    fn drop(&mut self) {
        self.limit.taken.fetch_sub(self.bytes, Ordering::Relaxed);
        self.limit.holders.fetch_sub(1, Ordering::Relaxed);
    }
}

/// From three quarters of the limit on those cut that hold more than half of an equal `part`: then what small datasources
/// hold together leaves room, and each file is as large as it can be. The last eighth is for those that hold no more than
/// their part, of which `open` is what no cut has taken.
fn pressure(bytes_max: u64, taken: u64, part: u64, bytes: u64, open: u64) -> MemoryPressure {
    if taken >= bytes_max || taken >= bytes_max / 8 * 7 && bytes > part {
        MemoryPressure::Pause
    } else if taken >= bytes_max / 4 * 3 && open > part / 2 {
        MemoryPressure::Cut
    } else {
        MemoryPressure::None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_shares_are_cut_and_paused_before_the_limit_and_everybody_pauses_at_it() {
        let limit = MemoryLimit::new(1_000);
        let (mut large, mut small) = (limit.share(), limit.share());
        assert_eq!(small.set(100, 100), MemoryPressure::None);
        assert_eq!(large.set(649, 649), MemoryPressure::None);
        assert_eq!(large.set(650, 650), MemoryPressure::Cut);
        assert_eq!(small.set(100, 100), MemoryPressure::None, "it holds less than half of an equal part");
        assert_eq!(large.set(650, 0), MemoryPressure::None, "what is being published cannot be cut");
        assert_eq!(large.set(774, 124), MemoryPressure::None);
        assert_eq!(large.set(775, 125), MemoryPressure::Pause, "the last eighth is for the others");
        assert_eq!(small.set(150, 150), MemoryPressure::None, "which read on");
        assert_eq!(small.set(225, 225), MemoryPressure::Pause);
        assert_eq!(small.set(100, 100), MemoryPressure::None);
        assert_eq!(large.set(900, 250), MemoryPressure::Pause);
        assert_eq!(small.set(100, 100), MemoryPressure::Pause);
        assert_eq!(limit.taken(), 1_000);
        drop(large);
        assert_eq!((limit.taken(), small.set(100, 100)), (100, MemoryPressure::None));
    }
}
