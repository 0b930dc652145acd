//! Log lines on stderr.

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;

use crate::colour;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Human,
    /// One JSON object a line.
    Json,
}

/// Starts logging. `RUST_LOG` chooses what is logged, else `default_filter` does.
pub fn start(format: LogFormat, default_filter: &str) {
    let filter = EnvFilter::builder().try_from_env().unwrap_or_else(|_| EnvFilter::new(default_filter));
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match format {
        LogFormat::Human => lines.with_ansi(colour::is_wanted(&std::io::stderr())).init(),
        LogFormat::Json => lines.json().flatten_event(true).init(),
    }
}
