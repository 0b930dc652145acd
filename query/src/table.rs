use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::Result;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use henge_segment_store::schema::DataSourceName;
use henge_segment_store::timeline::Snapshot;

use crate::plan_cache;
use crate::pushdown::{self, Pushdown, TimeSpan};
use crate::scan::{RowFilter, SegmentScanExec};

/// A datasource as one query sees it: one snapshot, however often the query names it (invariant Q2).
#[derive(Debug)]
pub(crate) struct SnapshotTable {
    name: DataSourceName,
    snapshot: Snapshot,
    schema: SchemaRef,
    use_indexes: bool,
}

impl SnapshotTable {
    /// Without indexes every row of the snapshot is read, and DataFusion filters them.
    pub fn new(name: DataSourceName, snapshot: Snapshot, use_indexes: bool) -> Self {
        let schema = snapshot.schema.arrow();
        Self { name, snapshot, schema, use_indexes }
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

    /// What a scan can find out by itself DataFusion does not test again.
    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        if !self.use_indexes {
            return Ok(vec![TableProviderFilterPushDown::Unsupported; filters.len()]);
        }
        let support = |filter: &&Expr| {
            let sampled = plan_cache::sampled(filter)?;
            Ok(Pushdown::of(sampled.as_ref().unwrap_or(filter), &self.schema).support())
        };
        filters.iter().map(support).collect()
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let (mut span, mut predicates, mut is_exact) = (TimeSpan::ALL, Vec::new(), true);
        for filter in filters {
            let pushed = Pushdown::of(filter, &self.schema);
            span = span.and(pushed.span);
            predicates.extend(pushed.predicate);
            is_exact &= pushed.is_exact;
        }
        let predicate = (!predicates.is_empty()).then(|| pushdown::all_of(predicates));
        let filter = span.interval().map(|interval| RowFilter { interval, predicate });
        // Where DataFusion filters again, nobody knows how many rows it needs.
        let limit = limit.filter(|_| is_exact).map(|limit| limit as u64);
        let projection = projection.cloned().unwrap_or_else(|| (0..self.schema.fields().len()).collect());
        let partitions = state.config().target_partitions();
        let scan = SegmentScanExec::new(&self.name, &self.snapshot, filter, &projection, limit, partitions)?;
        Ok(Arc::new(scan))
    }
}
