//! The signals that end a process: the first asks, the second insists.

use std::io;
use std::process::ExitCode;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing::{info, warn};

use crate::exit_code;

/// SIGTERM and SIGINT.
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    pub fn install() -> io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Waits for the next one and names it.
    pub async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }

    /// Does `work` after a first signal; a second one stops at once, which loses nothing but time: what is not
    /// published is read again.
    pub async fn finish(mut self, work: impl Future<Output = ()>) -> ExitCode {
        info!("stopping; a second signal stops at once");
        tokio::select! {
            () = work => ExitCode::SUCCESS,
            signal = self.next() => {
                warn!(signal, "stopped at once");
                ExitCode::from(exit_code::INTERRUPTED)
            }
        }
    }
}
