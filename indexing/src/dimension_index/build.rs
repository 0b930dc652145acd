//! Measures a column and builds the index that suits it.
//!
//! An index is worth its bytes where it finds the rows of the average value in a twelfth of the time that a scan of
//! the codes takes. The forms are tried from the fastest to the smallest, and the first that is small enough is taken. The
//! limits add up to 4 to 5 bytes/row for a segment with a dozen string columns, of which a few have values of few rows
//! (topics, principals), some follow from the sort (organisations, clusters), and some have few values (regions).

use super::ascending::Ascending;
use super::lists::Lists;
use super::{BLOCK_NS, BuiltIndex, FORMAT, RANGE_NS, ROARING_BYTE_NS, ROARING_NS, ROW_NS, RUN_NS, SCAN_ROW_NS, Tag};
use crate::{BLOCK_ROWS, ByteWriter, posting_list};

/// A scan costs at least this many times what the index costs for the average value.
const GAIN_MIN: f64 = 12.0;
/// What a scan costs for each block, and for each run where codes are kept in runs.
const SCAN_BLOCK_NS: f64 = 15.0;
const SCAN_RUN_NS: f64 = 2.0;
/// Bytes per row that a form may take.
const SORTED_BYTES_MAX: f64 = 0.5;
const RUNS_BYTES_MAX: f64 = 0.4;
const ROARING_BYTES_MAX: f64 = 0.35;
const BLOCKS_BYTES_MAX: f64 = 1.0;
const ROW_LIST_BYTES_MAX: f64 = 4.0;
/// The headers of shorter compressed lists take more bytes than their rows: those are listed one by one. Lists of blocks
/// would be half as large, but a thousand such values are in nearly every block.
const LISTED_ROWS_PER_VALUE_MAX: usize = 32;
/// Rows of a container of a compressed list, and the bytes of its header and of its bits.
const CONTAINER_ROWS: usize = 1 << 16;
const CONTAINER_HEADER_BYTES: usize = 8;
const CONTAINER_BYTES_MAX: usize = CONTAINER_ROWS / 8;

pub(super) fn build(codes: &[u32], distinct: u32, bytes_max: usize) -> BuiltIndex {
    let column = Column::measure(codes, distinct);
    let mut reason = format!("a scan takes {:.1} us", column.scan_ns() / 1_000.0);
    let tag = column.choose(bytes_max, &mut reason);
    BuiltIndex { bytes: column.encode(tag), form: tag.form(), reason }
}

/// The code of each row, and what was measured about them.
pub(super) struct Column<'a> {
    codes: &'a [u32],
    /// Codes there may be.
    code_count: usize,
    /// Runs of neighbouring rows with the same code.
    runs: usize,
    is_sorted: bool,
}

/// A form that an index may take, its size, and the nanoseconds it takes to find the rows of the average value.
struct Candidate {
    tag: Tag,
    bytes: usize,
    bytes_max: f64,
    ns: f64,
}

impl<'a> Column<'a> {
    pub(super) fn measure(codes: &'a [u32], distinct: u32) -> Self {
        let runs = codes.chunk_by(|left, right| left == right).count();
        Self { codes, code_count: distinct as usize + 1, runs, is_sorted: codes.is_sorted() }
    }

    fn scan_ns(&self) -> f64 {
        let rows = self.codes.len();
        let codes_ns = (rows as f64 * SCAN_ROW_NS).min(self.runs as f64 * SCAN_RUN_NS);
        rows.div_ceil(BLOCK_ROWS) as f64 * SCAN_BLOCK_NS + codes_ns
    }

    /// What so many entries, together, are for the average value.
    fn per_value(&self, entries: usize) -> f64 {
        entries as f64 / (self.code_count - 1).max(1) as f64
    }

