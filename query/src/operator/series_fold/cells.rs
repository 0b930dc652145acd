//! Totals by labels and bucket.

use hashbrown::HashMap;

use super::totals::{Totals, Values};
use crate::error::QueryError;

/// A total for each combination of labels, by number, and bucket, by its start in milliseconds.
#[derive(Debug)]
pub(super) struct Cells {
    places: HashMap<(u32, i64), u32>,
    /// By place.
    pub keys: Vec<(u32, i64)>,
    totals: Totals,
}

impl Cells {
    pub fn new(totals: Totals) -> Self {
        Self { places: HashMap::new(), keys: Vec::new(), totals }
    }

    /// Adds a value to each of some cells.
    pub fn add(&mut self, keys: impl IntoIterator<Item = (u32, i64)>, values: &Values) -> Result<(), QueryError> {
        for (row, key) in keys.into_iter().enumerate() {
            let place = *self.places.entry(key).or_insert_with(|| {
                self.keys.push(key);
                self.keys.len() as u32 - 1
            });
            self.totals.add(place as usize, values, row)?;
        }
        Ok(())
    }

    /// The cells' keys and what their totals have come to.
    pub fn finish(self) -> Result<(Vec<(u32, i64)>, Values), QueryError> {
        Ok((self.keys, self.totals.finish()?))
    }

    /// Memory taken.
    pub fn bytes(&self) -> usize {
        self.places.allocation_size() + self.keys.capacity() * size_of::<(u32, i64)>() + self.totals.bytes()
    }
}
