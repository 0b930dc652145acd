//! The connection to the cluster that holds a topic: questions about the topic, and group commits.

use std::ffi::CString;
use std::sync::Arc;
use std::time::Duration;

use henge_segment_store::stream::{Offset, OffsetRange};
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::{Offset as LibraryOffset, TopicPartitionList};

use super::error::KafkaError;
use super::native;
use super::settings::client_config;
use super::topic::TopicDescription;

/// A client for one topic. Clones share one connection and may be used from any thread; calls that take a `timeout`
/// block for that long at most, and a second more.
#[derive(Clone)]
pub struct StreamClient {
    pub(super) consumer: Arc<BaseConsumer>,
    topic: Arc<str>,
    topic_name: Arc<CString>,
}

impl StreamClient {
    /// Starts a client; connecting happens in the background. `properties` are the client properties as the library knows
    /// them, secrets included.
    pub fn new(data_source: &str, topic: &str, properties: &[(String, String)]) -> Result<Self, KafkaError> {
        let topic_name = CString::new(topic)
            .map_err(|_| KafkaError::Client { detail: "the topic's name has a zero byte".to_owned() })?;
        let consumer: BaseConsumer = client_config(data_source, properties).create().map_err(KafkaError::of_client)?;
        Ok(Self { consumer: Arc::new(consumer), topic: topic.into(), topic_name: Arc::new(topic_name) })
    }

    pub fn topic(&self) -> &Arc<str> {
        &self.topic
    }

    /// Asks the broker which topic has the name now.
    pub fn describe_topic(&self, timeout: Duration) -> Result<TopicDescription, KafkaError> {
        match native::describe::describe(&self.consumer, &self.topic_name, timeout) {
            Ok((id, partitions)) => Ok(TopicDescription { id, partitions }),
            Err(RDKafkaErrorCode::UnsupportedFeature | RDKafkaErrorCode::UnsupportedVersion) => {
                self.describe_by_metadata(timeout)
            }
            Err(code) => Err(KafkaError::of_call("describe the topic", &self.topic, code)),
        }
    }

    /// For brokers that cannot describe topics: they have no topic ids either.
    fn describe_by_metadata(&self, timeout: Duration) -> Result<TopicDescription, KafkaError> {
        const OPERATION: &str = "read the topic's metadata";
        let metadata = self
            .consumer
            .fetch_metadata(Some(&self.topic), timeout)
            .map_err(|error| KafkaError::of_library(OPERATION, &self.topic, &error))?;
        let unknown = || KafkaError::UnknownTopic { topic: self.topic.to_string() };
        let topic = metadata.topics().iter().find(|topic| topic.name() == &*self.topic).ok_or_else(unknown)?;
        if let Some(code) = topic.error() {
            return Err(KafkaError::of_call(OPERATION, &self.topic, code.into()));
        }
        Ok(TopicDescription { id: None, partitions: i32::try_from(topic.partitions().len()).unwrap_or(i32::MAX) })
    }

    /// Asks the broker for `[log start, last stable offset)` of a partition; with `isolation.level=read_uncommitted` the
    /// end is the high watermark.
    pub fn query_watermarks(&self, partition: i32, timeout: Duration) -> Result<OffsetRange, KafkaError> {
        let (low, high) = self
            .consumer
            .fetch_watermarks(&self.topic, partition, timeout)
            .map_err(|error| KafkaError::of_library("read the partition's offsets", &self.topic, &error))?;
        Ok(OffsetRange { start: Offset(low), end: Offset(high) })
    }

    /// `[log start, high watermark)` as the partition's last fetch told it; asks nobody. `None` before the first fetch.
    pub fn cached_watermarks(&self, partition: i32) -> Option<OffsetRange> {
        native::watermark::cached(&self.consumer, &self.topic_name, partition)
    }

    /// Tells the group's coordinator the next offsets to read, for lag monitors; we never read them back (invariant M4).
    /// Returns at once; a refusal comes as an event of the reader.
    pub fn commit_advisory(&self, next: &[(i32, Offset)]) -> Result<(), KafkaError> {
        let offsets = self.offsets(next)?;
        self.consumer
            .commit(&offsets, CommitMode::Async)
            .map_err(|error| KafkaError::of_library("commit offsets", &self.topic, &error))
    }

    pub(super) fn offsets(&self, offsets: &[(i32, Offset)]) -> Result<TopicPartitionList, KafkaError> {
        let mut list = TopicPartitionList::with_capacity(offsets.len());
        for (partition, offset) in offsets {
            list.add_partition_offset(&self.topic, *partition, LibraryOffset::Offset(offset.0))
                .map_err(|error| KafkaError::of_library("name offsets", &self.topic, &error))?;
        }
        Ok(list)
    }
}
