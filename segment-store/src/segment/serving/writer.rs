//! Encodes sorted rows as a serving file.

use henge_indexing::{Dictionary, DimensionIndex, PackedBytes, PackedCodes, PackedDoubles, PackedFlags, PackedLongs};

use super::footer::{ColumnLayout, Footer, SECTION_ALIGNMENT, SectionPlace, TextLayout};
use crate::segment::{SortedColumn, SortedRows, TextValues};

/// Bytes that the indexes of all columns take together: so many for each row, and for short segments this many in any
/// case. Rows sorted by their dimensions need three to four bytes; rows in the order of time would take more, for queries
/// that the codes answer as well.
const INDEX_BYTES_PER_ROW: usize = 5;
const INDEX_BYTES_MIN: usize = 64 << 10;

/// The file's bytes. `source` is the BLAKE3 digest of the Parquet file that holds the same rows.
pub fn encode_serving(rows: &SortedRows, source: [u8; 32]) -> Vec<u8> {
    let index_bytes_left = (rows.row_count() * INDEX_BYTES_PER_ROW).max(INDEX_BYTES_MIN);
    let mut file = Sections { bytes: Vec::new(), index_bytes_left };
    let times = file.append(&PackedLongs::encode(&rows.times, None));
    let columns = rows.columns().map(|(name, column)| file.append_column(name, column)).collect();
    let rows = u32::try_from(rows.row_count()).expect("S3: a segment's row count fits 32 bits");
    let mut bytes = file.bytes;
    Footer { source, rows, times, columns }.append_to(&mut bytes);
    bytes
}

struct Sections {
    bytes: Vec<u8>,
    /// For the indexes of the columns that come next: the first of the declared dimensions, which rows are sorted by, have
    /// the smallest indexes.
    index_bytes_left: usize,
}

impl Sections {
    fn append(&mut self, section: &[u8]) -> SectionPlace {
        self.bytes.resize(self.bytes.len().next_multiple_of(SECTION_ALIGNMENT), 0);
        let place = SectionPlace::new(self.bytes.len(), section);
        self.bytes.extend_from_slice(section);
        place
    }

    fn append_column(&mut self, name: &str, column: &SortedColumn) -> ColumnLayout {
        let (values, text) = match column {
            SortedColumn::Text(text) => {
                let (codes, text) = self.append_text(text);
                (codes, Some(text))
            }
            SortedColumn::Longs(longs) => {
                (self.append(&PackedLongs::encode(&longs.values, longs.validity.as_deref())), None)
            }
            SortedColumn::Doubles(doubles) => {
                (self.append(&PackedDoubles::encode(&doubles.values, doubles.validity.as_deref())), None)
            }
            SortedColumn::Flags(flags) => {
                let flags: Vec<Option<bool>> = (0..flags.values.len()).map(|row| flags.get(row)).collect();
                (self.append(&PackedFlags::encode(&flags)), None)
            }
            SortedColumn::Sketches(_, sketches) => {
                (self.append(&PackedBytes::encode(&sketches.iter().collect::<Vec<_>>())), None)
            }
        };
        ColumnLayout { name: name.to_owned(), kind: column.kind(), values, text }
    }

    fn append_text(&mut self, text: &TextValues) -> (SectionPlace, TextLayout) {
        let distinct = text.distinct.len() as u32;
        let dictionary = self.append(&Dictionary::encode(text.distinct.iter()));
        let codes = self.append(&PackedCodes::encode(&text.codes));
        let built = DimensionIndex::build_within(&text.codes, distinct, self.index_bytes_left);
        self.index_bytes_left = self.index_bytes_left.saturating_sub(built.bytes.len());
        let index = self.append(&built.bytes);
        let (index_form, index_reason) = (built.form.to_string(), built.reason);
        (codes, TextLayout { distinct, dictionary, index, index_form, index_reason })
    }
}
