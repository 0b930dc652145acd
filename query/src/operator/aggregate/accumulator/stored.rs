//! The state of accumulators as bytes, for groups that leave memory for a while.
//!
//! Columns of numbers one after the other, little-endian; how many there are is known to whoever reads them.

use super::Accumulator;
use crate::error::QueryError;

/// A number of a fixed width.
pub(in crate::operator::aggregate) trait Fixed: Sized {
    const BYTES: usize;

    fn put(self, out: &mut Vec<u8>);

    /// Of as many bytes as it has.
    fn of(bytes: &[u8]) -> Self;
}

macro_rules! fixed {
    ($($number:ty),*) => {$(
        impl Fixed for $number {
            const BYTES: usize = size_of::<Self>();

            fn put(self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_le_bytes());
            }

            fn of(bytes: &[u8]) -> Self {
                Self::from_le_bytes(bytes.try_into().expect("chunks have the width that was asked for"))
            }
        }
    )*};
}

fixed!(u8, u32, u64, i64, i128, f64);

impl Fixed for bool {
    const BYTES: usize = 1;

    fn put(self, out: &mut Vec<u8>) {
        out.push(self.into());
    }

    fn of(bytes: &[u8]) -> Self {
        bytes[0] != 0
    }
}

/// Writes a column.
pub(in crate::operator::aggregate) fn put<T: Fixed>(numbers: impl Iterator<Item = T>, out: &mut Vec<u8>) {
    numbers.for_each(|number| number.put(out));
}

/// Takes a column of `count` numbers off the front of `bytes`.
///
/// # Errors
/// There are fewer bytes.
pub(in crate::operator::aggregate) fn take<T: Fixed>(bytes: &mut &[u8], count: usize) -> Result<Vec<T>, QueryError> {
    let (column, rest) =
        bytes.split_at_checked(count * T::BYTES).ok_or_else(|| QueryError::internal("groups on disk end too early"))?;
    *bytes = rest;
    Ok(column.chunks_exact(T::BYTES).map(T::of).collect())
}

/// Takes one number off the front of `bytes`.
pub(in crate::operator::aggregate) fn take_one<T: Fixed>(bytes: &mut &[u8]) -> Result<T, QueryError> {
    Ok(take(bytes, 1)?.pop().expect("one was taken"))
}

/// Writes bytes behind their length.
pub(super) fn put_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    put([bytes.len() as u64].into_iter(), out);
    out.extend_from_slice(bytes);
}

/// Takes as many bytes off the front as their length says.
pub(super) fn take_bytes<'b>(bytes: &mut &'b [u8]) -> Result<&'b [u8], QueryError> {
    let length = take_one::<u64>(bytes)?;
    take_front(bytes, usize::try_from(length).unwrap_or(usize::MAX))
}

fn take_front<'b>(bytes: &mut &'b [u8], length: usize) -> Result<&'b [u8], QueryError> {
    let too_short = || QueryError::internal("groups on disk end too early");
    let (front, rest) = bytes.split_at_checked(length).ok_or_else(too_short)?;
    *bytes = rest;
    Ok(front)
}

impl Accumulator {
    /// Writes the state of some groups. Where codes are kept they must be numbers.
    pub fn store(&self, groups: &[u32], out: &mut Vec<u8>) {
        match self {
            Self::Count(counts) => counts.store(groups, out),
            Self::LongSum(sums) => sums.store(groups, out),
            Self::DoubleSum(sums) => sums.store(groups, out),
            Self::LongAverage(sums, counts) => {
                sums.store(groups, out);
                counts.store(groups, out);
            }
            Self::DoubleAverage(sums, counts) => {
                sums.store(groups, out);
                counts.store(groups, out);
            }
            Self::Extreme(extremes, _) => extremes.store(groups, out),
            Self::ByTime(values, _) => values.store(groups, out),
            Self::Text(choices, _) => choices.store(groups, out),
            Self::Distinct(distinct) => distinct.store(groups, out),
            Self::DistinctSketch(sketches, _) => sketches.store(groups, out),
            Self::Quantiles(sketches, _) => sketches.store(groups, out),
        }
    }

    /// Takes the state of `groups` groups off the front of `bytes`: they are all that it has from then on.
    ///
    /// # Errors
    /// The bytes are not what an accumulator of the same kind has stored.
    pub fn restore(&mut self, groups: usize, bytes: &mut &[u8]) -> Result<(), QueryError> {
        match self {
            Self::Count(counts) => counts.restore(groups, bytes),
            Self::LongSum(sums) => sums.restore(groups, bytes),
            Self::DoubleSum(sums) => sums.restore(groups, bytes),
            Self::LongAverage(sums, counts) => {
                sums.restore(groups, bytes)?;
                counts.restore(groups, bytes)
            }
            Self::DoubleAverage(sums, counts) => {
                sums.restore(groups, bytes)?;
                counts.restore(groups, bytes)
            }
            Self::Extreme(extremes, _) => extremes.restore(groups, bytes),
            Self::ByTime(values, _) => values.restore(groups, bytes),
            Self::Text(choices, _) => choices.restore(groups, bytes),
            Self::Distinct(distinct) => distinct.restore(groups, bytes),
            Self::DistinctSketch(sketches, _) => sketches.restore(groups, bytes),
            Self::Quantiles(sketches, _) => sketches.restore(groups, bytes),
        }
    }
}
