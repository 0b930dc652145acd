//! Encodes sorted rows as one standard Parquet file: real strings, real timestamps, provenance in the footer.

use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit, TimestampMillisecondType};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use serde::Serialize;

use super::SegmentId;
use crate::error::StoreError;
use crate::manifest::ConsumedRange;
use crate::open_segment::SortedRows;
use crate::schema::{DataSourceSchema, TIME_COLUMN};

/// The footer key that holds a segment's [`Provenance`] as JSON.
const PROVENANCE_KEY: &str = "henge.segment";
/// Rows handed to the encoder at once.
const BATCH_ROWS: usize = 16_384;
/// Rows of a row group: the unit that readers take one at a time.
const ROW_GROUP_ROWS: usize = 1 << 20;
/// Beyond this a column chunk falls back to plain pages. parquet-rs gives up at 1 MiB, which large dictionaries pass.
const DICTIONARY_PAGE_BYTES_MAX: usize = 64 << 20;

/// Where a segment's rows come from, for whoever reads the file without a manifest.
#[derive(Debug, Serialize)]
pub struct Provenance<'a> {
    pub id: &'a SegmentId,
    pub rows: u64,
    pub events: u64,
    pub schema: &'a DataSourceSchema,
    /// Everything that the same publish consumed, in this segment or in another time chunk's.
    pub consumed: &'a [ConsumedRange],
}

/// The file's bytes.
pub fn encode(rows: &SortedRows, provenance: &Provenance<'_>) -> Result<Vec<u8>, StoreError> {
    let build = |source| StoreError::Build { data_source: provenance.id.data_source.clone(), source };
    let schema = file_schema(&provenance.schema.arrow());
    let json = serde_json::to_string(provenance).expect("provenance is plain JSON");
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1).expect("zstd has a level 1")))
        .set_dictionary_page_size_limit(DICTIONARY_PAGE_BYTES_MAX)
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_created_by(concat!("henge ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_key_value_metadata(Some(vec![KeyValue::new(PROVENANCE_KEY.to_owned(), json)]))
        .build();
    // Without the Arrow schema the file is plain Parquet: other readers choose their own string type.
    let options = ArrowWriterOptions::new().with_properties(properties).with_skip_arrow_metadata(true);
    let mut writer = ArrowWriter::try_new_with_options(Vec::new(), schema.clone(), options).map_err(build)?;
    for batch in rows.batches(BATCH_ROWS) {
        writer.write(&in_utc(batch?, &schema)?).map_err(build)?;
    }
    writer.into_inner().map_err(build)
}

/// In files `__time` says that it is UTC; in memory every time is.
pub(super) fn file_schema(schema: &SchemaRef) -> SchemaRef {
    let fields = schema.fields().iter().map(|field| match field.name().as_str() {
        TIME_COLUMN => Field::new(TIME_COLUMN, DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into())), false),
        _ => field.as_ref().clone(),
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

fn in_utc(batch: RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, StoreError> {
    let (_, mut columns, _) = batch.into_parts();
    columns[0] = Arc::new(columns[0].as_primitive::<TimestampMillisecondType>().clone().with_timezone("UTC"));
    Ok(RecordBatch::try_new(schema.clone(), columns)?)
}
