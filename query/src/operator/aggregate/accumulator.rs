//! One aggregate of many groups, while it grows. Each family of functions has a file.

mod by_time;
mod choices;
mod counts;
mod distinct;
mod distinct_sketches;
mod double_sums;
pub(crate) mod exact_double;
mod extremes;
mod long_sums;
mod number_set;
mod quantile_sketches;
mod seen;
pub(super) mod stored;
mod values;

use std::cmp::Ordering;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Float64Array, Int64Array};
use henge_segment_store::schema::DimensionType;
use henge_segment_store::sketch::SketchKind;

use self::by_time::ByTime;
use self::choices::Choices;
use self::counts::Counts;
use self::distinct::Distinct;
pub(super) use self::distinct_sketches::CodeHashes;
use self::distinct_sketches::DistinctSketches;
use self::double_sums::DoubleSums;
use self::extremes::Extremes;
use self::long_sums::LongSums;
use self::quantile_sketches::QuantileSketches;
pub(super) use self::values::{Needs, Values};
use super::groups::Groups;
use super::names::Names;
use super::order_key::array_of_keys;
use super::{AggregateFunction, ColumnKind};
use crate::error::QueryError;
use crate::functions::fit_long;

/// An aggregate of groups that are numbered from 0 on.
#[derive(Debug)]
pub(super) enum Accumulator {
    Count(Counts),
    LongSum(LongSums),
    DoubleSum(DoubleSums),
    LongAverage(LongSums, Counts),
    DoubleAverage(DoubleSums, Counts),
    /// The kind of the values that the keys stand for.
    Extreme(Extremes, ColumnKind),
    ByTime(ByTime, ColumnKind),
    /// Whether the times of rows decide.
    Text(Choices, bool),
    Distinct(Distinct),
    /// The kind of the values.
    DistinctSketch(DistinctSketches, ColumnKind),
    /// The kind of the values.
    Quantiles(QuantileSketches, ColumnKind),
}

/// What the codes of a segment are called across segments.
#[derive(Debug)]
pub(super) enum Translation {
    /// For each code its number.
    Numbers(Vec<u32>),
    Hashes(CodeHashes),
}

/// Those rows of a group that are the first or the last by time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edge {
    First,
    Last,
}

impl Accumulator {
    pub fn new(function: &AggregateFunction) -> Result<Self, QueryError> {
        let kind = function.input().map(|input| input.kind);
        let is_long = matches!(kind, Some(ColumnKind::Value(DimensionType::Long)));
        let is_double = matches!(kind, Some(ColumnKind::Value(DimensionType::Double)));
        let is_text = matches!(kind, Some(ColumnKind::Value(DimensionType::String)));
        Ok(match function {
            AggregateFunction::CountRows | AggregateFunction::Count(_) => Self::Count(Counts::default()),
            AggregateFunction::Sum(_) if is_long => Self::LongSum(LongSums::default()),
            AggregateFunction::Sum(_) if is_double => Self::DoubleSum(DoubleSums::default()),
            AggregateFunction::Avg(_) if is_long => Self::LongAverage(LongSums::default(), Counts::default()),
            AggregateFunction::Avg(_) if is_double => Self::DoubleAverage(DoubleSums::default(), Counts::default()),
            AggregateFunction::Min(input) if !is_text => Self::Extreme(Extremes::least(), input.kind),
            AggregateFunction::Max(input) if !is_text => Self::Extreme(Extremes::greatest(), input.kind),
            AggregateFunction::First(input) if !is_text => Self::ByTime(ByTime::earliest(), input.kind),
            AggregateFunction::Last(input) if !is_text => Self::ByTime(ByTime::latest(), input.kind),
            AggregateFunction::Min(_) => Self::Text(Choices::first(), false),
            AggregateFunction::Max(_) => Self::Text(Choices::last(), false),
            AggregateFunction::First(_) => Self::Text(Choices::first(), true),
            AggregateFunction::Last(_) => Self::Text(Choices::last(), true),
            AggregateFunction::CountDistinct(_) => Self::Distinct(Distinct::default()),
            AggregateFunction::Sketch(call, input) => match call.kind {
                SketchKind::Quantiles { k } => Self::Quantiles(QuantileSketches::new(*call, k)?, input.kind),
                _ => Self::DistinctSketch(DistinctSketches::new(*call)?, input.kind),
            },
            other => return Err(QueryError::internal(format!("no accumulator for {other:?}"))),
        })
    }

