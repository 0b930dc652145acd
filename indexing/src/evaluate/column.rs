//! The columns of a segment as predicates read them, published or still open.

use super::page::{CodePage, LongPage};
use crate::code_set_cache::DictionaryCache;
use crate::{Dictionary, DictionaryPrefix, DimensionIndex, PackedCodes, PackedDoubles, PackedFlags, PackedLongs};

/// A column of a segment in the kind that it is stored in.
#[derive(Debug, Clone)]
pub enum Column<'a> {
    /// Null in every row.
    Missing,
    Text(TextColumn<'a>),
    Longs(LongColumn<'a>),
    Doubles(DoubleColumn<'a>),
    Flags(FlagColumn<'a>),
}

/// Strings by their codes; code 0 is null.
#[derive(Debug, Clone)]
pub enum TextColumn<'a> {
    /// Of a published segment: the order of the codes is that of the values.
    Sorted {
        dictionary: &'a Dictionary,
        codes: &'a PackedCodes,
        index: Option<&'a DimensionIndex>,
        /// Where the codes that pass a costly test are remembered.
        cache: Option<DictionaryCache<'a>>,
    },
    /// Of open rows: codes in the order of first sight, all of them within the dictionary. All pages but the last hold
    /// the same number of rows, a multiple of [`BLOCK_ROWS`](crate::BLOCK_ROWS).
    Growing {
        dictionary: &'a DictionaryPrefix,
        pages: Vec<CodePage<'a>>,
        /// Where the codes that pass a costly test are remembered, for this prefix of the dictionary and for later ones.
        cache: Option<DictionaryCache<'a>>,
    },
}

/// Whole numbers, or times in milliseconds.
#[derive(Debug, Clone)]
pub enum LongColumn<'a> {
    Packed(&'a PackedLongs),
    Pages(Vec<LongPage<'a>>),
}

/// Floating-point numbers.
#[derive(Debug, Clone)]
pub enum DoubleColumn<'a> {
    Packed(&'a PackedDoubles),
    Pages(Vec<Page<'a, f64>>),
}

/// Booleans.
#[derive(Debug, Clone)]
pub enum FlagColumn<'a> {
    Packed(&'a PackedFlags),
    Pages(Vec<FlagPage<'a>>),
}

/// A run of rows. All pages of a column but the last hold the same number of rows, a multiple of
/// [`BLOCK_ROWS`](crate::BLOCK_ROWS).
#[derive(Debug, Clone, Copy)]
pub struct Page<'a, T> {
    /// One a row, of no meaning in null rows.
    pub values: &'a [T],
    /// The rows that are not null; `None` where all are not.
    pub validity: Option<Bits<'a>>,
}

/// A run of rows of booleans.
#[derive(Debug, Clone, Copy)]
pub struct FlagPage<'a> {
    pub rows: usize,
    /// One a row, of no meaning in null rows.
    pub values: Bits<'a>,
    /// The rows that are not null; `None` where all are not.
    pub validity: Option<Bits<'a>>,
}

/// One bit a row, as Arrow keeps them: row `i` is bit `i % 8` of byte `i / 8`. Rows past the last byte are 0.
#[derive(Debug, Clone, Copy)]
pub struct Bits<'a>(pub &'a [u8]);
