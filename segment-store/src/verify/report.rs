//! What a check found.

use serde::{Deserialize, Serialize};

/// Everything that a check looked at and what is wrong with it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    pub checked: Checked,
    /// In the order in which they were found.
    pub findings: Vec<Finding>,
}

/// How much was looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checked {
    /// Manifest records.
    pub records: u64,
    /// Manifest snapshots.
    pub snapshots: u64,
    pub data_sources: u64,
    /// Stream partitions, over all datasources.
    pub partitions: u64,
    /// Live segments.
    pub segments: u64,
    /// Of the segments' files.
    pub bytes: u64,
    pub rows: u64,
    pub events: u64,
    /// Serving forms in the cache that were found equal to their segments.
    pub serving_forms: u64,
    /// Files of retired segments that wait for the sweep.
    pub retired_files: u64,
    pub retired_bytes: u64,
}

/// One thing that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    pub severity: Severity,
    pub check: Check,
    /// What it is about: a record, a segment id, a stream partition, or a path in the object store.
    pub object: String,
    pub detail: String,
    /// What a person can do.
    pub advice: String,
    /// How much space it takes, where that is the point.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Answers are right; something wants tidying.
    Warning,
    /// Answers are wrong, missing, or cannot be trusted.
    Error,
}

/// Which promise a finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// Records have consecutive numbers, name the digest of the one before, and follow from the state before.
    ManifestChain,
    /// A snapshot says what the records before it say.
    ManifestSnapshot,
    /// A record's writer owned what it moved on (invariant M5).
    Writer,
    /// Consumed ranges tile each partition (invariant M2).
    Tiling,
    /// Accepted events are in segments, and each record read is counted once (invariant M3).
    Ledger,
    /// A live segment's file is there.
    SegmentFile,
    /// Its length and digest are the manifest's.
    SegmentDigest,
    /// Its footer agrees with the manifest (invariant S3).
    SegmentFooter,
    /// Its rows lie in the time chunk, in sort order, and are as many as the manifest says (invariants S2, S3).
    SegmentRows,
    /// Its serving form can be used; it is made anew where not.
    ServingFile,
    /// Its serving form holds the same rows (invariant S4).
    ServingRows,
    /// A file that nothing names.
    Orphan,
}

impl Report {
    /// Nothing is damaged; there may be warnings.
    pub fn is_sound(&self) -> bool {
        self.count(Severity::Error) == 0
    }

    /// Findings of one severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.severity == severity).count()
    }

    pub(super) fn push(&mut self, finding: Finding) {
        self.findings.push(finding);
    }
}

impl Finding {
    pub(super) fn error(
        check: Check,
        object: impl ToString,
        detail: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        let (object, detail, advice) = (object.to_string(), detail.into(), advice.into());
        Self { severity: Severity::Error, check, object, detail, advice, bytes: None }
    }

    pub(super) fn warning(
        check: Check,
        object: impl ToString,
        detail: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self { severity: Severity::Warning, ..Self::error(check, object, detail, advice) }
    }
}
