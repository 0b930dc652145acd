//! A record as it lies in the client's memory.

use std::ffi::CStr;
use std::marker::PhantomData;
use std::ptr;

use henge_segment_store::stream::Offset;
use henge_segment_store::time::TimestampMs;
use rdkafka::bindings::{
    rd_kafka_header_get_all, rd_kafka_headers_t, rd_kafka_message_headers, rd_kafka_message_leader_epoch,
    rd_kafka_message_t, rd_kafka_message_timestamp, rd_kafka_resp_err_t, rd_kafka_timestamp_type_t,
    rd_kafka_topic_name, rd_kafka_topic_t,
};

/// One record, borrowed from the batch that it came in: nothing is copied, and headers are parsed only when asked for.
#[derive(Clone, Copy)]
pub struct RecordView<'a> {
    /// Points to a message without an error that outlives `'a`.
    message: *const rd_kafka_message_t,
    batch: PhantomData<&'a rd_kafka_message_t>,
}

impl<'a> RecordView<'a> {
    /// # Safety
    /// `message` is a message without an error, is not destroyed during `'a`, and no other thread uses it.
    pub(super) unsafe fn new(message: *const rd_kafka_message_t) -> Self {
        Self { message, batch: PhantomData }
    }

    pub fn topic(&self) -> &'a str {
        // SAFETY: as in `partition`; a record has a topic, and keeps it alive.
        unsafe { topic_name((*self.message).rkt) }
    }

    pub fn partition(&self) -> i32 {
        // SAFETY: `new` asks for a message that lives for `'a`; the same holds for every field read below.
        unsafe { (*self.message).partition }
    }

    pub fn offset(&self) -> Offset {
        // SAFETY: as in `partition`.
        Offset(unsafe { (*self.message).offset })
    }

    /// `None` is a null value (a tombstone); an empty value is `Some`.
    pub fn payload(&self) -> Option<&'a [u8]> {
        // SAFETY: as in `partition`; librdkafka's payload is `len` bytes inside the message.
        unsafe { bytes((*self.message).payload.cast(), (*self.message).len) }
    }

    pub fn key(&self) -> Option<&'a [u8]> {
        // SAFETY: as in `payload`.
        unsafe { bytes((*self.message).key.cast(), (*self.message).key_len) }
    }

    /// The record's own time or the broker's append time, as the topic has it; `None` for records older than Kafka 0.10.
    pub fn timestamp(&self) -> Option<TimestampMs> {
        let mut kind = rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
        // SAFETY: the message is alive and `kind` is a valid place.
        let time = unsafe { rd_kafka_message_timestamp(self.message, &mut kind) };
        (kind != rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_NOT_AVAILABLE && time >= 0).then_some(TimestampMs(time))
    }

    /// The partition leader's epoch when the record was written; `None` where the broker does not say.
    pub fn leader_epoch(&self) -> Option<i32> {
        // SAFETY: the message is alive.
        let epoch = unsafe { rd_kafka_message_leader_epoch(self.message) };
        (epoch >= 0).then_some(epoch)
    }

    /// The record's headers in their order. The first call on a record parses them.
    pub fn headers(&self) -> Headers<'a> {
        let mut headers = ptr::null_mut();
        // SAFETY: the message is alive, no other thread uses it, and it owns the headers that come back.
        let code = unsafe { rd_kafka_message_headers(self.message, &mut headers) };
        let found = code == rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR;
        Headers { headers: if found { headers } else { ptr::null_mut() }, next: 0, record: PhantomData }
    }

    /// The last header of that name, as Kafka's own clients read them; the inner `None` is a null value.
    pub fn header(&self, name: &str) -> Option<Option<&'a [u8]>> {
        self.headers().filter(|(found, _)| *found == name.as_bytes()).last().map(|(_, value)| value)
    }
}

/// Names and values; a value may be null.
pub struct Headers<'a> {
    headers: *mut rd_kafka_headers_t,
    next: usize,
    record: PhantomData<&'a rd_kafka_message_t>,
}

impl<'a> Iterator for Headers<'a> {
    type Item = (&'a [u8], Option<&'a [u8]>);

    fn next(&mut self) -> Option<Self::Item> {
        if self.headers.is_null() {
            return None;
        }
        let (mut name, mut value, mut size) = (ptr::null(), ptr::null(), 0);
        // SAFETY: the headers belong to the message, which lives for `'a`; the three places are valid.
        let code = unsafe { rd_kafka_header_get_all(self.headers, self.next, &mut name, &mut value, &mut size) };
        if code != rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
            return None;
        }
        self.next += 1;
        // SAFETY: the name is a C string and the value `size` bytes, both inside the headers.
        Some(unsafe { (CStr::from_ptr(name).to_bytes(), bytes(value.cast(), size)) })
    }
}

/// # Safety
/// `topic` is a topic of the library that lives for `'a`.
pub(super) unsafe fn topic_name<'a>(topic: *const rd_kafka_topic_t) -> &'a str {
    // SAFETY: the caller's promise; the name is a C string that lives as long as the topic.
    let name = unsafe { CStr::from_ptr(rd_kafka_topic_name(topic)) };
    // Names of topics are ASCII; any other would be found in no map.
    name.to_str().unwrap_or_default()
}

/// # Safety
/// `start` is null or points to `length` bytes that live and do not change for `'a`.
unsafe fn bytes<'a>(start: *const u8, length: usize) -> Option<&'a [u8]> {
    // SAFETY: the caller's promise.
    (!start.is_null()).then(|| unsafe { std::slice::from_raw_parts(start, length) })
}
