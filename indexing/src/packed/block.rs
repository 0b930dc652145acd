//! A block of up to 1,024 words in one of several forms (block_writer.rs chooses).
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
use super::leaf;
use super::word::{Word, ones};
use crate::BLOCK_ROWS;

pub const PLAIN: u8 = 0;
pub const DELTA: u8 = 1;
pub const RUNS: u8 = 2;
pub const DISTINCT: u8 = 3;

/// Most runs of a block: each is two words or more on average.
const RUNS_MAX: usize = BLOCK_ROWS / 2;
/// Most distinct words of a block with a dictionary of its own.
pub const DISTINCT_MAX: usize = 512;

/// Words of a run that are written without asking for its length.
const RUN_STEP: usize = 16;

/// Reads a block of as many words as `out` holds, at most 1,024. Bytes that make no sense give arbitrary words.
pub fn read<W: Word>(bytes: &[u8], least: W, out: &mut [W]) {
    if bytes.is_empty() || read_form(&mut Cursor(bytes), least, true, out).is_none() {
        out.fill(least);
    }
}

/// As [`read`], but `None` where the bytes make no sense, or hold more than the block.
pub fn read_sound<W: Word>(bytes: &[u8], least: W, out: &mut [W]) -> Option<()> {
    let mut cursor = Cursor(bytes);
    if bytes.is_empty() {
        out.fill(least);
    } else {
        read_form(&mut cursor, least, true, out)?;
    }
    cursor.0.is_empty().then_some(())
}

fn read_form<W: Word>(cursor: &mut Cursor<'_>, least: W, may_run: bool, out: &mut [W]) -> Option<()> {
    match cursor.u8()? {
        PLAIN => leaf::read(cursor, least, out),
        DELTA => read_delta(cursor, least, out),
        RUNS if may_run => read_and_repeat(cursor, least, out),
        DISTINCT => read_distinct(cursor, least, out),
        _ => None,
    }
}

#[inline(never)]
fn read_delta<W: Word>(cursor: &mut Cursor<'_>, least: W, out: &mut [W]) -> Option<()> {
    let ones = W::from_u64(ones(u32::from(cursor.u8()?)));
    let first = W::from_u64(cursor.varint()?);
    let step = W::from_u64(cursor.varint()?);
    leaf::read(cursor, step, out)?;
    let add_up = |mut word: W, out: &mut [W]| {
        for slot in out {
            word = word.wrapping_add(*slot);
            *slot = word.and(ones).wrapping_add(least);
        }
    };
    let start = first.wrapping_sub(step);
    let Ok(block) = <&mut [W; BLOCK_ROWS]>::try_from(&mut *out) else {
        add_up(start, out);
        return Some(());
    };
    add_up_in_quarters(block, start, ones, least);
    Some(())
}

/// Each sum waits for the one before, so four quarters go side by side.
fn add_up_in_quarters<W: Word>(block: &mut [W; BLOCK_ROWS], start: W, ones: W, least: W) {
    let (first, rest) = block.split_at_mut(BLOCK_ROWS / 4);
    let (second, rest) = rest.split_at_mut(BLOCK_ROWS / 4);
    let (third, fourth) = rest.split_at_mut(BLOCK_ROWS / 4);
    let sum = |start: W, quarter: &[W]| quarter.iter().fold(start, |sum, word| sum.wrapping_add(*word));
    let mut a = start;
    let mut b = sum(a, first);
    let mut c = sum(b, second);
    let mut d = sum(c, third);
    for (((first, second), third), fourth) in first.iter_mut().zip(second).zip(third).zip(fourth) {
        (a, b) = (a.wrapping_add(*first), b.wrapping_add(*second));
        (c, d) = (c.wrapping_add(*third), d.wrapping_add(*fourth));
        (*first, *second) = (a.and(ones).wrapping_add(least), b.and(ones).wrapping_add(least));
        (*third, *fourth) = (c.and(ones).wrapping_add(least), d.and(ones).wrapping_add(least));
    }
}

#[inline(never)]
fn read_distinct<W: Word>(cursor: &mut Cursor<'_>, least: W, out: &mut [W]) -> Option<()> {
    let (words, _) = read_words(cursor, least)?;
    leaf::read(cursor, W::default(), out)?;
    out.iter_mut().for_each(|slot| *slot = of_rank(&words, *slot));
    Some(())
}

/// The distinct words by their ranks, and how many they are.
fn read_words<W: Word>(cursor: &mut Cursor<'_>, least: W) -> Option<([W; DISTINCT_MAX], usize)> {
    let distinct = usize::try_from(cursor.varint()?).ok()?.checked_add(1)?;
    let mut words = [least; DISTINCT_MAX];
    let present = words.get_mut(..distinct)?;
    leaf::read(cursor, W::default(), present)?;
    let mut word = least;
    for slot in present {
        word = word.wrapping_add(*slot);
        *slot = word;
    }
    Some((words, distinct))
}

