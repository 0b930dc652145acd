//! Accepts connections and ends those that hold one without using it.
//!
//! Our own loop on hyper, because `axum::serve` installs no timer and so never times a header out.

mod addresses;
mod entrance;
mod stall;

use std::net::IpAddr;
use std::time::Duration;

use axum::Router;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

pub use self::entrance::{Entrance, Place};
pub use self::stall::StallGuard;

const HEADERS_MAX: usize = 64;
/// Also the most that hyper reads ahead of a body.
const HEADER_BYTES_MAX: usize = 16 * 1024;

/// What connections may hold, and for how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// Open at once; further ones wait unaccepted.
    pub connections_max: usize,
    /// Open at once from one address; further ones are closed at once. What stands behind a proxy comes from one.
    pub per_address_max: usize,
    /// For the head of a connection's first request, counted from when it was accepted.
    pub header_timeout: Duration,
    /// For the head of each further one, counted from the end of the answer before. Longer than dashboards wait between
    /// two refreshes: a client that asks at the moment at which its connection is closed gets no answer.
    pub idle_timeout: Duration,
    /// For a reader that takes nothing of its answer.
    pub stall_timeout: Duration,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self {
            connections_max: 2_048,
            per_address_max: 256,
            header_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(75),
            stall_timeout: Duration::from_secs(30),
        }
    }
}

/// Serves until `stop`, then accepts nothing more and waits up to `drain` for running requests.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: ConnectionLimits,
    stop: CancellationToken,
    drain: Duration,
) {
    let connections =
        Connections { entrance: Entrance::new(&limits), graceful: GracefulShutdown::new(), router, limits };
    tokio::select! {
        () = connections.accept_from(&listener) => unreachable!("accepting never ends by itself"),
        () = stop.cancelled() => {}
    }
    drop(listener);
    let unfinished = connections.graceful.count();
    if tokio::time::timeout(drain, connections.graceful.shutdown()).await.is_err() {
        warn!(connections = unfinished, "gave up waiting for running requests");
    }
}

/// The other end of a request's connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer(pub IpAddr);

struct Connections {
    entrance: Entrance,
    graceful: GracefulShutdown,
    router: Router,
    limits: ConnectionLimits,
}

impl Connections {
    async fn accept_from(&self, listener: &TcpListener) {
        loop {
            let (socket, peer, place) = self.entrance.next(listener).await;
            self.start(socket, peer, place);
        }
    }

    fn start(&self, socket: TcpStream, peer: Peer, place: Place) {
        let io = TokioIo::new(StallGuard::new(socket, self.limits.stall_timeout));
        let asked = CancellationToken::new();
        let first_head = tokio::time::timeout(self.limits.header_timeout, asked.clone().cancelled_owned());
        let routes = TowerToHyperService::new(self.router.clone());
        let service = service_fn(move |mut request: hyper::Request<_>| {
            asked.cancel();
            request.extensions_mut().insert(peer);
            routes.call(request)
        });
        let connection = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.limits.idle_timeout)
            .max_headers(HEADERS_MAX)
            .max_buf_size(HEADER_BYTES_MAX)
            .serve_connection(io, service);
        let connection = self.graceful.watch(connection);
        tokio::spawn(async move {
            let _place = place;
            tokio::select! {
                ended = connection => {
                    if let Err(error) = ended {
                        debug!(%error, "a connection broke off");
                    }
                }
                // Where a request came in time, this only waits for the connection.
                Err(_) = first_head => debug!("a connection asked nothing"),
            }
        });
    }
}

#[cfg(test)]
mod tests;
