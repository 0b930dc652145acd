//! Queries of death: each ends in an answer or an error when its time is over, alone and in crowds; the process lives on,
//! keeps to its memory, and answers light queries meanwhile.

mod statements;

use std::fs;
use std::time::{Duration, Instant};

use futures::future::join_all;
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;

use self::statements::statements;
use crate::directory;
use crate::process::Serving;

/// Rows in two segments, each with texts of its own.
const ROWS: i64 = 20_000;
const DEADLINE: Duration = Duration::from_millis(200);
/// After its deadline a query may take so long to say that it is over.
const LATE_MAX: Duration = Duration::from_secs(1);
const AT_ONCE: usize = 8;
const QUERIES_MEMORY_MIB: u64 = 256;
/// What the process may have beside the memory of its queries: code without optimisation, threads, plans, and what the
/// allocator keeps of the memory of queries that are over.
const OTHER_MEMORY_MIB: u64 = 384;
const LIGHT: &str = "SELECT COUNT(*), SUM(events) FROM usage WHERE shard = 7";

struct Asker {
    client: Client,
    url: String,
}

impl Asker {
    /// The status, or `None` where the answer broke off, and how long it took.
    async fn ask(&self, sql: &str, timeout: Duration) -> (Option<StatusCode>, String, Duration) {
        let body = json!({ "query": sql, "context": { "timeout": timeout.as_millis() as u64 } });
        let start = Instant::now();
        let sent = self.client.post(format!("{}/druid/v2/sql", self.url)).json(&body).send().await;
        let response = sent.unwrap_or_else(|error| panic!("no answer to {}: {error}", shown(sql)));
        let status = response.status();
        let text = response.text().await;
        let ended = text.is_ok().then_some(status);
        (ended, text.unwrap_or_default(), start.elapsed())
    }

    async fn ask_to_death(&self, sql: &str) {
        let (status, text, took) = self.ask(sql, DEADLINE).await;
        assert!(took < DEADLINE + LATE_MAX, "{} took {took:?}: {status:?}", shown(sql));
        // A fault of ours is no answer.
        let is_fault = status == Some(StatusCode::INTERNAL_SERVER_ERROR);
        assert!(!is_fault, "{}: {text}", shown(sql));
    }

    async fn light(&self) {
        let (status, text, _) = self.ask(LIGHT, Duration::from_secs(30)).await;
        assert_eq!((status, text.as_str()), (Some(StatusCode::OK), "[{\"EXPR$0\":20,\"EXPR$1\":20}]\n"));
    }

    async fn running(&self) -> usize {
        let response = self.client.get(format!("{}/henge/v1/queries", self.url)).send().await.expect("it answers");
        let queries: Vec<Value> = response.json().await.expect("a list");
        queries.len()
    }
}

fn shown(sql: &str) -> &str {
    &sql[..sql.floor_char_boundary(120)]
}

#[test]
fn queries_of_death_end_in_time_alone_and_in_crowds_and_leave_the_process_as_it_was() {
    let directory = TempDir::new().unwrap();
    directory::published_many(directory.path(), ROWS);
    let config = directory.path().join("henge.toml");
    let limits = format!(
        "[limits]\nquery_memory = \"64MiB\"\nqueries_memory = \"{QUERIES_MEMORY_MIB}MiB\"\nspill_size = \"64MiB\"\n"
    );
    fs::write(&config, limits).unwrap();
    let server = Serving::server(directory.path(), &["--config", &config.display().to_string()]);
    let asker = Asker { client: Client::new(), url: server.url.clone() };
    let statements = statements();
    assert!(statements.len() >= 60, "{}", statements.len());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        asker.light().await;
        for sql in &statements {
            asker.ask_to_death(sql).await;
        }
        for crowd in statements.chunks(AT_ONCE) {
            let heavy = join_all(crowd.iter().map(|sql| asker.ask_to_death(sql)));
            tokio::join!(heavy, asker.light());
        }
        while asker.running().await > 0 {
            tokio::task::yield_now().await;
        }
        asker.light().await;
    });
    let peak_mib = server.peak_memory_bytes() >> 20;
    assert!(peak_mib <= QUERIES_MEMORY_MIB + OTHER_MEMORY_MIB, "{peak_mib} MiB at the most");
}
