use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::*;
use crate::clock;
use crate::data_source::DataSource;
use crate::event::{DimensionValue, EventRow, MeasureValue};
use crate::ledger::{Gap, GapCause, LedgerCounts, Reason};
use crate::manifest::{Change, ConsumedRange, ManifestRecord};
use crate::schema::{Aggregation, DataSourceName, DataSourceSchema, Dimension, DimensionType, Measure};
use crate::segment::{ParquetSegment, SortedColumn, encode_serving};
use crate::store::{Consumed, Store, StoreOptions};
use crate::stream::{Offset, OffsetRange, StreamPartition};

fn options(root: &Path) -> StoreOptions {
    StoreOptions::local(root)
}

fn schema() -> DataSourceSchema {
    DataSourceSchema {
        dimensions: vec![
            Dimension { name: "org".into(), kind: DimensionType::String },
            Dimension { name: "load".into(), kind: DimensionType::Double },
        ],
        measures: vec![Measure { name: "events".into(), aggregation: Aggregation::Count }],
        sort: Vec::new(),
        tenant: None,
        rollup: true,
        query_granularity: "1m".parse().unwrap(),
        segment_granularity: "1h".parse().unwrap(),
    }
}

fn event(number: i64) -> EventRow {
    let mut row = EventRow::new(2, 1);
    row.time = TimestampMs(number * 77_777 % 7_200_000);
    if number % 5 > 0 {
        row.set_dimension(0, DimensionValue::String(["eu", "us", "", "\u{e9}"][number as usize % 4]));
        row.set_dimension(1, DimensionValue::Double([0.0, -0.0, -1.5, f64::MAX][number as usize % 4]));
    }
    row.set_measure(0, MeasureValue::Null);
    row
}

fn partition() -> StreamPartition {
    StreamPartition { topic: "t".into(), partition: 0 }
}

/// One record of each hundred is refused.
fn consumed(start: i64, end: i64) -> Consumed {
    let mut counts = LedgerCounts { accepted: (end - start - 1) as u64, ..Default::default() };
    counts.refuse(Reason::Malformed);
    let range = OffsetRange { start: Offset(start), end: Offset(end) };
    let range = ConsumedRange { partition: partition(), range, topic_id: None, leader_epoch: None, counts };
    Consumed { ranges: vec![range], ..Consumed::default() }
}

fn gap(from: i64, to: i64) -> Gap {
    let (from, to) = (Offset(from), Offset(to));
    Gap { partition: partition(), from, to, cause: GapCause::Retention, found_at: TimestampMs(0) }
}

async fn publish(store: &Store, usage: &DataSource, start: i64, gaps: Vec<Gap>) -> Vec<SegmentMeta> {
    usage.append(&(start..start + 99).map(event).collect::<Vec<_>>());
    let consumed = Consumed { gaps, ..consumed(start, start + 100) };
    store.publish(usage, &usage.cut(), consumed).await.unwrap()
}

/// Three publishes, a gap before the last one.
pub(crate) async fn filled(root: &Path) -> (Arc<Store>, Arc<DataSource>, Vec<SegmentMeta>) {
    let store = Store::open(options(root)).await.unwrap();
    let name = DataSourceName::new("usage").unwrap();
    store.put_supervisor(&name, schema(), serde_json::json!({}), false, Default::default()).await.unwrap();
    let usage = store.data_source("usage").unwrap();
    let mut published = Vec::new();
    for (start, gaps) in [(0, vec![]), (100, vec![]), (250, vec![gap(200, 250)])] {
        published.extend(publish(&store, &usage, start, gaps).await);
    }
    (store, usage, published)
}

async fn check(root: &Path) -> Report {
    let reader = StoreReader::new(&options(root)).unwrap();
    directory(&reader, clock::now(), |_| {}).await.unwrap()
}

/// Severity, check and detail of each finding.
fn found(report: &Report) -> Vec<(Severity, Check, &str)> {
    report.findings.iter().map(|finding| (finding.severity, finding.check, finding.detail.as_str())).collect()
}

fn record_path(root: &Path, number: u64) -> PathBuf {
    root.join(format!("store/manifest/records/{number:020}"))
}

