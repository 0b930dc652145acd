//! Which segments are merged, and when: values in, values out.
//!
//! A cut's segments are small where cuts are frequent or events are late. While a time chunk is *open* they are gathered
//! by the dozen (a *tier*: one more write for each row). Once the chunk has ended and nothing new has come for a
//! while, everything is merged (the *final* pass), so that a rolled-up chunk has one row for each key. Late events that
//! come after that gather beside the large segments, and join them when they amount to something or when nothing new has
//! come for a day. Rows older than a rollup tier's age are rolled up to its granularity (*re-roll*).
//!
//! Rows that were merged before are merged again only while all that was written for the datasource's live segments is
//! at most [`WRITTEN_PER_CUT_MAX`] times what its cuts have written: write amplification stays bounded whatever comes.
//! A re-roll is exempt, since it was asked for and leaves little.

use std::collections::BTreeMap;

use crate::schema::DataSourceSchema;
use crate::segment::{SegmentId, SegmentMeta};
use crate::time::{Granularity, Interval, TimestampMs};
use crate::upkeep::UpkeepPolicy;

/// Bytes written for each byte that a cut wrote, the cut's own included.
const WRITTEN_PER_CUT_MAX: i128 = 3;
/// Segments merged at once: each takes a few hundred KiB while it is read.
const INPUTS_MAX: usize = 256;
/// The default age at which open segments are cut: what a chunk's number of cuts is estimated by.
const CUT_AGE_MS: i64 = 5 * 60_000;
/// Late events have had their time after so many times the quiet that closes a chunk: an hour by default...
const SETTLED_QUIETS: i64 = 6;
/// ...or the chunk's length, but no longer than this many: a day by default. Then even a few of them are worth a merge.
const LATE_QUIETS: i64 = 144;
/// Late rows join larger segments earlier once they are this part of them.
const LATE_SHARE: u64 = 8;

/// Segments of one time chunk to be replaced by their merged rows.
#[derive(Debug, Clone, PartialEq)]
pub struct CompactionTask {
    pub chunk: Interval,
    /// At least one; more than one unless times become coarser.
    pub inputs: Vec<SegmentId>,
    /// What times are floored to; `None` leaves them as they are.
    pub granularity: Option<Granularity>,
    pub purpose: Purpose,
}

/// Why segments are merged, the most urgent first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// Too many small segments in a chunk that still grows.
    Tier,
    /// Everything that the chunk has.
    Final,
    /// The chunk is old enough for coarser times.
    Reroll,
}

/// How long a chunk is left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Urgency {
    /// Until it has enough to merge, within the bound on write amplification.
    Incremental,
    /// Not at all: an operator asks for the fewest segments possible.
    Now,
}

/// The datasource that is planned for.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    pub schema: &'a DataSourceSchema,
    pub policy: &'a UpkeepPolicy,
    pub urgency: Urgency,
}

/// What is to be merged among a datasource's live segments, the most urgent first; at most one task for each time chunk.
pub fn plan<'a>(
    scope: Scope<'_>,
    segments: impl IntoIterator<Item = &'a SegmentMeta>,
    now: TimestampMs,
) -> Vec<CompactionTask> {
    let mut chunks: BTreeMap<Interval, Vec<&SegmentMeta>> = BTreeMap::new();
    // What some chunks save, others may overdraw.
    let mut budget = 0_i128;
    for segment in segments {
        budget += budget_of(segment);
        chunks.entry(segment.id.chunk).or_default().push(segment);
    }
    let chunks = chunks.into_iter().map(|(chunk, segments)| Chunk::new(scope, chunk, segments, now));
    let mut candidates: Vec<Candidate> = chunks.filter_map(|chunk| chunk.candidate()).collect();
    // Of equally urgent ones the newest chunk first: that is where most questions go.
    candidates.sort_by_key(|candidate| (candidate.task.purpose, std::cmp::Reverse(candidate.task.chunk.start())));
    let mut tasks = Vec::new();
    for candidate in candidates {
        let cost = i128::from(candidate.cost_bytes);
        if cost == 0 || cost <= budget || scope.urgency == Urgency::Now {
            budget -= cost;
            tasks.push(candidate.task);
        } else {
            tasks.extend(candidate.otherwise);
        }
    }
    tasks
}