    fn choose(&self, bytes_max: usize, reason: &mut String) -> Tag {
        if self.runs <= 1 {
            reason.push_str("; every row has the same value");
            return Tag::None;
        }
        let candidates: [fn(&Self) -> Option<Candidate>; 5] =
            [Self::sorted, Self::in_runs, Self::row_list, Self::roaring, Self::blocks];
        for candidate in candidates.iter().filter_map(|candidate| candidate(self)) {
            let bytes_per_row = candidate.bytes as f64 / self.codes.len() as f64;
            let Candidate { tag, bytes, ns, .. } = candidate;
            reason.push_str(&format!("; {} {:.1} us with {bytes_per_row:.2} bytes/row", tag.form(), ns / 1_000.0));
            if ns * GAIN_MIN <= self.scan_ns() && bytes_per_row <= candidate.bytes_max && bytes <= bytes_max {
                return tag;
            }
        }
        Tag::None
    }

    fn sorted(&self) -> Option<Candidate> {
        let bytes = Ascending::byte_len(self.code_count + 1, self.codes.len() as u32);
        self.is_sorted.then_some(Candidate { tag: Tag::Sorted, bytes, bytes_max: SORTED_BYTES_MAX, ns: RANGE_NS })
    }

    fn in_runs(&self) -> Option<Candidate> {
        let starts = Ascending::byte_len(self.runs + 1, self.codes.len() as u32);
        let bytes = starts + Lists::byte_len(self.code_count, self.runs, self.runs as u32 + 1);
        let ns = RANGE_NS + self.per_value(self.runs) * RUN_NS;
        Some(Candidate { tag: Tag::Runs, bytes, bytes_max: RUNS_BYTES_MAX, ns })
    }

    fn row_list(&self) -> Option<Candidate> {
        if self.codes.len() >= self.code_count * LISTED_ROWS_PER_VALUE_MAX {
            return None;
        }
        let bytes = Lists::byte_len(self.code_count, self.codes.len(), self.codes.len() as u32);
        let ns = RANGE_NS + self.per_value(self.codes.len()) * ROW_NS;
        Some(Candidate { tag: Tag::RowList, bytes, bytes_max: ROW_LIST_BYTES_MAX, ns })
    }

    fn roaring(&self) -> Option<Candidate> {
        let has_short_lists = self.codes.len() < self.code_count * LISTED_ROWS_PER_VALUE_MAX;
        // No value has most of the rows, and the others have no runs: the lists would be too large.
        let is_scattered = self.runs > self.codes.len() / 2;
        if has_short_lists || is_scattered {
            return None;
        }
        let lists = self.code_count * CONTAINER_HEADER_BYTES + self.container_bytes();
        let bytes = lists + 2 * Ascending::byte_len(self.code_count + 1, lists as u32);
        let ns = RANGE_NS + ROARING_NS + self.per_value(lists) * ROARING_BYTE_NS;
        Some(Candidate { tag: Tag::Roaring, bytes, bytes_max: ROARING_BYTES_MAX, ns })
    }

    /// Bytes of all containers of compressed lists.
    fn container_bytes(&self) -> usize {
        let mut of_code = vec![(0_usize, 0_usize); self.code_count];
        let (mut seen, mut bytes) = (Vec::new(), 0);
        for codes in self.codes.chunks(CONTAINER_ROWS) {
            for run in codes.chunk_by(|left, right| left == right) {
                let (rows, runs) = &mut of_code[run[0] as usize];
                if *runs == 0 {
                    seen.push(run[0]);
                }
                *rows += run.len();
                *runs += 1;
            }
            for code in seen.drain(..) {
                let (rows, runs) = std::mem::take(&mut of_code[code as usize]);
                bytes += CONTAINER_HEADER_BYTES + (rows * 2).min(2 + runs * 4).min(CONTAINER_BYTES_MAX);
            }
        }
        bytes
    }

