//! Asks the broker for topics' ids and partitions.

use std::collections::BTreeMap;
use std::ffi::{CStr, CString};
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::time::Duration;

use henge_segment_store::stream::TopicId;
use rdkafka::bindings::{
    rd_kafka_AdminOptions_destroy, rd_kafka_AdminOptions_new, rd_kafka_AdminOptions_set_request_timeout,
    rd_kafka_AdminOptions_t, rd_kafka_DescribeTopics, rd_kafka_DescribeTopics_result_topics,
    rd_kafka_TopicCollection_destroy, rd_kafka_TopicCollection_of_topic_names, rd_kafka_TopicCollection_t,
    rd_kafka_TopicDescription_error, rd_kafka_TopicDescription_name, rd_kafka_TopicDescription_partitions,
    rd_kafka_TopicDescription_t, rd_kafka_TopicDescription_topic_id, rd_kafka_Uuid_least_significant_bits,
    rd_kafka_Uuid_most_significant_bits, rd_kafka_admin_op_t, rd_kafka_error_code,
    rd_kafka_event_DescribeTopics_result, rd_kafka_event_error,
};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::RDKafkaErrorCode;

use super::millis;
use super::queue::{Event, Queue};

/// The library answers by itself when `timeout` is over; this much later we stop waiting for it.
const GRACE: Duration = Duration::from_secs(1);

/// What the broker says of one topic: its id, where the broker has topic ids, and how many partitions it has.
pub type Described = Result<(Option<TopicId>, i32), RDKafkaErrorCode>;

/// An answer for each of the topics, in their order.
pub fn describe(
    consumer: &Arc<BaseConsumer>,
    topics: &[CString],
    timeout: Duration,
) -> Result<Vec<Described>, RDKafkaErrorCode> {
    let answers = Queue::new(consumer).ok_or(RDKafkaErrorCode::Fail)?;
    ask(&answers, topics, timeout)?;
    let answer = answers.poll(timeout.saturating_add(GRACE)).ok_or(RDKafkaErrorCode::OperationTimedOut)?;
    // SAFETY: the event is alive. The codes of requests are the library's own, all of them in the enumeration.
    match RDKafkaErrorCode::from(unsafe { rd_kafka_event_error(answer.as_ptr()) }) {
        RDKafkaErrorCode::NoError => read(&answer, topics),
        code => Err(code),
    }
}

fn ask(answers: &Queue, topics: &[CString], timeout: Duration) -> Result<(), RDKafkaErrorCode> {
    let client = answers.consumer().client().native_ptr();
    let options = Options::new(client, timeout).ok_or(RDKafkaErrorCode::Fail)?;
    let mut names: Vec<_> = topics.iter().map(|topic| topic.as_ptr()).collect();
    // SAFETY: C strings, copied by the call.
    let topics = unsafe { rd_kafka_TopicCollection_of_topic_names(names.as_mut_ptr(), names.len()) };
    let topics = Topics(NonNull::new(topics).ok_or(RDKafkaErrorCode::Fail)?);
    // SAFETY: all four are alive; the call copies what it needs.
    unsafe { rd_kafka_DescribeTopics(client, topics.0.as_ptr(), options.0.as_ptr(), answers.as_ptr()) };
    Ok(())
}

fn read(answer: &Event, topics: &[CString]) -> Result<Vec<Described>, RDKafkaErrorCode> {
    // SAFETY: the event is alive; null means that it is the answer to something else.
    let result = unsafe { rd_kafka_event_DescribeTopics_result(answer.as_ptr()) };
    if result.is_null() {
        return Err(RDKafkaErrorCode::Fail);
    }
    let mut count = 0;
    // SAFETY: the result lives as long as the event, and the array as long as the result.
    let found = unsafe { rd_kafka_DescribeTopics_result_topics(result, &mut count) };
    let mut descriptions = BTreeMap::new();
    for index in 0..if found.is_null() { 0 } else { count } {
        // SAFETY: the array holds `count` descriptions, each with a name, which live as long as the event.
        let (name, description) = unsafe {
            let description = *found.add(index);
            (CStr::from_ptr(rd_kafka_TopicDescription_name(description)), description)
        };
        descriptions.insert(name, description);
    }
    let described = |topic: &CString| match descriptions.get(topic.as_c_str()) {
        Some(description) => read_one(*description),
        None => Err(RDKafkaErrorCode::UnknownTopicOrPartition),
    };
    Ok(topics.iter().map(described).collect())
}

fn read_one(description: *const rd_kafka_TopicDescription_t) -> Described {
    // SAFETY: the description lives as long as the event; a missing error reads as none.
    match RDKafkaErrorCode::from(unsafe { rd_kafka_error_code(rd_kafka_TopicDescription_error(description)) }) {
        RDKafkaErrorCode::NoError => Ok((topic_id(description), partition_count(description))),
        code => Err(code),
    }
}

fn topic_id(description: *const rd_kafka_TopicDescription_t) -> Option<TopicId> {
    // SAFETY: the description is alive and owns the id.
    let id = unsafe { rd_kafka_TopicDescription_topic_id(description) };
    if id.is_null() {
        return None;
    }
    // SAFETY: not null, so an id inside the description.
    let (high, low) = unsafe { (rd_kafka_Uuid_most_significant_bits(id), rd_kafka_Uuid_least_significant_bits(id)) };
    let bits = u128::from(high.cast_unsigned()) << 64 | u128::from(low.cast_unsigned());
    (bits != 0).then_some(TopicId(bits))
}

fn partition_count(description: *const rd_kafka_TopicDescription_t) -> i32 {
    let mut count = 0;
    // SAFETY: the description is alive; only the count is read.
    unsafe { rd_kafka_TopicDescription_partitions(description, &mut count) };
    i32::try_from(count).unwrap_or(i32::MAX)
}

struct Topics(NonNull<rd_kafka_TopicCollection_t>);

impl Drop for Topics {
    fn drop(&mut self) {
        // SAFETY: we own the collection and destroy it once.
        unsafe { rd_kafka_TopicCollection_destroy(self.0.as_ptr()) };
    }
}

struct Options(NonNull<rd_kafka_AdminOptions_t>);

impl Options {
    fn new(client: *mut rdkafka::types::RDKafka, timeout: Duration) -> Option<Self> {
        // SAFETY: the client is alive; the options are ours.
        let options =
            unsafe { rd_kafka_AdminOptions_new(client, rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBETOPICS) };
        let options = Self(NonNull::new(options)?);
        // SAFETY: the options are alive; no room for an error text is allowed. A refused time-out leaves the default one.
        unsafe { rd_kafka_AdminOptions_set_request_timeout(options.0.as_ptr(), millis(timeout), ptr::null_mut(), 0) };
        Some(options)
    }
}

impl Drop for Options {
    fn drop(&mut self) {
        // SAFETY: we own the options and destroy them once.
        unsafe { rd_kafka_AdminOptions_destroy(self.0.as_ptr()) };
    }
}
