//! How soon a query is over that somebody cancels: for who asked, and for the CPU.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use super::heavy;
use crate::peers::served::Served;
use crate::server::Server;

const BOUND_MS: f64 = 50.0;
/// No query is followed for longer.
const LENGTH_MAX: Duration = Duration::from_secs(4);
/// Shorter ones are over before they could be cancelled.
const LENGTH_MIN: Duration = Duration::from_millis(20);
/// The server is at rest when it uses less than a tenth of so much time.
const REST: Duration = Duration::from_millis(10);

/// Milliseconds from the request to cancel to the end.
#[derive(Clone, Copy, Default)]
struct Ended {
    answer_ms: f64,
    cpu_ms: f64,
}

pub fn run(served: &Served, moments: u32) -> anyhow::Result<()> {
    println!("\n| cancelled | until who asked is told, ms | until the CPU is free, ms | bound |\n|---|---|---|---|");
    let (server, mut workload) = (served.server(), served.statements());
    workload.extend(heavy::STUBBORN.map(|(name, sql)| (name.to_owned(), sql.to_owned())));
    let mut all = Ended::default();
    for (name, sql) in &workload {
        let length = length(server, sql)?;
        if length < LENGTH_MIN {
            continue;
        }
        let mut worst = Ended::default();
        for moment in 0..moments {
            let wait = length.mul_f64((f64::from(moment) + 0.5) / f64::from(moments));
            if let Some(ended) = cancel_after(server, sql, wait)? {
                worst = worst.max(ended);
            }
        }
        println!("| {name} | {:.1} | {:.1} | {BOUND_MS} |", worst.answer_ms, worst.cpu_ms);
        all = all.max(worst);
    }
    println!("| the longest | {:.1} | {:.1} | {BOUND_MS} |", all.answer_ms, all.cpu_ms);
    Ok(())
}

impl Ended {
    fn max(self, other: Self) -> Self {
        Self { answer_ms: self.answer_ms.max(other.answer_ms), cpu_ms: self.cpu_ms.max(other.cpu_ms) }
    }
}

/// How long a query takes, or [`LENGTH_MAX`].
fn length(server: &Server, sql: &str) -> anyhow::Result<Duration> {
    let started = Instant::now();
    let timeout = LENGTH_MAX.as_millis() as u64;
    let request = json!({ "query": sql, "context": { "useCache": false, "timeout": timeout } });
    // An error is an end too.
    server.ask(&request).ok();
    until_at_rest(server, started)?;
    Ok(started.elapsed().min(LENGTH_MAX))
}

/// `None` where the query was over before.
fn cancel_after(server: &Server, sql: &str, wait: Duration) -> anyhow::Result<Option<Ended>> {
    let request = json!({ "query": sql, "context": { "useCache": false, "sqlQueryId": "cancelled" } });
    let (asking, cancelling) = (server.client()?, server.client()?);
    // Both connections are there.
    cancelling.cancel("nothing")?;
    thread::scope(|scope| {
        let asked = scope.spawn(move || {
            let answer = asking.ask(&request);
            (answer.is_err(), Instant::now())
        });
        thread::sleep(wait);
        let started = Instant::now();
        let is_running = cancelling.cancel("cancelled")?;
        let cpu_ms = until_at_rest(server, started)?;
        let (is_cancelled, answered) = asked.join().expect("a client returns its error");
        let answer_ms = answered.saturating_duration_since(started).as_secs_f64() * 1e3;
        Ok((is_running && is_cancelled).then_some(Ended { answer_ms, cpu_ms }))
    })
}

/// Milliseconds from `started` until the server uses the CPU no more.
fn until_at_rest(server: &Server, started: Instant) -> anyhow::Result<f64> {
    let mut busy_ms = 0.0;
    let mut before = (Instant::now(), server.cpu_seconds()?);
    loop {
        thread::sleep(REST / 10);
        let (now, cpu) = (Instant::now(), server.cpu_seconds()?);
        if cpu - before.1 > REST.as_secs_f64() / 100.0 {
            busy_ms = now.saturating_duration_since(started).as_secs_f64() * 1e3;
            before = (now, cpu);
        } else if now - before.0 > REST {
            return Ok(busy_ms);
        }
    }
}
