//! What happens to a stream beside records: ends, troubles, new partitions, lost offsets, another topic of the same name.

use std::time::Duration;

use henge_segment_store::stream::{Offset, StreamPartition};

use super::Session;
use crate::client_properties;
use crate::kafka::error::KafkaError;
use crate::kafka::event::{StopReason, StreamEvent, Trouble};
use crate::kafka::topic::TopicDescription;
use crate::resume;

/// How long the broker may take to say where a partition's log begins.
const ASK_MAX: Duration = Duration::from_secs(2);

impl Session<'_> {
    pub(super) fn on_event(&mut self, event: StreamEvent) {
        match event {
            StreamEvent::EndReached { partition, next } => {
                if !self.is_suspect {
                    self.appender.pass(partition, next);
                    self.trouble = None;
                }
            }
            StreamEvent::Stopped { partition, reason: StopReason::OffsetOutOfRange, .. } => {
                self.on_offset_lost(partition);
            }
            StreamEvent::Stopped { partition, next, reason, detail } => {
                let topic = &self.context.spec.topic;
                self.stopped
                    .insert(partition, format!("{topic}[{partition}] stopped at offset {next}: {reason} ({detail})"));
            }
            StreamEvent::Trouble { kind: Trouble::UnknownTopic, detail, .. } => {
                self.trouble = Some(detail);
                self.suspect();
            }
            StreamEvent::AnotherTopic { found } => self.another_topic = Some(found),
            StreamEvent::Trouble { detail, .. } => self.trouble = Some(detail),
            StreamEvent::TokenWanted => self.renew_token(),
            StreamEvent::CommitFailed { detail } => {
                self.context.status.trouble(format!("advisory group commit failed: {detail}"));
            }
        }
    }

    /// The token's file or variable may hold a newer one by now.
    fn renew_token(&mut self) {
        let renewed = client_properties::resolve(&self.context.spec)
            .map_err(|error| error.to_string())
            .and_then(|properties| self.reader.client().renew_token(&properties).map_err(|error| error.to_string()));
        if let Err(error) = renewed {
            self.trouble = Some(error);
        }
    }

    /// Asks the broker about the topic from time to time, and at once when something is odd.
    pub(super) fn look_at_topic(&mut self) -> Result<(), String> {
        resume::check_identity(&self.context.spec.topic, self.topic_id(), self.another_topic)
            .map_err(|cause| cause.to_string())?;
        if self.is_suspect {
            self.suspect();
        }
        match self.watch.poll() {
            None => Ok(()),
            Some(Ok(topic)) => self.on_topic(topic),
            Some(Err(KafkaError::UnknownTopic { topic })) => {
                self.trouble = Some(format!("topic `{topic}` does not exist"));
                self.suspect();
                Ok(())
            }
            Some(Err(error)) => {
                self.trouble = Some(error.to_string());
                Ok(())
            }
        }
    }

    fn on_topic(&mut self, topic: TopicDescription) -> Result<(), String> {
        resume::check_identity(&self.context.spec.topic, self.topic_id(), topic.id)
            .map_err(|cause| cause.to_string())?;
        self.trouble = None;
        for partition in (0..topic.partitions).filter(|&partition| self.context.store.slot().owns(partition)) {
            if !self.appender.reads(partition)
                && let Err(error) = self.take_up_new(partition)
            {
                self.trouble = Some(error.to_string());
            }
        }
        if self.is_suspect {
            self.is_suspect = false;
            let positions: Vec<(i32, Offset)> =
                self.appender.positions().filter(|(partition, _)| !self.stopped.contains_key(partition)).collect();
            self.reader.assign(&positions).map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    fn take_up_new(&mut self, partition: i32) -> Result<(), KafkaError> {
        let log = self.reader.client().query_watermarks(partition, ASK_MAX)?;
        tracing::info!(topic = %self.context.spec.topic, partition, "found a new partition");
        self.take_up(partition, log, true)
    }

    /// Reads nothing more until the broker has said which topic this is. Records already fetched are read again then.
    fn suspect(&mut self) {
        self.is_suspect = true;
        let partitions: Vec<i32> = self.appender.positions().map(|(partition, _)| partition).collect();
        if let Err(error) = self.reader.pause(&partitions) {
            self.trouble = Some(error.to_string());
        }
        self.watch.hurry();
    }

    /// The broker does not have the next offset: what was read so far is published first, then the partition is taken up
    /// as at a start, with a gap on record or stopped for an operator.
    fn on_offset_lost(&mut self, partition: i32) {
        self.stopped.insert(partition, format!("{}[{partition}]: its next offset is gone", self.context.spec.topic));
        self.lost_offsets.insert(partition);
    }

    /// Takes partitions up again whose offset was lost, once everything before it is published.
    pub(super) fn recover_lost_offsets(&mut self) {
        if self.lost_offsets.is_empty() || self.publishing.is_some() {
            return;
        }
        if self.appender.has_unpublished() || self.lost_offsets.iter().any(|&partition| !self.has_checkpoint(partition))
        {
            self.cut(None);
            return;
        }
        for partition in std::mem::take(&mut self.lost_offsets) {
            let taken_up = self.reader.client().query_watermarks(partition, ASK_MAX).and_then(|log| {
                self.stopped.remove(&partition);
                self.take_up(partition, log, true)
            });
            if let Err(error) = taken_up {
                self.trouble = Some(error.to_string());
                self.on_offset_lost(partition);
            }
        }
    }

    fn has_checkpoint(&self, partition: i32) -> bool {
        let stream = StreamPartition { topic: self.context.spec.topic.as_str().into(), partition };
        self.context.data_source.progress().checkpoint.get(&stream).is_some()
    }
}
