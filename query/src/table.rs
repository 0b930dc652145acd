use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::Result;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use henge_segment_store::schema::DataSourceName;
use henge_segment_store::timeline::Snapshot;

use crate::pushdown::{self, TimeSpan};
use crate::scan::SegmentScanExec;

/// A datasource as one query sees it: one snapshot, however often the query names it (invariant Q2).
#[derive(Debug)]
pub(crate) struct SnapshotTable {
    name: DataSourceName,
    snapshot: Snapshot,
    schema: SchemaRef,
}

impl SnapshotTable {
    pub fn new(name: DataSourceName, snapshot: Snapshot) -> Self {
        let schema = snapshot.schema.arrow();
        Self { name, snapshot, schema }
    }
}

#[async_trait]
impl TableProvider for SnapshotTable {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    /// Filters on time choose segments, which may hold more than they ask for; DataFusion filters again (invariant Q1).
    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        let support = |filter: &&Expr| match pushdown::time_span(filter) {
            TimeSpan::ALL => TableProviderFilterPushDown::Unsupported,
            _ => TableProviderFilterPushDown::Inexact,
        };
        Ok(filters.iter().map(support).collect())
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let span = filters.iter().map(pushdown::time_span).fold(TimeSpan::ALL, TimeSpan::and);
        let projection = projection.cloned().unwrap_or_else(|| (0..self.schema.fields().len()).collect());
        let partitions = state.config().target_partitions();
        Ok(Arc::new(SegmentScanExec::new(&self.name, &self.snapshot, span.interval(), projection, partitions)?))
    }
}
