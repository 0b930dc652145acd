//! Produces the workload in transactions, three of ten of which are aborted, and knows afterwards what was committed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use henge_ingest::test_support::producer::{TestProducer, TestRecord};

use crate::workload::{Event, MALFORMED, TOMBSTONE};

/// Transactions that are open at the same time and interleave in every partition.
const PRODUCERS: u64 = 3;
/// Of 10 transactions.
const ABORTED: u64 = 3;
const EVENTS_PER_TRANSACTION: u64 = 1_000;

/// What is produced to one topic.
#[derive(Debug, Clone)]
pub struct Plan {
    pub topic: String,
    pub partitions: i32,
    /// A multiple of ten. Seven of ten are committed, each with 1,000 events, one malformed record and one tombstone.
    pub transactions: u64,
    /// How long producing shall take at least; zero is as fast as it goes.
    pub duration: Duration,
}

impl Plan {
    fn is_aborted(transaction: u64) -> bool {
        // 7 and 10 have no common factor, so each run of ten has exactly three.
        (transaction * 7 + 4) % 10 < ABORTED
    }

    fn committed(&self) -> impl Iterator<Item = u64> {
        (0..self.transactions).filter(|transaction| !Self::is_aborted(*transaction))
    }

    /// The events of committed transactions.
    pub fn events(&self) -> impl Iterator<Item = Event> {
        self.committed().flat_map(|transaction| self.events_of(transaction))
    }

    fn events_of(&self, transaction: u64) -> impl Iterator<Item = Event> {
        let rows = self.transactions * EVENTS_PER_TRANSACTION;
        let first = transaction * EVENTS_PER_TRANSACTION;
        (first..first + EVENTS_PER_TRANSACTION).map(move |row| Event::numbered(row, rows, self.partitions))
    }

    pub fn event_count(&self) -> u64 {
        self.committed().count() as u64 * EVENTS_PER_TRANSACTION
    }

    /// What the ledger must say of the records that are no events.
    pub fn refused(&self) -> BTreeMap<&'static str, u64> {
        let mut refused = BTreeMap::new();
        for transaction in self.committed() {
            *refused.entry(malformed(transaction).1).or_default() += 1;
            *refused.entry(TOMBSTONE).or_default() += 1;
        }
        refused
    }

    /// Everything that a read_committed reader sees.
    pub fn record_count(&self) -> u64 {
        self.event_count() + 2 * self.committed().count() as u64
    }

    fn partition_of_refused(&self, transaction: u64) -> i32 {
        (transaction % self.partitions as u64) as i32
    }
}

fn malformed(transaction: u64) -> (&'static [u8], &'static str) {
    MALFORMED[transaction as usize % MALFORMED.len()]
}

/// A running production.
pub struct Production {
    producers: Vec<JoinHandle<()>>,
    /// Events of transactions that are committed, or may be at any moment: no reader may see more.
    pub events_sealed: Arc<AtomicU64>,
}

impl Production {
    /// Several producers share the plan's transactions.
    pub fn start(plan: &Plan, properties: &[(String, String)]) -> Self {
        let events_sealed = Arc::new(AtomicU64::new(0));
        let started = Instant::now();
        let producers = (0..PRODUCERS)
            .map(|number| {
                let (plan, properties, sealed) = (plan.clone(), properties.to_vec(), events_sealed.clone());
                std::thread::spawn(move || produce(&plan, &properties, number, started, &sealed))
            })
            .collect();
        Self { producers, events_sealed }
    }

    pub fn is_finished(&self) -> bool {
        self.producers.iter().all(JoinHandle::is_finished)
    }

    /// Waits for the last acknowledgement; panics when a producer did.
    pub fn finish(self) {
        for producer in self.producers {
            producer.join().expect("everything could be produced");
        }
    }
}

fn produce(plan: &Plan, properties: &[(String, String)], number: u64, started: Instant, sealed: &AtomicU64) {
    let id = format!("{}-{number}", plan.topic);
    let producer = TestProducer::transactional(properties, &plan.topic, &id);
    let mut json = Vec::new();
    for transaction in (number..plan.transactions).step_by(PRODUCERS as usize) {
        let due = plan.duration.mul_f64(transaction as f64 / plan.transactions as f64);
        std::thread::sleep(due.saturating_sub(started.elapsed()));
        producer.begin();
        let refused_at = plan.partition_of_refused(transaction);
        producer.send(&TestRecord::new(refused_at, malformed(transaction).0));
        for event in plan.events_of(transaction) {
            json.clear();
            event.write_json(&mut json);
            producer.send(&TestRecord::new(event.partition, &json));
        }
        producer.send(&TestRecord { partition: refused_at, ..TestRecord::default() });
        if Plan::is_aborted(transaction) {
            producer.abort();
        } else {
            sealed.fetch_add(EVENTS_PER_TRANSACTION, Ordering::SeqCst);
            producer.commit();
        }
    }
    producer.flush();
}
