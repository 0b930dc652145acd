//! What a client tells beside the records of its readers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use henge_segment_store::stream::TopicId;

use super::client::StreamClient;
use super::error::KafkaError;
use super::event::{StreamEvent, Trouble};
use super::native::batch::{BatchQueue, Message};
use super::native::client_event::{ClientEvent, ClientEvents};
use super::native::queue::Queue;

/// Events of the whole consumer taken at once.
const EVENTS_MAX: usize = 64;

/// Events that belong to no reader. One client has one of these.
pub struct ClientNews {
    client_events: ClientEvents,
    /// Brings no records: those of a partition go to its reader.
    consumer_queue: BatchQueue,
    expected: BTreeMap<Arc<str>, TopicId>,
    replaced: BTreeSet<Arc<str>>,
    events: Vec<StreamEvent>,
}

impl ClientNews {
    pub fn new(client: &StreamClient) -> Result<Self, KafkaError> {
        let no_queue = || KafkaError::Client { detail: "the consumer has no queue".to_owned() };
        let consumer_queue = Queue::of_consumer(&client.consumer).ok_or_else(no_queue)?;
        Ok(Self {
            client_events: ClientEvents::new(&client.consumer).ok_or_else(no_queue)?,
            consumer_queue: BatchQueue::new(Arc::new(consumer_queue)),
            expected: BTreeMap::new(),
            replaced: BTreeSet::new(),
            events: Vec::new(),
        })
    }

    /// Takes records of this name only from the topic with this id (invariant M6). A name of which nothing is expected is
    /// taken for whichever topic has it.
    pub fn expect_topic(&mut self, topic: Arc<str>, id: TopicId) {
        self.replaced.remove(&topic);
        self.expected.insert(topic, id);
    }

    /// Takes what the client has said until now.
    pub fn listen(&mut self) {
        while let Some(event) = self.client_events.next() {
            match event {
                ClientEvent::Error { code, detail } => {
                    let kind = Trouble::of(code);
                    self.events.push(StreamEvent::Trouble { partition: None, kind, detail });
                }
                ClientEvent::CommitFailed { code } => {
                    self.events.push(StreamEvent::CommitFailed { detail: code.to_string() });
                }
                ClientEvent::TokenWanted => self.events.push(StreamEvent::TokenWanted),
                ClientEvent::TopicIs { topic, id } => self.on_topic_id(&topic, id),
            }
        }
    }

    fn on_topic_id(&mut self, topic: &str, found: TopicId) {
        let Some((topic, expected)) = self.expected.get_key_value(topic) else { return };
        if *expected != found {
            self.replaced.insert(topic.clone());
            self.events.push(StreamEvent::AnotherTopic { topic: topic.clone(), found });
        }
    }

    /// Whether another topic has taken the name of an expected one.
    pub fn is_replaced(&self, topic: &str) -> bool {
        self.replaced.contains(topic)
    }

    pub fn has_replaced(&self) -> bool {
        !self.replaced.is_empty()
    }

    /// The events since the last call.
    pub fn take(&mut self) -> Vec<StreamEvent> {
        self.listen();
        let events = &mut self.events;
        self.consumer_queue.take(EVENTS_MAX, Duration::ZERO, |message| {
            if let Message::Error(error) = message {
                let kind = Trouble::of(error.code);
                events.push(StreamEvent::Trouble { partition: None, kind, detail: error.detail() });
            }
        });
        std::mem::take(events)
    }
}
