//! Columns of strings: sorted rows have their dictionary already.

use std::ops::Range;

use parquet::basic::Encoding;
use parquet::data_type::ByteArray;
use parquet::errors::Result;
use parquet::file::statistics::Statistics;
use parquet::schema::types::ColumnDescPtr;

use super::chunk::{Chunk, DictionaryPage, PageCompressor};
use super::way::{PAGE_ROWS, Values, Way};
use crate::segment::sorted_rows::TextValues;

/// Larger dictionaries are not written: a reader holds one whole.
const DICTIONARY_BYTES_MAX: usize = 64 << 20;
/// Bytes of a page of strings themselves, unless a single one is longer.
const PAGE_BYTES_MAX: usize = 4 << 20;
/// Longer strings do not go into the footer as bounds.
const BOUND_BYTES_MAX: usize = 256;

/// Encodes some rows of a column.
pub fn encode_text(
    text: &TextValues,
    rows: Range<usize>,
    column: ColumnDescPtr,
    compressor: &mut PageCompressor,
) -> Result<Chunk> {
    let codes = &text.codes[rows];
    let used = UsedStrings::of(text, codes);
    let places = &used.places;
    let validity = codes.contains(&0).then(|| codes.iter().map(|code| *code != 0).collect());
    let dictionary = used.dictionary_page(compressor);
    let mut ways: Vec<Way<'_>> = dictionary.iter().flat_map(|page| Way::of_dictionary(places, page)).collect();
    // Where strings repeat a dictionary is smaller for sure, and a sample of strings is much to compress.
    if dictionary.is_none() || used.len() > places.len() / 2 {
        let mut way = Way::plain(Encoding::PLAIN, |range, out| {
            places[range].iter().for_each(|place| append_plain(used.string(*place as usize), out));
        });
        way.page_rows = page_rows(used.longest());
        ways.push(way);
    }
    let (least, greatest) = used.bounds();
    let statistics = |nulls| Statistics::byte_array(least, greatest, None, Some(nulls), false);
    Values { count: places.len(), validity, ways }.write(statistics, column, compressor)
}

/// Rows of a page of values none of which is longer than `longest`.
pub fn page_rows(longest: usize) -> usize {
    (PAGE_BYTES_MAX / longest.max(1)).clamp(1, PAGE_ROWS)
}

pub fn append_plain(string: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&(string.len() as u32).to_le_bytes());
    out.extend_from_slice(string);
}

/// The strings that some rows of a column use.
struct UsedStrings<'a> {
    text: &'a TextValues,
    /// Their places in the whole column's dictionary, ascending.
    used: Vec<u32>,
    /// The place in `used` of each value that is not null.
    places: Vec<u32>,
}

impl<'a> UsedStrings<'a> {
    fn of(text: &'a TextValues, codes: &[u32]) -> Self {
        let mut place_of = vec![0_u32; text.distinct.len() + 1];
        codes.iter().for_each(|code| place_of[*code as usize] = 1);
        let mut used = Vec::new();
        for (string, place) in place_of[1..].iter_mut().enumerate() {
            if *place == 1 {
                *place = used.len() as u32;
                used.push(string as u32);
            }
        }
        let places = codes.iter().filter(|code| **code != 0).map(|code| place_of[*code as usize]).collect();
        Self { text, used, places }
    }

    fn len(&self) -> usize {
        self.used.len()
    }

    fn string(&self, place: usize) -> &'a [u8] {
        self.text.distinct.get(self.used[place] as usize)
    }

    fn strings(&self) -> impl Iterator<Item = &'a [u8]> {
        (0..self.len()).map(|place| self.string(place))
    }

    fn longest(&self) -> usize {
        self.strings().map(<[u8]>::len).max().unwrap_or(0)
    }

    /// `None` where it would be too large.
    fn dictionary_page(&self, compressor: &mut PageCompressor) -> Option<DictionaryPage> {
        let plain_bytes: usize = self.strings().map(|string| size_of::<u32>() + string.len()).sum();
        if plain_bytes > DICTIONARY_BYTES_MAX {
            return None;
        }
        let mut plain = Vec::with_capacity(plain_bytes);
        self.strings().for_each(|string| append_plain(string, &mut plain));
        Some(DictionaryPage::new(&plain, self.len(), compressor))
    }

    fn bounds(&self) -> (Option<ByteArray>, Option<ByteArray>) {
        let bound = |string: Option<&[u8]>| {
            string.filter(|string| string.len() <= BOUND_BYTES_MAX).map(|string| ByteArray::from(string.to_vec()))
        };
        (bound(self.strings().next()), bound(self.len().checked_sub(1).map(|last| self.string(last))))
    }
}
