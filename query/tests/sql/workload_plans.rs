//! The queries of the standard workload run on dictionary codes: who used how much of a fleet of Kafka clusters, when.

use henge_query::limits::QueryLimits;
use henge_segment_store::schema::{Aggregation, DataSourceSchema, Dimension, DimensionType, Measure};

use crate::fixture::{Fixture, request};

/// What each aggregates, and how many operators of ours that takes.
const QUERIES: &[(&str, &str)] = &[
    (
        "M1",
        "SELECT TIME_FLOOR(__time,'PT1M') AS t, SUM(bytes_in) AS s1, SUM(bytes_out) AS s2, SUM(requests) AS s3 FROM usage \
         WHERE __time>=TIMESTAMP '2026-01-01 23:00:00' GROUP BY 1 ORDER BY 1",
    ),
    (
        "M2",
        "SELECT TIME_FLOOR(__time,'PT5M') AS t, region, SUM(bytes_in) AS s1, SUM(bytes_out) AS s2 FROM usage \
         WHERE __time>=TIMESTAMP '2026-01-01 00:00:00' GROUP BY 1,2",
    ),
    (
        "M3",
        "SELECT cluster_id, SUM(bytes_in) AS s FROM usage WHERE __time>=TIMESTAMP '2026-01-01 00:00:00' GROUP BY 1 \
         ORDER BY s DESC LIMIT 20",
    ),
    (
        "M4",
        "SELECT topic, SUM(bytes_out) AS s, SUM(requests) AS r FROM usage WHERE __time>=TIMESTAMP '2026-01-01 00:00:00' \
         GROUP BY 1 ORDER BY s DESC LIMIT 100",
    ),
    (
        "M5",
        "SELECT TIME_FLOOR(__time,'PT1M') AS t, SUM(bytes_in) AS s1, SUM(bytes_out) AS s2, MAX(latency_ms) AS m FROM usage \
         WHERE cluster_id='lkc-1' AND __time>=TIMESTAMP '2026-01-01 18:00:00' GROUP BY 1",
    ),
    (
        "M6",
        "SELECT topic, SUM(bytes_out) AS s FROM usage WHERE cluster_id='lkc-1' AND metric='received_bytes' \
         AND __time>=TIMESTAMP '2026-01-01 23:00:00' GROUP BY 1 ORDER BY s DESC LIMIT 20",
    ),
    (
        "M7",
        "SELECT TIME_FLOOR(__time,'PT1M') AS t, topic, SUM(bytes_in) AS s FROM usage WHERE cluster_id='lkc-1' \
         AND topic IN ('a','b','c','d') AND __time>=TIMESTAMP '2026-01-01 18:00:00' GROUP BY 1,2",
    ),
    (
        "M8",
        "SELECT TIME_FLOOR(__time,'PT1H') AS t, topic, principal, SUM(bytes_in) AS v FROM usage WHERE cluster_id='lkc-1' \
         AND metric='received_bytes' AND __time>=TIMESTAMP '2026-01-01 00:00:00' GROUP BY 1,2,3 ORDER BY t, v DESC LIMIT 1000",
    ),
    (
        "M9",
        "SELECT TIME_FLOOR(__time,'PT1H') AS h, org_id, metric, SUM(bytes_in) AS s1, SUM(bytes_out) AS s2 FROM usage \
         WHERE __time>=TIMESTAMP '2026-01-01 00:00:00' AND __time<TIMESTAMP '2026-01-02 00:00:00' GROUP BY 1,2,3",
    ),
    (
        "M10",
        "SELECT TIME_FLOOR(__time,'P1D') AS d, env_id, cluster_id, metric, SUM(bytes_in) AS s1, SUM(bytes_out) AS s2, \
         SUM(requests) AS s3 FROM usage WHERE org_id='org-1' GROUP BY 1,2,3,4",
    ),
    (
        "M11",
        "SELECT region, COUNT(DISTINCT principal) AS n FROM usage WHERE __time>=TIMESTAMP '2026-01-01 00:00:00' GROUP BY 1",
    ),
    (
        "M11-approx",
        "SELECT region, APPROX_COUNT_DISTINCT_DS_HLL(principal) AS n FROM usage WHERE __time>=TIMESTAMP '2026-01-01 00:00:00' \
         GROUP BY 1",
    ),
    (
        "M12",
        "SELECT cluster_id, SUM(errors)*1.0/SUM(requests) AS r FROM usage WHERE __time>=TIMESTAMP '2026-01-01 23:55:00' \
         GROUP BY 1 HAVING SUM(requests)>1000 AND SUM(errors)*1.0/SUM(requests)>0.05",
    ),
    (
        "M13",
        "SELECT TIME_FLOOR(__time,'PT5M') AS t, region, APPROX_QUANTILE_DS(latency_ms, 0.99) AS q FROM usage \
         WHERE __time>=TIMESTAMP '2026-01-01 18:00:00' GROUP BY 1,2",
    ),
    (
        "M14",
        "SELECT tenant, SUM(requests) AS s FROM usage WHERE pkc='pkc-1' AND __time>=TIMESTAMP '2026-01-01 23:45:00' \
         GROUP BY 1 ORDER BY s DESC LIMIT 10",
    ),
    (
        "M15",
        "SELECT \"partition\", SUM(bytes_in) AS s FROM usage WHERE cluster_id='lkc-1' AND topic='a' \
         AND __time>=TIMESTAMP '2026-01-01 23:00:00' GROUP BY 1 ORDER BY s DESC",
    ),
    (
        "M16-like",
        "SELECT TIME_FLOOR(__time,'PT1H') AS t, COUNT(*) AS n, SUM(bytes_in) AS s FROM usage WHERE topic LIKE '%-dlq' \
         AND __time>=TIMESTAMP '2026-01-01 00:00:00' GROUP BY 1",
    ),
    (
        "M16-regex",
        "SELECT COUNT(*) AS n, SUM(bytes_in) AS s FROM usage \
         WHERE REGEXP_LIKE(topic,'^(orders|billing)\\.[a-z]+\\.(eu|us)\\.') AND __time>=TIMESTAMP '2026-01-01 00:00:00'",
    ),
    (
        "M17",
        "SELECT TIME_FLOOR(__time,'PT1H') AS t, SUM(bytes_in) AS s FROM usage WHERE cluster_id IN ('a','b','c','d','e') \
         AND __time>=TIMESTAMP '2026-01-01 00:00:00' GROUP BY 1",
    ),
    (
        "M18",
        "SELECT region, cluster_type, COUNT(*) AS n, SUM(bytes_in) AS s FROM usage WHERE cloud='aws' AND region<>'us-east-1' \
         AND cluster_type IN ('dedicated','enterprise') AND NOT metric='received_bytes' \
         AND __time>=TIMESTAMP '2026-01-01 00:00:00' GROUP BY 1,2",
    ),
    ("M19", "SELECT cluster_id, LATEST(bytes_in) AS v FROM usage GROUP BY 1"),
    (
        "M20",
        "SELECT org_id, COALESCE(SUM(bytes_in) FILTER (WHERE __time>=TIMESTAMP '2026-01-01 23:00:00'),0) AS a, \
         COALESCE(SUM(bytes_in) FILTER (WHERE __time<TIMESTAMP '2026-01-01 01:00:00'),0) AS b FROM usage \
         WHERE __time>=TIMESTAMP '2026-01-01 23:00:00' OR (__time>=TIMESTAMP '2026-01-01 00:00:00' AND \
         __time<TIMESTAMP '2026-01-01 01:00:00') GROUP BY 1 ORDER BY a-b DESC LIMIT 50",
    ),
];

