-- How far rows are rolled up is nobody's business, so these ask for merged measures and never for rows.
SELECT SUM(events), SUM(bytes), MIN(size_min), MAX(size_max), SUM(cost), MIN(low), MAX(high) FROM hourly;
SELECT tenant, SUM(events), SUM(bytes) FROM hourly GROUP BY tenant;
SELECT code, SUM(events), SUM(cost) FROM hourly GROUP BY code;
SELECT ok, MIN(low), MAX(high) FROM hourly GROUP BY ok;
SELECT tenant, code, ok, SUM(events) FROM hourly GROUP BY tenant, code, ok;
SELECT SUM(events) FROM hourly WHERE tenant = 'acme';
SELECT SUM(events) FROM hourly WHERE tenant <> 'acme';
SELECT SUM(events) FROM hourly WHERE tenant IS NULL;
SELECT SUM(events), SUM(bytes) FROM hourly WHERE tenant = '' OR code = 503;
SELECT SUM(events) FROM hourly WHERE tenant IN ('beta', '日本') AND NOT ok;
SELECT SUM(events) FROM hourly WHERE tenant LIKE '%e%';
SELECT SUM(events) FROM hourly WHERE regexp_like(tenant, '^[a-b]');
SELECT SUM(events) FROM hourly WHERE code IS NULL AND ok IS NOT NULL;
SELECT SUM(events) FROM hourly WHERE code > 500;
-- by the hour
SELECT SUM(events) FROM hourly WHERE __time >= TIMESTAMP '2026-01-01 05:00:00' AND __time < TIMESTAMP '2026-01-01 19:00:00';
-- by the hour
SELECT SUM(events) FROM hourly WHERE __time < TIMESTAMP '1970-01-01 00:00:00';
-- by the hour
SELECT __time, SUM(events), SUM(bytes) FROM hourly GROUP BY __time;
-- duckdb: SELECT time_bucket(INTERVAL '6 hours', __time), tenant, SUM(cost), MAX(size_max) FROM hourly GROUP BY 1, 2
SELECT TIME_FLOOR(__time, 'PT6H'), tenant, SUM(cost), MAX(size_max) FROM hourly GROUP BY 1, 2;
-- duckdb: SELECT date_trunc('day', __time), SUM(events) FROM hourly WHERE tenant = 'acme' GROUP BY 1
SELECT FLOOR(__time TO DAY), SUM(events) FROM hourly WHERE tenant = 'acme' GROUP BY 1;
-- by the hour
SELECT COUNT(DISTINCT tenant), COUNT(DISTINCT code), COUNT(DISTINCT __time) FROM hourly;
SELECT tenant, SUM(events) AS n FROM hourly GROUP BY tenant ORDER BY n DESC, tenant LIMIT 4;
-- by the hour
SELECT __time, SUM(bytes) AS total FROM hourly WHERE ok GROUP BY __time ORDER BY total DESC, __time LIMIT 10;
SELECT DISTINCT tenant, ok FROM hourly WHERE code = 500;
-- by the hour
SELECT MIN(__time), MAX(__time) FROM hourly;
SELECT code, SUM(events) FILTER (WHERE ok), SUM(bytes) FILTER (WHERE tenant = 'beta') FROM hourly GROUP BY code;
SELECT tenant, SUM(bytes) FROM hourly GROUP BY tenant HAVING SUM(events) > 400;
-- tolerance
SELECT tenant, SUM(cost) / SUM(events) FROM hourly GROUP BY tenant;
-- Rolling up loses no event: the same hours of the raw rows say the same.
-- by the hour
-- duckdb: SELECT r.t, r.n - h.n, r.b - h.b, r.c - h.c FROM (SELECT date_trunc('hour', __time) AS t, COUNT(*) AS n, SUM(bytes) AS b, SUM(cost) AS c FROM requests GROUP BY 1) r JOIN (SELECT __time AS t, SUM(events) AS n, SUM(bytes) AS b, SUM(cost) AS c FROM hourly GROUP BY 1) h ON r.t = h.t
SELECT r.t, r.n - h.n, r.b - h.b, r.c - h.c FROM (SELECT FLOOR(__time TO HOUR) AS t, COUNT(*) AS n, SUM(bytes) AS b, SUM(cost) AS c FROM requests GROUP BY 1) r JOIN (SELECT __time AS t, SUM(events) AS n, SUM(bytes) AS b, SUM(cost) AS c FROM hourly GROUP BY 1) h ON r.t = h.t;
