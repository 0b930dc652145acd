//! Segments that replace others, and segments that leave.

use super::*;
use crate::manifest::RetiredCounts;
use crate::retention::Rule;
use crate::schema::{ColumnHistory, Dimension, DimensionType};
use crate::segment::MergeHistory;

fn id(version: &str) -> SegmentId {
    SegmentId { version: version.into(), ..SegmentMeta::sample().id }
}

fn merge(version: &str, events: u64, retired: &[&str]) -> Change {
    let merged = Some(MergeHistory { merges: 1, cut_bytes: 2, written_bytes: 3 });
    let added = SegmentMeta { id: id(version), events, merged, ..SegmentMeta::sample() };
    let retired = retired.iter().map(|version| id(version)).collect();
    Change::Publish(Publish {
        data_source: usage(),
        generation: 0,
        added: vec![added],
        retired,
        consumed: vec![],
        refused: Default::default(),
        gaps: vec![],
    })
}

fn retire(versions: &[&str]) -> Change {
    let segments = versions.iter().map(|version| id(version)).collect();
    Change::Retire { data_source: usage(), segments, reason: "dropForever".into() }
}

/// Three segments, `a` to `c`, of 10 events each.
async fn three_segments(root: &Path) -> ManifestLog {
    let mut log = writer(root).await;
    commit(&mut log, put_supervisor()).await.unwrap();
    for (version, start) in [("a", 0), ("b", 10), ("c", 20)] {
        commit(&mut log, publish(version, start, start + 10)).await.unwrap();
    }
    log
}

fn live(log: &ManifestLog) -> Vec<(String, u64)> {
    let segments = log.state().data_sources[&usage()].segments.values();
    segments.map(|segment| (segment.id.version.clone(), segment.events)).collect()
}

/// Q3
#[tokio::test]
async fn a_merge_retires_what_it_read_and_what_came_meanwhile_stays() {
    let root = tempfile::tempdir().unwrap();
    let mut log = three_segments(root.path()).await;
    let checkpoint = log.state().data_sources[&usage()].checkpoint.clone();
    let (before, ledger) = (checkpoint.clone(), log.state().data_sources[&usage()].ledger.clone());
    commit(&mut log, merge("m", 20, &["a", "b"])).await.unwrap();
    assert_eq!(live(&log), [("c".into(), 10), ("m".into(), 20)]);
    let state = &log.state().data_sources[&usage()];
    assert_eq!((&state.checkpoint, &state.ledger), (&before, &ledger));
    assert_eq!(state.retired, RetiredCounts::default());
    assert_eq!(open(root.path()).await.state(), log.state());
}

#[tokio::test]
async fn a_merge_of_what_is_gone_or_with_other_events_changes_nothing() {
    let root = tempfile::tempdir().unwrap();
    let mut log = three_segments(root.path()).await;
    commit(&mut log, retire(&["a"])).await.unwrap();
    let refused = commit(&mut log, merge("m", 20, &["a", "b"])).await.unwrap_err();
    assert!(matches!(&refused, StoreError::NotLive { id } if id.version == "a"), "{refused}");
    let refused = commit(&mut log, merge("m", 20, &["b", "b"])).await.unwrap_err();
    assert!(matches!(&refused, StoreError::NotLive { id } if id.version == "b"), "{refused}");
    let refused = commit(&mut log, merge("m", 19, &["b", "c"])).await.unwrap_err();
    assert!(matches!(refused, StoreError::Ledger { .. }), "{refused}");
    let refused = commit(&mut log, merge("c", 10, &["b"])).await.unwrap_err();
    assert!(matches!(refused, StoreError::Ledger { .. }), "{refused}");
    assert_eq!(live(&log), [("b".into(), 10), ("c".into(), 10)]);
    assert_eq!(open(root.path()).await.state(), log.state());
}

