use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use futures::TryStreamExt;
use henge_query::answer::ResultColumn;
use henge_query::engine::{QueryEngine, Surroundings};
use henge_query::error::QueryError;
use henge_query::limits::QueryLimits;
use henge_query::lookups::Lookups;
use henge_query::reader::Reader;
use henge_query::request::{Parameter, QueryRequest};
use henge_segment_store::data_source::DataSource;
use henge_segment_store::event::{DimensionValue, EventRow, MeasureValue};
use henge_segment_store::ledger::LedgerCounts;
use henge_segment_store::manifest::ConsumedRange;
use henge_segment_store::schema::{Aggregation, DataSourceName, DataSourceSchema, Dimension, DimensionType, Measure};
use henge_segment_store::store::{Consumed, Store, StoreOptions};
use henge_segment_store::stream::{Offset, OffsetRange, StreamPartition};
use henge_segment_store::time::TimestampMs;
use henge_segment_store::upkeep::UpkeepPolicy;
use tempfile::TempDir;

/// 2026-01-01T00:00:00Z.
pub const NEW_YEAR_MS: i64 = 1_767_225_600_000;

/// A store with a datasource `usage`, and an engine over it.
pub struct Fixture {
    pub engine: QueryEngine,
    pub store: Arc<Store>,
    pub usage: Arc<DataSource>,
    directory: TempDir,
}

/// With time for a debug build, which takes many times as long, on a busy machine.
pub fn patient_limits() -> QueryLimits {
    let (plan_time_max, timeout_default) = (Duration::from_secs(60), Duration::from_secs(300));
    QueryLimits { plan_time_max, timeout_default, ..QueryLimits::default() }
}

impl Fixture {
    pub async fn new() -> Self {
        Self::with_limits(patient_limits()).await
    }

    pub async fn with_limits(limits: QueryLimits) -> Self {
        Self::with_schema(schema(), limits).await
    }

    pub async fn with_schema(schema: DataSourceSchema, limits: QueryLimits) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let store = open(directory.path()).await;
        let name = DataSourceName::new("usage").expect("a valid name");
        store
            .put_supervisor(&name, schema, serde_json::Value::Null, false, UpkeepPolicy::default())
            .await
            .expect("a new datasource");
        let usage = store.data_source("usage").expect("it was created");
        let names = [("acme", "Acme Inc."), ("", "nobody")].map(|(key, value)| (key.to_owned(), value.to_owned()));
        let lookups = Lookups([("names".to_owned(), names.into())].into());
        let around = Surroundings { lookups, ..Surroundings::default() };
        Self { engine: QueryEngine::of_server(store.clone(), limits, around), store, usage, directory }
    }

    /// With the six events of [`events`].
    pub async fn with_events() -> Self {
        let fixture = Self::new().await;
        fixture.usage.append(&events());
        fixture
    }

    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    pub async fn publish(&self) {
        publish(&self.store, &self.usage).await;
    }

    /// The rows, each as its values separated by `|`; or the error's message.
    pub async fn rows(&self, sql: &str) -> Vec<String> {
        self.answer(request(sql)).await.unwrap_or_else(|error| panic!("{sql}: {error:?}")).1
    }

    pub async fn error(&self, sql: &str) -> QueryError {
        match self.answer(request(sql)).await {
            Ok((_, rows)) => panic!("{sql} was answered: {rows:?}"),
            Err(error) => error,
        }
    }

    pub async fn answer(&self, request: QueryRequest) -> Result<(Vec<ResultColumn>, Vec<String>), QueryError> {
        let answer = self.engine.execute(request).await?;
        let batches: Vec<RecordBatch> = answer.batches.try_collect().await?;
        Ok((answer.columns, batches.iter().flat_map(lines).collect()))
    }
}

