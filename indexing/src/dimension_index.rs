//! From the codes of a dimension to rows: in the form that suits the column, chosen by what was measured while building.
//!
//! ```text
//! index   = 1 as u8, form u8, rows u32, distinct u32, what the form needs:
//! none    = 0 as form
//! sorted  = 1, starts: for each code, null's first, its first row, and at the end the number of rows (ascending.rs)
//! runs    = 2, starts: for each run its first row, and at the end the number of rows (ascending.rs); lists of the runs
//!           of each code (lists.rs)
//! rows    = 3, lists of the rows of each code (lists.rs)
//! roaring = 4, for each code, and for the end, the rows of the codes before it (ascending.rs); the same of the bytes of
//!           their lists; the lists (posting_list.rs)
//! blocks  = 5, lists of the blocks that have rows of each code (lists.rs)
//! ```

mod ascending;
mod build;
mod lists;

use std::fmt;
use std::ops::Range;

use bytes::Bytes;

use ascending::Ascending;
use lists::Lists;

use crate::{BLOCK_ROWS, ByteReader, CodeSet, FormatError, RowSet, posting_list};

const WHAT: &str = "dimension index";
const FORMAT: u8 = 1;

/// Nanoseconds on one fast core, measured by `benches/index`. To scan a packed code:
const SCAN_ROW_NS: f64 = 0.3;
/// To find where what belongs to a range of codes stands.
const RANGE_NS: f64 = 40.0;
/// To take a run, a block or a row from a list, and to put it in order.
const RUN_NS: f64 = 15.0;
const BLOCK_NS: f64 = 10.0;
const ROW_NS: f64 = 8.0;
/// To open a compressed list, and to read a byte of it.
const ROARING_NS: f64 = 200.0;
const ROARING_BYTE_NS: f64 = 0.3;

/// Ranges of codes that an estimate looks at; it takes the others to be alike.
const RANGES_WEIGHED: usize = 256;

/// How an index finds rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IndexForm {
    /// Runs of neighbouring rows for each code: for leading sort keys, and columns that depend on them.
    Runs,
    /// A compressed bitmap for each code.
    Roaring,
    /// The rows of each code one by one: for columns whose values have few rows each.
    RowList,
    /// The blocks of [`BLOCK_ROWS`] rows in which each code occurs: small; the codes of these blocks remain to be looked at.
    Blocks,
    /// No index: a scan of the codes is cheaper, or an index would be too large.
    None,
}

impl fmt::Display for IndexForm {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Runs => "runs",
            Self::Roaring => "roaring",
            Self::RowList => "row list",
            Self::Blocks => "blocks",
            Self::None => "none",
        })
    }
}

/// An index as it was built.
#[derive(Debug, Clone)]
pub struct BuiltIndex {
    pub bytes: Vec<u8>,
    pub form: IndexForm,
    /// Why this form, in figures; for people.
    pub reason: String,
}

/// What an index knows about the rows of some codes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IndexedRows {
    /// These are the rows.
    Exact(RowSet),
    /// The rows are among these, which are whole blocks: the codes tell which.
    Within(RowSet),
}

/// Finds the rows of codes.
///
/// ```
/// # use henge_indexing::{CodeSet, DimensionIndex, IndexedRows, RowSet};
/// let codes: Vec<u32> = (0..100_000).map(|row| row / 1_000).collect();
/// let built = DimensionIndex::build(&codes, 99);
/// let index = DimensionIndex::decode(built.bytes.into(), 100_000, 99)?;
/// let rows = RowSet::from_range(100_000, 5_000..7_000);
/// assert_eq!(index.rows(&CodeSet::from_range(99, 5..7)), Some(IndexedRows::Exact(rows)));
/// # Ok::<(), henge_indexing::FormatError>(())
/// ```
#[derive(Debug, Clone)]
pub struct DimensionIndex {
    row_count: u32,
    lookup: Lookup,
}

#[derive(Debug, Clone)]
enum Lookup {
    None,
    Sorted(Ascending),
    Runs { starts: Ascending, runs: Lists },
    RowList(Lists),
    Roaring { rows_before: Ascending, starts: Ascending, lists: Bytes },
    Blocks(Lists),
}

/// The byte that stands for a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tag {
    None = 0,
    Sorted = 1,
    Runs = 2,
    RowList = 3,
    Roaring = 4,
    Blocks = 5,
}

impl Tag {
    fn form(self) -> IndexForm {
        match self {
            Self::None => IndexForm::None,
            Self::Sorted | Self::Runs => IndexForm::Runs,
            Self::RowList => IndexForm::RowList,
            Self::Roaring => IndexForm::Roaring,
            Self::Blocks => IndexForm::Blocks,
        }
    }
}

impl DimensionIndex {
    /// Builds the index of a column from the code of each row, in the form that suits it. `distinct` is the greatest code
    /// there may be; there are fewer than 2^31 rows.
    pub fn build(codes: &[u32], distinct: u32) -> BuiltIndex {
        Self::build_within(codes, distinct, usize::MAX)
    }

