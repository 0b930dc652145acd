//! Statements that are written for those who do not write any: what all of them have in common.

use henge_segment_store::schema::TIME_COLUMN;
use serde::Deserialize;

use super::ad_hoc;
use super::answer::Notice;
use super::condition::{Operator, comparison};
use super::expansion::Context;
use super::sight::{self, Column};
use super::sql_text;
use super::variable::Scalar;
use crate::error::ApiError;

/// What stands in the place of times, variables and filters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Their values, for the engine.
    Values,
    /// Macros and names, for a person who goes on from there.
    Template,
}

/// A condition on a column.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Where {
    pub column: String,
    pub operator: String,
    /// `$name` or `${name}` by itself is a variable.
    pub values: Vec<Scalar>,
}

/// A statement over one datasource, while it is written.
pub struct Draft<'a> {
    pub context: Context<'a>,
    pub data_source: &'a str,
    pub columns: Vec<Column>,
    pub style: Style,
    pub notices: Vec<Notice>,
}

impl<'a> Draft<'a> {
    pub fn of(data_source: &'a str, context: Context<'a>, style: Style) -> Result<Self, ApiError> {
        let columns = context.sight.columns(data_source)?;
        Ok(Self { context, data_source, columns, style, notices: Vec::new() })
    }

    pub fn column(&self, name: &str) -> Result<&Column, ApiError> {
        sight::column(&self.columns, name, self.data_source)
    }

    /// The name of a column that is there, in quotes.
    pub fn name(&self, name: &str) -> Result<String, ApiError> {
        self.column(name).map(|column| sql_text::name(&column.name))
    }

    /// ` FROM "datasource" WHERE ..`: the range, the conditions, those in `more`, and the filters of the dashboard.
    pub fn source(&mut self, conditions: &[Where], mut more: Vec<String>) -> Result<String, ApiError> {
        more.insert(0, self.within_range());
        self.whole_source(conditions, more)
    }

    /// The same of all time.
    pub fn whole_source(&mut self, conditions: &[Where], more: Vec<String>) -> Result<String, ApiError> {
        let mut all = more;
        for condition in conditions.iter().filter(|condition| !condition.column.is_empty()) {
            all.extend(self.condition(condition)?);
        }
        all.extend(self.filters()?);
        let condition = if all.is_empty() { String::new() } else { format!(" WHERE {}", all.join(" AND ")) };
        Ok(format!(" FROM {}{condition}", sql_text::name(self.data_source)))
    }

    fn within_range(&self) -> String {
        let time = sql_text::name(TIME_COLUMN);
        let range = self.context.window.range;
        match self.style {
            Style::Template => format!("$__timeFilter({time})"),
            Style::Values => {
                let (from, to) = (sql_text::time(range.start()), sql_text::time(range.end()));
                format!("{time} >= {from} AND {time} < {to}")
            }
        }
    }

    fn filters(&mut self) -> Result<Option<String>, ApiError> {
        match self.style {
            Style::Template => Ok(Some("$__adhocFilters".to_owned())),
            Style::Values => {
                ad_hoc::predicate(&self.context.around.filters, self.data_source, &self.columns, &mut self.notices)
            }
        }
    }

    /// `None` where it holds of every row, for a variable stands for all values.
    fn condition(&self, condition: &Where) -> Result<Option<String>, ApiError> {
        let column = self.column(&condition.column)?;
        let operator = Operator::of_name(&condition.operator)?;
        let mut values = Vec::new();
        for value in &condition.values {
            let Some(name) = variable_name(value) else {
                values.push(value.clone());
                continue;
            };
            let variable = self.context.around.variables.get(name).ok_or_else(|| {
                ApiError::invalid(format!(
                    "`${name}` in the filter of `{}` is no variable of the dashboard",
                    column.name
                ))
            })?;
            if self.style == Style::Template && condition.values.len() == 1 {
                return Ok(template_condition(column, operator, name));
            }
            if variable.is_all {
                return Ok(None);
            }
            values.extend(variable.values.iter().cloned());
        }
        let written = comparison(column, operator, &values)?;
        Ok(Some(match self.style {
            Style::Values => written,
            Style::Template => without_dollars(&written),
        }))
    }
}

fn variable_name(value: &Scalar) -> Option<&str> {
    let Scalar::Text(text) = value else { return None };
    let name = text.strip_prefix('$')?;
    let name = name.strip_prefix('{').and_then(|name| name.strip_suffix('}')).unwrap_or(name);
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    is_name.then_some(name)
}

fn template_condition(column: &Column, operator: Operator, variable: &str) -> Option<String> {
    let name = sql_text::name(&column.name);
    let condition = match operator {
        Operator::Equal => format!("{name} IN (${variable})"),
        Operator::NotEqual => format!("{name} NOT IN (${variable})"),
        Operator::Less => format!("{name} < ${variable}"),
        Operator::LessOrEqual => format!("{name} <= ${variable}"),
        Operator::Greater => format!("{name} > ${variable}"),
        Operator::GreaterOrEqual => format!("{name} >= ${variable}"),
        Operator::Matches => format!("REGEXP_LIKE({name}, ${variable})"),
        Operator::NotMatches => format!("NOT REGEXP_LIKE({name}, ${variable})"),
        Operator::IsNull => return Some(format!("{name} IS NULL")),
        Operator::IsNotNull => return Some(format!("{name} IS NOT NULL")),
    };
    Some(format!("$__conditionalAll({condition}, ${variable})"))
}

/// Texts that hold a `$` are cut behind it, so that what follows is not read as a variable.
pub fn without_dollars(written: &str) -> String {
    let (mut out, mut quote) = (String::with_capacity(written.len()), None);
    for c in written.chars() {
        match (quote, c) {
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), c) if c == open => quote = None,
            _ => {}
        }
        out.push(c);
        if c == '$' && quote == Some('\'') {
            out.push_str("' || '");
        }
    }
    out
}
