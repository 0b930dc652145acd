//! Retention rules in Druid's JSON: the first rule that speaks of a time chunk decides whether it stays.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::time::{Interval, Period, TimestampMs};

/// One rule. `load` keeps a time chunk that it touches, `drop` retires one that it covers as a whole.
///
/// ```
/// # use henge_segment_store::retention::Rule;
/// let rule: Rule = serde_json::from_str(r#"{"type":"loadByPeriod","period":"P30D"}"#)?;
/// assert_eq!(rule.to_string(), "loadByPeriod P30D");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Rule {
    LoadForever {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tiered_replicants: Option<Replicants>,
    },
    LoadByPeriod {
        period: Period,
        /// Also chunks that lie in the future.
        #[serde(default = "yes")]
        include_future: bool,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tiered_replicants: Option<Replicants>,
    },
    LoadByInterval {
        interval: RuleInterval,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tiered_replicants: Option<Replicants>,
    },
    DropForever,
    DropByPeriod {
        period: Period,
        /// Also chunks that end in the future.
        #[serde(default = "yes")]
        include_future: bool,
    },
    DropBeforeByPeriod {
        period: Period,
    },
    DropByInterval {
        interval: RuleInterval,
    },
}

/// How many copies Druid would keep in each of its tiers. Kept for clients that read their rules back; without a meaning
/// here.
pub type Replicants = BTreeMap<String, u64>;

fn yes() -> bool {
    true
}

/// An interval as Druid writes it: `start/end`, where one of the two may be a period (`2026-01-01/P1M`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RuleInterval(pub Interval);

/// A rule that means nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    #[error("`{0}` is not an interval: write `START/END`, two ISO-8601 instants of which one may be a period")]
    Interval(String),
    #[error("rule {0} is never asked: the rule before it decides about every time chunk")]
    Unreachable(usize),
    #[error("{0} rules are given; a datasource has at most {RULES_MAX}")]
    TooMany(usize),
}

const RULES_MAX: usize = 1_000;

impl Rule {
    /// Whether `chunk` stays (`true`) or goes (`false`); `None` where this rule says nothing about it.
    ///
    /// The boundaries are Druid's: a load rule speaks of every chunk that it overlaps, a drop rule of those that lie in it
    /// as a whole.
    pub fn keeps(&self, chunk: Interval, now: TimestampMs) -> Option<bool> {
        let (start, end) = (chunk.start(), chunk.end());
        match self {
            Self::LoadForever { .. } => Some(true),
            Self::LoadByPeriod { period, include_future, .. } => {
                let overlaps = period.before(now) < end && (*include_future || start < now);
                overlaps.then_some(true)
            }
            Self::LoadByInterval { interval, .. } => interval.0.intersect(chunk).map(|_| true),
            Self::DropForever => Some(false),
            Self::DropByPeriod { period, include_future } => {
                let covers = period.before(now) <= start && (*include_future || end <= now);
                covers.then_some(false)
            }
            Self::DropBeforeByPeriod { period } => (end <= period.before(now)).then_some(false),
            Self::DropByInterval { interval } => {
                (interval.0.start() <= start && end <= interval.0.end()).then_some(false)
            }
        }
    }

    /// Whether rules can be kept: bounded in number, and none stands behind one that always decides.
    pub fn check_all(rules: &[Self]) -> Result<(), RuleError> {
        if rules.len() > RULES_MAX {
            return Err(RuleError::TooMany(rules.len()));
        }
        let always = rules.iter().position(|rule| matches!(rule, Self::LoadForever { .. } | Self::DropForever));
        match always {
            Some(at) if at + 1 < rules.len() => Err(RuleError::Unreachable(at + 2)),
            _ => Ok(()),
        }
    }
}

/// The rules that keep what is younger than `period` and nothing else.
pub fn keep_for(period: Period) -> Vec<Rule> {
    vec![Rule::LoadByPeriod { period, include_future: true, tiered_replicants: None }, Rule::DropForever]
}

/// The period, if the rules are those of [`keep_for`].
pub fn kept_for(rules: &[Rule]) -> Option<Period> {
    match rules {
        [Rule::LoadByPeriod { period, include_future: true, tiered_replicants: None }, Rule::DropForever] => {
            Some(*period)
        }
        _ => None,
    }
}

/// The type and what it speaks of: for logs and for the reason that stands in the manifest.
impl fmt::Display for Rule {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LoadForever { .. } => out.write_str("loadForever"),
            Self::LoadByPeriod { period, .. } => write!(out, "loadByPeriod {period}"),
            Self::LoadByInterval { interval, .. } => write!(out, "loadByInterval {}", interval.0),
            Self::DropForever => out.write_str("dropForever"),
            Self::DropByPeriod { period, .. } => write!(out, "dropByPeriod {period}"),
            Self::DropBeforeByPeriod { period } => write!(out, "dropBeforeByPeriod {period}"),
            Self::DropByInterval { interval } => write!(out, "dropByInterval {}", interval.0),
        }
    }
}

impl TryFrom<String> for RuleInterval {
    type Error = RuleError;

