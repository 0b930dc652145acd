//! Asks the broker which topics there are and what they are now, without stopping the reader.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use crate::kafka::client::StreamClient;
use crate::kafka::error::KafkaError;
use crate::kafka::topic::TopicDescription;
use crate::spec::Topics;

/// New topics, new partitions and a recreated topic are found within this time.
const ASK_EVERY: Duration = Duration::from_secs(5);
/// The same while something is odd.
const HURRY_EVERY: Duration = Duration::from_millis(500);
/// How long one question may take.
const ASK_MAX: Duration = Duration::from_secs(5);
/// Topics of one datasource (invariant B1): what is kept and reported for each of their partitions has to stay small.
const TOPICS_MAX: usize = 1_000;

/// What the broker says of each topic.
pub type FoundTopics = BTreeMap<Arc<str>, Result<TopicDescription, KafkaError>>;

/// Asks which topics are meant now, and about the `known` ones, so that it is seen when one of them is gone.
pub fn find_topics<'a>(
    client: &StreamClient,
    topics: &Topics,
    known: impl Iterator<Item = &'a Arc<str>>,
) -> Result<FoundTopics, KafkaError> {
    let mut names: BTreeSet<Arc<str>> = known.cloned().collect();
    match topics {
        Topics::One(topic) => _ = names.insert(topic.as_str().into()),
        Topics::Matching(_) => {
            let all = client.list_topics(ASK_MAX)?;
            names.extend(all.iter().filter(|topic| topics.includes(topic)).map(|topic| topic.as_str().into()));
        }
    }
    if names.len() > TOPICS_MAX {
        let detail = format!("{} topics match, at most {TOPICS_MAX} can be: write a narrower pattern", names.len());
        return Err(KafkaError::Refused { operation: "read all topics", detail });
    }
    let names = Vec::from_iter(names);
    let described = client.describe_topics(&names, ASK_MAX)?;
    Ok(names.into_iter().zip(described).collect())
}

/// One question at a time, on a thread that may wait.
pub struct TopicWatch {
    runtime: Handle,
    client: StreamClient,
    topics: Topics,
    asked: Option<JoinHandle<Result<FoundTopics, KafkaError>>>,
    next: Instant,
}

impl TopicWatch {
    pub fn new(runtime: Handle, client: StreamClient, topics: Topics) -> Self {
        Self { runtime, client, topics, asked: None, next: Instant::now() + ASK_EVERY }
    }

    /// Asks when it is time, also about the `known` topics, and returns an answer when one is there.
    pub fn poll<'a>(&mut self, known: impl Iterator<Item = &'a Arc<str>>) -> Option<Result<FoundTopics, KafkaError>> {
        if let Some(asked) = self.asked.take_if(|asked| asked.is_finished()) {
            self.next = Instant::now() + ASK_EVERY;
            return Some(self.runtime.block_on(asked).expect("describing a topic does not panic"));
        }
        if self.asked.is_none() && Instant::now() >= self.next {
            let (client, topics, known) = (self.client.clone(), self.topics.clone(), Vec::from_iter(known.cloned()));
            let ask = move || find_topics(&client, &topics, known.iter());
            self.asked = Some(self.runtime.spawn_blocking(ask));
        }
        None
    }

    /// Asks sooner.
    pub fn hurry(&mut self) {
        self.next = self.next.min(Instant::now() + HURRY_EVERY);
    }
}
