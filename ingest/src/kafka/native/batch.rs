//! Takes records from a queue many at a time: a third cheaper than one by one.

use std::ffi::CStr;
use std::ops::Range;
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::time::Duration;

use henge_segment_store::stream::Offset;
use rdkafka::bindings::{
    rd_kafka_consume_batch_queue, rd_kafka_message_destroy, rd_kafka_message_errstr, rd_kafka_message_t,
};
use rdkafka::error::RDKafkaErrorCode;

use super::queue::Queue;
use super::record::{RecordView, topic_name};
use super::{error_code, millis};

/// What such a queue holds.
pub enum Message<'a> {
    Record(RecordView<'a>),
    Error(PartitionError<'a>),
}

/// An error, or the end of a partition, in its place among the records.
pub struct PartitionError<'a> {
    pub code: RDKafkaErrorCode,
    /// Topic and number; `None` when it concerns the whole consumer.
    pub partition: Option<(&'a str, i32)>,
    pub offset: Option<Offset>,
    message: &'a MessageGuard,
}

impl PartitionError<'_> {
    /// The client library's own words.
    pub fn detail(&self) -> String {
        // SAFETY: the message is alive while the guard is; its text is a C string inside it, or null.
        let text = unsafe { rd_kafka_message_errstr(self.message.0.as_ptr()) };
        if text.is_null() {
            return String::new();
        }
        // SAFETY: not null, so a C string.
        unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
    }
}

/// A queue of records and the room for one batch.
pub struct BatchQueue {
    queue: Arc<Queue>,
    messages: Vec<*mut rd_kafka_message_t>,
}

// SAFETY: the pointers in `messages` are used only inside `take`, which destroys what they point to before it returns.
unsafe impl Send for BatchQueue {}

impl BatchQueue {
    pub fn new(queue: Arc<Queue>) -> Self {
        Self { queue, messages: Vec::new() }
    }

    /// Hands over at most `max` messages in their order and says how many there were. Waits at most `timeout` for the
    /// first one, and not at all for the others. Every message taken is destroyed, also when `each` panics.
    pub fn take(&mut self, max: usize, timeout: Duration, mut each: impl FnMut(Message<'_>)) -> usize {
        self.messages.resize(max.max(1), ptr::null_mut());
        let all = self.messages.len();
        let mut count = self.fill(0..all, Duration::ZERO);
        if count == 0 && !timeout.is_zero() {
            // A call that asks for one message returns with it; one that asks for more waits until the time is over.
            count = self.fill(0..1, timeout);
            if count == 1 && all > 1 {
                count += self.fill(1..all, Duration::ZERO);
            }
        }
        let mut batch = Batch { messages: &self.messages[..count], next: 0 };
        while let Some(guard) = batch.next_message() {
            each(guard.view());
        }
        count
    }

    fn fill(&mut self, room: Range<usize>, timeout: Duration) -> usize {
        let room = &mut self.messages[room];
        // SAFETY: the queue is alive, and `room` has the length that is passed along.
        let count = unsafe {
            rd_kafka_consume_batch_queue(self.queue.as_ptr(), millis(timeout), room.as_mut_ptr(), room.len())
        };
        usize::try_from(count).unwrap_or(0)
    }
}

/// Messages not handed over yet.
struct Batch<'a> {
    messages: &'a [*mut rd_kafka_message_t],
    next: usize,
}

impl Batch<'_> {
    fn next_message(&mut self) -> Option<MessageGuard> {
        let message = *self.messages.get(self.next)?;
        self.next += 1;
        NonNull::new(message).map(MessageGuard)
    }
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        while self.next_message().is_some() {}
    }
}

/// Destroys its message when dropped.
struct MessageGuard(NonNull<rd_kafka_message_t>);

impl MessageGuard {
    fn view(&self) -> Message<'_> {
        let message = self.0.as_ptr();
        // SAFETY: the guard owns a live message; only the code's place is taken, no reference to the struct.
        let code = unsafe { error_code(&raw const (*message).err) };
        if code == RDKafkaErrorCode::NoError {
            // SAFETY: no error, and the view cannot outlive the borrow of the guard.
            return Message::Record(unsafe { RecordView::new(message) });
        }
        // SAFETY: as above; these fields are plain numbers and a pointer.
        let (topic, partition, offset) = unsafe { ((*message).rkt, (*message).partition, (*message).offset) };
        Message::Error(PartitionError {
            code,
            // SAFETY: the topic is not null, and the message keeps it alive.
            partition: (!topic.is_null() && partition >= 0).then(|| (unsafe { topic_name(topic) }, partition)),
            offset: (offset >= 0).then_some(Offset(offset)),
            message: self,
        })
    }
}

impl Drop for MessageGuard {
    fn drop(&mut self) {
        // SAFETY: we own the message and destroy it once.
        unsafe { rd_kafka_message_destroy(self.0.as_ptr()) };
    }
}
