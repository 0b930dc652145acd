//! Makes joins stop when their query is cancelled.
//!
//! DataFusion's operators yield only when an input makes them wait. A join makes millions of rows of one batch and may
//! find none that match, so it would hold its thread for hours, cancelled or not. Every join therefore runs inside an
//! [`InterruptExec`], and its filter inside an [`InterruptFilter`], which see each batch of pairs.

mod exec;
mod filter;

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::joins::utils::JoinFilter;
use datafusion::physical_plan::joins::{
    CrossJoinExec, HashJoinExec, HashJoinExecBuilder, NestedLoopJoinExec, NestedLoopJoinExecBuilder, SortMergeJoinExec,
};
use tokio_util::sync::CancellationToken;

use self::exec::InterruptExec;
use self::filter::InterruptFilter;
use crate::error::{QueryError, QueryErrorKind};

/// The plan, with every join ready to be interrupted through `token`.
pub(crate) fn interruptible(
    plan: Arc<dyn ExecutionPlan>,
    token: &Arc<CancellationToken>,
) -> Result<Arc<dyn ExecutionPlan>> {
    let wrap = |node: Arc<dyn ExecutionPlan>| {
        let join: Option<Arc<dyn ExecutionPlan>> = if let Some(join) = node.downcast_ref::<NestedLoopJoinExec>() {
            let filter = join.filter().map(|filter| watched(filter, token));
            Some(Arc::new(NestedLoopJoinExecBuilder::from(join).with_filter(filter).build()?))
        } else if let Some(join) = node.downcast_ref::<HashJoinExec>() {
            let filter = join.filter().map(|filter| watched(filter, token));
            Some(HashJoinExecBuilder::from(join).with_filter(filter).build_exec()?)
        } else if node.is::<CrossJoinExec>() || node.is::<SortMergeJoinExec>() {
            Some(node.clone())
        } else {
            None
        };
        Ok(match join {
            Some(join) => Transformed::yes(Arc::new(InterruptExec::new(join, token.clone())) as Arc<dyn ExecutionPlan>),
            None => Transformed::no(node),
        })
    };
    plan.transform_up(wrap).data()
}

fn watched(filter: &JoinFilter, token: &Arc<CancellationToken>) -> JoinFilter {
    let expression = InterruptFilter::new(filter.expression().clone(), token.clone());
    JoinFilter::new(Arc::new(expression), filter.column_indices().to_vec(), filter.schema().clone())
}

fn check(token: &CancellationToken) -> Result<(), QueryError> {
    if token.is_cancelled() {
        return Err(QueryError::new(QueryErrorKind::Cancelled, "the query was cancelled"));
    }
    Ok(())
}
