//! How many values are different, approximately.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, BinaryBuilder, Int64Array};
use henge_segment_store::sketch::{HashedValue, HllHash, Sketch, SketchKind, ThetaHash, ThetaHasher};

use super::distinct::Distinct;
use super::stored::{put, put_bytes, take, take_bytes};
use crate::error::QueryError;
use crate::functions::{SketchCall, SketchResult, empty_sketch};
use crate::operator::aggregate::groups::Groups;
use crate::operator::aggregate::segment_sketches::SegmentSketches;

/// For each code of a segment the hash of its value.
#[derive(Debug)]
pub enum CodeHashes {
    Hll(Vec<Option<HllHash>>),
    Theta(Vec<Option<ThetaHash>>),
}

/// Counts by codes within a segment, by sketches across segments. Numbers have no codes: they are hashed row by row.
#[derive(Debug)]
pub struct DistinctSketches {
    call: SketchCall,
    codes: Distinct,
    /// Only of groups that have seen a hash.
    sketches: Vec<Option<Box<Sketch>>>,
    hasher: ThetaHasher,
}

impl DistinctSketches {
    pub fn new(call: SketchCall) -> Result<Self, QueryError> {
        empty_sketch(call.kind)?;
        Ok(Self { call, codes: Distinct::default(), sketches: Vec::new(), hasher: ThetaHasher::default() })
    }

    pub fn clear(&mut self) {
        self.codes.clear();
        self.sketches.clear();
    }

    pub fn reach(&mut self, groups: usize) {
        self.codes.reach(groups);
        if self.sketches.len() < groups {
            self.sketches.resize_with(groups, || None);
        }
    }

    /// Adds the codes of rows that are not null; all codes of the column are below `end`, if it is known.
    pub fn add_codes(&mut self, groups: Groups<'_>, codes: &[u32], end: Option<u32>) {
        self.codes.add(groups, codes, end);
    }

    pub fn add_longs(&mut self, groups: Groups<'_>, longs: &[i64]) {
        groups.for_each_run(longs, |group, longs| self.add(group, longs.iter().map(|long| HashedValue::Long(*long))));
    }

    pub fn add_doubles(&mut self, groups: Groups<'_>, doubles: &[f64]) {
        groups.for_each_run(doubles, |group, doubles| {
            self.add(group, doubles.iter().map(|double| HashedValue::Double(*double)));
        });
    }

    fn add<'v>(&mut self, group: usize, values: impl Iterator<Item = HashedValue<'v>>) {
        match sketch_of(&mut self.sketches[group], self.call.kind) {
            Sketch::Hll(hll) => values.for_each(|value| hll.add(HllHash::of(value))),
            Sketch::Theta(theta) => {
                values.filter_map(|value| self.hasher.hash(value)).for_each(|hash| theta.add(hash));
            }
            Sketch::Quantiles(_) => unreachable!("quantiles have accumulators of their own"),
        }
    }

    /// Merges the sketches in some rows of a block.
    pub fn add_sketches(
        &mut self,
        group: usize,
        sketches: &SegmentSketches<'_>,
        block: usize,
        rows: &[u16],
    ) -> Result<(), QueryError> {
        let merged = sketch_of(&mut self.sketches[group], self.call.kind);
        rows.iter().try_for_each(|row| merged.merge(sketches.get(block, *row)?.as_ref()).map_err(QueryError::from))
    }

    /// The codes that were seen, ascending.
    pub fn codes(&self) -> Vec<u32> {
        self.codes.codes()
    }

    /// `hashes`: of the other's codes; `None` where it has none.
    pub fn merge(&mut self, other: &Self, from: &[u32], to: &[u32], hashes: Option<&CodeHashes>) {
        for (from, to) in from.iter().zip(to) {
            let (from, slot) = (*from as usize, &mut self.sketches[*to as usize]);
            if let Some(sketch) = &other.sketches[from] {
                match slot {
                    Some(known) => known.merge(sketch).expect("sketches of one aggregate are of one kind"),
                    None => *slot = Some(sketch.clone()),
                }
            }
            let Some(hashes) = hashes.filter(|_| !other.codes.is_empty(from)) else { continue };
            match (sketch_of(slot, self.call.kind), hashes) {
                (Sketch::Hll(hll), CodeHashes::Hll(hashes)) => {
                    other.codes.for_each(from, |code| hashes[code as usize].into_iter().for_each(|hash| hll.add(hash)));
                }
                (Sketch::Theta(theta), CodeHashes::Theta(hashes)) => {
                    other.codes.for_each(from, |code| {
                        hashes[code as usize].into_iter().for_each(|hash| theta.add(hash));
                    });
                }
                (sketch, _) => unreachable!("hashes are not those of a {} sketch", sketch.family()),
            }
        }
    }

    /// The results of some groups.
    pub fn finish(&self, groups: impl Iterator<Item = usize>) -> Result<ArrayRef, QueryError> {
        let empty = empty_sketch(self.call.kind)?;
        let sketches = groups.map(|group| self.sketches[group].as_deref().unwrap_or(&empty));
        if self.call.result == SketchResult::Bytes {
            return Ok(array_of_bytes(sketches.map(Sketch::to_bytes)));
        }
        let estimate = |sketch: &Sketch| match sketch {
            Sketch::Hll(hll) => hll.estimate(),
            Sketch::Theta(theta) => theta.estimate(),
            Sketch::Quantiles(quantiles) => quantiles.count() as f64,
        };
        Ok(Arc::new(sketches.map(|sketch| Some(estimate(sketch).round() as i64)).collect::<Int64Array>()))
    }

    /// Sketches alone: merged groups have no codes.
    pub fn store(&self, groups: &[u32], out: &mut Vec<u8>) {
        let sketches = || groups.iter().map(|group| self.sketches[*group as usize].as_deref());
        put(sketches().map(|sketch| sketch.is_some()), out);
        sketches().flatten().for_each(|sketch| put_bytes(&sketch.to_bytes(), out));
    }

    pub fn restore(&mut self, groups: usize, bytes: &mut &[u8]) -> Result<(), QueryError> {
        self.clear();
        self.reach(groups);
        let are_there: Vec<bool> = take(bytes, groups)?;
        for (slot, _) in self.sketches.iter_mut().zip(are_there).filter(|(_, is_there)| *is_there) {
            // What is read has the greatest size that there is.
            sketch_of(slot, self.call.kind).merge(&Sketch::read(take_bytes(bytes)?)?)?;
        }
        Ok(())
    }

    pub fn bytes(&self) -> usize {
        let sketches = self.sketches.iter().flatten().map(|sketch| size_of::<Sketch>() + sketch.bytes());
        self.codes.bytes() + self.sketches.capacity() * size_of::<usize>() + sketches.sum::<usize>()
    }
}

fn sketch_of(slot: &mut Option<Box<Sketch>>, kind: SketchKind) -> &mut Sketch {
    slot.get_or_insert_with(|| Box::new(empty_sketch(kind).expect("the parameters were checked")))
}

pub fn array_of_bytes(sketches: impl Iterator<Item = Vec<u8>>) -> ArrayRef {
    let mut builder = BinaryBuilder::new();
    sketches.for_each(|bytes| builder.append_value(bytes));
    Arc::new(builder.finish())
}
