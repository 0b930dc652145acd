//! Writes the values of a chunk in whichever way takes the fewest bytes, found by writing a sample in each.

use std::borrow::Cow;
use std::ops::Range;

use parquet::basic::Encoding;
use parquet::errors::Result;
use parquet::file::statistics::Statistics;
use parquet::schema::types::ColumnDescPtr;

use super::chunk::{Chunk, ChunkWriter, DictionaryPage, PageCompressor};
use super::packing::{append_codes, bits_of};

/// Rows of a page: enough for zstd to learn from, and little to hold for whoever reads it.
pub const PAGE_ROWS: usize = 1 << 15;
/// A sample is this many stretches of values, spread over all of them.
const SAMPLE_STRETCHES: usize = 8;
const SAMPLE_STRETCH: usize = 4_096;

/// Which rows have a value; `None` where all have.
pub type Validity<'a> = Option<Cow<'a, [bool]>>;

/// What is written: the values that are not null, in one of several ways.
pub struct Values<'a> {
    pub count: usize,
    pub validity: Validity<'a>,
    /// Among ways of equal size the first one is taken.
    pub ways: Vec<Way<'a>>,
}

/// Appends some of the values.
type Append<'a> = Box<dyn Fn(Range<usize>, &mut Vec<u8>) + 'a>;

/// An encoding of values.
pub struct Way<'a> {
    encoding: Encoding,
    dictionary: Option<&'a DictionaryPage>,
    pub page_rows: usize,
    append: Append<'a>,
}

impl<'a> Way<'a> {
    /// Without a dictionary, in pages of the usual size.
    pub fn plain(encoding: Encoding, append: impl Fn(Range<usize>, &mut Vec<u8>) + 'a) -> Self {
        Self { encoding, dictionary: None, page_rows: PAGE_ROWS, append: Box::new(append) }
    }

    /// Places in a dictionary: in whole bytes, which shows zstd what repeats, and in as few bits as they need.
    pub fn of_dictionary(places: &'a [u32], dictionary: &'a DictionaryPage) -> [Self; 2] {
        let tight = bits_of(dictionary.values().saturating_sub(1).into()).max(1);
        [tight.next_multiple_of(8), tight].map(|bits| {
            let way = Self::plain(Encoding::RLE_DICTIONARY, move |range, out| {
                out.push(bits as u8);
                append_codes(&places[range], bits, out);
            });
            Self { dictionary: Some(dictionary), ..way }
        })
    }

    /// Of a chunk of `count` values, by a sample.
    fn expected_bytes(&self, count: usize, compressor: &mut PageCompressor) -> usize {
        let stretch = SAMPLE_STRETCH.min(count);
        let stretches = count.div_ceil(stretch).min(SAMPLE_STRETCHES);
        let mut plain = Vec::new();
        for number in 0..stretches {
            let start = (count - stretch) * number / stretches;
            (self.append)(start..start + stretch, &mut plain);
        }
        let dictionary_bytes = self.dictionary.map_or(0, DictionaryPage::compressed_bytes);
        compressor.compress(&plain).len() * count / (stretches * stretch) + dictionary_bytes
    }

    fn write(&self, rows: usize, validity: Option<&[bool]>, writer: &mut ChunkWriter<'_>) -> Result<()> {
        if let Some(dictionary) = self.dictionary {
            writer.dictionary_page(dictionary)?;
        }
        let mut at = 0;
        for start in (0..rows).step_by(self.page_rows) {
            let page = start..rows.min(start + self.page_rows);
            let validity = validity.map(|validity| &validity[page.clone()]);
            let here = validity.map_or(page.len(), |validity| validity.iter().filter(|is_valid| **is_valid).count());
            writer.data_page(page.len(), validity, |out| (self.append)(at..at + here, out))?;
            at += here;
        }
        Ok(())
    }
}

impl Values<'_> {
    /// `statistics` are made of the number of nulls.
    pub fn write(
        self,
        statistics: impl FnOnce(u64) -> Statistics,
        column: ColumnDescPtr,
        compressor: &mut PageCompressor,
    ) -> Result<Chunk> {
        let rows = self.validity.as_ref().map_or(self.count, |validity| validity.len());
        let nothing = Way::plain(Encoding::PLAIN, |_, _| ());
        let best = if self.count == 0 { &nothing } else { self.best(compressor) };
        let mut writer = ChunkWriter::new(column, best.encoding, compressor);
        best.write(rows, self.validity.as_deref(), &mut writer)?;
        writer.finish(statistics((rows - self.count) as u64))
    }

    fn best(&self, compressor: &mut PageCompressor) -> &Way<'_> {
        if let [only] = self.ways.as_slice() {
            return only;
        }
        let best = self.ways.iter().min_by_key(|way| way.expected_bytes(self.count, compressor));
        best.expect("there is at least one way")
    }
}
