//! For each code a list of numbers below a bound: rows, blocks or runs.
//!
//! ```text
//! lists = starts (ascending.rs): for each code, and for the end, where its list starts; numbers, each in as many bits as
//!         the greatest below the bound needs, at least 1
//! ```

use std::ops::Range;

use bytes::Bytes;

use super::ascending::Ascending;
use crate::packed::bits;
use crate::{ByteReader, ByteWriter, FormatError};

/// Lists of numbers by code.
#[derive(Debug, Clone)]
pub(super) struct Lists {
    starts: Ascending,
    width: u32,
    numbers: Bytes,
}

impl Lists {
    /// Appends `numbers`, the lists of all codes one after the other; that of code `c` ends where `starts[c + 1]` says.
    pub(super) fn write(starts: &[u32], numbers: &[u32], bound: u32, out: &mut ByteWriter) {
        Ascending::write(starts, out);
        let mut packed = Vec::new();
        bits::pack(numbers.iter().map(|&number| number.into()), width(bound), &mut packed);
        out.slice(&packed);
    }

    /// Bytes that [`write`](Self::write) appends for `codes` codes with so many numbers together.
    pub(super) fn byte_len(codes: usize, numbers: usize, bound: u32) -> usize {
        Ascending::byte_len(codes + 1, numbers as u32) + bits::byte_len(numbers, width(bound))
    }

    /// Reads the lists of `codes` codes.
    pub(super) fn read(codes: usize, bound: u32, reader: &mut ByteReader) -> Result<Self, FormatError> {
        let starts = Ascending::read(reader)?;
        if starts.count() != codes + 1 {
            return Err(reader.error("lists of other codes"));
        }
        let width = width(bound);
        let numbers = reader.slice(bits::byte_len(starts.greatest() as usize, width))?;
        Ok(Self { starts, width, numbers })
    }

    /// Where the list of each code starts, and where the last one ends.
    pub(super) fn starts(&self) -> &Ascending {
        &self.starts
    }

    /// Where the numbers of some codes, that are neighbours, stand.
    pub(super) fn places(&self, codes: Range<u32>) -> Range<u32> {
        self.starts.span(codes)
    }

    /// Appends the numbers at some places, ascending code by code.
    pub(super) fn append_numbers(&self, places: Range<u32>, out: &mut Vec<u32>) {
        let places = places.start as usize..places.end.max(places.start) as usize;
        out.extend(places.map(|place| bits::get(&self.numbers, self.width, place) as u32));
    }
}

fn width(bound: u32) -> u32 {
    (u32::BITS - bound.saturating_sub(1).leading_zeros()).max(1)
}