    fn try_from(text: String) -> Result<Self, RuleError> {
        let read = || {
            let (start, end) = text.split_once('/')?;
            let (start, end) = match (TimestampMs::parse_iso(start), TimestampMs::parse_iso(end)) {
                (Some(start), Some(end)) => (start, end),
                (Some(start), None) => (start, end.parse::<Period>().ok()?.after(start)),
                (None, Some(end)) => (start.parse::<Period>().ok()?.before(end), end),
                (None, None) => return None,
            };
            Interval::new(start, end)
        };
        read().map(Self).ok_or_else(|| RuleError::Interval(text.clone()))
    }
}

impl From<RuleInterval> for String {
    fn from(interval: RuleInterval) -> Self {
        interval.0.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY_MS: i64 = 86_400_000;

    fn rule(json: &str) -> Rule {
        serde_json::from_str(json).unwrap_or_else(|error| panic!("{json}: {error}"))
    }

    /// `days` after 1970-01-01.
    fn days(start: i64, end: i64) -> Interval {
        Interval::new(TimestampMs(start * DAY_MS), TimestampMs(end * DAY_MS)).unwrap()
    }

    #[test]
    fn rules_speak_of_chunks_as_druid_says() {
        let now = TimestampMs(100 * DAY_MS);
        let cases = [
            (r#"{"type":"loadForever","tieredReplicants":{"_default_tier":2}}"#, days(0, 1), Some(true)),
            (r#"{"type":"dropForever"}"#, days(0, 1), Some(false)),
            (r#"{"type":"loadByPeriod","period":"P10D"}"#, days(89, 91), Some(true)),
            (r#"{"type":"loadByPeriod","period":"P10D"}"#, days(89, 90), None),
            (r#"{"type":"loadByPeriod","period":"P10D"}"#, days(200, 201), Some(true)),
            (r#"{"type":"loadByPeriod","period":"P10D","includeFuture":false}"#, days(200, 201), None),
            (r#"{"type":"loadByPeriod","period":"P10D","includeFuture":false}"#, days(99, 101), Some(true)),
            (r#"{"type":"dropByPeriod","period":"P10D"}"#, days(90, 91), Some(false)),
            (r#"{"type":"dropByPeriod","period":"P10D"}"#, days(89, 91), None),
            (r#"{"type":"dropByPeriod","period":"P10D"}"#, days(200, 201), Some(false)),
            (r#"{"type":"dropByPeriod","period":"P10D","includeFuture":false}"#, days(99, 101), None),
            (r#"{"type":"dropBeforeByPeriod","period":"P10D"}"#, days(89, 90), Some(false)),
            (r#"{"type":"dropBeforeByPeriod","period":"P10D"}"#, days(89, 91), None),
            (r#"{"type":"loadByInterval","interval":"1970-01-11/1970-01-21"}"#, days(20, 21), None),
            (r#"{"type":"loadByInterval","interval":"1970-01-11/P10D"}"#, days(19, 21), Some(true)),
            (r#"{"type":"dropByInterval","interval":"P10D/1970-01-21"}"#, days(10, 20), Some(false)),
            (r#"{"type":"dropByInterval","interval":"1970-01-11/1970-01-21"}"#, days(19, 21), None),
        ];
        for (json, chunk, expected) in cases {
            assert_eq!(rule(json).keeps(chunk, now), expected, "{json} {chunk}");
        }
    }

    #[test]
    fn rules_read_back_equal() {
        for json in [
            r#"{"type":"loadForever","tieredReplicants":{"_default_tier":2}}"#,
            r#"{"type":"dropForever"}"#,
            r#"{"type":"loadByPeriod","period":"P1M","includeFuture":false}"#,
            r#"{"type":"dropBeforeByPeriod","period":"P30D"}"#,
            r#"{"type":"dropByInterval","interval":"2026-01-01T00:00:00.000Z/2026-02-01T00:00:00.000Z"}"#,
        ] {
            assert_eq!(serde_json::to_string(&rule(json)).unwrap(), json);
        }
    }

    #[test]
    fn what_is_no_rule_is_refused() {
        for json in [
            r#"{"type":"broadcastForever"}"#,
            r#"{"type":"loadByPeriod"}"#,
            r#"{"type":"loadByPeriod","period":"0d"}"#,
            r#"{"type":"dropByInterval","interval":"2026-02-01/2026-01-01"}"#,
            r#"{"type":"dropByInterval","interval":"P1D/P1D"}"#,
        ] {
            assert!(serde_json::from_str::<Rule>(json).is_err(), "{json}");
        }
    }

    #[test]
    fn a_rule_behind_one_that_always_decides_is_an_error() {
        let drop = Rule::DropForever;
        let keep = Rule::LoadForever { tiered_replicants: None };
        assert_eq!(Rule::check_all(&[]), Ok(()));
        assert_eq!(Rule::check_all(&keep_for("30d".parse().unwrap())), Ok(()));
        assert_eq!(Rule::check_all(&[keep.clone(), drop.clone()]), Err(RuleError::Unreachable(2)));
        assert_eq!(Rule::check_all(&vec![drop; 1_001]), Err(RuleError::TooMany(1_001)));
    }
}
