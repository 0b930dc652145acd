//! The same events on their way from an open segment to published ones: one store for each stage.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::RecordBatch;
use futures::{StreamExt, TryStreamExt, stream};
use henge_query::engine::QueryEngine;
use henge_query::limits::QueryLimits;
use henge_query::request::QueryRequest;
use henge_segment_store::compaction::{self, Urgency};
use henge_segment_store::data_source::DataSource;
use henge_segment_store::event::EventRow;
use henge_segment_store::schema::{DataSourceName, DataSourceSchema};
use henge_segment_store::store::Store;
use henge_segment_store::time::TimestampMs;
use henge_segment_store::upkeep::UpkeepPolicy;
use tempfile::TempDir;
use tokio::runtime::Handle;
use tokio::task::spawn_blocking;

use super::canonical::{self, Row};
use super::data::{self, Event};
use super::queries::Query;
use crate::fixture;

const RAW: &str = "requests";
const ROLLUP: &str = "hourly";
/// Queries asked at the same time.
const CONCURRENCY: usize = 2;

/// The same everywhere: plans have one shape on all machines.
const THREADS: NonZeroUsize = NonZeroUsize::new(2).expect("two is not zero");

/// How answers are found.
#[derive(Debug, Clone, Copy)]
pub struct Way {
    pub use_indexes: bool,
    pub use_native_operators: bool,
    pub use_result_cache: bool,
}

impl Way {
    /// By DataFusion alone, over every row.
    pub const REFERENCE: Self = Self { use_native_operators: false, ..Self::NATIVE_BY_ROW };
    pub const NATIVE: Self = Self { use_indexes: true, use_native_operators: true, use_result_cache: true };
    pub const NATIVE_ANEW: Self = Self { use_result_cache: false, ..Self::NATIVE };
    pub const BY_DATAFUSION: Self = Self { use_native_operators: false, ..Self::NATIVE };
    pub const NATIVE_BY_ROW: Self = Self { use_indexes: false, ..Self::NATIVE };
}

pub struct Stage {
    engine: QueryEngine,
    store: Arc<Store>,
    raw: Arc<DataSource>,
    rollup: Arc<DataSource>,
    directory: TempDir,
}

impl Stage {
    pub async fn new(raw: DataSourceSchema, rollup: DataSourceSchema) -> Self {
        Self::with_upkeep(raw, rollup, UpkeepPolicy::default()).await
    }

    /// `upkeep`: of the rolled-up rows.
    pub async fn with_upkeep(raw: DataSourceSchema, rollup: DataSourceSchema, upkeep: UpkeepPolicy) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let store = fixture::open(directory.path()).await;
        for (name, schema, upkeep) in [(RAW, raw, UpkeepPolicy::default()), (ROLLUP, rollup, upkeep)] {
            let name = DataSourceName::new(name).expect("a valid name");
            store
                .put_supervisor(&name, schema, serde_json::Value::Null, false, upkeep)
                .await
                .expect("a new datasource");
        }
        let data_source = |name| store.data_source(name).expect("it was created");
        let (raw, rollup) = (data_source(RAW), data_source(ROLLUP));
        let engine = QueryEngine::new(store.clone(), QueryLimits { threads: THREADS, ..fixture::patient_limits() });
        Self { engine, store, raw, rollup, directory }
    }

    /// Time chunks of six hours.
    pub async fn in_chunks() -> Self {
        Self::new(data::raw_schema("6h"), data::rollup_schema("6h")).await
    }

    pub fn store(&self) -> &Arc<Store> {
        &self.store
    }

    pub fn engine(&self) -> &QueryEngine {
        &self.engine
    }

    pub fn append(&self, events: &[Event]) {
        let raw: Vec<_> = events.iter().map(Event::raw).collect();
        let rolled_up: Vec<_> = events.iter().map(Event::rolled_up).collect();
        self.append_rows(&raw, &rolled_up);
    }

    pub fn append_rows(&self, raw: &[EventRow], rolled_up: &[EventRow]) {
        self.raw.append(raw);
        self.rollup.append(rolled_up);
    }

    pub async fn publish(&self) {
        for data_source in [&self.raw, &self.rollup] {
            fixture::publish(&self.store, data_source).await;
        }
    }

    /// Merges all that can be merged at a time.
    pub async fn compact(&self, now: TimestampMs) {
        let runtime = Handle::current();
        loop {
            let tasks = self.store.plan_compaction(Urgency::Now, now).await;
            let Some((name, task)) = tasks.into_iter().next() else { break };
            let (store, runtime) = (self.store.clone(), runtime.clone());
            let data_source = store.data_source(name.as_str()).expect("it has segments");
            let merge = move || compaction::run(&store, &runtime, &data_source, &task, &mut || Ok(()));
            spawn_blocking(merge).await.expect("no panic").expect("the merge succeeds");
        }
    }

    /// Freezes what is open; it stays unpublished.
    pub fn freeze(&self) {
        self.raw.cut();
        self.rollup.cut();
    }

    /// How many segments are published, of raw and of rolled-up rows.
    pub fn published(&self) -> [usize; 2] {
        [&self.raw, &self.rollup].map(|data_source| data_source.published().len())
    }

    pub fn rolled_up_rows(&self) -> u64 {
        self.rollup.published().iter().map(|segment| segment.rows).sum()
    }

    /// Deletes what queries read, so that they have to make it again from the Parquet files.
    pub fn delete_serving_forms(&self) {
        for segment in self.raw.published_segments().iter().chain(&self.rollup.published_segments()) {
            segment.discard_serving();
            assert!(!segment.serving_path().exists(), "{}", segment.serving_path().display());
        }
    }

    pub fn parquet_files(&self) -> BTreeMap<&'static str, Vec<PathBuf>> {
        let root = self.directory.path().join("store");
        let files =
            |source: &DataSource| source.published().iter().map(|segment| root.join(&segment.path)).collect::<Vec<_>>();
        BTreeMap::from([(RAW, files(&self.raw)), (ROLLUP, files(&self.rollup))])
    }

    /// Each query's rows, or why there are none.
    pub async fn answers(&self, queries: &[Query], way: Way) -> Vec<Result<Vec<Row>, String>> {
        let Way { use_indexes, use_native_operators, use_result_cache } = way;
        let requests = queries.iter().map(|query| QueryRequest {
            use_indexes,
            use_native_operators,
            use_result_cache,
            ..fixture::request(&query.sql)
        });
        stream::iter(requests.map(|request| self.answer(request))).buffered(CONCURRENCY).collect().await
    }

    async fn answer(&self, request: QueryRequest) -> Result<Vec<Row>, String> {
        let answer = self.engine.execute(request).await.map_err(|error| error.message)?;
        let batches: Vec<RecordBatch> = answer.batches.try_collect().await.map_err(|error| error.message)?;
        Ok(canonical::rows(&batches))
    }
}
