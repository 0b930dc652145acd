//! What is read next, and how fast: decided from values alone.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::segment::SegmentId;
use crate::time::TimestampMs;

/// How hard the scrub works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScrubPolicy {
    /// On average, over everything that is read.
    pub bytes_per_s: u64,
    /// From the beginning of one pass over all segments to the beginning of the next.
    pub pass_every: Duration,
    /// How soon a damaged segment is looked at again: a good copy may be back.
    pub damaged_every: Duration,
}

impl Default for ScrubPolicy {
    /// A terabyte in a day; a directory of an hour's size once a day.
    fn default() -> Self {
        Self {
            bytes_per_s: 12 << 20,
            pass_every: Duration::from_secs(24 * 3_600),
            damaged_every: Duration::from_secs(60),
        }
    }
}

/// What to do now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NextScrub {
    Check(SegmentId),
    /// Nothing is due before this time.
    Wait(TimestampMs),
}

/// Where the scrub is in its pass, in the order of ids.
#[derive(Debug, Default)]
pub(super) struct ScrubPlan {
    policy: ScrubPolicy,
    pass_began: Option<TimestampMs>,
    /// The last segment of this pass that was looked at.
    after: Option<SegmentId>,
    /// When damaged segments were looked at last.
    looked_at: BTreeMap<SegmentId, TimestampMs>,
}

impl ScrubPlan {
    pub fn new(policy: ScrubPolicy) -> Self {
        Self { policy, ..Self::default() }
    }

    /// Chooses among the live segments, which come in ascending order, each with whether it is in quarantine.
    pub fn next(&mut self, live: &[(SegmentId, bool)], now: TimestampMs) -> NextScrub {
        let again = later(now, -millis(self.policy.damaged_every));
        let is_due = |id: &SegmentId| self.looked_at.get(id).is_none_or(|&looked| looked <= again);
        if let Some((id, _)) = live.iter().find(|(id, is_damaged)| *is_damaged && is_due(id)) {
            return NextScrub::Check(id.clone());
        }
        let began = *self.pass_began.get_or_insert(now);
        if let Some((id, _)) = live.iter().find(|(id, _)| self.after.as_ref().is_none_or(|after| id > after)) {
            return NextScrub::Check(id.clone());
        }
        let pass_due = later(began, millis(self.policy.pass_every));
        if pass_due <= now && !live.is_empty() {
            (self.pass_began, self.after) = (None, None);
            self.looked_at.retain(|id, _| live.binary_search_by(|(live, _)| live.cmp(id)).is_ok());
            return self.next(live, now);
        }
        let soon = later(now, millis(self.policy.damaged_every));
        NextScrub::Wait(if pass_due > now { pass_due.min(soon) } else { soon })
    }

    /// Notes what was found. A damaged segment comes again soon, any other in the next pass.
    pub fn checked(&mut self, id: &SegmentId, is_damaged: bool, now: TimestampMs) {
        match is_damaged {
            true => self.looked_at.insert(id.clone(), now),
            false => self.looked_at.remove(id),
        };
        if self.after.as_ref().is_none_or(|after| id > after) {
            self.after = Some(id.clone());
        }
    }
}

/// Spreads bytes over time: short bursts are followed by rests, so that the rate holds on average.
#[derive(Debug)]
pub(super) struct Pace {
    bytes_per_s: u64,
    /// Of the bytes taken so far, what does not fit into the time that passed.
    owed: Duration,
}

impl Pace {
    pub fn new(bytes_per_s: u64) -> Self {
        Self { bytes_per_s: bytes_per_s.max(1), owed: Duration::ZERO }
    }

    /// How long to rest after `bytes` that took `spent`, the time since the last rest.
    pub fn rest_after(&mut self, bytes: u64, spent: Duration) -> Duration {
        let due = Duration::from_secs_f64(bytes as f64 / self.bytes_per_s as f64);
        self.owed = (self.owed + due).saturating_sub(spent);
        // Rests shorter than a timer's tick are saved up.
        if self.owed < Duration::from_millis(5) { Duration::ZERO } else { std::mem::take(&mut self.owed) }
    }
}

