//! Finds the row of the active page that an event can be merged into.

use std::hash::{BuildHasher, Hash, Hasher};

use hashbrown::{DefaultHashBuilder, HashTable};

use crate::event::{DimensionValue, EventRow};
use crate::time::TimestampMs;

/// Rows of the active page by the hash of their time and dimensions.
#[derive(Debug, Default)]
pub(super) struct RollupIndex {
    /// A part of the hash and the row: the table of a full page takes 300 KB, and stays in the cache.
    rows: HashTable<(u32, u32)>,
    hasher: DefaultHashBuilder,
}

impl RollupIndex {
    /// Of everything that makes rows equal: strings by their codes, the rest by value.
    pub fn hash(&self, time: TimestampMs, codes: &[u32], event: &EventRow) -> u32 {
        let mut state = self.hasher.build_hasher();
        time.hash(&mut state);
        for (index, &code) in codes.iter().enumerate() {
            match event.dimension(index) {
                DimensionValue::Null | DimensionValue::String(_) => state.write_u32(code),
                DimensionValue::Long(number) => state.write_i64(number),
                DimensionValue::Double(number) => state.write_u64(number.to_bits()),
                DimensionValue::Boolean(flag) => state.write_u8(2 + u8::from(flag)),
            }
        }
        state.finish() as u32
    }

    pub fn find(&self, hash: u32, is_equal: impl Fn(u32) -> bool) -> Option<u32> {
        let is_it = |&(row_hash, row): &(u32, u32)| row_hash == hash && is_equal(row);
        self.rows.find(spread(hash), is_it).map(|&(_, row)| row)
    }

    /// Later events merge into this row; it replaces an equal row that could take no more.
    pub fn insert(&mut self, hash: u32, row: u32) {
        self.rows.insert_unique(spread(hash), (hash, row), |&(hash, _)| spread(hash));
    }

    pub fn bytes(&self) -> usize {
        self.rows.capacity() * (size_of::<(u32, u32)>() + 1)
    }

    pub fn clear(&mut self) {
        self.rows.clear();
    }
}

/// A hash for the table, which looks at the lowest bits and at the highest ones.
fn spread(hash: u32) -> u64 {
    u64::from(hash) << 32 | u64::from(hash)
}
