//! A datasource at run time: rows are appended on one side, consistent snapshots are taken on the other.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use arc_swap::ArcSwap;
use henge_indexing::CodeSetCache;

use crate::completeness::{Completeness, Look, Reach};
use crate::event::EventRow;
use crate::ledger::{Gap, LedgerCounts, RefusedSample};
use crate::manifest::{DataSourceState, Reset};
use crate::open_segment::{OpenRows, OpenSegment};
use crate::schema::{DataSourceName, DataSourceSchema};
use crate::segment::{PublishedSegment, SegmentFiles, SegmentId, SegmentMeta};
use crate::stream::{Checkpoint, StreamPartition};
use crate::time::{Interval, TimestampMs};
use crate::timeline::{SegmentView, Snapshot, Timeline};

/// A named table of events.
#[derive(Debug)]
pub struct DataSource {
    name: DataSourceName,
    was_restored: bool,
    /// Each held while rows are appended there, and all of them while a cut moves rows; never across I/O.
    live: [Mutex<Live>; LANES_MAX],
    /// What costly tests of strings found, shared by all segments of the process.
    code_sets: Arc<CodeSetCache>,
    timeline: ArcSwap<Timeline>,
    progress: ArcSwap<Progress>,
    reach: ArcSwap<Reach>,
    /// Another process reads these partitions now: nothing more is taken.
    is_fenced: AtomicBool,
}

/// What the manifest knows of a datasource's ingestion.
#[derive(Debug, Clone, Default)]
pub struct Progress {
    pub generation: u32,
    pub checkpoint: Checkpoint,
    pub ledger: BTreeMap<StreamPartition, LedgerCounts>,
    pub refused: RefusedSample,
    pub gaps: Vec<Gap>,
    pub resets: Vec<Reset>,
}

impl Progress {
    pub(crate) fn of(state: &DataSourceState) -> Self {
        Self {
            generation: state.generation,
            checkpoint: state.checkpoint.clone(),
            ledger: state.ledger.clone(),
            refused: state.refused.clone(),
            gaps: state.gaps.clone(),
            resets: state.resets.clone(),
        }
    }
}

/// Threads that may append to a datasource side by side; each has open segments and dictionaries of its own. Two need not
/// agree on anything but the moment of a cut: what one rolls up apart from another is rolled up when it is asked for.
pub const LANES_MAX: usize = 4;

/// What one lane appends to.
#[derive(Debug)]
struct Live {
    schema: Arc<DataSourceSchema>,
    open: BTreeMap<Interval, OpenSegment>,
}

/// How much is open and how much waits for its publish.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OpenStats {
    pub rows: usize,
    pub bytes: usize,
    pub time_chunks: usize,
    /// Each becomes a file: the time chunks of each lane.
    pub open_segments: usize,
    /// Rows that are cut but not published yet.
    pub frozen_rows: usize,
    /// Their memory.
    pub frozen_bytes: usize,
}

/// Rows of one cut: still queryable, no longer growing.
#[derive(Debug)]
pub struct Frozen {
    pub(crate) rows: Vec<Arc<OpenRows>>,
    /// The commits by which it was tried to publish them.
    pub(crate) attempts: Mutex<Vec<String>>,
}

impl Frozen {
    pub fn events(&self) -> u64 {
        self.rows.iter().map(|rows| rows.events()).sum()
    }

    pub fn row_count(&self) -> usize {
        self.rows.iter().map(|rows| rows.row_count()).sum()
    }
}

impl DataSource {
    pub(crate) fn new(
        name: DataSourceName,
        state: &DataSourceState,
        files: &Arc<SegmentFiles>,
        was_restored: bool,
    ) -> Self {
        let schema = Arc::new(state.schema.clone());
        let published = state.segments.values().map(|meta| {
            let segment = PublishedSegment::new(meta.clone(), files.clone());
            (meta.id.clone(), Arc::new(segment))
        });
        let timeline = Timeline { schema: schema.clone(), published: published.collect(), frozen: Vec::new() };
        Self {
            name,
            was_restored,
            live: std::array::from_fn(|_| Mutex::new(Live { schema: schema.clone(), open: BTreeMap::new() })),
            code_sets: files.cache.code_sets().clone(),
            timeline: ArcSwap::from_pointee(timeline),
            progress: ArcSwap::from_pointee(Progress::of(state)),
            reach: ArcSwap::default(),
            is_fenced: AtomicBool::new(false),
        }
    }

