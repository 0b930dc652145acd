//! What a scan finds out about its rows by itself: times that choose segments, and tests that dictionaries, indexes and
//! zone maps answer.

mod merge;
mod operand;
mod predicate;
mod shown;
mod time_span;
mod truth;

use datafusion::arrow::datatypes::Schema;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown};
use henge_indexing::Predicate;

use crate::scan::RowFilter;

pub(crate) use self::merge::{all_of, any_of};
use self::predicate::Converter;
pub(crate) use self::shown::shown;
pub(crate) use self::time_span::TimeSpan;

/// The part of a filter that a scan takes over.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Pushdown {
    /// Every row for which the filter is true has its time in here.
    pub span: TimeSpan,
    /// True of every row for which the filter is true; `None` says nothing beyond the span.
    pub predicate: Option<Predicate>,
    /// The filter is true of every row that passes both.
    pub is_exact: bool,
}

impl Pushdown {
    /// `schema`: the datasource's columns.
    pub fn of(filter: &Expr, schema: &Schema) -> Self {
        let span = time_span::time_span(filter);
        if time_span::is_span(filter) {
            return Self { span, predicate: None, is_exact: true };
        }
        let converter = Converter { schema };
        match converter.exact(filter) {
            Some(predicate) => Self { span, predicate: Some(predicate), is_exact: true },
            None => Self { span, predicate: converter.implied(filter), is_exact: false },
        }
    }

    /// Of filters that must all be true.
    pub fn of_all<'a>(filters: impl IntoIterator<Item = &'a Expr>, schema: &Schema) -> Self {
        let mut all = Self { span: TimeSpan::ALL, predicate: None, is_exact: true };
        let mut predicates = Vec::new();
        for filter in filters {
            let pushed = Self::of(filter, schema);
            all.span = all.span.and(pushed.span);
            predicates.extend(pushed.predicate);
            all.is_exact &= pushed.is_exact;
        }
        all.predicate = (!predicates.is_empty()).then(|| merge::all_of(predicates));
        all
    }

    /// The rows that pass another test too.
    pub fn and(self, test: Option<Predicate>) -> Self {
        let predicates: Vec<Predicate> = test.into_iter().chain(self.predicate).collect();
        let predicate = (!predicates.is_empty()).then(|| merge::all_of(predicates));
        Self { predicate, ..self }
    }

    /// `None` where no row can pass.
    pub fn into_row_filter(self) -> Option<RowFilter> {
        self.span.interval().map(|interval| RowFilter { interval, predicate: self.predicate })
    }

    pub fn support(&self) -> TableProviderFilterPushDown {
        match self {
            Self { is_exact: true, .. } => TableProviderFilterPushDown::Exact,
            Self { span: TimeSpan::ALL, predicate: None, .. } => TableProviderFilterPushDown::Unsupported,
            _ => TableProviderFilterPushDown::Inexact,
        }
    }
}

#[cfg(test)]
mod tests;
