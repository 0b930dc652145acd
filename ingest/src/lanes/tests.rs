use std::path::Path;
use std::time::Instant;

use henge_segment_store::ledger::LedgerCounts;
use henge_segment_store::manifest::ConsumedRange;
use henge_segment_store::store::{Store, StoreOptions};
use henge_segment_store::stream::OffsetRange;
use serde_json::json;

use super::*;
use crate::fleet::mock_kafka::MockKafka;
use crate::test_support::producer::TestProducer;
use crate::test_support::{PATIENCE, properties};

fn spec(kafka: &MockKafka) -> SupervisorSpec {
    let json = json!({
        "topic": "events", "kafka": { "bootstrap.servers": kafka.bootstrap_servers() }, "time": "t", "dimensions": ["d"],
    });
    SupervisorSpec::from_short_form("events", &json).expect("the spec is good")
}

fn data_source(spec: &SupervisorSpec, directory: &Path) -> Arc<DataSource> {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime can be built");
    let upkeep = spec.upkeep.clone();
    let store = runtime.block_on(async {
        let store = Store::open(StoreOptions::local(directory)).await?;
        store.put_supervisor(&spec.data_source, spec.schema.clone(), spec.to_json(), false, upkeep).await?;
        Ok::<_, henge_segment_store::error::StoreError>(store)
    });
    let store = store.expect("a new directory can be opened");
    store.data_source("events").expect("it was just made")
}

fn stream(partition: i32) -> StreamPartition {
    StreamPartition { topic: "events".into(), partition }
}

fn produce(kafka: &MockKafka, partition: i32, records: usize) {
    let producer = TestProducer::new(&properties(&[("bootstrap.servers", kafka.bootstrap_servers())]), "events", &[]);
    let payloads: Vec<String> = (0..records).map(|row| format!("{{\"t\":{row},\"d\":\"d{row}\"}}")).collect();
    producer.send_all(partition, payloads.iter().map(String::as_bytes));
}

fn next_of(state: &LaneState, partition: i32) -> Offset {
    let mut positions = state.appender.positions();
    positions.find(|(own, _)| own.partition == partition).expect("the lane has the partition").1
}

fn await_next(lane: &Lane, partition: i32, next: Offset) {
    let deadline = Instant::now() + PATIENCE;
    while next_of(&lane.state(), partition) != next {
        assert!(Instant::now() < deadline, "partition {partition} is at {}", next_of(&lane.state(), partition));
        thread::sleep(std::time::Duration::from_millis(5));
    }
}

#[test]
fn a_lane_that_is_stuck_holds_up_only_its_own_partition_and_a_cut_takes_what_all_have_read() {
    let kafka = MockKafka::start().expect("a mock cluster can start");
    kafka.create_topic("events", 2).expect("a topic can be created");
    let (spec, directory) = (spec(&kafka), tempfile::tempdir().expect("a temporary directory can be made"));
    let data_source = data_source(&spec, directory.path());
    let client = StreamClient::new("events", &properties(&[("bootstrap.servers", kafka.bootstrap_servers())]));
    let mut lanes = Lanes::new(&spec, data_source.clone(), client.expect("the properties make a client"), 2)
        .expect("a client has its news once");
    for partition in 0..2 {
        lanes.begin(stream(partition), None, Offset(0), None).expect("a partition can be begun");
    }
    lanes.assign(&[(stream(0), Offset(0)), (stream(1), Offset(0))]).expect("partitions can be assigned");
    {
        // As a record would hold it that takes its time.
        let stuck = lanes.lanes[0].state();
        produce(&kafka, 0, 500);
        produce(&kafka, 1, 1_000);
        await_next(&lanes.lanes[1], 1, Offset(1_000));
        assert_eq!(next_of(&stuck, 0), Offset(0));
        assert_eq!(data_source.open_stats().rows, 1_000, "what the other lane has read can be asked for");
    }
    await_next(&lanes.lanes[0], 0, Offset(500));
    let (consumed, frozen) = lanes.cut(3, |consumed| (consumed, data_source.cut()));
    let range = |partition: i32, end: i64| ConsumedRange {
        partition: stream(partition),
        range: OffsetRange { start: Offset(0), end: Offset(end) },
        topic_id: None,
        leader_epoch: consumed.ranges[0].leader_epoch,
        counts: LedgerCounts { accepted: end as u64, ..LedgerCounts::default() },
    };
    assert_eq!((consumed.generation, &consumed.ranges), (3, &vec![range(0, 500), range(1, 1_000)]));
    assert_eq!((frozen.events(), lanes.has_unpublished()), (1_500, false));
    let progress = lanes.progress();
    assert_eq!((progress.totals.records, progress.counts.accepted, progress.partitions.len()), (1_500, 1_500, 2));
}

#[test]
fn partitions_beyond_the_number_of_lanes_go_where_the_fewest_are() {
    let kafka = MockKafka::start().expect("a mock cluster can start");
    let (spec, directory) = (spec(&kafka), tempfile::tempdir().expect("a temporary directory can be made"));
    let data_source = data_source(&spec, directory.path());
    let client = StreamClient::new("events", &properties(&[("bootstrap.servers", kafka.bootstrap_servers())]));
    let mut lanes = Lanes::new(&spec, data_source, client.expect("the properties make a client"), 100)
        .expect("a client has its news once");
    for partition in 0..10 {
        lanes.begin(stream(partition), None, Offset(7), None).expect("a partition can be begun");
    }
    // Beginning a partition anew, as after a gap, leaves it where it is.
    lanes.begin(stream(0), None, Offset(9), None).expect("a partition can be begun again");
    let places: Vec<usize> = lanes.places.iter().map(|(_, lane)| *lane).collect();
    assert_eq!(places, [0, 1, 2, 3, 0, 1, 2, 3, 0, 1]);
    let mut positions = lanes.positions("events");
    positions.sort();
    assert_eq!((positions.len(), &positions[0], &positions[1]), (10, &(stream(0), Offset(9)), &(stream(1), Offset(7))));
    assert_eq!(lanes.positions("other"), []);
}
