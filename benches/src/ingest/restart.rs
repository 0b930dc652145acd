//! How fast a process reads again what it had not published when it was killed, beside how fast it read that the first
//! time. Both read the same full topic, and nothing is published.

use std::time::Instant;

use henge_ingest::test_support::broker::RealBroker;
use serde_json::Value;

use super::load::{self, Rows, TOPIC};
use crate::server::{self, Server};

/// Events a second, from the start of the process on.
pub struct Speeds {
    pub live: f64,
    pub replay: f64,
}

pub fn measure(broker: &RealBroker, events: u64) -> anyhow::Result<Speeds> {
    let dir = tempfile::tempdir()?;
    let config = load::config(broker.bootstrap_servers(), TOPIC, "1h", Rows::OfEvents);
    // Beyond what comes, so that the second process finds no checkpoint.
    let config = config.replace("age = \"1h\"", "age = \"1h\", rows = 1000000000, bytes = 1000000000000");
    let config = format!("[limits]\ningest_memory = \"16GiB\"\n{config}");
    let binary = server::build()?;
    let speed = || -> anyhow::Result<f64> {
        let started = Instant::now();
        // Killed when it is dropped.
        let mut server = Server::spawn(&binary, dir.path(), &config)?;
        server.wait_for("all is read", |server| Ok((seen(server)? == Some(events)).then_some(())))?;
        Ok(events as f64 / started.elapsed().as_secs_f64())
    };
    let live = speed()?;
    Ok(Speeds { live, replay: speed()? })
}

fn seen(server: &Server) -> anyhow::Result<Option<u64>> {
    let Some(answer) = server.get("/druid/indexer/v1/supervisor/events/status")? else { return Ok(None) };
    let answer: Value = serde_json::from_str(&answer)?;
    Ok(answer["payload"]["records"]["seen"].as_u64())
}