    pub fn needs(&self) -> Needs {
        match self {
            Self::Count(_) => Needs::Rows,
            Self::LongSum(_) | Self::LongAverage(..) => Needs::Longs,
            Self::DoubleSum(_) | Self::DoubleAverage(..) => Needs::Doubles,
            Self::Extreme(_, ColumnKind::Value(DimensionType::Double)) => Needs::DoubleKeys,
            Self::Extreme(..) => Needs::OrderKeys,
            Self::ByTime(_, ColumnKind::Value(DimensionType::Double)) => Needs::TimedDoubleKeys,
            Self::ByTime(..) => Needs::TimedKeys,
            Self::Text(_, true) => Needs::TimedCodes,
            Self::Text(_, false) | Self::Distinct(_) => Needs::Codes,
            Self::DistinctSketch(_, ColumnKind::Sketches) | Self::Quantiles(_, ColumnKind::Sketches) => Needs::Sketches,
            Self::DistinctSketch(_, ColumnKind::Value(DimensionType::String)) => Needs::Codes,
            Self::DistinctSketch(_, ColumnKind::Value(DimensionType::Double)) | Self::Quantiles(..) => Needs::Doubles,
            Self::DistinctSketch(..) => Needs::Keys,
        }
    }

    /// The only rows of a group that count, where that is so.
    pub fn edge(&self) -> Option<Edge> {
        let is_last = match self {
            Self::ByTime(values, _) => values.is_last(),
            Self::Text(choices, true) => choices.is_last(),
            _ => return None,
        };
        Some(if is_last { Edge::Last } else { Edge::First })
    }

    /// Forgets all groups. `is_every_row`: from now on every row of every group counts.
    pub fn clear(&mut self, is_every_row: bool) {
        match self {
            Self::Count(counts) => counts.clear(),
            Self::LongSum(sums) => sums.clear(is_every_row),
            Self::DoubleSum(sums) => sums.clear(is_every_row),
            Self::LongAverage(sums, counts) => {
                sums.clear(true);
                counts.clear();
            }
            Self::DoubleAverage(sums, counts) => {
                sums.clear(true);
                counts.clear();
            }
            Self::Extreme(extremes, _) => extremes.clear(is_every_row),
            Self::ByTime(values, _) => values.clear(),
            Self::Text(choices, _) => choices.clear(),
            Self::Distinct(distinct) => distinct.clear(),
            Self::DistinctSketch(sketches, _) => sketches.clear(),
            Self::Quantiles(sketches, _) => sketches.clear(),
        }
    }

    /// Makes room for groups below `groups`.
    pub fn reach(&mut self, groups: usize) {
        match self {
            Self::Count(counts) => counts.reach(groups),
            Self::LongSum(sums) => sums.reach(groups),
            Self::DoubleSum(sums) => sums.reach(groups),
            Self::LongAverage(sums, counts) => {
                sums.reach(groups);
                counts.reach(groups);
            }
            Self::DoubleAverage(sums, counts) => {
                sums.reach(groups);
                counts.reach(groups);
            }
            Self::Extreme(extremes, _) => extremes.reach(groups),
            Self::ByTime(values, _) => values.reach(groups),
            Self::Text(choices, _) => choices.reach(groups),
            Self::Distinct(distinct) => distinct.reach(groups),
            Self::DistinctSketch(sketches, _) => sketches.reach(groups),
            Self::Quantiles(sketches, _) => sketches.reach(groups),
        }
    }

