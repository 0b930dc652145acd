//! What brokers do while records come at a rate: they are killed and started again, topics grow, retention overtakes a
//! reader that lives and one that does not, and a topic is made again under its name. Every sum is exact, or the gap is on
//! record to the offset.
//!
//! `HENGE_BROKER_KILLS` sets how often the broker is killed; twice unless it is set.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use henge_ingest::test_support::admin::Admin;
use henge_ingest::test_support::broker::RealBroker;
use henge_ingest::test_support::producer::{TestProducer, TestRecord};
use serde_json::{Value, json};

use crate::henge::{Henge, wait_for, wait_while_it_gets_on};

const TOPIC: &str = "faults";
/// Of each partition.
const EVENTS_PER_SECOND: f64 = 1_000.0;
const BROKER_KILLS_DEFAULT: u64 = 2;

fn config(broker: &RealBroker) -> String {
    format!(
        r#"
[datasource.events]
topic = "{TOPIC}"
kafka = {{ "bootstrap.servers" = "{}" }}
time = "ts"
dimensions = [
    {{ name = "seq", type = "long" }}, {{ name = "kafka_partition", type = "long", from = "kafka.partition" }},
    {{ name = "kafka_offset", type = "long", from = "kafka.offset" }},
]
cut = {{ age = "500ms" }}
"#,
        broker.bootstrap_servers()
    )
}

/// A producer at a steady rate; it alone writes its partitions, so the number of an event in one is its offset.
struct Feed {
    stop: Arc<AtomicBool>,
    /// Of each partition.
    sent: Arc<AtomicI64>,
    partitions: Range<i32>,
    thread: JoinHandle<()>,
}

impl Feed {
    fn start(broker: &RealBroker, partitions: Range<i32>) -> Self {
        let (stop, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicI64::new(0)));
        let producer = TestProducer::new(&broker.properties(), TOPIC, &[("reconnect.backoff.max.ms", "500")]);
        let thread = std::thread::spawn({
            let (stop, sent, partitions) = (stop.clone(), sent.clone(), partitions.clone());
            move || send(&producer, partitions, &sent, &stop)
        });
        Self { stop, sent, partitions, thread }
    }

    fn sent(&self) -> i64 {
        self.sent.load(Ordering::SeqCst)
    }

    fn wait_for(&self, sent: i64) {
        wait_for("so many events are sent", || (self.sent() >= sent).then_some(()));
    }

    /// Waits for the last acknowledgement; how many events each partition has.
    fn finish(self) -> BTreeMap<i32, i64> {
        self.stop.store(true, Ordering::SeqCst);
        self.thread.join().expect("everything could be produced");
        let sent = self.sent.load(Ordering::SeqCst);
        self.partitions.map(|partition| (partition, sent)).collect()
    }
}

