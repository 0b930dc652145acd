//! Statements as data, and as text in either dialect.

use super::aggregate::Aggregate;
use super::column::{Dialect, Kind, REQUESTS, Table};
use super::groups::{Groups, Sort, order_sql};
use super::key::Key;
use super::rows::Rows;
use crate::differential::data::Numbers;
use crate::differential::queries::Query;

#[derive(Debug, Clone, PartialEq)]
pub enum Statement {
    Groups(Groups),
    Rows(Rows),
    /// Groups of groups, by the number of an inner column.
    Nested {
        inner: Groups,
        by: usize,
        aggregates: Vec<(&'static str, usize)>,
    },
    /// Arms that differ in their filters, each with its number.
    Union(Vec<Groups>, Vec<Sort>),
    /// Groups, or events, joined with what is known of their first column.
    Join {
        left: Box<Statement>,
        on: usize,
        right: Groups,
        how: &'static str,
    },
}

impl Statement {
    pub fn random(numbers: &mut Numbers, table: &'static Table) -> Self {
        match numbers.below(20) {
            0..10 => Self::Groups(Groups::random(numbers, table)),
            10 if table.has_events => {
                let keys = numbers.below(4) as usize;
                let mut groups = Groups::plain(numbers, table, keys);
                groups.aggregates.push(Aggregate::overflowing(numbers, table));
                Self::Groups(groups)
            }
            11..14 if table.has_events => Self::Rows(Rows::random(numbers)),
            14 | 15 => Self::nested(numbers, table),
            16 | 17 => Self::union(numbers, table),
            18 | 19 if table.has_events => Self::join(numbers),
            _ => Self::Groups(Groups::random(numbers, table)),
        }
    }

    fn nested(numbers: &mut Numbers, table: &'static Table) -> Self {
        let keys = 1 + numbers.below(3) as usize;
        let inner = loop {
            let inner = Groups::with_keys(numbers, table, keys);
            if !inner.is_near() && !inner.aggregates.is_empty() {
                break inner;
            }
        };
        let kinds = inner.kinds();
        let aggregates = (0..1 + numbers.below(3)).map(|_| {
            let column = numbers.below(kinds.len() as u64) as usize;
            // Sums of what may be the extremes would overflow; sums of averages depend on the order of adding.
            let function = match kinds[column] {
                Kind::Boolean => numbers.of(&["COUNT", "BOOL_AND", "BOOL_OR"]),
                _ => numbers.of(&["COUNT", "MIN", "MAX", "COUNT(DISTINCT"]),
            };
            (function, column)
        });
        let aggregates = aggregates.collect();
        Self::Nested { by: numbers.below(keys.min(inner.keys.len()) as u64) as usize, inner, aggregates }
    }

    fn union(numbers: &mut Numbers, table: &'static Table) -> Self {
        let keys = numbers.below(3) as usize;
        let first = Groups { having: None, ..Groups::plain(numbers, table, keys) };
        let mut arms = vec![first.clone()];
        for _ in 0..1 + numbers.below(2) {
            arms.push(Groups { filter: Groups::plain(numbers, table, 0).filter, ..first.clone() });
        }
        let order = if numbers.below(2) == 0 {
            // The arm's number and the keys.
            (0..=first.keys.len()).map(|column| Sort::random(numbers, column)).collect()
        } else {
            Vec::new()
        };
        Self::Union(arms, order)
    }

    fn join(numbers: &mut Numbers) -> Self {
        let joins = |kind: Kind| matches!(kind, Kind::Text | Kind::Long | Kind::Boolean);
        let how = numbers.of(&["JOIN", "LEFT JOIN"]);
        let (left, on, column) = if numbers.below(3) == 0 {
            let rows = loop {
                let rows = Rows::random(numbers);
                if rows.columns.iter().skip(1).any(|column| joins(column.kind)) {
                    break rows;
                }
            };
            let on = 1 + rows.columns[1..].iter().position(|column| joins(column.kind)).expect("it has one");
            let column = rows.columns[on];
            (Self::Rows(rows), on, column)
        } else {
            let mut groups = Groups::with_keys(numbers, &REQUESTS, 1);
            let column = REQUESTS.column(numbers, |column| column.has_values && joins(column.kind));
            groups.keys = vec![Key::Column(column)];
            (Self::Groups(groups), 0, column)
        };
        let mut right = Groups::with_keys(numbers, &REQUESTS, 1);
        right.keys = vec![Key::Column(column)];
        if right.aggregates.is_empty() {
            right.aggregates.push(Aggregate::rows());
        }
        Self::Join { left: Box::new(left), on, right, how }
    }