    /// Adds rows of groups that there is room for.
    ///
    /// # Errors
    /// A stored sketch is damaged, or a sketch counts more values than 64 bits can.
    pub fn add(&mut self, groups: Groups<'_>, values: Values<'_>) -> Result<(), QueryError> {
        match (self, values) {
            (Self::Count(counts), _) => counts.add(groups),
            (Self::LongSum(sums), Values::Longs { values, magnitude }) => sums.add(groups, values, magnitude),
            (Self::LongAverage(sums, counts), Values::Longs { values, magnitude }) => {
                sums.add(groups, values, magnitude);
                counts.add(groups);
            }
            (Self::DoubleSum(sums), Values::Doubles(values)) => sums.add(groups, values),
            (Self::DoubleAverage(sums, counts), Values::Doubles(values)) => {
                sums.add(groups, values);
                counts.add(groups);
            }
            (Self::Extreme(extremes, _), Values::OrderKeys(keys)) => extremes.add(groups, keys),
            (Self::ByTime(latest, _), Values::Timed { times, keys, nulls }) => latest.add(groups, times, keys, nulls),
            (Self::Text(choices, _), Values::Coded { codes, times, key }) => {
                choices.add(groups, codes, times, &|left, right| key.compare_texts(left, right));
            }
            (Self::Distinct(distinct), Values::Coded { codes, key, .. }) => distinct.add(groups, codes, key.code_end()),
            (Self::DistinctSketch(sketches, _), Values::Coded { codes, key, .. }) => {
                sketches.add_codes(groups, codes, key.code_end());
            }
            (Self::DistinctSketch(sketches, _), Values::OrderKeys(longs)) => sketches.add_longs(groups, longs),
            (Self::DistinctSketch(sketches, _), Values::Doubles(doubles)) => sketches.add_doubles(groups, doubles),
            (Self::Quantiles(sketches, _), Values::Doubles(values)) => sketches.add(groups, values),
            (Self::DistinctSketch(merged, _), Values::Sketches { sketches, block, rows }) => {
                groups.try_for_each_run(rows, |group, rows| merged.add_sketches(group, sketches, block, rows))?;
            }
            (Self::Quantiles(merged, _), Values::Sketches { sketches, block, rows }) => {
                groups.try_for_each_run(rows, |group, rows| merged.add_sketches(group, sketches, block, rows))?;
            }
            (accumulator, values) => unreachable!("{:?} was given {values:?}", accumulator.needs()),
        }
        Ok(())
    }

    /// Adds `rows` rows of one group of which the sum of the values, and the least and the greatest order key are known.
    pub fn add_known(&mut self, group: u32, rows: u32, sum: i128, least: i64, greatest: i64) {
        match self {
            Self::Count(counts) => counts.add(Groups::One { group, rows: rows as usize }),
            Self::LongSum(sums) => sums.add_total(group, sum),
            Self::LongAverage(sums, counts) => {
                sums.add_total(group, sum);
                counts.add(Groups::One { group, rows: rows as usize });
            }
            Self::Extreme(extremes, _) => {
                extremes.add(Groups::One { group, rows: 2 }, &[least, greatest]);
            }
            Self::DoubleSum(_)
            | Self::DoubleAverage(..)
            | Self::ByTime(..)
            | Self::Text(..)
            | Self::Distinct(_)
            | Self::DistinctSketch(..)
            | Self::Quantiles(..) => unreachable!("no zone knows this beforehand"),
        }
    }

    /// The codes that values are kept as, ascending; `None` where values are kept.
    pub fn codes(&self) -> Option<Vec<u32>> {
        match self {
            Self::Text(choices, _) => Some(choices.codes()),
            Self::Distinct(distinct) => Some(distinct.codes()),
            Self::DistinctSketch(sketches, ColumnKind::Value(DimensionType::String)) => Some(sketches.codes()),
            _ => None,
        }
    }

