//! The queries that are running now: to be watched, and to be cancelled by their ids.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use henge_segment_store::clock;
use henge_segment_store::time::TimestampMs;

use crate::cpu_pool::QueryShare;
use crate::reader::Reader;
use crate::segment_reads::SegmentReads;
use crate::wanted::Wanted;

/// Of a statement's text, as much as is shown to those who watch.
const TEXT_BYTES_SHOWN: usize = 4 << 10;

#[derive(Debug, Default)]
pub(crate) struct RunningQueries {
    queries: Mutex<Vec<Arc<Entry>>>,
}

#[derive(Debug)]
struct Entry {
    id: String,
    reader: Reader,
    /// Its beginning; of a question about a metric what it asks, in words.
    sql: String,
    started_at: TimestampMs,
    start: Instant,
    share: Arc<QueryShare>,
    reads: Arc<SegmentReads>,
}

/// On the list for as long as it lives.
#[derive(Debug)]
pub(crate) struct RunningQuery {
    all: Arc<RunningQueries>,
    entry: Arc<Entry>,
}

/// How far a query has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryProgress {
    pub query_id: String,
    /// The first 4 KiB.
    pub sql: String,
    /// When it was asked.
    pub started_at: TimestampMs,
    pub elapsed: Duration,
    /// Segments that it has begun to read, from kept results aside.
    pub segments: u64,
    /// Rows that it has to look at, as far as is known: it may grow.
    pub rows_total: u64,
    /// Rows that it has looked at, or has found no need to.
    pub rows_done: u64,
}

impl RunningQueries {
    pub fn start(self: &Arc<Self>, wanted: &Wanted, share: Arc<QueryShare>, reads: SegmentReads) -> RunningQuery {
        let text = wanted.shown();
        let shown = text.floor_char_boundary(TEXT_BYTES_SHOWN);
        let entry = Arc::new(Entry {
            id: wanted.query_id().to_owned(),
            reader: wanted.reader().clone(),
            sql: text[..shown].to_owned(),
            started_at: clock::now(),
            start: Instant::now(),
            share,
            reads: Arc::new(reads),
        });
        self.queries().push(entry.clone());
        RunningQuery { all: self.clone(), entry }
    }

    /// Ends every query of that id that the reader may know of; `false` where there is none.
    pub fn cancel(&self, id: &str, reader: &Reader) -> bool {
        let queries = self.queries();
        let is_meant =
            |entry: &&Arc<Entry>| entry.id == id && (*reader == Reader::Everything || entry.reader == *reader);
        let found: Vec<_> = queries.iter().filter(is_meant).cloned().collect();
        drop(queries);
        found.iter().for_each(|entry| entry.share.cancel());
        !found.is_empty()
    }

    pub fn count(&self) -> usize {
        self.queries().len()
    }

    /// Those that were asked first come first.
    pub fn progress(&self) -> Vec<QueryProgress> {
        self.queries().iter().map(|entry| entry.progress()).collect()
    }

    fn queries(&self) -> MutexGuard<'_, Vec<Arc<Entry>>> {
        self.queries.lock().expect("no code panics while it holds the list")
    }
}

impl Entry {
    fn progress(&self) -> QueryProgress {
        let (segments, rows_total, rows_done) = self.reads.counts();
        QueryProgress {
            query_id: self.id.clone(),
            sql: self.sql.clone(),
            started_at: self.started_at,
            elapsed: self.start.elapsed(),
            segments,
            rows_total,
            rows_done,
        }
    }
}

impl RunningQuery {
    pub async fn cancelled(&self) {
        self.entry.share.token().cancelled().await;
    }

    /// Whom its answer is for.
    pub fn reader(&self) -> &Reader {
        &self.entry.reader
    }

    /// Its place at the CPU pool.
    pub fn share(&self) -> &Arc<QueryShare> {
        &self.entry.share
    }

    /// What it reads of segments.
    pub fn reads(&self) -> &Arc<SegmentReads> {
        &self.entry.reads
    }
}

impl Drop for RunningQuery {
    fn drop(&mut self) {
        self.entry.share.cancel();
        self.all.queries().retain(|entry| !Arc::ptr_eq(entry, &self.entry));
    }
}
