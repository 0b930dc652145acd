//! Connecting: which topic is there, where each partition is taken up.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use henge_segment_store::clock;
use henge_segment_store::stream::{OffsetRange, StreamPartition, TopicId};

use super::{Context, Session};
use crate::appender::Appender;
use crate::client_properties;
use crate::kafka::client::StreamClient;
use crate::kafka::error::KafkaError;
use crate::kafka::event::StreamEvent;
use crate::kafka::reader::StreamReader;
use crate::publisher::with_source;
use crate::resume::{self, Resume};
use crate::spec::StartAt;
use crate::topic_watch::TopicWatch;

/// How long one question to the broker may take.
const ASK_MAX: Duration = Duration::from_secs(5);

/// Why a session could not begin.
pub enum StartError {
    /// The broker, the topic or a secret is not there: try again.
    Retry(String),
    /// The topic is another one: an operator has to act.
    Halt(String),
}

impl From<KafkaError> for StartError {
    fn from(error: KafkaError) -> Self {
        Self::Retry(error.to_string())
    }
}

impl<'a> Session<'a> {
    /// Connects and takes up every partition of the topic.
    pub fn start(context: &'a Context) -> Result<Self, StartError> {
        let properties =
            client_properties::resolve(&context.spec).map_err(|error| StartError::Retry(with_source(&error)))?;
        let client = StreamClient::new(context.data_source.name().as_str(), &context.spec.topic, &properties)?;
        let mut reader = StreamReader::new(client.clone())?;
        let topic = client.describe_topic(ASK_MAX).map_err(|error| because(&mut reader, &error))?;
        let progress = context.data_source.progress();
        let positions = progress.checkpoint.iter().filter(|(partition, _)| *partition.topic == *context.spec.topic);
        let expected = positions.filter_map(|(_, position)| position.topic_id).next();
        resume::check_identity(&context.spec.topic, expected, topic.id)
            .map_err(|cause| StartError::Halt(cause.to_string()))?;
        let mut session = Self {
            context,
            watch: TopicWatch::new(context.runtime.clone(), client),
            appender: Appender::new(&context.spec, topic.id, context.data_source.clone(), context.store.slot()),
            reader,
            topic_id: topic.id,
            generation: progress.generation,
            publishing: None,
            memory: context.memory.share(),
            pause: None,
            unpublished_since: None,
            stopped: BTreeMap::new(),
            lost_offsets: BTreeSet::new(),
            another_topic: None,
            is_suspect: false,
            trouble: None,
            recovery: BTreeMap::new(),
            reported: Instant::now(),
            rated: Instant::now(),
        };
        session.reader.expect_topic(topic.id);
        session.take_up_all(topic.partitions)?;
        Ok(session)
    }

    fn take_up_all(&mut self, partitions: i32) -> Result<(), StartError> {
        let is_known = self.is_topic_known();
        for partition in (0..partitions).filter(|&partition| self.context.store.slot().owns(partition)) {
            let log = self.reader.client().query_watermarks(partition, ASK_MAX)?;
            self.take_up(partition, log, is_known)?;
        }
        if !is_known && self.context.spec.start == StartAt::Latest {
            // "Latest" is this moment: a restart before the first event must not choose a later one.
            self.cut(None);
        }
        self.report();
        Ok(())
    }

    /// Begins to read a partition where the manifest and the broker's log say. `log` is `[log start, end)`.
    pub(super) fn take_up(&mut self, partition: i32, log: OffsetRange, is_known: bool) -> Result<(), KafkaError> {
        let stream = StreamPartition { topic: self.context.spec.topic.as_str().into(), partition };
        let published = self.context.data_source.progress().checkpoint.get(&stream);
        let start = match resume::resume(&stream, published, log, self.context.spec.start, is_known, clock::now()) {
            Resume::At(start) => {
                self.appender.begin(partition, start, None);
                start
            }
            Resume::Behind(gap) => {
                tracing::warn!(partition = %stream, from = %gap.from, to = %gap.to, "records were lost before they were read");
                let start = gap.to;
                self.appender.begin(partition, start, Some(gap));
                start
            }
            Resume::Stop(cause) => {
                let next = published.map_or(log.start, |position| position.next);
                self.appender.begin(partition, next, None);
                self.stopped.insert(partition, cause.to_string());
                return Ok(());
            }
        };
        // Also where nothing is published yet: what an earlier process had read was visible all the same.
        self.recovery.insert(partition, log.end);
        self.reader.assign(&[(partition, start)])
    }

    /// Whether some partition of the topic has a checkpoint that this process has set, or one before it in its slot.
    pub(super) fn is_topic_known(&self) -> bool {
        let (progress, slot) = (self.context.data_source.progress(), self.context.store.slot());
        let is_ours = |partition: &StreamPartition| {
            *partition.topic == *self.context.spec.topic && slot.owns(partition.partition)
        };
        progress.checkpoint.iter().any(|(partition, _)| is_ours(partition))
    }

    /// The id that the topic had when the session began.
    pub(super) fn topic_id(&self) -> Option<TopicId> {
        self.topic_id
    }
}

/// A time-out says little; the client's own events tell whether it was the address, the password or the certificate.
fn because(reader: &mut StreamReader, error: &KafkaError) -> StartError {
    let polled = reader.poll_batch(0, Duration::ZERO, |_| {});
    let cause = polled.events.into_iter().find_map(|event| match event {
        StreamEvent::Trouble { detail, .. } => Some(detail),
        _ => None,
    });
    StartError::Retry(cause.map_or(error.to_string(), |cause| format!("{error}: {cause}")))
}
