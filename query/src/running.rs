//! The queries that are running now, to be cancelled by their ids.

use std::sync::{Arc, Mutex, MutexGuard};

use crate::cpu_pool::QueryShare;

#[derive(Debug, Default)]
pub(crate) struct RunningQueries {
    queries: Mutex<Vec<Entry>>,
}

#[derive(Debug)]
struct Entry {
    id: String,
    share: Arc<QueryShare>,
}

/// On the list for as long as it lives.
#[derive(Debug)]
pub(crate) struct RunningQuery {
    all: Arc<RunningQueries>,
    share: Arc<QueryShare>,
}

impl RunningQueries {
    pub fn start(self: &Arc<Self>, id: &str, share: Arc<QueryShare>) -> RunningQuery {
        self.queries().push(Entry { id: id.to_owned(), share: share.clone() });
        RunningQuery { all: self.clone(), share }
    }

    /// Ends every query of that id; `false` where there is none.
    pub fn cancel(&self, id: &str) -> bool {
        let queries = self.queries();
        let found: Vec<_> = queries.iter().filter(|entry| entry.id == id).map(|entry| entry.share.clone()).collect();
        drop(queries);
        found.iter().for_each(|share| share.cancel());
        !found.is_empty()
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
        self.share.token().cancelled().await;
    }

    /// Its place at the CPU pool.
    pub fn share(&self) -> &Arc<QueryShare> {
        &self.share
    }
}

impl Drop for RunningQuery {
    fn drop(&mut self) {
        self.share.cancel();
        self.all.queries().retain(|entry| !Arc::ptr_eq(&entry.share, &self.share));
    }
}
