//! What a query may read: one immutable view of a datasource's segments, whatever state they are in.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::error::StoreError;
use crate::open_segment::OpenRows;
use crate::schema::DataSourceSchema;
use crate::segment::{PublishedSegment, SegmentId};
use crate::segment_reader::SegmentReader;
use crate::time::TimestampMs;

/// The published and the frozen segments of a datasource; replaced as a whole. The open ones are taken with it, under
/// the lock that a cut holds while it moves rows from there to here (invariant Q2).
#[derive(Debug, Clone)]
pub(crate) struct Timeline {
    pub schema: Arc<DataSourceSchema>,
    pub published: BTreeMap<SegmentId, Arc<PublishedSegment>>,
    pub frozen: Vec<Arc<OpenRows>>,
}

impl Timeline {
    /// The timeline after segments were merged or dropped: one step, so that no row is seen twice or never.
    pub fn with_replaced(&self, added: &[Arc<PublishedSegment>], retired: &[SegmentId]) -> Self {
        let mut next = self.clone();
        next.published.retain(|id, _| !retired.contains(id));
        next.published.extend(added.iter().map(|segment| (segment.meta.id.clone(), segment.clone())));
        next
    }

    /// The timeline after a publish: the segments take the place of the frozen rows that they were made from.
    pub fn with_published(&self, added: Vec<Arc<PublishedSegment>>, frozen: &[Arc<OpenRows>]) -> Self {
        let mut next = self.clone();
        next.published.extend(added.into_iter().map(|segment| (segment.meta.id.clone(), segment)));
        next.frozen.retain(|rows| !frozen.iter().any(|published| Arc::ptr_eq(rows, published)));
        next
    }
}

/// A consistent view of one datasource: each event through exactly one segment.
#[derive(Debug, Clone)]
pub struct Snapshot {
    pub schema: Arc<DataSourceSchema>,
    pub segments: Vec<SegmentView>,
}

/// A segment, open or published: alike to everything above.
#[derive(Debug, Clone)]
pub enum SegmentView {
    Open(Arc<OpenRows>),
    Published(Arc<PublishedSegment>),
}

impl SegmentView {
    pub fn row_count(&self) -> u64 {
        match self {
            Self::Open(rows) => rows.row_count() as u64,
            Self::Published(segment) => segment.meta.rows,
        }
    }

    /// Of its Parquet file, or in memory while it is open.
    pub fn bytes(&self) -> u64 {
        match self {
            Self::Open(rows) => rows.bytes() as u64,
            Self::Published(segment) => segment.meta.bytes,
        }
    }

    /// The earliest and the latest event time, both inclusive.
    pub fn time_bounds(&self) -> (TimestampMs, TimestampMs) {
        match self {
            Self::Open(rows) => rows.time_bounds().expect("a snapshot leaves empty segments out"),
            Self::Published(segment) => (segment.meta.time_min, segment.meta.time_max),
        }
    }

    /// Not published yet.
    pub fn is_open(&self) -> bool {
        matches!(self, Self::Open(_))
    }

    /// Whether [`open`](Self::open) finds what it needs, as far as is known.
    pub fn is_at_hand(&self) -> bool {
        match self {
            Self::Open(_) => true,
            Self::Published(segment) => segment.has_serving(),
        }
    }

    /// Makes the segment ready to be read, with `columns` at hand. Blocking: a serving form that is missing or damaged is
    /// made again.
    pub fn open(&self, columns: &[&str]) -> Result<SegmentReader, StoreError> {
        match self {
            Self::Open(rows) => Ok(SegmentReader::Open(rows.clone())),
            Self::Published(segment) => {
                Ok(SegmentReader::Published(segment.meta.id.clone(), segment.serving(columns)?))
            }
        }
    }
}
