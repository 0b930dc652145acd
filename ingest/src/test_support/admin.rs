//! Topics and group offsets, changed as an operator would.

use std::future::Future;
use std::time::{Duration, Instant};

use rdkafka::admin::{AdminClient, AdminOptions, NewPartitions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::types::RDKafkaErrorCode;
use rdkafka::{ClientConfig, Offset as LibraryOffset, TopicPartitionList};

use super::PATIENCE;

pub struct Admin {
    config: ClientConfig,
    client: AdminClient<DefaultClientContext>,
    runtime: tokio::runtime::Runtime,
}

impl Admin {
    pub fn new(properties: &[(String, String)]) -> Self {
        let config: ClientConfig = properties.iter().cloned().collect();
        let client = config.create().expect("the properties make an admin client");
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime can be built");
        Self { config, client, runtime }
    }

    /// Returns when the topic can be seen; a topic that was deleted a moment ago may still be in the way.
    pub fn create_topic(&self, topic: &str, partitions: i32, configs: &[(&str, &str)]) {
        let mut new_topic = NewTopic::new(topic, partitions, TopicReplication::Fixed(1));
        for (name, value) in configs {
            new_topic = new_topic.set(name, value);
        }
        self.until("create the topic", || {
            let results = self.wait(self.client.create_topics([&new_topic], &options()));
            matches!(results.as_deref(), Ok([Ok(_)]))
        });
        self.wait_for_partitions(topic, partitions);
    }

    /// Returns when the topic can no longer be seen.
    pub fn delete_topic(&self, topic: &str) {
        let results = self.wait(self.client.delete_topics(&[topic], &options())).expect("the broker answers");
        results.into_iter().for_each(|result| {
            result.expect("the topic can be deleted");
        });
        self.until("delete the topic", || self.partitions(topic) == 0);
    }

    pub fn set_partitions(&self, topic: &str, partitions: i32) {
        let count = usize::try_from(partitions).expect("a count is positive");
        let results = self.wait(self.client.create_partitions([&NewPartitions::new(topic, count)], &options()));
        results.expect("the broker answers").into_iter().for_each(|result| {
            result.expect("partitions can be added");
        });
        self.wait_for_partitions(topic, partitions);
    }

    /// Deletes the records of a partition before `offset`, as retention would.
    pub fn delete_records(&self, topic: &str, partition: i32, offset: i64) {
        let offsets = offset_list(topic, &[(partition, offset)]);
        self.wait(self.client.delete_records(&offsets, &options())).expect("records can be deleted");
    }

    /// Commits offsets for a group without members, as someone at a keyboard might.
    pub fn set_group_offsets(&self, group: &str, topic: &str, offsets: &[(i32, i64)]) {
        let consumer: BaseConsumer = self.group_consumer(group);
        consumer.commit(&offset_list(topic, offsets), CommitMode::Sync).expect("offsets can be committed");
    }

    /// The group's committed offsets; `None` where there is none.
    pub fn group_offsets(&self, group: &str, topic: &str, partitions: i32) -> Vec<Option<i64>> {
        let asked: Vec<(i32, i64)> = (0..partitions).map(|partition| (partition, 0)).collect();
        let consumer = self.group_consumer(group);
        let mut read = None;
        self.until("read committed offsets", || {
            read = match consumer.committed_offsets(offset_list(topic, &asked), PATIENCE) {
                Ok(committed) => Some(committed),
                // The group's place has moved within the cluster, which clients learn by asking again.
                Err(error) if error.rdkafka_error_code() == Some(RDKafkaErrorCode::NotCoordinator) => None,
                Err(error) => panic!("committed offsets can't be read: {error}"),
            };
            read.is_some()
        });
        let committed = read.expect("they have been read");
        (0..partitions)
            .map(|partition| match committed.find_partition(topic, partition)?.offset() {
                LibraryOffset::Offset(offset) => Some(offset),
                _ => None,
            })
            .collect()
    }

    /// Repeats `is_done` until it holds; panics when that takes too long.
    pub fn until(&self, what: &str, mut is_done: impl FnMut() -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !is_done() {
            assert!(Instant::now() < deadline, "could not {what} in {PATIENCE:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn wait_for_partitions(&self, topic: &str, partitions: i32) {
        self.until("see the topic's partitions", || self.partitions(topic) == partitions);
    }

    /// 0 when there is no such topic.
    fn partitions(&self, topic: &str) -> i32 {
        let metadata = self.client.inner().fetch_metadata(Some(topic), PATIENCE).expect("metadata can be read");
        let found = metadata.topics().iter().find(|found| found.name() == topic && found.error().is_none());
        // A partition is there when it has a leader.
        let is_led = |partition: &&rdkafka::metadata::MetadataPartition| partition.leader() >= 0;
        found.map_or(0, |found| found.partitions().iter().filter(is_led).count() as i32)
    }

    fn group_consumer(&self, group: &str) -> BaseConsumer {
        let mut config = self.config.clone();
        config.set("group.id", group).set("enable.auto.commit", "false");
        config.create().expect("the properties make a consumer")
    }

    fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }
}

fn options() -> AdminOptions {
    AdminOptions::new().operation_timeout(Some(PATIENCE))
}

fn offset_list(topic: &str, offsets: &[(i32, i64)]) -> TopicPartitionList {
    let mut list = TopicPartitionList::new();
    for (partition, offset) in offsets {
        list.add_partition_offset(topic, *partition, LibraryOffset::Offset(*offset)).expect("an offset is a number");
    }
    list
}
