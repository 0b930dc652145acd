//! A million rows as an answer: how fast they come, and what the server holds meanwhile.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use super::Target;
use crate::median;

const ROUNDS: usize = 3;
const LOOKED_EVERY: Duration = Duration::from_millis(5);
const FORMATS: [&str; 3] = ["object", "arrayLines", "csv"];

pub fn run(targets: &[Target<'_>], rows: u64) -> anyhow::Result<()> {
    println!(
        "\n| {rows} rows as | of | rows/s | MB/s | resident before, MiB | at the most, MiB | bound |\n|---|---|---|---|---|---|---|"
    );
    for format in FORMATS {
        for target in targets {
            let bound = if format == "object" { "1,000,000 rows/s" } else { "" };
            measure(target, format, rows, bound)?;
        }
    }
    Ok(())
}

fn measure(target: &Target<'_>, format: &str, rows: u64, bound: &str) -> anyhow::Result<()> {
    let sql = format!("SELECT __time, cluster_id, topic, requests, bytes_in FROM events LIMIT {rows}");
    let request = json!({ "query": sql, "resultFormat": format, "context": { "useCache": false } });
    let (mut seconds, mut bytes, mut peak) = (Vec::new(), 0, None);
    target.client.read(&request)?;
    let before = target.resident_mib()?;
    for _ in 0..ROUNDS {
        let is_over = AtomicBool::new(false);
        let is_over = &is_over;
        let (took, read, highest) = thread::scope(|scope| {
            let watcher = scope.spawn(move || highest_resident(target, is_over));
            let started = Instant::now();
            let read = target.client.read(&request);
            let took = started.elapsed().as_secs_f64();
            is_over.store(true, Ordering::Relaxed);
            (took, read, watcher.join().expect("it only reads a file"))
        });
        bytes = read?;
        peak = peak.max(highest);
        seconds.push(took);
    }
    let took = median(&mut seconds);
    let mib = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.0}"));
    println!(
        "| {format} | {} | {:.0} | {:.0} | {} | {} | {bound} |",
        target.name,
        rows as f64 / took,
        bytes as f64 / took / 1e6,
        mib(before),
        mib(peak.map(|peak| peak as f64)),
    );
    Ok(())
}

/// In MiB; `None` of a server whose memory cannot be seen.
fn highest_resident(target: &Target<'_>, is_over: &AtomicBool) -> Option<u64> {
    let mut highest = None;
    while !is_over.load(Ordering::Relaxed) {
        highest = highest.max(target.resident_mib().ok().flatten().map(|mib| mib as u64));
        thread::sleep(LOOKED_EVERY);
    }
    highest
}
