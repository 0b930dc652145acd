//! A serving form held against the rows of its Parquet file, value by value (invariant S4).

use std::sync::Arc;

use arrow::array::{Array, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::SchemaRef;
use bytes::Bytes;
use henge_indexing::{BLOCK_ROWS, CodeSetCache, Column, RowSet, TextColumn};

use crate::schema::DataSourceSchema;
use crate::segment::{SegmentMeta, ServingError, ServingSegment};
use crate::segment_reader::{Batches, SegmentReader};

/// The rows of a serving form, read beside those of the Parquet file.
pub(super) struct ServingRows {
    schema: SchemaRef,
    batches: Batches,
    /// What was read of the serving form and not compared yet.
    ahead: RecordBatch,
    compared: usize,
}

/// Opens a serving file and checks every checksum. The error says why it is of no use.
pub(super) fn open(file: Bytes, meta: &SegmentMeta) -> Result<ServingSegment, String> {
    let opened = || -> Result<ServingSegment, ServingError> {
        let serving = ServingSegment::from_bytes(file, &Arc::new(CodeSetCache::new(0)))?;
        serving.verify()?;
        Ok(serving)
    };
    let serving = opened().map_err(|error| error.to_string())?;
    if !meta.is_source_of(&serving) {
        return Err("it was made from another Parquet file".to_owned());
    }
    Ok(serving)
}

/// Every index finds the rows of each code, no more and no fewer (invariant X2).
pub(super) fn check_indexes(serving: &ServingSegment) -> Result<(), String> {
    for layout in serving.layout() {
        let column = serving.column(&layout.name).map_err(|error| error.to_string())?;
        let Column::Text(TextColumn::Sorted { codes, index: Some(index), .. }) = column else { continue };
        let mut all = Vec::with_capacity(codes.len() as usize);
        let mut block_codes = [0; BLOCK_ROWS];
        for block in 0..codes.block_count() {
            let rows = codes.unpack(block, &mut block_codes);
            all.extend_from_slice(&block_codes[..rows]);
        }
        index.verify(&all).map_err(|error| format!("`{}`: {error}", layout.name))?;
    }
    Ok(())
}

impl ServingRows {
    /// `schema` is the one that the segment was written with.
    pub fn new(serving: ServingSegment, meta: &SegmentMeta, schema: &DataSourceSchema) -> Self {
        let rows = RowSet::all(serving.row_count());
        let reader = SegmentReader::Published(meta.id.clone(), Arc::new(serving));
        let schema = schema.arrow();
        let batches = reader.batches(schema.clone(), &rows);
        Self { ahead: RecordBatch::new_empty(schema.clone()), schema, batches, compared: 0 }
    }

    /// Compares the next rows of the Parquet file.
    pub fn compare(&mut self, parquet: &RecordBatch) -> Result<(), String> {
        let mut done = 0;
        while done < parquet.num_rows() {
            if self.ahead.num_rows() == 0 {
                let next = self.batches.next().ok_or("it has fewer rows than the Parquet file")?;
                self.ahead = next.map_err(|error| error.to_string())?;
            }
            let rows = self.ahead.num_rows().min(parquet.num_rows() - done);
            self.compare_rows(&parquet.slice(done, rows), &self.ahead.slice(0, rows))?;
            self.ahead = self.ahead.slice(rows, self.ahead.num_rows() - rows);
            (done, self.compared) = (done + rows, self.compared + rows);
        }
        Ok(())
    }

    /// Nothing may be left over.
    pub fn finish(mut self) -> Result<(), String> {
        match self.ahead.num_rows() == 0 && self.batches.next().is_none() {
            true => Ok(()),
            false => Err("it has more rows than the Parquet file".to_owned()),
        }
    }

    fn compare_rows(&self, parquet: &RecordBatch, serving: &RecordBatch) -> Result<(), String> {
        for (field, found) in self.schema.fields().iter().zip(serving.columns()) {
            let name = field.name();
            let expected =
                parquet.column_by_name(name).ok_or_else(|| format!("`{name}` is not in the Parquet file"))?;
            let expected = cast(expected, field.data_type()).map_err(|error| error.to_string())?;
            if expected.as_ref() == found.as_ref() {
                continue;
            }
            let differs = |row: &usize| expected.slice(*row, 1).as_ref() != found.slice(*row, 1).as_ref();
            let row = (0..found.len()).find(differs).unwrap_or_default();
            return Err(format!("`{name}` of row {} is not what the Parquet file says", self.compared + row));
        }
        Ok(())
    }
}
