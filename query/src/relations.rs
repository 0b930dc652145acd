//! Counts the tables that a statement reads, the sets of keys that it groups by, and how deep its queries are nested, once
//! its WITH queries stand where they are named.
//!
//! DataFusion copies them there before it plans, so a short text in which each names the one before twice would never
//! end.

use std::collections::HashMap;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Expr, GroupByExpr, GroupByWithModifier, ObjectName, Query, Select, TableFactor, Visit, Visitor,
};

use crate::error::QueryError;
use crate::guard::{GROUPING_SETS_MAX, QUERY_DEPTH_MAX, RELATIONS_MAX};

pub(crate) fn check(query: &Query) -> Result<(), QueryError> {
    match query.visit(&mut Relations::default()) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(Excess::Tables) => Err(QueryError::limit(format!(
            "the statement reads more than {RELATIONS_MAX} tables, WITH queries counted wherever they are named: split it"
        ))),
        ControlFlow::Break(Excess::GroupingSets) => Err(QueryError::limit(format!(
            "the statement groups by more than {GROUPING_SETS_MAX} sets of keys (CUBE makes 2 to the power of its keys), WITH \
             queries counted wherever they are named: name the sets that are wanted in GROUPING SETS"
        ))),
        ControlFlow::Break(Excess::Depth) => Err(QueryError::limit(format!(
            "queries are nested deeper than {QUERY_DEPTH_MAX}, WITH queries counted where they are named: join them in \
             fewer steps"
        ))),
    }
}

#[derive(Default)]
struct Relations {
    /// The queries around here, the innermost last.
    queries: Vec<Footprint>,
    /// Names of WITH queries that are still to come, by their places in memory.
    upcoming: HashMap<*const Query, String>,
    /// WITH queries by name; the larger where a name is used again in an inner query.
    named: HashMap<String, Footprint>,
}

#[derive(Clone, Copy, Default)]
struct Footprint {
    tables: usize,
    /// Where it is more than one for a query.
    grouping_sets: usize,
    /// Queries within this one, one inside the other.
    depth: usize,
}

enum Excess {
    Tables,
    GroupingSets,
    Depth,
}

impl Visitor for Relations {
    type Break = Excess;

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<Excess> {
        for named in query.with.iter().flat_map(|with| &with.cte_tables) {
            self.upcoming.insert(std::ptr::from_ref(&*named.query), named.alias.name.value.clone());
        }
        self.queries.push(Footprint::default());
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, query: &Query) -> ControlFlow<Excess> {
        let inner = self.queries.pop().expect("each query was entered");
        let footprint = Footprint { depth: inner.depth + 1, ..inner };
        if let Some(name) = self.upcoming.remove(&std::ptr::from_ref(query)) {
            let known = self.named.entry(name).or_default();
            *known = Footprint {
                tables: known.tables.max(footprint.tables),
                grouping_sets: known.grouping_sets.max(footprint.grouping_sets),
                depth: known.depth.max(footprint.depth),
            };
        }
        // A WITH query is planned where it stands, too.
        self.add(footprint)
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<Excess> {
        let sets = grouping_sets(&select.group_by);
        self.add(Footprint { grouping_sets: if sets > 1 { sets } else { 0 }, ..Footprint::default() })
    }

    fn pre_visit_table_factor(&mut self, table: &TableFactor) -> ControlFlow<Excess> {
        let one = Footprint { tables: 1, ..Footprint::default() };
        match table {
            TableFactor::Table { name, .. } => {
                let named = single_name(name).and_then(|name| self.named.get(name));
                self.add(named.copied().unwrap_or(one))
            }
            _ => self.add(one),
        }
    }
}

impl Relations {
    fn add(&mut self, inner: Footprint) -> ControlFlow<Excess> {
        let Some(outer) = self.queries.last_mut() else { return ControlFlow::Continue(()) };
        outer.tables += inner.tables;
        outer.grouping_sets = outer.grouping_sets.saturating_add(inner.grouping_sets);
        outer.depth = outer.depth.max(inner.depth);
        if outer.tables > RELATIONS_MAX {
            return ControlFlow::Break(Excess::Tables);
        }
        if outer.grouping_sets > GROUPING_SETS_MAX {
            return ControlFlow::Break(Excess::GroupingSets);
        }
        if outer.depth >= QUERY_DEPTH_MAX {
            return ControlFlow::Break(Excess::Depth);
        }
        ControlFlow::Continue(())
    }
}

/// How many sets of keys a GROUP BY stands for: those of its items multiply.
fn grouping_sets(group_by: &GroupByExpr) -> usize {
    let (keys, modifiers): (&[Expr], _) = match group_by {
        GroupByExpr::All(modifiers) => (&[], modifiers),
        GroupByExpr::Expressions(keys, modifiers) => (keys, modifiers),
    };
    let of_modifiers = modifiers.iter().map(|modifier| match modifier {
        GroupByWithModifier::Rollup => rollup(keys.len()),
        GroupByWithModifier::Cube => cube(keys.len()),
        GroupByWithModifier::GroupingSets(sets) => sets_of(sets),
        GroupByWithModifier::Totals => 2,
    });
    keys.iter().map(sets_of).chain(of_modifiers).fold(1, usize::saturating_mul)
}

fn sets_of(key: &Expr) -> usize {
    match key {
        Expr::GroupingSets(sets) => sets.len(),
        Expr::Rollup(keys) => rollup(keys.len()),
        Expr::Cube(keys) => cube(keys.len()),
        _ => 1,
    }
}

fn rollup(keys: usize) -> usize {
    keys + 1
}

fn cube(keys: usize) -> usize {
    u32::try_from(keys).ok().and_then(|keys| 1_usize.checked_shl(keys)).unwrap_or(usize::MAX)
}

/// A name in several parts is not that of a WITH query.
fn single_name(name: &ObjectName) -> Option<&str> {
    match name.0.as_slice() {
        [part] => part.as_ident().map(|ident| ident.value.as_str()),
        _ => None,
    }
}
