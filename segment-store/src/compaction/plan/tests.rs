mod simulation;

use super::*;
use crate::retention::Rule;
use crate::segment::MergeHistory;
use crate::upkeep::{CompactionTarget, RollupTier};

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;

fn schema(rollup: bool) -> DataSourceSchema {
    DataSourceSchema {
        dimensions: vec![],
        measures: vec![],
        rollup,
        query_granularity: "1s".parse().unwrap(),
        segment_granularity: "1h".parse().unwrap(),
        sort: vec![],
        tenant: None,
    }
}

/// Targets of 1,000 rows, and of bytes that are never reached.
fn policy() -> UpkeepPolicy {
    let compaction = CompactionTarget { rows: 1_000, bytes: 1 << 40, ..CompactionTarget::default() };
    UpkeepPolicy { compaction, ..UpkeepPolicy::default() }
}

/// A cut's segment of the hour `hour`, written `minute` minutes after 1970 began, of `rows` rows of 10 bytes.
fn cut(hour: i64, minute: i64, rows: u64) -> SegmentMeta {
    let chunk = Interval::new(TimestampMs(hour * HOUR_MS), TimestampMs((hour + 1) * HOUR_MS)).unwrap();
    let sample = SegmentMeta::sample();
    SegmentMeta {
        id: SegmentId { chunk, version: format!("{minute:08}"), ..sample.id },
        bytes: rows * 10,
        rows,
        events: rows,
        written_at: Some(TimestampMs(minute * MINUTE_MS)),
        ..sample
    }
}

/// Like [`cut`], but made by the merge of one cut into another that is forgotten.
fn merged(hour: i64, minute: i64, shard: u32, rows: u64) -> SegmentMeta {
    let mut segment = cut(hour, minute, rows);
    segment.id.shard = shard;
    let history = MergeHistory { merges: 1, cut_bytes: segment.bytes, written_bytes: 2 * segment.bytes };
    SegmentMeta { merged: Some(history), ..segment }
}

fn run(rollup: bool, policy: &UpkeepPolicy, urgency: Urgency, segments: &[SegmentMeta], minute: i64) -> Vec<String> {
    let schema = schema(rollup);
    let scope = Scope { schema: &schema, policy, urgency };
    let tasks = plan(scope, segments, TimestampMs(minute * MINUTE_MS));
    let shown = |task: &CompactionTask| {
        let inputs: Vec<String> =
            task.inputs.iter().map(|id| format!("{}.{}", id.version.trim_start_matches('0'), id.shard)).collect();
        let hour = task.chunk.start().0 / HOUR_MS;
        let granularity = task.granularity.as_ref().map(|granularity| format!(" to {granularity}")).unwrap_or_default();
        format!("{:?} {hour}: {}{granularity}", task.purpose, inputs.join(" "))
    };
    tasks.iter().map(shown).collect()
}

fn incremental(rollup: bool, segments: &[SegmentMeta], minute: i64) -> Vec<String> {
    run(rollup, &policy(), Urgency::Incremental, segments, minute)
}

const NOTHING: [&str; 0] = [];

#[test]
fn an_open_chunk_waits_for_a_tier_of_small_segments() {
    let mut cuts: Vec<_> = (1..16).map(|minute| cut(0, minute, 10)).collect();
    cuts.push(cut(0, 16, 700));
    assert_eq!(incremental(true, &cuts, 20), NOTHING);
    cuts.push(cut(0, 17, 10));
    let expected = "Tier 0: 1.0 2.0 3.0 4.0 5.0 6.0 7.0 8.0 9.0 10.0 11.0 12.0 13.0 14.0 15.0 17.0";
    assert_eq!(incremental(true, &cuts, 20), [expected]);
}

#[test]
fn a_closed_chunk_is_merged_once_nothing_has_come_for_a_while() {
    let cuts = [cut(0, 55, 600), cut(0, 60, 300), cut(0, 65, 300)];
    assert_eq!(incremental(true, &cuts, 74), NOTHING);
    assert_eq!(incremental(true, &cuts, 75), ["Final 0: 55.0 60.0 65.0"]);
    // Without rollup a segment that is large enough stays as it is.
    assert_eq!(incremental(false, &cuts, 75), ["Final 0: 60.0 65.0"]);
    assert_eq!(incremental(true, &cuts[..1], 75), NOTHING);
    assert_eq!(incremental(false, &cuts[..2], 75), NOTHING);
}

#[test]
fn the_segments_of_one_merge_are_done() {
    let pieces = [merged(0, 75, 0, 900), merged(0, 75, 1, 900), merged(0, 75, 2, 100)];
    assert_eq!(incremental(true, &pieces, 10_000), NOTHING);
    assert_eq!(incremental(false, &pieces, 10_000), NOTHING);
    let two_merges = [merged(0, 75, 0, 900), merged(0, 76, 0, 900)];
    assert_eq!(incremental(true, &two_merges, 10_000), ["Final 0: 75.0 76.0"]);
    assert_eq!(incremental(false, &two_merges, 10_000), NOTHING);
}