    pub fn name(&self) -> &DataSourceName {
        &self.name
    }

    /// Whether it was there when the store was opened: an earlier process may have shown rows that it did not publish.
    pub fn was_restored(&self) -> bool {
        self.was_restored
    }

    pub fn schema(&self) -> Arc<DataSourceSchema> {
        self.timeline.load().schema.clone()
    }

    /// Checkpoint, ledger and gaps as published.
    pub fn progress(&self) -> Arc<Progress> {
        self.progress.load_full()
    }

    /// Told by whoever reads, once the rows before the offsets that it names can be asked for.
    pub fn look(&self, look: Look) {
        self.reach.store(Arc::new(self.reach.load().after(look)));
    }

    /// What a snapshot that is taken afterwards is made of.
    pub fn completeness(&self) -> Completeness {
        let reach = self.reach.load_full();
        reach.completeness(&self.progress.load().gaps)
    }

    /// Every segment with rows in `interval`, each event through exactly one of open, frozen and published (Q2).
    pub fn snapshot(&self, interval: Interval) -> Snapshot {
        let mut live = self.live();
        let timeline = self.timeline.load_full();
        let open = live.iter_mut().flat_map(|live| live.open.iter_mut());
        let open = open.filter(|(chunk, _)| chunk.intersect(interval).is_some());
        let open: Vec<_> = open.map(|(_, segment)| segment.prefix()).collect();
        drop(live);
        let frozen = timeline.frozen.iter().cloned();
        let unpublished = frozen.chain(open).filter(|rows| rows.row_count() > 0).map(SegmentView::Open);
        let published = timeline.published.values().cloned().map(SegmentView::Published);
        let overlaps = |segment: &SegmentView| {
            let (earliest, latest) = segment.time_bounds();
            earliest < interval.end() && interval.start() <= latest
        };
        let segments = published.chain(unpublished).filter(overlaps).collect();
        Snapshot { schema: timeline.schema.clone(), segments }
    }

    /// What the manifest says of the published segments, by id.
    pub fn published(&self) -> Vec<SegmentMeta> {
        self.timeline.load().published.values().map(|segment| segment.meta.clone()).collect()
    }

    /// The published segments themselves, by id.
    pub fn published_segments(&self) -> Vec<Arc<PublishedSegment>> {
        self.timeline.load().published.values().cloned().collect()
    }

    /// The earliest and the latest event time of all that is queryable; `None` while there is nothing.
    pub fn time_bounds(&self) -> Option<(TimestampMs, TimestampMs)> {
        let snapshot = self.snapshot(Interval::ALL);
        let bounds = || snapshot.segments.iter().map(SegmentView::time_bounds);
        Some((bounds().map(|(earliest, _)| earliest).min()?, bounds().map(|(_, latest)| latest).max()?))
    }

    /// Appends events, in the first lane; a query that starts after this returns sees all of them.
    pub fn append(&self, events: &[EventRow]) {
        self.append_in_lane(0, events);
    }

    /// As [`append`](Self::append), beside other threads that append in other lanes, of which there are [`LANES_MAX`]. A
    /// [fenced](Self::is_fenced) datasource takes none.
    pub fn append_in_lane(&self, lane: usize, events: &[EventRow]) {
        let mut live = self.live[lane].lock().expect(NO_PANIC);
        // Looked at under the lock: what comes before the fence is forgotten with the rest.
        if self.is_fenced() {
            return;
        }
        let Live { schema, open } = &mut *live;
        let mut rest = events;
        while let Some(first) = rest.first() {
            let chunk = schema.segment_granularity.bucket(first.time);
            let count = rest.iter().take_while(|event| chunk.contains(event.time)).count();
            let (of_chunk, others) = rest.split_at(count.max(1));
            let opened = || OpenSegment::new(schema.clone(), chunk, &self.code_sets);
            open.entry(chunk).or_insert_with(opened).append(of_chunk);
            rest = others;
        }
    }

