//! Counts the tables that a statement reads once its WITH queries stand where they are named.
//!
//! DataFusion copies them there before it plans, so a short text in which each names the one before twice would never
//! end.

use std::collections::HashMap;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{ObjectName, Query, TableFactor, Visit, Visitor};

use crate::error::QueryError;
use crate::guard::RELATIONS_MAX;

pub(crate) fn check(query: &Query) -> Result<(), QueryError> {
    match query.visit(&mut Relations::default()) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(QueryError::limit(format!(
            "the statement reads more than {RELATIONS_MAX} tables, WITH queries counted wherever they are named: split it"
        ))),
    }
}

#[derive(Default)]
struct Relations {
    /// Tables read by the queries around here, the innermost last.
    queries: Vec<usize>,
    /// Names of WITH queries that are still to come, by their places in memory.
    upcoming: HashMap<*const Query, String>,
    /// Tables read by each WITH query; the most where a name is used again in an inner query.
    named: HashMap<String, usize>,
}

impl Visitor for Relations {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        for named in query.with.iter().flat_map(|with| &with.cte_tables) {
            self.upcoming.insert(std::ptr::from_ref(&*named.query), named.alias.name.value.clone());
        }
        self.queries.push(0);
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        let tables = self.queries.pop().expect("each query was entered");
        if let Some(name) = self.upcoming.remove(&std::ptr::from_ref(query)) {
            let known = self.named.entry(name).or_default();
            *known = tables.max(*known);
        }
        // A WITH query is planned where it stands, too.
        self.add(tables)
    }

    fn pre_visit_table_factor(&mut self, table: &TableFactor) -> ControlFlow<()> {
        match table {
            TableFactor::Table { name, .. } => self.add(self.named.get(&unquoted(name)).map_or(1, |tables| *tables)),
            _ => self.add(1),
        }
    }
}

/// Of a name in several parts, none is a WITH query.
fn unquoted(name: &ObjectName) -> String {
    match name.0.as_slice() {
        [part] => part.as_ident().map(|ident| ident.value.clone()).unwrap_or_default(),
        _ => String::new(),
    }
}

impl Relations {
    fn add(&mut self, tables: usize) -> ControlFlow<()> {
        let Some(innermost) = self.queries.last_mut() else { return ControlFlow::Continue(()) };
        *innermost += tables;
        if *innermost > RELATIONS_MAX { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}
