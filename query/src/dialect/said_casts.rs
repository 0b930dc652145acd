//! Tells expressions apart that DataFusion 55 gives one name: its names have neither casts nor parentheses, so that of
//! `SUM(x), SUM(CAST(x AS DOUBLE))` and of `SUM((a + b) * c), SUM(a + b * c)` the second was a column too many.
//!
//! Where a statement has such, casts and parentheses become part of the names: `CAST(said_as(x, 'DOUBLE') AS DOUBLE)`. The
//! call is its first argument, and is gone before anything is computed.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Expr, GroupByExpr, Query, Select, SelectItem, Visit, VisitMut, Visitor, VisitorMut,
};

use super::calls::{call, null, string};

/// Its first argument.
pub(crate) const SAID_AS: &str = "said_as";

/// To be called once everything else is rewritten.
pub(super) fn rewrite(query: &mut Query) {
    let leaves_out = Visit::visit(&*query, &mut FindUnsaid).is_break();
    if leaves_out && Visit::visit(&*query, &mut Names::default()).is_break() {
        let ControlFlow::Continue(()) = VisitMut::visit(query, &mut Say);
    }
}

/// Looks for anything that names leave out.
struct FindUnsaid;

impl Visitor for FindUnsaid {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        if is_unsaid(expr) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

fn is_unsaid(expr: &Expr) -> bool {
    matches!(expr, Expr::Cast { .. } | Expr::Nested(_))
}

/// What may become a column of an aggregation or of windows, by its name: calls, keys of groups, and what keys may be the
/// numbers of. Ends at two of one name.
#[derive(Default)]
struct Names {
    texts: HashMap<String, String>,
}

impl Names {
    fn add(&mut self, expr: &Expr) -> ControlFlow<()> {
        let text = expr.to_string();
        let mut named = expr.clone();
        let ControlFlow::Continue(()) = VisitMut::visit(&mut named, &mut LeaveOut);
        match self.texts.entry(named.to_string()) {
            Entry::Occupied(known) if *known.get() != text => return ControlFlow::Break(()),
            Entry::Occupied(_) => {}
            Entry::Vacant(free) => {
                free.insert(text);
            }
        }
        ControlFlow::Continue(())
    }
}

impl Visitor for Names {
    type Break = ();

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
        if let GroupByExpr::Expressions(keys, _) = &select.group_by {
            keys.iter().try_for_each(|key| self.add(key))?;
        }
        select.projection.iter().try_for_each(|item| match item {
            SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => self.add(expr),
            _ => ControlFlow::Continue(()),
        })
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        if matches!(expr, Expr::Function(_)) { self.add(expr) } else { ControlFlow::Continue(()) }
    }
}

/// Leaves out what names do.
struct LeaveOut;

impl VisitorMut for LeaveOut {
    type Break = std::convert::Infallible;

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Self::Break> {
        if let Expr::Cast { expr: inner, .. } | Expr::Nested(inner) = expr {
            *expr = taken(inner);
        }
        ControlFlow::Continue(())
    }
}

fn taken(expr: &mut Expr) -> Expr {
    std::mem::replace(expr, null())
}

struct Say;

impl VisitorMut for Say {
    type Break = std::convert::Infallible;

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Self::Break> {
        match expr {
            Expr::Cast { expr: inner, data_type, .. } => {
                let said = string(&data_type.to_string());
                **inner = call(SAID_AS, vec![taken(inner), said]);
            }
            Expr::Nested(inner) if matches!(**inner, Expr::BinaryOp { .. }) => {
                *expr = call(SAID_AS, vec![taken(inner), string("()")]);
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}
