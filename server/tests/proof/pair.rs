//! Processes that share a topic's partitions by slots, and one manifest: each reads its own, both answer over what is
//! published, one merges; they are killed, and a third one takes a slot over.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use henge_ingest::test_support::admin::Admin;
use henge_ingest::test_support::broker::RealBroker;
use henge_ingest::test_support::producer::TestProducer;
use serde_json::{Value, json};

use crate::crashes::Reader;
use crate::henge::{Henge, wait_for, wait_while_it_gets_on};
use crate::ledger::DATA_SOURCES;
use crate::production::{Plan, Production};
use crate::reference::Reference;
use crate::workload::{self, mix};

const PRODUCED_FOR: Duration = Duration::from_secs(24);

/// `datasources` on a shared directory. Files go soon after no query can need them.
fn config(shared: &Path, slot: &str, datasources: &str) -> String {
    format!(
        r#"
[server]
object_store = "file://{}"
slot = "{slot}"
refresh = "100ms"
[limits]
query_timeout = "20s"
query_timeout_max = "20s"
[upkeep]
cpu = 1
every = "200ms"
sweep_grace = "21s"
{datasources}
"#,
        shared.display()
    )
}

fn started(shared: &Path, slot: &str, datasources: &str) -> Henge {
    let mut henge = Henge::server(&config(shared, slot, datasources));
    henge.start_ready();
    henge
}

/// Of the datasources' own proofs, cut and merged as often as possible.
fn workload_of(broker: &RealBroker, topic: &str) -> String {
    let often = "cut = { rows = 5000, age = \"300ms\" }\ncompaction = { rows = 40000, quiet = \"100ms\" }";
    workload::config(broker.bootstrap_servers(), topic)
        .replace("cut = { rows = 60000, age = \"1s\" }", often)
        .replace("cut = { rows = 150000, age = \"2s\" }", often)
}

#[test]
#[ignore = "needs a real Kafka broker: run with --include-ignored (needs Java 17 and Maven)"]
fn two_slots_are_killed_and_taken_over_and_every_event_counts_once_on_both() {
    let broker = RealBroker::shared();
    let plan = Plan { topic: "pair".into(), partitions: 5, transactions: 480, duration: PRODUCED_FOR };
    Admin::new(&broker.properties()).create_topic(&plan.topic, plan.partitions, &[]);
    let shared = tempfile::tempdir().expect("a temporary directory can be made");
    let datasources = workload_of(&broker, &plan.topic);
    let mut even = started(shared.path(), "0/2", &datasources);
    let odd = started(shared.path(), "1/2", &datasources);
    let production = Production::start(&plan, &broker.properties());
    let reader = Reader::start(even.url(""), production.events_sealed.clone());
    let begun = Instant::now();
    let mut odd = kill_in_turns(&mut even, odd, || begun.elapsed() < PRODUCED_FOR / 2, &reader);

    // The same slot again: the one that has it ends, the newer one goes on where it published.
    let successor = started(shared.path(), "1/2", &datasources);
    wait_until_fenced(&odd);
    odd.kill();
    let odd = kill_in_turns(&mut even, successor, || !production.is_finished(), &reader);
    production.finish();

    let pair = [even, odd];
    wait_until_all_is_read(&pair, &plan);
    println!("the reader had {} answers", reader.stop());
    assert_answers_are_exact(&pair, &plan);
    wait_until_merged_and_swept(shared.path(), &pair);
    let merges = pair.each_ref().map(|henge| counter(henge, "henge_compactions_total"));
    assert!(merges[0] > 0.0 && merges[1] == 0.0, "the first slot alone merges: {merges:?}");
    verify(shared.path());
    let pair = pair.map(|mut henge| {
        assert!(henge.terminate().success(), "SIGTERM ends it well");
        henge.start_ready();
        henge
    });
    assert_answers_are_exact(&pair, &plan);
    verify(shared.path());
}

