use std::fmt;

use super::Columns;
use super::rows::Rows;

/// A table of `sys` whose rows only the process around the engine knows.
pub struct ProvidedTable {
    pub name: &'static str,
    pub columns: Columns,
    /// Pushes a cell for each column, row after row. Called by queries, on their threads: it must not wait for anything.
    pub fill: Box<dyn Fn(&mut Rows) + Send + Sync>,
}

impl fmt::Debug for ProvidedTable {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("ProvidedTable").field("name", &self.name).finish_non_exhaustive()
    }
}
