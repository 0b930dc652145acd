//! An immutable prefix of an open segment, or a whole frozen one.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, PrimitiveArray, RecordBatch, RecordBatchOptions, StringViewArray,
    TimestampMillisecondArray, new_null_array,
};
use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer, ScalarBuffer};
use arrow::compute::take;
use arrow::datatypes::{DataType, Float64Type, SchemaRef};
use henge_indexing::{
    BLOCK_ROWS, Bits, Column, DictionaryPrefix, DoubleColumn, FlagColumn, FlagPage, LongColumn, Page, RowSet,
    TextColumn,
};

use super::PAGE_ROWS;
use super::sealed_page::{PageRows, SealedColumn, SealedPage};
use crate::code_sets::CodeSets;
use crate::error::StoreError;
use crate::promotion::promoted;
use crate::schema::{ColumnKind, DataSourceSchema, DimensionType, TIME_COLUMN};
use crate::sketch::Sketch;
use crate::sketch_values::SketchValues;
use crate::time::{Interval, TimestampMs};

/// Rows of one time chunk as they were at one moment; appending goes on elsewhere.
#[derive(Debug)]
pub struct OpenRows {
    pub(super) schema: Arc<DataSourceSchema>,
    chunk: Interval,
    pub(super) dictionaries: Vec<DictionaryPrefix>,
    code_sets: Arc<CodeSets>,
    pub(super) pages: Vec<Arc<SealedPage>>,
    page_bounds: Vec<(TimestampMs, TimestampMs)>,
    events: u64,
    bytes: usize,
}

/// The strings of each dimension, and what tests of them found.
pub(super) struct Texts {
    pub dictionaries: Vec<DictionaryPrefix>,
    pub code_sets: Arc<CodeSets>,
}

impl OpenRows {
    pub(super) fn new(
        schema: Arc<DataSourceSchema>,
        chunk: Interval,
        texts: Texts,
        pages: Vec<Arc<SealedPage>>,
        events: u64,
        bytes: usize,
    ) -> Self {
        let page_bounds = pages.iter().map(|page| page.time_bounds().expect("a page has rows")).collect();
        let Texts { dictionaries, code_sets } = texts;
        Self { schema, chunk, dictionaries, code_sets, pages, page_bounds, events, bytes }
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

    /// Memory that the rows take, estimated as while they grew.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The earliest and the latest time, both inclusive; `None` without rows.
    pub fn time_bounds(&self) -> Option<(TimestampMs, TimestampMs)> {
        let earliest = self.page_bounds.iter().map(|bounds| bounds.0).min()?;
        let latest = self.page_bounds.iter().map(|bounds| bounds.1).max()?;
        Some((earliest, latest))
    }

    /// A batch for each page with selected rows, or for each block where sketches are asked for, of the columns that
    /// `projected` names; a column that these rows lack is null.
    pub fn batches(
        self: &Arc<Self>,
        projected: SchemaRef,
        selected: &RowSet,
    ) -> impl Iterator<Item = Result<RecordBatch, StoreError>> + Send + use<> {
        let rows = self.clone();
        let has_sketches = projected.fields().iter().any(|field| field.data_type() == &DataType::Binary);
        let batch_rows = if has_sketches { BLOCK_ROWS } else { PAGE_ROWS };
        selected_by_page(selected, batch_rows)
            .into_iter()
            .map(move |(page, selected)| rows.page_batch(page, &selected, &projected))
    }

    /// A column as predicates see it, which see none of sketches.
    pub fn column(&self, name: &str) -> Column<'_> {
        if name == TIME_COLUMN {
            return Column::Longs(LongColumn::Pages(self.pages.iter().map(|page| page.times.page()).collect()));
        }
        let Some(index) = self.column_index(name) else { return Column::Missing };
        let pages = || self.pages.iter().map(|page| &page.columns[index]);
        match self.schema.column_kind(index) {
            ColumnKind::Value(DimensionType::String) => {
                let pages = pages().map(|page| page.codes().page()).collect();
                let cache = Some(self.code_sets.of_column(index));
                Column::Text(TextColumn::Growing { dictionary: &self.dictionaries[index], pages, cache })
            }
            ColumnKind::Value(DimensionType::Long) => {
                Column::Longs(LongColumn::Pages(pages().map(|page| page.longs().page()).collect()))
            }
            ColumnKind::Value(DimensionType::Double) => {
                let pages = pages().map(|page| double_page(page.values()));
                Column::Doubles(DoubleColumn::Pages(pages.collect()))
            }
            ColumnKind::Value(DimensionType::Boolean) => {
                Column::Flags(FlagColumn::Pages(pages().map(|page| flag_page(page.values())).collect()))
            }
            ColumnKind::Sketch(_) => Column::Missing,
        }
    }

