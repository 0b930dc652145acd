use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::{debug, warn};

use super::addresses::{AddressCounts, AddressPlace};
use super::{ConnectionLimits, Peer};

/// How long to leave the process alone after it ran out of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Lets in as many connections at once as there may be, and as many of one address.
pub struct Entrance {
    permits: Arc<Semaphore>,
    addresses: AddressCounts,
}

/// What a connection takes while it lives.
pub struct Place {
    _permit: OwnedSemaphorePermit,
    _of_address: AddressPlace,
}

impl Entrance {
    pub fn new(limits: &ConnectionLimits) -> Self {
        Self {
            permits: Arc::new(Semaphore::new(limits.connections_max)),
            addresses: AddressCounts::new(limits.per_address_max),
        }
    }

    /// The next connection that may come in. Those beyond the limit wait unaccepted; those of an address that has enough
    /// are closed.
    pub async fn next(&self, listener: &TcpListener) -> (TcpStream, Peer, Place) {
        loop {
            let permit = self.permits.clone().acquire_owned().await.expect("the semaphore is never closed");
            match listener.accept().await {
                Ok((socket, peer)) => {
                    let Some(of_address) = self.addresses.enter(peer.ip()) else {
                        debug!(address = %peer.ip(), "an address has too many connections");
                        continue;
                    };
                    match socket.set_nodelay(true) {
                        Ok(()) => return (socket, Peer(peer.ip()), Place { _permit: permit, _of_address: of_address }),
                        Err(error) => debug!(%error, "a connection ended before it began"),
                    }
                }
                Err(error) if is_of_one_connection(&error) => debug!(%error, "a connection ended before it began"),
                Err(error) => {
                    warn!(%error, "cannot accept connections");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }
}

/// Whether the failure concerns only the connection that was about to be accepted.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset
    )
}
