//! Statements made to exhaust something: a stack, a planner, memory, time, or an answer.

/// `first`, and then `link` so many times.
fn chain(first: &str, link: &str, links: usize) -> String {
    format!("{first}{}", link.repeat(links))
}

/// `core` inside so many pairs.
fn nested(open: &str, core: &str, close: &str, depth: usize) -> String {
    format!("{}{core}{}", open.repeat(depth), close.repeat(depth))
}

fn list(count: usize, item: impl Fn(usize) -> String) -> String {
    (0..count).map(item).collect::<Vec<_>>().join(", ")
}

/// Each level computes `growth` of the one below.
fn levels(count: usize, growth: &str) -> String {
    let bottom = "SELECT org AS s FROM usage".to_owned();
    (0..count).fold(bottom, |below, _| format!("SELECT MAX({growth}) AS s FROM ({below})"))
}

/// WITH queries each of which names the one before twice.
fn doubling(levels: usize) -> String {
    let level = |at: usize| format!("c{} AS (SELECT * FROM c{at} UNION ALL SELECT * FROM c{at})", at + 1);
    format!("WITH c0 AS (SELECT org FROM usage), {} SELECT COUNT(*) FROM c{levels}", list(levels, level))
}

/// Joins and sets whose sizes multiply.
fn products() -> Vec<String> {
    let four = "usage a, usage b, usage c, usage d";
    vec![
        format!("SELECT COUNT(*) FROM {four}"),
        format!("SELECT * FROM {four}"),
        format!("SELECT a.org FROM {four} ORDER BY a.load + d.load LIMIT 10"),
        format!("SELECT DISTINCT a.org, b.org FROM {four}"),
        format!("SELECT COUNT(DISTINCT a.org || b.org) FROM {four}"),
        format!("SELECT MEDIAN(a.load + b.load) FROM {four}"),
        format!("SELECT PERCENTILE_CONT(a.load, 0.5) FROM {four}"),
        format!("SELECT STRING_AGG(a.org || b.org, ',', 16000000) FROM {four}"),
        format!("SELECT ARRAY_AGG(a.org || b.org) FROM {four}"),
        format!("SELECT SUM(a.load) OVER (ORDER BY b.load) FROM {four}"),
        format!("SELECT a.org, b.org, MIN(c.org) FROM {four} GROUP BY a.org, b.org"),
        format!("SELECT LATEST_BY(a.org, d.__time), APPROX_QUANTILE_DS(b.load, 0.5) FROM {four}"),
        "SELECT COUNT(*) FROM usage a JOIN usage b ON a.load < b.load JOIN usage c ON b.load < c.load".to_owned(),
        // Every row has the same key.
        "SELECT COUNT(*) FROM usage a JOIN usage b ON a.events = b.events WHERE a.org || b.org = 'x'".to_owned(),
        "SELECT a.org FROM usage a FULL JOIN usage b ON a.load <> b.load".to_owned(),
        format!("SELECT COUNT(*) FROM (SELECT a.org FROM {four} EXCEPT SELECT a.org FROM {four})"),
        format!("SELECT COUNT(*) FROM (SELECT a.org FROM {four} INTERSECT SELECT b.org FROM {four})"),
        "SELECT COUNT(*) FROM usage a WHERE EXISTS (SELECT 1 FROM usage b, usage c WHERE b.load > a.load)".to_owned(),
        "SELECT (SELECT MAX(b.load) FROM usage b WHERE b.load < a.load) FROM usage a".to_owned(),
        "SELECT (SELECT org FROM usage)".to_owned(),
        "SELECT COUNT(*) FROM usage WHERE org NOT IN (SELECT a.org || b.org FROM usage a, usage b)".to_owned(),
        format!("EXPLAIN ANALYZE SELECT COUNT(*) FROM {four}"),
        format!(
            "SELECT COUNT(*) FROM usage u{}",
            (0..98).map(|at| format!(" JOIN usage t{at} ON t{at}.shard = u.shard")).collect::<String>()
        ),
    ]
}

