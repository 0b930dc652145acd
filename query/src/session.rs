//! DataFusion, set up once for all queries.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::common::Result;
use datafusion::execution::disk_manager::DiskManagerBuilder;
use datafusion::execution::memory_pool::{GreedyMemoryPool, MemoryPool};
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::execution::{FunctionRegistry, SessionState, SessionStateBuilder, TaskContext};
use datafusion::functions::core::planner::CoreFunctionPlanner;
use datafusion::functions::datetime::planner::DatetimeFunctionPlanner;
use datafusion::functions::unicode::planner::UnicodeFunctionPlanner;
use datafusion::functions_aggregate::planner::AggregateFunctionPlanner;
use datafusion::functions_window::planner::WindowFunctionPlanner;
use datafusion::prelude::SessionConfig;

use crate::cpu_pool::QueryShare;
use crate::functions;
use crate::limits::QueryLimits;
use crate::lookups::Lookups;
use crate::memory::QueryMemory;
use crate::result_cache::ResultCacheUse;
use crate::rule::{self, NativePlanner};
use crate::segment_reads::SegmentReads;
use crate::spill::{DataFusionFiles, SpillFigures, SpillSpace};

/// Sorts on all threads together keep at most one part in so many of a query's memory aside.
const SORT_RESERVE_PART: usize = 8;

/// What all queries share: configuration, functions, optimizer rules, and one memory pool.
#[derive(Debug)]
pub(crate) struct SharedSession {
    pub state: SessionState,
    memory: Arc<dyn MemoryPool>,
    spill: Arc<SpillSpace>,
}

/// What the engine lends to one query.
pub(crate) struct Lent<'a> {
    pub share: &'a Arc<QueryShare>,
    pub reads: &'a Arc<SegmentReads>,
    pub results: &'a Arc<ResultCacheUse>,
}

impl Lent<'_> {
    fn extend(&self, config: SessionConfig) -> SessionConfig {
        let config = config.with_extension(self.share.clone()).with_extension(self.reads.clone());
        config.with_extension(self.results.clone())
    }
}

impl SharedSession {
    pub fn new(limits: &QueryLimits, spill: Arc<SpillSpace>, lookups: &Arc<Lookups>) -> Result<Self> {
        let memory: Arc<dyn MemoryPool> = Arc::new(GreedyMemoryPool::new(limits.memory_bytes));
        let mut state = SessionStateBuilder::new()
            .with_config(config(limits).with_extension(spill.clone()))
            .with_runtime_env(runtime_env(memory.clone(), spill.clone())?)
            .with_optimizer_rules(rule::logical_rules())
            .with_expr_planners(vec![
                Arc::new(CoreFunctionPlanner::default()),
                Arc::new(DatetimeFunctionPlanner),
                Arc::new(UnicodeFunctionPlanner),
                Arc::new(AggregateFunctionPlanner),
                Arc::new(WindowFunctionPlanner),
            ])
            .with_scalar_functions(functions::scalar_functions(lookups))
            .with_aggregate_functions(functions::aggregate_functions())
            .with_window_functions(functions::window_functions())
            .build();
        for rewrite in functions::operator_rewrites() {
            state.register_function_rewrite(rewrite)?;
        }
        let planner = Arc::new(NativePlanner::new(&state));
        let state = SessionStateBuilder::new_from_existing(state).with_query_planner(planner).build();
        Ok(Self { state, memory, spill })
    }

    /// What queries have put on disk.
    pub fn spilled(&self) -> SpillFigures {
        self.spill.figures()
    }

    /// What the operators of all queries hold now.
    pub fn memory_bytes(&self) -> usize {
        self.memory.reserved()
    }

    /// What the operators of one query run with; what is lent to it are extensions.
    pub fn task_context(&self, query_id: &str, lent: &Lent<'_>, memory_bytes: usize) -> Arc<TaskContext> {
        let memory = QueryMemory::new(self.memory.clone(), memory_bytes);
        let shared = self.state.runtime_env().as_ref().clone();
        let runtime = RuntimeEnv { memory_pool: Arc::new(memory), ..shared };
        Arc::new(TaskContext::new(
            Some(query_id.to_owned()),
            self.state.session_id().to_owned(),
            lent.extend(self.state.config().clone()),
            // Functions by name are for those who read plans from bytes.
            HashMap::new(),
            HashMap::new(),
            HashMap::new(),
            HashMap::new(),
            Arc::new(runtime),
        ))
    }
}

fn config(limits: &QueryLimits) -> SessionConfig {
    let mut config = SessionConfig::new()
        .with_target_partitions(limits.threads.get())
        .with_create_default_catalog_and_schema(false)
        .with_information_schema(false);
    let options = config.options_mut();
    // Druid keeps the case of unquoted names, sorts nulls first, and has no recursive queries.
    options.sql_parser.enable_ident_normalization = false;
    options.sql_parser.default_null_ordering = "nulls_min".to_owned();
    options.execution.enable_recursive_ctes = false;
    // Its grouped top-k panics on some keys of DOUBLE, and overflows on the largest limits.
    options.optimizer.enable_topk_aggregation = false;
    // What a sort keeps aside for merging from disk.
    let reserved = &mut options.execution.sort_spill_reservation_bytes;
    *reserved = (*reserved).min(limits.query_memory_bytes / SORT_RESERVE_PART / limits.threads);
    config
}

/// Files are only spilled to: none is reachable by a URL in a query.
fn runtime_env(memory: Arc<dyn MemoryPool>, spill: Arc<SpillSpace>) -> Result<Arc<RuntimeEnv>> {
    let disk = DiskManagerBuilder::default().with_temp_file_factory(Arc::new(DataFusionFiles(spill)));
    let runtime = RuntimeEnvBuilder::new().with_memory_pool(memory).with_disk_manager_builder(disk).build_arc()?;
    runtime.deregister_object_store(ObjectStoreUrl::local_filesystem().as_ref())?;
    Ok(runtime)
}
