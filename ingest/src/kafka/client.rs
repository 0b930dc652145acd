//! The connection to a cluster: questions about its topics, and group commits.

use std::ffi::CString;
use std::sync::Arc;
use std::time::Duration;

use henge_segment_store::stream::{Offset, OffsetRange, StreamPartition};
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::{Offset as LibraryOffset, TopicPartitionList};

use super::error::KafkaError;
use super::native;
use super::oauth_token::OauthToken;
use super::settings::client_config;
use super::topic::TopicDescription;

/// A client for the topics of one datasource. Clones share one connection and may be used from any thread; calls that take
/// a `timeout` block for that long at most, and a second more.
#[derive(Clone)]
pub struct StreamClient {
    pub(super) consumer: Arc<BaseConsumer>,
}

impl StreamClient {
    /// Starts a client; connecting happens in the background. `properties` are the client properties as the library knows
    /// them, secrets included.
    pub fn new(data_source: &str, properties: &[(String, String)]) -> Result<Self, KafkaError> {
        let consumer: BaseConsumer = client_config(data_source, properties).create().map_err(KafkaError::of_client)?;
        let client = Self { consumer: Arc::new(consumer) };
        client.renew_token(properties)?;
        Ok(client)
    }

    /// Takes the OAUTHBEARER token out of the properties, where it is the value of `sasl.oauthbearer.config`; no effect
    /// with other mechanisms.
    pub fn renew_token(&self, properties: &[(String, String)]) -> Result<(), KafkaError> {
        match OauthToken::from_properties(properties)? {
            Some(token) => native::oauth::set_token(&self.consumer, &token),
            None => Ok(()),
        }
    }

    /// Asks the broker which topics there are.
    pub fn list_topics(&self, timeout: Duration) -> Result<Vec<String>, KafkaError> {
        const OPERATION: &str = "list the topics";
        let metadata = self.consumer.fetch_metadata(None, timeout);
        let metadata = metadata.map_err(|error| KafkaError::of_library(OPERATION, "", &error))?;
        Ok(metadata.topics().iter().map(|topic| topic.name().to_owned()).collect())
    }

    /// Asks the broker which topics have these names now; the answers are in the order of the names.
    pub fn describe_topics(
        &self,
        topics: &[Arc<str>],
        timeout: Duration,
    ) -> Result<Vec<Result<TopicDescription, KafkaError>>, KafkaError> {
        const OPERATION: &str = "describe the topic";
        if topics.is_empty() {
            return Ok(Vec::new());
        }
        let names = topics.iter().map(|topic| c_name(topic)).collect::<Result<Vec<_>, _>>()?;
        match native::describe::describe(&self.consumer, &names, timeout) {
            Ok(described) => {
                let described = topics.iter().zip(described).map(|(topic, described)| match described {
                    Ok((id, partitions)) => Ok(TopicDescription { id, partitions }),
                    Err(code) => Err(KafkaError::of_call(OPERATION, topic, code)),
                });
                Ok(described.collect())
            }
            Err(RDKafkaErrorCode::UnsupportedFeature | RDKafkaErrorCode::UnsupportedVersion) => {
                Ok(topics.iter().map(|topic| self.describe_by_metadata(topic, timeout)).collect())
            }
            Err(code) => Err(KafkaError::of_call(OPERATION, &topics[0], code)),
        }
    }

    /// For brokers that cannot describe topics: they have no topic ids either.
    fn describe_by_metadata(&self, topic: &str, timeout: Duration) -> Result<TopicDescription, KafkaError> {
        const OPERATION: &str = "read the topic's metadata";
        let metadata = self
            .consumer
            .fetch_metadata(Some(topic), timeout)
            .map_err(|error| KafkaError::of_library(OPERATION, topic, &error))?;
        let unknown = || KafkaError::UnknownTopic { topic: topic.to_owned() };
        let found = metadata.topics().iter().find(|found| found.name() == topic).ok_or_else(unknown)?;
        if let Some(code) = found.error() {
            return Err(KafkaError::of_call(OPERATION, topic, code.into()));
        }
        Ok(TopicDescription { id: None, partitions: i32::try_from(found.partitions().len()).unwrap_or(i32::MAX) })
    }

    /// Asks the broker for `[log start, last stable offset)` of a partition; with `isolation.level=read_uncommitted` the
    /// end is the high watermark.
    pub fn query_watermarks(&self, partition: &StreamPartition, timeout: Duration) -> Result<OffsetRange, KafkaError> {
        let StreamPartition { topic, partition } = partition;
        let (low, high) = self
            .consumer
            .fetch_watermarks(topic, *partition, timeout)
            .map_err(|error| KafkaError::of_library("read the partition's offsets", topic, &error))?;
        Ok(OffsetRange { start: Offset(low), end: Offset(high) })
    }

    /// `[log start, high watermark)` as the partition's last fetch told it; asks nobody. `None` before the first fetch.
    pub fn cached_watermarks(&self, partition: &StreamPartition) -> Option<OffsetRange> {
        native::watermark::cached(&self.consumer, &c_name(&partition.topic).ok()?, partition.partition)
    }

    /// Tells the group's coordinator the next offsets to read, for lag monitors; we never read them back (invariant M4).
    /// Returns at once; a refusal comes as an event of the reader.
    pub fn commit_advisory(&self, next: &[(StreamPartition, Offset)]) -> Result<(), KafkaError> {
        let offsets = offset_list(next)?;
        self.consumer
            .commit(&offsets, CommitMode::Async)
            .map_err(|error| KafkaError::of_library("commit offsets", &topics_of(next), &error))
    }
}

pub(super) fn c_name(topic: &str) -> Result<CString, KafkaError> {
    CString::new(topic).map_err(|_| KafkaError::Client { detail: "a topic's name has a zero byte".to_owned() })
}

pub(super) fn offset_list(offsets: &[(StreamPartition, Offset)]) -> Result<TopicPartitionList, KafkaError> {
    let mut list = TopicPartitionList::with_capacity(offsets.len());
    for (StreamPartition { topic, partition }, offset) in offsets {
        list.add_partition_offset(topic, *partition, LibraryOffset::Offset(offset.0))
            .map_err(|error| KafkaError::of_library("name offsets", topic, &error))?;
    }
    Ok(list)
}

/// In a message about these partitions: the first topic stands for all.
pub(super) fn topics_of<T>(partitions: &[(StreamPartition, T)]) -> Arc<str> {
    partitions.first().map_or_else(|| "".into(), |(partition, _)| partition.topic.clone())
}
