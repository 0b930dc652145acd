//! Reads a serving file: nothing but its end until a column is asked for, and each section's checksum once.

use std::io;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use henge_indexing::{
    CodeSetCache, Column, Dictionary, DimensionIndex, DoubleColumn, FlagColumn, FormatError, LongColumn, PackedBytes,
    PackedCodes, PackedDoubles, PackedFlags, PackedLongs, Predicate, RowSet, TextColumn, evaluate,
};

use super::footer::{ColumnLayout, Footer, SectionPlace, TextLayout};
use super::mapping;
use crate::code_sets::CodeSets;
use crate::error::StoreError;
use crate::schema::{ColumnKind, DimensionType, TIME_COLUMN};
use crate::segment::SegmentId;
use crate::sketch::SketchKind;
use crate::sketch_values::SketchValues;

/// Why a serving file is of no use; it can be made again.
#[derive(Debug, thiserror::Error)]
pub enum ServingError {
    #[error("cannot be mapped")]
    Map(#[from] io::Error),
    #[error(transparent)]
    Format(#[from] FormatError),
    #[error("it is of another segment")]
    OtherSegment,
    #[error("column `{column}`: {source}")]
    Column { column: String, source: FormatError },
}

impl ServingError {
    /// As an error that names the segment.
    pub(crate) fn of_segment(&self, id: &SegmentId) -> StoreError {
        StoreError::Corrupt { id: id.clone(), detail: format!("its serving form: {self}") }
    }
}

/// A mapped serving file.
#[derive(Debug)]
pub struct ServingSegment {
    file: Bytes,
    footer: Footer,
    code_sets: CodeSets,
    times: OnceLock<PackedLongs>,
    /// In the order of the footer.
    columns: Vec<OnceLock<LoadedColumn>>,
}

#[derive(Debug)]
enum LoadedColumn {
    Text(Box<LoadedText>),
    Longs(PackedLongs),
    Doubles(PackedDoubles),
    Flags(PackedFlags),
    Sketches(SketchKind, PackedBytes),
}

#[derive(Debug)]
struct LoadedText {
    dictionary: Dictionary,
    codes: PackedCodes,
    index: DimensionIndex,
}

impl ServingSegment {
    /// Maps a file and reads its footer. What costly tests of its strings find is kept in `code_sets`.
    pub fn open(path: &Path, code_sets: &Arc<CodeSetCache>) -> Result<Self, ServingError> {
        Self::from_bytes(mapping::map(path)?, code_sets)
    }

    /// The same of bytes in memory.
    pub fn from_bytes(file: Bytes, code_sets: &Arc<CodeSetCache>) -> Result<Self, ServingError> {
        let footer = Footer::read(&file)?;
        let columns: Vec<_> = footer.columns.iter().map(|_| OnceLock::new()).collect();
        let code_sets = CodeSets::new(code_sets, columns.len());
        Ok(Self { file, footer, code_sets, times: OnceLock::new(), columns })
    }

    /// The BLAKE3 digest of the Parquet file that it was made from.
    pub fn source(&self) -> &[u8; 32] {
        &self.footer.source
    }

    pub fn row_count(&self) -> u32 {
        self.footer.rows
    }

    /// Of the file.
    pub fn bytes(&self) -> u64 {
        self.file.len() as u64
    }

    /// Every column but the times, dimensions first.
    pub fn layout(&self) -> &[ColumnLayout] {
        &self.footer.columns
    }

    /// The section that holds the times.
    pub fn times_place(&self) -> SectionPlace {
        self.footer.times
    }

    pub fn times(&self) -> Result<&PackedLongs, ServingError> {
        load(&self.times, || {
            let times = PackedLongs::decode(self.footer.times.read(&self.file)?)?;
            self.check_rows(times.len())?;
            Ok(times)
        })
        .map_err(|source| ServingError::Column { column: TIME_COLUMN.to_owned(), source })
    }

    /// A column by its name, `__time` included; [`Column::Missing`] where the segment has none of that name, and of
    /// sketches, which no predicate tests.
    pub fn column(&self, name: &str) -> Result<Column<'_>, ServingError> {
        if name == TIME_COLUMN {
            return Ok(Column::Longs(LongColumn::Packed(self.times()?)));
        }
        let Some((place, loaded)) = self.loaded(name)? else { return Ok(Column::Missing) };
        Ok(match loaded {
            LoadedColumn::Text(text) => {
                let LoadedText { dictionary, codes, index } = text.as_ref();
                let cache = Some(self.code_sets.of_column(place));
                Column::Text(TextColumn::Sorted { dictionary, codes, index: Some(index), cache })
            }
            LoadedColumn::Longs(longs) => Column::Longs(LongColumn::Packed(longs)),
            LoadedColumn::Doubles(doubles) => Column::Doubles(DoubleColumn::Packed(doubles)),
            LoadedColumn::Flags(flags) => Column::Flags(FlagColumn::Packed(flags)),
            LoadedColumn::Sketches(..) => Column::Missing,
        })
    }

    /// A column of sketches by its name; missing where the segment has none of that name.
    pub fn sketches(&self, name: &str) -> Result<SketchValues<'_>, ServingError> {
        Ok(match self.loaded(name)? {
            Some((_, LoadedColumn::Sketches(kind, packed))) => SketchValues::Packed(*kind, packed),
            _ => SketchValues::Missing,
        })
    }

