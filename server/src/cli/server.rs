//! `henge server`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use henge_segment_store::error::with_sources;
use henge_segment_store::slot::Slot;

use super::fatal;
use crate::config::{Config, Overrides};
use crate::exit_code;
use crate::running::Running;
use crate::shutdown::Signals;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  henge server                                         in ./henge-data on 127.0.0.1:8888; specs come by HTTP
  henge server --config henge.toml
  henge server --data-dir /var/lib/henge --listen 127.0.0.1:9000

A henge.toml that reads one topic:
  [datasource.usage]
  topic = \"usage\"
  kafka = { \"bootstrap.servers\" = \"127.0.0.1:9092\" }
  time = { column = \"timestamp\", format = \"auto\" }
  dimensions = [\"org_id\", \"cluster_id\"]
  measures = { events = \"count\", bytes_in = \"long_sum\" }
  rollup = \"1m\"
  segment = \"1h\"

Flags stand before the environment, the environment before the file.")]
pub struct ServerArgs {
    /// Settings and datasources.
    #[arg(long, env = "HENGE_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where to listen [default: 127.0.0.1:8888].
    #[arg(long, env = "HENGE_LISTEN", value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// Where to speak PostgreSQL's protocol, such as 127.0.0.1:5432 [default: nowhere].
    #[arg(long, env = "HENGE_PG_LISTEN", value_name = "ADDRESS")]
    pg_listen: Option<SocketAddr>,
    /// Where everything is kept [default: henge-data].
    #[arg(long, env = "HENGE_DATA_DIR", value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Where segments and manifest are, such as s3://bucket/prefix or file:///directory [default: in the data directory].
    #[arg(long, env = "HENGE_OBJECT_STORE", value_name = "URL")]
    object_store: Option<String>,
    /// Which share of the partitions is read, such as 0/2, where processes share an object store [default: all].
    #[arg(long, env = "HENGE_SLOT", value_name = "N/OF")]
    slot: Option<Slot>,
}

pub async fn run(args: ServerArgs) -> ExitCode {
    let ServerArgs { config, listen, pg_listen, data_dir, object_store, slot } = args;
    let overrides = Overrides { listen, pg_listen, data_dir, object_store, slot };
    let config = match Config::load(config.as_deref(), overrides) {
        Ok(config) => config,
        Err(error) => return fatal(&error.to_string(), exit_code::USAGE),
    };
    let mut signals = match Signals::install() {
        Ok(signals) => signals,
        Err(error) => return fatal(&format!("cannot listen for signals: {error}"), exit_code::FAILURE),
    };
    let started = tokio::select! {
        started = Running::start(config) => started,
        // Nothing is open yet that would have to be published.
        _ = signals.next() => return ExitCode::SUCCESS,
    };
    match started {
        Ok(running) => {
            signals.next().await;
            signals.finish(running.stop()).await
        }
        Err(error) => fatal(&with_sources(&error), exit_code::FAILURE),
    }
}
