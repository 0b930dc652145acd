//! Counts the tables that a statement reads, and how deep its queries are nested, once its WITH queries stand where they
//! are named.
//!
//! DataFusion copies them there before it plans, so a short text in which each names the one before twice would never
//! end.

use std::collections::HashMap;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{ObjectName, Query, TableFactor, Visit, Visitor};

use crate::error::QueryError;
use crate::guard::{QUERY_DEPTH_MAX, RELATIONS_MAX};

pub(crate) fn check(query: &Query) -> Result<(), QueryError> {
    match query.visit(&mut Relations::default()) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(Excess::Tables) => Err(QueryError::limit(format!(
            "the statement reads more than {RELATIONS_MAX} tables, WITH queries counted wherever they are named: split it"
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
    /// Queries within this one, one inside the other.
    depth: usize,
}

enum Excess {
    Tables,
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
            *known = Footprint { tables: known.tables.max(footprint.tables), depth: known.depth.max(footprint.depth) };
        }
        // A WITH query is planned where it stands, too.
        self.add(footprint)
    }

    fn pre_visit_table_factor(&mut self, table: &TableFactor) -> ControlFlow<Excess> {
        let one = Footprint { tables: 1, depth: 0 };
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
        outer.depth = outer.depth.max(inner.depth);
        if outer.tables > RELATIONS_MAX {
            return ControlFlow::Break(Excess::Tables);
        }
        if outer.depth >= QUERY_DEPTH_MAX {
            return ControlFlow::Break(Excess::Depth);
        }
        ControlFlow::Continue(())
    }
}

/// A name in several parts is not that of a WITH query.
fn single_name(name: &ObjectName) -> Option<&str> {
    match name.0.as_slice() {
        [part] => part.as_ident().map(|ident| ident.value.as_str()),
        _ => None,
    }
}
