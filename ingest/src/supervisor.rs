//! Owns one datasource's ingestion: a thread that connects, reads, and connects again.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::session::{Context, Ended, Session, StartError, StopMode};
use crate::status::{State, StatusCell};

/// Waits between attempts to connect.
const RETRY_MIN: Duration = Duration::from_millis(250);
const RETRY_MAX: Duration = Duration::from_secs(10);

/// A running supervisor. Dropping it forgets what is not published.
pub struct Supervisor {
    stop: Sender<StopMode>,
    thread: JoinHandle<()>,
    status: Arc<StatusCell>,
}

impl Supervisor {
    /// Begins at once, on a thread of its own.
    pub fn start(context: Context) -> Self {
        let (stop, stopped) = channel();
        let status = context.status.clone();
        let name = format!("ingest-{}", context.data_source.name());
        let thread = std::thread::Builder::new().name(name).spawn(move || work(&context, &stopped));
        let thread = thread.expect("the system can start a thread");
        Self { stop, thread, status }
    }

    /// Asks the thread to end; [`join`](Self::join) waits for it.
    pub fn ask_to_stop(&self, mode: StopMode) {
        self.status.enter(State::Stopping, None);
        // A thread that has ended already needs no asking.
        self.stop.send(mode).unwrap_or_default();
        self.thread.thread().unpark();
    }

    /// Waits until the thread has ended.
    pub fn join(self) {
        if self.thread.join().is_err() {
            tracing::error!("a supervisor's thread panicked; what it had not published is read again");
        }
    }
}

fn work(context: &Context, stop: &Receiver<StopMode>) {
    let mut pause = RETRY_MIN;
    loop {
        match Session::start(context) {
            Ok(mut session) => match session.run(stop) {
                Ended::Asked(mode) => return session.close(mode),
                Ended::Halted(reason) => {
                    session.close(StopMode::Discard);
                    return wait_halted(context, stop, reason);
                }
            },
            Err(StartError(reason)) => {
                tracing::warn!(datasource = %context.data_source.name(), reason, "not connected, trying again");
                context.status.enter(State::Connecting, Some(reason));
                match stop.recv_timeout(pause) {
                    Err(RecvTimeoutError::Timeout) => pause = (pause * 2).min(RETRY_MAX),
                    Ok(_) | Err(RecvTimeoutError::Disconnected) => return,
                }
            }
        }
    }
}

/// Shows the reason until somebody acts.
fn wait_halted(context: &Context, stop: &Receiver<StopMode>, reason: String) {
    tracing::error!(datasource = %context.data_source.name(), reason, "ingestion halted");
    context.status.enter(State::Halted, Some(reason));
    context.status.update(|status| status.is_recovering = false);
    // Whatever is asked, or whoever is gone: there is nothing left to stop.
    stop.recv().map(|_| ()).unwrap_or_default();
}
