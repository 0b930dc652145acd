//! Manifests that earlier versions wrote have to be read for ever. The directories under `tests/golden` are added to,
//! never rewritten.

use super::*;
use crate::manifest::RetiredCounts;

/// Written before there were merges, retention and schema evolution.
#[tokio::test]
async fn a_manifest_without_upkeep_is_read() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/manifest_before_upkeep");
    let with_snapshot = open(&golden).await;
    let state = &with_snapshot.state().data_sources[&usage()];
    assert_eq!(with_snapshot.state().next_number, 66);
    assert_eq!((state.segments.len(), state.generation, state.resets.len()), (62, 1, 1));
    assert!(state.supervisor.is_none());
    assert_eq!(state.ledger.values().map(|counts| counts.accepted).sum::<u64>(), 620);
    assert_eq!((&state.upkeep, &state.rules), (&UpkeepPolicy::default(), &Vec::new()));
    assert_eq!(state.retired, RetiredCounts::default());
    let segment = state.segments.values().next().unwrap();
    assert_eq!((segment.written_at, segment.merged), (None, None));
    assert_eq!(segment.history().written_bytes, segment.bytes);

    let copy = tempfile::tempdir().unwrap();
    let records = copy.path().join(RECORDS);
    std::fs::create_dir_all(&records).unwrap();
    for entry in std::fs::read_dir(golden.join(RECORDS)).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), records.join(entry.file_name())).unwrap();
    }
    assert_eq!(open(copy.path()).await.state(), with_snapshot.state());
}