/// Bytes that may still be written for a segment's rows. The first merge of a cut's is never refused, so it is set
/// aside.
fn budget_of(segment: &SegmentMeta) -> i128 {
    let history = segment.history();
    let first_merge = if history.merges == 0 { segment.bytes } else { 0 };
    i128::from(history.cut_bytes) * WRITTEN_PER_CUT_MAX - i128::from(history.written_bytes) - i128::from(first_merge)
}

/// A task that may cost more than there is left to spend.
struct Candidate {
    task: CompactionTask,
    /// What it takes from the budget; 0 where none of the rows was merged before, or where it is exempt.
    cost_bytes: u64,
    /// What can be done without writing anything a third time.
    otherwise: Option<CompactionTask>,
}

/// One time chunk's segments, in the order in which they were made.
struct Chunk<'a> {
    scope: Scope<'a>,
    chunk: Interval,
    segments: Vec<&'a SegmentMeta>,
    /// Since the chunk's end and the newest segment, whichever is later; negative while the chunk is open.
    quiet_ms: i64,
    /// What a tier of the policy asks for at the chunk's age.
    granularity: Option<&'a Granularity>,
}

impl<'a> Chunk<'a> {
    fn new(scope: Scope<'a>, chunk: Interval, mut segments: Vec<&'a SegmentMeta>, now: TimestampMs) -> Self {
        segments.sort_by(|left, right| left.id.version.cmp(&right.id.version).then(left.id.shard.cmp(&right.id.shard)));
        let newest = segments.iter().filter_map(|segment| segment.written_at).max().unwrap_or(TimestampMs::MIN);
        let quiet_ms = now.0.saturating_sub(chunk.end().max(newest).0);
        let tiers = scope.policy.rollup_after.iter().filter(|_| scope.schema.rollup);
        let due = tiers.take_while(|tier| chunk.end() <= tier.after.before(now)).last();
        Self { scope, chunk, segments, quiet_ms, granularity: due.map(|tier| &tier.granularity) }
    }

    fn candidate(&self) -> Option<Candidate> {
        let reroll = self.reroll();
        match self.scope.urgency {
            Urgency::Now => reroll.or_else(|| self.last_pass()),
            Urgency::Incremental => {
                reroll.or_else(|| self.tier(0)).or_else(|| self.last_pass()).or_else(|| self.tier(1))
            }
        }
    }

    /// Everything, once most of it is finer than it should be. A few late rows wait for the next merge.
    fn reroll(&self) -> Option<Candidate> {
        let wanted = self.granularity?;
        let is_finer = |segment: &&&SegmentMeta| {
            let granularity = segment.query_granularity.as_ref().unwrap_or(&self.scope.schema.query_granularity);
            granularity != wanted && granularity.nests_in(wanted)
        };
        let finer_bytes: u64 = self.segments.iter().filter(is_finer).map(|segment| segment.bytes).sum();
        let all_bytes: u64 = self.segments.iter().map(|segment| segment.bytes).sum();
        let is_due = self.is_closed() && finer_bytes > 0 && finer_bytes * 2 >= all_bytes;
        is_due.then(|| Candidate { cost_bytes: 0, ..self.merge(self.segments.clone(), Purpose::Reroll) })
    }

    /// Small segments that were merged at least `merges_min` times, at most that often for 0, when there are many.
    fn tier(&self, merges_min: u32) -> Option<Candidate> {
        let fan_in = self.fan_in() * (1 + merges_min as usize);
        let is_of_tier = |segment: &SegmentMeta| match merges_min {
            0 => segment.history().merges == 0,
            _ => segment.history().merges >= merges_min,
        };
        let small = self.small().filter(|segment| is_of_tier(segment));
        let inputs: Vec<&SegmentMeta> = small.take(INPUTS_MAX).collect();
        (inputs.len() >= fan_in).then(|| self.merge(inputs, Purpose::Tier))
    }

