//! The values that one segment has.

use std::collections::HashSet;
use std::sync::Arc;

use datafusion::arrow::array::AsArray;
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use henge_indexing::{CodeSet, Column, DictionaryPrefix, RowSet, TextColumn};
use henge_segment_store::error::StoreError;
use henge_segment_store::segment_reader::SegmentReader;
use henge_segment_store::timeline::SegmentView;

use super::ValuesTask;
use crate::error::QueryError;
use crate::operator::OperatorMetrics;
use crate::scan::RowFilter;

/// Those that occur in rows that pass the filter, in the order that is asked for; no more than are.
#[derive(Debug)]
pub(super) struct SegmentValues {
    pub has_null: bool,
    pub texts: Texts,
}

#[derive(Debug)]
pub(super) enum Texts {
    /// Codes of a sorted dictionary.
    Coded(SegmentReader, Vec<u32>),
    Listed(Vec<Box<[u8]>>),
}

impl SegmentValues {
    /// Blocking.
    pub fn of(
        task: &ValuesTask,
        filter: &RowFilter,
        segment: &SegmentView,
        metrics: &OperatorMetrics,
    ) -> Result<Self, QueryError> {
        let store_error = |error: StoreError| QueryError::from(&error);
        let mut columns = filter.columns();
        columns.insert(&task.column);
        let reader = segment.open(&columns.into_iter().collect::<Vec<_>>()).map_err(store_error)?;
        let rows = || {
            let rows = filter.rows_of(segment, &reader, task.use_indexes, &metrics.ways).map_err(store_error)?;
            metrics.rows.add(rows.len());
            Ok::<_, QueryError>(rows)
        };
        let column = match reader.column(&task.column).map_err(store_error)? {
            Column::Text(column) => column,
            Column::Missing => return Ok(Self { has_null: !rows()?.is_empty(), texts: Texts::Listed(Vec::new()) }),
            _ => return Self::of_rows(task, &reader, &rows()?),
        };
        let codes = match codes_known(task, filter, segment, &column) {
            Some(codes) => codes,
            None => column.codes_in(&rows()?),
        };
        let has_null = codes.contains(0);
        let texts = match &column {
            TextColumn::Sorted { .. } => Texts::Coded(reader.clone(), first_codes(task, &codes)),
            TextColumn::Growing { dictionary, .. } => Texts::Listed(first_texts(task, dictionary, &codes)),
        };
        Ok(Self { has_null, texts })
    }

    /// Of a column that is stored as numbers or flags.
    fn of_rows(task: &ValuesTask, reader: &SegmentReader, rows: &RowSet) -> Result<Self, QueryError> {
        let schema = Arc::new(Schema::new(vec![Field::new(task.column.as_ref(), DataType::Utf8View, true)]));
        let (mut has_null, mut distinct) = (false, HashSet::new());
        for batch in reader.batches(schema, rows) {
            let batch = batch.map_err(|error| QueryError::from(&error))?;
            for text in batch.column(0).as_string_view() {
                match text {
                    None => has_null = true,
                    Some(text) if !distinct.contains(text) => drop(distinct.insert(text.to_owned())),
                    Some(_) => {}
                }
            }
        }
        let texts = distinct.into_iter().map(|text| text.into_bytes().into_boxed_slice()).collect();
        Ok(Self { has_null, texts: Texts::Listed(sorted(task, texts)) })
    }

    /// Memory taken, roughly.
    pub fn bytes(&self) -> usize {
        match &self.texts {
            Texts::Coded(_, codes) => codes.capacity() * size_of::<u32>(),
            Texts::Listed(texts) => texts.iter().map(|text| size_of_val(text) + text.len()).sum(),
        }
    }
}

/// What the dictionary tells without a look at the rows: all of them pass, or those with some values of this column do.
fn codes_known(
    task: &ValuesTask,
    filter: &RowFilter,
    segment: &SegmentView,
    column: &TextColumn<'_>,
) -> Option<CodeSet> {
    if !task.use_indexes || !filter.has_times_of(segment) {
        return None;
    }
    let distinct = column.distinct();
    let codes = match &filter.predicate {
        None => CodeSet::from_range(distinct, 0..distinct + 1),
        Some(predicate) => column.codes_where(predicate, &task.column)?,
    };
    // Every text of a dictionary is some row's; null is not among them.
    match codes.contains(0) && !column.has_nulls() {
        true => Some(codes.and(&CodeSet::values(distinct))),
        false => Some(codes),
    }
}

/// The first codes of values in the order that is asked for.
fn first_codes(task: &ValuesTask, codes: &CodeSet) -> Vec<u32> {
    let count = task.count.map_or(usize::MAX, |count| count.get());
    match task.order.is_descending {
        false => codes.iter().filter(|&code| code != 0).take(count).collect(),
        true => {
            let ranges: Vec<_> = codes.ranges().collect();
            ranges.into_iter().rev().flat_map(|range| range.rev()).filter(|&code| code != 0).take(count).collect()
        }
    }
}

fn first_texts(task: &ValuesTask, dictionary: &DictionaryPrefix, codes: &CodeSet) -> Vec<Box<[u8]>> {
    let mut texts: Vec<&[u8]> = codes.iter().filter(|&code| code != 0).map(|code| dictionary.value(code)).collect();
    if let Some(count) = task.count.filter(|count| count.get() < texts.len()) {
        texts.select_nth_unstable_by(count.get() - 1, |left, right| match task.order.is_descending {
            false => left.cmp(right),
            true => right.cmp(left),
        });
        texts.truncate(count.get());
    }
    sorted(task, texts.into_iter().map(Box::from).collect())
}

fn sorted(task: &ValuesTask, mut texts: Vec<Box<[u8]>>) -> Vec<Box<[u8]>> {
    texts.sort_unstable();
    if task.order.is_descending {
        texts.reverse();
    }
    texts.truncate(task.count.map_or(usize::MAX, |count| count.get()));
    texts
}
