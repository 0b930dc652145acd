//! Reads a topic from its beginning to its end with the client library's plain consumer, one record at a time: what
//! our own reader is compared with.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError as LibraryError;
use rdkafka::message::{BorrowedMessage, Message};
use rdkafka::{ClientConfig, Offset as LibraryOffset, TopicPartitionList};

use super::PATIENCE;

/// Shows every record that a `read_committed` reader sees, and returns how many there were in each partition.
pub fn read_committed(
    properties: &[(String, String)],
    topic: &str,
    mut on_record: impl FnMut(&BorrowedMessage<'_>),
) -> BTreeMap<i32, u64> {
    let mut config: ClientConfig = properties.iter().cloned().collect();
    config
        .set("group.id", "independent-reader")
        .set("isolation.level", "read_committed")
        .set("enable.auto.commit", "false")
        .set("enable.partition.eof", "true");
    let consumer: BaseConsumer = config.create().expect("the properties make a consumer");
    let metadata = consumer.fetch_metadata(Some(topic), PATIENCE).expect("metadata can be read");
    let partitions = metadata.topics().first().expect("the topic was asked for").partitions();
    let mut counts: BTreeMap<i32, u64> = partitions.iter().map(|partition| (partition.id(), 0)).collect();
    let mut assignment = TopicPartitionList::new();
    for partition in counts.keys() {
        assignment.add_partition_offset(topic, *partition, LibraryOffset::Beginning).expect("an offset");
    }
    consumer.assign(&assignment).expect("partitions can be assigned");
    let mut open = counts.len();
    let mut deadline = Instant::now() + PATIENCE;
    while open > 0 {
        assert!(Instant::now() < deadline, "no record and no end of partition in {PATIENCE:?}");
        match consumer.poll(Duration::from_millis(100)) {
            Some(Ok(record)) => {
                *counts.entry(record.partition()).or_default() += 1;
                on_record(&record);
                deadline = Instant::now() + PATIENCE;
            }
            Some(Err(LibraryError::PartitionEOF(_))) => open -= 1,
            Some(Err(error)) => tracing::debug!(%error, "independent reader"),
            None => {}
        }
    }
    counts
}
