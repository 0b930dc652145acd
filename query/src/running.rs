//! The queries that are running now, to be cancelled by their ids.

use std::sync::{Arc, Mutex, MutexGuard};

use tokio_util::sync::CancellationToken;

#[derive(Debug, Default)]
pub(crate) struct RunningQueries {
    queries: Mutex<Vec<Entry>>,
}

#[derive(Debug)]
struct Entry {
    id: String,
    token: Arc<CancellationToken>,
}

/// On the list for as long as it lives.
#[derive(Debug)]
pub(crate) struct RunningQuery {
    all: Arc<RunningQueries>,
    token: Arc<CancellationToken>,
}

impl RunningQueries {
    pub fn start(self: &Arc<Self>, id: &str) -> RunningQuery {
        let token = Arc::new(CancellationToken::new());
        self.queries().push(Entry { id: id.to_owned(), token: token.clone() });
        RunningQuery { all: self.clone(), token }
    }

    /// Ends every query of that id; `false` where there is none.
    pub fn cancel(&self, id: &str) -> bool {
        let queries = self.queries();
        let mut found = false;
        for entry in queries.iter().filter(|entry| entry.id == id) {
            entry.token.cancel();
            found = true;
        }
        found
    }

    pub fn count(&self) -> usize {
        self.queries().len()
    }

    fn queries(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.queries.lock().expect("no code panics while it holds the list")
    }
}

impl RunningQuery {
    pub async fn cancelled(&self) {
        self.token.cancelled().await;
    }

    /// Says that the query is over, to those who work for it and do not listen.
    pub fn token(&self) -> &Arc<CancellationToken> {
        &self.token
    }
}

impl Drop for RunningQuery {
    fn drop(&mut self) {
        self.token.cancel();
        self.all.queries().retain(|entry| !Arc::ptr_eq(&entry.token, &self.token));
    }
}
