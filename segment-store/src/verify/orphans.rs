//! Files that nothing names: what a crash or a lost publish left behind.

use std::collections::HashSet;

use super::chain::Chain;
use super::report::{Check, Finding, Report};
use crate::durable_file::TEMPORARY_SUFFIX;
use crate::objects::{KEYS, ObjectEntry};
use crate::time::TimestampMs;

/// A file is written before the record that names it, so a young one may still get its record.
const SETTLED_MS: i64 = 60 * 60 * 1_000;

/// Holds the files of the store, as they were listed before the manifest was read, against what the manifest names.
/// Where records are missing, nothing can be said.
pub(super) fn find(files: &[ObjectEntry], chain: &Chain, now: TimestampMs, report: &mut Report) {
    if !chain.is_whole {
        return;
    }
    let segments = chain.state.data_sources.values().flat_map(|state| state.segments.values());
    let live: HashSet<&str> = segments.map(|meta| meta.path.as_str()).collect();
    for file in files {
        let is_of_manifest = file.path.starts_with("manifest/") && !file.path.ends_with(TEMPORARY_SUFFIX);
        let is_key = file.path.starts_with(KEYS) && !file.path.ends_with(TEMPORARY_SUFFIX);
        if is_of_manifest || is_key || live.contains(file.path.as_str()) {
            continue;
        }
        if chain.retired.contains(&file.path) {
            report.checked.retired_files += 1;
            report.checked.retired_bytes += file.bytes;
        } else if file.modified.0 < now.0 - SETTLED_MS {
            report.push(orphan(file));
        }
    }
}

fn orphan(file: &ObjectEntry) -> Finding {
    let detail = match file.path.ends_with(TEMPORARY_SUFFIX) {
        true => "it was never finished",
        false => "no manifest record names it",
    };
    let advice = "the sweep of a running server removes it";
    Finding { bytes: Some(file.bytes), ..Finding::warning(Check::Orphan, &file.path, detail, advice) }
}
