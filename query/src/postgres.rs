//! What PostgreSQL's clients write, told in our SQL: casts, parameters by number, functions about the session, and the
//! tables in which they look for tables.
//!
//! script -> statements (one by one) -> parameters -> [the parser] -> rewriting (casts, calls, operators, subqueries) ->
//! [the dialect and the planner] -> catalog
//!
//! What a name or an operator means stays as it is: names keep their case, nulls come first, `/` of two longs is a long.

mod calls;
mod casts;
pub(crate) mod catalog;
mod operators;
mod parameters;
mod search_path;
mod series;
pub mod statements;
mod subqueries;

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{Expr, Query, Select, TableFactor, VisitMut, VisitorMut};
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan};

pub use self::calls::setting_of;
pub(crate) use self::parameters::bind;
use crate::error::QueryError;

/// The one database.
pub const DATABASE: &str = "henge";
/// The schema that datasources live in.
pub const PUBLIC: &str = "public";
/// What clients take the server for. They leave out what came later, and what they look for in it is answered.
pub const SERVER_VERSION: &str = "15.0";
pub const SERVER_VERSION_NUMBER: &str = "150000";

/// Turns PostgreSQL's spellings into ours.
pub(crate) fn rewrite(query: &mut Query) -> Result<(), QueryError> {
    match query.visit(&mut Rewriter) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(error) => Err(*error),
    }
}

/// Whether what the tokens become depends on values among them, so that no plan can be kept for other values.
pub(crate) fn reads_values(tokens: &[TokenWithSpan]) -> bool {
    tokens.iter().any(|spanned| match &spanned.token {
        Token::DoubleColon => true,
        Token::Word(word) => {
            let name = word.value.to_ascii_lowercase();
            name.starts_with("pg_") || name == "information_schema" || calls::is_known(&name) || name == "cast"
        }
        _ => false,
    })
}

struct Rewriter;

impl VisitorMut for Rewriter {
    type Break = Box<QueryError>;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<Self::Break> {
        subqueries::forget(query);
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<Self::Break> {
        subqueries::forget_select(select);
        ControlFlow::Continue(())
    }

    /// Once its arguments are what they are here.
    fn post_visit_table_factor(&mut self, table: &mut TableFactor) -> ControlFlow<Self::Break> {
        series::rewrite(table);
        ControlFlow::Continue(())
    }

    /// What is looked at as a whole, before its parts are.
    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Self::Break> {
        search_path::rewrite(expr);
        subqueries::rewrite(expr);
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Self::Break> {
        calls::rewrite(expr);
        match operators::rewrite(expr).and_then(|()| casts::rewrite(expr)) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => ControlFlow::Break(Box::new(error)),
        }
    }
}
