//! Events that arrive while queries run, at a steady rate, in the last hour of the day that the queries ask for.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::ensure;
use henge_ingest::fleet::mock_kafka::MockKafka;
use henge_ingest::test_support::producer::{TestProducer, TestRecord};

use super::henge::Henge;
use super::open_rows::PARTITIONS;
use super::store;
use super::workload::Workload;
use crate::cmu::fleet::Fleet;
use crate::cmu::json;

const TOPIC: &str = "arriving";
/// Written once, because making an event would take as long as reading it.
const EVENTS: u64 = 100_000;
const PAUSE: Duration = Duration::from_millis(5);
/// What was produced must be counted within it, once nothing more comes.
const BEHIND_MAX: Duration = Duration::from_secs(30);

/// A server of the segments that reads a topic, and who writes to the topic.
pub struct Arriving {
    pub henge: Henge,
    rows_before: u64,
    stop: Arc<AtomicBool>,
    /// Returns how many it has produced; `None` once it has ended.
    producer: Option<JoinHandle<u64>>,
    _kafka: MockKafka,
}

impl Arriving {
    pub fn start(
        workload: &Workload,
        folder: &Path,
        options: &store::Options,
        per_second: u64,
    ) -> anyhow::Result<Self> {
        let kafka = MockKafka::start()?;
        kafka.create_topic(TOPIC, PARTITIONS)?;
        let henge = Henge::of_segments_and_topic(workload, folder, options, &kafka, TOPIC)?;
        let stop = Arc::new(AtomicBool::new(false));
        let properties = [("bootstrap.servers".to_owned(), kafka.bootstrap_servers().to_owned())];
        let (events, is_over) = (last_hour(workload.fleet()?), stop.clone());
        let producer = std::thread::spawn(move || produce(&properties, &events, per_second, &is_over));
        Ok(Self { henge, rows_before: workload.rows, stop, producer: Some(producer), _kafka: kafka })
    }

    /// Lets no more come: how many events a second were produced until now, each of which has been counted.
    pub fn finish(&mut self, seconds: f64) -> anyhow::Result<f64> {
        self.stop.store(true, Ordering::Relaxed);
        let producer = self.producer.take().expect("it is finished once");
        let produced = producer.join().expect("a producer has nothing to fail with but its own panic");
        let began = Instant::now();
        while self.henge.rows()? != self.rows_before + produced {
            let found = self.henge.rows()? - self.rows_before;
            ensure!(began.elapsed() < BEHIND_MAX, "{produced} events arrived, but found are {found}");
            std::thread::sleep(PAUSE);
        }
        Ok(produced as f64 / seconds)
    }
}

fn last_hour(fleet: &Fleet) -> Vec<Vec<u8>> {
    let first = fleet.rows - fleet.rows / 24;
    let event = |number| {
        let mut bytes = Vec::new();
        json::write_event(fleet, first + number % (fleet.rows - first), &mut bytes);
        bytes
    };
    (0..EVENTS).map(event).collect()
}

fn produce(properties: &[(String, String)], events: &[Vec<u8>], per_second: u64, is_over: &AtomicBool) -> u64 {
    let producer = TestProducer::new(properties, TOPIC, &[("compression.type", "lz4")]);
    let (began, mut produced) = (Instant::now(), 0_u64);
    while !is_over.load(Ordering::Relaxed) {
        let due = (began.elapsed().as_secs_f64() * per_second as f64) as u64;
        while produced < due {
            let event = &events[produced as usize % events.len()];
            producer.send(&TestRecord::new((produced % PARTITIONS as u64) as i32, event));
            produced += 1;
        }
        std::thread::sleep(PAUSE);
    }
    producer.flush();
    produced
}
