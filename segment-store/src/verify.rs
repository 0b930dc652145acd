//! Checks a whole data directory without becoming its writer, and beside a server that goes on writing.
//!
//! files listed -> manifest replayed -> segments read -> what the server did meanwhile -> files that nothing names
//!
//! Nothing is changed. What a running server does during the check is no finding: segments that it retires meanwhile need
//! not be there any more, and files that it writes need not be named yet.

mod chain;
mod orphans;
mod report;
mod rows;
mod segment_file;
mod serving_rows;
mod tiling;
mod writers;

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use futures::StreamExt;

use self::chain::{Chain, Origin};
use self::segment_file::{FileCounts, Problem};
use crate::error::StoreError;
use crate::reader::StoreReader;
use crate::segment::SegmentMeta;
use crate::time::TimestampMs;

pub use report::{Check, Checked, Finding, Report, Severity};

/// Segments that are read at once: each holds its whole file in memory.
const SEGMENTS_AT_ONCE: usize = 4;

/// How far a check is, in bytes of segment files.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    pub done_bytes: u64,
    pub total_bytes: u64,
}

/// Checks the manifest, every live segment, and that no file is left over. `now` tells old files from new ones.
///
/// Damage is a finding. An error means that the check could not be made.
pub async fn directory(
    reader: &StoreReader,
    now: TimestampMs,
    progress: impl FnMut(Progress),
) -> Result<Report, StoreError> {
    let mut report = Report::default();
    let files = reader.objects.walk("").await?;
    let mut chain = Chain::replay(reader.objects.clone(), &mut report).await?;
    let live = chain.state.data_sources.values().flat_map(|state| state.segments.values());
    let wanted: Vec<_> = live.map(|meta| (meta.clone(), chain.origins.get(&meta.id).cloned())).collect();
    let problems = read_segments(reader, wanted, &mut report, progress).await?;
    chain.catch_up().await?;
    let is_live = |meta: &SegmentMeta| {
        let known = chain.state.data_sources.get(&meta.id.data_source);
        known.is_some_and(|known| known.segments.contains_key(&meta.id))
    };
    report.findings.extend(problems.iter().filter(|(meta, _)| is_live(meta)).map(|(meta, problem)| problem.of(meta)));
    orphans::find(&files, &chain, now, &mut report);
    Ok(report)
}

/// Checks the files of these segments alone.
pub async fn segments(
    reader: &StoreReader,
    wanted: Vec<SegmentMeta>,
    progress: impl FnMut(Progress),
) -> Result<Report, StoreError> {
    let mut report = Report::default();
    let wanted = wanted.into_iter().map(|meta| (meta, None)).collect();
    let problems = read_segments(reader, wanted, &mut report, progress).await?;
    report.findings.extend(problems.iter().map(|(meta, problem)| problem.of(meta)));
    Ok(report)
}

/// Reads every segment's file. What is found comes in the order of `wanted`.
async fn read_segments(
    reader: &StoreReader,
    wanted: Vec<(SegmentMeta, Option<Arc<Origin>>)>,
    report: &mut Report,
    mut progress: impl FnMut(Progress),
) -> Result<Vec<(SegmentMeta, Problem)>, StoreError> {
    let mut at = Progress { done_bytes: 0, total_bytes: wanted.iter().map(|(meta, _)| meta.bytes).sum() };
    progress(at);
    let checks = wanted.into_iter().map(|(meta, origin)| check_segment(reader, meta, origin));
    let mut checks = futures::stream::iter(checks).buffered(SEGMENTS_AT_ONCE);
    let mut problems = Vec::new();
    while let Some((meta, checked)) = checks.next().await {
        at.done_bytes += meta.bytes;
        progress(at);
        report.checked.segments += 1;
        match checked? {
            Ok(counts) => {
                report.checked.bytes += meta.bytes;
                report.checked.rows += counts.rows;
                report.checked.events += meta.events;
                match counts.serving {
                    Some(Err(problem)) => problems.push((meta, problem)),
                    serving => report.checked.serving_forms += u64::from(serving.is_some()),
                }
            }
            Err(problem) => problems.push((meta, problem)),
        }
    }
    Ok(problems)
}

type Checking = Result<Result<FileCounts, Problem>, StoreError>;

async fn check_segment(
    reader: &StoreReader,
    meta: SegmentMeta,
    origin: Option<Arc<Origin>>,
) -> (SegmentMeta, Checking) {
    let bytes = match reader.objects.get(&meta.path).await {
        Ok(Some(bytes)) => bytes,
        Ok(None) => return (meta, Ok(Err(Problem::missing()))),
        Err(error) => return (meta, Err(error)),
    };
    let checking = {
        let (meta, serving) = (meta.clone(), reader.serving_path(&meta.id));
        // One that cannot be read is none: it is made anew.
        let check = move || segment_file::check(&bytes, read(&serving), &meta, origin.as_deref());
        tokio::task::spawn_blocking(check)
    };
    // A file whose digest is right was written that way: decoders that panic over it are a finding like any other.
    let checked = checking.await.unwrap_or_else(|_| Err(Problem::unreadable("a decoder panicked over it".to_owned())));
    (meta, Ok(checked))
}

/// A file of the cache, where there is one.
fn read(path: &Path) -> Option<Bytes> {
    std::fs::read(path).ok().map(Bytes::from)
}

#[cfg(test)]
pub(crate) mod tests;
