//! Evaluates a tree for all rows of a batch, one column after the other.

use std::borrow::Cow;
use std::cmp::Ordering;

use henge_segment_store::schema::DimensionType;
use henge_segment_store::time::{Granularity, TimestampMs};

use super::batch::Batch;
use super::column::{Cell, Column, Failure};
use super::node::{Comparison, Node};
use super::{arithmetic, cast, text_functions};

impl Node {
    /// One cell for each row of the batch.
    pub(super) fn evaluate<'b>(&self, batch: &'b Batch) -> Cow<'b, Column> {
        let rows = batch.rows;
        Cow::Owned(match self {
            Self::Input(index) => return Cow::Borrowed(&batch.inputs[*index]),
            Self::Null(kind) => Column::nulls(*kind, rows),
            Self::Boolean(flag) => Column::Booleans(vec![Ok(Some(*flag)); rows]),
            Self::Long(number) => Column::Longs(vec![Ok(Some(*number)); rows]),
            Self::Double(number) => Column::Doubles(vec![Ok(Some(*number)); rows]),
            Self::Text(text) => Column::text(text, rows),
            Self::Not(inner) => {
                let cells = inner.evaluate(batch);
                Column::Booleans(cells.booleans().iter().map(|cell| cell.map(|flag| flag.map(|flag| !flag))).collect())
            }
            Self::And(parts) => connect(parts, batch, false),
            Self::Or(parts) => connect(parts, batch, true),
            Self::IsNull(inner) => {
                let cells = inner.evaluate(batch);
                Column::Booleans((0..rows).map(|row| cells.is_null(row)).collect())
            }
            Self::Is(inner, wanted) => {
                let cells = inner.evaluate(batch);
                let is_wanted = |cell: &Cell<bool>| cell.map(|flag| Some(flag == Some(*wanted)));
                Column::Booleans(cells.booleans().iter().map(is_wanted).collect())
            }
            Self::Compare(comparison, left, right) => {
                compare(*comparison, &left.evaluate(batch), &right.evaluate(batch))
            }
            Self::Arithmetic(operation, kind, left, right) => {
                arithmetic::of(*operation, *kind, &left.evaluate(batch), &right.evaluate(batch))
            }
            Self::Negate(kind, inner) => arithmetic::negated(*kind, &inner.evaluate(batch)),
            Self::Absolute(kind, inner) => arithmetic::absolute(*kind, &inner.evaluate(batch)),
            Self::Case { kind, conditions, values } => case(*kind, conditions, values, batch),
            Self::Coalesce(kind, values) => coalesce(*kind, values, batch),
            Self::Cast { to, value } => cast::to(*to, &value.evaluate(batch)),
            Self::TimeFloor(time, granularity) => time_floor(&time.evaluate(batch), granularity),
            text_function => text_functions::evaluate(text_function, batch),
        })
    }

    /// Calls `note` with the number of each input that is read.
    pub(super) fn inputs(&self, note: &mut impl FnMut(usize)) {
        if let Self::Input(index) = self {
            note(*index);
        }
        self.parts().into_iter().for_each(|part| part.inputs(note));
    }

    fn parts(&self) -> Vec<&Self> {
        match self {
            Self::Input(_) | Self::Null(_) | Self::Boolean(_) | Self::Long(_) | Self::Double(_) | Self::Text(_) => {
                Vec::new()
            }
            Self::Not(one)
            | Self::IsNull(one)
            | Self::Is(one, _)
            | Self::Negate(_, one)
            | Self::Absolute(_, one)
            | Self::Cast { value: one, .. }
            | Self::Like(one, _)
            | Self::RegexLike(one, _)
            | Self::RegexExtract { text: one, .. }
            | Self::Lower(one)
            | Self::Upper(one)
            | Self::Length(one)
            | Self::TimeFloor(one, _) => vec![one],
            Self::Compare(_, left, right) | Self::Arithmetic(_, _, left, right) => vec![left, right],
            Self::And(parts) | Self::Or(parts) | Self::Coalesce(_, parts) | Self::Concat(parts) => {
                parts.iter().collect()
            }
            Self::Case { conditions, values, .. } => conditions.iter().chain(values).collect(),
            Self::Substring { text, start, length } => {
                [text, start].into_iter().chain(length).map(|part| &**part).collect()
            }
            Self::Trim { text, characters, .. } => vec![text, characters],
            Self::Replace { text, wanted, replacement } => vec![text, wanted, replacement],
        }
    }
}