fn of_rank<W: Word>(words: &[W; DISTINCT_MAX], rank: W) -> W {
    // Ranks of sound blocks are less than the bound, and the remainder spares the check.
    words[rank.to_u64() as usize % DISTINCT_MAX]
}

#[inline(never)]
fn read_and_repeat<W: Word>(cursor: &mut Cursor<'_>, least: W, out: &mut [W]) -> Option<()> {
    let (mut words, mut lengths) = ([W::default(); RUNS_MAX], [W::default(); RUNS_MAX]);
    let runs = read_runs(cursor, out.len(), least, &mut words, &mut lengths)?;
    let mut rest = out;
    for (word, length) in words.iter().zip(&lengths[..runs]) {
        let length = length.to_u64() as usize;
        // Runs are short, and what is written too far belongs to the next run.
        match rest.first_chunk_mut::<RUN_STEP>() {
            Some(chunk) => chunk.fill(*word),
            None => rest.fill(*word),
        }
        let (run, after) = rest.split_at_mut_checked(length)?;
        if length > RUN_STEP {
            run[RUN_STEP..].fill(*word);
        }
        rest = after;
    }
    Some(())
}

/// Reads what follows the form: the runs' words and lengths, which add up to `rows`. Returns the number of runs.
fn read_runs<W: Word>(
    cursor: &mut Cursor<'_>,
    rows: usize,
    least: W,
    words: &mut [W; RUNS_MAX],
    lengths: &mut [W; RUNS_MAX],
) -> Option<usize> {
    let runs = usize::try_from(cursor.varint()?).ok()?.checked_add(1)?;
    let (words, lengths) = (words.get_mut(..runs)?, lengths.get_mut(..runs)?);
    leaf::read(cursor, W::from_u64(1), lengths)?;
    read_form(cursor, least, false, words)?;
    let sum = lengths.iter().try_fold(0_u64, |sum, length| sum.checked_add(length.to_u64()))?;
    (sum == rows as u64).then_some(runs)
}

/// The words of a block of `rows` words with how often each repeats; `None` where it is not kept in runs.
pub fn runs(bytes: &[u8], rows: usize, least: u32) -> Option<Vec<(u32, u32)>> {
    if bytes.is_empty() {
        return Some(vec![(least, rows as u32)]);
    }
    let mut cursor = Cursor(bytes);
    if cursor.u8()? != RUNS {
        return None;
    }
    let (mut words, mut lengths) = ([0; RUNS_MAX], [0; RUNS_MAX]);
    let runs = read_runs(&mut cursor, rows, least, &mut words, &mut lengths)?;
    Some(words.into_iter().zip(lengths).take(runs).collect())
}

/// The distinct words of a block that is kept by them, and the rank of each row's word among them.
pub struct Distinct<'b, W> {
    words: [W; DISTINCT_MAX],
    count: usize,
    ranks: Cursor<'b>,
}

impl<W: Word> Distinct<'_, W> {
    /// The words, ascending.
    pub fn words(&self) -> &[W] {
        &self.words[..self.count]
    }

    /// Reads the rank of each row's word, as many as `out` holds. `None` where the bytes make no sense.
    pub fn ranks(mut self, out: &mut [W]) -> Option<()> {
        leaf::read(&mut self.ranks, W::default(), out)
    }
}

/// `None` of a block in another form.
pub fn distinct<W: Word>(bytes: &[u8], least: W) -> Option<Distinct<'_, W>> {
    let mut cursor = Cursor(bytes);
    if cursor.u8()? != DISTINCT {
        return None;
    }
    let (words, count) = read_words(&mut cursor, least)?;
    Some(Distinct { words, count, ranks: cursor })
}

/// Reads the words at `places`, ascending, of a block of 1,024; `out` holds as many. `None` where that is not possible
/// without reading all of them; what `out` holds then is arbitrary.
pub fn read_at<W: Word>(bytes: &[u8], least: W, places: &[u16], out: &mut [W]) -> Option<()> {
    let mut cursor = Cursor(bytes);
    if bytes.is_empty() {
        out.fill(least);
        return Some(());
    }
    match cursor.u8()? {
        PLAIN => leaf::read_at(&mut cursor, least, places, out),
        DISTINCT => {
            let (words, _) = read_words(&mut cursor, least)?;
            leaf::read_at(&mut cursor, W::default(), places, out)?;
            out.iter_mut().for_each(|slot| *slot = of_rank(&words, *slot));
            Some(())
        }
        _ => None,
    }
}
