use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use henge_ingest::fleet::event::Fleet;
use henge_ingest::fleet::mock_kafka::MockKafka;
use henge_ingest::fleet::producer::{FleetProducer, Load};
use henge_ingest::kafka::client::StreamClient;
use henge_ingest::kafka::error::KafkaError;
use henge_ingest::kafka::event::{StopReason, StreamEvent};
use henge_ingest::kafka::news::ClientNews;
use henge_ingest::kafka::reader::StreamReader;
use henge_ingest::test_support::producer::{TestProducer, TestRecord};
use henge_ingest::test_support::{PATIENCE, properties};
use henge_segment_store::stream::Offset;
use henge_segment_store::time::TimestampMs;

use crate::{Reader, describe, payloads, places, poll_until, read_to, reader, records, stream};

fn mock(topic: &str, partitions: i32) -> (MockKafka, Vec<(String, String)>) {
    let kafka = MockKafka::start().expect("a mock cluster can start");
    kafka.create_topic(topic, partitions).expect("a topic can be created");
    let properties = properties(&[("bootstrap.servers", kafka.bootstrap_servers())]);
    (kafka, properties)
}

fn produce(properties: &[(String, String)], topic: &str, partition: i32, range: std::ops::Range<i64>) {
    let payloads = payloads(range);
    TestProducer::new(properties, topic, &[]).send_all(partition, payloads.iter().map(String::as_bytes));
}

#[test]
fn a_batch_reader_delivers_every_record_in_order_and_a_new_one_goes_on_from_its_position() {
    let (_kafka, properties) = mock("events", 2);
    produce(&properties, "events", 0, 0..5_000);
    produce(&properties, "events", 1, 0..10);
    let mut first = reader(&properties, "events", &[(0, 0), (1, 3)]);
    let mut found = read_to(&mut first, &[(0, 5_000), (1, 10)]);
    found.sort_by_key(|(partition, offset, _)| (*partition, *offset));
    assert_eq!(found, [records(0, 0..5_000), records(1, 3..10)].concat());

    let position = first.position(&stream("events", 0)).expect("partition 0 is assigned");
    drop(first);
    produce(&properties, "events", 0, 5_000..5_100);
    let mut second = reader(&properties, "events", &[(0, position.0)]);
    assert_eq!(read_to(&mut second, &[(0, 5_100)]), records(0, 5_000..5_100));
}

#[test]
fn a_record_shows_its_key_headers_time_and_null_value() {
    let (_kafka, properties) = mock("events", 1);
    let producer = TestProducer::new(&properties, "events", &[]);
    let headers: [(&str, Option<&[u8]>); 3] = [("trace", Some(b"1")), ("none", None), ("trace", Some(b"2"))];
    producer.send(&TestRecord {
        payload: None,
        key: Some(b"key"),
        headers: &headers,
        timestamp_ms: Some(1_700_000_000_123),
        ..TestRecord::default()
    });
    producer.send(&TestRecord::new(0, b""));
    producer.flush();
    let mut reader = reader(&properties, "events", &[(0, 0)]);
    let mut seen = 0;
    let is_end = |event: &StreamEvent| matches!(event, StreamEvent::EndReached { next: Offset(2), .. });
    poll_until(
        &mut reader,
        |_, record| {
            seen += 1;
            if record.offset() == Offset(0) {
                assert_eq!((record.payload(), record.key()), (None, Some(&b"key"[..])));
                assert_eq!(record.timestamp(), Some(TimestampMs(1_700_000_000_123)));
                let expected = headers.map(|(name, value)| (name.as_bytes(), value));
                assert_eq!(record.headers().collect::<Vec<_>>(), expected);
                assert_eq!(record.header("trace"), Some(Some(&b"2"[..])));
                assert_eq!((record.header("none"), record.header("absent")), (Some(None), None));
            } else {
                assert_eq!((record.payload(), record.key()), (Some(&b""[..]), None));
                assert_eq!(record.headers().count(), 0);
            }
        },
        is_end,
    );
    assert_eq!(seen, 2);
}

