//! Encodes sorted rows as one standard Parquet file: real strings, real timestamps, sketches as the bytes that Apache
//! DataSketches reads, provenance in the footer.
//!
//! The columns are written without parquet-rs's own column writers: those would hash every row's string again, although
//! sorted rows already are a sorted dictionary and codes. What is left to parquet-rs are page headers and the footer.

mod chunk;
mod number_column;
mod number_dictionary;
mod packing;
mod sketch_column;
mod text_column;
mod way;

use std::ops::Range;
use std::sync::Arc;

use parquet::basic::{LogicalType, Repetition, TimeUnit, Type as PhysicalType};
use parquet::errors::Result;
use parquet::file::metadata::{KeyValue, SortingColumn};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{ColumnDescPtr, Type, TypePtr};

use self::chunk::{Chunk, PageCompressor};
use self::number_column::{encode_doubles, encode_flags, encode_longs, present};
use self::sketch_column::encode_sketches;
use self::text_column::encode_text;
use super::provenance::{PROVENANCE_KEY, Provenance};
use super::sorted_rows::{SortedColumn, SortedRows};
use crate::error::StoreError;
use crate::schema::{DataSourceSchema, SortKey, TIME_COLUMN};

/// Rows of a row group: the unit that readers take one at a time, with dictionaries of its own.
const ROW_GROUP_ROWS: usize = 1 << 20;

/// The file's bytes; the same for the same rows.
pub fn encode_parquet(rows: &SortedRows, provenance: &Provenance) -> std::result::Result<Vec<u8>, StoreError> {
    let json = serde_json::to_string(provenance).expect("provenance is plain JSON");
    let properties = WriterProperties::builder()
        .set_created_by(concat!("henge ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_key_value_metadata(Some(vec![KeyValue::new(PROVENANCE_KEY.to_owned(), json)]))
        .set_sorting_columns(Some(sorting_columns(&rows.schema)))
        .set_offset_index_disabled(true)
        .build();
    encode(rows, properties, ROW_GROUP_ROWS)
        .map_err(|source| StoreError::Build { data_source: provenance.id.data_source.clone(), source })
}

fn encode(rows: &SortedRows, properties: WriterProperties, row_group_rows: usize) -> Result<Vec<u8>> {
    let mut writer = SerializedFileWriter::new(Vec::new(), file_schema(rows)?, Arc::new(properties))?;
    let columns = writer.schema_descr().columns().to_vec();
    let (time_column, value_columns) = columns.split_first().expect("the first column is the time");
    let mut compressor = PageCompressor::new();
    for start in (0..rows.row_count()).step_by(row_group_rows) {
        let range = start..rows.row_count().min(start + row_group_rows);
        let mut group = writer.next_row_group()?;
        let times = encode_longs(&rows.times[range.clone()], None, time_column.clone(), &mut compressor)?;
        group.append_column(&times.bytes, times.close)?;
        for ((_, values), column) in rows.columns().zip(value_columns) {
            let chunk = encode_column(values, range.clone(), column.clone(), &mut compressor)?;
            group.append_column(&chunk.bytes, chunk.close)?;
        }
        group.close()?;
    }
    writer.into_inner()
}

fn encode_column(
    values: &SortedColumn,
    rows: Range<usize>,
    column: ColumnDescPtr,
    compressor: &mut PageCompressor,
) -> Result<Chunk> {
    match values {
        SortedColumn::Text(text) => encode_text(text, rows, column, compressor),
        SortedColumn::Longs(longs) => {
            let (longs, validity) = present(longs, rows);
            encode_longs(&longs, validity, column, compressor)
        }
        SortedColumn::Doubles(doubles) => {
            let (doubles, validity) = present(doubles, rows);
            encode_doubles(&doubles, validity, column, compressor)
        }
        SortedColumn::Flags(flags) => {
            let (flags, validity) = present(flags, rows);
            encode_flags(&flags, validity, column, compressor)
        }
        SortedColumn::Sketches(_, sketches) => encode_sketches(sketches, rows, column, compressor),
    }
}

/// All columns but the time may be null.
fn file_schema(rows: &SortedRows) -> Result<TypePtr> {
    let time = Type::primitive_type_builder(TIME_COLUMN, PhysicalType::INT64)
        .with_logical_type(Some(LogicalType::timestamp(true, TimeUnit::MILLIS)))
        .with_repetition(Repetition::REQUIRED)
        .build()?;
    let columns = rows.columns().map(|(name, column)| {
        let (kind, meaning) = match column {
            SortedColumn::Text(_) => (PhysicalType::BYTE_ARRAY, Some(LogicalType::String)),
            SortedColumn::Longs(_) => (PhysicalType::INT64, None),
            SortedColumn::Doubles(_) => (PhysicalType::DOUBLE, None),
            SortedColumn::Flags(_) => (PhysicalType::BOOLEAN, None),
            SortedColumn::Sketches(..) => (PhysicalType::BYTE_ARRAY, None),
        };
        let builder = Type::primitive_type_builder(name, kind).with_logical_type(meaning);
        Ok(Arc::new(builder.with_repetition(Repetition::OPTIONAL).build()?))
    });
    let columns = std::iter::once(Ok(Arc::new(time))).chain(columns).collect::<Result<_>>()?;
    Ok(Arc::new(Type::group_type_builder("segment").with_fields(columns).build()?))
}

/// The order of the rows (invariant S2), for readers that can make use of it.
fn sorting_columns(schema: &DataSourceSchema) -> Vec<SortingColumn> {
    let place_of = |key| match key {
        SortKey::Time => 0,
        SortKey::Dimension(dimension) => dimension + 1,
    };
    let sorting = |place| SortingColumn { column_idx: place as i32, descending: false, nulls_first: true };
    schema.sort_keys().into_iter().map(place_of).map(sorting).collect()
}

#[cfg(test)]
mod tests;
