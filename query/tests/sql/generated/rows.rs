//! `SELECT columns FROM requests WHERE .. ORDER BY .. LIMIT ..`: events themselves.

use super::column::{Column, Dialect, REQUESTS};
use super::groups::{Limit, Sort, limit_sql, order_sql, parts};
use super::predicate::Predicate;
use crate::differential::data::Numbers;

/// Its columns are `c0`, which is `seq` and makes every order total, `c1` and on.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows {
    pub columns: Vec<&'static Column>,
    pub filter: Option<Predicate>,
    pub order: Vec<Sort>,
    pub limit: Option<Limit>,
}

impl Rows {
    pub fn random(numbers: &mut Numbers) -> Self {
        let mut columns = vec![REQUESTS.column(numbers, |column| column.name == "seq")];
        for _ in 0..1 + numbers.below(5) {
            let column = REQUESTS.column(numbers, |_| true);
            if !columns.contains(&column) {
                columns.push(column);
            }
        }
        let filter = match numbers.below(6) {
            0 => None,
            depth => Some(Predicate::random(numbers, &REQUESTS, depth as u32 % 4)),
        };
        let mut rows = Self { columns, filter, order: Vec::new(), limit: None };
        if numbers.below(8) > 0 {
            rows.order_by_anything(numbers);
        }
        rows
    }

    pub fn order_by_anything(&mut self, numbers: &mut Numbers) {
        self.order.clear();
        for _ in 0..numbers.below(3) {
            let column = numbers.below(self.columns.len() as u64) as usize;
            // Zeros of either sign are in an order, or not: difference 2 of the list.
            let has_order = self.columns[column].name != "signed";
            if has_order && self.order.iter().all(|sort| sort.column != column) {
                self.order.push(Sort::random(numbers, column));
            }
        }
        if self.order.iter().all(|sort| sort.column != 0) {
            self.order.push(Sort::random(numbers, 0));
        }
        if numbers.below(6) > 0 {
            self.limit = Some(Limit::random(numbers));
        }
    }

    pub fn sql(&self, dialect: Dialect) -> String {
        let outputs: Vec<String> =
            self.columns.iter().enumerate().map(|(at, column)| format!("{} AS c{at}", column.name)).collect();
        let filter = self.filter.as_ref().map(|filter| format!(" WHERE {}", filter.sql(dialect)));
        format!("SELECT {} FROM {}", outputs.join(", "), REQUESTS.name)
            + &filter.unwrap_or_default()
            + &order_sql(&self.order)
            + &limit_sql(self.limit)
    }

    pub fn simpler(&self) -> Vec<Self> {
        let mut simpler = Vec::new();
        if self.limit.is_some() {
            simpler.push(Self { limit: None, ..self.clone() });
        }
        if !self.order.is_empty() {
            simpler.push(Self { order: Vec::new(), limit: None, ..self.clone() });
        }
        if self.order.is_empty() && self.columns.len() > 1 {
            simpler.extend((0..self.columns.len()).map(|at| {
                let mut rows = self.clone();
                rows.columns.remove(at);
                rows
            }));
        }
        if let Some(filter) = &self.filter {
            simpler.push(Self { filter: None, ..self.clone() });
            simpler.extend(parts(filter).into_iter().map(|filter| Self { filter: Some(filter), ..self.clone() }));
        }
        simpler
    }
}
