//! What the client says about itself: log lines, errors that belong to no partition, results of commits.

use std::ffi::{CStr, c_char};
use std::ptr;
use std::sync::Arc;
use std::time::Duration;

use henge_segment_store::stream::TopicId;
use rdkafka::bindings::{
    RD_KAFKA_EVENT_ERROR, RD_KAFKA_EVENT_LOG, RD_KAFKA_EVENT_OAUTHBEARER_TOKEN_REFRESH, RD_KAFKA_EVENT_OFFSET_COMMIT,
    rd_kafka_event_error, rd_kafka_event_error_string, rd_kafka_event_log, rd_kafka_event_type,
};
use rdkafka::consumer::BaseConsumer;
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::types::RDKafkaRespErr;

use super::queue::{Event, Queue};

pub enum ClientEvent {
    Error {
        code: RDKafkaErrorCode,
        detail: String,
    },
    /// A group commit was refused.
    CommitFailed {
        code: RDKafkaErrorCode,
    },
    /// The broker wants an OAUTHBEARER token.
    TokenWanted,
    /// A topic's id as the newest metadata has it, at first and whenever it is another one. It comes before anything
    /// is fetched under that id.
    TopicIs {
        topic: String,
        id: TopicId,
    },
}

pub struct ClientEvents(Queue);

impl ClientEvents {
    /// Takes these events off the consumer queue, where the batch call would print them.
    pub fn new(consumer: &Arc<BaseConsumer>) -> Option<Self> {
        let events = Self(Queue::of_client(consumer)?);
        // What was queued before, when nothing was assigned yet, is log lines at most.
        let early = Queue::of_consumer(consumer)?;
        while let Some(event) = early.poll(Duration::ZERO) {
            let _log_line = read(&event);
        }
        Some(events)
    }

    /// The next event that is there, if any; log lines go to `tracing` on the way.
    pub fn next(&self) -> Option<ClientEvent> {
        while let Some(event) = self.0.poll(Duration::ZERO) {
            if let Some(event) = read(&event) {
                return Some(event);
            }
        }
        None
    }
}

impl Drop for ClientEvents {
    fn drop(&mut self) {
        self.0.rejoin_consumer();
    }
}

fn read(event: &Event) -> Option<ClientEvent> {
    // SAFETY: the event is alive.
    match unsafe { rd_kafka_event_type(event.as_ptr()) } {
        RD_KAFKA_EVENT_LOG => log(event).map(|(topic, id)| ClientEvent::TopicIs { topic, id }),
        RD_KAFKA_EVENT_ERROR => {
            // SAFETY: the event is alive, and its text a C string inside it or null.
            let detail = unsafe { text(rd_kafka_event_error_string(event.as_ptr())) };
            Some(ClientEvent::Error { code: event_error(event), detail })
        }
        RD_KAFKA_EVENT_OFFSET_COMMIT => match event_error(event) {
            RDKafkaErrorCode::NoError => None,
            code => Some(ClientEvent::CommitFailed { code }),
        },
        RD_KAFKA_EVENT_OAUTHBEARER_TOKEN_REFRESH => Some(ClientEvent::TokenWanted),
        _ => None,
    }
}

fn event_error(event: &Event) -> RDKafkaErrorCode {
    // SAFETY: the event is alive. These codes are the library's own, all of them in the enumeration.
    let code: RDKafkaRespErr = unsafe { rd_kafka_event_error(event.as_ptr()) };
    code.into()
}

/// The library's errors are ours to report as events and states, so its lines are never louder than a warning. Returns
/// what only a line tells.
fn log(event: &Event) -> Option<(String, TopicId)> {
    let (mut facility, mut line, mut level) = (ptr::null(), ptr::null(), 0);
    // SAFETY: the event is alive and the three places are valid.
    if unsafe { rd_kafka_event_log(event.as_ptr(), &mut facility, &mut line, &mut level) } != 0 {
        return None;
    }
    // SAFETY: both are C strings inside the event.
    let (facility, line) = unsafe { (text(facility), text(line)) };
    match level {
        ..=4 => tracing::warn!(facility, line, "kafka client"),
        5..=6 => tracing::debug!(facility, line, "kafka client"),
        _ => tracing::trace!(facility, line, "kafka client"),
    }
    new_topic_id(&line)
}

/// The library goes on at the same offset when a topic is made again, and says so in one debug line.
fn new_topic_id(line: &str) -> Option<(String, TopicId)> {
    let (before, ids) = line.split_once(" changed id from ")?;
    let (_, topic) = before.rsplit_once("Topic ")?;
    Some((topic.to_owned(), topic_id_from_base64(ids.split_once(" to ")?.1)?))
}

/// 22 characters of plain base64 for 128 bits.
fn topic_id_from_base64(text: &str) -> Option<TopicId> {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digit = |byte: u8| DIGITS.iter().position(|known| *known == byte).map(|place| place as u128);
    let (&last, first) = text.as_bytes().split_last().filter(|(_, first)| first.len() == 21)?;
    let high = first.iter().try_fold(0, |bits, byte| Some(bits << 6 | digit(*byte)?))?;
    Some(TopicId(high << 2 | digit(last)? >> 4))
}

/// # Safety
/// `start` is null or a C string.
unsafe fn text(start: *const c_char) -> String {
    if start.is_null() {
        return String::new();
    }
    // SAFETY: the caller's promise.
    unsafe { CStr::from_ptr(start) }.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_id_is_read_from_the_line_that_tells_it() {
        let cases = [
            (
                "[thrd:main]: Topic usage changed id from AAAAAAAAAAAAAAAAAAAAAA to AAECAwQFBgcICQoLDA0ODw",
                Some(("usage", TopicId(0x0001_0203_0405_0607_0809_0a0b_0c0d_0e0f))),
            ),
            ("Topic a.to-b changed id from x to //////////////////////", Some(("a.to-b", TopicId(u128::MAX)))),
            ("Topic usage changed id from x to AAECAwQFBgcICQoLDA0OD-", None),
            ("Topic usage changed id from x to AAECAwQFBgcICQoLDA0O", None),
            ("Topic usage partition 1 Leader 1 Epoch 0", None),
        ];
        for (line, expected) in cases {
            let expected = expected.map(|(topic, id)| (topic.to_owned(), id));
            assert_eq!(new_topic_id(line), expected, "{line}");
        }
    }
}
