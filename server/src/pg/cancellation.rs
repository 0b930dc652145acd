//! Ends queries of other connections, as clients ask it: by the secret of the session.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use henge_query::reader::Reader;
use uuid::Uuid;

use super::message::Secret;

/// The sessions that there are.
#[derive(Debug, Clone, Default)]
pub struct Sessions(Arc<Mutex<HashMap<Secret, Running>>>);

/// The query of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Running {
    pub query_id: String,
    pub reader: Reader,
}

/// A session among the others, for as long as it lives.
#[derive(Debug)]
pub struct SessionPlace {
    pub secret: Secret,
    sessions: Sessions,
}

impl Sessions {
    pub fn enter(&self) -> SessionPlace {
        let (high, low) = Uuid::new_v4().as_u64_pair();
        // Some clients take the number of a process for one above zero.
        let secret = Secret { process: (high as i32) & i32::MAX, key: low as i32 };
        SessionPlace { secret, sessions: self.clone() }
    }

    /// The query that a session runs now; `None` where the secret is of none.
    pub fn running(&self, secret: Secret) -> Option<Running> {
        self.locked().get(&secret).cloned()
    }

    /// What is there is right whoever panicked beside it.
    fn locked(&self) -> MutexGuard<'_, HashMap<Secret, Running>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SessionPlace {
    pub fn runs(&self, running: Running) {
        self.sessions.locked().insert(self.secret, running);
    }
}

impl Drop for SessionPlace {
    fn drop(&mut self) {
        self.sessions.locked().remove(&self.secret);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_found_by_the_secret_of_its_session_while_that_lives() {
        let sessions = Sessions::default();
        let (one, other) = (sessions.enter(), sessions.enter());
        let running = Running { query_id: "q".into(), reader: Reader::Everything };
        one.runs(running.clone());
        assert_eq!(sessions.running(one.secret), Some(running));
        assert_eq!(sessions.running(other.secret), None);
        let secret = one.secret;
        drop(one);
        assert_eq!(sessions.running(secret), None);
    }
}
