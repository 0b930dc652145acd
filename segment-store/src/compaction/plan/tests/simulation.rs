//! Days of cuts with late events, and the merges that they lead to: how much is written, and what remains.

use proptest::prelude::*;

use super::*;

const DAY_MS: i64 = 24 * HOUR_MS;

/// What comes, from a seed.
#[derive(Debug, Clone)]
struct Workload {
    seed: u64,
    rollup: bool,
    /// Hours of a time chunk.
    chunk_hours: i64,
    /// Of a hundred rows, how many are late.
    late_percent: u64,
    /// Rows of a cut, about.
    cut_rows: u64,
    days: i64,
}

fn workload() -> impl Strategy<Value = Workload> {
    let chunk_hours = prop::sample::select(vec![1, 6, 24]);
    (any::<u64>(), any::<bool>(), chunk_hours, 0_u64..20, 1_u64..2_000, 1_i64..3).prop_map(
        |(seed, rollup, chunk_hours, late_percent, cut_rows, days)| Workload {
            seed,
            rollup,
            chunk_hours,
            late_percent,
            cut_rows,
            days,
        },
    )
}

/// The live segments, and the bytes so far.
struct Simulation {
    workload: Workload,
    random: u64,
    segments: Vec<SegmentMeta>,
    commits: u64,
    cut_bytes: u64,
    written_bytes: u64,
}

impl Simulation {
    fn new(workload: Workload) -> Self {
        let random = workload.seed | 1;
        Self { workload, random, segments: Vec::new(), commits: 0, cut_bytes: 0, written_bytes: 0 }
    }

    /// Uniform in `0..bound` (xorshift64).
    fn below(&mut self, bound: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random >> 16) % bound
    }

    fn chunk_of(&self, time_ms: i64) -> Interval {
        let length = self.workload.chunk_hours * HOUR_MS;
        let start = time_ms.div_euclid(length) * length;
        Interval::new(TimestampMs(start), TimestampMs(start + length)).unwrap()
    }

    fn write(&mut self, chunk: Interval, rows: u64, now_ms: i64, shard: u32) -> SegmentMeta {
        let sample = SegmentMeta::sample();
        self.written_bytes += rows * 10;
        SegmentMeta {
            id: SegmentId { chunk, version: format!("{:08}", self.commits), shard, ..sample.id },
            rows,
            bytes: rows * 10,
            written_at: Some(TimestampMs(now_ms)),
            ..sample
        }
    }

    /// A cut: the current chunk, and now and then some of the last day's.
    fn cut(&mut self, now_ms: i64) {
        self.commits += 1;
        let rows = 1 + self.workload.cut_rows / 2 + self.below(self.workload.cut_rows);
        let late_rows = rows * self.workload.late_percent / 100;
        let mut chunks = BTreeMap::from([(self.chunk_of(now_ms), rows - late_rows)]);
        for _ in 0..3 {
            let age_ms = (self.below(24 * 60) * self.below(60)) as i64 * 1_000;
            *chunks.entry(self.chunk_of(now_ms - age_ms)).or_default() += late_rows / 3;
        }
        for (chunk, rows) in chunks.into_iter().filter(|(_, rows)| *rows > 0) {
            let segment = self.write(chunk, rows, now_ms, 0);
            self.cut_bytes += segment.bytes;
            self.segments.push(segment);
        }
    }

    /// Does what the plan says until it says nothing more. Nothing shrinks: the worst case.
    fn compact(&mut self, now_ms: i64) {
        let schema = schema(self.workload.rollup);
        let policy = policy();
        let scope = Scope { schema: &schema, policy: &policy, urgency: Urgency::Incremental };
        for round in 0.. {
            assert!(round < 100, "the plan never ends");
            let tasks = plan(scope, &self.segments, TimestampMs(now_ms));
            if tasks.is_empty() {
                return;
            }
            for task in tasks {
                self.merge(&task, now_ms);
            }
        }
    }

    fn merge(&mut self, task: &CompactionTask, now_ms: i64) {
        let (inputs, others): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.segments).into_iter().partition(|segment| task.inputs.contains(&segment.id));
        assert_eq!(inputs.len(), task.inputs.len(), "a task names live segments, each once");
        assert!(inputs.len() > 1, "a merge of one segment changes nothing");
        self.segments = others;
        self.commits += 1;
        let rows: u64 = inputs.iter().map(|segment| segment.rows).sum();
        let pieces = rows.div_ceil(policy().compaction.rows);
        let histories = || inputs.iter().map(SegmentMeta::history);
        for piece in 0..pieces {
            let share = |total: u64| total * (piece + 1) / pieces - total * piece / pieces;
            let mut segment = self.write(task.chunk, share(rows), now_ms, piece as u32);
            segment.merged = Some(MergeHistory {
                merges: 1 + histories().map(|history| history.merges).max().unwrap(),
                cut_bytes: share(histories().map(|history| history.cut_bytes).sum()),
                written_bytes: share(histories().map(|history| history.written_bytes).sum()) + segment.bytes,
            });
            self.segments.push(segment);
        }
    }

    fn assert_write_amplification(&self) {
        let (written, cut) = (self.written_bytes, self.cut_bytes);
        assert!(written <= 3 * cut, "{written} bytes were written for {cut}: {:?}", self.workload);
    }

    /// Segments of the chunk that has the most.
    fn segments_max(&self) -> usize {
        let mut chunks: BTreeMap<Interval, usize> = BTreeMap::new();
        self.segments.iter().for_each(|segment| *chunks.entry(segment.id.chunk).or_default() += 1);
        chunks.into_values().max().unwrap_or_default()
    }

    fn run(&mut self) {
        let end = self.workload.days * DAY_MS;
        for now in (0..end).step_by(CUT_AGE_MS as usize) {
            self.cut(now);
            if now % (3 * CUT_AGE_MS) != 0 {
                continue;
            }
            self.compact(now + 1);
            self.assert_write_amplification();
            let large = (288 * self.workload.cut_rows / 500) as usize;
            assert!(self.segments_max() <= 60 + large, "{} segments in a chunk", self.segments_max());
        }
        for now in (end..end + 2 * DAY_MS).step_by(4 * HOUR_MS as usize) {
            self.compact(now);
        }
        self.assert_write_amplification();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_stays_within_three_times_what_was_cut(workload in workload()) {
        let mut simulation = Simulation::new(workload.clone());
        simulation.run();
        let rows: u64 = simulation.segments.iter().map(|segment| segment.rows).sum();
        prop_assert_eq!(rows * 10, simulation.cut_bytes);
        // In the end chunks are as merged as they can be, but for some that late events came to again and again.
        let (schema, policy) = (schema(workload.rollup), policy());
        let scope = Scope { schema: &schema, policy: &policy, urgency: Urgency::Now };
        let left = plan(scope, &simulation.segments, TimestampMs(100 * DAY_MS)).len();
        let chunks = (workload.days * 24 / workload.chunk_hours) as usize + 24;
        prop_assert!(left == 0 || workload.late_percent > 0 && left <= chunks / 4, "{left} of {chunks} chunks are left");
    }
}