#[test]
fn pausing_at_the_end_of_a_partition_loses_no_record() {
    let (_kafka, properties) = mock("events", 1);
    produce(&properties, "events", 0, 0..10);
    let mut reader = reader(&properties, "events", &[(0, 0)]);
    let mut found = Vec::new();
    let is_end = |event: &StreamEvent| matches!(event, StreamEvent::EndReached { next: Offset(10), .. });
    poll_until(&mut reader, |_, record| found.push(record.offset().0), is_end);
    assert_eq!(found, (0..10).collect::<Vec<_>>());
    reader.pause(&[stream("events", 0)]).expect("an assigned partition can be paused");
    produce(&properties, "events", 0, 10..20);
    assert_eq!(reader.poll_batch(100, Duration::from_millis(100), |_, _| ()).records, 0);
    reader.resume(&[stream("events", 0)]).expect("a paused partition can be resumed");
    assert_eq!(read_to(&mut reader, &[(0, 20)]), records(0, 10..20));
}

#[test]
fn a_partition_added_later_is_read_beside_the_others_and_one_taken_away_is_not() {
    let (_kafka, properties) = mock("events", 2);
    produce(&properties, "events", 0, 0..10);
    produce(&properties, "events", 1, 0..10);
    let mut reader = reader(&properties, "events", &[(0, 0)]);
    assert_eq!(read_to(&mut reader, &[(0, 10)]), records(0, 0..10));
    reader.assign(&places("events", &[(1, 0)])).expect("a partition can be added");
    assert_eq!(read_to(&mut reader, &[(1, 10)]), records(1, 0..10));
    reader.unassign(&[stream("events", 0)]).expect("a partition can be taken away");
    produce(&properties, "events", 0, 10..20);
    produce(&properties, "events", 1, 10..20);
    assert_eq!(read_to(&mut reader, &[(1, 20)]), records(1, 10..20));
    assert_eq!(reader.positions().collect::<Vec<_>>(), [(&stream("events", 1), Offset(20))]);
}

#[test]
fn readers_of_one_client_each_get_their_own_partitions_also_when_these_stop_and_start() {
    let (_kafka, properties) = mock("events", 4);
    let client = StreamClient::new("test", &properties).expect("the properties make a client");
    let news = Arc::new(Mutex::new(ClientNews::new(&client).expect("a client has its news once")));
    let mut readers = [0, 1].map(|_| {
        let (reader, arrivals) = StreamReader::new(client.clone(), news.clone()).expect("a client has readers");
        Reader { arrivals, reader, news: news.clone() }
    });
    let own = [[0, 2], [1, 3]];
    for (reader, own) in readers.iter_mut().zip(own) {
        reader.assign(&places("events", &own.map(|partition| (partition, 0)))).expect("partitions can be assigned");
    }
    for round in 0..5 {
        let (first, last) = (round * 300, round * 300 + 300);
        for partition in 0..4 {
            produce(&properties, "events", partition, first..last);
        }
        for (reader, own) in readers.iter_mut().zip(own) {
            let mut found = read_to(reader, &own.map(|partition| (partition, last)));
            found.sort_by_key(|(partition, offset, _)| (*partition, *offset));
            assert_eq!(found, own.map(|partition| records(partition, first..last)).concat(), "round {round}");
            // The client ends fetching at some later moment, and forgets then where records should arrive.
            let partitions = own.map(|partition| stream("events", partition));
            reader.pause(&partitions).expect("assigned partitions can be paused");
            reader.resume(&partitions).expect("paused partitions can be resumed");
        }
    }
}

#[test]
fn a_topic_is_described_with_its_id_and_an_unknown_one_is_an_error() {
    let (_kafka, properties) = mock("events", 3);
    let client = StreamClient::new("test", &properties).expect("the properties make a client");
    let description = describe(&client, "events").expect("the topic exists");
    assert_eq!(description.partitions, 3);
    assert!(description.id.is_some());
    assert_eq!(describe(&client, "events"), Ok(description));
    let absent = Err(KafkaError::UnknownTopic { topic: "absent".to_owned() });
    assert_eq!(describe(&client, "absent"), absent);
    let both = client.describe_topics(&["absent".into(), "events".into()], PATIENCE);
    assert_eq!(both, Ok(vec![absent, Ok(description)]));
    assert_eq!(client.list_topics(PATIENCE), Ok(vec!["events".to_owned()]));
}

