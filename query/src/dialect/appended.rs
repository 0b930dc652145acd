//! `TABLE(APPEND('a', 'b'))`: the rows of several tables, whose columns meet by their names.

use datafusion::sql::sqlparser::ast::{Expr, Query, TableAlias, TableFactor};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::Parser;

use super::calls::{arguments_of, name_of, text_of};
use crate::error::QueryError;
use crate::guard::StatementLimits;

/// As many as a statement may combine with UNION.
const TABLES_MAX: usize = StatementLimits::DEFAULT.set_arms;

/// The subquery that stands for the call; `None` of another table.
pub(super) fn rewrite(table: &TableFactor) -> Result<Option<TableFactor>, QueryError> {
    let TableFactor::TableFunction { expr: Expr::Function(function), alias } = table else { return Ok(None) };
    if name_of(function).as_deref() != Some("append") {
        return Ok(None);
    }
    let fail = || QueryError::plan("APPEND takes names of tables: SELECT * FROM TABLE(APPEND('one', 'two'))");
    let arguments = arguments_of(function);
    let names = arguments.iter().map(|name| text_of(name)).collect::<Option<Vec<_>>>().ok_or_else(fail)?;
    if names.is_empty() {
        return Err(fail());
    }
    if names.len() > TABLES_MAX {
        return Err(QueryError::limit(format!("APPEND takes at most {TABLES_MAX} tables")));
    }
    let arms: Vec<String> =
        names.iter().map(|name| format!("SELECT * FROM \"{}\"", name.replace('"', "\"\""))).collect();
    let query = parse(&arms.join(" UNION ALL BY NAME ")).ok_or_else(fail)?;
    let alias: Option<TableAlias> = alias.clone();
    Ok(Some(TableFactor::Derived { lateral: false, subquery: query, alias, sample: None }))
}

/// A query in words of our own.
pub(crate) fn parse(sql: &str) -> Option<Box<Query>> {
    Parser::new(&GenericDialect {}).try_with_sql(sql).ok()?.parse_query().ok()
}
