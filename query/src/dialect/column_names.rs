//! Druid names a computed column by its place, `EXPR$0`, and tells columns of one name apart by a number.

use std::collections::HashSet;

use datafusion::sql::sqlparser::ast::{Expr, Ident, SelectItem};

pub(super) fn name_columns(items: &mut [SelectItem]) {
    let mut taken: HashSet<String> = items.iter().filter_map(alias_of).map(str::to_owned).collect();
    for (at, item) in items.iter_mut().enumerate() {
        let SelectItem::UnnamedExpr(expr) = item else { continue };
        let name = match plain_name(expr) {
            Some(name) if taken.insert(name.to_owned()) => continue,
            Some(name) => first_free(name, &mut taken),
            None => format!("EXPR${at}"),
        };
        *item = SelectItem::ExprWithAlias { expr: expr.clone(), alias: Ident::with_quote('"', name) };
    }
}

fn alias_of(item: &SelectItem) -> Option<&str> {
    match item {
        SelectItem::ExprWithAlias { alias, .. } => Some(&alias.value),
        _ => None,
    }
}

fn plain_name(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Identifier(name) => Some(&name.value),
        Expr::CompoundIdentifier(parts) => parts.last().map(|name| name.value.as_str()),
        Expr::Nested(inner) => plain_name(inner),
        _ => None,
    }
}

fn first_free(name: &str, taken: &mut HashSet<String>) -> String {
    (0..).map(|number| format!("{name}{number}")).find(|free| taken.insert(free.clone())).expect("numbers do not end")
}
