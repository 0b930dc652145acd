//! `SELECT keys, aggregates FROM table WHERE .. GROUP BY .. HAVING .. ORDER BY .. LIMIT ..`.

use super::aggregate::Aggregate;
use super::column::{Dialect, Kind, Literal, Table};
use super::key::Key;
use super::predicate::Predicate;
use crate::differential::data::Numbers;

/// Its columns are `c0`, `c1` and on: the keys, then the aggregates.
#[derive(Debug, Clone, PartialEq)]
pub struct Groups {
    pub table: &'static Table,
    pub keys: Vec<Key>,
    pub aggregates: Vec<Aggregate>,
    pub filter: Option<Predicate>,
    pub having: Option<Having>,
    pub order: Vec<Sort>,
    pub limit: Option<Limit>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Having {
    aggregate: Aggregate,
    operator: &'static str,
    literal: Literal,
}

/// An output column by its number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sort {
    pub column: usize,
    /// `DESC`, `NULLS LAST` and the like, or nothing.
    pub direction: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limit {
    pub rows: u64,
    pub offset: u64,
}

const DIRECTIONS: [&str; 8] = ["", "", "ASC", "DESC", "DESC", "DESC", "NULLS LAST", "DESC NULLS FIRST"];
const SMALL: [Literal; 5] =
    [Literal::Long(0), Literal::Long(1), Literal::Long(4), Literal::Long(30), Literal::Long(500_000)];
const DOUBLES: [Literal; 3] = [Literal::Double(-1.0), Literal::Double(0.0), Literal::Double(1000.0)];
const TEXTS: [Literal; 3] = [Literal::Text("b"), Literal::Text("host-150"), Literal::Text("")];
const FLAGS: [Literal; 2] = [Literal::Boolean(true), Literal::Boolean(false)];
const TIMES: [Literal; 2] = [Literal::Time(1_774_699_200_000), Literal::Time(1_774_785_600_000)];

impl Groups {
    pub fn random(numbers: &mut Numbers, table: &'static Table) -> Self {
        let keys = numbers.of(&[0, 1, 1, 1, 2, 2, 2, 3, 4]);
        Self::with_keys(numbers, table, keys)
    }

    pub fn with_keys(numbers: &mut Numbers, table: &'static Table, keys: usize) -> Self {
        let mut groups = Self::plain(numbers, table, keys);
        if !groups.keys.is_empty() && numbers.below(5) == 0 {
            groups.having = Some(Having::random(numbers, table));
        }
        if !groups.keys.is_empty() && numbers.below(2) == 0 {
            groups.order_by_anything(numbers);
        }
        groups
    }

    /// Without HAVING, ORDER BY and LIMIT.
    pub fn plain(numbers: &mut Numbers, table: &'static Table, keys: usize) -> Self {
        let mut distinct: Vec<Key> = Vec::new();
        while distinct.len() < keys {
            let key = Key::random(numbers, table);
            if !distinct.contains(&key) {
                distinct.push(key);
            }
        }
        // No aggregates: the same as SELECT DISTINCT.
        let aggregates = if keys > 0 && numbers.below(12) == 0 { 0 } else { 1 + numbers.below(4) };
        let aggregates: Vec<Aggregate> = (0..aggregates).map(|_| Aggregate::random(numbers, table)).collect();
        let filter = match numbers.below(10) {
            0..3 => None,
            3 if table.has_events => Some(Self::with_frequent(numbers, table)),
            depth => Some(Predicate::random(numbers, table, depth as u32 % 3)),
        };
        let mut groups =
            Self { table, keys: distinct, aggregates, filter, having: None, order: Vec::new(), limit: None };
        // Rows are matched by their keys, of which doubles that are only near cannot be told.
        if groups.is_near() {
            groups.keys.retain(|key| key.kind() != Kind::Double);
        }
        groups
    }

    fn with_frequent(numbers: &mut Numbers, table: &'static Table) -> Predicate {
        let column =
            table.column(numbers, |column| column.has_values && matches!(column.kind, Kind::Text | Kind::Long));
        let inner = Box::new(Predicate::random(numbers, table, 1));
        let frequent = Predicate::Frequent(column, numbers.of(&["", "NOT "]), inner, numbers.of(&[0, 2, 100]));
        Predicate::And(vec![Predicate::random(numbers, table, 1), frequent])
    }

    /// A total order: the keys decide what the rest leaves open.
    pub fn order_by_anything(&mut self, numbers: &mut Numbers) {
        let columns = self.keys.len() + self.aggregates.len();
        for _ in 0..numbers.below(3) {
            let column = numbers.below(columns as u64) as usize;
            let is_near = column >= self.keys.len() && self.aggregates[column - self.keys.len()].is_near();
            if !is_near && self.order.iter().all(|sort| sort.column != column) {
                self.order.push(Sort { column, direction: numbers.of(&DIRECTIONS) });
            }
        }
        for column in 0..self.keys.len() {
            if self.order.iter().all(|sort| sort.column != column) {
                self.order.push(Sort { column, direction: numbers.of(&DIRECTIONS) });
            }
        }
        if numbers.below(4) > 0 {
            self.limit = Some(Limit::random(numbers));
        }
    }

    pub fn is_near(&self) -> bool {
        self.aggregates.iter().any(Aggregate::is_near)
    }

