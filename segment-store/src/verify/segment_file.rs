//! One segment's file, held against the manifest.

use arrow::array::RecordBatch;
use bytes::Bytes;

use super::chain::Origin;
use super::report::{Check, Finding, Severity};
use super::rows;
use super::serving_rows::{self, ServingRows};
use crate::schema::DataSourceSchema;
use crate::segment::{Footer, FooterError, SegmentId, SegmentMeta};

const RESTORE: &str = "restore the file from a backup, or read its offsets again from Kafka after a reset";
const REPORT: &str = "keep the file and report it: its digest is right, so it was written like this";

/// What a good file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FileCounts {
    pub rows: u64,
    /// How the serving form compares with it, where there is one.
    pub serving: Option<Result<(), Problem>>,
}

/// The first thing that is wrong with a segment's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    pub check: Check,
    pub detail: String,
    advice: &'static str,
}

impl Problem {
    pub fn missing() -> Self {
        Self { check: Check::SegmentFile, detail: "its file is not there".to_owned(), advice: RESTORE }
    }

    pub fn unreadable(detail: String) -> Self {
        Self { check: Check::SegmentRows, detail, advice: REPORT }
    }

    fn footer(detail: String) -> Self {
        Self { check: Check::SegmentFooter, detail, advice: REPORT }
    }

    fn serving_file(detail: String) -> Self {
        Self { check: Check::ServingFile, detail, advice: "leave it: the next query makes it anew" }
    }

    fn serving_rows(detail: String) -> Self {
        let advice =
            "keep a copy and report it, then delete it: queries read what it says, and the next one makes it anew";
        Self { check: Check::ServingRows, detail, advice }
    }

    pub fn of(&self, meta: &SegmentMeta) -> Finding {
        let finding = Finding::error(self.check, &meta.id, format!("{} (`{}`)", self.detail, meta.path), self.advice);
        match self.check {
            Check::ServingFile => Finding { severity: Severity::Warning, detail: self.detail.clone(), ..finding },
            Check::ServingRows => Finding { detail: self.detail.clone(), ..finding },
            _ => finding,
        }
    }
}

/// Checks length and digest, then the footer, then every row, and the serving form beside them. `origin` is what the segment was made from, where that is
/// known.
pub(super) fn check(
    file: &Bytes,
    serving: Option<Bytes>,
    meta: &SegmentMeta,
    origin: Option<&Origin>,
) -> Result<FileCounts, Problem> {
    meta.check(file).map_err(|detail| Problem { check: Check::SegmentDigest, detail, advice: RESTORE })?;
    let footer = Footer::parse(file, file.len() as u64).map_err(|error| match error {
        FooterError::NeedsTail(_) => Problem::footer("its footer is cut off".to_owned()),
        FooterError::Invalid(detail) => Problem::footer(detail),
    })?;
    agrees(&footer, meta, origin).map_err(Problem::footer)?;
    let schema = &footer.provenance.schema;
    let mut comparison = serving.map(|file| Comparison::new(file, meta, schema));
    rows::check(file, meta, schema, |batch| {
        if let Some(comparison) = &mut comparison {
            comparison.take(batch);
        }
    })
    .map_err(Problem::unreadable)?;
    Ok(FileCounts { rows: footer.rows, serving: comparison.map(Comparison::finish) })
}

/// A serving form, as long as nothing is wrong with it.
enum Comparison {
    Going(ServingRows),
    Ended(Problem),
}

impl Comparison {
    fn new(file: Bytes, meta: &SegmentMeta, schema: &DataSourceSchema) -> Self {
        let serving = match serving_rows::open(file, meta) {
            Ok(serving) => serving,
            Err(detail) => return Self::Ended(Problem::serving_file(detail)),
        };
        match serving_rows::check_indexes(&serving) {
            Ok(()) => Self::Going(ServingRows::new(serving, meta, schema)),
            Err(detail) => Self::Ended(Problem::serving_rows(detail)),
        }
    }

    fn take(&mut self, batch: &RecordBatch) {
        if let Self::Going(rows) = self
            && let Err(detail) = rows.compare(batch)
        {
            *self = Self::Ended(Problem::serving_rows(detail));
        }
    }

    fn finish(self) -> Result<(), Problem> {
        match self {
            Self::Going(rows) => rows.finish().map_err(Problem::serving_rows),
            Self::Ended(problem) => Err(problem),
        }
    }
}

