//! Several writers of one manifest, each for a slot of its own.

use super::*;

fn slot(text: &str) -> Slot {
    text.parse().unwrap()
}

async fn writer_of(root: &Path, of: &str) -> ManifestLog {
    let mut log = open(root).await;
    log.claim_epoch(slot(of), NOW).await.unwrap();
    log
}

fn next_of(log: &ManifestLog, partition: i32) -> Option<i64> {
    let checkpoint = &log.state().data_sources[&usage()].checkpoint;
    checkpoint.get(&StreamPartition { topic: "t".into(), partition }).map(|position| position.next.0)
}

#[tokio::test]
async fn writers_of_different_slots_go_on_beside_each_other() {
    let root = tempfile::tempdir().unwrap();
    let mut even = writer_of(root.path(), "0/2").await;
    commit(&mut even, put_supervisor()).await.unwrap();
    let mut odd = writer_of(root.path(), "1/2").await;
    for number in 0..10 {
        let (start, end) = (number * 10, number * 10 + 10);
        // Each finds the number taken that it tries first.
        commit(&mut even, publish_of(0, &format!("even{number}"), start, end)).await.unwrap();
        commit(&mut odd, publish_of(3, &format!("odd{number}"), start, end)).await.unwrap();
    }
    even.refresh().await.unwrap();
    assert_eq!(even.state(), odd.state());
    assert_eq!(open(root.path()).await.state(), odd.state());
    assert_eq!((next_of(&odd, 0), next_of(&odd, 3)), (Some(100), Some(100)));
    assert_eq!(even.state().slots, BTreeMap::from([(slot("0/2"), 1), (slot("1/2"), 2)]));
}

/// The invariants hold against what the other has written, not against what was known before.
#[tokio::test]
async fn a_change_that_lost_its_number_is_checked_again() {
    let root = tempfile::tempdir().unwrap();
    let mut even = writer_of(root.path(), "0/2").await;
    commit(&mut even, put_supervisor()).await.unwrap();
    commit(&mut even, publish_of(0, "a", 0, 10)).await.unwrap();
    let mut odd = writer_of(root.path(), "1/2").await;
    even.refresh().await.unwrap();
    let Change::Publish(publish) = publish_of(0, "a", 0, 10) else { unreachable!() };
    let retired = vec![publish.added[0].id.clone()];
    let retire = || Change::Retire { data_source: usage(), segments: retired.clone(), reason: "old".into() };
    commit(&mut odd, retire()).await.unwrap();
    let refused = commit(&mut even, retire()).await;
    assert!(matches!(refused, Err(StoreError::NotLive { .. })), "{refused:?}");
}

#[tokio::test]
async fn a_claim_fences_off_those_whose_slots_overlap_and_nobody_else() {
    let cases = [
        // (claimed in this order, those who can still write)
        (vec!["0/2", "1/2"], vec![true, true]),
        (vec!["0/2", "1/2", "0/2"], vec![false, true, true]),
        (vec!["0/1", "1/2"], vec![false, true]),
        (vec!["0/2", "1/2", "0/1"], vec![false, false, true]),
        // Partition 3 belongs to 0/3 and 1/2, partition 0 to 0/3 and 0/2.
        (vec!["0/2", "1/2", "0/3"], vec![false, false, true]),
        (vec!["0/4", "1/4", "0/2"], vec![false, true, true]),
        // Who was fenced off stays so, also when its fencer is.
        (vec!["1/2", "0/1", "0/2"], vec![false, false, true]),
    ];
    for (claims, can_write) in cases {
        let root = tempfile::tempdir().unwrap();
        let mut logs = Vec::new();
        for claim in &claims {
            logs.push(writer_of(root.path(), claim).await);
        }
        let mut found = Vec::new();
        for log in &mut logs {
            match commit(log, put_supervisor()).await {
                Ok(()) => found.push(true),
                Err(StoreError::Fenced { .. }) => found.push(false),
                Err(error) => panic!("{claims:?}: {error}"),
            }
        }
        assert_eq!(found, can_write, "{claims:?}");
    }
}

#[tokio::test]
async fn partitions_of_another_slot_are_not_moved_on() {
    let root = tempfile::tempdir().unwrap();
    let mut odd = writer_of(root.path(), "1/2").await;
    commit(&mut odd, put_supervisor()).await.unwrap();
    let refused = commit(&mut odd, publish_of(2, "a", 0, 10)).await.unwrap_err();
    assert_eq!(refused.to_string(), "t[2] is not of slot 1/2, which this process owns");
}

#[tokio::test]
async fn what_others_wrote_is_told_once_and_what_we_wrote_is_not() {
    let root = tempfile::tempdir().unwrap();
    let mut even = writer_of(root.path(), "0/2").await;
    commit(&mut even, put_supervisor()).await.unwrap();
    let mut odd = writer_of(root.path(), "1/2").await;
    commit(&mut odd, publish_of(1, "a", 0, 10)).await.unwrap();
    assert_eq!(odd.take_changed(), BTreeMap::new());
    even.refresh().await.unwrap();
    assert_eq!(even.take_changed(), BTreeMap::from([(usage(), Changed::default())]));
    commit(&mut even, Change::SetSuspended { data_source: usage(), suspended: true }).await.unwrap();
    assert_eq!(even.take_changed(), BTreeMap::new());
    odd.refresh().await.unwrap();
    assert_eq!(odd.take_changed(), BTreeMap::from([(usage(), Changed { control: true, own_cuts: vec![] })]));
}

#[tokio::test]
async fn an_own_cut_that_is_found_in_the_manifest_is_told() {
    let root = tempfile::tempdir().unwrap();
    let mut log = writer_of(root.path(), "0/2").await;
    commit(&mut log, put_supervisor()).await.unwrap();
    let record = log.record(log.epoch, "1-lost".into(), publish("a", 0, 10), NOW);
    log.objects.put_if_absent(&record_path(record.number), record.encode().0.into()).await.unwrap();
    log.refresh().await.unwrap();
    let changed = Changed { control: false, own_cuts: vec!["1-lost".into()] };
    assert_eq!(log.take_changed(), BTreeMap::from([(usage(), changed)]));
}

/// No record is lost, doubled or taken for a missing one while four writers race for each number.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writers_that_race_for_every_number_lose_nothing() {
    let root = tempfile::tempdir().unwrap();
    let mut first = writer_of(root.path(), "0/4").await;
    commit(&mut first, put_supervisor()).await.unwrap();
    let race = |mut log: ManifestLog, partition: i32| {
        tokio::spawn(async move {
            for number in 0..40 {
                let change = publish_of(partition, &format!("p{partition}v{number}"), number, number + 1);
                commit(&mut log, change).await.unwrap();
            }
        })
    };
    let mut races = Vec::new();
    for number in 1..4 {
        races.push(race(writer_of(root.path(), &format!("{number}/4")).await, number));
    }
    races.push(race(first, 0));
    for racing in races {
        racing.await.unwrap();
    }
    let log = open(root.path()).await;
    let state = &log.state().data_sources[&usage()];
    assert_eq!((state.segments.len(), log.state().next_number), (160, 4 + 1 + 160));
    assert_eq!([0, 1, 2, 3].map(|partition| next_of(&log, partition)), [Some(40); 4]);
}
