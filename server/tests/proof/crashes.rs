//! The process is killed thirty times while it reads and publishes, and a reader never notices but by waiting.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use henge_ingest::test_support::admin::Admin;
use henge_ingest::test_support::broker::RealBroker;
use serde_json::Value;

use crate::henge::{self, Henge};
use crate::http::Http;
use crate::ledger;
use crate::production::{Plan, Production};
use crate::reference::Reference;
use crate::workload::{self, mix};

const KILLS: u64 = 30;
const POLLS_PER_SECOND: u32 = 20;

#[test]
#[ignore = "needs a real Kafka broker: run with --include-ignored (needs Java 17 and Maven)"]
fn thirty_kills_lose_and_double_nothing_and_no_reader_sees_less_than_before() {
    let broker = RealBroker::shared();
    let plan = Plan { topic: "crashes".into(), partitions: 8, transactions: 1_430, duration: Duration::from_secs(70) };
    Admin::new(&broker.properties()).create_topic(&plan.topic, plan.partitions, &[]);
    let mut henge = Henge::server(&workload::config(broker.bootstrap_servers(), &plan.topic));
    let production = Production::start(&plan, &broker.properties());
    let reader = Reader::start(henge.url(""), production.events_sealed.clone());
    for number in 0..KILLS {
        henge.start();
        let life = life_of(number);
        std::thread::sleep(life);
        henge.kill();
        println!("kill {number} after {life:?}, still producing: {}", !production.is_finished());
        reader.assert_runs();
    }
    henge.start_ready();
    production.finish();
    ledger::wait_until_all_is_read(&henge, &plan);

    let polls = reader.stop();
    println!("the reader had {polls} answers");
    assert!(polls >= u64::from(POLLS_PER_SECOND), "the reader was hardly ever answered: {polls} times");
    Reference::of(&plan).assert_is_answered(&henge);
    ledger::assert_is_exact(&henge, &plan);
}

/// How long the process lives before kill `number`: every third one may die while it still recovers.
fn life_of(number: u64) -> Duration {
    let bits = mix(number);
    let ms = if number.is_multiple_of(3) { 20 + bits % 800 } else { 1_000 + bits % 2_500 };
    Duration::from_millis(ms)
}

/// Asks the same two questions again and again, and panics when an answer contradicts an earlier one.
pub struct Reader {
    thread: JoinHandle<u64>,
    stop: Arc<AtomicBool>,
}

impl Reader {
    pub fn start(server: String, events_sealed: Arc<AtomicU64>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let thread = std::thread::spawn(move || read(&server, &events_sealed, &stopped));
        Self { thread, stop }
    }

    pub fn assert_runs(&self) {
        assert!(!self.thread.is_finished(), "the reader saw something wrong, as it says above");
    }

    /// How often it was answered.
    pub fn stop(self) -> u64 {
        self.stop.store(true, Ordering::SeqCst);
        self.thread.join().expect("the reader saw nothing wrong")
    }
}

fn read(server: &str, events_sealed: &AtomicU64, stop: &AtomicBool) -> u64 {
    let http = Http::new();
    let queries =
        ["SELECT SUM(events), SUM(x), SUM(neg_x) FROM usage", "SELECT COUNT(*), SUM(x), SUM(neg_x) FROM events"];
    let mut last = [(0, 0); 2];
    let mut polls = 0;
    while !stop.load(Ordering::SeqCst) {
        for (query, last) in queries.iter().zip(&mut last) {
            // Killed, or not ready again: that is a wait, not an answer.
            let Some(answer) = henge::sql(&http, server, query) else { continue };
            let rows = henge::rows(query, &answer);
            let [events, x, neg_x] = [0, 1, 2].map(|column| long(&rows[0][column]));
            let sealed = events_sealed.load(Ordering::SeqCst);
            assert!(events >= last.0 && x >= last.1, "{query}: ({events}, {x}) after {last:?}");
            assert!(events as u64 <= sealed, "{query}: {events} events, but only {sealed} were produced");
            assert_eq!(x + neg_x, 0, "{query}: the sums of {events} events do not cancel");
            *last = (events, x);
            polls += 1;
        }
        std::thread::sleep(Duration::from_secs(1) / POLLS_PER_SECOND);
    }
    polls
}

/// The sum of no rows is null.
fn long(value: &Value) -> i64 {
    if value.is_null() { 0 } else { value.as_i64().unwrap_or_else(|| panic!("{value} is no long")) }
}