fn send(producer: &TestProducer, partitions: Range<i32>, sent: &AtomicI64, stop: &AtomicBool) {
    let started = Instant::now();
    while !stop.load(Ordering::SeqCst) {
        let due = (started.elapsed().as_secs_f64() * EVENTS_PER_SECOND) as i64;
        for offset in sent.load(Ordering::SeqCst)..due {
            for partition in partitions.clone() {
                let event = format!("{{\"ts\":{},\"seq\":{}}}", 1_767_268_800_000 + offset, seq(partition, offset));
                producer.send(&TestRecord::new(partition, event.as_bytes()));
            }
            sent.store(offset + 1, Ordering::SeqCst);
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    producer.flush();
}

/// Another one for each event.
fn seq(partition: i32, offset: i64) -> i64 {
    offset * 100 + i64::from(partition)
}

/// Recorded gaps by partition, half-open.
fn gaps(henge: &Henge) -> BTreeMap<i32, Vec<Range<i64>>> {
    let mut gaps: BTreeMap<i32, Vec<Range<i64>>> = BTreeMap::new();
    for gap in henge.status("events")["gaps"].as_array().expect("gaps are a list") {
        let number = |name: &str| gap[name].as_i64().expect("offsets and partitions are numbers");
        gaps.entry(number("partition") as i32).or_default().push(number("from")..number("to"));
    }
    gaps
}

/// Of each partition: how many events, and their sum, but for those in gaps.
fn expected(sent: &BTreeMap<i32, i64>, gaps: &BTreeMap<i32, Vec<Range<i64>>>) -> Vec<[Value; 4]> {
    let of_partition = |(&partition, &sent): (&i32, &i64)| {
        let lost = |offset: &i64| gaps.get(&partition).is_some_and(|gaps| gaps.iter().any(|gap| gap.contains(offset)));
        let (count, sum) = (0..sent)
            .filter(|offset| !lost(offset))
            .fold((0, 0), |(count, sum), offset| (count + 1, sum + seq(partition, offset)));
        [json!(partition), json!(count), json!(sum), json!(count)]
    };
    sent.iter().map(of_partition).collect()
}

fn found(henge: &Henge) -> Vec<Vec<Value>> {
    henge.sql(
        "SELECT kafka_partition, COUNT(*), SUM(seq), COUNT(DISTINCT kafka_offset) FROM events GROUP BY 1 ORDER BY 1",
    )
}

/// All that is to be read is read: no partition is stopped, and each stands where its feed ended.
fn wait_until_read(henge: &Henge, sent: &BTreeMap<i32, i64>) {
    wait_while_it_gets_on("all is read", || {
        let status = henge.try_status("events").unwrap_or_default();
        let offsets = status["activeTasks"][0]["currentOffsets"].clone();
        let is_there = |(partition, sent): (&i32, &i64)| offsets[partition.to_string()] == json!(sent);
        if sent.iter().all(is_there) && status["healthy"] == true { Ok(()) } else { Err(offsets) }
    });
}

fn seen(henge: &Henge) -> Option<u64> {
    henge.try_status("events")?["records"]["seen"].as_u64()
}

#[test]
#[ignore = "needs a real Kafka broker: run with --include-ignored (needs Java 17 and Maven)"]
fn whatever_the_broker_does_at_rate_sums_are_exact_or_the_gap_is_on_record() {
    let kills = std::env::var("HENGE_BROKER_KILLS").ok().and_then(|text| text.parse().ok());
    let mut broker = RealBroker::start();
    let admin = Admin::new(&broker.properties());
    admin.create_topic(TOPIC, 4, &[]);
    let mut henge = Henge::server(&config(&broker));
    henge.start_ready();
    let old = Feed::start(&broker, 0..4);
    for kill in 0..kills.unwrap_or(BROKER_KILLS_DEFAULT) {
        old.wait_for(old.sent() + 1_000);
        broker.kill();
        std::thread::sleep(Duration::from_millis(300));
        broker.restart();
        let before = seen(&henge).expect("it is up");
        wait_for("reading goes on", || (seen(&henge)? > before + 1_000).then_some(()));
        println!("broker kill {kill}: {before} records were read before it was back");
    }
    admin.set_partitions(TOPIC, 6);
    let new = Feed::start(&broker, 4..6);
    new.wait_for(1_000);
    overtake_the_living(&henge, &admin, &old);
    overtake_the_dead(&mut henge, &admin, &old);
    new.wait_for(new.sent() + 500);
    let mut sent = old.finish();
    sent.extend(new.finish());
    wait_until_read(&henge, &sent);
    let gaps = gaps(&henge);
    println!("gaps: {gaps:?} of {sent:?}");
    assert_eq!(gaps.keys().collect::<Vec<_>>(), [&0, &1], "where records were deleted, and nowhere else");
    let exact = expected(&sent, &gaps);
    assert_eq!(found(&henge), exact);
    make_the_topic_again(&mut henge, &broker, &admin, &exact);
    assert!(henge.terminate().success(), "SIGTERM ends it well");
    henge.run_offline("verify");
}

/// The process stands still while the log moves on under it.
fn overtake_the_living(henge: &Henge, admin: &Admin, feed: &Feed) {
    henge.signal("STOP");
    let lost_to = feed.sent() + 1_000;
    // What is sent is on the broker a moment later.
    feed.wait_for(lost_to + 1_000);
    admin.delete_records(TOPIC, 0, lost_to);
    henge.signal("CONT");
    let gap = wait_for("the gap is on record", || gaps(henge).get(&0).cloned());
    assert_eq!((gap.len(), gap[0].end), (1, lost_to), "{gap:?}");
}

/// The process is killed, and the log has moved past its checkpoint when it starts again.
fn overtake_the_dead(henge: &mut Henge, admin: &Admin, feed: &Feed) {
    henge.kill();
    let lost_to = feed.sent();
    feed.wait_for(lost_to + 1_000);
    admin.delete_records(TOPIC, 1, lost_to);
    henge.start_ready();
    let gap = wait_for("the gap is on record", || gaps(henge).get(&1).cloned());
    assert_eq!((gap.len(), gap[0].end), (1, lost_to), "{gap:?}");
}

/// Records come at a rate from the first moment of the new topic: none of them is taken for one of the old topic.
fn make_the_topic_again(henge: &mut Henge, broker: &RealBroker, admin: &Admin, exact: &[[Value; 4]]) {
    admin.delete_topic(TOPIC);
    admin.create_topic(TOPIC, 6, &[]);
    let feed = Feed::start(broker, 0..6);
    wait_for("the topic that was made again is a visible state", || {
        let status = henge.try_status("events")?;
        (status["healthy"] == false && status["recentErrors"].to_string().contains("created again")).then_some(())
    });
    assert_eq!(found(henge), exact, "what was read stays, and nothing is mixed into it");
    let reset = henge.post("/druid/indexer/v1/supervisor/events/reset", &Value::Null);
    assert_eq!(reset.status, 200, "{}", reset.body);
    feed.wait_for(feed.sent() + 1_000);
    let sent = feed.finish();
    wait_until_read(henge, &sent);
    let again = expected(&sent, &BTreeMap::new());
    let long = |value: &Value| value.as_i64().expect("a number");
    let both: Vec<(i64, i64)> = exact
        .iter()
        .zip(&again)
        .map(|(old, new)| (long(&old[1]) + long(&new[1]), long(&old[2]) + long(&new[2])))
        .collect();
    let found: Vec<(i64, i64)> = found(henge).iter().map(|row| (long(&row[1]), long(&row[2]))).collect();
    assert_eq!(found, both);
}