/// `AND` and `OR`: `decisive` decides by itself, whatever else is null or fails; a failure comes before a null.
fn connect(parts: &[Node], batch: &Batch, decisive: bool) -> Column {
    let mut cells: Vec<Cell<bool>> = vec![Ok(Some(!decisive)); batch.rows];
    for part in parts {
        let values = part.evaluate(batch);
        for (cell, value) in cells.iter_mut().zip(values.booleans()) {
            *cell = match (*cell, *value) {
                (Ok(Some(flag)), _) | (_, Ok(Some(flag))) if flag == decisive => Ok(Some(decisive)),
                (Err(failure), _) | (_, Err(failure)) => Err(failure),
                (Ok(None), _) | (_, Ok(None)) => Ok(None),
                (Ok(Some(_)), Ok(Some(_))) => Ok(Some(!decisive)),
            };
        }
    }
    Column::Booleans(cells)
}

fn compare(comparison: Comparison, left: &Column, right: &Column) -> Column {
    let cells = match (left, right) {
        (Column::Booleans(left), Column::Booleans(right)) => cells(comparison, copied(left), copied(right), bool::cmp),
        (Column::Longs(left), Column::Longs(right)) => cells(comparison, copied(left), copied(right), i64::cmp),
        // No double is NaN or a negative zero, so this is the usual order.
        (Column::Doubles(left), Column::Doubles(right)) => {
            cells(comparison, copied(left), copied(right), f64::total_cmp)
        }
        (left, right) => cells(comparison, left.texts().iter(), right.texts().iter(), |left, right| left.cmp(right)),
    };
    Column::Booleans(cells)
}

fn copied<T: Copy>(cells: &[Cell<T>]) -> impl Iterator<Item = Cell<T>> {
    cells.iter().copied()
}

fn cells<T>(
    comparison: Comparison,
    left: impl Iterator<Item = Cell<T>>,
    right: impl Iterator<Item = Cell<T>>,
    order: impl Fn(&T, &T) -> Ordering,
) -> Vec<Cell<bool>> {
    let holds = |order: Ordering| match comparison {
        Comparison::Equal | Comparison::NotDistinct => order.is_eq(),
        Comparison::NotEqual => order.is_ne(),
        Comparison::Less => order.is_lt(),
        Comparison::LessOrEqual => order.is_le(),
        Comparison::Greater => order.is_gt(),
        Comparison::GreaterOrEqual => order.is_ge(),
    };
    let cell = |(left, right): (Cell<T>, Cell<T>)| {
        Ok(match (left?, right?) {
            (Some(left), Some(right)) => Some(holds(order(&left, &right))),
            (None, None) if comparison == Comparison::NotDistinct => Some(true),
            _ if comparison == Comparison::NotDistinct => Some(false),
            _ => None,
        })
    };
    left.zip(right).map(cell).collect()
}

fn case(kind: DimensionType, conditions: &[Node], values: &[Node], batch: &Batch) -> Column {
    let mut choices: Vec<Option<Result<usize, Failure>>> = vec![None; batch.rows];
    for (index, condition) in conditions.iter().enumerate() {
        let cells = condition.evaluate(batch);
        for (choice, cell) in choices.iter_mut().zip(cells.booleans()).filter(|(choice, _)| choice.is_none()) {
            *choice = match cell {
                Ok(Some(true)) => Some(Ok(index)),
                Ok(_) => None,
                Err(failure) => Some(Err(*failure)),
            };
        }
    }
    let choices: Vec<_> = choices.into_iter().map(|choice| choice.unwrap_or(Ok(conditions.len()))).collect();
    choose(kind, values, &choices, batch)
}

fn coalesce(kind: DimensionType, values: &[Node], batch: &Batch) -> Column {
    let columns: Vec<Cow<'_, Column>> = values.iter().map(|value| value.evaluate(batch)).collect();
    let choice = |row: usize| {
        // A failure is a value that is not null: it is chosen, and stays what it is.
        let first = columns.iter().position(|column| column.is_null(row) != Ok(Some(true)));
        Ok(first.unwrap_or(columns.len() - 1))
    };
    let choices: Vec<_> = (0..batch.rows).map(choice).collect();
    Column::choose(kind, &columns.iter().map(|column| &**column).collect::<Vec<_>>(), &choices)
}

fn choose(kind: DimensionType, values: &[Node], choices: &[Result<usize, Failure>], batch: &Batch) -> Column {
    let columns: Vec<Cow<'_, Column>> = values.iter().map(|value| value.evaluate(batch)).collect();
    Column::choose(kind, &columns.iter().map(|column| &**column).collect::<Vec<_>>(), choices)
}

fn time_floor(times: &Column, granularity: &Granularity) -> Column {
    let floor = |time: i64| {
        let time = TimestampMs(time);
        if time.is_storable() { Ok(granularity.floor(time).0) } else { Err(Failure::Overflow) }
    };
    Column::Longs(times.longs().iter().map(|cell| cell.and_then(|time| time.map(floor).transpose())).collect())
}