    /// A column and its place, read if it was not yet.
    fn loaded(&self, name: &str) -> Result<Option<(usize, &LoadedColumn)>, ServingError> {
        let Some(place) = self.footer.columns.iter().position(|column| column.name == name) else { return Ok(None) };
        let loaded = load(&self.columns[place], || self.load_column(&self.footer.columns[place]))
            .map_err(|source| ServingError::Column { column: name.to_owned(), source })?;
        Ok(Some((place, loaded)))
    }

    /// The rows for which a predicate is true.
    pub fn evaluate(&self, predicate: &Predicate, use_indexes: bool) -> Result<RowSet, ServingError> {
        evaluate(predicate, self.row_count(), use_indexes, &|name: &str| self.column(name))
    }

    /// Reads and checks everything.
    pub fn verify(&self) -> Result<(), ServingError> {
        self.times()?;
        for layout in &self.footer.columns {
            let wrong = |source| ServingError::Column { column: layout.name.clone(), source };
            match self.loaded(&layout.name)? {
                Some((_, LoadedColumn::Text(text))) => text.dictionary.verify().map_err(wrong)?,
                Some((_, LoadedColumn::Sketches(_, sketches))) => sketches.verify().map_err(wrong)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn load_column(&self, layout: &ColumnLayout) -> Result<LoadedColumn, FormatError> {
        let values = layout.values.read(&self.file)?;
        if let Some(text) = &layout.text {
            return self.load_text(values, text).map(|text| LoadedColumn::Text(Box::new(text)));
        }
        let loaded = match layout.kind {
            ColumnKind::Value(DimensionType::String) => {
                return Err(FormatError { what: "column", detail: "strings without a dictionary" });
            }
            ColumnKind::Value(DimensionType::Long) => LoadedColumn::Longs(PackedLongs::decode(values)?),
            ColumnKind::Value(DimensionType::Double) => LoadedColumn::Doubles(PackedDoubles::decode(values)?),
            ColumnKind::Value(DimensionType::Boolean) => LoadedColumn::Flags(PackedFlags::decode(values)?),
            ColumnKind::Sketch(kind) => LoadedColumn::Sketches(kind, PackedBytes::decode(values)?),
        };
        self.check_rows(match &loaded {
            LoadedColumn::Text(text) => text.codes.len(),
            LoadedColumn::Longs(longs) => longs.len(),
            LoadedColumn::Doubles(doubles) => doubles.len(),
            LoadedColumn::Flags(flags) => flags.len(),
            LoadedColumn::Sketches(_, sketches) => sketches.len(),
        })?;
        Ok(loaded)
    }

    fn load_text(&self, codes: Bytes, layout: &TextLayout) -> Result<LoadedText, FormatError> {
        let dictionary = Dictionary::decode(layout.dictionary.read(&self.file)?)?;
        let codes = PackedCodes::decode(codes)?;
        self.check_rows(codes.len())?;
        if dictionary.distinct() != layout.distinct {
            return Err(FormatError { what: "dictionary", detail: "another number of values than the footer says" });
        }
        let index = DimensionIndex::decode(layout.index.read(&self.file)?, self.row_count(), layout.distinct)?;
        Ok(LoadedText { dictionary, codes, index })
    }

    /// Invariant S3.
    fn check_rows(&self, rows: u32) -> Result<(), FormatError> {
        if rows == self.row_count() {
            return Ok(());
        }
        Err(FormatError { what: "column", detail: "another number of rows than the footer says" })
    }
}

/// Two threads may load at once; one of them wins.
fn load<T>(slot: &OnceLock<T>, load: impl FnOnce() -> Result<T, FormatError>) -> Result<&T, FormatError> {
    if let Some(loaded) = slot.get() {
        return Ok(loaded);
    }
    let loaded = load()?;
    Ok(slot.get_or_init(|| loaded))
}