    /// Like [`build`](Self::build), with no more than about `bytes_max` bytes.
    pub fn build_within(codes: &[u32], distinct: u32, bytes_max: usize) -> BuiltIndex {
        build::build(codes, distinct, bytes_max)
    }

    /// Opens what [`build`](Self::build) made for a column of so many rows and values. Lists are read when they are asked
    /// for.
    ///
    /// # Errors
    /// The bytes end early, or are no index of such a column.
    pub fn decode(bytes: Bytes, row_count: u32, distinct: u32) -> Result<Self, FormatError> {
        let mut reader = ByteReader::new(WHAT, bytes);
        if reader.u8()? != FORMAT {
            return Err(reader.error("another format"));
        }
        let tag = reader.u8()?;
        if (reader.u32()?, reader.u32()?) != (row_count, distinct) {
            return Err(reader.error("of another column"));
        }
        let codes = distinct as usize + 1;
        let lookup = match tag {
            0 => Lookup::None,
            1 => Lookup::Sorted(Ascending::read(&mut reader)?),
            2 => {
                let starts = Ascending::read(&mut reader)?;
                let runs = Lists::read(codes, starts.count() as u32, &mut reader)?;
                Lookup::Runs { starts, runs }
            }
            3 => Lookup::RowList(Lists::read(codes, row_count, &mut reader)?),
            4 => {
                let (rows_before, starts) = (Ascending::read(&mut reader)?, Ascending::read(&mut reader)?);
                let lists = reader.slice(starts.greatest() as usize)?;
                Lookup::Roaring { rows_before, starts, lists }
            }
            5 => Lookup::Blocks(Lists::read(codes, row_count.div_ceil(BLOCK_ROWS as u32), &mut reader)?),
            _ => return Err(reader.error("an unknown form")),
        };
        reader.finish()?;
        Ok(Self { row_count, lookup })
    }

    /// Reads the whole index and compares it with the codes it was built from.
    ///
    /// # Errors
    /// It does not find every row of each code, or finds others (invariant X2).
    pub fn verify(&self, codes: &[u32]) -> Result<(), FormatError> {
        let error = |detail| Err(FormatError { what: WHAT, detail });
        if codes.len() != self.row_count as usize {
            return error("of another column");
        }
        let codes_end = codes.iter().max().map_or(0, |&greatest| greatest + 1);
        let mut rows_left = u64::from(self.row_count);
        for code in 0..codes_end {
            let has_code = |row: u32| codes[row as usize] == code;
            match self.found(code..code + 1) {
                None => return Ok(()),
                Some(IndexedRows::Exact(rows)) if !rows.iter().all(has_code) => return error("a row of another code"),
                Some(IndexedRows::Exact(rows)) => rows_left = rows_left.saturating_sub(rows.len()),
                Some(IndexedRows::Within(rows)) => {
                    rows_left = rows_left.saturating_sub(rows.iter().filter(|&row| has_code(row)).count() as u64);
                }
            }
        }
        if rows_left == 0 { Ok(()) } else { error("a row is missing") }
    }

    /// The same index encoded in every form that can hold the column.
    #[cfg(test)]
    pub(crate) fn encoded_in_every_form(codes: &[u32], distinct: u32) -> Vec<Vec<u8>> {
        let column = build::Column::measure(codes, distinct);
        let tags = [Tag::None, Tag::Sorted, Tag::Runs, Tag::RowList, Tag::Roaring, Tag::Blocks];
        let possible = tags.into_iter().filter(|tag| *tag != Tag::Sorted || codes.is_sorted());
        possible.map(|tag| column.encode(tag)).collect()
    }

    pub fn form(&self) -> IndexForm {
        match &self.lookup {
            Lookup::None => Tag::None,
            Lookup::Sorted(_) => Tag::Sorted,
            Lookup::Runs { .. } => Tag::Runs,
            Lookup::RowList(_) => Tag::RowList,
            Lookup::Roaring { .. } => Tag::Roaring,
            Lookup::Blocks(_) => Tag::Blocks,
        }
        .form()
    }

    /// The rows of one code, null's among them. `None` where there is no index, or a scan of all codes is expected to be
    /// cheaper.
    pub fn rows_of(&self, code: u32) -> Option<IndexedRows> {
        let codes = code..code.saturating_add(1);
        let weight = self.weigh(std::iter::once(codes.clone()), 1)?;
        if self.is_worth(weight) { self.found(codes) } else { None }
    }

    /// The rows of a set of codes, null's among them if it is in the set. `None` where there is no index, or a scan of all
    /// codes is expected to be cheaper.
    pub fn rows(&self, codes: &CodeSet) -> Option<IndexedRows> {
        let weight = self.weigh(codes.ranges(), codes.len())?;
        if !self.is_worth(weight) {
            return None;
        }
        match codes.as_range() {
            Some(codes) => self.found(codes),
            None => self.found_in(codes.ranges()),
        }
    }