#[tokio::test]
async fn a_sound_directory_has_no_findings_also_beside_its_server() {
    let root = tempfile::tempdir().unwrap();
    let (_store, _usage, published) = filled(root.path()).await;
    let mut steps = Vec::new();
    let reader = StoreReader::new(&options(root.path())).unwrap();
    let report = directory(&reader, clock::now(), |progress| steps.push(progress)).await.unwrap();
    assert_eq!(report.findings, []);
    let sum = |count: fn(&SegmentMeta) -> u64| published.iter().map(count).sum::<u64>();
    let expected = Checked {
        records: 5,
        data_sources: 1,
        partitions: 1,
        segments: published.len() as u64,
        bytes: sum(|meta| meta.bytes),
        rows: sum(|meta| meta.rows),
        events: 297,
        serving_forms: published.len() as u64,
        ..Checked::default()
    };
    assert_eq!(report.checked, expected);
    assert!(expected.segments == 6 && expected.rows < 297, "{expected:?}");
    let last = Progress { done_bytes: expected.bytes, total_bytes: expected.bytes };
    assert_eq!((steps.len(), steps.last()), (7, Some(&last)));
}

/// What a test breaks, which finding it has to lead to.
type Breakage = (fn(&Path, &[SegmentMeta]), Severity, Check, &'static str);

fn overwrite(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = std::fs::read(path).unwrap();
    change(&mut bytes);
    std::fs::write(path, bytes).unwrap();
}

fn segment_path(root: &Path, meta: &SegmentMeta) -> PathBuf {
    root.join("store").join(&meta.path)
}

const BREAKAGES: [Breakage; 9] = [
    (
        |root, metas| std::fs::remove_file(segment_path(root, &metas[2])).unwrap(),
        Severity::Error,
        Check::SegmentFile,
        "its file is not there",
    ),
    (
        |root, metas| overwrite(&segment_path(root, &metas[2]), |bytes| bytes[100] ^= 4),
        Severity::Error,
        Check::SegmentDigest,
        "its digest is not the manifest's",
    ),
    (
        |root, metas| overwrite(&segment_path(root, &metas[2]), |bytes| bytes.truncate(100)),
        Severity::Error,
        Check::SegmentDigest,
        "it has 100 bytes instead of",
    ),
    (
        |root, _| overwrite(&record_path(root, 3), |bytes| *bytes.last_mut().unwrap() ^= 1),
        Severity::Error,
        Check::ManifestChain,
        "its digest does not match its bytes",
    ),
    (
        |root, _| std::fs::remove_file(record_path(root, 3)).unwrap(),
        Severity::Error,
        Check::ManifestChain,
        "it is missing, but later records exist",
    ),
    (
        |root, _| std::fs::copy(record_path(root, 2), record_path(root, 3)).map(|_| ()).unwrap(),
        Severity::Error,
        Check::ManifestChain,
        "it calls itself record 2",
    ),
    (
        |root, _| forge(root, 3, |record| record.previous = "0".repeat(64)),
        Severity::Error,
        Check::ManifestChain,
        "it does not name the digest of the record before it",
    ),
    (
        |root, _| std::fs::write(root.join("store/manifest/records/notes"), "").unwrap(),
        Severity::Warning,
        Check::ManifestChain,
        "its name is no number",
    ),
    (
        |root, _| std::fs::remove_dir_all(root.join("store/manifest")).unwrap(),
        Severity::Error,
        Check::ManifestChain,
        "there is no manifest record",
    ),
];

/// Writes a record anew, with a digest that is right.
fn forge(root: &Path, number: u64, change: impl FnOnce(&mut ManifestRecord)) {
    overwrite(&record_path(root, number), |bytes| {
        let (mut record, _) = ManifestRecord::decode(bytes).unwrap();
        change(&mut record);
        *bytes = record.encode().0;
    });
}

#[tokio::test]
async fn each_damage_is_found_once_and_named() {
    for (break_it, severity, check_kind, detail) in BREAKAGES {
        let root = tempfile::tempdir().unwrap();
        let (.., metas) = filled(root.path()).await;
        break_it(root.path(), &metas);
        let report = check(root.path()).await;
        let [finding] = &report.findings[..] else { panic!("{detail}: {:?}", report.findings) };
        assert_eq!((finding.severity, finding.check), (severity, check_kind), "{finding:?}");
        assert!(finding.detail.starts_with(detail), "{finding:?}");
        assert!(!finding.advice.is_empty() && !finding.object.is_empty(), "{finding:?}");
        assert_eq!(report.is_sound(), severity == Severity::Warning);
    }
}

/// The digests are right in all of these: someone wrote what is wrong.
#[tokio::test]
async fn a_record_that_contradicts_those_before_it_is_found_by_both_sums() {
    type Lie = (fn(&mut crate::manifest::Publish), &'static [(Check, &'static str)]);
    let lies: [Lie; 4] = [
        (
            |publish| publish.consumed[0].range = OffsetRange { start: Offset(110), end: Offset(210) },
            &[
                (Check::Tiling, "offsets 100 to 110 were skipped without a recorded gap"),
                (Check::ManifestChain, "datasource `usage`: what was read does not follow the published checkpoint"),
            ],
        ),
        (
            |publish| publish.consumed[0].range.start = Offset(90),
            &[
                (Check::Tiling, "range [90, 200) overlaps what was consumed up to 100"),
                (Check::ManifestChain, "datasource `usage`: what was read does not follow the published checkpoint"),
            ],
        ),
        (
            |publish| publish.consumed[0].counts.accepted += 7,
            &[
                (Check::Ledger, "107 records are counted in 100 offsets"),
                (Check::Ledger, "106 accepted and 0 retired events became 99"),
                (Check::ManifestChain, "datasource `usage`: the ledger does not balance"),
            ],
        ),
        (
            |publish| publish.generation = 4,
            &[
                (Check::Tiling, "it was read in generation 4, this is 0"),
                (Check::ManifestChain, "datasource `usage`: the ledger does not balance"),
            ],
        ),
    ];
    for (lie, expected) in lies {
        let root = tempfile::tempdir().unwrap();
        filled(root.path()).await;
        forge(root.path(), 3, |record| {
            let Change::Publish(publish) = &mut record.change else { panic!("record 3 publishes") };
            lie(publish);
        });
        let report = check(root.path()).await;
        let found = found(&report);
        assert_eq!(found.len(), expected.len(), "{found:?}");
        for ((_, check, detail), (expected_check, expected_detail)) in found.into_iter().zip(expected) {
            assert!(check == *expected_check && detail.starts_with(expected_detail), "{check:?}: {detail}");
        }
    }
}

