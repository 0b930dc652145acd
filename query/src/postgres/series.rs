//! `generate_series(1, 3)` as a table: `(VALUES (1), (2), (3))`.

use datafusion::sql::sqlparser::ast::{
    FunctionArg, FunctionArgExpr, Ident, ObjectNamePart, TableAlias, TableAliasColumnDef, TableFactor,
};

use crate::dialect::appended::parse;
use crate::dialect::calls::long_of;

/// More numbers are for nobody who looks for tables.
const NUMBERS_MAX: i64 = 1_000;

/// Leaves other tables, and series without literal ends, as they are.
pub(super) fn rewrite(table: &mut TableFactor) {
    if let Some(numbers) = numbers(table) {
        *table = numbers;
    }
}

fn numbers(table: &TableFactor) -> Option<TableFactor> {
    let TableFactor::Table { name, alias, args: Some(arguments), .. } = table else { return None };
    let name = name.0.last().and_then(ObjectNamePart::as_ident)?;
    if !name.value.eq_ignore_ascii_case("generate_series") {
        return None;
    }
    let [FunctionArg::Unnamed(FunctionArgExpr::Expr(start)), FunctionArg::Unnamed(FunctionArgExpr::Expr(end))] =
        arguments.args.as_slice()
    else {
        return None;
    };
    let (start, end) = (long_of(start)?, long_of(end)?);
    if end.checked_sub(start)? >= NUMBERS_MAX {
        return None;
    }
    let rows: Vec<String> = (start..=end).map(|number| format!("({number})")).collect();
    let sql = match rows.as_slice() {
        [] => "SELECT 0 WHERE FALSE".to_owned(),
        rows => format!("VALUES {}", rows.join(", ")),
    };
    Some(TableFactor::Derived {
        lateral: false,
        subquery: parse(&sql)?,
        alias: Some(named(alias.as_ref())),
        sample: None,
    })
}

/// The one column has the name of the table where it has none of its own.
fn named(alias: Option<&TableAlias>) -> TableAlias {
    let mut alias = alias.cloned().unwrap_or_else(|| TableAlias {
        explicit: true,
        name: Ident::new("generate_series"),
        columns: Vec::new(),
        at: None,
    });
    if alias.columns.is_empty() {
        alias.columns.push(TableAliasColumnDef::from_name(alias.name.value.clone()));
    }
    alias
}
