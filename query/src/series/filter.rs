//! Which rows belong to the series that are asked for.

use std::collections::HashMap;
use std::ops::Bound;
use std::sync::Arc;

use henge_indexing::{NumberTest, Predicate, TextTest};
use henge_segment_store::schema::{DimensionType, TIME_COLUMN};
use henge_segment_store::time::Interval;

use super::{LabelFilter, LabelTest, number_text};
use crate::error::QueryError;
use crate::pushdown::{all_of, any_of};
use crate::suggestion::did_you_mean;

/// The labels of a metric by field, each as a dimension.
#[derive(Debug)]
pub(super) struct Fields {
    pub metric: String,
    pub dimensions: HashMap<String, (Arc<str>, DimensionType)>,
}

impl Fields {
    /// The dimension that a field is.
    pub fn get(&self, field: &str) -> Result<&(Arc<str>, DimensionType), QueryError> {
        self.dimensions.get(field).ok_or_else(|| {
            let mut known: Vec<&str> = self.dimensions.keys().map(String::as_str).collect();
            known.sort_unstable();
            let suggestion = did_you_mean(field, known.iter().copied());
            let known = known.join(", ");
            QueryError::plan(format!("metric '{}' has no field '{field}'{suggestion}; it has {known}", self.metric))
        })
    }

    /// True of the rows that pass, and not of others.
    pub fn predicate(&self, filter: &LabelFilter) -> Result<Predicate, QueryError> {
        self.rows_of(filter, false)
    }

    /// `is_negated`: unknown is no answer, for its negation is no better.
    fn rows_of(&self, filter: &LabelFilter, is_negated: bool) -> Result<Predicate, QueryError> {
        let each = |filters: &[LabelFilter]| -> Result<Vec<Predicate>, QueryError> {
            filters.iter().map(|filter| self.rows_of(filter, is_negated)).collect()
        };
        Ok(match filter {
            LabelFilter::All(filters) => all_of(each(filters)?),
            LabelFilter::Any(filters) => any_of(each(filters)?),
            LabelFilter::Not(filter) => Predicate::Not(Box::new(self.rows_of(filter, true)?)),
            LabelFilter::Test { field, test, value } => {
                let (column, kind) = self.get(field)?;
                let passes = label_test(column, *kind, *test, value);
                match is_negated {
                    true => {
                        let is_there = Predicate::Not(Box::new(Predicate::IsNull(column.clone())));
                        Predicate::And(vec![is_there, passes])
                    }
                    false => passes,
                }
            }
        })
    }
}

/// True, or false, of values that are there.
fn label_test(column: &Arc<str>, kind: DimensionType, test: LabelTest, value: &str) -> Predicate {
    match kind {
        DimensionType::String => {
            let from = |lower| TextTest::Range { lower, upper: Bound::Unbounded };
            let test = match test {
                LabelTest::Equal => TextTest::equal(value),
                LabelTest::Greater => from(Bound::Excluded(value.as_bytes().into())),
                LabelTest::GreaterOrEqual => from(Bound::Included(value.as_bytes().into())),
            };
            Predicate::Text { column: column.clone(), test }
        }
        DimensionType::Long => {
            let tests = number_text::tests(test, value).into_iter();
            any_of(tests.map(|test| Predicate::Long { column: column.clone(), test }).collect())
        }
        DimensionType::Boolean => {
            let passes = |is: &bool| {
                let text = if *is { "true" } else { "false" };
                match test {
                    LabelTest::Equal => text == value,
                    LabelTest::Greater => text > value,
                    LabelTest::GreaterOrEqual => text >= value,
                }
            };
            let flags = [false, true].into_iter().filter(passes);
            any_of(flags.map(|is| Predicate::Flag { column: column.clone(), is }).collect())
        }
        DimensionType::Double => unreachable!("a definition has no labels that are doubles"),
    }
}

/// Rows within one of several intervals; `None` where that is all within the hull.
pub(super) fn times(intervals: &[Interval]) -> Option<Predicate> {
    let [_, _, ..] = intervals else { return None };
    let within = intervals.iter().map(|interval| {
        let (lower, upper) = (Bound::Included(interval.start().0), Bound::Excluded(interval.end().0));
        Predicate::Long { column: TIME_COLUMN.into(), test: NumberTest::Range { lower, upper } }
    });
    Some(any_of(within.collect()))
}
