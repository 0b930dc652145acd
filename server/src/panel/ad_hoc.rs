//! Filters that the user of a dashboard puts before all its panels.

use henge_query::pieces::{Piece, PieceKind};
use serde::Deserialize;

use super::answer::Notice;
use super::condition::{Operator, comparison};
use super::sight::{Column, Sight};
use super::variable::Scalar;
use crate::error::ApiError;

/// Grafana sends `value`, and `values` where an operator takes several.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct AdHocFilter {
    pub key: String,
    pub operator: String,
    pub value: Option<Scalar>,
    pub values: Vec<Scalar>,
}

impl AdHocFilter {
    fn values(&self) -> Vec<Scalar> {
        if self.values.is_empty() { self.value.iter().cloned().collect() } else { self.values.clone() }
    }
}

/// A condition that rows of a datasource pass where they pass all filters; `None` where there are none. Of a filter on
/// something that the datasource does not have a notice tells.
pub fn predicate(
    filters: &[AdHocFilter],
    data_source: &str,
    columns: &[Column],
    notices: &mut Vec<Notice>,
) -> Result<Option<String>, ApiError> {
    let mut conditions = Vec::new();
    for filter in filters.iter().filter(|filter| !filter.key.is_empty()) {
        match columns.iter().find(|column| column.name == filter.key) {
            Some(column) => {
                conditions.push(comparison(column, Operator::of_name(&filter.operator)?, &filter.values())?);
            }
            None => notices.push(Notice::warning(format!(
                "the filter on `{}` does not apply: `{data_source}` has no such column",
                filter.key
            ))),
        }
    }
    Ok(match conditions.as_slice() {
        [] => None,
        [condition] => Some(condition.clone()),
        conditions => Some(format!("({})", conditions.join(" AND "))),
    })
}

/// What is read of a statement to put filters into it.
pub struct Statement<'a> {
    pub sql: &'a str,
    pub pieces: &'a [Piece],
}

/// Where a condition can be put into a SELECT over one datasource.
pub struct Gap {
    pub data_source: String,
    /// The piece `WHERE`, if there is one.
    pub where_at: Option<usize>,
    /// The last piece of the condition behind it, or of what comes before.
    pub end: usize,
}

impl Statement<'_> {
    fn source(&self, at: usize) -> &str {
        &self.sql[self.pieces[at].bytes.clone()]
    }

    /// In capitals; `None` of names in quotes.
    fn keyword(&self, at: usize) -> Option<String> {
        match &self.pieces.get(at)?.kind {
            PieceKind::Word { text, is_quoted: false } => Some(text.to_ascii_uppercase()),
            _ => None,
        }
    }

    fn after_blanks(&self, mut at: usize) -> usize {
        while self.pieces.get(at).is_some_and(|piece| piece.kind == PieceKind::Blank) {
            at += 1;
        }
        at
    }

    /// The name that begins here, of the schema `druid` or of none, and where it ends.
    fn table_at(&self, at: usize) -> Option<(String, usize)> {
        let mut parts = Vec::new();
        let mut at = self.after_blanks(at);
        loop {
            let PieceKind::Word { text, .. } = &self.pieces.get(at)?.kind else { return None };
            parts.push(text.clone());
            at += 1;
            if at >= self.pieces.len() || self.source(at) != "." {
                break;
            }
            at += 1;
        }
        match parts.as_slice() {
            [name] => Some((name.clone(), at)),
            [schema, name] if schema == "druid" => Some((name.clone(), at)),
            _ => None,
        }
    }

    /// The datasource that the SELECT around a piece reads first.
    pub fn data_source_around(&self, at: usize, sight: Sight<'_>) -> Option<String> {
        let mut depth = 0;
        for place in (0..at).rev() {
            match self.source(place) {
                ")" => depth += 1,
                "(" => depth = (depth - 1).max(0),
                _ if depth == 0 && self.keyword(place).as_deref() == Some("FROM") => {
                    let (name, _) = self.table_at(place + 1)?;
                    return sight.find(&name).map(|_| name);
                }
                _ => {}
            }
        }
        None
    }

    /// `None` unless the statement is one SELECT over one datasource.
    pub fn gap(&self, sight: Sight<'_>) -> Option<Gap> {
        let first = self.after_blanks(0);
        let selects = (0..self.pieces.len()).filter(|at| self.keyword(*at).as_deref() == Some("SELECT"));
        if self.keyword(first).as_deref() != Some("SELECT") || selects.count() != 1 {
            return None;
        }
        let (mut depth, mut from, mut where_at, mut clause) = (0, None, None, self.pieces.len());
        for at in first..self.pieces.len() {
            let source = self.source(at);
            match source {
                "(" => depth += 1,
                ")" => depth -= 1,
                ";" if depth == 0 => clause = clause.min(at),
                _ if depth != 0 => continue,
                _ => {}
            }
            match self.keyword(at).as_deref() {
                Some("FROM") if depth == 0 && self.before(at).as_deref() != Some("DISTINCT") => match from {
                    None => from = Some(at),
                    Some(_) => return None,
                },
                Some("WHERE") if depth == 0 => where_at = where_at.or(Some(at)),
                Some("GROUP" | "HAVING" | "ORDER" | "LIMIT" | "OFFSET" | "FETCH" | "WINDOW" | "QUALIFY")
                    if depth == 0 && from.is_some() =>
                {
                    clause = clause.min(at);
                }
                Some("JOIN" | "UNION" | "EXCEPT" | "INTERSECT" | "MINUS") => return None,
                _ => {}
            }
        }
        let (data_source, table_end) = self.table_at(from? + 1)?;
        let next = self.after_blanks(table_end);
        let is_alone = next >= clause || !matches!(self.source(next), "," | "(");
        let is_list = (table_end..where_at.unwrap_or(clause)).any(|at| self.source(at) == ",");
        sight.find(&data_source).filter(|_| is_alone && !is_list)?;
        let end = (0..clause).rev().find(|at| self.pieces[*at].kind != PieceKind::Blank)?;
        Some(Gap { data_source, where_at: where_at.filter(|at| *at < clause), end })
    }

    fn before(&self, at: usize) -> Option<String> {
        let before = (0..at).rev().find(|place| self.pieces[*place].kind != PieceKind::Blank)?;
        self.keyword(before)
    }
}
