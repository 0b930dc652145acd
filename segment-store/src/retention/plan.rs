use std::collections::BTreeMap;

use super::Rule;
use crate::segment::{SegmentId, SegmentMeta};
use crate::time::{Interval, TimestampMs};

/// Segments that one rule retires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retirement {
    pub rule: Rule,
    pub segments: Vec<SegmentId>,
}

/// What `rules` retire now, one entry for each rule that does, in the order of the rules. A time chunk that no rule
/// speaks of stays. A chunk goes as a whole or not at all.
pub fn plan<'a>(
    rules: &[Rule],
    segments: impl IntoIterator<Item = &'a SegmentMeta>,
    now: TimestampMs,
) -> Vec<Retirement> {
    let mut chunks: BTreeMap<Interval, Vec<&SegmentId>> = BTreeMap::new();
    for segment in segments {
        chunks.entry(segment.id.chunk).or_default().push(&segment.id);
    }
    let mut retired: Vec<Vec<SegmentId>> = vec![Vec::new(); rules.len()];
    for (chunk, ids) in chunks {
        let verdict = rules.iter().enumerate().find_map(|(at, rule)| Some((at, rule.keeps(chunk, now)?)));
        if let Some((rule, false)) = verdict {
            retired[rule].extend(ids.into_iter().cloned());
        }
    }
    let retirements = rules.iter().zip(retired).filter(|(_, segments)| !segments.is_empty());
    retirements.map(|(rule, segments)| Retirement { rule: rule.clone(), segments }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::retention::keep_for;
    use crate::segment::SegmentMeta;

    const DAY_MS: i64 = 86_400_000;

    fn day(number: i64, shard: u32) -> SegmentMeta {
        let start = TimestampMs(number * DAY_MS);
        let chunk = Interval::new(start, TimestampMs(start.0 + DAY_MS)).unwrap();
        let sample = SegmentMeta::sample();
        SegmentMeta { id: SegmentId { chunk, shard, ..sample.id }, ..sample }
    }

    fn days(retirements: &[Retirement]) -> Vec<(String, Vec<(i64, u32)>)> {
        let day_of = |id: &SegmentId| (id.chunk.start().0 / DAY_MS, id.shard);
        let of =
            |retirement: &Retirement| (retirement.rule.to_string(), retirement.segments.iter().map(day_of).collect());
        retirements.iter().map(of).collect()
    }

    #[test]
    fn the_first_rule_that_speaks_of_a_chunk_decides() {
        let segments: Vec<_> = (0..10).map(|number| day(number, 0)).collect();
        let now = TimestampMs(10 * DAY_MS);
        let rules: Vec<Rule> = serde_json::from_str(
            r#"[{"type":"loadByInterval","interval":"1970-01-02/1970-01-03"},
                {"type":"dropByInterval","interval":"1970-01-01/1970-01-04"},
                {"type":"loadByPeriod","period":"P2D"},
                {"type":"dropBeforeByPeriod","period":"P4D"}]"#,
        )
        .unwrap();
        let expected = [
            ("dropByInterval 1970-01-01T00:00:00.000Z/1970-01-04T00:00:00.000Z".to_owned(), vec![(0, 0), (2, 0)]),
            ("dropBeforeByPeriod P4D".to_owned(), vec![(3, 0), (4, 0), (5, 0)]),
        ];
        assert_eq!(days(&plan(&rules, &segments, now)), expected);
    }

    #[test]
    fn a_chunk_goes_only_when_it_is_wholly_outside_and_then_with_all_its_segments() {
        let segments = [day(0, 0), day(0, 1), day(1, 0)];
        let rules = keep_for("P1D".parse().unwrap());
        assert_eq!(days(&plan(&rules, &segments, TimestampMs(2 * DAY_MS - 1))), []);
        let expected = [("dropForever".to_owned(), vec![(0, 0), (0, 1)])];
        assert_eq!(days(&plan(&rules, &segments, TimestampMs(2 * DAY_MS))), expected);
    }

    #[test]
    fn without_rules_everything_stays() {
        assert_eq!(plan(&[], &[day(0, 0)], TimestampMs::MAX), []);
    }
}
