//! Produces the fleet's events at a steady rate, never far ahead of their reader.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use henge_segment_store::clock;
use rdkafka::ClientConfig;
use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError as LibraryError, RDKafkaErrorCode};
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer, ProducerContext};

use super::event::Fleet;
use crate::kafka::error::KafkaError;

/// How often the producer looks at what is due. The mock cluster goes through all batches that it keeps for each fetch, of
/// which there are fewer the more events each has.
const TICK: Duration = Duration::from_millis(25);
/// How long stopping waits for what was sent.
const FLUSH: Duration = Duration::from_secs(5);

/// What to produce, and how fast.
#[derive(Debug, Clone)]
pub struct Load {
    pub topic: String,
    pub partitions: i32,
    /// Events a second.
    pub rate: u32,
    /// How many records may be produced but not read; the mock cluster forgets what is read too late. `None`: any number.
    pub max_ahead: Option<u64>,
    /// The fleet's row to start with.
    pub first_row: u64,
}

/// A running producer; dropping it stops it.
pub struct FleetProducer {
    thread: Option<JoinHandle<()>>,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    is_stopping: AtomicBool,
    acknowledged: AtomicU64,
    failed: AtomicU64,
}

impl FleetProducer {
    /// Starts producing in a thread of its own. `properties` are the client's, `bootstrap.servers` among them; the reader
    /// adds to `read` what it has read.
    pub fn start(
        fleet: Fleet,
        load: Load,
        properties: &[(String, String)],
        read: Arc<AtomicU64>,
    ) -> Result<Self, KafkaError> {
        let shared = Arc::new(Shared::default());
        let producer = connect(properties, shared.clone())?;
        let seen = shared.clone();
        let thread = std::thread::Builder::new()
            .name("fleet-producer".to_owned())
            .spawn(move || run(&fleet, &load, &producer, &seen, &read))
            .map_err(|error| KafkaError::Client { detail: error.to_string() })?;
        Ok(Self { thread: Some(thread), shared })
    }

    /// Events that the broker has acknowledged.
    pub fn acknowledged(&self) -> u64 {
        self.shared.acknowledged.load(Ordering::Relaxed)
    }

    /// Events that the broker refused or that timed out.
    pub fn failed(&self) -> u64 {
        self.shared.failed.load(Ordering::Relaxed)
    }

    /// Stops, waits until what was sent is acknowledged, and says how many were in all.
    pub fn stop(mut self) -> u64 {
        self.end();
        self.acknowledged()
    }

    fn end(&mut self) {
        self.shared.is_stopping.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the fleet's producer panicked");
        }
    }
}

impl Drop for FleetProducer {
    fn drop(&mut self) {
        self.end();
    }
}

/// Counts what the broker says of each event.
struct Deliveries(Arc<Shared>);

impl ClientContext for Deliveries {
    fn log(&self, _level: RDKafkaLogLevel, facility: &str, line: &str) {
        tracing::debug!(facility, line, "kafka producer");
    }

    fn error(&self, error: LibraryError, reason: &str) {
        tracing::warn!(%error, reason, "kafka producer");
    }
}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        let counter = if result.is_ok() { &self.0.acknowledged } else { &self.0.failed };
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

fn connect(properties: &[(String, String)], shared: Arc<Shared>) -> Result<BaseProducer<Deliveries>, KafkaError> {
    let mut config: ClientConfig = properties.iter().cloned().collect();
    config
        .set("client.id", "henge-fleet")
        .set("enable.idempotence", "true")
        .set("compression.type", "lz4")
        .set("linger.ms", "5")
        .set("enable.metrics.push", "false")
        .set_log_level(RDKafkaLogLevel::Info);
    config.create_with_context(Deliveries(shared)).map_err(KafkaError::of_client)
}

fn run(fleet: &Fleet, load: &Load, producer: &BaseProducer<Deliveries>, shared: &Shared, read: &AtomicU64) {
    let mut pace = Pace::new(load.rate, Instant::now());
    let mut sent = 0;
    let mut json = Vec::with_capacity(512);
    while !shared.is_stopping.load(Ordering::Relaxed) {
        let reader_allows = match load.max_ahead {
            Some(ahead) => read.load(Ordering::Relaxed).saturating_add(ahead),
            None => u64::MAX,
        };
        let due = pace.due(sent, reader_allows, Instant::now());
        while sent < due && send(fleet, load, producer, load.first_row + sent, &mut json) {
            sent += 1;
        }
        producer.poll(Duration::ZERO);
        std::thread::sleep(TICK);
    }
    if let Err(error) = producer.flush(FLUSH) {
        tracing::warn!(%error, "the fleet's last events were not acknowledged");
    }
}

/// Whether there was room for it in the client's queue.
fn send(fleet: &Fleet, load: &Load, producer: &BaseProducer<Deliveries>, row: u64, json: &mut Vec<u8>) -> bool {
    let event = fleet.event(row);
    json.clear();
    event.write_json(clock::now(), json);
    let partition = (event.rank % u64::from(load.partitions.unsigned_abs().max(1))) as i32;
    let record = BaseRecord::<str, [u8]>::to(&load.topic).partition(partition).key(&event.cluster.id).payload(json);
    match producer.send(record) {
        Ok(()) => true,
        Err((LibraryError::MessageProduction(RDKafkaErrorCode::QueueFull), _)) => false,
        Err((error, _)) => {
            tracing::debug!(%error, "the fleet's event was not sent");
            producer.context().0.failed.fetch_add(1, Ordering::Relaxed);
            true
        }
    }
}

/// How many records should have been sent by a moment.
struct Pace {
    rate: f64,
    start: Instant,
    /// Sent before `start`.
    base: u64,
}

impl Pace {
    fn new(rate: u32, now: Instant) -> Self {
        Self { rate: rate.into(), start: now, base: 0 }
    }

    /// Time in which the reader held us up is not made up for by a burst.
    fn due(&mut self, sent: u64, reader_allows: u64, now: Instant) -> u64 {
        let by_time = self.base + (now.duration_since(self.start).as_secs_f64() * self.rate) as u64;
        if by_time <= reader_allows {
            return by_time;
        }
        (self.start, self.base) = (now, sent.max(reader_allows));
        reader_allows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_held_up_producer_goes_on_at_its_rate_without_a_burst() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let mut pace = Pace::new(1_000, start);
        assert_eq!(pace.due(0, 500, at(100)), 100);
        // The reader stops at 500 for ten seconds and then catches up.
        assert_eq!(pace.due(100, 500, at(600)), 500);
        assert_eq!(pace.due(500, 500, at(10_600)), 500);
        assert_eq!(pace.due(500, 1_000, at(10_700)), 600);
    }
}
