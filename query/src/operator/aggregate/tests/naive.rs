//! A group-by that is obviously right: one row after the other.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use henge_indexing::{NumberTest, Predicate, TextTest, text_of_double, text_of_flag, text_of_long};
use henge_segment_store::schema::DimensionType;
use henge_segment_store::sketch::{HashedValue, HllHash, Sketch, ThetaHasher};
use henge_segment_store::time::TimestampMs;

use super::super::{AggregateFunction, Aggregation, ColumnKind, GroupKey, InputColumn};
use crate::error::QueryError;
use crate::functions::{SketchCall, SketchResult};
use crate::scan::RowFilter;

/// A value as it was written, or as an answer has it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cell {
    Null,
    Flag(bool),
    Long(i64),
    Double(Bits),
    Text(String),
}

/// A double that compares by its bits, in the order of the values with NaN at the end.
#[derive(Debug, Clone, Copy)]
pub struct Bits(pub f64);

impl PartialEq for Bits {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Bits {}

impl PartialOrd for Bits {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Bits {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl Cell {
    pub fn double(double: f64) -> Self {
        Self::Double(Bits(if double.is_nan() { f64::NAN } else { double }))
    }
}

#[derive(Debug, Clone)]
pub struct Row {
    pub time: i64,
    pub values: BTreeMap<String, Cell>,
}

impl Row {
    /// The value in the kind that the schema has now.
    fn value(&self, column: &InputColumn) -> Cell {
        let stored = self.values.get(column.name.as_ref()).cloned().unwrap_or(Cell::Null);
        match (column.kind, stored) {
            (ColumnKind::Time, _) => Cell::Long(self.time),
            (ColumnKind::Value(DimensionType::Double), Cell::Long(long)) => Cell::double(long as f64),
            (ColumnKind::Value(DimensionType::String), Cell::Long(long)) => Cell::Text(text_of_long(long)),
            (ColumnKind::Value(DimensionType::String), Cell::Double(double)) => Cell::Text(text_of_double(double.0)),
            (ColumnKind::Value(DimensionType::String), Cell::Flag(flag)) => Cell::Text(text_of_flag(flag).to_owned()),
            (_, cell) => cell,
        }
    }

    fn key(&self, key: &GroupKey) -> Cell {
        match key {
            GroupKey::TimeBucket(granularity) => Cell::Long(granularity.floor(TimestampMs(self.time)).0),
            GroupKey::Column(column) => match self.value(column) {
                Cell::Double(double) => Cell::double(double.0 + 0.0),
                other => other,
            },
        }
    }

    fn passes(&self, filter: &RowFilter) -> bool {
        filter.interval.contains(TimestampMs(self.time))
            && filter.predicate.as_ref().is_none_or(|predicate| self.is_true(predicate) == Some(true))
    }

