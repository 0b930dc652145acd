//! Non-interference: what tenant A is told over the rows of all is, byte for byte, what it is told over its own alone.
//!
//! `HENGE_GENERATED_QUERIES` says how many random statements are asked, and `HENGE_SEED` which. Rows whose order the
//! statement leaves open are compared in one order, and sums of doubles without their last bits: in which order they are
//! added nobody promises.

use std::num::NonZeroUsize;
use std::time::Duration;

use futures::TryStreamExt;
use henge_query::engine::QueryEngine;
use henge_query::error::QueryError;
use henge_query::limits::QueryLimits;
use henge_query::reader::Reader;
use henge_query::request::QueryRequest;
use henge_segment_store::schema::{DataSourceName, DataSourceSchema};
use henge_segment_store::upkeep::UpkeepPolicy;

use super::tenant;
use crate::differential::canonical::{self, Row};
use crate::differential::data::{self, Numbers};
use crate::differential::queries::Query;
use crate::differential::stages::Stage;
use crate::fixture;
use crate::generated::column::{HOURLY, REQUESTS};
use crate::generated::events::{self, Event};
use crate::generated::statement::Statement;
use crate::generated::{EVENTS, SEED, number_of};

/// In CI; 2,000 are asked before a release.
const STATEMENTS: u64 = 120;
const ASKING: &str = "acme";

/// What a client may try, to learn of others.
const PROBES: [&str; 24] = [
    "SELECT * FROM internal",
    "SELECT * FROM interna",
    "SELECT * FROM druid.internal",
    "SELECT * FROM sys.segments",
    "SELECT * FROM sys.quaries",
    "SELECT * FROM syz.segments",
    "SELECT * FROM INFORMATION_SCHEMA.TABLES",
    "SELECT * FROM INFORMATION_SCHEMA.COLUMNS",
    "SELECT * FROM INFORMATION_SCHEMA.SCHEMATA",
    "SELECT * FROM INFORMATION_SCHEMA.TABELS",
    "EXPLAIN SELECT COUNT(*) FROM requests",
    "EXPLAIN ANALYZE SELECT COUNT(*) FROM requests",
    "SELECT tenant FROM requests WHERE tenant = 'beta'",
    "SELECT COUNT(*) FROM requests WHERE tenant <> 'acme' OR tenant IS NULL",
    "SELECT DISTINCT tenant FROM requests",
    "SELECT tenant, COUNT(*) FROM hourly GROUP BY ROLLUP (tenant)",
    "SELECT MIN(tenant), MAX(tenant), COUNT(DISTINCT tenant), ANY_VALUE(tenant) FROM requests",
    "SELECT MIN(__time), MAX(__time), COUNT(*) FROM requests",
    "SELECT MAX(__time) FROM hourly",
    "SELECT SUM(1 / CASE WHEN tenant = 'beta' THEN 0 ELSE 1 END) FROM requests",
    "SELECT SUM(CAST(digits AS BIGINT)), COUNT(trace) FROM requests",
    "SELECT SUM(big) FROM requests",
    "SELECT LATEST(host), EARLIEST(host) FROM requests",
    "SELECT APPROX_COUNT_DISTINCT(host), DS_THETA(host) FROM requests",
];

/// Events of two stores come and are published in the same steps; the last ones are not published.
async fn stage(events: &[Event], is_kept: impl Fn(&Event) -> bool) -> Stage {
    let stage = Stage::new(events::raw_schema("6h"), data::rollup_schema("6h")).await;
    let parts: Vec<&[Event]> = events.chunks(events.len().div_ceil(4)).collect();
    for (number, part) in parts.iter().enumerate() {
        let kept = || part.iter().filter(|event| is_kept(event));
        let (raw, rolled_up): (Vec<_>, Vec<_>) = kept().map(|event| (event.raw(), event.rolled_up())).unzip();
        stage.append_rows(&raw, &rolled_up);
        match number {
            0 | 1 => stage.publish().await,
            2 => stage.freeze(),
            _ => {}
        }
    }
    stage
}

