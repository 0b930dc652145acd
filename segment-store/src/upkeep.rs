//! What happens to a datasource's segments after they are published: how long they stay, how large they become, and
//! how coarse their times are once they are old.

use serde::{Deserialize, Serialize};

use crate::retention::{Rule, RuleError};
use crate::schema::DataSourceSchema;
use crate::time::{Granularity, Period, TimestampMs};

/// How a datasource is kept; part of its supervisor's spec, and in force after the supervisor is gone.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct UpkeepPolicy {
    /// Which time chunks stay, first match first; what no rule speaks of stays. The rules that an operator has set stand
    /// before these.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub retention: Vec<Rule>,
    /// Coarser times for older rows, the youngest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rollup_after: Vec<RollupTier>,
    pub compaction: CompactionTarget,
}

/// From which age on rows are rolled up to a coarser granularity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RollupTier {
    /// Between the end of a time chunk and now.
    pub after: Period,
    pub granularity: Granularity,
}

/// The segment that compaction aims at, whichever bound is reached first; and when a time chunk is complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CompactionTarget {
    pub rows: u64,
    /// Of the Parquet file.
    pub bytes: u64,
    /// A time chunk that has ended is taken to be complete when nothing new has come to it for so many milliseconds; late
    /// events get six times as long, or the chunk's length, before what is merged is merged again.
    pub quiet_ms: i64,
}

impl Default for CompactionTarget {
    /// Four million rows are enough for a scan to fill every core, and few enough that a merge holds one such segment
    /// in memory. Ten minutes are twice the age at which open segments are cut by default.
    fn default() -> Self {
        Self { rows: 4_000_000, bytes: 256 << 20, quiet_ms: 10 * 60_000 }
    }
}

/// Why a policy is not possible.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    #[error(transparent)]
    Rule(#[from] RuleError),
    #[error("rows are rolled up with age only in a datasource that rolls up")]
    NoRollup,
    #[error(
        "rolling up to {coarser} after {after} does not follow {finer}: ages ascend, and buckets nest in coarser ones"
    )]
    Tier { finer: String, coarser: String, after: Period },
    #[error("rolling up to {0} would cross the boundaries of time chunks")]
    Chunk(String),
    #[error("a compaction target of nothing would never be reached")]
    Target,
}

impl UpkeepPolicy {
    /// Whether the policy suits a datasource of this schema.
    pub fn validate(&self, schema: &DataSourceSchema) -> Result<(), PolicyError> {
        Rule::check_all(&self.retention)?;
        if self.compaction.rows == 0 || self.compaction.bytes == 0 || self.compaction.quiet_ms < 0 {
            return Err(PolicyError::Target);
        }
        if !self.rollup_after.is_empty() && !schema.rollup {
            return Err(PolicyError::NoRollup);
        }
        let (mut finer, mut younger) = (&schema.query_granularity, None);
        for RollupTier { after, granularity } in &self.rollup_after {
            let ascends =
                younger.is_none_or(|younger: Period| younger.before(TimestampMs(0)) > after.before(TimestampMs(0)));
            let is_coarser = finer.nests_in(granularity) && finer != granularity;
            if !ascends || !is_coarser {
                let (finer, coarser) = (finer.to_string(), granularity.to_string());
                return Err(PolicyError::Tier { finer, coarser, after: *after });
            }
            if !granularity.nests_in(&schema.segment_granularity) {
                return Err(PolicyError::Chunk(granularity.to_string()));
            }
            (finer, younger) = (granularity, Some(*after));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::retention::keep_for;

    fn schema() -> DataSourceSchema {
        DataSourceSchema {
            dimensions: vec![],
            measures: vec![],
            rollup: true,
            query_granularity: "1s".parse().unwrap(),
            segment_granularity: "1d".parse().unwrap(),
            sort: vec![],
            tenant: None,
        }
    }

    fn tiers(tiers: &[(&str, &str)]) -> UpkeepPolicy {
        let tier = |(after, granularity): &(&str, &str)| RollupTier {
            after: after.parse().unwrap(),
            granularity: granularity.parse().unwrap(),
        };
        UpkeepPolicy { rollup_after: tiers.iter().map(tier).collect(), ..UpkeepPolicy::default() }
    }

    #[test]
    fn ages_ascend_and_buckets_nest() {
        let valid = [&[("7d", "1m"), ("90d", "1h")] as &[_], &[("1h", "1d")], &[]];
        for policy in valid {
            assert_eq!(tiers(policy).validate(&schema()), Ok(()), "{policy:?}");
        }
        let refused = [
            (&[("90d", "1m"), ("7d", "1h")] as &[_], "rolling up to PT1H after P7D does not follow PT1M"),
            (&[("7d", "1m"), ("7d", "1h")], "rolling up to PT1H after P7D does not follow PT1M"),
            (&[("7d", "1h"), ("90d", "1m")], "rolling up to PT1M after P90D does not follow PT1H"),
            (&[("7d", "1s")], "rolling up to PT1S after P7D does not follow PT1S"),
            (&[("7d", "5m"), ("90d", "7m")], "rolling up to PT7M after P90D does not follow PT5M"),
            (&[("7d", "7h")], "rolling up to PT7H would cross the boundaries of time chunks"),
            (&[("7d", "P1M")], "rolling up to P1M would cross the boundaries of time chunks"),
        ];
        for (policy, message) in refused {
            let error = tiers(policy).validate(&schema()).unwrap_err().to_string();
            assert!(error.starts_with(message), "{policy:?}: {error}");
        }
    }

    #[test]
    fn a_policy_is_refused_for_each_other_reason() {
        let plain = DataSourceSchema { rollup: false, ..schema() };
        assert_eq!(tiers(&[("7d", "1m")]).validate(&plain), Err(PolicyError::NoRollup));
        let compaction = CompactionTarget { rows: 0, ..CompactionTarget::default() };
        let policy = UpkeepPolicy { compaction, ..UpkeepPolicy::default() };
        assert_eq!(policy.validate(&plain), Err(PolicyError::Target));
        let twice = [keep_for("30d".parse().unwrap()), vec![Rule::DropForever]].concat();
        let policy = UpkeepPolicy { retention: twice, ..UpkeepPolicy::default() };
        assert_eq!(policy.validate(&plain), Err(PolicyError::Rule(RuleError::Unreachable(3))));
    }

    #[test]
    fn an_empty_policy_is_the_default() {
        assert_eq!(serde_json::from_str::<UpkeepPolicy>("{}").unwrap(), UpkeepPolicy::default());
    }
}
