use henge_ingest::kafka::client::StreamClient;
use henge_ingest::kafka::error::KafkaError;
use henge_ingest::kafka::event::{StopReason, StreamEvent};
use henge_ingest::test_support::PATIENCE;
use henge_ingest::test_support::admin::Admin;
use henge_ingest::test_support::broker::RealBroker;
use henge_ingest::test_support::producer::TestProducer;
use henge_segment_store::stream::{Offset, OffsetRange};

use crate::{describe, payloads, places, poll_until, read_to, reader, records, stream};

fn produce(properties: &[(String, String)], topic: &str, partition: i32, range: std::ops::Range<i64>) {
    let payloads = payloads(range);
    TestProducer::new(properties, topic, &[]).send_all(partition, payloads.iter().map(String::as_bytes));
}

#[test]
#[ignore = "needs a real Kafka broker: run with --include-ignored (needs Java 17 and Maven)"]
fn a_topic_made_again_has_another_id_and_none_while_it_is_gone() {
    let broker = RealBroker::shared();
    let properties = broker.properties();
    let admin = Admin::new(&properties);
    admin.create_topic("recreated", 2, &[]);
    let client = StreamClient::new("test", &properties).expect("the properties make a client");
    let first = describe(&client, "recreated").expect("the topic exists");
    assert_eq!(first.partitions, 2);
    admin.delete_topic("recreated");
    assert_eq!(describe(&client, "recreated"), Err(KafkaError::UnknownTopic { topic: "recreated".to_owned() }));
    admin.create_topic("recreated", 3, &[]);
    let second = describe(&client, "recreated").expect("the topic exists again");
    assert_eq!(second.partitions, 3);
    assert!(first.id.is_some() && second.id.is_some() && first.id != second.id, "{first:?} {second:?}");
}

#[test]
#[ignore = "needs a real Kafka broker: run with --include-ignored (needs Java 17 and Maven)"]
fn partitions_added_to_a_topic_are_described_and_read_from_their_beginning() {
    let broker = RealBroker::shared();
    let properties = broker.properties();
    let admin = Admin::new(&properties);
    admin.create_topic("growing", 1, &[]);
    produce(&properties, "growing", 0, 0..10);
    let mut reader = reader(&properties, "growing", &[(0, 0)]);
    assert_eq!(read_to(&mut reader, &[(0, 10)]), records(0, 0..10));
    admin.set_partitions("growing", 3);
    produce(&properties, "growing", 2, 0..10);
    produce(&properties, "growing", 0, 10..20);
    assert_eq!(describe(reader.client(), "growing").map(|topic| topic.partitions), Ok(3));
    reader.assign(&places("growing", &[(1, 0), (2, 0)])).expect("partitions can be added");
    let mut found = read_to(&mut reader, &[(0, 20), (2, 10)]);
    found.sort_by_key(|(partition, offset, _)| (*partition, *offset));
    assert_eq!(found, [records(0, 10..20), records(2, 0..10)].concat());
}

#[test]
#[ignore = "needs a real Kafka broker: run with --include-ignored (needs Java 17 and Maven)"]
fn records_that_the_broker_deleted_before_they_were_read_stop_the_partition() {
    let broker = RealBroker::shared();
    let properties = broker.properties();
    let admin = Admin::new(&properties);
    admin.create_topic("expired", 1, &[]);
    produce(&properties, "expired", 0, 0..100);
    admin.delete_records("expired", 0, 60);
    let mut reader = reader(&properties, "expired", &[(0, 20)]);
    let is_stop = |event: &StreamEvent| matches!(event, StreamEvent::Stopped { .. });
    let mut read = 0;
    let event = poll_until(&mut reader, |_, _| read += 1, is_stop);
    let StreamEvent::Stopped { partition, next, reason, .. } = event else { unreachable!("asked for a stop") };
    assert_eq!((partition, next, reason, read), (stream("expired", 0), Offset(20), StopReason::OffsetOutOfRange, 0));
    // The size of the gap is known: [20, 60).
    let watermarks = OffsetRange { start: Offset(60), end: Offset(100) };
    assert_eq!(reader.client().query_watermarks(&stream("expired", 0), PATIENCE), Ok(watermarks));
    reader.assign(&places("expired", &[(0, watermarks.start.0)])).expect("a stopped partition can be assigned again");
    assert_eq!(read_to(&mut reader, &[(0, 100)]), records(0, 60..100));
}

#[test]
#[ignore = "needs a real Kafka broker: run with --include-ignored (needs Java 17 and Maven)"]
fn a_batch_with_a_wrong_checksum_stops_the_partition_instead_of_being_skipped() {
    let mut broker = RealBroker::start();
    let properties = broker.properties();
    Admin::new(&properties).create_topic("corrupt", 1, &[]);
    for batch in 0..3 {
        produce(&properties, "corrupt", 0, batch * 10..batch * 10 + 10);
    }
    broker.stop();
    let log = broker.log_file("corrupt", 0);
    let mut bytes = std::fs::read(&log).expect("the partition has a log");
    let at = bytes.windows(8).position(|window| window == b"event-15").expect("batches are not compressed");
    bytes[at] = b'E';
    std::fs::write(&log, bytes).expect("the log can be written");
    broker.restart();

    let mut reader = reader(&broker.properties(), "corrupt", &[(0, 0)]);
    let mut read = Vec::new();
    let is_stop = |event: &StreamEvent| matches!(event, StreamEvent::Stopped { .. });
    let event = poll_until(&mut reader, |_, record| read.push(record.offset().0), is_stop);
    let StreamEvent::Stopped { partition, next, reason, .. } = event else { unreachable!("asked for a stop") };
    assert_eq!((partition, next, reason), (stream("corrupt", 0), Offset(10), StopReason::Corrupt));
    assert_eq!(read, (0..10).collect::<Vec<_>>());
    assert_eq!(reader.poll_batch(100, std::time::Duration::from_millis(100), |_, _| ()).records, 0);
    reader.assign(&places("corrupt", &[(0, 20)])).expect("a stopped partition can be assigned again");
    assert_eq!(read_to(&mut reader, &[(0, 30)]), records(0, 20..30));
}

#[test]
#[ignore = "needs a real Kafka broker: run with --include-ignored (needs Java 17 and Maven)"]
fn group_commits_are_visible_and_moving_them_moves_no_reader() {
    let broker = RealBroker::shared();
    let properties = broker.properties();
    let admin = Admin::new(&properties);
    admin.create_topic("committed", 2, &[]);
    produce(&properties, "committed", 0, 0..10);
    let mut first = reader(&properties, "committed", &[(0, 0), (1, 0)]);
    read_to(&mut first, &[(0, 10)]);
    first.client().commit_advisory(&places("committed", &[(0, 10)])).expect("offsets can be committed");
    let mut committed = Vec::new();
    admin.until("see the committed offset", || {
        first.poll_batch(1, std::time::Duration::ZERO, |_, _| ());
        committed = admin.group_offsets("henge-test", "committed", 2);
        committed[0].is_some()
    });
    assert_eq!(committed, [Some(10), None]);
    drop(first);
    admin.set_group_offsets("henge-test", "committed", &[(0, 3)]);
    assert_eq!(admin.group_offsets("henge-test", "committed", 2), [Some(3), None]);
    produce(&properties, "committed", 0, 10..20);
    let mut second = reader(&properties, "committed", &[(0, 10)]);
    assert_eq!(read_to(&mut second, &[(0, 20)]), records(0, 10..20));
}