/// A datasource that no tenant may know of.
async fn add_internal(stage: &Stage) {
    let name = DataSourceName::new("internal").expect("a name");
    let schema = DataSourceSchema { tenant: None, ..data::rollup_schema("6h") };
    let spec = serde_json::Value::Null;
    stage.store().put_supervisor(&name, schema, spec, false, UpkeepPolicy::default()).await.expect("a datasource");
}

/// One thread: nothing depends on which of several is faster.
fn engine(stage: &Stage) -> QueryEngine {
    let plan_time_max = Duration::from_secs(60);
    let limits = QueryLimits { threads: NonZeroUsize::MIN, plan_time_max, ..QueryLimits::default() };
    QueryEngine::new(stage.store().clone(), limits)
}

/// Everything that the tenant is told: its answer with what stands around the rows, or the error.
async fn told(engine: &QueryEngine, query: &Query) -> Result<(String, Vec<Row>), String> {
    let request = QueryRequest { reader: tenant(ASKING), ..fixture::request(&query.sql) };
    let failed = |error: QueryError| format!("{:?}: {error}", error.kind);
    let answer = engine.execute(request).await.map_err(failed)?;
    let around =
        format!("{:?} {:?} {} {:?}", answer.columns, answer.result_cache, answer.is_approximate, answer.made_of);
    let batches = answer.batches.try_collect::<Vec<_>>().await.map_err(failed)?;
    Ok((around, canonical::rows(&batches)))
}

/// What is different, for people.
fn difference(
    query: &Query,
    alone: Result<(String, Vec<Row>), String>,
    among_others: Result<(String, Vec<Row>), String>,
) -> Option<String> {
    match (alone, among_others) {
        (Ok((around, expected)), Ok((other, found))) if around == other => {
            canonical::difference(query, &expected, &found)
        }
        (Err(expected), Err(found)) if expected == found => None,
        (expected, found) => Some(format!("{}\n alone: {expected:?}\n among others: {found:?}", query.sql)),
    }
}

#[tokio::test]
async fn a_tenant_is_told_the_same_whatever_others_have() {
    let mut numbers = Numbers::new(number_of("HENGE_SEED", SEED));
    let events = events::events(&mut numbers, EVENTS);
    let all = stage(&events, |_| true).await;
    add_internal(&all).await;
    let own = stage(&events, |event| event.tenant() == Some(ASKING)).await;
    let (among_all, alone) = (engine(&all), engine(&own));
    let probes = PROBES.iter().map(|sql| Query::new("probe", (*sql).to_owned()));
    let tables = [&REQUESTS, &HOURLY];
    let random = (0..number_of("HENGE_GENERATED_QUERIES", STATEMENTS) as usize)
        .map(|at| Statement::random(&mut numbers, tables[at % 2]).query("generated"));
    let queries: Vec<Query> = probes.chain(random).collect();
    let (mut differences, mut answered) = (Vec::new(), 0);
    // Others have asked before, and so have operators.
    for query in &queries {
        let request = QueryRequest { reader: Reader::Everything, ..fixture::request(&query.sql) };
        if let Ok(answer) = among_all.execute(request).await {
            answer.batches.try_collect::<Vec<_>>().await.ok();
        }
    }
    for query in &queries {
        let (expected, found) = (told(&alone, query).await, told(&among_all, query).await);
        answered += usize::from(expected.as_ref().is_ok_and(|(_, rows)| !rows.is_empty()));
        differences.extend(difference(query, expected, found));
    }
    assert!(
        differences.is_empty(),
        "{} of {}: {}",
        differences.len(),
        queries.len(),
        differences[..differences.len().min(5)].join("\n\n")
    );
    assert!(answered * 2 > queries.len(), "{answered} of {} have rows", queries.len());
}