    fn blocks(&self) -> Option<Candidate> {
        let pairs = self.code_blocks().len();
        let bytes = Lists::byte_len(self.code_count, pairs, self.block_count());
        let ns = RANGE_NS + self.per_value(pairs) * (BLOCK_NS + BLOCK_ROWS as f64 * SCAN_ROW_NS);
        Some(Candidate { tag: Tag::Blocks, bytes, bytes_max: BLOCKS_BYTES_MAX, ns })
    }

    fn block_count(&self) -> u32 {
        self.codes.len().div_ceil(BLOCK_ROWS) as u32
    }

    /// Each code of each block, once.
    fn code_blocks(&self) -> Vec<(u32, u32)> {
        let mut last_block = vec![u32::MAX; self.code_count];
        let mut pairs = Vec::new();
        for (block, codes) in (0..).zip(self.codes.chunks(BLOCK_ROWS)) {
            for &code in codes {
                if last_block[code as usize] != block {
                    last_block[code as usize] = block;
                    pairs.push((code, block));
                }
            }
        }
        pairs
    }

    /// The bytes of the index in a form that may not suit it.
    pub(super) fn encode(&self, tag: Tag) -> Vec<u8> {
        let mut out = ByteWriter::default();
        out.u8(FORMAT);
        out.u8(tag as u8);
        out.u32(self.codes.len() as u32);
        out.u32(self.code_count as u32 - 1);
        self.write(tag, &mut out);
        out.finish()
    }

    fn write(&self, tag: Tag, out: &mut ByteWriter) {
        let rows = self.codes.len() as u32;
        let code_rows = || self.codes.iter().copied().zip(0..);
        match tag {
            Tag::None => {}
            Tag::Sorted => Ascending::write(&self.starts_of(code_rows()), out),
            Tag::Runs => {
                let runs = || self.codes.chunk_by(|left, right| left == right);
                let run_starts = runs().scan(0, |start, run| {
                    *start += run.len() as u32;
                    Some(*start)
                });
                let run_starts: Vec<u32> = std::iter::once(0).chain(run_starts).collect();
                Ascending::write(&run_starts, out);
                self.write_lists(runs().map(|run| run[0]).zip(0..), run_starts.len() as u32, out);
            }
            Tag::RowList => self.write_lists(code_rows(), rows, out),
            Tag::Roaring => self.write_roaring(out),
            Tag::Blocks => self.write_lists(self.code_blocks().into_iter(), self.block_count(), out),
        }
    }

    fn write_roaring(&self, out: &mut ByteWriter) {
        let (rows_before, rows) = self.lists_of(self.codes.iter().copied().zip(0..));
        let (mut starts, mut bytes) = (vec![0], Vec::new());
        for span in rows_before.windows(2) {
            posting_list::write(self.codes.len(), &rows[span[0] as usize..span[1] as usize], &mut bytes);
            starts.push(bytes.len() as u32);
        }
        Ascending::write(&rows_before, out);
        Ascending::write(&starts, out);
        out.slice(&bytes);
    }

    fn write_lists(&self, entries: impl Iterator<Item = (u32, u32)> + Clone, bound: u32, out: &mut ByteWriter) {
        let (starts, numbers) = self.lists_of(entries);
        Lists::write(&starts, &numbers, bound, out);
    }

    /// Where the list of each code starts, and where the last one ends.
    fn starts_of(&self, entries: impl Iterator<Item = (u32, u32)>) -> Vec<u32> {
        let mut starts = vec![0; self.code_count + 1];
        entries.for_each(|(code, _)| starts[code as usize + 1] += 1);
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        starts
    }

    /// The numbers of each code in the order in which they come, code by code, and where those of each code start.
    fn lists_of(&self, entries: impl Iterator<Item = (u32, u32)> + Clone) -> (Vec<u32>, Vec<u32>) {
        let starts = self.starts_of(entries.clone());
        let mut next = starts.clone();
        let mut numbers = vec![0; starts[self.code_count] as usize];
        for (code, number) in entries {
            let place = &mut next[code as usize];
            numbers[*place as usize] = number;
            *place += 1;
        }
        (starts, numbers)
    }
}