/// Cuts what is open and publishes it, as if each event had come from the next offset of one partition.
pub async fn publish(store: &Store, data_source: &DataSource) {
    let frozen = data_source.cut();
    let partition = StreamPartition { topic: "t".into(), partition: 0 };
    let start = data_source.progress().checkpoint.get(&partition).map_or(Offset(0), |position| position.next);
    let end = Offset(start.0 + frozen.events() as i64);
    let range = ConsumedRange {
        partition,
        range: OffsetRange { start, end },
        topic_id: None,
        leader_epoch: None,
        counts: LedgerCounts { accepted: frozen.events(), ..LedgerCounts::default() },
    };
    let consumed = Consumed { ranges: vec![range], ..Consumed::default() };
    store.publish(data_source, &frozen, consumed).await.expect("the publish succeeds");
}

pub async fn open(directory: &Path) -> Arc<Store> {
    let options = StoreOptions::local(directory);
    Store::open(options).await.expect("an empty directory opens")
}

pub fn request(sql: &str) -> QueryRequest {
    let timeout = Some(Duration::from_secs(60));
    QueryRequest { timeout, ..QueryRequest::new(sql, Reader::Everything, "q") }
}

pub fn with_parameters(sql: &str, parameters: Vec<Parameter>) -> QueryRequest {
    QueryRequest { parameters, ..request(sql) }
}

pub fn schema() -> DataSourceSchema {
    let dimension = |name: &str, kind| Dimension { name: name.into(), kind };
    let measure = |name: &str, aggregation| Measure { name: name.into(), aggregation };
    DataSourceSchema {
        dimensions: vec![
            dimension("org", DimensionType::String),
            dimension("Topic", DimensionType::String),
            dimension("partition", DimensionType::Long),
            dimension("internal", DimensionType::Boolean),
        ],
        measures: vec![
            measure("events", Aggregation::Count),
            measure("bytes", Aggregation::LongSum),
            measure("cost", Aggregation::DoubleSum),
        ],
        rollup: false,
        query_granularity: "none".parse().expect("a granularity"),
        segment_granularity: "1h".parse().expect("a granularity"),
        sort: Vec::new(),
        tenant: None,
    }
}

pub fn event(minute: i64, org: Option<&str>, topic: &str, partition: i64, bytes: Option<i64>, cost: f64) -> EventRow {
    let mut row = EventRow::new(4, 3);
    row.time = TimestampMs(NEW_YEAR_MS + minute * 60_000);
    if let Some(org) = org {
        row.set_dimension(0, DimensionValue::String(org));
    }
    row.set_dimension(1, DimensionValue::String(topic));
    row.set_dimension(2, DimensionValue::Long(partition));
    row.set_dimension(3, DimensionValue::Boolean(topic.starts_with('_')));
    if let Some(bytes) = bytes {
        row.set_measure(1, MeasureValue::Long(bytes));
    }
    row.set_measure(2, MeasureValue::Double(cost));
    row
}

/// Three hours of 2026-01-01, one row an event.
pub fn events() -> Vec<EventRow> {
    vec![
        event(0, Some("acme"), "orders", 0, Some(100), 0.5),
        event(1, Some("acme"), "orders", 1, Some(200), 0.25),
        event(59, Some("beta"), "orders", 0, None, 1.0),
        event(60, Some("beta"), "_audit", 2, Some(50), 2.0),
        event(90, None, "clicks", 0, Some(7), 4.0),
        event(150, Some(""), "clicks", 1, Some(-7), 8.0),
    ]
}

fn lines(batch: &RecordBatch) -> Vec<String> {
    let options = FormatOptions::default().with_null("NULL");
    let columns: Vec<ArrayFormatter<'_>> = batch
        .columns()
        .iter()
        .map(|column| ArrayFormatter::try_new(column.as_ref(), &options).expect("every result type prints"))
        .collect();
    let line = |row| columns.iter().map(|column| column.value(row).to_string()).collect::<Vec<_>>().join("|");
    (0..batch.num_rows()).map(line).collect()
}
