//! Reads a segment's Parquet file back into sorted rows: for the serving form, for merges and for tools, never for a
//! query.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, DictionaryArray, StringArray};
use arrow::datatypes::{
    DataType, Field, Float64Type, Int32Type, Int64Type, Schema, SchemaRef, TimestampMillisecondType,
};
use bytes::Bytes;
use henge_indexing::GrowingDictionary;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::errors::{ParquetError, Result};

use super::provenance::{PROVENANCE_KEY, Provenance};
use super::sorted_rows::{SketchBytes, SortedColumn, SortedRows, Strings, TextValues, Values};
use crate::schema::{ColumnKind, DimensionType, TIME_COLUMN};

/// Rows of a batch; it divides the rows of a row group, so that no batch spans two dictionaries.
const BATCH_ROWS: usize = 16_384;
/// The same of sketches, which may take megabytes each.
const SKETCH_BATCH_ROWS: usize = 256;

/// A segment's file, opened.
#[derive(Debug)]
pub struct ParquetSegment {
    bytes: Bytes,
    metadata: ArrowReaderMetadata,
    provenance: Provenance,
}

impl ParquetSegment {
    /// Reads the footer only. The bytes are taken to be what was written: check their digest before.
    pub fn open(bytes: Bytes) -> Result<Self> {
        let plain = ArrowReaderMetadata::load(&bytes, ArrowReaderOptions::new())?;
        let hinted = ArrowReaderOptions::new().with_schema(with_dictionaries(plain.schema()));
        let metadata = ArrowReaderMetadata::try_new(plain.metadata().clone(), hinted)?;
        let pairs = metadata.metadata().file_metadata().key_value_metadata();
        let pair = pairs.and_then(|pairs| pairs.iter().find(|pair| pair.key == PROVENANCE_KEY));
        let json = pair.and_then(|pair| pair.value.as_ref());
        let json = json.ok_or_else(|| general(format!("the footer has no key `{PROVENANCE_KEY}`")))?;
        let provenance = serde_json::from_str(json).map_err(|error| general(format!("provenance: {error}")))?;
        Ok(Self { bytes, metadata, provenance })
    }

    pub fn provenance(&self) -> &Provenance {
        &self.provenance
    }

    /// What parquet-rs knows of the file: row groups, encodings, sizes.
    pub fn metadata(&self) -> &parquet::file::metadata::ParquetMetaData {
        self.metadata.metadata()
    }

    /// All rows, in the schema that the segment was written with.
    pub fn rows(&self) -> Result<SortedRows> {
        let schema = Arc::new(self.provenance.schema.clone());
        let mut times = Vec::new();
        self.for_each_batch(TIME_COLUMN, BATCH_ROWS, |array| {
            let batch = array.as_primitive_opt::<TimestampMillisecondType>();
            times.extend_from_slice(batch.ok_or_else(|| general("times of another type".to_owned()))?.values());
            Ok(())
        })?;
        let mut columns = (0..schema.column_count())
            .map(|column| self.column(schema.column_name(column), schema.column_kind(column)));
        let dimensions = columns.by_ref().take(schema.dimensions.len()).collect::<Result<_>>()?;
        let measures = columns.collect::<Result<_>>()?;
        let rows = SortedRows { schema: schema.clone(), times, dimensions, measures };
        if rows.row_count() as u64 != self.provenance.rows {
            return Err(general("another number of rows than the footer says".to_owned()));
        }
        Ok(rows)
    }

    /// One of the columns, of a dimension or a measure.
    pub(crate) fn column(&self, name: &str, kind: ColumnKind) -> Result<SortedColumn> {
        let wrong = || general(format!("column `{name}` is not of {kind}s"));
        match kind {
            ColumnKind::Value(DimensionType::String) => {
                let mut text = TextBuilder::default();
                self.for_each_batch(name, BATCH_ROWS, |array| {
                    text.append(array.as_dictionary_opt::<Int32Type>().ok_or_else(wrong)?).ok_or_else(wrong)
                })?;
                Ok(SortedColumn::Text(text.finish()))
            }
            ColumnKind::Value(DimensionType::Long) => {
                let mut longs = ValuesBuilder::default();
                self.for_each_batch(name, BATCH_ROWS, |array| {
                    let batch = array.as_primitive_opt::<Int64Type>().ok_or_else(wrong)?;
                    longs.append(batch.iter(), batch.len());
                    Ok(())
                })?;
                Ok(SortedColumn::Longs(longs.finish()))
            }
            ColumnKind::Value(DimensionType::Double) => {
                let mut doubles = ValuesBuilder::default();
                self.for_each_batch(name, BATCH_ROWS, |array| {
                    let batch = array.as_primitive_opt::<Float64Type>().ok_or_else(wrong)?;
                    doubles.append(batch.iter(), batch.len());
                    Ok(())
                })?;
                Ok(SortedColumn::Doubles(doubles.finish()))
            }
            ColumnKind::Value(DimensionType::Boolean) => {
                let mut flags = ValuesBuilder::default();
                self.for_each_batch(name, BATCH_ROWS, |array| {
                    let batch = array.as_boolean_opt().ok_or_else(wrong)?;
                    flags.append(batch.iter(), batch.len());
                    Ok(())
                })?;
                Ok(SortedColumn::Flags(flags.finish()))
            }
            ColumnKind::Sketch(kind) => {
                let mut sketches = SketchBytes::default();
                self.for_each_batch(name, SKETCH_BATCH_ROWS, |array| {
                    array.as_binary_opt::<i32>().ok_or_else(wrong)?.iter().for_each(|sketch| sketches.push(sketch));
                    Ok(())
                })?;
                Ok(SortedColumn::Sketches(kind, sketches))
            }
        }
    }

