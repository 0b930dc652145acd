//! A block of up to 1,024 words in the form that takes the fewest bytes.
//!
//! ```text
//! block      = nothing, where all words are the least one; else: form u8, then by form:
//! 0 plain    = leaf of the words
//! 1 delta    = modulus width u8, first varint, step varint, leaf of (word - word before - step), 0 for the first word;
//!              numbers wrap at 2 ^ modulus width
//! 2 runs     = runs - 1 varint, leaf of (length - 1), block of the runs' words, which is no run again
//! 3 distinct = distinct words - 1 varint, leaf of (word - distinct word before), leaf of the words' ranks
//! ```
//!
//! Words are counted from the least one, which the reader gets from the zone. Leaves: leaf.rs.

use super::cursor::Cursor;
use super::leaf::{self, LeafPlan};
use super::word::{Word, ones};
use crate::{BLOCK_ROWS, ByteWriter};

const PLAIN: u8 = 0;
const DELTA: u8 = 1;
const RUNS: u8 = 2;
const DISTINCT: u8 = 3;

/// Most distinct words of a block that are worth a dictionary of its own.
const DISTINCT_MAX: usize = 512;

/// Appends `words`, none of which is less than `least` when counted from there: `word - least` is what is packed.
pub fn write<W: Word>(words: &[W], least: W, out: &mut ByteWriter) {
    let offsets: Vec<W> = words.iter().map(|word| word.wrapping_sub(least)).collect();
    if offsets.iter().any(|offset| *offset != W::default()) {
        write_smallest(&offsets, true, out);
    }
}

fn write_smallest<W: Word>(words: &[W], may_run: bool, out: &mut ByteWriter) {
    let plan = leaf::plan(words);
    let mut best = ByteWriter::default();
    best.u8(PLAIN);
    leaf::write(words, plan, &mut best);
    let delta = delta(words, plan.bytes);
    let runs = if may_run { in_runs(words) } else { None };
    let distinct = distinct(words, plan);
    for other in [delta, runs, distinct].into_iter().flatten() {
        if other.len() < best.len() {
            best = other;
        }
    }
    out.slice(&best.finish());
}

/// `None` where that does not save bytes.
fn delta<W: Word>(words: &[W], bytes_max: usize) -> Option<ByteWriter> {
    let first = *words.first()?;
    let width = words.iter().map(|word| word.bits()).max()?;
    let ones = W::from_u64(ones(width));
    let steps: Vec<W> = words.windows(2).map(|pair| pair[1].wrapping_sub(pair[0]).and(ones)).collect();
    // Steps wrap, so a few steps back are as good as great steps on.
    let half = W::from_u64(1 << (width.max(1) - 1));
    let by_sign = |step: W| step.wrapping_add(half).and(ones);
    let least = steps.iter().copied().min()?;
    let least_signed = steps.iter().copied().min_by_key(|step| by_sign(*step))?;
    let above = |step: W| -> Vec<W> {
        std::iter::once(W::default()).chain(steps.iter().map(|other| other.wrapping_sub(step).and(ones))).collect()
    };
    let candidates = [least, least_signed].map(|step| (step, above(step)));
    let plans = candidates.map(|(step, words)| (step, leaf::plan(&words), words));
    let (step, plan, words) = plans.into_iter().min_by_key(|(_, plan, _)| plan.bytes)?;
    if plan.bytes >= bytes_max {
        return None;
    }
    let mut out = ByteWriter::default();
    out.u8(DELTA);
    out.u8(width as u8);
    out.varint(first.to_u64());
    out.varint(step.to_u64());
    leaf::write(&words, plan, &mut out);
    Some(out)
}

/// `None` where runs are short.
fn in_runs<W: Word>(words: &[W]) -> Option<ByteWriter> {
    let runs: Vec<&[W]> = words.chunk_by(|left, right| left == right).collect();
    if runs.len() * 2 > words.len() {
        return None;
    }
    let lengths: Vec<W> = runs.iter().map(|run| W::from_u64(run.len() as u64 - 1)).collect();
    let values: Vec<W> = runs.iter().map(|run| run[0]).collect();
    let mut out = ByteWriter::default();
    out.u8(RUNS);
    out.varint(runs.len() as u64 - 1);
    leaf::write(&lengths, leaf::plan(&lengths), &mut out);
    write_smallest(&values, false, &mut out);
    Some(out)
}

/// `None` where there are too many distinct words.
fn distinct<W: Word>(words: &[W], plain: LeafPlan) -> Option<ByteWriter> {
    let mut distinct = words.to_vec();
    distinct.sort_unstable();
    distinct.dedup();
    if distinct.len() > DISTINCT_MAX.min(words.len() / 2) {
        return None;
    }
    let before = std::iter::once(W::default()).chain(distinct.iter().copied());
    let gaps: Vec<W> = distinct.iter().zip(before).map(|(word, before)| word.wrapping_sub(before)).collect();
    let gap_plan = leaf::plan(&gaps);
    let rank = |word: &W| W::from_u64(distinct.binary_search(word).expect("made from the words") as u64);
    let ranks: Vec<W> = words.iter().map(rank).collect();
    let rank_plan = leaf::plan(&ranks);
    if gap_plan.bytes + rank_plan.bytes >= plain.bytes {
        return None;
    }
    let mut out = ByteWriter::default();
    out.u8(DISTINCT);
    out.varint(distinct.len() as u64 - 1);
    leaf::write(&gaps, gap_plan, &mut out);
    leaf::write(&ranks, rank_plan, &mut out);
    Some(out)
}

