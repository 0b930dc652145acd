//! Which files nothing needs any more (invariant G1): a file goes once it has been seen without a use for the whole grace
//! period, and is itself no younger.
//!
//! The grace period leaves time to restore the manifest from a backup that still names a file. After a restart it begins
//! anew, so a file stays too long rather than too short.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::durable_file::TEMPORARY_SUFFIX;
use crate::objects::ObjectEntry;
use crate::time::TimestampMs;

/// Where segments lie; nothing else is ever deleted, but for files that were never finished.
const SEGMENTS: &str = "segments/";

/// What a sweep deleted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    pub files: u64,
    pub bytes: u64,
}

/// Since when files have been without a use.
#[derive(Debug, Default)]
pub(crate) struct UnusedFiles {
    since: HashMap<String, Instant>,
}

impl UnusedFiles {
    /// The files that may be deleted now. `is_used` says whether the manifest, a query or a publish in flight needs one;
    /// `now` is the same moment on two clocks.
    pub fn due<'a>(
        &mut self,
        files: &'a [ObjectEntry],
        is_used: impl Fn(&str) -> bool,
        now: (Instant, TimestampMs),
        grace: Duration,
    ) -> Vec<&'a ObjectEntry> {
        let is_temporary = |path: &str| path.ends_with(TEMPORARY_SUFFIX);
        let can_go =
            |file: &&ObjectEntry| is_temporary(&file.path) || file.path.starts_with(SEGMENTS) && !is_used(&file.path);
        let unused: Vec<&ObjectEntry> = files.iter().filter(can_go).collect();
        let earlier = std::mem::take(&mut self.since);
        for file in &unused {
            let since = earlier.get(&file.path).copied().unwrap_or(now.0);
            self.since.insert(file.path.clone(), since);
        }
        let grace_ms = i64::try_from(grace.as_millis()).unwrap_or(i64::MAX);
        let is_due = |file: &&ObjectEntry| {
            now.0.duration_since(self.since[&file.path]) >= grace && now.1.0.saturating_sub(file.modified.0) >= grace_ms
        };
        unused.into_iter().filter(is_due).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRACE: Duration = Duration::from_secs(100);

    fn file(path: &str, modified_s: i64) -> ObjectEntry {
        ObjectEntry { path: path.into(), bytes: 1, modified: TimestampMs(modified_s * 1_000) }
    }

    fn paths<'a>(due: &[&'a ObjectEntry]) -> Vec<&'a str> {
        due.iter().map(|file| file.path.as_str()).collect()
    }

    #[test]
    fn only_unused_segments_and_unfinished_files_go_after_the_grace_period() {
        let files = [
            file("manifest/records/0", 0),
            file("manifest/records/.1.99.0.tmp", 0),
            file("segments/usage/hour/a.parquet", 0),
            file("segments/usage/hour/live.parquet", 0),
            file("segments/usage/hour/young.parquet", 150),
            file("something else", 0),
        ];
        let is_used = |path: &str| path.contains("live");
        let start = Instant::now();
        let at = |seconds: u64| (start + Duration::from_secs(seconds), TimestampMs(seconds as i64 * 1_000));
        let mut unused = UnusedFiles::default();
        assert_eq!(paths(&unused.due(&files, is_used, at(100), GRACE)), [""; 0]);
        assert_eq!(paths(&unused.due(&files, is_used, at(199), GRACE)), [""; 0]);
        let expected = ["manifest/records/.1.99.0.tmp", "segments/usage/hour/a.parquet"];
        assert_eq!(paths(&unused.due(&files, is_used, at(200), GRACE)), expected);
        let all =
            ["manifest/records/.1.99.0.tmp", "segments/usage/hour/a.parquet", "segments/usage/hour/young.parquet"];
        assert_eq!(paths(&unused.due(&files, is_used, at(250), GRACE)), all);
    }

    #[test]
    fn a_file_that_was_used_in_between_waits_anew() {
        let files = [file("segments/a", 0)];
        let start = Instant::now();
        let at = |seconds: u64| (start + Duration::from_secs(seconds), TimestampMs(i64::MAX));
        let mut unused = UnusedFiles::default();
        let mut count = |seconds, is_used: bool| unused.due(&files, |_| is_used, at(seconds), GRACE).len();
        assert_eq!(
            [count(0, false), count(60, true), count(120, false), count(219, false), count(220, false)],
            [0, 0, 0, 0, 1]
        );
    }
}
