//! Where things lie in a serving file. Numbers are little-endian.
//!
//! ```text
//! file      sections, each at a multiple of 64 bytes; footer; trailer
//! trailer   magic "HENGESRV", format version u32, footer length u32, footer XXH3-64 u64, file length u64; 32 bytes
//! footer    BLAKE3 of the segment's Parquet file [32], rows u32, place of the times, column count varint, columns
//! column    name (varint length, bytes), kind u8 (0 string, 1 long, 2 double, 3 boolean, 4 HLL, 5 theta, 6 quantiles), then
//!             string: distinct u32, dictionary place, codes place, index place, index form and reason (varint length, bytes each)
//!             sketch: lgK or k u16, place of the sketches
//!             others: place of the values
//! place     byte offset u64, length u64, XXH3-64 of the section u64
//! ```
//!
//! The footer and the trailer are the file's last bytes, so that opening a file touches one page unless it has very many
//! columns.

use bytes::Bytes;
use henge_indexing::{ByteReader, ByteWriter, FormatError};
use xxhash_rust::xxh3::xxh3_64;

use crate::schema::{ColumnKind, DimensionType};
use crate::sketch::SketchKind;

/// Of the bytes described above and of every section's.
pub const FORMAT_VERSION: u32 = 1;
pub(super) const SECTION_ALIGNMENT: usize = 64;
pub(super) const TRAILER_BYTES: usize = 32;
const MAGIC: &[u8; 8] = b"HENGESRV";

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Footer {
    /// Which Parquet file this one holds the rows of.
    pub source: [u8; 32],
    pub rows: u32,
    pub times: SectionPlace,
    pub columns: Vec<ColumnLayout>,
}

/// How one column lies in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnLayout {
    pub name: String,
    /// The kind in which values are stored; a datasource may have promoted the column since.
    pub kind: ColumnKind,
    /// Codes for strings, else values.
    pub values: SectionPlace,
    /// For strings only.
    pub text: Option<TextLayout>,
}

impl ColumnLayout {
    /// Where its sections lie, in their order in the file.
    fn places(&self) -> [Option<SectionPlace>; 3] {
        let text = self.text.as_ref();
        [text.map(|text| text.dictionary), Some(self.values), text.map(|text| text.index)]
    }
}

/// What a column of strings has besides its codes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextLayout {
    /// Distinct values, null not among them.
    pub distinct: u32,
    pub dictionary: SectionPlace,
    pub index: SectionPlace,
    /// The index's form in a word.
    pub index_form: String,
    /// Why it has that form, for people.
    pub index_reason: String,
}

/// A section's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SectionPlace {
    pub byte_offset: u64,
    pub bytes: u64,
    xxh3: u64,
}

impl SectionPlace {
    pub(super) fn new(byte_offset: usize, section: &[u8]) -> Self {
        Self { byte_offset: byte_offset as u64, bytes: section.len() as u64, xxh3: xxh3_64(section) }
    }

    /// The section, after its checksum was found right.
    pub(super) fn read(&self, file: &Bytes) -> Result<Bytes, FormatError> {
        let wrong = |detail| FormatError { what: "section", detail };
        let end = self.byte_offset.checked_add(self.bytes).filter(|&end| end <= file.len() as u64);
        let end = end.ok_or(wrong("lies outside of the file"))? as usize;
        let section = file.slice(self.byte_offset as usize..end);
        if xxh3_64(&section) != self.xxh3 {
            return Err(wrong("its checksum does not match"));
        }
        Ok(section)
    }

    fn write(&self, out: &mut ByteWriter) {
        out.u64(self.byte_offset);
        out.u64(self.bytes);
        out.u64(self.xxh3);
    }

    fn decode(input: &mut ByteReader) -> Result<Self, FormatError> {
        Ok(Self { byte_offset: input.u64()?, bytes: input.u64()?, xxh3: input.u64()? })
    }
}

impl Footer {
    /// Ends a file that holds the sections.
    pub fn append_to(&self, file: &mut Vec<u8>) {
        append_encoded(&self.encode(), file);
    }

    /// Reads the end of a file.
    pub fn read(file: &Bytes) -> Result<Self, FormatError> {
        let wrong = |detail| FormatError { what: "trailer", detail };
        let trailer_offset = file.len().checked_sub(TRAILER_BYTES).ok_or(wrong("the file is too short"))?;
        let mut trailer = ByteReader::new("trailer", file.slice(trailer_offset..));
        if trailer.slice(MAGIC.len())? != MAGIC[..] {
            return Err(wrong("this is no serving file, or it was cut short"));
        }
        if trailer.u32()? != FORMAT_VERSION {
            return Err(wrong("another format version"));
        }
        let footer_bytes = trailer.u32()? as usize;
        let xxh3 = trailer.u64()?;
        if trailer.u64()? != file.len() as u64 {
            return Err(wrong("another length than the file's"));
        }
        let footer_offset = trailer_offset.checked_sub(footer_bytes).ok_or(wrong("a footer longer than the file"))?;
        let footer = file.slice(footer_offset..trailer_offset);
        if xxh3_64(&footer) != xxh3 {
            return Err(wrong("the footer's checksum does not match"));
        }
        Self::decode(footer)
    }

    fn encode(&self) -> Vec<u8> {
        let mut out = ByteWriter::default();
        out.slice(&self.source);
        out.u32(self.rows);
        self.times.write(&mut out);
        out.varint(self.columns.len() as u64);
        for column in &self.columns {
            write_text(&mut out, &column.name);
            write_kind(column.kind, &mut out);
            if let Some(text) = &column.text {
                out.u32(text.distinct);
                text.dictionary.write(&mut out);
                column.values.write(&mut out);
                text.index.write(&mut out);
                write_text(&mut out, &text.index_form);
                write_text(&mut out, &text.index_reason);
            } else {
                column.values.write(&mut out);
            }
        }
        out.finish()
    }

