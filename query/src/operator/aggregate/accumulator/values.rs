//! What accumulators are shown of the rows that count for them.

use crate::operator::aggregate::key::SegmentKey;
use crate::operator::aggregate::segment_sketches::SegmentSketches;

/// What an accumulator has to be shown of the rows that count for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::operator::aggregate) enum Needs {
    Rows,
    Longs,
    Doubles,
    /// Longs in the order of the values.
    OrderKeys,
    /// The same where longs count as doubles.
    DoubleKeys,
    /// The same as order keys, of every row: its zone does not tell enough of a block.
    Keys,
    /// Order keys with the times of their rows; those of null values too.
    TimedKeys,
    /// The same where longs count as doubles.
    TimedDoubleKeys,
    /// Codes.
    Codes,
    /// Codes with the times of their rows; those of null values too.
    TimedCodes,
    Sketches,
}

/// Values side by side, one for each row that counts.
#[derive(Debug, Clone, Copy)]
pub(in crate::operator::aggregate) enum Values<'v> {
    Rows,
    /// `magnitude`: no value is further from 0.
    Longs {
        values: &'v [i64],
        magnitude: u64,
    },
    Doubles(&'v [f64]),
    OrderKeys(&'v [i64]),
    /// Keys are of no meaning where `nulls` is true.
    Timed {
        times: &'v [i64],
        keys: &'v [i64],
        nulls: &'v [bool],
    },
    /// `key` tells what the codes stand for.
    Coded {
        codes: &'v [u32],
        times: Option<&'v [i64]>,
        key: &'v SegmentKey<'v>,
    },
    /// Of these rows of a block.
    Sketches {
        sketches: &'v SegmentSketches<'v>,
        block: usize,
        rows: &'v [u16],
    },
}

impl Needs {
    /// Whether rows count whose value is null.
    pub fn takes_nulls(self) -> bool {
        self.takes_times()
    }

    pub fn takes_times(self) -> bool {
        matches!(self, Self::TimedKeys | Self::TimedDoubleKeys | Self::TimedCodes)
    }

    pub fn takes_codes(self) -> bool {
        matches!(self, Self::Codes | Self::TimedCodes)
    }
}
