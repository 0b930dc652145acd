//! What is computed of a segment, in a form that can be compared: equal keys, equal groups.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Bound;
use std::sync::Arc;

use henge_indexing::{Comparison, NumberTest, Predicate, TextTest, ValueKind};
use henge_segment_store::segment::PublishedSegment;
use henge_segment_store::time::{Granularity, TimestampMs};
use henge_segment_store::timeline::SegmentView;

use super::{AggregateFunction, Aggregation, GroupKey, InputColumn};
use crate::scan::RowFilter;

/// What is computed of one published segment.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct ResultKey {
    /// The segment's address. Whoever keeps the key keeps it from standing for another segment.
    segment: usize,
    /// What the interval of each filter leaves of the segment; empty where each leaves all of it.
    cuts: Box<[Cut]>,
    plan: Arc<PlanKey>,
}

/// The times of a segment that an interval leaves, as an interval; `None` is all of them. A segment that lies within the
/// interval is the same to all such intervals, wherever they end.
type Cut = Option<(i64, i64)>;

/// What is computed, whatever the segment.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct PlanKey {
    hash: u64,
    pieces: Vec<Piece>,
}

/// Keys, aggregates and predicates written down one after the other; each piece says how many belong to it.
#[derive(Debug, PartialEq, Eq, Hash)]
enum Piece {
    KeyColumn(InputColumn),
    KeyBucket(Bucket),
    Function(AggregateFunction),
    Filtered(bool),
    Const(Option<bool>),
    And(usize),
    Or(usize),
    Not,
    IsNull(Arc<str>),
    Text(Arc<str>, TextTest),
    Long(Arc<str>, NumberTest<i64>),
    /// By their bits: a test of 0.0 is none of -0.0.
    Double(Arc<str>, NumberTest<u64>),
    Flag(Arc<str>, bool),
    Columns(Arc<str>, Comparison, Arc<str>, ValueKind),
}

#[derive(Debug, PartialEq, Eq)]
struct Bucket(Granularity);

impl ResultKey {
    /// `plan` is that of the aggregation and the filter.
    pub fn new(
        plan: &Arc<PlanKey>,
        aggregation: &Aggregation,
        filter: &RowFilter,
        segment: &Arc<PublishedSegment>,
    ) -> Self {
        let view = SegmentView::Published(segment.clone());
        let filters = aggregation.aggregates.iter().filter_map(|aggregate| aggregate.filter.as_ref());
        let cuts: Vec<Cut> = std::iter::once(filter).chain(filters).map(|filter| cut(filter, &view)).collect();
        let cuts = if cuts.iter().all(Option::is_none) { Box::default() } else { cuts.into() };
        Self { segment: Arc::as_ptr(segment).addr(), cuts, plan: plan.clone() }
    }

    /// Memory taken, as if no other key had the same plan.
    pub fn bytes(&self) -> usize {
        size_of_val(&*self.cuts) + self.plan.bytes()
    }
}

fn cut(filter: &RowFilter, segment: &SegmentView) -> Cut {
    if filter.has_times_of(segment) {
        return None;
    }
    let (earliest, latest) = segment.time_bounds();
    let start = filter.interval.start().max(earliest);
    let end = filter.interval.end().min(TimestampMs(latest.0.saturating_add(1)));
    Some(if start < end { (start.0, end.0) } else { (0, 0) })
}

impl PlanKey {
    pub fn new(aggregation: &Aggregation, filter: &RowFilter) -> Self {
        let mut pieces = Vec::new();
        for key in &aggregation.keys {
            pieces.push(match key {
                GroupKey::Column(column) => Piece::KeyColumn(column.clone()),
                GroupKey::TimeBucket(granularity) => Piece::KeyBucket(Bucket(granularity.clone())),
            });
        }
        for aggregate in &aggregation.aggregates {
            pieces.push(Piece::Function(aggregate.function.clone()));
            pieces.push(Piece::Filtered(aggregate.filter.is_some()));
            if let Some(filter) = &aggregate.filter {
                write_filter(filter, &mut pieces);
            }
        }
        write_filter(filter, &mut pieces);
        let mut hasher = DefaultHasher::new();
        pieces.hash(&mut hasher);
        Self { hash: hasher.finish(), pieces }
    }

    fn bytes(&self) -> usize {
        self.pieces.capacity() * size_of::<Piece>() + self.pieces.iter().map(Piece::bytes).sum::<usize>()
    }
}

/// Of all pieces, so that they are read once a query and not once a segment.
impl Hash for PlanKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.hash.hash(state);
    }
}

impl Hash for Bucket {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.to_string().hash(state);
    }
}

impl Piece {
    /// Beside itself.
    fn bytes(&self) -> usize {
        match self {
            Self::Text(_, test) => test.bytes(),
            Self::Long(_, NumberTest::In(items)) => items.capacity() * size_of::<i64>(),
            Self::Double(_, NumberTest::In(items)) => items.capacity() * size_of::<u64>(),
            _ => 0,
        }
    }
}

/// Without its interval, which is told apart segment by segment.
fn write_filter(filter: &RowFilter, out: &mut Vec<Piece>) {
    out.push(Piece::Filtered(filter.predicate.is_some()));
    if let Some(predicate) = &filter.predicate {
        write_predicate(predicate, out);
    }
}

fn write_predicate(predicate: &Predicate, out: &mut Vec<Piece>) {
    out.push(match predicate {
        Predicate::Const(value) => Piece::Const(*value),
        Predicate::And(parts) => Piece::And(parts.len()),
        Predicate::Or(parts) => Piece::Or(parts.len()),
        Predicate::Not(_) => Piece::Not,
        Predicate::IsNull(column) => Piece::IsNull(column.clone()),
        Predicate::Text { column, test } => Piece::Text(column.clone(), test.clone()),
        Predicate::Long { column, test } => Piece::Long(column.clone(), test.clone()),
        Predicate::Double { column, test } => Piece::Double(column.clone(), bits_of(test)),
        Predicate::Flag { column, is } => Piece::Flag(column.clone(), *is),
        Predicate::Columns { left, op, right, kind } => Piece::Columns(left.clone(), *op, right.clone(), *kind),
    });
    match predicate {
        Predicate::And(parts) | Predicate::Or(parts) => parts.iter().for_each(|part| write_predicate(part, out)),
        Predicate::Not(inner) => write_predicate(inner, out),
        _ => {}
    }
}

fn bits_of(test: &NumberTest<f64>) -> NumberTest<u64> {
    let bits = |bound: &Bound<f64>| bound.map(f64::to_bits);
    match test {
        NumberTest::In(items) => NumberTest::In(items.iter().map(|item| item.to_bits()).collect()),
        NumberTest::Range { lower, upper } => NumberTest::Range { lower: bits(lower), upper: bits(upper) },
    }
}