    pub fn sql(&self, dialect: Dialect) -> String {
        match self {
            Self::Groups(groups) => groups.sql(dialect),
            Self::Rows(rows) => rows.sql(dialect),
            Self::Nested { inner, by, aggregates } => {
                let aggregates: Vec<String> = aggregates
                    .iter()
                    .map(|(function, column)| match *function {
                        "COUNT(DISTINCT" => format!("COUNT(DISTINCT c{column})"),
                        function => format!("{function}(c{column})"),
                    })
                    .collect();
                format!(
                    "SELECT c{by}, COUNT(*), {} FROM ({}) AS t GROUP BY c{by}",
                    aggregates.join(", "),
                    inner.sql(dialect)
                )
            }
            Self::Union(arms, order) => {
                let outputs = |arm: &Groups| arm.keys.len() + arm.aggregates.len();
                let arms: Vec<String> = arms
                    .iter()
                    .enumerate()
                    .map(|(number, arm)| {
                        let columns: Vec<String> =
                            (0..outputs(arm)).map(|at| format!("c{at} AS c{}", at + 1)).collect();
                        format!(
                            "SELECT {number} AS c0, {} FROM ({}) AS t{number}",
                            columns.join(", "),
                            arm.sql(dialect)
                        )
                    })
                    .collect();
                arms.join(" UNION ALL ") + &order_sql(order)
            }
            Self::Join { left, on, right, how } => {
                let (kept, added) = (left.outputs(), right.keys.len() + right.aggregates.len());
                let columns = (0..kept).map(|at| format!("l.c{at} AS c{at}"));
                let columns: Vec<String> =
                    columns.chain((1..added).map(|at| format!("r.c{at} AS c{}", kept + at - 1))).collect();
                format!(
                    "SELECT {} FROM ({}) AS l {how} ({}) AS r ON l.c{on} = r.c0",
                    columns.join(", "),
                    left.sql(dialect),
                    right.sql(dialect)
                )
            }
        }
    }

    fn outputs(&self) -> usize {
        match self {
            Self::Groups(groups) => groups.keys.len() + groups.aggregates.len(),
            Self::Rows(rows) => rows.columns.len(),
            Self::Nested { .. } | Self::Union(..) | Self::Join { .. } => unreachable!("they are not joined"),
        }
    }

    /// As the engine is asked, and as answers are compared.
    pub fn query(&self, place: &str) -> Query {
        Query {
            duckdb: Some(self.sql(Dialect::DuckDb)),
            has_tolerance: self.is_near(),
            is_ordered: match self {
                Self::Groups(groups) => !groups.order.is_empty(),
                Self::Rows(rows) => !rows.order.is_empty(),
                Self::Union(_, order) => !order.is_empty(),
                Self::Nested { .. } | Self::Join { .. } => false,
            },
            ..Query::new(place, self.sql(Dialect::Henge))
        }
    }

    fn is_near(&self) -> bool {
        match self {
            Self::Groups(groups) => groups.is_near(),
            Self::Rows(_) => false,
            Self::Nested { inner, .. } => inner.is_near(),
            Self::Union(arms, _) => arms[0].is_near(),
            Self::Join { left, right, .. } => left.is_near() || right.is_near(),
        }
    }

    /// Statements with one clause, column or part of a condition less.
    pub fn simpler(&self) -> Vec<Self> {
        match self {
            Self::Groups(groups) => groups.simpler().into_iter().map(Self::Groups).collect(),
            Self::Rows(rows) => rows.simpler().into_iter().map(Self::Rows).collect(),
            Self::Nested { inner, by, aggregates } => {
                let mut simpler = vec![Self::Groups(inner.clone())];
                let inners = inner.simpler().into_iter().filter(|simpler| simpler.kinds() == inner.kinds());
                simpler.extend(inners.map(|inner| Self::Nested { inner, by: *by, aggregates: aggregates.clone() }));
                if aggregates.len() > 1 {
                    simpler.extend(aggregates.iter().map(|aggregate| Self::Nested {
                        inner: inner.clone(),
                        by: *by,
                        aggregates: vec![*aggregate],
                    }));
                }
                simpler
            }
            Self::Union(arms, order) => {
                let mut simpler: Vec<Self> = arms.iter().cloned().map(Self::Groups).collect();
                if !order.is_empty() {
                    simpler.push(Self::Union(arms.clone(), Vec::new()));
                }
                if arms.len() > 2 {
                    simpler.push(Self::Union(arms[1..].to_vec(), order.clone()));
                }
                simpler
            }
            Self::Join { left, on, right, how } => {
                let mut simpler = vec![left.as_ref().clone(), Self::Groups(right.clone())];
                let is_alike = |other: &Self| other.outputs() == left.outputs();
                simpler.extend(left.simpler().into_iter().filter(is_alike).map(|left| Self::Join {
                    left: Box::new(left),
                    on: *on,
                    right: right.clone(),
                    how,
                }));
                let rights = right.simpler().into_iter().filter(|simpler| simpler.kinds() == right.kinds());
                simpler.extend(rights.map(|right| Self::Join { left: left.clone(), on: *on, right, how }));
                simpler
            }
        }
    }
}
