//! Connecting: which topics are there, where each partition is taken up.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use henge_segment_store::clock;
use henge_segment_store::ledger::LedgerCounts;
use henge_segment_store::stream::{OffsetRange, StreamPartition};

use super::topics::Standing;
use super::{Context, Session};
use crate::client_properties;
use crate::kafka::client::StreamClient;
use crate::kafka::error::KafkaError;
use crate::kafka::event::StreamEvent;
use crate::kafka::topic::TopicDescription;
use crate::lanes::Lanes;
use crate::publisher::with_source;
use crate::resume::{self, Resume};
use crate::spec::{StartAt, Topics};
use crate::topic_watch::{TopicWatch, find_topics};

/// How long one question to the broker may take.
const ASK_MAX: Duration = Duration::from_secs(5);

/// Why a session could not begin: the broker, the topic or a secret is not there. Worth trying again.
pub struct StartError(pub String);

impl From<KafkaError> for StartError {
    fn from(error: KafkaError) -> Self {
        Self(error.to_string())
    }
}

impl<'a> Session<'a> {
    /// Connects and takes up every partition of the topics.
    pub fn start(context: &'a Context) -> Result<Self, StartError> {
        let properties = client_properties::resolve(&context.spec).map_err(|error| StartError(with_source(&error)))?;
        let client = StreamClient::new(context.data_source.name().as_str(), &properties)?;
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let lanes = Lanes::new(&context.spec, context.data_source.clone(), client.clone(), cores)?;
        let progress = context.data_source.progress();
        let published = progress.checkpoint.iter().map(|(partition, _)| &partition.topic);
        let published: BTreeSet<&Arc<str>> = published.filter(|topic| context.spec.topics.includes(topic)).collect();
        let found = find_topics(&client, &context.spec.topics, published.iter().copied());
        let found = found.map_err(|error| because(&lanes, &error))?;
        let mut session = Self {
            context,
            watch: TopicWatch::new(context.runtime.clone(), client.clone(), context.spec.topics.clone()),
            client,
            lanes,
            counts_before: progress.ledger.values().fold(LedgerCounts::default(), |mut counts, partition| {
                counts.add(partition);
                counts
            }),
            topics: BTreeMap::new(),
            generation: progress.generation,
            publishing: None,
            is_cut_wanted: false,
            memory: context.memory.share(),
            pause: None,
            unpublished_since: None,
            stopped: BTreeMap::new(),
            lost_offsets: BTreeSet::new(),
            trouble: None,
            recovery: BTreeMap::new(),
            reported: Instant::now(),
            rated: Instant::now(),
        };
        let is_known = !published.is_empty();
        for (name, description) in found {
            match description {
                Ok(description) => session.begin_found(&name, description, is_known)?,
                Err(KafkaError::UnknownTopic { .. }) if matches!(context.spec.topics, Topics::Matching(_)) => {
                    session.begin_unread(&name, Standing::Gone)?;
                }
                Err(error) => return Err(because(&session.lanes, &error)),
            }
        }
        // "Latest" is this moment: a restart before the first event must not choose a later one.
        session.is_cut_wanted |= !is_known && context.spec.start == StartAt::Latest;
        session.report();
        Ok(session)
    }

    /// Takes up all partitions of a topic that is there, unless it is not the one that the manifest knows.
    fn begin_found(&mut self, name: &Arc<str>, found: TopicDescription, is_known: bool) -> Result<(), StartError> {
        let progress = self.context.data_source.progress();
        let positions = progress.checkpoint.iter().filter(|(partition, _)| partition.topic == *name);
        let expected = positions.filter_map(|(_, position)| position.topic_id).next();
        if let Err(cause) = resume::check_identity(name, expected, found.id) {
            return Ok(self.begin_unread(name, Standing::Replaced(cause.to_string()))?);
        }
        self.expect_topic(name, found.id, Standing::Read);
        for partition in 0..found.partitions {
            let partition = StreamPartition { topic: name.clone(), partition };
            let log = self.client.query_watermarks(&partition, ASK_MAX)?;
            self.take_up(partition, log, is_known)?;
        }
        Ok(())
    }

    /// Shows where a topic stands that cannot be read.
    fn begin_unread(&mut self, name: &Arc<str>, standing: Standing) -> Result<(), KafkaError> {
        let progress = self.context.data_source.progress();
        let positions = progress.checkpoint.iter().filter(|(partition, _)| partition.topic == *name);
        let mut id = None;
        for (partition, position) in positions {
            id = id.or(position.topic_id);
            self.lanes.begin(partition.clone(), position.topic_id, position.next, None)?;
        }
        self.expect_topic(name, id, standing);
        Ok(())
    }

    /// Begins to read a partition where the manifest and the broker's log say. `log` is `[log start, end)`.
    pub(super) fn take_up(
        &mut self,
        partition: StreamPartition,
        log: OffsetRange,
        is_known: bool,
    ) -> Result<(), KafkaError> {
        let topic_id = self.topics.get(&partition.topic).and_then(|topic| topic.id);
        let published = self.context.data_source.progress().checkpoint.get(&partition);
        let start = match resume::resume(&partition, published, log, self.context.spec.start, is_known, clock::now()) {
            Resume::At(start) => {
                self.lanes.begin(partition.clone(), topic_id, start, None)?;
                start
            }
            Resume::Behind(gap) => {
                tracing::warn!(%partition, from = %gap.from, to = %gap.to, "records were lost before they were read");
                let start = gap.to;
                self.lanes.begin(partition.clone(), topic_id, start, Some(gap))?;
                start
            }
            Resume::Stop(cause) => {
                let next = published.map_or(log.start, |position| position.next);
                self.lanes.begin(partition.clone(), topic_id, next, None)?;
                self.stopped.insert(partition, cause.to_string());
                return Ok(());
            }
        };
        // Also where nothing is published yet: what an earlier process had read was visible all the same.
        self.recovery.insert(partition.clone(), log.end);
        self.lanes.assign(&[(partition, start)])
    }
}

/// A time-out says little; the client's own events tell whether it was the address, the password or the certificate.
fn because(lanes: &Lanes, error: &KafkaError) -> StartError {
    let cause = lanes.take_news().events.into_iter().find_map(|event| match event {
        StreamEvent::Trouble { detail, .. } => Some(detail),
        _ => None,
    });
    StartError(cause.map_or(error.to_string(), |cause| format!("{error}: {cause}")))
}
