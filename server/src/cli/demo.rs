//! `henge demo`: a synthetic fleet of Kafka clusters, read through the same path as in production.

mod metrics;

use std::io::IsTerminal;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use clap::Args;
use henge_ingest::fleet::event::Fleet;
use henge_ingest::fleet::mock_kafka::MockKafka;
use henge_ingest::fleet::producer::{FleetProducer, Load};
use henge_ingest::fleet::{spec, topic};
use henge_ingest::spec::SupervisorSpec;
use henge_segment_store::clock;
use owo_colors::OwoColorize;
use serde_json::Value;
use tokio::time::{MissedTickBehavior, interval};

use super::fatal;
use crate::config::{Config, LISTEN_DEFAULT, Overrides};
use crate::running::Running;
use crate::shutdown::Signals;
use crate::{colour, exit_code};

const DATA_SOURCE: &str = "fleet";
const PARTITIONS: i32 = 4;
const CLUSTERS: u32 = 200;
/// The fleet is the same in every demo, so that its one-liners always have something to show.
const SEED: u64 = 7;
/// Records that may wait for the reader; the mock cluster forgets what is read much later than that.
const AHEAD_MAX: u64 = 20_000;
const REPORT_EVERY: Duration = Duration::from_secs(5);
/// How often the producer learns what was read.
const PACE_EVERY: Duration = Duration::from_millis(20);
/// How long Ctrl-C waits for the reader to take what was produced.
const CATCH_UP: Duration = Duration::from_secs(5);

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  henge demo
  henge demo --rate 20000
  henge demo --bootstrap-servers 127.0.0.1:9092        on a Kafka of your own; creates the topic `fleet`

Ctrl-C publishes what is open and ends; started again on the same directory it continues.")]
pub struct DemoArgs {
    /// Events a second.
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    rate: u32,
    #[arg(long, value_name = "DIR", default_value = "henge-demo")]
    data_dir: PathBuf,
    #[arg(long, env = "HENGE_LISTEN", value_name = "ADDRESS", default_value = LISTEN_DEFAULT)]
    listen: SocketAddr,
    /// Where to speak PostgreSQL's protocol, such as 127.0.0.1:5432 [default: nowhere].
    #[arg(long, env = "HENGE_PG_LISTEN", value_name = "ADDRESS")]
    pg_listen: Option<SocketAddr>,
    /// A real broker instead of the one inside this process.
    #[arg(long, value_name = "HOST:PORT")]
    bootstrap_servers: Option<String>,
}

pub async fn run(args: DemoArgs) -> ExitCode {
    match demonstrate(args).await {
        Ok(code) => code,
        Err(error) => fatal(&format!("{error:#}"), exit_code::FAILURE),
    }
}

async fn demonstrate(args: DemoArgs) -> anyhow::Result<ExitCode> {
    let mut signals = Signals::install()?;
    let stream = FleetStream::open(args.bootstrap_servers).await?;
    let mut spec = spec::spec_json(DATA_SOURCE, &stream.topic, &stream.servers);
    extend(&mut spec);
    let accepted = SupervisorSpec::from_json(&spec)?;
    let (listen, data_dir) = (Some(args.listen), Some(args.data_dir));
    let overrides = Overrides { listen, pg_listen: args.pg_listen, data_dir, ..Overrides::default() };
    let mut config = Config::load(None, overrides)?;
    config.specs.push(accepted.spec);
    config.datasets.push(metrics::dataset(DATA_SOURCE));
    let running = Running::start(config).await?;
    let demo = Demo::start(stream, &running, args.rate)?;
    demo.introduce(running.address, running.pg_address);
    tokio::select! {
        () = demo.report(&running) => unreachable!("reports go on until a signal"),
        () = demo.pace(&running) => unreachable!("pacing goes on until a signal"),
        _ = signals.next() => {}
    }
    eprintln!("stopping: publishing what is open");
    Ok(signals.finish(demo.stop(running)).await)
}

/// Whose a row is, and what metrics read of it.
fn extend(spec: &mut Value) {
    spec["tenant"] = "org_id".into();
    for (name, measure) in metrics::measures() {
        spec["measures"][name] = measure;
    }
}

/// Where the fleet's events go.
struct FleetStream {
    /// The broker inside this process, unless the user brings one. Ends when this is dropped.
    mock: Option<MockKafka>,
    servers: String,
    topic: String,
}

impl FleetStream {
    /// Creates the topic.
    ///
    /// Every mock cluster is new: its offsets begin at 0 and its topic ids mean nothing to an older checkpoint. A topic
    /// of the same name would be the recreated topic that a supervisor rightly halts at (invariant M6). So each run on
    /// the mock has a topic of its own, whose partitions are new to the checkpoint and are read from their beginning,
    /// with no reset and no rule bent for the demo. What a killed demo had not published is gone with its mock.
    async fn open(bootstrap_servers: Option<String>) -> anyhow::Result<Self> {
        if let Some(servers) = bootstrap_servers {
            let stream = Self { mock: None, servers, topic: DATA_SOURCE.to_owned() };
            topic::create_topic(&stream.properties(), &stream.topic, PARTITIONS).await?;
            return Ok(stream);
        }
        let mock = MockKafka::start()?;
        let topic = format!("{DATA_SOURCE}-{}", clock::now().0);
        mock.create_topic(&topic, PARTITIONS)?;
        Ok(Self { servers: mock.bootstrap_servers().to_owned(), mock: Some(mock), topic })
    }

    fn properties(&self) -> [(String, String); 1] {
        [("bootstrap.servers".to_owned(), self.servers.clone())]
    }
}