    /// Adds the group `from[i]` of another accumulator of the same kind to the group `to[i]`, for each `i`.
    ///
    /// Where codes are kept, `names` tells what their numbers stand for; `translation` is that of the other's codes, or `None`
    /// where it keeps none.
    ///
    /// # Errors
    /// A sketch counts more values than 64 bits can.
    pub fn merge(
        &mut self,
        other: &Self,
        from: &[u32],
        to: &[u32],
        names: Option<&Names>,
        translation: Option<&Translation>,
    ) -> Result<(), QueryError> {
        let numbers = match translation {
            Some(Translation::Numbers(numbers)) => Some(numbers.as_slice()),
            _ => None,
        };
        match (self, other) {
            (Self::Count(counts), Self::Count(other)) => counts.merge(other, from, to),
            (Self::LongSum(sums), Self::LongSum(other)) => sums.merge(other, from, to),
            (Self::DoubleSum(sums), Self::DoubleSum(other)) => sums.merge(other, from, to),
            (Self::LongAverage(sums, counts), Self::LongAverage(other_sums, other_counts)) => {
                sums.merge(other_sums, from, to);
                counts.merge(other_counts, from, to);
            }
            (Self::DoubleAverage(sums, counts), Self::DoubleAverage(other_sums, other_counts)) => {
                sums.merge(other_sums, from, to);
                counts.merge(other_counts, from, to);
            }
            (Self::Extreme(extremes, _), Self::Extreme(other, _)) => extremes.merge(other, from, to),
            (Self::ByTime(values, _), Self::ByTime(other, _)) => values.merge(other, from, to),
            (Self::Text(choices, _), Self::Text(other, _)) => {
                let compare = |left, right| names.map_or(Ordering::Equal, |names| names.compare_texts(left, right));
                choices.merge(other, from, to, numbers, &compare);
            }
            (Self::Distinct(distinct), Self::Distinct(other)) => distinct.merge(other, from, to, numbers),
            (Self::DistinctSketch(sketches, _), Self::DistinctSketch(other, _)) => {
                let hashes = match translation {
                    Some(Translation::Hashes(hashes)) => Some(hashes),
                    _ => None,
                };
                sketches.merge(other, from, to, hashes);
            }
            (Self::Quantiles(sketches, _), Self::Quantiles(other, _)) => sketches.merge(other, from, to)?,
            (accumulator, other) => unreachable!("{:?} met {:?}", accumulator.needs(), other.needs()),
        }
        Ok(())
    }

    /// The results of some groups, in that order.
    ///
    /// # Errors
    /// A total of longs leaves 64 bits.
    pub fn finish(&self, groups: &[u32], names: Option<&Names>) -> Result<ArrayRef, QueryError> {
        let groups = groups.iter().map(|group| *group as usize);
        Ok(match self {
            Self::Count(counts) => Arc::new(groups.map(|group| counts.get(group)).collect::<Int64Array>()),
            Self::LongSum(sums) => {
                let totals = groups.map(|group| sums.get(group).map(fit_long).transpose());
                Arc::new(totals.collect::<Result<Int64Array, QueryError>>()?)
            }
            Self::DoubleSum(sums) => Arc::new(groups.map(|group| sums.get(group)).collect::<Float64Array>()),
            Self::LongAverage(sums, counts) => {
                let average = |group| {
                    let count = counts.get(group);
                    (count > 0).then(|| sums.total(group) as f64 / count as f64)
                };
                Arc::new(groups.map(average).collect::<Float64Array>())
            }
            Self::DoubleAverage(sums, counts) => {
                let average = |group| {
                    let count = counts.get(group);
                    (count > 0).then(|| sums.total(group) / count as f64)
                };
                Arc::new(groups.map(average).collect::<Float64Array>())
            }
            Self::Extreme(extremes, kind) => array_of_keys(groups.map(|group| extremes.get(group)), *kind),
            Self::ByTime(values, kind) => array_of_keys(groups.map(|group| values.get(group)), *kind),
            Self::Text(choices, _) => {
                let numbers: Vec<u32> = groups.map(|group| choices.get(group)).collect();
                names.ok_or_else(|| QueryError::internal("strings without names"))?.array(&numbers)
            }
            Self::Distinct(distinct) => Arc::new(groups.map(|group| Some(distinct.get(group))).collect::<Int64Array>()),
            Self::DistinctSketch(sketches, _) => sketches.finish(groups)?,
            Self::Quantiles(sketches, _) => sketches.finish(groups),
        })
    }

    /// Memory taken.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Count(counts) => counts.bytes(),
            Self::LongSum(sums) => sums.bytes(),
            Self::DoubleSum(sums) => sums.bytes(),
            Self::LongAverage(sums, counts) => sums.bytes() + counts.bytes(),
            Self::DoubleAverage(sums, counts) => sums.bytes() + counts.bytes(),
            Self::Extreme(extremes, _) => extremes.bytes(),
            Self::ByTime(values, _) => values.bytes(),
            Self::Text(choices, _) => choices.bytes(),
            Self::Distinct(distinct) => distinct.bytes(),
            Self::DistinctSketch(sketches, _) => sketches.bytes(),
            Self::Quantiles(sketches, _) => sketches.bytes(),
        }
    }
}
