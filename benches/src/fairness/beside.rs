//! A dashboard's latency, alone and beside others.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;
use serde_json::json;

use super::heavy;
use crate::peers::served::Served;
use crate::percentile;
use crate::server::Server;

const PAUSE: Duration = Duration::from_millis(2);
/// The most that a heavy query may add to the 99th percentile.
const BOUND: f64 = 3.0;

/// Milliseconds of each time.
struct Figures {
    latencies_ms: Vec<f64>,
    heavy_answers: usize,
}

pub fn run(served: &Served, seconds: f64) -> anyhow::Result<()> {
    let (server, dashboard) = (served.server(), served.statement("M5-hot")?);
    heavy::check(server)?;
    println!(
        "\n| beside the dashboard | p50, ms | p99, ms | p99 to that alone | bound | heavy answers |\n|---|---|---|---|---|---|"
    );
    let mut alone_p99 = None;
    for (name, queries) in [("nothing", &[][..]), ("4 native", &heavy::NATIVE), ("4 in DataFusion", &heavy::DATAFUSION)]
    {
        let Figures { mut latencies_ms, heavy_answers } = measure(server, &dashboard, queries, seconds)?;
        let (p50, p99) = (percentile(&mut latencies_ms, 50), percentile(&mut latencies_ms, 99));
        let ratio = p99 / *alone_p99.get_or_insert(p99);
        println!("| {name} | {p50:.2} | {p99:.2} | {ratio:.2} | {BOUND} | {heavy_answers} |");
    }
    Ok(())
}

fn measure(server: &Server, dashboard: &str, queries: &[&str], seconds: f64) -> anyhow::Result<Figures> {
    let is_over = AtomicBool::new(false);
    let is_over = &is_over;
    thread::scope(|scope| {
        let heavy: Vec<_> = queries
            .iter()
            .enumerate()
            .map(|(number, sql)| {
                scope.spawn(move || -> anyhow::Result<usize> {
                    let (client, mut answers) = (server.client()?, 0);
                    let request = request(sql, &format!("heavy-{number}"));
                    while !is_over.load(Ordering::Relaxed) {
                        match client.ask(&request) {
                            Ok(_) => answers += 1,
                            Err(_) if is_over.load(Ordering::Relaxed) => {}
                            Err(error) => return Err(error).with_context(|| (*sql).to_owned()),
                        }
                    }
                    Ok(answers)
                })
            })
            .collect();
        let latencies_ms = ask(server, dashboard, seconds);
        is_over.store(true, Ordering::Relaxed);
        let client = server.client()?;
        for number in 0..queries.len() {
            client.cancel(&format!("heavy-{number}"))?;
        }
        let mut heavy_answers = 0;
        for client in heavy {
            heavy_answers += client.join().expect("a client returns its error")?;
        }
        Ok(Figures { latencies_ms: latencies_ms?, heavy_answers })
    })
}

fn ask(server: &Server, dashboard: &str, seconds: f64) -> anyhow::Result<Vec<f64>> {
    let (client, request, mut latencies_ms) = (server.client()?, request(dashboard, "dashboard"), Vec::new());
    // The heavy ones have begun by then.
    thread::sleep(Duration::from_millis(500));
    let end = Instant::now() + Duration::from_secs_f64(seconds);
    while Instant::now() < end {
        let started = Instant::now();
        client.ask(&request)?;
        latencies_ms.push(started.elapsed().as_secs_f64() * 1e3);
        thread::sleep(PAUSE);
    }
    Ok(latencies_ms)
}

fn request(sql: &str, id: &str) -> serde_json::Value {
    json!({ "query": sql, "resultFormat": "array", "context": { "useCache": false, "sqlQueryId": id } })
}
