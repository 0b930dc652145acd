//! One of the client's queues, kept together with the client that it belongs to.

use std::ffi::CStr;
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::time::Duration;

use rdkafka::bindings::{
    rd_kafka_event_destroy, rd_kafka_event_t, rd_kafka_poll_set_consumer, rd_kafka_queue_destroy,
    rd_kafka_queue_forward, rd_kafka_queue_get_consumer, rd_kafka_queue_get_main, rd_kafka_queue_get_partition,
    rd_kafka_queue_new, rd_kafka_queue_poll, rd_kafka_queue_t,
};
use rdkafka::consumer::{BaseConsumer, Consumer};

use super::millis;

pub struct Queue {
    queue: NonNull<rd_kafka_queue_t>,
    /// Dropped after the queue, because a client must not end before its queues are released.
    consumer: Arc<BaseConsumer>,
}

// SAFETY: librdkafka's queues are locked inside; the reference held here may be used and released on any thread.
unsafe impl Send for Queue {}
// SAFETY: as above.
unsafe impl Sync for Queue {}

impl Queue {
    /// Where records and errors of partitions arrive.
    pub fn of_consumer(consumer: &Arc<BaseConsumer>) -> Option<Self> {
        // SAFETY: the client is alive while `consumer` is; null means that it is no group consumer.
        let queue = unsafe { rd_kafka_queue_get_consumer(consumer.client().native_ptr()) };
        Some(Self { queue: NonNull::new(queue)?, consumer: consumer.clone() })
    }

    /// Where log lines, errors of the whole client and token requests arrive, and no longer among the records: the batch
    /// call would print them instead of returning them.
    pub fn of_client(consumer: &Arc<BaseConsumer>) -> Option<Self> {
        // SAFETY: the client is alive while `consumer` is.
        let queue = NonNull::new(unsafe { rd_kafka_queue_get_main(consumer.client().native_ptr()) })?;
        // SAFETY: the queue is alive; a null destination ends the forwarding that the consumer was created with.
        unsafe { rd_kafka_queue_forward(queue.as_ptr(), ptr::null_mut()) };
        Some(Self { queue, consumer: consumer.clone() })
    }

    /// Joins the client's queue with the consumer's again. A client that ends empties its own queue and what that leads to,
    /// then waits for its brokers: were records left in a consumer queue of its own, it would wait for ever.
    pub fn rejoin_consumer(&self) {
        // SAFETY: the client is alive while `self.consumer` is, and it is a consumer, so nothing is refused.
        unsafe { rd_kafka_poll_set_consumer(self.consumer.client().native_ptr()) };
    }

    /// An empty queue, for the answer to one request or for what partitions [bring](Self::collect). What is left in it is
    /// destroyed with it, and so is what still arrives then.
    pub fn new(consumer: &Arc<BaseConsumer>) -> Option<Self> {
        // SAFETY: the client is alive while `consumer` is.
        let queue = unsafe { rd_kafka_queue_new(consumer.client().native_ptr()) };
        Some(Self { queue: NonNull::new(queue)?, consumer: consumer.clone() })
    }

    /// Makes what a partition brings arrive here, what it has brought already included and in its order. The client
    /// forgets this whenever it stops to fetch the partition, which happens some time after it was asked to.
    pub fn collect(&self, topic: &CStr, partition: i32) {
        self.forward_partition(topic, partition, self.queue.as_ptr());
    }

    /// What the client does when it stops to fetch the partition.
    #[cfg(test)]
    pub fn forget(&self, topic: &CStr, partition: i32) {
        self.forward_partition(topic, partition, ptr::null_mut());
    }

    /// `target` is a live queue of the same client, or null.
    fn forward_partition(&self, topic: &CStr, partition: i32, target: *mut rd_kafka_queue_t) {
        // SAFETY: the client is alive and the topic a C string; null means that the partition cannot be named.
        let source = unsafe {
            let client = self.consumer.client().native_ptr();
            rd_kafka_queue_get_partition(client, topic.as_ptr(), partition)
        };
        if !source.is_null() {
            // SAFETY: both queues are alive; the reference to the partition's is ours and given up once.
            unsafe {
                rd_kafka_queue_forward(source, target);
                rd_kafka_queue_destroy(source);
            }
        }
    }

    pub fn as_ptr(&self) -> *mut rd_kafka_queue_t {
        self.queue.as_ptr()
    }

    pub fn consumer(&self) -> &Arc<BaseConsumer> {
        &self.consumer
    }

    /// The next event, waiting at most `timeout`.
    pub fn poll(&self, timeout: Duration) -> Option<Event> {
        // SAFETY: the queue is alive; the event that comes back is ours to destroy.
        let event = unsafe { rd_kafka_queue_poll(self.queue.as_ptr(), millis(timeout)) };
        NonNull::new(event).map(Event)
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        // SAFETY: we own this reference and give it up once; the client is still alive.
        unsafe { rd_kafka_queue_destroy(self.queue.as_ptr()) };
    }
}

/// An event taken from a queue.
pub struct Event(NonNull<rd_kafka_event_t>);

impl Event {
    pub fn as_ptr(&self) -> *mut rd_kafka_event_t {
        self.0.as_ptr()
    }
}

impl Drop for Event {
    fn drop(&mut self) {
        // SAFETY: we own the event and destroy it once.
        unsafe { rd_kafka_event_destroy(self.0.as_ptr()) };
    }
}