    /// `None` is unknown.
    fn is_true(&self, predicate: &Predicate) -> Option<bool> {
        match predicate {
            Predicate::IsNull(column) => Some(self.values.get(column.as_ref()).is_none_or(|cell| *cell == Cell::Null)),
            Predicate::Not(inner) => self.is_true(inner).map(|truth| !truth),
            Predicate::Long { column, test: NumberTest::In(wanted) } => match &self.values[column.as_ref()] {
                Cell::Long(long) => Some(wanted.contains(long)),
                _ => None,
            },
            Predicate::Text { column, test } => match &self.values[column.as_ref()] {
                Cell::Text(text) => Some(*test == TextTest::equal(text)),
                _ => None,
            },
            other => panic!("the tests have no {other:?}"),
        }
    }
}

/// The groups as rows of keys and aggregates, sorted.
pub fn answer(aggregation: &Aggregation, filter: &RowFilter, rows: &[Row]) -> Result<Vec<Vec<Cell>>, QueryError> {
    let mut groups: BTreeMap<Vec<Cell>, Vec<&Row>> = BTreeMap::new();
    if aggregation.keys.is_empty() {
        groups.insert(Vec::new(), Vec::new());
    }
    for row in rows.iter().filter(|row| row.passes(filter)) {
        groups.entry(aggregation.keys.iter().map(|key| row.key(key)).collect()).or_default().push(row);
    }
    let mut answer = Vec::new();
    for (mut cells, rows) in groups {
        for aggregate in &aggregation.aggregates {
            let rows = rows.iter().filter(|row| aggregate.filter.as_ref().is_none_or(|filter| row.passes(filter)));
            cells.push(of_rows(&aggregate.function, &rows.copied().collect::<Vec<_>>())?);
        }
        answer.push(cells);
    }
    answer.sort();
    Ok(answer)
}

fn of_rows(function: &AggregateFunction, rows: &[&Row]) -> Result<Cell, QueryError> {
    let Some(column) = function.input() else { return Ok(Cell::Long(rows.len() as i64)) };
    let timed = rows.iter().map(|row| (row.time, row.value(column)));
    let last = match function {
        // Null is taken only where there is nothing else.
        AggregateFunction::First(_) => {
            Some(timed.min_by_key(|(time, cell)| (*time, *cell == Cell::Null, cell.clone())))
        }
        AggregateFunction::Last(_) => Some(timed.max_by_key(|(time, cell)| (*time, *cell != Cell::Null, cell.clone()))),
        _ => None,
    };
    if let Some(row) = last {
        return Ok(row.map_or(Cell::Null, |(_, cell)| cell));
    }
    let values: Vec<Cell> = rows.iter().map(|row| row.value(column)).filter(|cell| *cell != Cell::Null).collect();
    let count = values.len();
    Ok(match function {
        AggregateFunction::CountRows => unreachable!("it has no column"),
        AggregateFunction::Count(_) => Cell::Long(count as i64),
        AggregateFunction::CountDistinct(_) => {
            let values = values.into_iter().map(|cell| match cell {
                Cell::Double(double) => Cell::double(double.0 + 0.0),
                other => other,
            });
            Cell::Long(values.collect::<BTreeSet<Cell>>().len() as i64)
        }
        AggregateFunction::Sketch(call, _) => sketched(*call, &values),
        _ if values.is_empty() => Cell::Null,
        AggregateFunction::First(_) | AggregateFunction::Last(_) => unreachable!("they are found by their times"),
        AggregateFunction::Min(_) => values.into_iter().min().expect("there are some"),
        AggregateFunction::Max(_) => values.into_iter().max().expect("there are some"),
        AggregateFunction::Sum(_) => match total(&values) {
            Total::Long(total) => Cell::Long(crate::functions::fit_long(total)?),
            Total::Double(total) => Cell::double(total),
        },
        AggregateFunction::Avg(_) => Cell::double(match total(&values) {
            Total::Long(total) => total as f64 / count as f64,
            Total::Double(total) => total / count as f64,
        }),
    })
}

fn sketched(call: SketchCall, values: &[Cell]) -> Cell {
    if let SketchResult::Quantile(rank) = call.result {
        let numbers = values.iter().filter_map(|cell| match cell {
            Cell::Long(long) => Some(*long as f64),
            Cell::Double(double) => Some(double.0 + 0.0).filter(|double| !double.is_nan()),
            other => panic!("{other:?} is no number"),
        });
        let mut numbers: Vec<f64> = numbers.collect();
        numbers.sort_by(f64::total_cmp);
        let place = (numbers.len() as f64 * rank.get()).ceil() as usize;
        return numbers.get(place.max(1) - 1).map_or(Cell::Null, |number| Cell::double(*number));
    }
    let mut sketch = Sketch::new(call.kind).unwrap();
    let mut hasher = ThetaHasher::default();
    for cell in values {
        let value = match cell {
            Cell::Text(text) => HashedValue::Text(text.as_bytes()),
            Cell::Long(long) => HashedValue::Long(*long),
            Cell::Flag(flag) => HashedValue::Long((*flag).into()),
            Cell::Double(double) => HashedValue::Double(double.0),
            Cell::Null => unreachable!("null values were left out"),
        };
        match &mut sketch {
            Sketch::Hll(hll) => hll.add(HllHash::of(value)),
            Sketch::Theta(theta) => theta.add(hasher.hash(value).unwrap()),
            Sketch::Quantiles(_) => unreachable!("quantiles have ranks"),
        }
    }
    Cell::Long(match sketch {
        Sketch::Hll(hll) => hll.estimate().round() as i64,
        Sketch::Theta(theta) => theta.estimate().round() as i64,
        Sketch::Quantiles(_) => unreachable!("quantiles have ranks"),
    })
}

enum Total {
    Long(i128),
    Double(f64),
}

fn total(values: &[Cell]) -> Total {
    let mut long = 0;
    let mut doubles = Vec::new();
    for value in values {
        match value {
            Cell::Long(value) => long += i128::from(*value),
            Cell::Double(value) => doubles.push(value.0),
            other => panic!("{other:?} cannot be added"),
        }
    }
    if doubles.is_empty() { Total::Long(long) } else { Total::Double(exact_sum(&doubles)) }
}

/// Shewchuk's sum, rounded once.
fn exact_sum(doubles: &[f64]) -> f64 {
    if doubles.iter().any(|double| !double.is_finite()) {
        return doubles.iter().sum();
    }
    // Partial sums that never overlap, the largest last; adding from the largest down rounds once.
    let mut partials: Vec<f64> = Vec::new();
    for double in doubles {
        let mut x = *double;
        let mut kept = Vec::new();
        for mut y in partials {
            if x.abs() < y.abs() {
                (x, y) = (y, x);
            }
            let high = x + y;
            let low = y - (high - x);
            if low != 0.0 {
                kept.push(low);
            }
            x = high;
        }
        kept.push(x);
        partials = kept;
    }
    let mut high = partials.pop().unwrap_or(0.0);
    while let Some(y) = partials.pop() {
        let x = high;
        high = x + y;
        let low = y - (high - x);
        if low != 0.0 {
            if let Some(below) = partials.last()
                && (low < 0.0) == (*below < 0.0)
            {
                let y = low * 2.0;
                let x = high + y;
                if y == x - high {
                    high = x;
                }
            }
            break;
        }
    }
    high + 0.0
}