/// Whether the footer says what the manifest says (invariant S3).
fn agrees(footer: &Footer, meta: &SegmentMeta, origin: Option<&Origin>) -> Result<(), String> {
    let provenance = &footer.provenance;
    if provenance.id != meta.id {
        return Err(format!("it calls itself `{}`", provenance.id));
    }
    for (name, found) in [("the footer", footer.rows), ("its provenance", provenance.rows)] {
        if found != meta.rows {
            return Err(format!("{name} counts {found} rows, the manifest {}", meta.rows));
        }
    }
    if u32::try_from(meta.rows).is_err() {
        return Err(format!("it has {} rows, more than 32 bits count", meta.rows));
    }
    if provenance.events != meta.events {
        return Err(format!("its provenance counts {} events, the manifest {}", provenance.events, meta.events));
    }
    let Some(origin) = origin else { return Ok(()) };
    if origin.consumed != provenance.consumed {
        return Err("its provenance names other offset ranges than the record that published it".to_owned());
    }
    let is_replaced = |id: &SegmentId| origin.merged_from.contains(id);
    if provenance.merged_from.is_empty() != origin.merged_from.is_empty()
        || !provenance.merged_from.iter().all(is_replaced)
    {
        return Err("its provenance names other segments than those that its record replaces".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::StoreError;
    use crate::reader::StoreReader;
    use crate::store::StoreOptions;
    use crate::verify::tests::filled;

    async fn file() -> (Bytes, SegmentMeta) {
        let root = tempfile::tempdir().unwrap();
        let (.., metas) = filled(root.path()).await;
        let reader = StoreReader::new(&StoreOptions::local(root.path())).unwrap();
        (reader.file(&metas[0]).await.unwrap(), metas[0].clone())
    }

    /// Whatever the bytes are, the footer is read or refused, and the digest refuses them all.
    fn assert_noticed(damaged: &Bytes, meta: &SegmentMeta, place: &str) {
        let problem = check(damaged, None, meta, None).unwrap_err();
        assert_eq!(problem.check, Check::SegmentDigest, "{place}");
        assert!(meta.check(damaged).is_err(), "{place}");
        let _whatever_it_says = Footer::parse(damaged, damaged.len() as u64);
    }

    #[tokio::test]
    async fn a_flipped_bit_in_any_byte_and_a_cut_at_any_length_are_noticed() {
        let (file, meta) = file().await;
        check(&file, None, &meta, None).unwrap();
        for at in 0..file.len() {
            let mut damaged = file.to_vec();
            damaged[at] ^= 1 << (at % 8);
            assert_noticed(&damaged.into(), &meta, &format!("bit {} of byte {at}", at % 8));
            assert_noticed(&file.slice(..at), &meta, &format!("cut at {at}"));
        }
    }

    /// The way of a query, without a serving form: the file is damaged where it lies.
    #[tokio::test]
    async fn no_query_gets_rows_from_a_damaged_file_and_all_get_them_from_a_restored_one() {
        let root = tempfile::tempdir().unwrap();
        let (_store, usage, metas) = filled(root.path()).await;
        let segment = usage.published_segments().swap_remove(0);
        let path = root.path().join("store").join(&metas[0].path);
        let good = std::fs::read(&path).unwrap();
        segment.discard_serving();
        let assert_refused = |damaged: &[u8], place: &str| {
            std::fs::write(&path, damaged).unwrap();
            let refused = segment.serving(&["org"]).unwrap_err();
            assert!(matches!(&refused, StoreError::Corrupt { id, .. } if *id == metas[0].id), "{place}: {refused}");
        };
        for at in (0..good.len()).step_by(7) {
            let mut damaged = good.clone();
            damaged[at] ^= 1 << (at % 8);
            assert_refused(&damaged, &format!("bit {} of byte {at}", at % 8));
            assert_refused(&good[..at], &format!("cut at {at}"));
        }
        std::fs::write(&path, &good).unwrap();
        let serving = segment.serving(&["org"]).unwrap();
        assert_eq!((u64::from(serving.row_count()), segment.damage().is_some()), (metas[0].rows, false));
    }

    #[tokio::test]
    async fn a_footer_that_disagrees_with_the_manifest_is_found() {
        let (file, meta) = file().await;
        let other = |change: fn(&mut SegmentMeta)| {
            let mut meta = meta.clone();
            change(&mut meta);
            check(&file, None, &meta, None).unwrap_err()
        };
        let consumed = Footer::parse(&file, file.len() as u64).unwrap().provenance.consumed;
        let found = [
            other(|meta| meta.rows += 1),
            other(|meta| meta.events += 1),
            other(|meta| meta.id.shard += 1),
            check(&file, None, &meta, Some(&Origin::default())).unwrap_err(),
            check(&file, None, &meta, Some(&Origin { consumed, merged_from: vec![meta.id.clone()] })).unwrap_err(),
        ];
        assert!(found.iter().all(|problem| problem.check == Check::SegmentFooter), "{found:?}");
        let (rows, events) = (meta.rows, meta.events);
        let expected = [
            format!("the footer counts {rows} rows, the manifest {}", rows + 1),
            format!("its provenance counts {events} events, the manifest {}", events + 1),
            format!("it calls itself `{}`", meta.id),
            "its provenance names other offset ranges than the record that published it".to_owned(),
            "its provenance names other segments than those that its record replaces".to_owned(),
        ];
        assert_eq!(found.map(|problem| problem.detail), expected);
    }
}