/// Kills one after the other while `goes_on`, and three times at the least, each time after a while in which it reads. Both
/// run in the end.
fn kill_in_turns(even: &mut Henge, mut odd: Henge, goes_on: impl Fn() -> bool, reader: &Reader) -> Henge {
    let mut kills = 0;
    while goes_on() || kills < 3 {
        std::thread::sleep(Duration::from_millis(700 + mix(kills) % 1_500));
        // The reader asks the even one, which waits for its recovery each time.
        let victim = if kills % 3 == 2 { &mut *even } else { &mut odd };
        victim.kill();
        victim.start_ready();
        reader.assert_runs();
        kills += 1;
    }
    println!("{kills} kills");
    odd
}

fn wait_until_fenced(henge: &Henge) {
    for data_source in DATA_SOURCES {
        wait_for("the older process of the slot halts", || {
            let status = henge.try_status(data_source)?;
            let detail = status["detail"].as_str().unwrap_or_default();
            (status["detailedState"] == "HALTED" && detail.contains("another")).then_some(())
        });
    }
}

/// Each sees the records of its own partitions.
fn wait_until_all_is_read(pair: &[Henge; 2], plan: &Plan) {
    for data_source in DATA_SOURCES {
        wait_while_it_gets_on(&format!("both have read {data_source}"), || {
            let seen = pair.each_ref().map(|henge| {
                let status = henge.try_status(data_source).unwrap_or_default();
                let lag = status["aggregateLag"].as_i64().unwrap_or(-1);
                (status["records"]["seen"].as_u64().unwrap_or(0), lag)
            });
            let all: u64 = seen.iter().map(|(seen, _)| seen).sum();
            assert!(all <= plan.record_count(), "{seen:?} of {}", plan.record_count());
            let is_done = all == plan.record_count() && seen.iter().all(|(_, lag)| *lag == 0);
            if is_done { Ok(()) } else { Err(seen) }
        });
    }
}

/// Whichever process is asked, once what the other one read is published.
fn assert_answers_are_exact(pair: &[Henge; 2], plan: &Plan) {
    let reference = Reference::of(plan);
    for henge in pair {
        for query in ["SELECT SUM(events) FROM usage", "SELECT COUNT(*) FROM events"] {
            wait_for("all is published", || (henge.sql(query) == [[json!(plan.event_count())]]).then_some(()));
        }
        reference.assert_is_answered(henge);
        for data_source in DATA_SOURCES {
            assert_eq!(ledger(henge, data_source), expected_ledger(plan), "{data_source}");
        }
    }
}

/// Reasons and counts over all partitions, those of the other slot as published.
fn ledger(henge: &Henge, data_source: &str) -> Vec<Vec<Value>> {
    henge.sql(&format!(
        "SELECT COALESCE(reason, outcome), SUM(records) FROM sys.ledger WHERE datasource = '{data_source}' \
         GROUP BY 1 ORDER BY 1"
    ))
}

fn expected_ledger(plan: &Plan) -> Vec<Vec<Value>> {
    let mut expected = plan.refused();
    expected.insert("accepted", plan.event_count());
    expected.into_iter().map(|(reason, count)| vec![json!(reason), json!(count)]).collect()
}

/// Nothing is left to merge, and no file but those of live segments, whichever process made it.
fn wait_until_merged_and_swept(shared: &Path, pair: &[Henge; 2]) {
    wait_while_it_gets_on("everything is merged and swept", || {
        let files = count_files(&shared.join("segments"));
        let live = pair.each_ref().map(segments);
        let pending = counter(&pair[0], "henge_compactions_pending");
        match pending == 0.0 && live == [files as f64; 2] {
            true => Ok(()),
            false => Err((files, live.map(|count| count as u64), pending as u64)),
        }
    });
}

fn segments(henge: &Henge) -> f64 {
    henge.try_metrics("henge_segments").into_iter().flatten().map(|(_, count)| count).sum()
}

/// 0 while the server does not answer.
fn counter(henge: &Henge, name: &str) -> f64 {
    henge.try_metrics(name).and_then(|samples| samples.first().map(|(_, value)| *value)).unwrap_or_default()
}

