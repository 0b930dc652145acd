//! An immutable prefix of an open segment, or a whole frozen one.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, RecordBatch, RecordBatchOptions, StringViewArray, TimestampMillisecondArray, new_null_array,
};
use arrow::buffer::{Buffer, NullBuffer, ScalarBuffer};
use arrow::datatypes::SchemaRef;
use henge_indexing::DictionaryPrefix;

use super::page::{SealedColumn, SealedPage};
use super::time_bounds;
use crate::error::StoreError;
use crate::schema::{DataSourceSchema, TIME_COLUMN};
use crate::time::{Interval, TimestampMs};

/// Rows of one time chunk as they were at one moment; appending goes on elsewhere.
#[derive(Debug)]
pub struct OpenRows {
    pub(super) schema: Arc<DataSourceSchema>,
    chunk: Interval,
    pub(super) dictionaries: Vec<DictionaryPrefix>,
    pub(super) pages: Vec<Arc<SealedPage>>,
    page_bounds: Vec<(TimestampMs, TimestampMs)>,
    events: u64,
}

impl OpenRows {
    pub(super) fn new(
        schema: Arc<DataSourceSchema>,
        chunk: Interval,
        dictionaries: Vec<DictionaryPrefix>,
        pages: Vec<Arc<SealedPage>>,
        events: u64,
    ) -> Self {
        let bounds = |page: &Arc<SealedPage>| time_bounds(page.times.values().iter().copied());
        let page_bounds = pages.iter().map(|page| bounds(page).expect("a page has rows")).collect();
        Self { schema, chunk, dictionaries, pages, page_bounds, events }
    }

    pub fn schema(&self) -> &DataSourceSchema {
        &self.schema
    }

    pub fn chunk(&self) -> Interval {
        self.chunk
    }

    pub fn row_count(&self) -> usize {
        self.pages.iter().map(|page| page.row_count()).sum()
    }

    /// Accepted events that the rows stand for.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// The earliest and the latest time, both inclusive; `None` without rows.
    pub fn time_bounds(&self) -> Option<(TimestampMs, TimestampMs)> {
        let earliest = self.page_bounds.iter().map(|bounds| bounds.0).min()?;
        let latest = self.page_bounds.iter().map(|bounds| bounds.1).max()?;
        Some((earliest, latest))
    }

    /// One batch a page, of the columns that `projected` names; a column that these rows lack is null. Pages outside of
    /// `interval` are left out.
    pub fn batches(
        self: &Arc<Self>,
        projected: SchemaRef,
        interval: Interval,
    ) -> impl Iterator<Item = Result<RecordBatch, StoreError>> + Send + use<> {
        let overlaps =
            |&(earliest, latest): &(TimestampMs, TimestampMs)| earliest < interval.end() && interval.start() <= latest;
        let pages: Vec<usize> = (0..self.pages.len()).filter(|&page| overlaps(&self.page_bounds[page])).collect();
        let rows = self.clone();
        pages.into_iter().map(move |page| rows.page_batch(page, &projected))
    }

    fn page_batch(&self, page: usize, projected: &SchemaRef) -> Result<RecordBatch, StoreError> {
        let page = &self.pages[page];
        let columns = projected.fields().iter().map(|field| -> ArrayRef {
            if field.name() == TIME_COLUMN {
                return Arc::new(page.times.clone());
            }
            match self.column_index(field.name()) {
                None => new_null_array(field.data_type(), page.row_count()),
                Some(index) => match &page.columns[index] {
                    SealedColumn::Values(values) => values.clone(),
                    SealedColumn::Codes(codes) => Arc::new(strings(&self.dictionaries[index], codes.iter().copied())),
                },
            }
        });
        let options = RecordBatchOptions::new().with_row_count(Some(page.row_count()));
        Ok(RecordBatch::try_new_with_options(projected.clone(), columns.collect(), &options)?)
    }

    /// A dimension or measure's place among a page's columns.
    fn column_index(&self, name: &str) -> Option<usize> {
        let dimensions = self.schema.dimensions.iter().map(|dimension| &dimension.name);
        dimensions.chain(self.schema.measures.iter().map(|measure| &measure.name)).position(|column| column == name)
    }

    /// All times, page after page.
    pub(super) fn times(&self) -> impl Iterator<Item = i64> {
        self.pages.iter().flat_map(|page: &Arc<SealedPage>| times_of(&page.times))
    }
}

/// The strings of some rows, by their codes; the text itself is shared with the dictionary.
pub(super) fn strings(
    dictionary: &DictionaryPrefix,
    codes: impl ExactSizeIterator<Item = u32> + Clone,
) -> StringViewArray {
    let has_null = codes.clone().any(|code| code == 0);
    let nulls = has_null.then(|| codes.clone().map(|code| code != 0).collect::<NullBuffer>());
    let views: Vec<u128> = codes.map(|code| u128::from_le_bytes(dictionary.view(code))).collect();
    let blocks: Vec<Buffer> = dictionary.blocks().iter().cloned().map(Buffer::from).collect();
    StringViewArray::try_new(ScalarBuffer::from(views), blocks, nulls)
        .expect("the dictionary's views are of strings that lie in its blocks")
}

fn times_of(times: &TimestampMillisecondArray) -> impl Iterator<Item = i64> {
    debug_assert_eq!(times.null_count(), 0);
    times.values().iter().copied()
}
