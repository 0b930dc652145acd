//! Serving files of any bytes: as they are, with a footer that is whole, and with sections that are whole too.

use std::sync::{Arc, LazyLock};

use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use bytes::Bytes;
use henge_indexing::{BLOCK_ROWS, CodeSetCache, Column, Predicate, RowSet, evaluate};

use super::Reach;
use crate::schema::{DataSourceName, TIME_COLUMN};
use crate::segment::{SegmentId, ServingBatches, ServingSegment, footer_repaired, sections_repaired};
use crate::time::{Interval, TimestampMs};

mod predicates;

use predicates::{NEXT, PREDICATES};

/// A few bytes can claim 2^31 rows; of more than two batches of them, only columns are opened.
const ROWS_READ_MAX: u32 = 1 << 14;
/// Columns that are asked for rows.
const COLUMNS_READ_MAX: usize = 8;
/// A name that no column has, we hope.
const UNKNOWN: &str = "a name that no column has, we hope";

/// Reads a file as it is.
pub fn serving_file(bytes: &[u8], reach: Reach) -> bool {
    read(Bytes::copy_from_slice(bytes), reach)
}

/// Reads a file whose end is made to be what the footer before it asks for.
pub fn serving_footer(bytes: &[u8], reach: Reach) -> bool {
    read(footer_repaired(bytes).into(), reach)
}

/// Reads a file in which the checksum of each section is made right too.
pub fn serving_sections(bytes: &[u8], reach: Reach) -> bool {
    read(sections_repaired(bytes).into(), reach)
}

/// Reads what is to be read. Returns whether there is a footer, and all columns are sound where they were asked for.
fn read(file: Bytes, reach: Reach) -> bool {
    // Where one task is done, nothing is asked twice.
    static NO_CODE_SETS: LazyLock<Arc<CodeSetCache>> = LazyLock::new(|| Arc::new(CodeSetCache::new(0)));
    let code_sets = match reach {
        Reach::All => Arc::new(CodeSetCache::new(1 << 16)),
        Reach::Part => NO_CODE_SETS.clone(),
    };
    let Ok(segment) = ServingSegment::from_bytes(file.clone(), &code_sets) else { return false };
    if segment.row_count() > ROWS_READ_MAX {
        return segment.times().is_ok() & segment.layout().iter().all(|layout| segment.column(&layout.name).is_ok());
    }
    let opened = Opened { columns: columns(&segment), segment: Arc::new(segment) };
    let tasks = reach.parts(&file, opened.columns.len() * TASKS);
    tasks.fold(true, |is_sound, task| is_sound & opened.read(task / TASKS, task % TASKS))
}

/// Tasks of a column: to check the file, to read its sketches, to read every selection in the stored kind and as texts, and to evaluate every
/// predicate with indexes and without.
const TASKS: usize = 2 + 2 * SELECTIONS.len() + 2 * predicates::COUNT;

/// Selections of rows: all, a range across blocks, and single ones.
const SELECTIONS: [fn(u32) -> RowSet; 3] = [
    RowSet::all,
    |rows| RowSet::from_range(rows, rows / 3..rows - rows / 4),
    |rows| RowSet::from_sorted_rows(rows, (0..rows).filter(|row| row % 5 < 2).collect()),
];

/// The first columns by name, the times before them, with the kinds in which they are stored.
fn columns(segment: &ServingSegment) -> Vec<(String, DataType)> {
    let times = (TIME_COLUMN.to_owned(), DataType::Timestamp(TimeUnit::Millisecond, None));
    let columns = segment.layout().iter().filter(|layout| layout.name != TIME_COLUMN);
    let columns = columns
        .take(COLUMNS_READ_MAX)
        .map(|layout| (layout.name.clone(), layout.kind.field(&layout.name).data_type().clone()));
    std::iter::once(times).chain(columns).collect()
}

/// A file that has a footer, and the columns that are read.
struct Opened {
    segment: Arc<ServingSegment>,
    columns: Vec<(String, DataType)>,
}

impl Opened {
    /// Does a task of a column. Returns false where the file is found to be damaged.
    fn read(&self, column: usize, task: usize) -> bool {
        let Some(task) = task.checked_sub(1) else {
            assert!(matches!(self.segment.column(UNKNOWN), Ok(Column::Missing)));
            return self.segment.verify().is_ok();
        };
        let Some(task) = task.checked_sub(1) else {
            self.read_sketches(column);
            return true;
        };
        match task.checked_sub(2 * SELECTIONS.len()) {
            None => self.read_rows(column, SELECTIONS[task / 2], task % 2 == 0),
            Some(task) => self.evaluate(column, &PREDICATES[task / 2], task % 2 == 0),
        }
        true
    }

    /// Reads the sketches in the first rows of each block, whether those are null or not.
    fn read_sketches(&self, column: usize) {
        const ROWS_OF_BLOCK: usize = 16;
        let Ok(sketches) = self.segment.sketches(&self.columns[column].0) else { return };
        let blocks = (self.segment.row_count() as usize).div_ceil(BLOCK_ROWS);
        for (block, row) in (0..blocks).flat_map(|block| (0..ROWS_OF_BLOCK).map(move |row| (block, row))) {
            let _ = sketches.get(block, row);
        }
    }

    /// Reads selected rows of a column, as it is stored or as texts, beside one that is not there.
    fn read_rows(&self, column: usize, select: fn(u32) -> RowSet, as_stored: bool) {
        let (name, stored) = &self.columns[column];
        let rows = select(self.segment.row_count());
        let wanted = if as_stored { stored.clone() } else { DataType::Utf8View };
        let fields = vec![Field::new(name, wanted, true), Field::new(UNKNOWN, DataType::Utf8View, true)];
        let projected = Arc::new(Schema::new(fields));
        let batches: Result<Vec<_>, _> = ServingBatches::new(self.segment.clone(), id(), projected, &rows).collect();
        let read = batches.map(|batches| batches.iter().map(|batch| batch.num_rows() as u64).sum());
        assert_eq!(read.unwrap_or(rows.len()), rows.len());
    }

    /// Finds the rows of a column that pass a predicate.
    fn evaluate(&self, column: usize, predicate: &Predicate, use_indexes: bool) {
        let next = (column + 1) % self.columns.len();
        let column_of = |name: &str| self.segment.column(&self.columns[if name == NEXT { next } else { column }].0);
        let row_count = self.segment.row_count();
        let Ok(rows) = evaluate(predicate, row_count, use_indexes, &column_of) else { return };
        assert_eq!(rows.row_count(), row_count);
        assert!(rows.iter().all(|row| row < row_count));
        assert_eq!(rows.iter().count() as u64, rows.len());
    }
}

fn id() -> SegmentId {
    let chunk = Interval::new(TimestampMs(0), TimestampMs(1)).expect("not empty");
    let data_source = DataSourceName::new("fuzzed").expect("a name");
    SegmentId { data_source, chunk, version: String::new(), shard: 0 }
}
