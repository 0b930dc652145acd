use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{FieldRef, Schema};
use datafusion::common::Result;
use datafusion::logical_expr::ColumnarValue;
use datafusion::physical_expr::PhysicalExpr;
use tokio_util::sync::CancellationToken;

use super::check;

/// Evaluates a join's filter until the query is cancelled.
#[derive(Debug)]
pub(super) struct InterruptFilter {
    filter: Arc<dyn PhysicalExpr>,
    token: Arc<CancellationToken>,
}

impl InterruptFilter {
    pub fn new(filter: Arc<dyn PhysicalExpr>, token: Arc<CancellationToken>) -> Self {
        Self { filter, token }
    }
}

impl PartialEq for InterruptFilter {
    fn eq(&self, other: &Self) -> bool {
        self.filter.eq(&other.filter)
    }
}

impl Eq for InterruptFilter {}

impl Hash for InterruptFilter {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.filter.hash(state);
    }
}

impl fmt::Display for InterruptFilter {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.filter.fmt(out)
    }
}

impl PhysicalExpr for InterruptFilter {
    fn return_field(&self, schema: &Schema) -> Result<FieldRef> {
        self.filter.return_field(schema)
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
        check(&self.token)?;
        self.filter.evaluate(batch)
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        vec![&self.filter]
    }

    fn with_new_children(self: Arc<Self>, mut children: Vec<Arc<dyn PhysicalExpr>>) -> Result<Arc<dyn PhysicalExpr>> {
        Ok(Arc::new(Self { filter: children.remove(0), token: self.token.clone() }))
    }

    fn fmt_sql(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.filter.fmt_sql(out)
    }
}
