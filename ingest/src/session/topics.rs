//! The topics that a session reads: found, gone, or made again under their names.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use henge_segment_store::stream::{Offset, StreamPartition, TopicId};

use super::Session;
use crate::kafka::error::KafkaError;
use crate::kafka::topic::TopicDescription;
use crate::resume;
use crate::spec::{StartAt, Topics};
use crate::topic_watch::FoundTopics;

/// How long the broker may take to say where a partition's log begins.
pub(super) const ASK_MAX: Duration = Duration::from_secs(2);

/// A topic that is read, or was.
#[derive(Debug)]
pub(super) struct Topic {
    /// The topic that was read under the name; `None` where the broker has no topic ids.
    pub(super) id: Option<TopicId>,
    pub(super) standing: Standing,
}

/// Whether a topic is still the one that is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Standing {
    Read,
    /// It may be another one now: nothing of it is read until the broker was asked.
    Suspect,
    /// No topic has its name.
    Gone,
    /// Another topic has its name, in words: nothing of that is read until an operator acts.
    Replaced(String),
}

impl Topic {
    /// Why nothing of it is read.
    pub(super) fn stopped(&self, name: &str) -> Option<String> {
        match &self.standing {
            Standing::Read | Standing::Suspect => None,
            Standing::Gone => Some(KafkaError::UnknownTopic { topic: name.to_owned() }.to_string()),
            Standing::Replaced(cause) => Some(cause.clone()),
        }
    }
}

impl Session<'_> {
    /// Asks the broker about the topics from time to time, and soon when something is odd.
    pub(super) fn look_at_topics(&mut self) {
        if self.topics.values().any(|topic| topic.standing == Standing::Suspect) {
            self.watch.hurry();
        }
        match self.watch.poll(self.topics.keys()) {
            None => {}
            Some(Ok(found)) => self.on_topics(found),
            Some(Err(error)) => self.trouble = Some(error.to_string()),
        }
    }

    fn on_topics(&mut self, found: FoundTopics) {
        self.trouble = None;
        for (name, description) in found {
            let outcome = match (description, self.topics.contains_key(&name)) {
                (Ok(description), true) => self.on_known_topic(&name, description),
                (Ok(description), false) => self.begin_topic(&name, description),
                (Err(KafkaError::UnknownTopic { .. }), true) => {
                    self.set_standing(&name, Standing::Gone);
                    Ok(())
                }
                (Err(KafkaError::UnknownTopic { .. }), false) => Ok(()),
                (Err(error), _) => Err(error),
            };
            if let Err(error) = outcome {
                self.trouble = Some(error.to_string());
            }
        }
    }

    fn on_known_topic(&mut self, name: &Arc<str>, found: TopicDescription) -> Result<(), KafkaError> {
        let topic = &self.topics[name];
        if let Err(cause) = resume::check_identity(name, topic.id, found.id) {
            self.set_standing(name, Standing::Replaced(cause.to_string()));
            return Ok(());
        }
        if topic.standing != Standing::Read {
            self.read_on(name)?;
        }
        self.take_up_new(name, found.partitions)
    }

    /// Begins a topic that appeared under the pattern, or partitions of a known one, from their beginning.
    fn begin_topic(&mut self, name: &Arc<str>, found: TopicDescription) -> Result<(), KafkaError> {
        tracing::info!(topic = %name, partitions = found.partitions, "found a new topic");
        self.expect_topic(name, found.id, Standing::Read);
        self.take_up_new(name, found.partitions)
    }

    pub(super) fn expect_topic(&mut self, name: &Arc<str>, id: Option<TopicId>, standing: Standing) {
        if let Some(id) = id {
            self.lanes.expect_topic(name.clone(), id);
        }
        self.topics.insert(name.clone(), Topic { id, standing });
    }

    fn take_up_new(&mut self, name: &Arc<str>, partitions: i32) -> Result<(), KafkaError> {
        for partition in 0..partitions {
            let partition = StreamPartition { topic: name.clone(), partition };
            if !self.lanes.reads(&partition) {
                let log = self.client.query_watermarks(&partition, ASK_MAX)?;
                tracing::info!(%partition, "found a new partition");
                self.take_up(partition, log, true)?;
                // Its beginning is on record before a restart could take it for one that was never seen.
                self.is_cut_wanted |= self.context.spec.start == StartAt::Latest;
            }
        }
        Ok(())
    }

    /// The topic is the one that was read before: goes on where that ended.
    fn read_on(&mut self, name: &Arc<str>) -> Result<(), KafkaError> {
        let mut positions = self.lanes.positions(name);
        positions.retain(|(partition, _)| !self.stopped.contains_key(partition));
        self.lanes.assign(&positions)?;
        self.topics.get_mut(name).expect("the caller has found it").standing = Standing::Read;
        Ok(())
    }

    /// Nothing more is read of a topic that may be another one, that is gone, or that another one has replaced. Records
    /// that were fetched already are read again if it is the same after all.
    pub(super) fn set_standing(&mut self, name: &str, standing: Standing) {
        let Some(topic) = self.topics.get_mut(name) else { return };
        if topic.standing == standing || matches!(topic.standing, Standing::Replaced(_)) {
            return;
        }
        if let Standing::Replaced(cause) = &standing {
            tracing::error!(topic = name, cause, "a topic is no longer the one that was read");
            // What was read of it cannot be read again.
            self.is_cut_wanted = true;
        }
        topic.standing = standing;
        let partitions = Vec::from_iter(self.lanes.positions(name).into_iter().map(|(partition, _)| partition));
        if let Err(error) = self.lanes.pause(&partitions) {
            self.trouble = Some(error.to_string());
        }
        self.watch.hurry();
    }

    pub(super) fn suspect_all(&mut self) {
        for name in self.topics.keys().cloned().collect::<BTreeSet<_>>() {
            self.suspect(&name);
        }
    }

    pub(super) fn suspect(&mut self, name: &str) {
        if self.topics.get(name).is_some_and(|topic| topic.standing == Standing::Read) {
            self.set_standing(name, Standing::Suspect);
        }
    }

    /// What an operator should know of the topics. One that is gone from under a pattern was read to its end, unless
    /// records are known that were not.
    pub(super) fn topic_trouble(&self) -> Option<String> {
        let stopped =
            self.topics.iter().filter_map(|(name, topic)| Some((name, &topic.standing, topic.stopped(name)?)));
        let is_trouble = |name: &Arc<str>, standing: &Standing| {
            *standing != Standing::Gone || matches!(self.context.spec.topics, Topics::One(_)) || self.has_unread(name)
        };
        stopped.filter(|(name, standing, _)| is_trouble(name, standing)).map(|(_, _, cause)| cause).next()
    }

    fn has_unread(&self, name: &str) -> bool {
        let unread = |(partition, next): &(StreamPartition, Offset)| {
            self.client.cached_watermarks(partition).is_some_and(|log| log.end > *next)
        };
        self.lanes.positions(name).iter().any(unread)
    }

    /// Whether nothing can be read until an operator acts.
    pub(super) fn is_halted(&self) -> bool {
        let is_replaced = |topic: &Topic| matches!(topic.standing, Standing::Replaced(_));
        !self.topics.is_empty() && self.topics.values().all(is_replaced)
    }
}
