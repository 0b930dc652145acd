//! Queries that take long, by what they are busy with.

use anyhow::ensure;

use crate::server::Server;

/// Over all rows, by native operators.
pub const NATIVE: [&str; 4] = [
    "SELECT topic, principal, SUM(bytes_in) AS s FROM events GROUP BY 1, 2 ORDER BY s DESC LIMIT 10",
    "SELECT cluster_id, COUNT(DISTINCT principal) AS d FROM events GROUP BY 1 ORDER BY d DESC LIMIT 10",
    "SELECT TIME_FLOOR(__time, 'PT1M') AS t, topic, SUM(bytes_out) AS s FROM events GROUP BY 1, 2 ORDER BY s DESC LIMIT 10",
    "SELECT cluster_id, metric, MAX(latency_ms) AS m FROM events GROUP BY 1, 2 ORDER BY m DESC LIMIT 10",
];

/// Over all rows, by DataFusion's operators.
pub const DATAFUSION: [&str; 4] = [
    "SELECT COUNT(DISTINCT (bytes_in + 1) % 1000) FROM events",
    "SELECT COUNT(DISTINCT CONCAT(region, metric)) FROM events",
    "SELECT SUM(n) FROM (SELECT bytes_in % 100 AS k, bytes_out % 100 AS l, COUNT(*) AS n FROM events GROUP BY 1, 2)",
    "SELECT COUNT(*) FROM (SELECT cluster_id AS a FROM events WHERE __time >= TIMESTAMP '2026-03-01 23:00:00') \
     CROSS JOIN (SELECT topic AS b FROM events WHERE __time >= TIMESTAMP '2026-03-01 23:00:00') WHERE a || b = '1'",
];

/// What works at one thing for long.
pub const STUBBORN: [(&str, &str); 8] = [
    ("cross join", DATAFUSION[3]),
    (
        "join of equal keys",
        "SELECT SUM(a.bytes_in * b.bytes_in % 7) FROM events a JOIN events b ON a.region = b.region AND a.metric = b.metric",
    ),
    (
        "regular expression over a long dictionary",
        "SELECT COUNT(*) FROM events WHERE REGEXP_LIKE(topic, '(a|b|c).*(d|e).*v[0-9]+$')",
    ),
    ("LIKE over a long dictionary", "SELECT COUNT(*) FROM events WHERE topic LIKE '%a%e%i%v1%'"),
    (
        "sort of many rows",
        "SELECT cluster_id, topic, bytes_in FROM events WHERE bytes_in % 7 = 3 ORDER BY topic, bytes_in",
    ),
    ("many groups", "SELECT cluster_id, topic, principal, partition, SUM(bytes_in) FROM events GROUP BY 1, 2, 3, 4"),
    ("many groups, the top ones", NATIVE[0]),
    (
        "window",
        "SELECT MAX(n) FROM (SELECT ROW_NUMBER() OVER (PARTITION BY topic ORDER BY __time) AS n FROM events WHERE __time >= TIMESTAMP '2026-03-01 20:00:00')",
    ),
];

/// Holds the lists to what they say, for the planner learns.
pub fn check(server: &Server) -> anyhow::Result<()> {
    for (queries, reads_rows) in [(NATIVE, false), (DATAFUSION, true)] {
        for sql in queries {
            let plan = format!("{:?}", server.sql(&format!("EXPLAIN PLAN FOR {sql}"))?);
            ensure!(plan.contains("SegmentScan") == reads_rows, "another way than expected: {sql}: {plan}");
        }
    }
    Ok(())
}
