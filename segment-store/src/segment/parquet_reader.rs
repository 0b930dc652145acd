//! Reads a published segment's Parquet file.

use std::fs::File;
use std::sync::{Arc, OnceLock};

use arrow::array::{ArrayRef, AsArray, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::datatypes::{SchemaRef, TimestampMillisecondType};
use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder};

use super::{SegmentId, SegmentMeta};
use crate::error::StoreError;
use crate::objects::Objects;
use crate::schema::{DataSourceSchema, TIME_COLUMN};

/// Rows of a batch that a scan yields.
const BATCH_ROWS: usize = 16_384;

/// Batches of a scan; reading and decoding happen in `next`.
pub type Batches = Box<dyn Iterator<Item = Result<RecordBatch, StoreError>> + Send>;

/// A segment that the manifest names. Its file is opened, and its digest checked, by the first query that needs it.
#[derive(Debug)]
pub struct PublishedSegment {
    pub meta: SegmentMeta,
    objects: Objects,
    opened: OnceLock<ArrowReaderMetadata>,
}

impl PublishedSegment {
    pub fn new(meta: SegmentMeta, objects: Objects) -> Self {
        Self { meta, objects, opened: OnceLock::new() }
    }

    /// Batches of the columns that `projected` names; a column that the file lacks is null. Blocking.
    ///
    /// `schema` is the datasource's; a column's kind never changes, so it tells how the file's columns are read.
    pub fn batches(&self, schema: &DataSourceSchema, projected: SchemaRef) -> Result<Batches, StoreError> {
        let id = self.meta.id.clone();
        match &self.objects {
            Objects::Local(root) => {
                let path = root.join(&self.meta.path);
                let file = File::open(&path).map_err(|source| self.file_error("open", source))?;
                let metadata = self.metadata(schema, || std::fs::read(&path).map(Bytes::from))?;
                let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata);
                Ok(Box::new(read(builder, projected, id)?))
            }
            Objects::Remote(_) => {
                let bytes = self.fetch()?;
                let metadata = self.metadata(schema, || Ok(bytes.clone()))?;
                let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(bytes, metadata);
                Ok(Box::new(read(builder, projected, id)?))
            }
        }
    }

    /// The footer, after length and digest of the whole file were found to be the manifest's.
    fn metadata(
        &self,
        schema: &DataSourceSchema,
        read_all: impl FnOnce() -> std::io::Result<Bytes>,
    ) -> Result<ArrowReaderMetadata, StoreError> {
        if let Some(opened) = self.opened.get() {
            return Ok(opened.clone());
        }
        let bytes = read_all().map_err(|source| self.file_error("read", source))?;
        self.meta.check(&bytes)?;
        let load = |options| ArrowReaderMetadata::load(&bytes, options);
        let corrupt = |source| StoreError::Parquet { id: self.meta.id.clone(), source };
        let plain = load(ArrowReaderOptions::new()).map_err(corrupt)?;
        let hinted = hinted_schema(plain.schema(), schema);
        let metadata = load(ArrowReaderOptions::new().with_schema(hinted)).map_err(corrupt)?;
        Ok(self.opened.get_or_init(|| metadata).clone())
    }

    fn fetch(&self) -> Result<Bytes, StoreError> {
        let (objects, path) = (self.objects.clone(), self.meta.path.clone());
        let bytes = tokio::runtime::Handle::current().block_on(async move { objects.get(&path).await })?;
        let bytes = bytes.ok_or_else(|| self.file_error("read", std::io::ErrorKind::NotFound.into()))?;
        self.meta.check(&bytes)?;
        Ok(bytes)
    }

    fn file_error(&self, action: &'static str, source: std::io::Error) -> StoreError {
        StoreError::File { action, path: self.meta.path.clone(), source }
    }
}

/// The file's columns with the Arrow types that the datasource reads them as.
fn hinted_schema(file: &SchemaRef, schema: &DataSourceSchema) -> SchemaRef {
    let wanted = schema.arrow();
    let fields = file.fields().iter().map(|field| match wanted.field_with_name(field.name()) {
        Ok(wanted) if field.name() != TIME_COLUMN => field.as_ref().clone().with_data_type(wanted.data_type().clone()),
        _ => field.as_ref().clone(),
    });
    Arc::new(arrow::datatypes::Schema::new(fields.collect::<Vec<_>>()))
}

fn read<T: parquet::file::reader::ChunkReader + 'static>(
    builder: ParquetRecordBatchReaderBuilder<T>,
    projected: SchemaRef,
    id: SegmentId,
) -> Result<impl Iterator<Item = Result<RecordBatch, StoreError>> + Send, StoreError> {
    let names = projected.fields().iter().map(|field| field.name().as_str());
    let mask = ProjectionMask::columns(builder.parquet_schema(), names);
    let corrupt = move |source| StoreError::Parquet { id: id.clone(), source };
    let reader = builder.with_projection(mask).with_batch_size(BATCH_ROWS).build().map_err(&corrupt)?;
    Ok(reader.map(move |batch| match batch {
        Ok(batch) => arrange(&batch, &projected),
        Err(error) => Err(corrupt(error.into())),
    }))
}

/// The columns in the order that was asked for; the ones that the file lacks are null.
fn arrange(batch: &RecordBatch, projected: &SchemaRef) -> Result<RecordBatch, StoreError> {
    let columns = projected.fields().iter().map(|field| -> ArrayRef {
        match batch.column_by_name(field.name()) {
            None => new_null_array(field.data_type(), batch.num_rows()),
            Some(column) if field.name() == TIME_COLUMN => {
                let times = column.as_primitive::<TimestampMillisecondType>().clone();
                Arc::new(times.with_timezone_opt(None::<Arc<str>>))
            }
            Some(column) => column.clone(),
        }
    });
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    Ok(RecordBatch::try_new_with_options(projected.clone(), columns.collect(), &options)?)
}
