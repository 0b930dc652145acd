//! Whether each record was written by a process that owned what it moved on (invariant M5).

use super::report::{Check, Finding, Report};
use crate::manifest::{Change, ManifestRecord, ManifestState};

const ADVICE: &str = "keep the store and call its makers: a process that was replaced has written on";

/// Holds a record's epoch against the claims before it. `before` is the state that it changes.
pub(super) fn check(record: &ManifestRecord, before: &ManifestState, report: &mut Report) {
    let mut found = |detail: String| {
        report.push(Finding::error(Check::Writer, format!("record {}", record.number), detail, ADVICE));
    };
    let epoch = record.epoch;
    if let Change::ClaimEpoch { .. } = record.change {
        if epoch <= before.epoch {
            found(format!("it claims epoch {epoch}, which is not newer than {}", before.epoch));
        }
        return;
    }
    let Some(slot) = before.slot_of(epoch) else {
        return found(format!("it was written in epoch {epoch}, when another process had its slot"));
    };
    let Change::Publish(publish) = &record.change else { return };
    if let Some(consumed) = publish.consumed.iter().find(|consumed| !slot.owns(consumed.partition.partition)) {
        found(format!("it moves {} on, which is not of its writer's slot {slot}", consumed.partition));
    }
}
