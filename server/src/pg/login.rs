//! The first messages: encryption is declined, a cancellation is carried out, and who asks is found out.

use tracing::debug;

use super::cancellation::{SessionPlace, Sessions};
use super::failure::Failure;
use super::message::{First, Malformed, Message};
use super::session::{REPORTED, Session, Transaction};
use super::wire::{Wire, WireError};
use crate::app::App;
use crate::auth::asker::Asker;
use crate::auth::credentials::Credentials;
use crate::auth::denied::Denied;
use crate::auth::key::KeyId;

/// Clients ask for TLS and then for GSSAPI, or the other way round.
const WISHES_MAX: usize = 4;
const PASSWORD_WANTED: i32 = 3;
const LET_IN: i32 = 0;
const CANNOT_CHANGE: [&str; 5] =
    ["server_version", "server_encoding", "integer_datetimes", "standard_conforming_strings", "IntervalStyle"];

/// Who came in.
pub struct Login {
    pub credentials: Option<Credentials>,
    pub session: Session,
    pub place: SessionPlace,
}

/// Why nobody came in.
#[derive(Debug, thiserror::Error)]
pub enum NoLogin {
    #[error(transparent)]
    Wire(#[from] WireError),
    #[error("{}", .0.message)]
    Failed(Failure),
    /// The connection has done what it came for.
    #[error("it was a cancellation")]
    Cancelled,
}

impl From<Failure> for NoLogin {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<Malformed> for NoLogin {
    fn from(error: Malformed) -> Self {
        Self::Failed(error.into())
    }
}

/// Lets in who may.
pub async fn login(wire: &mut Wire, app: &App, sessions: &Sessions) -> Result<Login, NoLogin> {
    let options = start(wire, app, sessions).await?;
    let mut session = Session::default();
    let mut user = String::new();
    for (name, value) in options {
        match name.as_str() {
            "user" => user = value,
            "database" | "options" | "replication" => {}
            // A zone that is not known, as that of a client's machine may be, does not keep it out.
            "TimeZone" => _ = session.set(&name, &value),
            _ if name.starts_with("_pq_.") => {}
            _ => session.set(&name, &value)?,
        }
    }
    let credentials = authenticate(wire, app, &user).await?;
    let place = sessions.enter();
    wire.out.authentication(LET_IN);
    for name in REPORTED.into_iter().chain(CANNOT_CHANGE) {
        wire.out.status(name, session.get(name).unwrap_or_default());
    }
    wire.out.status("is_superuser", "off");
    wire.out.status("session_authorization", &user);
    wire.out.key_data(place.secret);
    wire.out.ready(Transaction::None);
    wire.flush().await?;
    Ok(Login { credentials, session, place })
}

/// What the client says of itself.
async fn start(wire: &mut Wire, app: &App, sessions: &Sessions) -> Result<Vec<(String, String)>, NoLogin> {
    for _ in 0..WISHES_MAX {
        match First::read(wire.first_frame().await?)? {
            First::Encryption => {
                wire.out.0.extend_from_slice(b"N");
                wire.flush().await?;
            }
            First::Cancel(secret) => {
                if let (Some(running), Some(services)) = (sessions.running(secret), app.services()) {
                    let was_running = services.engine.cancel(&running.query_id, &running.reader);
                    debug!(query_id = running.query_id, was_running, "a client cancels its query");
                }
                return Err(NoLogin::Cancelled);
            }
            First::Start(options) => return Ok(options),
            First::Newer(_, options) => {
                let names = options.iter().map(|(name, _)| name.clone());
                let unknown: Vec<String> = names.filter(|name| name.starts_with("_pq_.")).collect();
                wire.out.version(&unknown);
                return Ok(options);
            }
        }
    }
    Err(NoLogin::Failed(Failure::new("08P01", "a connection begins with a start, after TLS and GSSAPI were declined")))
}

/// Asks for a key where there are any.
async fn authenticate(wire: &mut Wire, app: &App, user: &str) -> Result<Option<Credentials>, NoLogin> {
    if let Ok(None) = app.keys.holder(Err(Denied::Missing)).await {
        return Ok(None);
    }
    wire.out.authentication(PASSWORD_WANTED);
    wire.flush().await?;
    let Message::Password(secret) = Message::read(wire.frame().await?)? else {
        return Err(Failure::from(Denied::Missing).into());
    };
    // A name that no key has is as wrong as one that none has now.
    let id = KeyId::parse(user).ok_or(Failure::from(Denied::Wrong))?;
    let credentials = Credentials { id, secret };
    asker(app, Some(&credentials)).await?;
    Ok(Some(credentials))
}

/// Whose rows may be read: asked for each statement, for a key may be revoked meanwhile.
pub async fn asker(app: &App, credentials: Option<&Credentials>) -> Result<Asker, Failure> {
    match app.keys.holder(credentials.cloned().ok_or(Denied::Missing)).await? {
        Some(key) => Ok(Asker::of(&key)),
        None => Ok(Asker::anyone()),
    }
}