    fn for_each_batch(
        &self,
        column: &str,
        batch_rows: usize,
        mut visit: impl FnMut(&ArrayRef) -> Result<()>,
    ) -> Result<()> {
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(self.bytes.clone(), self.metadata.clone());
        let mask = ProjectionMask::columns(builder.parquet_schema(), [column]);
        for batch in builder.with_projection(mask).with_batch_size(batch_rows).build()? {
            let batch = batch?;
            let Some(array) = batch.columns().first() else {
                return Err(general(format!("column `{column}` is missing")));
            };
            visit(array)?;
        }
        Ok(())
    }
}

fn general(message: String) -> ParquetError {
    ParquetError::General(message)
}

/// The file's columns, strings as dictionaries: their keys are what the file holds.
fn with_dictionaries(file: &SchemaRef) -> SchemaRef {
    let fields = file.fields().iter().map(|field| match field.data_type() {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
            let kind = DataType::Dictionary(DataType::Int32.into(), DataType::Utf8.into());
            field.as_ref().clone().with_data_type(kind)
        }
        _ => field.as_ref().clone(),
    });
    Arc::new(Schema::new(fields.collect::<Vec<Field>>()))
}

/// Collects values; the flags of validity only once there is a null.
#[derive(Default)]
struct ValuesBuilder<T> {
    values: Vec<T>,
    validity: Option<Vec<bool>>,
}

impl<T: Copy + Default> ValuesBuilder<T> {
    fn append(&mut self, batch: impl Iterator<Item = Option<T>>, rows: usize) {
        self.values.reserve(rows);
        for value in batch {
            if value.is_none() && self.validity.is_none() {
                self.validity = Some(vec![true; self.values.len()]);
            }
            if let Some(validity) = &mut self.validity {
                validity.push(value.is_some());
            }
            self.values.push(value.unwrap_or_default());
        }
    }

    fn finish(self) -> Values<T> {
        Values { values: self.values, validity: self.validity }
    }
}

/// Collects strings: looks at the text of each entry of each dictionary page once.
#[derive(Default)]
struct TextBuilder {
    dictionary: GrowingDictionary,
    /// The dictionary of the last batch and its entries' codes: batches of a row group share one.
    last: Option<(ArrayRef, Vec<u32>)>,
    codes: Vec<u32>,
}

impl TextBuilder {
    /// `None` where the values are not strings.
    fn append(&mut self, batch: &DictionaryArray<Int32Type>) -> Option<()> {
        let is_last = |known: &ArrayRef| known.to_data().ptr_eq(&batch.values().to_data());
        if !self.last.as_ref().is_some_and(|(known, _)| is_last(known)) {
            let values: &StringArray = batch.values().as_string_opt()?;
            let codes = values.iter().map(|text| text.map_or(0, |text| self.dictionary.intern(text))).collect();
            self.last = Some((batch.values().clone(), codes));
        }
        let (_, codes) = self.last.as_ref()?;
        let keys = batch.keys();
        match keys.nulls() {
            None => self.codes.extend(keys.values().iter().map(|&key| codes[key as usize])),
            Some(_) => self.codes.extend(keys.iter().map(|key| key.map_or(0, |key| codes[key as usize]))),
        }
        Some(())
    }

    fn finish(self) -> TextValues {
        let dictionary = self.dictionary.prefix();
        let ranks = dictionary.ranks();
        let codes = self.codes.into_iter().map(|code| ranks[code as usize]).collect();
        TextValues { distinct: Strings::in_order_of_ranks(&dictionary, &ranks), codes }
    }
}