/// Texts and trees that are larger than they look.
fn shapes() -> Vec<String> {
    let columns = list(12, |at| format!("c{at}"));
    let source = format!("(SELECT {} FROM usage)", list(12, |at| format!("shard + {at} AS c{at}")));
    vec![
        chain("SELECT 1", " + 1", 100_000),
        chain("SELECT TRUE", " OR TRUE", 5_000),
        chain("SELECT 1", " + shard", 490) + " FROM usage",
        chain("SELECT ", "- ", 20_000) + "1",
        format!("SELECT {}", nested("(", "1", ")", 5_000)),
        format!("SELECT {}", nested("CASE WHEN TRUE THEN ", "1", " END", 500)),
        format!("SELECT {} FROM usage", nested("CASE WHEN shard > 1 THEN shard ELSE ", "1", " END", 49)),
        format!("SELECT {}", nested("(SELECT ", "1", ")", 500)),
        format!("SELECT CASE {} END FROM usage", chain("", "WHEN shard = 1 THEN 2 ", 2_400)),
        doubling(40),
        doubling(6),
        format!("SELECT 1 IN ({})", list(100_000, |at| at.to_string())),
        format!("SELECT COUNT(*) FROM usage WHERE org IN ({})", list(9_900, |at| format!("'{at}'"))),
        format!("SELECT {} FROM usage", list(10_000, |at| format!("shard + {at}"))),
        format!("SELECT {} FROM usage", list(3_000, |at| format!("shard AS c{at}"))),
        format!("SELECT GREATEST({}) FROM usage", list(9_000, |at| at.to_string())),
        format!("SELECT COALESCE({}) FROM usage", list(9_000, |_| "shard".to_owned())),
        chain("SELECT COUNT(*) FROM usage", " UNION ALL SELECT COUNT(*) FROM usage", 99),
        chain("SELECT org FROM usage", " INTERSECT SELECT org FROM usage", 99),
        format!("SELECT COUNT(*) FROM {source} GROUP BY CUBE ({columns})"),
        format!("SELECT COUNT(*) FROM {source} GROUP BY CUBE ({})", list(8, |at| format!("c{at}"))),
        format!("SELECT COUNT(*) FROM {source} GROUP BY CUBE ({columns}), CUBE ({columns}), CUBE ({columns})"),
        format!("SELECT COUNT(*) FROM usage GROUP BY ROLLUP ({})", list(60, |at| format!("shard + {at}"))),
        format!("SELECT '{}'", "x".repeat(300 << 10)),
        format!("SELECT \"{}\" FROM usage", "é".repeat(100_000)),
        "/*".repeat(10_000),
        format!("SELECT {}", "CASE WHEN TRUE THEN ".repeat(48)),
        format!("SELECT {}", "POSITION(".repeat(48)),
        format!("SELECT {} FROM FROM", "CAST(FLOOR(".repeat(24)),
        "(".repeat(100_000),
        chain("", "SET a = 1; ", 1_000) + "SELECT 1",
        "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT COUNT(*) FROM r".to_owned(),
        levels(11, "s || s || s || s || s || s || s || s"),
        levels(11, "REPLACE(s, 'o', s || s)"),
    ]
}

/// Functions at their worst.
fn functions() -> Vec<String> {
    let calls = [
        "REPEAT('x', 2000000000)",
        "LPAD('x', 2000000000, 'y')",
        "REPEAT(org, 1000000)",
        "REGEXP_LIKE(org, '(\\w{1,100}){1,100}')",
        "REGEXP_EXTRACT(org, '((a{0,99}){0,99}){0,99}')",
        "REGEXP_LIKE(org, '(a|a?)*b')",
        "TIME_FLOOR(__time, 'PT0S')",
        "TIME_FLOOR(__time, 'P1000000Y')",
        "TIME_SHIFT(__time, 'P1M', 9223372036854775807)",
        "CAST(org AS TIMESTAMP)",
        "CAST('9e999' AS DOUBLE)",
        "shard / (shard - shard)",
        "shard * 9223372036854775807",
        "JSON_VALUE(REPEAT('[', 1000000), '$[0]')",
        "CAST('99999999999999999999999999999999999999' AS DECIMAL(38, 0)) * CAST(99 AS DECIMAL(38, 0))",
        "LAG(shard, 1000000000) OVER (ORDER BY load)",
        "SUM(shard) OVER (ORDER BY load ROWS BETWEEN 1000000000 PRECEDING AND 1000000000 FOLLOWING)",
        "NTILE(1000000000) OVER (ORDER BY load)",
    ];
    let columns = calls.iter().map(|call| format!("SELECT {call} FROM usage"));
    let patterns = [
        format!("SELECT COUNT(*) FROM usage WHERE org LIKE '{}'", "%a".repeat(1_000)),
        format!("SELECT COUNT(*) FROM usage WHERE org || org LIKE '{}b'", "%_".repeat(5_000)),
        format!("SELECT JSON_VALUE(org, '$.a{}') FROM usage", ".a".repeat(10_000)),
    ];
    let groups = [
        "SELECT org, DS_QUANTILES_SKETCH(load, 32768) FROM usage GROUP BY org",
        "SELECT org, DS_THETA(load, 65536) FROM usage GROUP BY org",
        "SELECT org, APPROX_COUNT_DISTINCT_DS_HLL(shard, 21) FROM usage GROUP BY org",
        "SELECT CONCAT(org, CAST(load AS VARCHAR)), COUNT(*) FROM usage GROUP BY 1 ORDER BY 2 DESC",
        "SELECT org FROM usage ORDER BY load LIMIT 9223372036854775807 OFFSET 9223372036854775807",
        "SELECT org FROM usage ORDER BY load LIMIT 10 OFFSET 100000000",
        "SELECT * FROM TABLE(TIME_BUCKETS('0001-01-01/9999-01-01', 'PT1S'))",
        "SELECT * FROM generate_series(1, 1000000000000)",
        "SELECT COUNT(*) FROM UNNEST(ARRAY[1, 2, 3])",
    ];
    columns.chain(patterns).chain(groups.map(str::to_owned)).collect()
}

/// All of them: those that take long beside those that do not.
pub fn statements() -> Vec<String> {
    let groups = [products(), shapes(), functions()];
    let longest = groups.iter().map(Vec::len).max().unwrap_or(0);
    (0..longest).flat_map(|at| groups.iter().filter_map(move |group| group.get(at).cloned())).collect()
}