/// M5
#[tokio::test]
async fn a_record_of_a_process_that_was_no_writer_is_found() {
    let root = tempfile::tempdir().unwrap();
    filled(root.path()).await;
    forge(root.path(), 4, |record| record.epoch = 0);
    let report = check(root.path()).await;
    let detail = "it was written in epoch 0, when another process had its slot";
    assert_eq!(found(&report), [(Severity::Error, Check::Writer, detail)]);
}

#[tokio::test]
async fn a_snapshot_that_says_something_else_is_an_error_and_a_damaged_one_a_warning() {
    let root = tempfile::tempdir().unwrap();
    let (store, usage, _) = filled(root.path()).await;
    for number in 0..62 {
        store.set_suspended(usage.name(), number % 2 == 0).await.unwrap();
    }
    let snapshot = root.path().join(format!("store/manifest/snapshots/{:020}", 64));
    let sound = check(root.path()).await;
    assert_eq!((found(&sound), sound.checked.snapshots, sound.checked.records), (vec![], 1, 67));

    let good = std::fs::read(&snapshot).unwrap();
    let (mut state, _) = crate::manifest::decode_checked::<crate::manifest::ManifestState>(&good).unwrap();
    state.data_sources.get_mut(usage.name()).unwrap().segments.pop_first();
    std::fs::write(&snapshot, crate::manifest::encode_checked(&state).0).unwrap();
    let lying = check(root.path()).await;
    let detail = "it disagrees with the records before it on `usage`";
    assert_eq!(found(&lying), [(Severity::Error, Check::ManifestSnapshot, detail)]);

    std::fs::write(&snapshot, &good[..good.len() - 1]).unwrap();
    let damaged = check(root.path()).await;
    assert_eq!(damaged.findings.len(), 1);
    assert_eq!((damaged.findings[0].severity, damaged.findings[0].check), (Severity::Warning, Check::ManifestSnapshot));

    // A server starts from the snapshot, so the check goes on from there as well.
    std::fs::write(&snapshot, good).unwrap();
    std::fs::remove_file(record_path(root.path(), 30)).unwrap();
    let jumped = check(root.path()).await;
    let detail = "it is missing, but later records exist";
    assert_eq!(found(&jumped), [(Severity::Error, Check::ManifestChain, detail)]);
    assert_eq!((jumped.checked.segments, jumped.checked.records), (6, 33));
}

