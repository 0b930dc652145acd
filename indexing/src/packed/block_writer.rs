//! Writes a block of words (block.rs) in the form that suits them.
//!
//! Each form is first judged by what it would take, so that only one is written. Slower forms must save a share of the
//! bytes of faster ones.

use super::block::{DELTA, DISTINCT, DISTINCT_MAX, PLAIN, RUNS};
use super::leaf::{self, LeafPlan};
use super::word::{Word, ones};
use crate::{BLOCK_ROWS, ByteWriter};

/// Slower forms save at least 1/16.
const WORTH_IT: usize = 16;
/// Steps are looked at for each so many words, before all are.
const STEP_SAMPLE: usize = 8;
/// Distinct words are looked for in so many words first; most blocks that have too many show it there.
const DISTINCT_SAMPLE: usize = 128;
/// Most distinct words in the sample.
const DISTINCT_IN_SAMPLE_MAX: usize = 112;
/// Places of the table that finds distinct words: twice as many as words.
const TABLE: usize = 2 * BLOCK_ROWS;

/// Appends up to 1,024 words, counted from `least`: no word is less.
pub fn write<W: Word>(words: &[W], least: W, out: &mut ByteWriter) {
    let offsets: Vec<W> = words.iter().map(|word| word.wrapping_sub(least)).collect();
    if offsets.iter().any(|offset| *offset != W::default()) {
        write_offsets(&offsets, out);
    }
}

fn write_offsets<W: Word>(words: &[W], out: &mut ByteWriter) {
    let turns = words.windows(2).filter(|pair| pair[0] != pair[1]).count();
    if turns * 2 >= words.len() {
        return Forms::of(words).write(words, out);
    }
    let runs = Runs::of(words);
    let forms = Forms::of(&runs.words);
    let bytes = 3 + runs.plan.bytes + forms.bytes();
    // Among few runs there are few changes and few distinct words: nothing that the slower forms could win by.
    let others = if turns * 4 < words.len() { Forms::Plain(leaf::plan(words)) } else { Forms::of(words) };
    if others.bytes() < bytes {
        return others.write(words, out);
    }
    out.u8(RUNS);
    out.varint(runs.words.len() as u64 - 1);
    leaf::write(&runs.lengths, runs.plan, out);
    forms.write(&runs.words, out);
}

/// Words without the repetitions.
struct Runs<W> {
    words: Vec<W>,
    lengths: Vec<W>,
    plan: LeafPlan,
}

impl<W: Word> Runs<W> {
    fn of(words: &[W]) -> Self {
        let runs = || words.chunk_by(|left, right| left == right);
        let lengths: Vec<W> = runs().map(|run| W::from_u64(run.len() as u64 - 1)).collect();
        Self { words: runs().map(|run| run[0]).collect(), plan: leaf::plan(&lengths), lengths }
    }
}

/// The best form without runs.
enum Forms<W> {
    Plain(LeafPlan),
    Delta(Delta<W>),
    Distinct(Distinct<W>),
}

impl<W: Word> Forms<W> {
    fn of(words: &[W]) -> Self {
        let plain = leaf::plan(words);
        let bytes_max = plain.bytes - plain.bytes / WORTH_IT;
        let delta = if steps_are_small(words) { Delta::of(words, bytes_max) } else { None };
        let distinct = Distinct::of(words, delta.as_ref().map_or(bytes_max, Delta::bytes));
        match (distinct, delta) {
            (Some(distinct), _) => Self::Distinct(distinct),
            (None, Some(delta)) => Self::Delta(delta),
            (None, None) => Self::Plain(plain),
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Plain(plan) => plan.bytes,
            Self::Delta(delta) => delta.bytes(),
            Self::Distinct(distinct) => distinct.bytes(),
        }
    }

    fn write(&self, words: &[W], out: &mut ByteWriter) {
        match self {
            Self::Plain(plan) => {
                out.u8(PLAIN);
                leaf::write(words, *plan, out);
            }
            Self::Delta(delta) => delta.write(words, out),
            Self::Distinct(distinct) => distinct.write(out),
        }
    }
}

/// Whether steps from word to word take clearly fewer bits than the words, judged by a sample.
fn steps_are_small<W: Word>(words: &[W]) -> bool {
    let bits_saved = |pair: &[W]| {
        let step = pair[1].wrapping_sub(pair[0]);
        let step_bits = step.bits().min(W::default().wrapping_sub(step).bits());
        i64::from(pair[1].bits()) - i64::from(step_bits)
    };
    let sample = words.windows(2).step_by(STEP_SAMPLE);
    let count = sample.len() as i64;
    sample.map(bits_saved).sum::<i64>() > 2 * count
}