    /// About how many rows these codes have. `None` where there is no index.
    pub fn estimated_rows(&self, codes: &CodeSet) -> Option<u64> {
        Some(self.weigh(codes.ranges(), codes.len())?.rows)
    }

    /// About how many nanoseconds it takes to find the rows of these codes, including the scan of the blocks where the
    /// index only tells those. `None` where there is no index.
    pub fn estimated_ns(&self, codes: &CodeSet) -> Option<f64> {
        Some(self.weigh(codes.ranges(), codes.len())?.ns)
    }

    fn is_worth(&self, weight: Weight) -> bool {
        weight.ns <= f64::from(self.row_count) * SCAN_ROW_NS
    }

    fn weigh(&self, ranges: impl Iterator<Item = Range<u32>>, codes: u32) -> Option<Weight> {
        let starts = match &self.lookup {
            Lookup::None => return None,
            Lookup::Sorted(starts) | Lookup::Roaring { rows_before: starts, .. } => starts,
            Lookup::Runs { runs: lists, .. } | Lookup::RowList(lists) | Lookup::Blocks(lists) => lists.starts(),
        };
        let (mut ranges_seen, mut codes_seen, mut entries, mut bytes) = (0, 0, 0, 0);
        for range in ranges.take(RANGES_WEIGHED) {
            ranges_seen += 1;
            codes_seen += range.end - range.start;
            entries += span_len(starts, &range);
            if let Lookup::Roaring { starts, .. } = &self.lookup {
                bytes += span_len(starts, &range);
            }
        }
        let factor = f64::from(codes) / f64::from(codes_seen.max(1));
        let [ranges, entries, bytes] = [ranges_seen, entries, bytes].map(|seen| seen as f64 * factor);
        // Rows of an average run or block.
        let entry_rows = f64::from(self.row_count) / f64::from(starts.greatest().max(1));
        let (rows, ns) = match &self.lookup {
            Lookup::None | Lookup::Sorted(_) => (entries, 0.0),
            Lookup::Runs { .. } => (entries * entry_rows, entries * RUN_NS),
            Lookup::RowList(_) => (entries, entries * ROW_NS),
            Lookup::Roaring { .. } => (entries, f64::from(codes) * ROARING_NS + bytes * ROARING_BYTE_NS),
            Lookup::Blocks(_) => {
                let rows_scanned = (entries * BLOCK_ROWS as f64).min(self.row_count.into());
                (entries * entry_rows, entries * BLOCK_NS + rows_scanned * SCAN_ROW_NS)
            }
        };
        Some(Weight { rows: rows as u64, ns: ranges * RANGE_NS + ns })
    }

    /// The rows of neighbouring codes. `None` where there is no index.
    fn found(&self, codes: Range<u32>) -> Option<IndexedRows> {
        self.found_in(std::iter::once(codes))
    }

    fn found_in(&self, codes: impl Iterator<Item = Range<u32>>) -> Option<IndexedRows> {
        let row_count = self.row_count;
        let listed = |lists: &Lists, bound, codes| {
            let mut numbers = Vec::new();
            for codes in codes {
                lists.append_numbers(lists.places(codes), &mut numbers);
            }
            RowSet::from_sorted_rows(bound, numbers)
        };
        Some(IndexedRows::Exact(match &self.lookup {
            Lookup::None => return None,
            Lookup::Sorted(starts) => RowSet::from_ranges(row_count, codes.map(|codes| starts.span(codes)).collect()),
            Lookup::Runs { starts, runs } => {
                let runs = listed(runs, starts.count() as u32, codes);
                RowSet::from_ranges(row_count, runs.ranges().map(|runs| starts.span(runs)).collect())
            }
            Lookup::RowList(rows) => listed(rows, row_count, codes),
            Lookup::Roaring { starts, lists, .. } => {
                posting_list::union(row_count, codes.flatten().map(|code| bytes_at(lists, starts.span(code..code + 1))))
            }
            Lookup::Blocks(blocks) => {
                let blocks = listed(blocks, row_count.div_ceil(BLOCK_ROWS as u32), codes);
                let row = |block: u32| block.saturating_mul(BLOCK_ROWS as u32).min(row_count);
                let rows = blocks.ranges().map(|blocks| row(blocks.start)..row(blocks.end));
                return Some(IndexedRows::Within(RowSet::from_ranges(row_count, rows.collect())));
            }
        }))
    }
}

/// What it takes to find rows, and how many they are.
#[derive(Debug, Clone, Copy)]
struct Weight {
    rows: u64,
    ns: f64,
}

fn span_len(starts: &Ascending, codes: &Range<u32>) -> u64 {
    let span = starts.span(codes.clone());
    u64::from(span.end.saturating_sub(span.start))
}

fn bytes_at(lists: &[u8], place: Range<u32>) -> &[u8] {
    lists.get(place.start as usize..place.end as usize).unwrap_or_default()
}

#[cfg(test)]
mod tests;
