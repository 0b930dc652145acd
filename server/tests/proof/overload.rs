//! Three times as much as can be read arrives for a while, and memory is short: Kafka holds the rest, nothing is lost, the
//! process is not killed, and afterwards it catches up.
//!
//! `HENGE_OVERLOAD_SECONDS` sets how long the overload lasts; 8 unless it is set.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use henge_ingest::test_support::admin::Admin;
use henge_ingest::test_support::broker::RealBroker;
use henge_ingest::test_support::producer::{TestProducer, TestRecord};
use serde_json::json;

use crate::henge::{Henge, wait_while_it_gets_on};

const SECONDS_DEFAULT: u64 = 8;
const OVERLOAD: f64 = 3.0;
const PARTITIONS: u64 = 4;
/// Of the topic, each with every event: so that the producer is faster than its reader.
const DATA_SOURCES: usize = 4;
/// By which the speed of reading is found out.
const CALIBRATION: u64 = 120_000;
/// Of its own, stacks of which little is used included.
const MEMORY_MIB: u64 = 3 * 1024;
/// Of unpublished rows. What each client has fetched ahead, 64 MiB at the most, and the process itself come on top.
const INGEST_MIB: f64 = 32.0;
const RESIDENT_MIB_MAX: f64 = INGEST_MIB + DATA_SOURCES as f64 * 64.0 + 400.0;

/// An id of its own for each event, so that dictionaries grow as fast as rows do.
fn config(broker: &RealBroker) -> String {
    let mut config = format!("[limits]\ningest_memory = \"{INGEST_MIB}MiB\"\nqueries_memory = \"256MiB\"\n");
    for number in 0..DATA_SOURCES {
        config.push_str(&format!(
            r#"
[datasource.events{number}]
topic = "overload"
kafka = {{ "bootstrap.servers" = "{}", "queued.min.messages" = "10000" }}
time = {{ column = "t", format = "millis" }}
dimensions = ["id", "org"]
measures = {{ n = "long_sum" }}
cut = {{ rows = 400000, age = "5s" }}
"#,
            broker.bootstrap_servers()
        ));
    }
    config
}

/// Numbers the events, so that they can be sent in turns.
struct Source {
    producer: TestProducer,
    sent: AtomicU64,
}

impl Source {
    fn new(broker: &RealBroker) -> Self {
        let more = [("compression.type", "lz4"), ("queue.buffering.max.kbytes", "65536")];
        Self { producer: TestProducer::new(&broker.properties(), "overload", &more), sent: AtomicU64::new(0) }
    }

    fn sent(&self) -> u64 {
        self.sent.load(Ordering::SeqCst)
    }

    /// Sends `rate` events a second, or as many as it can.
    fn send_for(&self, duration: Duration, rate: f64) {
        let (started, first) = (Instant::now(), self.sent());
        while started.elapsed() < duration {
            let due = (started.elapsed().as_secs_f64() * rate) as u64;
            self.send(due.saturating_sub(self.sent() - first));
            std::thread::sleep(Duration::from_millis(2));
        }
        self.producer.flush();
    }

    fn send(&self, events: u64) {
        let first = self.sent();
        for row in first..first + events {
            let (t, org) = (1_767_268_800_000 + row, row % 50);
            let event = format!(
                "{{\"t\":{t},\"id\":\"an identifier of its own: {row:010}\",\"org\":\"org-{org}\",\"n\":{row}}}"
            );
            self.producer.send(&TestRecord::new((row % PARTITIONS) as i32, event.as_bytes()));
        }
        self.sent.store(first + events, Ordering::SeqCst);
    }
}

fn lag(henge: &Henge) -> Option<i64> {
    (0..DATA_SOURCES).map(|number| henge.try_status(&format!("events{number}"))?["aggregateLag"].as_i64()).sum()
}

fn wait_until_read(henge: &Henge, events: u64) {
    wait_while_it_gets_on("all is read", || {
        let seen: Vec<Option<u64>> = (0..DATA_SOURCES)
            .map(|number| henge.try_status(&format!("events{number}"))?["records"]["seen"].as_u64())
            .collect();
        if seen == [Some(events); DATA_SOURCES] && lag(henge) == Some(0) { Ok(()) } else { Err(seen) }
    });
}

#[test]
#[ignore = "needs a real Kafka broker: run with --include-ignored (needs Java 17 and Maven)"]
fn an_overload_in_little_memory_becomes_lag_and_the_lag_goes_away() {
    let seconds = std::env::var("HENGE_OVERLOAD_SECONDS").ok().and_then(|text| text.parse().ok());
    let duration = Duration::from_secs(seconds.unwrap_or(SECONDS_DEFAULT).max(2));
    let broker = RealBroker::shared();
    Admin::new(&broker.properties()).create_topic("overload", PARTITIONS as i32, &[]);
    let source = Arc::new(Source::new(&broker));
    source.send(CALIBRATION);
    source.producer.flush();
    let mut henge = Henge::server(&config(&broker)).within(MEMORY_MIB);
    henge.start_ready();
    let started = Instant::now();
    wait_until_read(&henge, CALIBRATION);
    let speed = CALIBRATION as f64 / started.elapsed().as_secs_f64();

    let overloading = std::thread::spawn({
        let source = source.clone();
        move || source.send_for(duration, OVERLOAD * speed)
    });
    let (mut lag_most, mut resident_most) = (0, 0.0_f64);
    while !overloading.is_finished() {
        std::thread::sleep(Duration::from_millis(50));
        lag_most = lag(&henge).map_or(lag_most, |lag| lag_most.max(lag));
        resident_most = resident_most.max(henge.anonymous_mib());
    }
    overloading.join().expect("everything could be produced");
    let produced = (source.sent() - CALIBRATION) as f64 / duration.as_secs_f64();
    println!("it reads {speed:.0} events/s, {produced:.0} came; lag {lag_most}, {resident_most:.0} MiB at the most");
    assert!(lag_most > 0, "it was no overload");

    source.send_for(duration / 2, speed / 4.0);
    wait_until_read(&henge, source.sent());
    resident_most = resident_most.max(henge.anonymous_mib());
    assert!(resident_most < RESIDENT_MIB_MAX, "{resident_most:.0} MiB");
    for _ in 0..2 {
        let (events, sum) = (source.sent(), source.sent() * (source.sent() - 1) / 2);
        for number in 0..DATA_SOURCES {
            let totals = henge.sql(&format!("SELECT COUNT(*), SUM(n), MIN(n), MAX(n) FROM events{number}"));
            assert_eq!(totals, [[json!(events), json!(sum), json!(0), json!(events - 1)]]);
        }
        // It is the process that was started: its end is asked for here.
        assert!(henge.terminate().success(), "SIGTERM ends it well");
        henge.start_ready();
        wait_until_read(&henge, source.sent());
    }
}