/// Differences to the word before. They wrap, so a few back are as good as many on.
struct Delta<W> {
    width: u32,
    step: W,
    above_step: Vec<W>,
    plan: LeafPlan,
}

impl<W: Word> Delta<W> {
    /// `None` where that takes `bytes_max` or more.
    fn of(words: &[W], bytes_max: usize) -> Option<Self> {
        let width = words.iter().map(|word| word.bits()).max()?;
        let ones = W::from_u64(ones(width));
        let half = W::from_u64(1 << (width.max(1) - 1));
        let steps: Vec<W> = words.windows(2).map(|pair| pair[1].wrapping_sub(pair[0]).and(ones)).collect();
        let least = steps.iter().copied().min()?;
        let least_signed =
            steps.iter().map(|step| step.wrapping_add(half).and(ones)).min()?.wrapping_sub(half).and(ones);
        let of_step = |step: W| {
            let above = steps.iter().map(|other| other.wrapping_sub(step).and(ones));
            let above_step: Vec<W> = std::iter::once(W::default()).chain(above).collect();
            Self { width, step, plan: leaf::plan(&above_step), above_step }
        };
        let delta = of_step(least);
        let signed = (least_signed != least).then(|| of_step(least_signed));
        let best =
            signed.into_iter().fold(delta, |best, other| if other.bytes() < best.bytes() { other } else { best });
        (best.bytes() < bytes_max).then_some(best)
    }

    fn bytes(&self) -> usize {
        self.plan.bytes + 6
    }

    fn write(&self, words: &[W], out: &mut ByteWriter) {
        out.u8(DELTA);
        out.u8(self.width as u8);
        out.varint(words.first().map_or(0, |word| word.to_u64()));
        out.varint(self.step.to_u64());
        leaf::write(&self.above_step, self.plan, out);
    }
}

/// A dictionary of the block's own: few words, far apart.
struct Distinct<W> {
    gaps: Vec<W>,
    gap_plan: LeafPlan,
    ranks: Vec<W>,
    rank_plan: LeafPlan,
}

impl<W: Word> Distinct<W> {
    /// `None` where that takes `bytes_max` or more.
    fn of(words: &[W], bytes_max: usize) -> Option<Self> {
        let (distinct, places) = first_seen(words)?;
        let rank_bits = u64::BITS - (distinct.len() as u64 - 1).leading_zeros();
        if words.len() * rank_bits as usize / 8 >= bytes_max {
            return None;
        }
        let mut sorted: Vec<(W, usize)> = distinct.into_iter().zip(0..).collect();
        sorted.sort_unstable();
        let mut rank_of = [W::default(); DISTINCT_MAX];
        let (mut gaps, mut before) = (Vec::with_capacity(sorted.len()), W::default());
        for (rank, (word, place)) in sorted.into_iter().enumerate() {
            rank_of[place] = W::from_u64(rank as u64);
            gaps.push(word.wrapping_sub(before));
            before = word;
        }
        let ranks: Vec<W> = places.into_iter().map(|place| rank_of[usize::from(place)]).collect();
        let found = Self { gap_plan: leaf::plan(&gaps), gaps, rank_plan: leaf::plan(&ranks), ranks };
        (found.bytes() < bytes_max).then_some(found)
    }

    fn bytes(&self) -> usize {
        3 + self.gap_plan.bytes + self.rank_plan.bytes
    }

    fn write(&self, out: &mut ByteWriter) {
        out.u8(DISTINCT);
        out.varint(self.gaps.len() as u64 - 1);
        leaf::write(&self.gaps, self.gap_plan, out);
        leaf::write(&self.ranks, self.rank_plan, out);
    }
}

/// Distinct words in the order of first sight, and for each word its place there; `None` where there are too many.
fn first_seen<W: Word>(words: &[W]) -> Option<(Vec<W>, Vec<u16>)> {
    let mut table = [0_u16; TABLE];
    let mut distinct: Vec<W> = Vec::with_capacity(DISTINCT_MAX);
    let mut places = Vec::with_capacity(words.len());
    for (index, word) in words.iter().enumerate() {
        let mut slot = (word.to_u64().wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (u64::BITS - TABLE.ilog2())) as usize;
        while table[slot] != 0 && distinct[usize::from(table[slot]) - 1] != *word {
            slot = (slot + 1) % TABLE;
        }
        if table[slot] == 0 {
            distinct.push(*word);
            table[slot] = distinct.len() as u16;
            if distinct.len() > DISTINCT_MAX || (index < DISTINCT_SAMPLE && distinct.len() > DISTINCT_IN_SAMPLE_MAX) {
                return None;
            }
        }
        places.push(table[slot] - 1);
    }
    (distinct.len() * 2 <= words.len()).then_some((distinct, places))
}
