//! How a scan's work is spread over its partitions.

use std::sync::Arc;

use henge_segment_store::timeline::SegmentView;
use tokio::sync::OnceCell;

use super::WaysTaken;
use super::selection::{RowFilter, Selection};
use crate::cpu_pool::QueryShare;
use crate::error::QueryError;

/// A part of a segment has at least this many rows: less is not worth a thread.
const PART_ROWS_MIN: u64 = if cfg!(test) { 1 << 10 } else { 1 << 16 };

/// A segment to read, whole or in parts.
#[derive(Debug)]
pub(super) struct ScannedSegment {
    pub view: SegmentView,
    parts: usize,
    /// Where there are several parts: the rows that pass, found by whoever reads the first of them.
    shared: OnceCell<Arc<Selection>>,
    ways: Arc<WaysTaken>,
}

/// What one thread reads at once.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub segment: Arc<ScannedSegment>,
    /// Which of the segment's parts.
    number: usize,
}

impl Part {
    /// Rows before filtering, roughly.
    pub fn rows(&self) -> u64 {
        self.segment.view.row_count() / self.segment.parts as u64
    }

    pub fn is_whole(&self) -> bool {
        self.segment.parts == 1
    }

    /// Whether it counts for its segment.
    pub fn is_first(&self) -> bool {
        self.number == 0
    }

    /// Does what [`select`](Self::select) may not do in a morsel: making a serving form, and waiting for another part.
    pub async fn prepare(
        &self,
        filter: &Arc<RowFilter>,
        projected: &Arc<[String]>,
        share: &QueryShare,
    ) -> Result<(), QueryError> {
        self.segment.make_serving().await?;
        if !self.is_whole() {
            let (part, filter, projected) = (self.clone(), filter.clone(), projected.clone());
            let select = move || Ok(Arc::new(part.segment.select(&filter, &projected)?));
            self.segment.shared.get_or_try_init(|| share.run(select)).await?;
        }
        Ok(())
    }

    /// The segment, open, with the rows of this part.
    pub fn select(&self, filter: &RowFilter, projected: &[String]) -> Result<Selection, QueryError> {
        match self.segment.shared.get() {
            None => self.segment.select(filter, projected),
            Some(whole) => {
                let rows = whole.part(self.number, self.segment.parts);
                Ok(Selection { reader: whole.reader.clone(), rows })
            }
        }
    }
}

impl ScannedSegment {
    /// Reading the Parquet file, perhaps from afar, and encoding it take long: other queries have the CPU pool meanwhile.
    async fn make_serving(&self) -> Result<(), QueryError> {
        if self.view.is_at_hand() {
            return Ok(());
        }
        let view = self.view.clone();
        let made = tokio::task::spawn_blocking(move || view.open(&[]).map(|_| ())).await;
        let made = made.map_err(|_| QueryError::internal("making a serving form panicked, see the log"))?;
        made.map_err(|error| QueryError::from(&error))
    }

    fn select(&self, filter: &RowFilter, projected: &[String]) -> Result<Selection, QueryError> {
        let projected: Vec<&str> = projected.iter().map(String::as_str).collect();
        Selection::new(&self.view, filter, &projected, &self.ways).map_err(|error| QueryError::from(&error))
    }
}

/// Gives each part, the largest first, to the partition with the fewest rows.
pub(super) fn spread(segments: Vec<SegmentView>, partitions: usize, ways: &Arc<WaysTaken>) -> Vec<Arc<[Part]>> {
    let rows: u64 = segments.iter().map(SegmentView::row_count).sum();
    let part_rows = rows.div_ceil(partitions.max(1) as u64).max(PART_ROWS_MIN);
    let mut parts: Vec<Part> =
        segments.into_iter().flat_map(|segment| parts_of(segment, part_rows, ways.clone())).collect();
    parts.sort_by_key(|part| std::cmp::Reverse(part.rows()));
    let count = partitions.min(parts.len()).max(1);
    let mut spread: Vec<(u64, Vec<Part>)> = vec![(0, Vec::new()); count];
    for part in parts {
        let (rows, least) = spread.iter_mut().min_by_key(|(rows, _)| *rows).expect("there is a partition");
        *rows += part.rows();
        least.push(part);
    }
    spread.into_iter().map(|(_, parts)| parts.into()).collect()
}

fn parts_of(view: SegmentView, part_rows: u64, ways: Arc<WaysTaken>) -> impl Iterator<Item = Part> {
    let parts = view.row_count().div_ceil(part_rows).max(1) as usize;
    let segment = Arc::new(ScannedSegment { view, parts, shared: OnceCell::new(), ways });
    (0..parts).map(move |number| Part { segment: segment.clone(), number })
}
