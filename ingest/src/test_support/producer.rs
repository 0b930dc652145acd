//! A producer whose every record a test decides.

use std::sync::Mutex;
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::ClientContext;
use rdkafka::error::{KafkaError as LibraryError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Header, Message, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer, ProducerContext};

use super::PATIENCE;

/// One record to be; start with [`TestRecord::new`] and set what matters.
#[derive(Debug, Clone, Copy, Default)]
pub struct TestRecord<'a> {
    pub partition: i32,
    /// `None` is a null value.
    pub payload: Option<&'a [u8]>,
    pub key: Option<&'a [u8]>,
    pub headers: &'a [(&'a str, Option<&'a [u8]>)],
    pub timestamp_ms: Option<i64>,
}

impl<'a> TestRecord<'a> {
    pub fn new(partition: i32, payload: &'a [u8]) -> Self {
        Self { partition, payload: Some(payload), ..Self::default() }
    }
}

/// Produces to one topic; panics when a record cannot be delivered.
pub struct TestProducer {
    producer: BaseProducer<Failures>,
    topic: String,
}

#[derive(Default)]
struct Failures(Mutex<Vec<String>>);

impl ClientContext for Failures {}

impl ProducerContext for Failures {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        if let Err((error, record)) = result {
            // Records that an abort takes back before they are sent are meant to fail.
            if error.rdkafka_error_code() != Some(RDKafkaErrorCode::PurgeQueue) {
                let failure = format!("partition {}: {error}", record.partition());
                self.0.lock().expect("no holder panics").push(failure);
            }
        }
    }
}

impl TestProducer {
    /// An idempotent producer; `extra` properties win, `compression.type` for example.
    pub fn new(properties: &[(String, String)], topic: &str, extra: &[(&str, &str)]) -> Self {
        let mut config: ClientConfig = properties.iter().cloned().collect();
        config.set("enable.idempotence", "true").set("linger.ms", "5").set("queue.buffering.max.messages", "1000000");
        for (name, value) in extra {
            config.set(*name, *value);
        }
        let producer = config.create_with_context(Failures::default()).expect("the properties make a producer");
        Self { producer, topic: topic.to_owned() }
    }

    /// Everything between [`begin`](Self::begin) and [`commit`](Self::commit) or [`abort`](Self::abort) is one transaction.
    pub fn transactional(properties: &[(String, String)], topic: &str, transactional_id: &str) -> Self {
        let this = Self::new(properties, topic, &[("transactional.id", transactional_id)]);
        this.producer.init_transactions(PATIENCE).expect("transactions can be used");
        this
    }

    /// Waits for room in the client's queue.
    pub fn send(&self, record: &TestRecord<'_>) {
        let mut next = BaseRecord::<[u8], [u8]>::to(&self.topic).partition(record.partition);
        next.payload = record.payload;
        next.key = record.key;
        next.timestamp = record.timestamp_ms;
        if !record.headers.is_empty() {
            let headers = OwnedHeaders::new_with_capacity(record.headers.len());
            let add = |headers: OwnedHeaders, (key, value): &(&str, Option<&[u8]>)| {
                headers.insert(Header { key, value: *value })
            };
            next.headers = Some(record.headers.iter().fold(headers, add));
        }
        while let Err((error, returned)) = self.producer.send(next) {
            let is_full = error == LibraryError::MessageProduction(RDKafkaErrorCode::QueueFull);
            assert!(is_full, "could not send: {error}");
            self.producer.poll(Duration::from_millis(10));
            next = returned;
        }
        self.producer.poll(Duration::ZERO);
    }

    /// Sends payloads to one partition and waits for their acknowledgement.
    pub fn send_all<'a>(&self, partition: i32, payloads: impl IntoIterator<Item = &'a [u8]>) {
        for payload in payloads {
            self.send(&TestRecord::new(partition, payload));
        }
        self.flush();
    }

    /// Waits until the broker has acknowledged everything.
    pub fn flush(&self) {
        self.producer.flush(PATIENCE).expect("everything is acknowledged in time");
        let failures = std::mem::take(&mut *self.producer.context().0.lock().expect("no holder panics"));
        assert!(failures.is_empty(), "not delivered: {failures:?}");
    }

    pub fn begin(&self) {
        self.producer.begin_transaction().expect("a transaction can begin");
    }

    pub fn commit(&self) {
        self.producer.commit_transaction(PATIENCE).expect("the transaction can be committed");
    }

    /// What was sent is on the broker first, so that readers have to skip it.
    pub fn abort(&self) {
        self.flush();
        self.producer.abort_transaction(PATIENCE).expect("the transaction can be aborted");
    }
}
