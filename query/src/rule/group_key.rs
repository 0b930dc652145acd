use datafusion::logical_expr::Expr;

use super::source::Source;
use crate::functions::time_floor;
use crate::operator::aggregate::{ColumnKind, GroupKey};

/// A column, or a bucket of `__time`; `None` of any other expression over the datasource's columns.
pub(super) fn recognise(resolved: &Expr, source: &Source) -> Option<GroupKey> {
    match resolved {
        Expr::ScalarFunction(call) => {
            let (time, granularity) = time_floor(call)?;
            source.column(time).filter(|column| column.kind == ColumnKind::Time)?;
            Some(GroupKey::TimeBucket(granularity))
        }
        resolved => source.column(resolved).map(GroupKey::Column),
    }
}
