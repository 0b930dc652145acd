//! Rows that still grow: columnar pages behind growing dictionaries, queryable from the moment they are appended.
//!
//! Rows are appended to one active page. A full page is sealed and packed, and never changes again, so a query takes the
//! sealed pages as they are and a copy of the active one: an immutable prefix of the segment. Rollup happens within the
//! active page only; a frozen segment is rolled up as a whole when it is sorted.

mod dependencies;
mod open_rows;
mod page;
mod rollup;
mod sealed_page;
mod sketch_column;
mod sort;

use std::sync::Arc;

use dependencies::Dependencies;
use henge_indexing::{BLOCK_ROWS, CodeSetCache, GrowingDictionary};
pub use open_rows::OpenRows;
use open_rows::Texts;
use page::Page;
use rollup::RollupIndex;
use sealed_page::SealedPage;
pub use sort::sort;

use crate::code_sets::CodeSets;
use crate::event::EventRow;
use crate::schema::{DataSourceSchema, DimensionType};
use crate::time::{Interval, TimestampMs};

/// Rows of a page. Larger pages roll up better, smaller ones are quicker to copy for a query: this many rows of 17
/// columns are about 2 MiB. Those of tests are small, so that few rows fill several.
pub(crate) const PAGE_ROWS: usize =
    if cfg!(any(test, feature = "test-support")) { 2 * BLOCK_ROWS } else { 16 * BLOCK_ROWS };

/// The rows of one time chunk that are not published yet.
#[derive(Debug)]
pub struct OpenSegment {
    schema: Arc<DataSourceSchema>,
    chunk: Interval,
    /// One for each dimension; those of other kinds than string stay empty.
    dictionaries: Vec<GrowingDictionary>,
    dependencies: Dependencies,
    code_sets: Arc<CodeSets>,
    sealed: Vec<Arc<SealedPage>>,
    /// Memory of the sealed pages.
    sealed_bytes: usize,
    active: Page,
    rollup: RollupIndex,
    events: u64,
    /// What the last query took, while nothing was appended since.
    prefix: Option<Arc<OpenRows>>,
    /// Dictionary codes of the events at hand, event by event; 0 is null.
    codes: Vec<u32>,
}

impl OpenSegment {
    /// No rows yet. What costly tests of its strings find is kept in `code_sets`.
    pub fn new(schema: Arc<DataSourceSchema>, chunk: Interval, code_sets: &Arc<CodeSetCache>) -> Self {
        let dictionaries: Vec<_> = schema.dimensions.iter().map(|_| GrowingDictionary::default()).collect();
        let code_sets = Arc::new(CodeSets::new(code_sets, dictionaries.len()));
        let dependencies = Dependencies::none(schema.dimensions.len());
        let active = Page::new(&schema);
        Self {
            schema,
            chunk,
            dictionaries,
            dependencies,
            code_sets,
            sealed: Vec::new(),
            sealed_bytes: 0,
            active,
            rollup: RollupIndex::default(),
            events: 0,
            prefix: None,
            codes: Vec::new(),
        }
    }

    /// Appends events, or merges each into an equal row of the active page. Their times lie in the chunk (S2).
    pub fn append(&mut self, events: &[EventRow]) {
        self.prefix = None;
        self.events += events.len() as u64;
        let dimensions = self.dictionaries.len();
        let mut codes = std::mem::take(&mut self.codes);
        codes.resize(events.len() * dimensions, 0);
        self.dependencies.codes_of(events, &mut self.dictionaries, &mut codes);
        for (number, event) in events.iter().enumerate() {
            self.append_row(event, &codes[number * dimensions..(number + 1) * dimensions]);
        }
        self.codes = codes;
    }

    fn append_row(&mut self, event: &EventRow, codes: &[u32]) {
        assert!(self.chunk.contains(event.time), "S2: an event's time lies in its time chunk");
        let time = self.schema.query_granularity.floor(event.time);
        // A rollup bucket that begins before its time chunk would leave the chunk.
        let time = time.max(self.chunk.start());
        if self.schema.rollup {
            let hash = self.rollup.hash(time, codes, event);
            let same = self.rollup.find(hash, |row| self.active.holds(row, time, codes, event));
            if same.is_some_and(|row| self.active.merge(row, event, &self.schema)) {
                return;
            }
            self.rollup.insert(hash, self.active.row_count() as u32);
        }
        self.active.push(time, codes, event, &self.schema);
        if self.active.row_count() == PAGE_ROWS {
            self.seal_active();
        }
    }

    /// Rows so far; fewer than the events where they were rolled up.
    pub fn row_count(&self) -> usize {
        self.sealed.iter().map(|page| page.row_count()).sum::<usize>() + self.active.row_count()
    }

    /// Memory that the rows take: what sealed pages do, and an estimate for those of the active one and what is shared.
    pub fn bytes(&self) -> usize {
        let cells = self.schema.dimensions.iter().map(|dimension| match dimension.kind {
            DimensionType::String => size_of::<u32>(),
            DimensionType::Boolean => 2,
            DimensionType::Long | DimensionType::Double => 9,
        });
        let row_bytes = 8 + cells.sum::<usize>() + 9 * self.schema.measures.len();
        let dictionaries = self.dictionaries.iter().map(GrowingDictionary::bytes).sum::<usize>();
        let active = self.active.row_count() * row_bytes + self.active.sketch_bytes();
        self.sealed_bytes + active + dictionaries + self.dependencies.bytes() + self.rollup.bytes()
    }

    /// The rows up to now; appending goes on without changing them.
    pub fn prefix(&mut self) -> Arc<OpenRows> {
        if let Some(prefix) = &self.prefix {
            return prefix.clone();
        }
        let mut pages = self.sealed.clone();
        if self.active.row_count() > 0 {
            pages.push(Arc::new(self.active.clone().seal()));
        }
        let texts = Texts {
            dictionaries: self.dictionaries.iter().map(GrowingDictionary::prefix).collect(),
            code_sets: self.code_sets.clone(),
        };
        let prefix = Arc::new(OpenRows::new(self.schema.clone(), self.chunk, texts, pages, self.events, self.bytes()));
        self.prefix = Some(prefix.clone());
        prefix
    }

    fn seal_active(&mut self) {
        let page = std::mem::replace(&mut self.active, Page::new(&self.schema));
        if self.sealed.is_empty() {
            self.dependencies.learn(&page.codes());
        } else {
            self.dependencies.forget_wrong(page.row_count());
        }
        let page = page.seal().packed();
        self.sealed_bytes += page.bytes();
        self.sealed.push(Arc::new(page));
        self.rollup.clear();
    }
}

/// The earliest and the latest of some times, both inclusive.
pub(crate) fn time_bounds(times: impl Iterator<Item = i64>) -> Option<(TimestampMs, TimestampMs)> {
    times.fold(None, |bounds, time| {
        let (earliest, latest) = bounds.unwrap_or((TimestampMs(time), TimestampMs(time)));
        Some((earliest.min(TimestampMs(time)), latest.max(TimestampMs(time))))
    })
}

#[cfg(test)]
mod tests;
