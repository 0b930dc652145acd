use std::time::{Duration, Instant};

use henge_ingest::kafka::event::StreamEvent;
use henge_ingest::kafka::reader::StreamReader;
use henge_ingest::test_support::PATIENCE;
use henge_ingest::test_support::admin::Admin;
use henge_ingest::test_support::broker::RealBroker;
use henge_ingest::test_support::producer::TestProducer;
use henge_ingest::test_support::read_committed::read_committed;
use henge_segment_store::stream::{Offset, OffsetRange};
use rdkafka::message::Message;

use crate::{payloads, poll_until, read_to, reader, stream};

#[test]
#[ignore = "needs a real Kafka broker: run with --include-ignored (needs Java 17 and Maven)"]
fn aborted_records_are_hidden_and_the_position_reaches_an_end_made_of_control_records() {
    let broker = RealBroker::shared();
    let properties = broker.properties();
    Admin::new(&properties).create_topic("transactions", 1, &[]);
    let producer = TestProducer::transactional(&properties, "transactions", "writer");
    let other = TestProducer::new(&properties, "transactions", &[]);
    let mut reader = reader(&properties, "transactions", &[(0, 0)]);
    let mut found = Vec::new();
    // Each transaction has 10 records and a marker; a plain record lies between them.
    for round in 0..6 {
        let payloads = payloads(round * 100..round * 100 + 10);
        producer.begin();
        producer.send_all(0, payloads.iter().map(String::as_bytes));
        if round % 2 == 0 {
            producer.commit()
        } else {
            producer.abort()
        }
        if round < 5 {
            other.send_all(0, [b"plain".as_slice()]);
        }
        let end = Offset((round + 1) * 12 - i64::from(round == 5));
        await_end(&reader, end);
        found.extend(read_to(&mut reader, &[(0, end.0)]));
        assert_eq!(reader.position(&stream("transactions", 0)), Some(end), "round {round}");
        let watermarks = OffsetRange { start: Offset(0), end };
        assert_eq!(reader.client().cached_watermarks(&stream("transactions", 0)), Some(watermarks), "round {round}");
    }
    let mut expected = Vec::new();
    let counts = read_committed(&properties, "transactions", |record| {
        let payload = String::from_utf8_lossy(record.payload().expect("no null values")).into_owned();
        expected.push((record.partition(), record.offset(), payload));
    });
    assert_eq!((expected.len(), counts[&0]), (35, 35));
    assert_eq!(found, expected);
}

/// A transaction has ended for its producer a moment before the broker writes its marker.
fn await_end(reader: &StreamReader, wanted: Offset) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let end =
            reader.client().query_watermarks(&stream("transactions", 0), PATIENCE).expect("the partition exists").end;
        if end == wanted {
            return;
        }
        assert!(end < wanted && Instant::now() < deadline, "the partition ends at {end:?}, not at {wanted:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
#[ignore = "needs a real Kafka broker: run with --include-ignored (needs Java 17 and Maven)"]
fn an_open_transaction_holds_the_position_at_its_first_record_until_it_ends() {
    let broker = RealBroker::shared();
    let properties = broker.properties();
    Admin::new(&properties).create_topic("open-transaction", 1, &[]);
    let producer = TestProducer::transactional(&properties, "open-transaction", "slow-writer");
    let other = TestProducer::new(&properties, "open-transaction", &[]);
    other.send_all(0, [b"before".as_slice()]);
    producer.begin();
    producer.send_all(0, [b"inside".as_slice()]);
    other.send_all(0, [b"behind".as_slice()]);
    let mut reader = reader(&properties, "open-transaction", &[(0, 0)]);
    let mut found = Vec::new();
    let is_end = |event: &StreamEvent| matches!(event, StreamEvent::EndReached { next: Offset(1), .. });
    poll_until(&mut reader, |_, record| found.push(record.offset().0), is_end);
    assert_eq!(found, [0]);
    // The lag shows what waits: three records are there, one is read.
    let log = reader.client().cached_watermarks(&stream("open-transaction", 0));
    assert_eq!(log, Some(OffsetRange { start: Offset(0), end: Offset(3) }));
    producer.commit();
    let rest = read_to(&mut reader, &[(0, 4)]);
    assert_eq!(rest, [(0, 1, "inside".to_owned()), (0, 2, "behind".to_owned())]);
}

#[test]
#[ignore = "needs a real Kafka broker: run with --include-ignored (needs Java 17 and Maven)"]
fn every_codec_that_kafka_has_is_readable() {
    let broker = RealBroker::shared();
    let properties = broker.properties();
    Admin::new(&properties).create_topic("codecs", 5, &[]);
    let payloads = payloads(0..1_000);
    let mut expected = Vec::new();
    for (partition, codec) in (0..).zip(["none", "gzip", "snappy", "lz4", "zstd"]) {
        let producer = TestProducer::new(&properties, "codecs", &[("compression.type", codec)]);
        producer.send_all(partition, payloads.iter().map(String::as_bytes));
        expected.extend(crate::records(partition, 0..1_000));
    }
    let ends: Vec<(i32, i64)> = (0..5).map(|partition| (partition, 1_000)).collect();
    let starts: Vec<(i32, i64)> = (0..5).map(|partition| (partition, 0)).collect();
    let mut found = read_to(&mut reader(&properties, "codecs", &starts), &ends);
    found.sort_by_key(|(partition, offset, _)| (*partition, *offset));
    assert_eq!(found, expected);
}
