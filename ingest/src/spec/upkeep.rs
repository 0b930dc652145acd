//! How long rows stay, how large their segments become, and how coarse their times once they are old.

use henge_segment_store::retention::{Rule, keep_for, kept_for};
use henge_segment_store::schema::DataSourceSchema;
use henge_segment_store::time::{Period, PeriodError};
use henge_segment_store::upkeep::{CompactionTarget, RollupTier, UpkeepPolicy};
use serde_json::{Map, Value, json};

use super::Node;
use super::fields::Fields;
use super::{granularity, period};

/// The keys of the short form that [`read`] understands.
pub(super) const KEYS: [&str; 3] = ["retention", "rollup_after", "compaction"];

pub(super) fn read(fields: &Fields<'_>) -> Option<UpkeepPolicy> {
    let retention = fields.get("retention").map_or(Some(Vec::new()), |node| read_retention(&node));
    let rollup_after = fields.get("rollup_after").map_or(Some(Vec::new()), |node| read_tiers(&node));
    let compaction = fields.get("compaction").map_or(Some(CompactionTarget::default()), |node| read_target(&node));
    Some(UpkeepPolicy { retention: retention?, rollup_after: rollup_after?, compaction: compaction? })
}

/// A length of time, or rules as Druid writes them.
fn read_retention(node: &Node<'_>) -> Option<Vec<Rule>> {
    if node.value().is_string() {
        return read_period(node).map(keep_for);
    }
    if !node.value().is_array() {
        return node.expected("a length of time such as `30d`, or a list of Druid's load and drop rules");
    }
    let rule = |node: &Node<'_>| {
        serde_json::from_value(node.value().clone()).map_err(|error| node.problem(format!("is no rule: {error}"))).ok()
    };
    let rules: Vec<Option<Rule>> = node.items()?.iter().map(rule).collect();
    rules.into_iter().collect()
}

fn read_period(node: &Node<'_>) -> Option<Period> {
    node.text()?.parse().map_err(|error: PeriodError| node.problem(error.to_string())).ok()
}

fn read_tiers(node: &Node<'_>) -> Option<Vec<RollupTier>> {
    let tier = |node: &Node<'_>| {
        let fields = node.fields(&["after", "granularity"])?;
        let after = fields.required("after", "say from which age on, such as `7d`").and_then(|node| read_period(&node));
        let granularity =
            fields.required("granularity", "say how coarse, such as `1h`").and_then(|node| granularity::read(&node));
        Some(RollupTier { after: after?, granularity: granularity? })
    };
    let tiers: Vec<Option<RollupTier>> = node.items()?.iter().map(tier).collect();
    tiers.into_iter().collect()
}

fn read_target(node: &Node<'_>) -> Option<CompactionTarget> {
    let fields = node.fields(&["rows", "bytes", "quiet"])?;
    let default = CompactionTarget::default();
    let number = |name, otherwise| fields.get(name).map_or(Some(otherwise), |node| node.number(1));
    let (rows, bytes) = (number("rows", default.rows), number("bytes", default.bytes));
    let quiet_ms = fields.get("quiet").map_or(Some(default.quiet_ms), |node| period::read(&node));
    Some(CompactionTarget { rows: rows?, bytes: bytes?, quiet_ms: quiet_ms? })
}

/// Reports what does not suit the schema.
pub(super) fn check(policy: &UpkeepPolicy, schema: &DataSourceSchema, node: &Node<'_>) -> Option<()> {
    policy.validate(schema).map_err(|error| node.problem(error.to_string())).ok()
}

/// Puts the policy into a short form that [`read`] reads back as an equal one.
pub(super) fn write(policy: &UpkeepPolicy, json: &mut Map<String, Value>) {
    match kept_for(&policy.retention) {
        _ if policy.retention.is_empty() => {}
        Some(period) => drop(json.insert("retention".into(), json!(period))),
        None => drop(json.insert("retention".into(), json!(policy.retention))),
    }
    if !policy.rollup_after.is_empty() {
        json.insert("rollup_after".into(), json!(policy.rollup_after));
    }
    let CompactionTarget { rows, bytes, quiet_ms } = policy.compaction;
    let quiet = period::write(quiet_ms);
    json.insert("compaction".into(), json!({ "rows": rows, "bytes": bytes, "quiet": quiet }));
}
