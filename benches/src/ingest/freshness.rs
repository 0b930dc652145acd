//! How long after the producer has an event in its hands SQL counts it.
//!
//! A record's offset says which event it is. A prober asks again and again for the largest offset of each partition: what
//! it is told when the answer has arrived was visible by then, so the figures include the query and the pause before it,
//! and are upper bounds. The first seconds do not count: a broker that has just started is ten times slower.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use henge_ingest::fleet::event::Fleet;
use henge_ingest::test_support::admin::Admin;
use henge_ingest::test_support::broker::RealBroker;
use henge_ingest::test_support::producer::{TestProducer, TestRecord};
use henge_segment_store::clock;

use super::PARTITIONS;
use super::load::Rows;
use crate::server::Server;

/// What goes on beside reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beside {
    /// A cut every five seconds.
    Little,
    /// Cuts, publishes and merges all the time.
    Upkeep,
}

/// Between an answer and the next question: a prober that never pauses takes a core from what it measures.
const PAUSE: Duration = Duration::from_millis(4);
/// Events that a question is about: what comes later than that is found by the last one.
const NEWEST_SECONDS: u64 = 2;
const WARM_UP: Duration = Duration::from_secs(5);

/// From produced to visible, of all events after the warm-up.
pub struct Freshness {
    pub p50_ms: f64,
    pub p99_ms: f64,
}

/// When each record of each partition was produced; a record's offset is its place.
type Stamps = Arc<Mutex<Vec<Vec<Instant>>>>;

/// `topic` is made, and must be new.
pub fn measure(
    broker: &RealBroker,
    topic: &'static str,
    rate: u32,
    duration: Duration,
    beside: Beside,
) -> anyhow::Result<Freshness> {
    Admin::new(&broker.properties()).create_topic(topic, PARTITIONS, &[]);
    let dir = tempfile::tempdir()?;
    let config = super::load::config(broker.bootstrap_servers(), topic, "5s", Rows::OfEvents).replace(
        "dimensions = [",
        r#"dimensions = [
    { name = "kafka_partition", type = "long", from = "kafka.partition" },
    { name = "kafka_offset", type = "long", from = "kafka.offset" },"#,
    );
    let config = match beside {
        Beside::Little => config,
        Beside::Upkeep => {
            let often = "cut = { age = \"500ms\" }\ncompaction = { quiet = \"100ms\" }";
            format!("[upkeep]\ncpu = 1\nevery = \"100ms\"\n{}", config.replace("cut = { age = \"5s\" }", often))
        }
    };
    let server = Server::start(dir.path(), &config)?;
    let stamps: Stamps = Arc::new(Mutex::new(vec![Vec::new(); PARTITIONS as usize]));
    let is_finished = Arc::new(AtomicBool::new(false));
    let producer = std::thread::spawn({
        let (stamps, is_finished, properties) = (stamps.clone(), is_finished.clone(), broker.properties());
        move || {
            produce(&properties, topic, rate, WARM_UP + duration, &stamps);
            is_finished.store(true, Ordering::SeqCst);
        }
    });
    let mut delays_ms = probe(&server, &stamps, &is_finished)?;
    producer.join().expect("everything could be produced");
    delays_ms.sort_by(f64::total_cmp);
    let quantile = |share: f64| delays_ms[((delays_ms.len() - 1) as f64 * share) as usize];
    Ok(Freshness { p50_ms: quantile(0.5), p99_ms: quantile(0.99) })
}

/// One event after the other, each at its time.
fn produce(properties: &[(String, String)], topic: &str, rate: u32, duration: Duration, stamps: &Stamps) {
    let fleet = Fleet::new(1, 10_000);
    let producer = TestProducer::new(properties, topic, &[("compression.type", "lz4"), ("linger.ms", "1")]);
    let started = Instant::now();
    let mut json = Vec::new();
    let events = u64::from(rate) * duration.as_secs();
    for row in 0..events {
        let due = Duration::from_secs_f64(row as f64 / f64::from(rate));
        std::thread::sleep(due.saturating_sub(started.elapsed()));
        json.clear();
        fleet.event(row).write_json(clock::now(), &mut json);
        let partition = row % PARTITIONS as u64;
        stamps.lock().expect("no holder panics")[partition as usize].push(Instant::now());
        producer.send(&TestRecord::new(partition as i32, &json));
    }
    producer.flush();
}

/// The delay of each event that counts, in ms, once all are visible.
fn probe(server: &Server, stamps: &Stamps, is_finished: &AtomicBool) -> anyhow::Result<Vec<f64>> {
    let newest = |seconds: u64| {
        format!(
            "SELECT kafka_partition, MAX(kafka_offset) FROM events \
             WHERE __time >= CURRENT_TIMESTAMP - INTERVAL '{seconds}' SECOND GROUP BY kafka_partition"
        )
    };
    let started = Instant::now();
    let mut visible = vec![0; PARTITIONS as usize];
    let mut delays_ms = Vec::new();
    loop {
        std::thread::sleep(PAUSE);
        let was_finished = is_finished.load(Ordering::SeqCst);
        // Whoever looks at what is new does not count everything before; at last all are looked for.
        let rows = server.sql(&newest(if was_finished { 3_600 } else { NEWEST_SECONDS }))?;
        let now = Instant::now();
        let stamps = stamps.lock().expect("no holder panics");
        for row in &rows {
            let place = |index: usize| row[index].as_u64().expect("offsets and partitions are numbers") as usize;
            let (partition, next) = (place(0), place(1) + 1);
            let next = next.max(visible[partition]);
            let fresh = &stamps[partition][visible[partition]..next];
            let counted = fresh.iter().filter(|stamp| **stamp - started >= WARM_UP);
            delays_ms.extend(counted.map(|stamp| (now - *stamp).as_secs_f64() * 1e3));
            visible[partition] = next;
        }
        let produced: usize = stamps.iter().map(Vec::len).sum();
        if was_finished && visible.iter().sum::<usize>() == produced {
            return Ok(delays_ms);
        }
    }
}