fn later(time: TimestampMs, millis: i64) -> TimestampMs {
    TimestampMs(time.0.saturating_add(millis))
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::DataSourceName;
    use crate::time::Interval;

    const HOUR: i64 = 3_600_000;

    fn id(version: u32) -> SegmentId {
        let chunk = Interval::new(TimestampMs(0), TimestampMs(HOUR)).unwrap();
        let data_source = DataSourceName::new("usage").unwrap();
        SegmentId { data_source, chunk, version: format!("{version:08}"), shard: 0 }
    }

    fn plan() -> ScrubPlan {
        let policy = ScrubPolicy {
            bytes_per_s: 1,
            pass_every: Duration::from_secs(3_600),
            damaged_every: Duration::from_secs(60),
        };
        ScrubPlan::new(policy)
    }

    /// Takes steps at one time until there is nothing to do; every segment of `damaged` is found damaged.
    fn run(plan: &mut ScrubPlan, live: &[SegmentId], damaged: &[SegmentId], now: i64) -> (Vec<SegmentId>, i64) {
        let mut checked = Vec::new();
        let mut live: Vec<(SegmentId, bool)> = live.iter().map(|id| (id.clone(), false)).collect();
        loop {
            match plan.next(&live, TimestampMs(now)) {
                NextScrub::Wait(until) => return (checked, until.0),
                NextScrub::Check(id) => {
                    let is_damaged = damaged.contains(&id);
                    plan.checked(&id, is_damaged, TimestampMs(now));
                    live.iter_mut().find(|(live, _)| *live == id).unwrap().1 = is_damaged;
                    checked.push(id);
                }
            }
        }
    }

    #[test]
    fn a_pass_takes_every_segment_once_and_the_next_begins_in_its_time() {
        let mut plan = plan();
        let live = [id(1), id(2), id(3)];
        assert_eq!(run(&mut plan, &live, &[], 1_000), (live.to_vec(), 61_000));
        assert_eq!(run(&mut plan, &live, &[], HOUR), (vec![], HOUR + 1_000));
        // One was merged away, and one came since the pass: it is greater than what was seen.
        let live = [id(1), id(3), id(4)];
        assert_eq!(run(&mut plan, &live, &[], HOUR + 500), (vec![id(4)], HOUR + 1_000));
        assert_eq!(run(&mut plan, &live, &[], HOUR + 1_000).0, live.to_vec());
        assert_eq!(run(&mut plan, &[], &[], 9 * HOUR), (vec![], 9 * HOUR + 60_000));
    }

    #[test]
    fn a_damaged_segment_is_looked_at_every_minute_until_it_is_whole() {
        let mut plan = plan();
        let live = [(id(1), false), (id(2), true), (id(3), false)];
        let mut at = |now: i64, is_damaged: bool| {
            let mut live = live.clone();
            live[1].1 = is_damaged;
            plan.next(&live, TimestampMs(now))
        };
        // A query found it damaged, so it comes first.
        assert_eq!(at(0, true), NextScrub::Check(id(2)));
        plan.checked(&id(2), true, TimestampMs(0));
        let ids = live.clone().map(|(id, _)| id);
        assert_eq!(run(&mut plan, &ids, &[], 0).0, [id(3)]);
        let mut at = |now: i64| plan.next(&live, TimestampMs(now));
        assert_eq!(at(59_999), NextScrub::Wait(TimestampMs(119_999)));
        assert_eq!(at(60_000), NextScrub::Check(id(2)));
        plan.checked(&id(2), true, TimestampMs(60_000));
        assert_eq!(plan.next(&live, TimestampMs(60_001)), NextScrub::Wait(TimestampMs(120_001)));
        plan.checked(&id(2), false, TimestampMs(120_000));
        assert_eq!(run(&mut plan, &ids, &[], 200_000), (vec![], 260_000));
    }

    #[test]
    fn rests_hold_the_rate_on_average_and_are_never_shorter_than_a_tick() {
        let mut pace = Pace::new(1_000_000);
        let spent = Duration::from_micros(300);
        let rests: Vec<Duration> = (0..1_000).map(|_| pace.rest_after(1_000, spent)).collect();
        assert!(rests.iter().all(|rest| rest.is_zero() || *rest >= Duration::from_millis(5)), "{rests:?}");
        let total = rests.iter().sum::<Duration>() + spent * 1_000;
        assert!(total <= Duration::from_secs(1) && total > Duration::from_millis(994), "{total:?}");
        // Slower than the rate already: no rest.
        assert_eq!(Pace::new(1_000_000).rest_after(1_000, Duration::from_secs(1)), Duration::ZERO);
    }
}
