//! The values of several segments, each once.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::sync::Arc;

use datafusion::arrow::array::{Array, RecordBatch, StringViewBuilder};
use datafusion::execution::memory_pool::MemoryReservation;

use super::ValuesTask;
use super::cursor::Cursor;
use super::segment_values::SegmentValues;
use crate::error::QueryError;
use crate::operator::OperatorContext;

/// Values of a batch.
const BATCH_ROWS: usize = 8_192;

/// The values in their order, until there are enough.
pub(super) fn merged(
    task: &ValuesTask,
    segments: &[SegmentValues],
    context: &OperatorContext,
    memory: &MemoryReservation,
) -> Result<Vec<RecordBatch>, QueryError> {
    let mut values = Merge::new(task, segments)?;
    let mut left = task.count.map_or(usize::MAX, |count| count.get());
    let mut batches = Vec::new();
    while left > 0 {
        context.check()?;
        let mut builder = StringViewBuilder::new();
        for _ in 0..left.min(BATCH_ROWS) {
            match values.next() {
                None => break,
                Some(None) => builder.append_null(),
                // Stored strings are UTF-8; bytes that pass their checksum and are not were never written by us.
                Some(Some(text)) => builder.append_value(String::from_utf8_lossy(text)),
            }
        }
        let texts = builder.finish();
        if texts.is_empty() {
            break;
        }
        left -= texts.len();
        let batch = RecordBatch::try_new(task.output.clone(), vec![Arc::new(texts)])?;
        memory.try_grow(batch.get_array_memory_size())?;
        batches.push(batch);
    }
    Ok(batches)
}

/// Goes through the values of all segments in their order.
struct Merge<'a> {
    cursors: Vec<Cursor<'a>>,
    heads: BinaryHeap<Head>,
    /// The last text that was given.
    last: Option<Vec<u8>>,
    /// Null is a value, and has not been given yet.
    has_null: bool,
    is_null_first: bool,
}

/// The text at hand of a segment; greater than another where it comes first.
struct Head {
    text: Vec<u8>,
    cursor: usize,
    is_descending: bool,
}

impl<'a> Merge<'a> {
    fn new(task: &ValuesTask, segments: &'a [SegmentValues]) -> Result<Self, QueryError> {
        let is_descending = task.order.is_descending;
        let cursors = segments.iter().map(|segment| Cursor::new(&segment.texts, &task.column, is_descending));
        let cursors = cursors.collect::<Result<Vec<_>, _>>()?;
        let head = |(cursor, texts): (usize, &Cursor<'_>)| {
            texts.text().map(|text| Head { text: text.to_vec(), cursor, is_descending })
        };
        let heads = cursors.iter().enumerate().filter_map(head).collect();
        let has_null = segments.iter().any(|segment| segment.has_null);
        Ok(Self { cursors, heads, last: None, has_null, is_null_first: task.order.is_nulls_first })
    }

    /// The next value, null or a text; `None` behind the last one.
    fn next(&mut self) -> Option<Option<&[u8]>> {
        if self.has_null && (self.is_null_first || self.heads.is_empty()) {
            self.has_null = false;
            return Some(None);
        }
        while let Some(mut head) = self.heads.peek_mut() {
            let is_new = self.last.as_ref() != Some(&head.text);
            let cursor = &mut self.cursors[head.cursor];
            cursor.advance();
            let next = cursor.text();
            if is_new {
                let last = self.last.get_or_insert_default();
                last.clear();
                last.extend_from_slice(&head.text);
            }
            match next {
                Some(text) => {
                    head.text.clear();
                    head.text.extend_from_slice(text);
                }
                None => drop(PeekMut::pop(head)),
            }
            if is_new {
                return Some(self.last.as_deref());
            }
        }
        // Behind the texts of the last segment, some of which others had too.
        std::mem::take(&mut self.has_null).then_some(None)
    }
}

impl Ord for Head {
    fn cmp(&self, other: &Self) -> Ordering {
        if self.is_descending { self.text.cmp(&other.text) } else { other.text.cmp(&self.text) }
    }
}

impl PartialOrd for Head {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Head {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Head {}