fn schema() -> DataSourceSchema {
    let dimension = |name: &str, kind| Dimension { name: name.into(), kind };
    let text = |name| dimension(name, DimensionType::String);
    let measure = |name: &str, aggregation| Measure { name: name.into(), aggregation };
    DataSourceSchema {
        dimensions: vec![
            text("cluster_id"),
            text("metric"),
            text("topic"),
            text("org_id"),
            text("env_id"),
            text("cluster_type"),
            text("pkc"),
            text("tenant"),
            dimension("partition", DimensionType::Long),
            text("principal"),
            text("region"),
            text("cloud"),
        ],
        measures: vec![
            measure("bytes_in", Aggregation::LongSum),
            measure("bytes_out", Aggregation::LongSum),
            measure("requests", Aggregation::LongSum),
            measure("errors", Aggregation::LongSum),
            measure("latency_ms", Aggregation::DoubleMax),
        ],
        sort: Vec::new(),
        tenant: None,
        rollup: false,
        query_granularity: "none".parse().expect("a granularity"),
        segment_granularity: "1h".parse().expect("a granularity"),
    }
}

#[tokio::test]
async fn every_query_of_the_workload_aggregates_on_codes() {
    let fixture = Fixture::with_schema(schema(), QueryLimits::default()).await;
    for (name, sql) in QUERIES {
        let (_, rows) = fixture.answer(request(&format!("EXPLAIN {sql}"))).await.expect("a plan");
        let plan = &rows[0];
        let is_native = plan.contains("SegmentAggregate: ") && !plan.contains("SegmentScan");
        let keeps_all = sql.contains("LIMIT") && !plan.contains(" top=[") && !matches!(*name, "M20");
        assert!(is_native && !keeps_all, "{name}: {plan}");
    }
}