    /// A column of sketches; missing where there is none of that name.
    pub fn sketches(&self, name: &str) -> SketchValues<'_> {
        let index = self.column_index(name);
        match index.map(|index| (index, self.schema.column_kind(index))) {
            Some((index, ColumnKind::Sketch(_))) => {
                SketchValues::Pages(self.pages.iter().map(|page| page.columns[index].sketches()).collect())
            }
            _ => SketchValues::Missing,
        }
    }

    fn page_batch(&self, page: usize, selected: &PageRows, projected: &SchemaRef) -> Result<RecordBatch, StoreError> {
        let page = &self.pages[page];
        let count = selected.as_ref().map_or(page.row_count(), PrimitiveArray::len);
        let columns = projected.fields().iter().map(|field| -> Result<ArrayRef, StoreError> {
            if field.name() == TIME_COLUMN {
                let (_, times, _) = page.times.of(selected).into_parts();
                return Ok(Arc::new(TimestampMillisecondArray::new(times, None)) as ArrayRef);
            }
            let column = match self.column_index(field.name()) {
                None => new_null_array(field.data_type(), count),
                Some(index) => match &page.columns[index] {
                    SealedColumn::Values(values) => chosen(values, selected)?,
                    SealedColumn::Sketches(sketches) => written(&sketches.rows, selected),
                    SealedColumn::Longs(longs) => Arc::new(longs.of(selected)),
                    SealedColumn::Codes(codes) => {
                        Arc::new(strings(&self.dictionaries[index], codes.of(selected).iter().copied()))
                    }
                },
            };
            Ok(promoted(column, field.data_type())?)
        });
        let columns = columns.collect::<Result<_, _>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(count));
        Ok(RecordBatch::try_new_with_options(projected.clone(), columns, &options)?)
    }

    /// A dimension or measure's place among a page's columns.
    fn column_index(&self, name: &str) -> Option<usize> {
        let dimensions = self.schema.dimensions.iter().map(|dimension| &dimension.name);
        dimensions.chain(self.schema.measures.iter().map(|measure| &measure.name)).position(|column| column == name)
    }

    /// All times, page after page.
    pub(super) fn times(&self) -> Vec<i64> {
        let mut times = Vec::with_capacity(self.row_count());
        self.pages.iter().for_each(|page| times.extend_from_slice(page.times.of(&None).values()));
        times
    }
}

/// Of a dictionary's text, so much may be held beside what is in use.
const UNUSED_TEXT_MAX: usize = 64 << 10;

/// The strings of some rows, by their codes; the text itself is shared with the dictionary, unless most of that is of
/// other rows. Whoever keeps the strings accounts for all text behind them: a sort that keeps many such batches would
/// count the dictionary again and again, and go to disk, or fail, for a few rows.
pub(super) fn strings(
    dictionary: &DictionaryPrefix,
    codes: impl ExactSizeIterator<Item = u32> + Clone,
) -> StringViewArray {
    let has_null = codes.clone().any(|code| code == 0);
    let nulls = has_null.then(|| codes.clone().map(|code| code != 0).collect::<NullBuffer>());
    let views: Vec<u128> = codes.map(|code| u128::from_le_bytes(dictionary.view(code))).collect();
    let blocks: Vec<Buffer> = dictionary.blocks().iter().cloned().map(Buffer::from).collect();
    let text_bytes: usize = blocks.iter().map(Buffer::len).sum();
    let strings = StringViewArray::try_new(ScalarBuffer::from(views), blocks, nulls)
        .expect("the dictionary's views are of strings that lie in its blocks");
    match text_bytes > UNUSED_TEXT_MAX + 2 * strings.total_buffer_bytes_used() {
        true => strings.gc(),
        false => strings,
    }
}

fn chosen(column: &dyn Array, selected: &PageRows) -> Result<ArrayRef, StoreError> {
    match selected {
        None => Ok(column.slice(0, column.len())),
        Some(rows) => Ok(take(column, rows, None)?),
    }
}

/// The bytes of sketches.
fn written(sketches: &[Option<Arc<Sketch>>], selected: &PageRows) -> ArrayRef {
    let bytes = |sketch: &Option<Arc<Sketch>>| sketch.as_ref().map(|sketch| sketch.to_bytes());
    Arc::new(match selected {
        None => sketches.iter().map(bytes).collect::<BinaryArray>(),
        Some(rows) => rows.values().iter().map(|&row| bytes(&sketches[row as usize])).collect(),
    })
}

/// The pages with selected rows, and which of their rows are: so many of them at a time.
fn selected_by_page(selected: &RowSet, batch_rows: usize) -> Vec<(usize, PageRows)> {
    const BLOCKS: usize = PAGE_ROWS / BLOCK_ROWS;
    let rows_in = |page: usize| (selected.row_count() as usize - page * PAGE_ROWS).min(PAGE_ROWS);
    let mut pages: Vec<(usize, Vec<u32>)> = Vec::new();
    for (block, rows) in selected.blocks() {
        let (page, first) = (block / BLOCKS, (block % BLOCKS * BLOCK_ROWS) as u32);
        if pages.last().is_none_or(|(last, _)| *last != page) {
            pages.push((page, Vec::new()));
        }
        let (_, chosen) = pages.last_mut().expect("pushed above");
        let rows_of_block = (rows_in(page) - first as usize).min(BLOCK_ROWS);
        rows.for_each(rows_of_block, |row| chosen.push(first + row as u32));
    }
    let selections = |(page, rows): (usize, Vec<u32>)| match rows.len() == rows_in(page) && rows.len() <= batch_rows {
        true => vec![(page, None)],
        false => rows.chunks(batch_rows).map(|rows| (page, Some(rows.to_vec().into()))).collect(),
    };
    pages.into_iter().flat_map(selections).collect()
}

fn double_page(array: &ArrayRef) -> Page<'_, f64> {
    let numbers = array.as_primitive::<Float64Type>();
    Page { values: numbers.values(), validity: numbers.nulls().map(|nulls| bits(nulls.inner())) }
}

fn flag_page(array: &ArrayRef) -> FlagPage<'_> {
    let flags = array.as_boolean();
    let validity = flags.nulls().map(|nulls| bits(nulls.inner()));
    FlagPage { rows: flags.len(), values: bits(flags.values()), validity }
}

fn bits(buffer: &BooleanBuffer) -> Bits<'_> {
    assert_eq!(buffer.offset(), 0, "a page's columns are whole arrays");
    Bits(buffer.values())
}
