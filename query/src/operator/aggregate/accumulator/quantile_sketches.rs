//! Which numbers lie where in their order: exactly, while they are not too many.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Float64Array};
use henge_segment_store::sketch::{Quantiles, Sketch};

use super::distinct_sketches::array_of_bytes;
use super::stored::{put, put_bytes, take, take_bytes, take_one};
use crate::error::QueryError;
use crate::functions::{EXACT_VALUES, SketchCall, SketchResult};
use crate::operator::aggregate::groups::Groups;
use crate::operator::aggregate::segment_sketches::SegmentSketches;

/// So many values of all groups together are kept one by one, in 8 MiB: adding one costs a few nanoseconds, and finding
/// a quantile of them as many for each. A KLL sketch takes ten times that. Beyond, large groups become sketches.
const EXACT_VALUES_OF_ALL: usize = if cfg!(test) { 3_000 } else { 1 << 20 };

#[derive(Debug)]
pub struct QuantileSketches {
    call: SketchCall,
    k: u16,
    /// What a group starts from.
    empty: Quantiles,
    sketches: Vec<Quantiles>,
    /// Values of all groups together; of no meaning once those are limited.
    values: usize,
    is_limited: bool,
}

impl QuantileSketches {
    pub fn new(call: SketchCall, k: u16) -> Result<Self, QueryError> {
        let empty = Quantiles::exact_up_to(EXACT_VALUES_OF_ALL, k)?;
        Ok(Self { call, k, empty, sketches: Vec::new(), values: 0, is_limited: false })
    }

    pub fn clear(&mut self) {
        self.sketches.clear();
        self.empty = Quantiles::exact_up_to(EXACT_VALUES_OF_ALL, self.k).expect("k was checked");
        self.values = 0;
        self.is_limited = false;
    }

    pub fn reach(&mut self, groups: usize) {
        if self.sketches.len() < groups {
            self.sketches.resize(groups, self.empty.clone());
        }
    }

    pub fn add(&mut self, groups: Groups<'_>, values: &[f64]) {
        self.expect(values.len());
        groups.for_each_run(values, |group, values| {
            let sketch = &mut self.sketches[group];
            values.iter().for_each(|value| sketch.add(*value));
        });
    }

    /// Merges the sketches in some rows of a block.
    pub fn add_sketches(
        &mut self,
        group: usize,
        sketches: &SegmentSketches<'_>,
        block: usize,
        rows: &[u16],
    ) -> Result<(), QueryError> {
        for row in rows {
            let sketch = sketches.get(block, *row)?;
            let Sketch::Quantiles(quantiles) = sketch.as_ref() else {
                return Err(QueryError::internal(format!("a {} sketch was read for quantiles", sketch.family())));
            };
            self.expect(usize::try_from(quantiles.count()).unwrap_or(usize::MAX));
            self.sketches[group].merge(quantiles)?;
        }
        Ok(())
    }

    /// # Errors
    /// A group counts more values than 64 bits can.
    pub fn merge(&mut self, other: &Self, from: &[u32], to: &[u32]) -> Result<(), QueryError> {
        for (from, to) in from.iter().zip(to) {
            let other = &other.sketches[*from as usize];
            self.expect(usize::try_from(other.count()).unwrap_or(usize::MAX));
            self.sketches[*to as usize].merge(other)?;
        }
        Ok(())
    }

    /// Before so many values come.
    fn expect(&mut self, values: usize) {
        self.values = self.values.saturating_add(values);
        if !self.is_limited && self.values > EXACT_VALUES_OF_ALL {
            self.is_limited = true;
            self.empty.limit(EXACT_VALUES);
            self.sketches.iter_mut().for_each(|sketch| sketch.limit(EXACT_VALUES));
        }
    }

    /// The results of some groups.
    pub fn finish(&self, groups: impl Iterator<Item = usize>) -> ArrayRef {
        let sketches = groups.map(|group| &self.sketches[group]);
        match self.call.result {
            SketchResult::Quantile(rank) => {
                Arc::new(sketches.map(|sketch| sketch.quantile(rank.get())).collect::<Float64Array>())
            }
            _ => array_of_bytes(sketches.map(Quantiles::to_bytes)),
        }
    }

    pub fn store(&self, groups: &[u32], out: &mut Vec<u8>) {
        put([self.is_limited].into_iter(), out);
        for group in groups {
            let sketch = &self.sketches[*group as usize];
            put([sketch.exact().is_some()].into_iter(), out);
            match sketch.exact() {
                Some(values) => {
                    put([values.len() as u64].into_iter(), out);
                    put(values.iter().copied(), out);
                }
                None => put_bytes(&sketch.to_bytes(), out),
            }
        }
    }

    pub fn restore(&mut self, groups: usize, bytes: &mut &[u8]) -> Result<(), QueryError> {
        self.clear();
        if take_one(bytes)? {
            self.expect(EXACT_VALUES_OF_ALL + 1);
        }
        self.reach(groups);
        for group in 0..groups {
            let (is_exact, mut stored) = (take_one(bytes)?, self.empty.clone());
            if is_exact {
                let count = take_one::<u64>(bytes)?;
                let values: Vec<f64> = take(bytes, usize::try_from(count).unwrap_or(usize::MAX))?;
                values.into_iter().for_each(|value| stored.add(value));
            } else {
                stored = Quantiles::read(take_bytes(bytes)?)?;
            }
            self.expect(usize::try_from(stored.count()).unwrap_or(usize::MAX));
            self.sketches[group].merge(&stored)?;
        }
        Ok(())
    }

    pub fn bytes(&self) -> usize {
        let sketches = self.sketches.iter().map(Quantiles::bytes).sum::<usize>();
        self.sketches.capacity() * size_of::<Quantiles>() + sketches
    }
}
