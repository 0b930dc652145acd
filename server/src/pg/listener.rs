//! Accepts connections as that of HTTP does, and ends those that do nothing.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::cancellation::Sessions;
use super::conversation::Conversation;
use super::failure::Failure;
use super::login::{NoLogin, login};
use super::wire::{Wire, WireError};
use crate::app::App;
use crate::listener::{ConnectionLimits, Entrance, Place, StallGuard};

/// Serves until `stop`, then accepts nothing more and waits up to `drain` for running queries.
pub async fn serve(listener: TcpListener, app: Arc<App>, stop: CancellationToken, drain: Duration) {
    let limits = app.limits.connection.clone();
    let entrance = Entrance::new(&limits);
    let sessions = Sessions::default();
    let mut connections = JoinSet::new();
    loop {
        let (socket, _, place) = tokio::select! {
            next = entrance.next(&listener) => next,
            Some(ended) = connections.join_next() => {
                if let Err(error) = ended {
                    warn!(%error, "a connection ended badly");
                }
                continue;
            }
            () = stop.cancelled() => break,
        };
        connections.spawn(connection(socket, place, app.clone(), sessions.clone(), limits.clone()));
    }
    drop(listener);
    let unfinished = connections.len();
    let finished = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(drain, finished).await.is_err() {
        warn!(connections = unfinished, "gave up waiting for running queries");
    }
}

/// `place`: what it takes while it lives.
async fn connection(socket: TcpStream, place: Place, app: Arc<App>, sessions: Sessions, limits: ConnectionLimits) {
    let _place = place;
    let mut wire = Wire::new(StallGuard::new(socket, limits.stall_timeout), app.limits.request_bytes_max);
    let entered = tokio::time::timeout(limits.header_timeout, login(&mut wire, &app, &sessions)).await;
    let ended = match entered {
        Ok(Ok(login)) => Conversation::new(wire, app, login).run().await,
        Ok(Err(NoLogin::Cancelled)) => Ok(()),
        Ok(Err(NoLogin::Wire(error))) => Err(error),
        Ok(Err(NoLogin::Failed(failure))) => refuse(&mut wire, &failure).await,
        Err(_) => refuse(&mut wire, &Failure::new("57P05", "the connection did not say in time who asks")).await,
    };
    if let Err(error) = ended {
        debug!(%error, "a connection of PostgreSQL's protocol broke off");
    }
}

async fn refuse(wire: &mut Wire, failure: &Failure) -> Result<(), WireError> {
    wire.out.failed(failure, true);
    wire.flush().await
}
