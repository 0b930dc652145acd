//! One binary: ingests from Kafka, answers SQL over HTTP, and asks itself from the command line.
//!
//! cli -> config -> running (listener, app) -> routes -> wire

mod allocator;
mod app;
mod auth;
mod background;
mod cli;
mod colour;
mod config;
mod error;
mod exit_code;
mod following;
mod held_memory;
mod listener;
mod metrics_api;
mod openapi;
mod panel;
mod pg;
mod process;
mod query_metrics;
mod recovery;
mod routes;
mod running;
mod scrubbing;
mod shutdown;
mod statements;
mod system_tables;
mod telemetry;
mod upkeep_metrics;
mod wire;

use std::process::ExitCode;

use clap::Parser;
use henge_segment_store::os_thread;

use crate::cli::{Cli, Command};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let default_filter = match cli.command {
        Command::Server(_) => "info",
        // Their output is for the person who typed the command.
        Command::Sql(_)
        | Command::Demo(_)
        | Command::Segments(_)
        | Command::Verify(_)
        | Command::Keys(_)
        | Command::Compact(_)
        | Command::Grafana(_)
        | Command::Openapi(_) => "warn",
    };
    telemetry::start(cli.log_format, default_filter);
    // Each question and each answer passes through these threads, for little work.
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().on_thread_start(os_thread::go_first).build();
    let runtime = runtime.expect("a process that may start no thread cannot run");
    let code = runtime.block_on(async {
        match cli.command {
            Command::Server(args) => cli::server::run(args).await,
            Command::Sql(args) => cli::sql::run(args).await,
            Command::Demo(args) => cli::demo::run(args).await,
            Command::Segments(args) => cli::segments::run(args).await,
            Command::Compact(args) => cli::compact::run(args).await,
            Command::Verify(args) => cli::verify::run(args).await,
            Command::Keys(args) => cli::keys::run(args).await,
            Command::Grafana(args) => cli::grafana::run(&args),
            Command::Openapi(_) => cli::openapi::run(),
        }
    });
    // What still runs has had its time.
    runtime.shutdown_background();
    code
}
