//! Segments are merged, retired and swept while events come, late ones among them, while readers ask, and while the
//! process is killed again and again: no answer ever moves.
//!
//! `HENGE_UPKEEP_SECONDS` sets how long events are produced; 40 unless it is set.

use std::path::Path;
use std::time::{Duration, Instant};

use henge_ingest::test_support::admin::Admin;
use henge_ingest::test_support::broker::RealBroker;
use serde_json::json;

use crate::crashes::Reader;
use crate::henge::{Henge, wait_for, wait_while_it_gets_on};
use crate::ledger;
use crate::production::{Plan, Production};
use crate::reference::Reference;
use crate::workload::{self, HOUR_MS, HOUR_START_MS, mix};

const SECONDS_DEFAULT: u64 = 40;
const TRANSACTIONS_PER_SECOND: u64 = 20;
/// Of the hour that most events happen in: `brief` keeps what is younger than three hours before it.
const KEPT_FROM: &str = "2026-01-01 09:00:00";
const KEPT_FROM_MS: i64 = HOUR_START_MS - 3 * HOUR_MS;

#[test]
#[ignore = "needs a real Kafka broker: run with --include-ignored (needs Java 17 and Maven)"]
fn answers_never_move_while_segments_are_merged_retired_and_swept_and_the_process_is_killed() {
    let broker = RealBroker::shared();
    let seconds = std::env::var("HENGE_UPKEEP_SECONDS").ok().and_then(|text| text.parse().ok());
    let duration = Duration::from_secs(seconds.unwrap_or(SECONDS_DEFAULT).max(10));
    let transactions = duration.as_secs() * TRANSACTIONS_PER_SECOND / 10 * 10;
    let plan = Plan { topic: "upkeep".into(), partitions: 4, transactions, duration };
    Admin::new(&broker.properties()).create_topic(&plan.topic, plan.partitions, &[]);
    let mut henge = Henge::server(&config(broker.bootstrap_servers(), &plan.topic));
    let production = Production::start(&plan, &broker.properties());
    let reader = Reader::start(henge.url(""), production.events_sealed.clone());
    let (mut merges, mut swept, mut kills) = (0.0, 0.0, 0);
    while !production.is_finished() {
        henge.start();
        let end = Instant::now() + life_of(kills);
        let mut last = (0.0, 0.0);
        while Instant::now() < end {
            std::thread::sleep(Duration::from_millis(100));
            last = (counter(&henge, "henge_compactions_total"), counter(&henge, "henge_sweep_files_total"));
        }
        (merges, swept, kills) = (merges + last.0, swept + last.1, kills + 1);
        henge.kill();
        reader.assert_runs();
    }
    production.finish();
    henge.start_ready();
    ledger::wait_until_all_is_read(&henge, &plan);
    println!("{kills} kills, {merges} merges and {swept} swept files in between");
    assert!(merges > 0.0 && kills > 3, "{merges} merges, {kills} kills");
    assert_brief_keeps_what_it_should(&henge, &plan);

    wait_until_all_is_merged_and_swept(&henge);
    println!("the reader had {} answers", reader.stop());
    let reference = Reference::of(&plan);
    for _ in 0..2 {
        reference.assert_is_answered(&henge);
        ledger::assert_is_exact(&henge, &plan);
        assert_brief_keeps_what_it_should(&henge, &plan);
        // And so again from what is on disk.
        assert!(henge.terminate().success(), "SIGTERM ends it well");
        henge.start_ready();
    }
}

/// Mostly long enough to merge something, now and then too short to recover.
fn life_of(number: u64) -> Duration {
    let bits = mix(number);
    let ms = if number.is_multiple_of(5) { 50 + bits % 500 } else { 2_500 + bits % 4_000 };
    Duration::from_millis(ms)
}

/// The datasources of the other proofs, which cut and merge as often as they can; and `brief`, which is `usage` without
/// its oldest hours.
fn config(bootstrap_servers: &str, topic: &str) -> String {
    let often = "cut = { rows = 5000, age = \"300ms\" }\ncompaction = { rows = 40000, quiet = \"100ms\" }";
    let datasources = workload::config(bootstrap_servers, topic)
        .replace("cut = { rows = 60000, age = \"1s\" }", often)
        .replace("cut = { rows = 150000, age = \"2s\" }", often);
    let (usage, _) = datasources.split_once("[datasource.events]").expect("it has two datasources");
    let until = "2026-01-01T09:00:00Z";
    let rule = format!("retention = [{{ type = \"dropByInterval\", interval = \"2026-01-01T00:00:00Z/{until}\" }}]");
    let brief = usage.replace("datasource.usage", "datasource.brief").replace(often, &format!("{often}\n{rule}"));
    format!("[upkeep]\ncpu = 1\nevery = \"200ms\"\nsweep_grace = \"2s\"\n{datasources}\n{brief}")
}

/// 0 while the server does not answer.
fn counter(henge: &Henge, name: &str) -> f64 {
    henge.try_metrics(name).and_then(|samples| samples.first().map(|(_, value)| *value)).unwrap_or_default()
}

fn assert_brief_keeps_what_it_should(henge: &Henge, plan: &Plan) {
    let kept = plan.events().filter(|event| event.time_ms >= KEPT_FROM_MS);
    let (events, x) = kept.fold((0, 0), |(events, x), event| (events + 1, x + event.x));
    let query = format!("SELECT SUM(events), SUM(x) FROM brief WHERE __time >= TIMESTAMP '{KEPT_FROM}'");
    wait_for("brief has read everything", || (henge.sql(&query) == [[json!(events), json!(x)]]).then_some(()));
}

/// Nothing is left to merge or to retire, and there is no file but those of live segments.
fn wait_until_all_is_merged_and_swept(henge: &Henge) {
    let segments = henge.data_dir().join("store/segments");
    wait_while_it_gets_on("everything is merged, retired and swept", || {
        let files = count_files(&segments);
        match is_merged_and_swept(henge, files) {
            true => Ok(()),
            false => Err((counter(henge, "henge_compactions_total"), files)),
        }
    });
}

fn is_merged_and_swept(henge: &Henge, files: usize) -> bool {
    let Some(live) = henge.try_metrics("henge_segments") else { return false };
    let live: f64 = live.iter().map(|(_, count)| count).sum();
    let retired = "SELECT COUNT(*) FROM brief WHERE __time < TIMESTAMP '2026-01-01 09:00:00'";
    let is_merged = counter(henge, "henge_compactions_pending") == 0.0;
    is_merged && files as f64 == live && henge.sql(retired) == [[json!(0)]]
}

fn count_files(folder: &Path) -> usize {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    paths.map(|path| if path.is_dir() { count_files(&path) } else { 1 }).sum()
}