#[test]
fn an_offset_that_the_broker_does_not_have_stops_the_partition_and_only_it() {
    let (_kafka, properties) = mock("events", 2);
    produce(&properties, "events", 0, 0..10);
    produce(&properties, "events", 1, 0..10);
    let mut reader = reader(&properties, "events", &[(0, 500), (1, 0)]);
    let is_stop = |event: &StreamEvent| matches!(event, StreamEvent::Stopped { .. });
    let event = poll_until(&mut reader, |_, _| (), is_stop);
    let StreamEvent::Stopped { partition, next, reason, .. } = event else { unreachable!("asked for a stop") };
    assert_eq!((partition, next, reason), (stream("events", 0), Offset(500), StopReason::OffsetOutOfRange));
    read_to(&mut reader, &[(1, 10)]);
    assert_eq!(reader.position(&stream("events", 0)), Some(Offset(500)));
    reader.assign(&places("events", &[(0, 4)])).expect("a stopped partition can be assigned again");
    assert_eq!(read_to(&mut reader, &[(0, 10)]), records(0, 4..10));
}

#[test]
fn a_refused_property_is_named_without_its_value() {
    let secret = "no-number-but-a-secret";
    let wrong = properties(&[("bootstrap.servers", "127.0.0.1:1"), ("socket.timeout.ms", secret)]);
    let error = StreamClient::new("test", &wrong).map(|_| ()).expect_err("not a number");
    assert_eq!(error, KafkaError::PropertyValue { name: "socket.timeout.ms".to_owned() });
    let wrong = properties(&[("bootstrap.server", secret)]);
    let error = StreamClient::new("test", &wrong).map(|_| ()).expect_err("a letter is missing");
    assert_eq!(error, KafkaError::UnknownProperty { name: "bootstrap.server".to_owned() });
}

#[test]
fn the_fleet_stays_within_reach_of_its_reader() {
    let (_kafka, properties) = mock("fleet", 4);
    let read = Arc::new(AtomicU64::new(0));
    let load = Load { topic: "fleet".to_owned(), partitions: 4, rate: 50_000, max_ahead: Some(2_000), first_row: 0 };
    let producer = FleetProducer::start(Fleet::new(1, 100), load, &properties, read.clone());
    let producer = producer.expect("the properties make a producer");
    let deadline = Instant::now() + PATIENCE;
    while producer.acknowledged() < 2_000 {
        assert!(Instant::now() < deadline, "{} acknowledged", producer.acknowledged());
        std::thread::sleep(Duration::from_millis(5));
    }
    let mut reader = reader(&properties, "fleet", &[(0, 0), (1, 0), (2, 0), (3, 0)]);
    let mut bytes = 0;
    while read.load(Ordering::Relaxed) < 10_000 {
        let ahead = producer.acknowledged().saturating_sub(read.load(Ordering::Relaxed));
        assert!(ahead <= 2_000, "{ahead} ahead");
        let polled = reader.poll_batch(1_000, Duration::from_millis(100), |_, record| {
            bytes += record.payload().map_or(0, <[u8]>::len);
        });
        read.fetch_add(polled.records as u64, Ordering::Relaxed);
        assert!(Instant::now() < deadline, "{} read", read.load(Ordering::Relaxed));
    }
    assert_eq!(producer.failed(), 0);
    let produced = producer.stop();
    let ends: Vec<(i32, i64)> = (0..4)
        .map(|partition| {
            let log = reader.client().query_watermarks(&stream("fleet", partition), PATIENCE);
            (partition, log.expect("known").end.0)
        })
        .collect();
    assert_eq!(ends.iter().map(|(_, end)| end).sum::<i64>(), produced as i64);
    let rest = read_to(&mut reader, &ends);
    assert_eq!(read.load(Ordering::Relaxed) + rest.len() as u64, produced);
}

#[test]
fn a_reader_ends_although_records_were_fetched_that_nobody_took() {
    let (_kafka, properties) = mock("events", 4);
    for partition in 0..4 {
        produce(&properties, "events", partition, 0..20_000);
    }
    for _ in 0..10 {
        let mut reader = reader(&properties, "events", &[(0, 0), (1, 0), (2, 0), (3, 0)]);
        let deadline = Instant::now() + PATIENCE;
        while reader.poll_batch(100, Duration::from_millis(100), |_, _| ()).records == 0 {
            assert!(Instant::now() < deadline, "no record came");
        }
    }
}