    /// All that should be one, once the chunk has ended.
    fn last_pass(&self) -> Option<Candidate> {
        if !self.is_closed() || self.is_done() {
            return None;
        }
        let inputs: Vec<&SegmentMeta> = match self.becomes_one() {
            true => self.segments.clone(),
            false => self.small().take(INPUTS_MAX).collect(),
        };
        let candidate = self.merge(inputs.clone(), Purpose::Final);
        if candidate.cost_bytes == 0 || self.scope.urgency == Urgency::Now {
            return Some(candidate);
        }
        if !self.is_settled() {
            return None;
        }
        let otherwise = self.late_alone(&inputs);
        match self.is_worthwhile(&inputs) {
            true => Some(Candidate { otherwise, ..candidate }),
            false => otherwise.map(|task| Candidate { task, cost_bytes: 0, otherwise: None }),
        }
    }

    /// The cuts among `inputs`, so that late events lie in few segments at least.
    fn late_alone(&self, inputs: &[&SegmentMeta]) -> Option<CompactionTask> {
        let cuts: Vec<_> = inputs.iter().copied().filter(|segment| segment.history().merges == 0).collect();
        (cuts.len() > 1).then(|| self.merge(cuts, Purpose::Final).task)
    }

    fn merge(&self, inputs: Vec<&SegmentMeta>, purpose: Purpose) -> Candidate {
        let is_first = inputs.iter().all(|segment| segment.history().merges == 0);
        let bytes: u64 = inputs.iter().map(|segment| segment.bytes).sum();
        let task = CompactionTask {
            chunk: self.chunk,
            inputs: inputs.iter().map(|segment| segment.id.clone()).collect(),
            granularity: self.granularity.cloned(),
            purpose,
        };
        Candidate { task, cost_bytes: if is_first { 0 } else { bytes }, otherwise: None }
    }

    /// Nothing new has come for a while.
    fn is_closed(&self) -> bool {
        self.quiet_ms >= self.closing_ms() || self.scope.urgency == Urgency::Now
    }

    /// Late events have had their time, too.
    fn is_settled(&self) -> bool {
        let (least, most) = (self.closing_ms() * SETTLED_QUIETS, self.closing_ms() * LATE_QUIETS);
        self.quiet_ms >= self.length_ms().clamp(least, most)
    }

    /// Whether all rows are to be merged with each other, so that there is one for each key. A chunk of more segments
    /// than can be merged at once is too large for that.
    fn becomes_one(&self) -> bool {
        self.scope.schema.rollup && self.segments.len() <= INPUTS_MAX
    }

    /// Nothing would be gained by another merge.
    fn is_done(&self) -> bool {
        if !self.becomes_one() {
            return self.small().count() <= 1;
        }
        // The segments of one merge share no key.
        let first = self.segments[0];
        self.segments.len() == 1
            || self.segments.iter().all(|segment| segment.merged.is_some() && segment.id.version == first.id.version)
    }

    /// What comes to the largest of `inputs` is all that there will be; or it is a good part of that one, and the chunk
    /// has saved enough for this merge and the last one.
    fn is_worthwhile(&self, inputs: &[&SegmentMeta]) -> bool {
        let largest = inputs.iter().map(|segment| segment.bytes).max().unwrap_or_default();
        let all: u64 = inputs.iter().map(|segment| segment.bytes).sum();
        let is_good_part = (all - largest).saturating_mul(LATE_SHARE) >= largest;
        let budget: i128 = self.segments.iter().map(|segment| budget_of(segment)).sum();
        self.quiet_ms >= self.closing_ms() * LATE_QUIETS || is_good_part && 2 * i128::from(all) <= budget
    }

    /// Segments that are far from the target, oldest first.
    fn small(&self) -> impl Iterator<Item = &'a SegmentMeta> {
        let target = self.scope.policy.compaction;
        let is_small = move |segment: &&SegmentMeta| segment.rows < target.rows / 2 && segment.bytes < target.bytes / 2;
        self.segments.iter().copied().filter(is_small)
    }

    /// How many cuts make a tier: about the root of how many a chunk has, so that it never has many of either.
    fn fan_in(&self) -> usize {
        let cuts = self.length_ms() / CUT_AGE_MS;
        (cuts.isqrt() as usize).clamp(16, 64)
    }

    /// The quiet after which a chunk is closed: bounded, so that multiples of it stay numbers.
    fn closing_ms(&self) -> i64 {
        self.scope.policy.compaction.quiet_ms.clamp(0, i64::MAX / LATE_QUIETS)
    }

    fn length_ms(&self) -> i64 {
        self.chunk.end().0 - self.chunk.start().0
    }
}

#[cfg(test)]
mod tests;
