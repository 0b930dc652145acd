//! Asks the broker what a topic is now, without stopping the reader.

use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use crate::kafka::client::StreamClient;
use crate::kafka::error::KafkaError;
use crate::kafka::topic::TopicDescription;

/// New partitions and a recreated topic are found within this time.
const ASK_EVERY: Duration = Duration::from_secs(5);
/// The same while something is odd.
const HURRY_EVERY: Duration = Duration::from_millis(500);
/// How long one question may take.
const ASK_MAX: Duration = Duration::from_secs(5);

type Answer = Result<TopicDescription, KafkaError>;

/// One question at a time, on a thread that may wait.
pub struct TopicWatch {
    runtime: Handle,
    client: StreamClient,
    asked: Option<JoinHandle<Answer>>,
    next: Instant,
}

impl TopicWatch {
    pub fn new(runtime: Handle, client: StreamClient) -> Self {
        Self { runtime, client, asked: None, next: Instant::now() + ASK_EVERY }
    }

    /// Asks when it is time, and returns an answer when one is there.
    pub fn poll(&mut self) -> Option<Answer> {
        if let Some(asked) = self.asked.take_if(|asked| asked.is_finished()) {
            self.next = Instant::now() + ASK_EVERY;
            return Some(self.runtime.block_on(asked).expect("describing a topic does not panic"));
        }
        if self.asked.is_none() && Instant::now() >= self.next {
            let client = self.client.clone();
            self.asked = Some(self.runtime.spawn_blocking(move || client.describe_topic(ASK_MAX)));
        }
        None
    }

    /// Asks sooner.
    pub fn hurry(&mut self) {
        self.next = self.next.min(Instant::now() + HURRY_EVERY);
    }
}