#[tokio::test]
async fn a_file_that_nothing_names_is_a_warning_once_it_is_old() {
    let root = tempfile::tempdir().unwrap();
    filled(root.path()).await;
    let folder = root.path().join("store/segments/usage");
    std::fs::write(folder.join("lost.parquet"), [0; 70]).unwrap();
    std::fs::write(root.path().join("store/manifest/records/.7.1.0.tmp"), [0; 9]).unwrap();
    assert_eq!(check(root.path()).await.findings, []);
    let reader = StoreReader::new(&options(root.path())).unwrap();
    let report = directory(&reader, TimestampMs(clock::now().0 + 2 * 3_600_000), |_| {}).await.unwrap();
    let found: Vec<_> = report.findings.iter().map(|it| (it.object.as_str(), it.detail.as_str(), it.bytes)).collect();
    let expected = [
        ("manifest/records/.7.1.0.tmp", "it was never finished", Some(9)),
        ("segments/usage/lost.parquet", "no manifest record names it", Some(70)),
    ];
    assert_eq!(found, expected);
    assert!(report.is_sound());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_goes_on_publishing_causes_no_finding() {
    let root = tempfile::tempdir().unwrap();
    let (store, usage, _) = filled(root.path()).await;
    let publishing = tokio::spawn(async move {
        for batch in 0..40 {
            publish(&store, &usage, 350 + batch * 100, vec![]).await;
        }
    });
    while !publishing.is_finished() {
        assert_eq!(check(root.path()).await.findings, []);
    }
    publishing.await.unwrap();
    assert_eq!(check(root.path()).await.checked.segments, 86);
}

#[tokio::test]
async fn single_segments_can_be_checked_and_a_report_reads_back_equal() {
    let root = tempfile::tempdir().unwrap();
    let (.., metas) = filled(root.path()).await;
    std::fs::remove_file(segment_path(root.path(), &metas[1])).unwrap();
    let reader = StoreReader::new(&options(root.path())).unwrap();
    let report = segments(&reader, metas[..2].to_vec(), |_| {}).await.unwrap();
    assert_eq!((report.checked.segments, report.checked.bytes), (2, metas[0].bytes));
    assert_eq!(
        found(&report),
        [(Severity::Error, Check::SegmentFile, &*format!("its file is not there (`{}`)", metas[1].path))]
    );
    let json = serde_json::to_string(&report).unwrap();
    assert!(json.contains(r#""severity":"error","check":"segment_file","object":"usage_"#), "{json}");
    assert_eq!(serde_json::from_str::<Report>(&json).unwrap(), report);
}

#[tokio::test]
async fn a_serving_form_that_is_damaged_is_a_warning_and_one_with_other_rows_an_error() {
    let root = tempfile::tempdir().unwrap();
    let (.., metas) = filled(root.path()).await;
    let reader = StoreReader::new(&options(root.path())).unwrap();
    let serving = |at: usize| reader.serving_path(&metas[at].id);
    let good = std::fs::read(serving(0)).unwrap();
    overwrite(&serving(0), |bytes| bytes[3] ^= 1);
    let damaged = check(root.path()).await;
    assert_eq!((damaged.findings.len(), damaged.checked.serving_forms), (1, 5));
    assert_eq!((damaged.findings[0].severity, damaged.findings[0].check), (Severity::Warning, Check::ServingFile));

    std::fs::copy(serving(1), serving(0)).unwrap();
    let other = check(root.path()).await;
    let expected = (Severity::Warning, Check::ServingFile, "it was made from another Parquet file");
    assert_eq!(found(&other), [expected]);

    // All checksums are right in these two: they were made of other rows.
    let file = ParquetSegment::open(reader.file(&metas[0]).await.unwrap()).unwrap();
    let digest = *blake3::hash(&reader.file(&metas[0]).await.unwrap()).as_bytes();
    let mut rows = file.rows().unwrap();
    let SortedColumn::Longs(events) = &mut rows.measures[0] else { panic!("events are counted") };
    events.values[7] += 1;
    std::fs::write(serving(0), encode_serving(&rows, digest)).unwrap();
    let detail = "`events` of row 7 is not what the Parquet file says";
    assert_eq!(found(&check(root.path()).await), [(Severity::Error, Check::ServingRows, detail)]);

    std::fs::write(serving(0), good).unwrap();
    std::fs::remove_file(serving(1)).unwrap();
    let sound = check(root.path()).await;
    assert_eq!((found(&sound), sound.checked.serving_forms), (vec![], 5));
}