#[tokio::test]
async fn retired_events_leave_the_books_on_record() {
    let root = tempfile::tempdir().unwrap();
    let mut log = three_segments(root.path()).await;
    commit(&mut log, retire(&["a", "c"])).await.unwrap();
    assert_eq!(live(&log), [("b".into(), 10)]);
    let state = &log.state().data_sources[&usage()];
    assert_eq!(state.retired, RetiredCounts { segments: 2, rows: 20, events: 20, bytes: 2_000 });
    let accepted: u64 = state.ledger.values().map(|counts| counts.accepted).sum();
    let events: u64 = state.segments.values().map(|segment| segment.events).sum();
    assert_eq!(accepted, events + state.retired.events);
    let again = commit(&mut log, retire(&["a"])).await.unwrap_err();
    assert!(matches!(again, StoreError::NotLive { .. }), "{again}");
    let twice = commit(&mut log, retire(&["b", "b"])).await.unwrap_err();
    assert!(matches!(twice, StoreError::NotLive { .. }), "{twice}");
    assert_eq!(open(root.path()).await.state(), log.state());
}

#[tokio::test]
async fn an_operators_rules_stand_before_the_specs_and_survive_another_spec() {
    let root = tempfile::tempdir().unwrap();
    let mut log = writer(root.path()).await;
    let Change::PutSupervisor { data_source, schema, spec, suspended, .. } = put_supervisor() else { unreachable!() };
    let put = |retention| Change::PutSupervisor {
        data_source: data_source.clone(),
        schema: schema.clone(),
        spec: spec.clone(),
        suspended,
        upkeep: UpkeepPolicy { retention, ..UpkeepPolicy::default() },
    };
    commit(&mut log, put(vec![Rule::DropForever])).await.unwrap();
    let keep = Rule::LoadByPeriod { period: "P30D".parse().unwrap(), include_future: true, tiered_replicants: None };
    let set = Change::SetRules { data_source: usage(), rules: vec![keep.clone()] };
    commit(&mut log, set).await.unwrap();
    let rules = |log: &ManifestLog| log.state().data_sources[&usage()].retention_rules().cloned().collect::<Vec<_>>();
    assert_eq!(rules(&log), [keep.clone(), Rule::DropForever]);
    commit(&mut log, put(vec![])).await.unwrap();
    assert_eq!(rules(&log), [keep]);
    assert_eq!(open(root.path()).await.state(), log.state());

    let unreachable = Change::SetRules { data_source: usage(), rules: vec![Rule::DropForever; 2] };
    let refused = commit(&mut log, unreachable).await.unwrap_err();
    assert_eq!(refused.to_string(), "rule 2 is never asked: the rule before it decides about every time chunk");
}

#[tokio::test]
async fn a_column_keeps_the_type_that_holds_all_that_was_declared_also_from_a_snapshot_without_history() {
    let root = tempfile::tempdir().unwrap();
    let mut log = writer(root.path()).await;
    let put = |kind: Option<DimensionType>| {
        let Change::PutSupervisor { data_source, mut schema, spec, suspended, upkeep } = put_supervisor() else {
            unreachable!()
        };
        schema.dimensions = kind.map(|kind| Dimension { name: "port".into(), kind }).into_iter().collect();
        Change::PutSupervisor { data_source, schema, spec, suspended, upkeep }
    };
    let kinds = |log: &ManifestLog| {
        let dimensions = &log.state().data_sources[&usage()].schema.dimensions;
        dimensions.iter().map(|dimension| dimension.kind).collect::<Vec<_>>()
    };
    commit(&mut log, put(Some(DimensionType::Double))).await.unwrap();
    commit(&mut log, put(Some(DimensionType::Long))).await.unwrap();
    assert_eq!(kinds(&log), [DimensionType::Double]);
    commit(&mut log, put(None)).await.unwrap();
    commit(&mut log, put(Some(DimensionType::Boolean))).await.unwrap();
    assert_eq!(kinds(&log), [DimensionType::String]);
    assert_eq!(open(root.path()).await.state(), log.state());

    log.state.data_sources.get_mut(&usage()).unwrap().columns = ColumnHistory::default();
    commit(&mut log, put(Some(DimensionType::Long))).await.unwrap();
    assert_eq!(kinds(&log), [DimensionType::String]);
}