/// The fleet at work.
struct Demo {
    stream: FleetStream,
    producer: FleetProducer,
    /// Records that the supervisor has read.
    read: Arc<AtomicU64>,
}

impl Demo {
    fn start(stream: FleetStream, running: &Running, rate: u32) -> anyhow::Result<Self> {
        let read = Arc::new(AtomicU64::new(0));
        let load = Load {
            topic: stream.topic.clone(),
            partitions: PARTITIONS,
            rate,
            max_ahead: stream.mock.is_some().then_some(AHEAD_MAX),
            first_row: events_before(running),
        };
        let fleet = Fleet::new(SEED, CLUSTERS);
        let producer = FleetProducer::start(fleet, load, &stream.properties(), read.clone())?;
        Ok(Self { stream, producer, read })
    }

    fn introduce(&self, address: SocketAddr, pg_address: Option<SocketAddr>) {
        let binary = std::env::args().next().unwrap_or_else(|| "henge".to_owned());
        let url =
            if address.to_string() == LISTEN_DEFAULT { String::new() } else { format!(" --url http://{address}") };
        let broker = if self.stream.mock.is_some() { "a Kafka mock inside this process" } else { "your Kafka" };
        let listening = format!("http://{address}");
        let is_coloured = colour::is_wanted(&std::io::stdout());
        let bold = |text: &str| if is_coloured { text.bold().to_string() } else { text.to_owned() };
        println!("Henge listens on {}; a synthetic fleet produces into {broker}.", bold(&listening));
        println!("Try in another terminal:\n");
        for sql in [
            "SELECT SUM(events) AS events, MAX(__time) AS newest FROM fleet",
            "SELECT region, SUM(bytes_in) AS bytes_in, MAX(latency_ms_max) AS latency_ms FROM fleet \
             GROUP BY region ORDER BY bytes_in DESC LIMIT 5",
            "SELECT FLOOR(__time TO MINUTE) AS t, SUM(requests) AS requests, SUM(errors) AS errors FROM fleet \
             GROUP BY 1 ORDER BY 1 DESC LIMIT 5",
        ] {
            println!("  {}", bold(&format!("{binary} sql{url} -c \"{sql}\"")));
        }
        println!("  {}", bold(&metrics::example(address)));
        let there = url.trim_start();
        let provision = format!("{binary} grafana provision --dir /etc/grafana/provisioning {there}");
        println!("  {}", bold(provision.trim_end()));
        if let Some(address) = pg_address {
            let psql = format!("psql -h {} -p {} henge -c '\\d fleet'", address.ip(), address.port());
            println!("  {}", bold(&psql));
        }
        println!("\nCtrl-C ends the demo.\n");
    }

    /// A line every few seconds, for ever.
    async fn report(&self, running: &Running) {
        let mut ticks = interval(REPORT_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ticks.tick().await;
        let mut before = self.read.load(Ordering::Relaxed);
        loop {
            ticks.tick().await;
            let read = self.read.load(Ordering::Relaxed);
            let rate = (read - before) as f64 / REPORT_EVERY.as_secs_f64();
            before = read;
            println!("{}", self.line(running, rate));
        }
    }

    fn line(&self, running: &Running, rate: f64) -> String {
        let Some((status, data_source)) =
            running.services.supervisors.status(DATA_SOURCE).zip(running.services.store.data_source(DATA_SOURCE))
        else {
            return "the supervisor is gone".to_owned();
        };
        let (published, open) = (data_source.published(), data_source.open_stats());
        let rows = published.iter().map(|segment| segment.rows).sum::<u64>() + (open.rows + open.frozen_rows) as u64;
        let lag = match (status.lag_records(), status.lag_ms(clock::now())) {
            (Some(records), Some(millis)) => format!("{records} records, {millis} ms"),
            _ => "unknown".to_owned(),
        };
        let detail = status.detail.map(|detail| format!("   {}: {detail}", status.state)).unwrap_or_default();
        let line = format!("{rate:>9.0} events/s   lag {lag}   {rows} rows   {} segments{detail}", published.len());
        if std::io::stdout().is_terminal() { line } else { line.trim_start().to_owned() }
    }

    /// Tells the producer what was read, for ever.
    async fn pace(&self, running: &Running) {
        let mut ticks = interval(PACE_EVERY);
        loop {
            ticks.tick().await;
            self.learn_what_was_read(running);
        }
    }

    fn learn_what_was_read(&self, running: &Running) {
        if let Some(status) = running.services.supervisors.status(DATA_SOURCE) {
            self.read.store(status.totals.records, Ordering::Relaxed);
        }
    }

    /// Stops producing, lets the reader take the rest, and publishes it: the mock cluster takes to its grave what was
    /// not read.
    async fn stop(self, running: Running) {
        let Self { stream, producer, read } = self;
        let produced = tokio::task::spawn_blocking(move || producer.stop()).await.unwrap_or_default();
        let caught_up = async {
            let mut ticks = interval(PACE_EVERY);
            while read.load(Ordering::Relaxed) < produced {
                ticks.tick().await;
                if let Some(status) = running.services.supervisors.status(DATA_SOURCE) {
                    read.store(status.totals.records, Ordering::Relaxed);
                }
            }
        };
        if tokio::time::timeout(CATCH_UP, caught_up).await.is_err() {
            eprintln!("gave up waiting for the reader; it is behind by some events");
        }
        running.stop().await;
        drop(stream);
    }
}

/// Events of earlier demos: the fleet's story goes on where it ended.
fn events_before(running: &Running) -> u64 {
    let data_source = running.services.store.data_source(DATA_SOURCE);
    data_source.map_or(0, |data_source| data_source.progress().ledger.values().map(|counts| counts.seen()).sum())
}