    fn decode(bytes: Bytes) -> Result<Self, FormatError> {
        let mut input = ByteReader::new("footer", bytes);
        let source = input.slice(32)?.as_ref().try_into().expect("32 bytes were asked for");
        let rows = input.u32()?;
        let times = SectionPlace::decode(&mut input)?;
        let count = input.varint_usize()?;
        let mut columns = Vec::new();
        for _ in 0..count {
            columns.push(read_column(&mut input)?);
        }
        let place_of = |column: &ColumnLayout| column.places().into_iter().flatten();
        let places = std::iter::once(times).chain(columns.iter().flat_map(place_of));
        if !are_disjoint(places) {
            return Err(input.error("sections overlap"));
        }
        input.finish()?;
        Ok(Self { source, rows, times, columns })
    }
}

/// Sections follow one another in the order of the footer. Otherwise many columns could share one, and reading all of
/// them would take the square of the file.
fn are_disjoint(places: impl Iterator<Item = SectionPlace>) -> bool {
    let mut end = 0;
    for place in places {
        if place.byte_offset < end {
            return false;
        }
        end = place.byte_offset.saturating_add(place.bytes);
    }
    true
}

/// Ends a file with a footer's bytes and the trailer.
pub(super) fn append_encoded(footer: &[u8], file: &mut Vec<u8>) {
    let mut trailer = ByteWriter::default();
    trailer.slice(MAGIC);
    trailer.u32(FORMAT_VERSION);
    trailer.u32(footer.len() as u32);
    trailer.u64(xxh3_64(footer));
    trailer.u64((file.len() + footer.len() + TRAILER_BYTES) as u64);
    file.extend_from_slice(footer);
    file.extend_from_slice(&trailer.finish());
}

fn read_column(input: &mut ByteReader) -> Result<ColumnLayout, FormatError> {
    let name = read_text(input)?;
    let kind = read_kind(input)?;
    if kind != ColumnKind::Value(DimensionType::String) {
        return Ok(ColumnLayout { name, kind, values: SectionPlace::decode(input)?, text: None });
    }
    let distinct = input.u32()?;
    let dictionary = SectionPlace::decode(input)?;
    let values = SectionPlace::decode(input)?;
    let index = SectionPlace::decode(input)?;
    let (index_form, index_reason) = (read_text(input)?, read_text(input)?);
    let text = TextLayout { distinct, dictionary, index, index_form, index_reason };
    Ok(ColumnLayout { name, kind, values, text: Some(text) })
}

fn read_kind(input: &mut ByteReader) -> Result<ColumnKind, FormatError> {
    let sketch = match input.u8()? {
        0 => return Ok(ColumnKind::Value(DimensionType::String)),
        1 => return Ok(ColumnKind::Value(DimensionType::Long)),
        2 => return Ok(ColumnKind::Value(DimensionType::Double)),
        3 => return Ok(ColumnKind::Value(DimensionType::Boolean)),
        4 => SketchKind::hll(input.u16()?.into()),
        5 => SketchKind::theta(1_i64.checked_shl(input.u16()?.into()).unwrap_or(0)),
        6 => SketchKind::quantiles(input.u16()?.into()),
        _ => return Err(input.error("a column of no known kind")),
    };
    sketch.map(ColumnKind::Sketch).map_err(|_| input.error("sketches of a size that there is not"))
}

fn write_kind(kind: ColumnKind, out: &mut ByteWriter) {
    let (number, parameter) = match kind {
        ColumnKind::Value(DimensionType::String) => (0, None),
        ColumnKind::Value(DimensionType::Long) => (1, None),
        ColumnKind::Value(DimensionType::Double) => (2, None),
        ColumnKind::Value(DimensionType::Boolean) => (3, None),
        ColumnKind::Sketch(SketchKind::Hll { lg_k }) => (4, Some(lg_k.into())),
        ColumnKind::Sketch(SketchKind::Theta { lg_k }) => (5, Some(lg_k.into())),
        ColumnKind::Sketch(SketchKind::Quantiles { k }) => (6, Some(k)),
    };
    out.u8(number);
    parameter.into_iter().for_each(|parameter| out.u16(parameter));
}

fn write_text(out: &mut ByteWriter, text: &str) {
    out.varint(text.len() as u64);
    out.slice(text.as_bytes());
}

fn read_text(input: &mut ByteReader) -> Result<String, FormatError> {
    let length = input.varint_usize()?;
    let bytes = input.slice(length)?;
    String::from_utf8(bytes.to_vec()).map_err(|_| input.error("a text that is not UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_that_share_a_section_are_refused() {
        let mut file = vec![7; 200];
        let place = |byte_offset: usize| SectionPlace::new(byte_offset, &file[byte_offset..byte_offset + 64]);
        let column = |byte_offset| ColumnLayout {
            name: "column".into(),
            kind: ColumnKind::Value(DimensionType::Long),
            values: place(byte_offset),
            text: None,
        };
        let footer =
            |second| Footer { source: [0; 32], rows: 1, times: place(0), columns: vec![column(64), column(second)] };
        let [apart, shared] = [128, 127].map(footer);
        let mut other = file.clone();
        apart.append_to(&mut file);
        assert_eq!(Footer::read(&file.into()), Ok(apart));
        shared.append_to(&mut other);
        let overlap = FormatError { what: "footer", detail: "sections overlap" };
        assert_eq!(Footer::read(&other.into()), Err(overlap));
    }
}
