//! Every record is accepted, rejected or filtered, and the ledger says how many of each (invariant M3).

use serde_json::{Value, json};

use crate::henge::{Henge, wait_for, wait_while_it_gets_on};
use crate::production::Plan;

pub const DATA_SOURCES: [&str; 2] = ["usage", "events"];

/// What the supervisor says of its records; null while it says nothing.
fn records(henge: &Henge, data_source: &str) -> Value {
    henge.try_status(data_source).map_or(Value::Null, |mut status| status["records"].take())
}

/// Waits until both datasources have seen every record, and nothing is left to read although the topic ends with
/// control records that nobody sees.
pub fn wait_until_all_is_read(henge: &Henge, plan: &Plan) {
    let expected = plan.record_count();
    for data_source in DATA_SOURCES {
        wait_while_it_gets_on(&format!("{data_source} has seen {expected} records"), || {
            let seen = records(henge, data_source)["seen"].as_u64().unwrap_or(0);
            assert!(seen <= expected, "{data_source} saw {seen} records, but only {expected} were produced");
            if seen == expected { Ok(()) } else { Err(seen) }
        });
        wait_for("lag is 0", || (henge.status(data_source)["aggregateLag"] == 0).then_some(()));
    }
}

pub fn assert_is_exact(henge: &Henge, plan: &Plan) {
    let tombstones = plan.refused()[crate::workload::TOMBSTONE];
    let expected = json!({
        "seen": plan.record_count(),
        "accepted": plan.event_count(),
        "rejected": plan.record_count() - plan.event_count() - tombstones,
        "filtered": tombstones,
        "refusedByReason": plan.refused(),
    });
    for data_source in DATA_SOURCES {
        assert_eq!(records(henge, data_source), expected, "{data_source}");
    }
}