    pub fn open_stats(&self) -> OpenStats {
        let live = self.live();
        let timeline = self.timeline.load();
        let open = || live.iter().flat_map(|live| live.open.values());
        OpenStats {
            rows: open().map(OpenSegment::row_count).sum(),
            bytes: open().map(OpenSegment::bytes).sum(),
            time_chunks: live.iter().flat_map(|live| live.open.keys()).collect::<BTreeSet<_>>().len(),
            open_segments: open().count(),
            frozen_rows: timeline.frozen.iter().map(|rows| rows.row_count()).sum(),
            frozen_bytes: timeline.frozen.iter().map(|rows| rows.bytes()).sum(),
        }
    }

    /// Freezes every open segment of all lanes at this moment. The rows stay queryable; new ones open new segments.
    pub fn cut(&self) -> Frozen {
        let mut live = self.live();
        let open = live.iter_mut().flat_map(|live| std::mem::take(&mut live.open).into_values());
        let rows: Vec<_> = open.map(|mut segment| segment.prefix()).collect();
        self.timeline.rcu(|timeline| {
            let mut next = Timeline::clone(timeline);
            next.frozen.extend(rows.iter().cloned());
            next
        });
        Frozen { rows, attempts: Mutex::default() }
    }

    /// Forgets every row that is not published: they will be read again, or belong to a writer that was fenced off.
    pub fn discard_unpublished(&self) {
        let mut live = self.live();
        live.iter_mut().for_each(|live| live.open.clear());
        self.timeline.rcu(|timeline| Timeline { frozen: Vec::new(), ..Timeline::clone(timeline) });
    }

    /// Whether another process has taken over what is read here, so that whatever comes can never be published.
    pub fn is_fenced(&self) -> bool {
        self.is_fenced.load(Ordering::Acquire)
    }

    /// Forgets what is not published, and takes nothing more: another process reads it too, and publishes it.
    pub(crate) fn fence(&self) {
        self.is_fenced.store(true, Ordering::Release);
        self.discard_unpublished();
    }

    /// Forgets cut rows whose segments the manifest turned out to have.
    pub(crate) fn forget_frozen(&self) {
        self.timeline.rcu(|timeline| Timeline { frozen: Vec::new(), ..Timeline::clone(timeline) });
    }

    /// Later events have this schema. Nothing may be open: cut first.
    pub(crate) fn set_schema(&self, schema: DataSourceSchema) {
        let mut live = self.live();
        let schema = Arc::new(schema);
        for live in &mut live {
            assert!(live.open.is_empty(), "a schema changes between a cut and the next append");
            live.schema = schema.clone();
        }
        self.timeline.rcu(|timeline| Timeline { schema: schema.clone(), ..Timeline::clone(timeline) });
    }

    /// Makes a publish visible: the segments replace the rows that they were made from in one step.
    pub(crate) fn swap(&self, added: Vec<Arc<PublishedSegment>>, frozen: &Frozen) {
        self.timeline.rcu(|timeline| timeline.with_published(added.clone(), &frozen.rows));
    }

    /// Makes a merge or a retention visible in one step; returns the segments that left.
    pub(crate) fn replace(&self, added: &[Arc<PublishedSegment>], retired: &[SegmentId]) -> Vec<Arc<PublishedSegment>> {
        let before = self.timeline.rcu(|timeline| timeline.with_replaced(added, retired));
        retired.iter().filter_map(|id| before.published.get(id).cloned()).collect()
    }

    pub(crate) fn set_progress(&self, progress: Progress) {
        self.progress.store(Arc::new(progress));
    }

    /// All lanes, always in the same order, so that two threads that want them do not wait for each other.
    fn live(&self) -> [MutexGuard<'_, Live>; LANES_MAX] {
        self.live.each_ref().map(|live| live.lock().expect(NO_PANIC))
    }
}

const NO_PANIC: &str = "no code panics while it holds open segments";