/// Reads a block of `count` words into the front of `out`. Bytes that make no sense give arbitrary words.
pub fn read<W: Word>(bytes: &[u8], count: usize, least: W, out: &mut [W; BLOCK_ROWS]) {
    if bytes.is_empty() || read_form(&mut Cursor(bytes), count, least, true, out).is_none() {
        out[..count.min(BLOCK_ROWS)].fill(least);
    }
}

/// Whether the bytes hold a block of `count` words and nothing else.
pub fn is_sound<W: Word>(bytes: &[u8], count: usize) -> bool {
    let mut cursor = Cursor(bytes);
    let mut out = [W::default(); BLOCK_ROWS];
    bytes.is_empty() || (read_form(&mut cursor, count, W::default(), true, &mut out).is_some() && cursor.0.is_empty())
}

fn read_form<W: Word>(
    cursor: &mut Cursor<'_>,
    count: usize,
    least: W,
    may_run: bool,
    out: &mut [W; BLOCK_ROWS],
) -> Option<()> {
    match cursor.u8()? {
        PLAIN => leaf::read(cursor, count, least, out),
        DELTA => read_delta(cursor, count, least, out),
        RUNS if may_run => {
            let (mut words, mut lengths) = ([W::default(); BLOCK_ROWS], [W::default(); BLOCK_ROWS]);
            let runs = read_runs(cursor, count, least, &mut words, &mut lengths)?;
            let mut end = 0;
            for (word, length) in words.iter().zip(&lengths[..runs]) {
                let start = end;
                end += length.to_u64() as usize;
                out.get_mut(start..end)?.fill(*word);
            }
            Some(())
        }
        DISTINCT => read_distinct(cursor, count, least, out),
        _ => None,
    }
}

fn read_delta<W: Word>(cursor: &mut Cursor<'_>, count: usize, least: W, out: &mut [W; BLOCK_ROWS]) -> Option<()> {
    let ones = W::from_u64(ones(u32::from(cursor.u8()?)));
    let first = W::from_u64(cursor.varint()?);
    let step = W::from_u64(cursor.varint()?);
    leaf::read(cursor, count, step, out)?;
    let mut word = first.wrapping_sub(step);
    for slot in out.get_mut(..count)? {
        word = word.wrapping_add(*slot);
        *slot = word.and(ones).wrapping_add(least);
    }
    Some(())
}

fn read_distinct<W: Word>(cursor: &mut Cursor<'_>, count: usize, least: W, out: &mut [W; BLOCK_ROWS]) -> Option<()> {
    let distinct = usize::try_from(cursor.varint()?).ok()?.checked_add(1)?;
    if distinct > DISTINCT_MAX {
        return None;
    }
    let mut words = [W::default(); BLOCK_ROWS];
    leaf::read(cursor, distinct, W::default(), &mut words)?;
    let mut word = least;
    for slot in &mut words[..distinct] {
        word = word.wrapping_add(*slot);
        *slot = word;
    }
    leaf::read(cursor, count, W::default(), out)?;
    for slot in out.get_mut(..count)? {
        // Ranks of sound blocks are less than 512, and masking spares the check.
        *slot = words[(slot.to_u64() as usize) % BLOCK_ROWS];
    }
    Some(())
}

/// Reads what follows the form: the runs' words and lengths, which add up to `count` rows. Returns the number of runs.
fn read_runs<W: Word>(
    cursor: &mut Cursor<'_>,
    count: usize,
    least: W,
    words: &mut [W; BLOCK_ROWS],
    lengths: &mut [W; BLOCK_ROWS],
) -> Option<usize> {
    let runs = usize::try_from(cursor.varint()?).ok()?.checked_add(1)?;
    if runs > BLOCK_ROWS {
        return None;
    }
    leaf::read(cursor, runs, W::from_u64(1), lengths)?;
    read_form(cursor, runs, least, false, words)?;
    let rows = lengths[..runs].iter().try_fold(0_u64, |rows, length| rows.checked_add(length.to_u64()))?;
    (rows == count as u64).then_some(runs)
}

/// The words of a block of `count` with the rows that hold them one after the other; `None` where it is not kept in runs.
pub fn runs(bytes: &[u8], count: usize, least: u32) -> Option<Vec<(u32, u32)>> {
    if bytes.is_empty() {
        return Some(vec![(least, count as u32)]);
    }
    let mut cursor = Cursor(bytes);
    if cursor.u8()? != RUNS {
        return None;
    }
    let (mut words, mut lengths) = ([0; BLOCK_ROWS], [0; BLOCK_ROWS]);
    let runs = read_runs(&mut cursor, count, least, &mut words, &mut lengths)?;
    Some(words.into_iter().zip(lengths).take(runs).collect())
}

/// The word at `index` of a block of 1,024 words without patches. `None` where the whole block must be read.
pub fn read_one<W: Word>(bytes: &[u8], index: usize, least: W) -> Option<W> {
    let mut cursor = Cursor(bytes);
    if bytes.is_empty() {
        return Some(least);
    }
    if cursor.u8()? != PLAIN {
        return None;
    }
    leaf::read_one(&mut cursor, index).map(|word: W| word.wrapping_add(least))
}