#[test]
fn late_segments_join_the_large_ones_when_they_amount_to_something_or_are_the_last() {
    let settled = 200 + 60;
    let a_few = [merged(0, 75, 0, 800), cut(0, 190, 40), cut(0, 200, 40)];
    assert_eq!(incremental(true, &a_few, settled - 1), NOTHING);
    assert_eq!(incremental(true, &a_few, settled), ["Final 0: 190.0 200.0"]);
    assert_eq!(incremental(true, &a_few, 200 + 24 * 60), ["Final 0: 75.0 190.0 200.0"]);
    // Rolling up has left a third of what the cuts wrote.
    let history = MergeHistory { merges: 1, cut_bytes: 24_000, written_bytes: 32_000 };
    let shrunk = SegmentMeta { merged: Some(history), ..merged(0, 75, 0, 800) };
    let many = [shrunk, cut(0, 190, 60), cut(0, 200, 40)];
    assert_eq!(incremental(true, &many, settled), ["Final 0: 75.0 190.0 200.0"]);
    let one = [merged(0, 75, 0, 800), cut(0, 200, 40)];
    assert_eq!(incremental(true, &one, settled), NOTHING);
    assert_eq!(incremental(true, &one, 200 + 24 * 60), ["Final 0: 75.0 200.0"]);
}

#[test]
fn what_was_written_too_often_is_left_alone() {
    let spent = MergeHistory { merges: 2, cut_bytes: 8_000, written_bytes: 24_000 };
    let large = SegmentMeta { merged: Some(spent), ..merged(0, 75, 0, 800) };
    let segments = [large, cut(0, 190, 60), cut(0, 200, 60)];
    assert_eq!(incremental(true, &segments, 100_000), ["Final 0: 190.0 200.0"]);
    // Another chunk has saved what this one costs.
    let saved = [&segments[..], &[merged(5, 375, 0, 800)]].concat();
    assert_eq!(incremental(true, &saved, 100_000), ["Final 0: 75.0 190.0 200.0"]);
    let now = run(true, &policy(), Urgency::Now, &segments, 201);
    assert_eq!(now, ["Final 0: 75.0 190.0 200.0"]);
}

#[test]
fn an_operator_need_not_wait_for_a_chunk_to_end() {
    let segments = [merged(0, 5, 0, 10), cut(0, 20, 10), cut(1, 20, 10)];
    assert_eq!(run(true, &policy(), Urgency::Now, &segments, 20), ["Final 0: 5.0 20.0"]);
}

#[test]
fn the_most_urgent_and_the_newest_come_first() {
    let tier: Vec<_> = (0..16).map(|number| cut(4, 250 + number, 10)).collect();
    let cuts = [cut(0, 60, 10), cut(0, 61, 10), cut(2, 180, 10), cut(2, 181, 10)];
    let planned = incremental(true, &[&cuts[..], &tier].concat(), 280);
    let starts: Vec<&str> = planned.iter().map(|task| task.split_once(':').unwrap().0).collect();
    assert_eq!(starts, ["Tier 4", "Final 2", "Final 0"]);
}

#[test]
fn old_chunks_are_rolled_up_to_the_coarsest_tier_that_is_due() {
    let tier = |after: &str, to: &str| RollupTier { after: after.parse().unwrap(), granularity: to.parse().unwrap() };
    let tiers = vec![tier("2h", "1m"), tier("4h", "1h")];
    let policy = UpkeepPolicy { rollup_after: tiers, retention: vec![Rule::DropForever], ..policy() };
    let planned = |segments: &[SegmentMeta], minute| run(true, &policy, Urgency::Incremental, segments, minute);
    let whole = [merged(0, 75, 0, 800), merged(0, 75, 1, 800)];
    assert_eq!(planned(&whole, 179), NOTHING);
    assert_eq!(planned(&whole, 180), ["Reroll 0: 75.0 75.1 to PT1M"]);
    assert_eq!(planned(&whole[..1], 300), ["Reroll 0: 75.0 to PT1H"]);
    let minutes = |segment: SegmentMeta| SegmentMeta { query_granularity: Some("1m".parse().unwrap()), ..segment };
    let history = MergeHistory { merges: 2, cut_bytes: 8_000, written_bytes: 16_500 };
    let rolled = SegmentMeta { merged: Some(history), ..minutes(merged(0, 180, 0, 50)) };
    assert_eq!(planned(std::slice::from_ref(&rolled), 299), NOTHING);
    // A few late rows wait, and are rolled up with the others then.
    assert_eq!(planned(&[rolled.clone(), cut(0, 190, 5)], 255), NOTHING);
    assert_eq!(planned(&[rolled.clone(), cut(0, 190, 8)], 255), ["Final 0: 180.0 190.0 to PT1M"]);
    assert_eq!(planned(&[rolled, cut(0, 190, 5)], 300), ["Reroll 0: 180.0 190.0 to PT1H"]);
    let hours = SegmentMeta { query_granularity: Some("1h".parse().unwrap()), ..merged(0, 300, 0, 5) };
    assert_eq!(planned(&[hours], 1_000_000), NOTHING);
    // Where nothing is rolled up, nothing is re-rolled.
    assert_eq!(run(false, &policy, Urgency::Incremental, &whole, 300), NOTHING);
}
