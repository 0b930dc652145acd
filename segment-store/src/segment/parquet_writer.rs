//! Encodes sorted rows as one standard Parquet file: real strings, real timestamps, provenance in the footer.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, DictionaryArray, PrimitiveArray, RecordBatch, StringArray, TimestampMillisecondArray,
};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Field, Float64Type, Int64Type, Schema, SchemaRef, TimeUnit, UInt32Type,
};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};

use super::provenance::{PROVENANCE_KEY, Provenance};
use super::sorted_rows::{SortedColumn, SortedRows, TextValues, Values};
use crate::error::StoreError;
use crate::schema::TIME_COLUMN;

/// Rows handed to the encoder at once.
const BATCH_ROWS: usize = 16_384;
/// Rows of a row group: the unit that readers take one at a time.
const ROW_GROUP_ROWS: usize = 1 << 20;
/// Beyond this a column chunk falls back to plain pages. parquet-rs gives up at 1 MiB, which large dictionaries pass.
const DICTIONARY_PAGE_BYTES_MAX: usize = 64 << 20;

/// The file's bytes.
pub fn encode_parquet(rows: &SortedRows, provenance: &Provenance) -> Result<Vec<u8>, StoreError> {
    let build = |source| StoreError::Build { data_source: provenance.id.data_source.clone(), source };
    let json = serde_json::to_string(provenance).expect("provenance is plain JSON");
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1).expect("zstd has a level 1")))
        .set_dictionary_page_size_limit(DICTIONARY_PAGE_BYTES_MAX)
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_created_by(concat!("henge ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_key_value_metadata(Some(vec![KeyValue::new(PROVENANCE_KEY.to_owned(), json)]))
        .build();
    let columns = FileColumns::new(rows);
    // Without the Arrow schema the file is plain Parquet: other readers choose their own string type.
    let options = ArrowWriterOptions::new().with_properties(properties).with_skip_arrow_metadata(true);
    let mut writer = ArrowWriter::try_new_with_options(Vec::new(), columns.schema.clone(), options).map_err(build)?;
    for start in (0..rows.row_count()).step_by(BATCH_ROWS) {
        let end = rows.row_count().min(start + BATCH_ROWS);
        writer.write(&columns.batch(start..end)?).map_err(build)?;
    }
    writer.into_inner().map_err(build)
}

/// The rows as Arrow columns of the types that the file shows.
struct FileColumns<'a> {
    rows: &'a SortedRows,
    schema: SchemaRef,
    /// One for each column behind `__time`; only a column of strings has one.
    dictionaries: Vec<Option<ArrayRef>>,
}

impl<'a> FileColumns<'a> {
    fn new(rows: &'a SortedRows) -> Self {
        let time = Field::new(TIME_COLUMN, DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into())), false);
        let columns = rows.columns().map(|(name, column)| {
            let kind = match column {
                SortedColumn::Text(_) => DataType::Dictionary(DataType::UInt32.into(), DataType::Utf8.into()),
                SortedColumn::Longs(_) => DataType::Int64,
                SortedColumn::Doubles(_) => DataType::Float64,
                SortedColumn::Flags(_) => DataType::Boolean,
            };
            Field::new(name, kind, true)
        });
        let schema = Arc::new(Schema::new(std::iter::once(time).chain(columns).collect::<Vec<_>>()));
        let dictionaries = rows.columns().map(|(_, column)| match column {
            SortedColumn::Text(text) => Some(strings(text)),
            _ => None,
        });
        Self { rows, schema, dictionaries: dictionaries.collect() }
    }

    fn batch(&self, range: Range<usize>) -> Result<RecordBatch, StoreError> {
        let times = TimestampMillisecondArray::from(self.rows.times[range.clone()].to_vec()).with_timezone("UTC");
        let mut arrays: Vec<ArrayRef> = vec![Arc::new(times)];
        for ((_, column), dictionary) in self.rows.columns().zip(&self.dictionaries) {
            arrays.push(match (column, dictionary) {
                (SortedColumn::Text(text), Some(dictionary)) => {
                    let keys = text.codes[range.clone()].iter().map(|code| code.checked_sub(1)).collect();
                    Arc::new(DictionaryArray::<UInt32Type>::try_new(keys, dictionary.clone())?)
                }
                (SortedColumn::Longs(longs), _) => Arc::new(primitives::<Int64Type>(longs, range.clone())),
                (SortedColumn::Doubles(doubles), _) => Arc::new(primitives::<Float64Type>(doubles, range.clone())),
                (SortedColumn::Flags(flags), _) => {
                    let values = BooleanBuffer::from(&flags.values[range.clone()]);
                    Arc::new(BooleanArray::new(values, nulls(flags, range.clone())))
                }
                (SortedColumn::Text(_), None) => unreachable!("strings have a dictionary"),
            });
        }
        Ok(RecordBatch::try_new(self.schema.clone(), arrays)?)
    }
}

fn strings(values: &TextValues) -> ArrayRef {
    let text = |bytes| std::str::from_utf8(bytes).expect("only strings are interned");
    Arc::new(StringArray::from_iter_values(values.distinct.iter().map(text)))
}

fn primitives<T: ArrowPrimitiveType>(column: &Values<T::Native>, range: Range<usize>) -> PrimitiveArray<T>
where
    T::Native: Copy + Default,
{
    PrimitiveArray::new(column.values[range.clone()].to_vec().into(), nulls(column, range))
}

fn nulls<T>(column: &Values<T>, range: Range<usize>) -> Option<NullBuffer> {
    column.validity.as_ref().map(|validity| NullBuffer::from(&validity[range]))
}
