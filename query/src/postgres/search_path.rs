//! Schemas that need not be written: `schema IN (SELECT .. current_setting('search_path') ..)`, as Grafana asks, is
//! answered by the one that there is.

use datafusion::sql::sqlparser::ast::{Expr, Query};

use super::PUBLIC;
use crate::dialect::calls::string;

pub(super) fn rewrite(expr: &mut Expr) {
    if let Expr::InSubquery { expr: schema, subquery, negated } = expr
        && reads_search_path(subquery)
    {
        *expr = Expr::InList { expr: schema.clone(), list: vec![string(PUBLIC)], negated: *negated };
    }
}

fn reads_search_path(query: &Query) -> bool {
    query.to_string().contains("current_setting('search_path')")
}