fn count_files(folder: &Path) -> usize {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    paths.map(|path| if path.is_dir() { count_files(&path) } else { 1 }).sum()
}

/// `henge verify` beside the running processes.
fn verify(shared: &Path) {
    let url = format!("file://{}", shared.display());
    let done = Command::new(env!("CARGO_BIN_EXE_henge")).args(["verify", "--object-store", &url]).output();
    let done = done.expect("the binary was built");
    let [stdout, stderr] = [&done.stdout, &done.stderr].map(|said| String::from_utf8_lossy(said));
    assert!(done.status.success(), "{stdout}{stderr}");
}

#[test]
#[ignore = "needs a real Kafka broker: run with --include-ignored (needs Java 17 and Maven)"]
fn what_an_operator_tells_one_process_both_do() {
    let broker = RealBroker::shared();
    Admin::new(&broker.properties()).create_topic("told", 4, &[]);
    let shared = tempfile::tempdir().expect("a temporary directory can be made");
    let datasource = format!(
        "[datasource.events]\ntopic = \"told\"\nkafka = {{ \"bootstrap.servers\" = \"{}\" }}\ntime = \"ts\"\n\
         dimensions = [{{ name = \"seq\", type = \"long\" }}]\ncut = {{ age = \"200ms\" }}\n",
        broker.bootstrap_servers()
    );
    let pair = ["0/2", "1/2"].map(|slot| started(shared.path(), slot, &datasource));
    send(&broker, 0..1_000);
    wait_for_count(&pair, 1_000);

    pair[1].post("/druid/indexer/v1/supervisor/events/suspend", &Value::Null);
    wait_for_state(&pair, "SUSPENDED");
    send(&broker, 1_000..2_000);
    pair[0].post("/druid/indexer/v1/supervisor/events/resume", &Value::Null);
    wait_for_count(&pair, 2_000);

    let mut spec = pair[0].get("/druid/indexer/v1/supervisor/events").json();
    spec["dimensions"].as_array_mut().expect("it has dimensions").push(json!("more"));
    let put = pair[1].post("/druid/indexer/v1/supervisor", &spec);
    assert_eq!(put.status, 200, "{}", put.body);
    send(&broker, 2_000..3_000);
    wait_for_count(&pair, 3_000);
    for henge in &pair {
        assert_eq!(henge.sql("SELECT COUNT(more) FROM events"), [[json!(1_000)]]);
    }

    // What was published stays, so each event counts again.
    pair[0].post("/druid/indexer/v1/supervisor/events/reset", &Value::Null);
    wait_for_count(&pair, 6_000);
    for henge in &pair {
        assert_eq!(
            henge.sql("SELECT MIN(n), MAX(n) FROM (SELECT seq, COUNT(*) AS n FROM events GROUP BY seq)"),
            [[2, 2]]
        );
    }
    verify(shared.path());
}

/// To all partitions in turn.
fn send(broker: &RealBroker, rows: std::ops::Range<u64>) {
    let producer = TestProducer::new(&broker.properties(), "told", &[]);
    for partition in 0..4 {
        let own = rows.clone().filter(|row| row % 4 == partition);
        let payloads: Vec<String> =
            own.map(|row| format!(r#"{{"ts":{},"seq":{row},"more":"x{row}"}}"#, 1_767_268_800_000 + row)).collect();
        producer.send_all(partition as i32, payloads.iter().map(String::as_bytes));
    }
}

fn wait_for_count(pair: &[Henge; 2], expected: u64) {
    for henge in pair {
        wait_for(&format!("there are {expected} events"), || {
            let count = henge.sql("SELECT COUNT(*) FROM events")[0][0].as_u64().expect("a count is a number");
            assert!(count <= expected, "{count} events, but {expected} were produced");
            (count == expected).then_some(())
        });
    }
}

fn wait_for_state(pair: &[Henge; 2], state: &str) {
    for henge in pair {
        wait_for(state, || (henge.try_status("events")?["detailedState"] == state).then_some(()));
    }
}
