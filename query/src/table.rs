use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::Result;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use henge_indexing::Predicate;
use henge_segment_store::schema::DataSourceName;
use henge_segment_store::timeline::Snapshot;

use crate::plan_cache;
use crate::pushdown::Pushdown;
use crate::reader::Reader;
use crate::request::QueryRequest;
use crate::scan::SegmentScanExec;

/// A datasource as one query sees it: one snapshot, however often the query names it (invariant Q2).
#[derive(Debug)]
pub(crate) struct SnapshotTable {
    pub name: DataSourceName,
    pub snapshot: Snapshot,
    pub schema: SchemaRef,
    pub shortcuts: Shortcuts,
    /// What rows have to pass before all else, where the reader does not see all of them.
    row_test: Option<Predicate>,
}

/// Ways to an answer that a query may take; without them it is the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shortcuts {
    pub use_indexes: bool,
    pub use_native_operators: bool,
}

impl Shortcuts {
    pub fn of(request: &QueryRequest) -> Self {
        Self { use_indexes: request.use_indexes, use_native_operators: request.use_native_operators }
    }
}

impl SnapshotTable {
    /// Without indexes every row of the snapshot is read, and filtered above the scan.
    pub fn new(name: DataSourceName, snapshot: Snapshot, reader: &Reader, shortcuts: Shortcuts) -> Self {
        let (schema, row_test) = (snapshot.schema.arrow(), reader.row_test(&snapshot.schema));
        Self { name, snapshot, schema, shortcuts, row_test }
    }

    /// What a scan, or an operator in its place, tests by itself of these filters, and for the reader.
    pub fn pushdown(&self, filters: &[Expr]) -> Pushdown {
        Pushdown::of_all(filters, &self.schema).and(self.row_test.clone())
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
        if !self.shortcuts.use_indexes {
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
        let pushed = self.pushdown(filters);
        // Where DataFusion filters again, nobody knows how many rows it needs.
        let limit = limit.filter(|_| pushed.is_exact).map(|limit| limit as u64);
        let projection = projection.cloned().unwrap_or_else(|| (0..self.schema.fields().len()).collect());
        let partitions = state.config().target_partitions();
        let filter = pushed.into_row_filter();
        let scan = SegmentScanExec::new(&self.name, &self.snapshot, filter, &projection, limit, partitions)?;
        // How many rows the others have is not for a tenant to know, by the order of a join neither.
        Ok(Arc::new(if self.row_test.is_some() { scan.without_statistics() } else { scan }))
    }
}