    /// What is known of each output column.
    pub fn kinds(&self) -> Vec<Kind> {
        self.keys.iter().map(Key::kind).chain(self.aggregates.iter().map(Aggregate::kind)).collect()
    }

    pub fn sql(&self, dialect: Dialect) -> String {
        self.sql_of_rows(dialect, self.filter.as_ref().map(|filter| filter.sql(dialect)).as_deref())
    }

    /// Here, with another filter.
    pub fn sql_where(&self, filter: &str) -> String {
        self.sql_of_rows(Dialect::Henge, Some(filter))
    }

    fn sql_of_rows(&self, dialect: Dialect, filter: Option<&str>) -> String {
        let keys = self.keys.iter().map(|key| key.sql(dialect));
        let outputs = keys.chain(self.aggregates.iter().map(|aggregate| aggregate.sql(dialect)));
        let outputs: Vec<String> = outputs.enumerate().map(|(at, sql)| format!("{sql} AS c{at}")).collect();
        let mut sql = format!("SELECT {} FROM {}", outputs.join(", "), self.table.name);
        if let Some(filter) = filter {
            sql += &format!(" WHERE {filter}");
        }
        if !self.keys.is_empty() {
            let places: Vec<String> = (1..=self.keys.len()).map(|place| place.to_string()).collect();
            sql += &format!(" GROUP BY {}", places.join(", "));
        }
        if let Some(Having { aggregate, operator, literal }) = &self.having {
            sql += &format!(" HAVING {} {operator} {}", aggregate.sql(dialect), literal.sql(dialect));
        }
        sql + &order_sql(&self.order) + &limit_sql(self.limit)
    }

    pub fn simpler(&self) -> Vec<Self> {
        let mut simpler = Vec::new();
        if self.limit.is_some() {
            simpler.push(Self { limit: None, ..self.clone() });
        }
        if !self.order.is_empty() {
            simpler.push(Self { order: Vec::new(), limit: None, ..self.clone() });
        }
        if self.having.is_some() {
            simpler.push(Self { having: None, ..self.clone() });
        }
        if let Some(filter) = &self.filter {
            simpler.push(Self { filter: None, ..self.clone() });
            simpler.extend(parts(filter).into_iter().map(|filter| Self { filter: Some(filter), ..self.clone() }));
        }
        // Places of columns change, so orders go first.
        if self.order.is_empty() {
            for at in 0..self.keys.len() {
                let mut groups = self.clone();
                groups.keys.remove(at);
                if groups.keys.len() + groups.aggregates.len() > 0
                    && (groups.having.is_none() || !groups.keys.is_empty())
                {
                    simpler.push(groups);
                }
            }
            for at in 0..self.aggregates.len() {
                if self.keys.len() + self.aggregates.len() > 1 {
                    let mut groups = self.clone();
                    groups.aggregates.remove(at);
                    simpler.push(groups);
                }
            }
        }
        for (at, aggregate) in self.aggregates.iter().enumerate() {
            simpler.extend(aggregate.simpler().into_iter().map(|aggregate| {
                let mut groups = self.clone();
                groups.aggregates[at] = aggregate;
                groups
            }));
        }
        simpler
    }
}

/// Each operand of a condition by itself, and the condition with one part less.
pub fn parts(filter: &Predicate) -> Vec<Predicate> {
    let mut simpler = match filter {
        Predicate::And(inner) | Predicate::Or(inner) => inner.clone(),
        _ => Vec::new(),
    };
    simpler.extend(filter.simpler());
    simpler
}

impl Having {
    fn random(numbers: &mut Numbers, table: &'static Table) -> Self {
        let aggregate = loop {
            let aggregate = Aggregate::random(numbers, table);
            if !aggregate.is_near() {
                break aggregate;
            }
        };
        let literal = match aggregate.kind() {
            Kind::Text => numbers.of(&TEXTS),
            Kind::Long => numbers.of(&SMALL),
            Kind::Double => numbers.of(&DOUBLES),
            Kind::Boolean => numbers.of(&FLAGS),
            Kind::Time => numbers.of(&TIMES),
        };
        Self { aggregate, operator: numbers.of(&["=", "<>", "<", "<=", ">", ">", ">=", ">="]), literal }
    }
}

impl Limit {
    pub fn random(numbers: &mut Numbers) -> Self {
        Self { rows: numbers.of(&[0, 1, 3, 10, 10, 10, 50, 50, 400]), offset: numbers.of(&[0, 0, 0, 0, 2, 30]) }
    }
}

impl Sort {
    pub fn random(numbers: &mut Numbers, column: usize) -> Self {
        Self { column, direction: numbers.of(&DIRECTIONS) }
    }
}

pub fn order_sql(order: &[Sort]) -> String {
    if order.is_empty() {
        return String::new();
    }
    let sorts: Vec<String> =
        order.iter().map(|sort| format!("c{} {}", sort.column, sort.direction).trim_end().to_owned()).collect();
    format!(" ORDER BY {}", sorts.join(", "))
}

pub fn limit_sql(limit: Option<Limit>) -> String {
    match limit {
        Some(Limit { rows, offset: 0 }) => format!(" LIMIT {rows}"),
        Some(Limit { rows, offset }) => format!(" LIMIT {rows} OFFSET {offset}"),
        None => String::new(),
    }
}
