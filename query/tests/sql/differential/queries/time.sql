SELECT COUNT(*), SUM(seq), MIN(__time), MAX(__time) FROM requests;
SELECT COUNT(*), SUM(seq) FROM requests WHERE __time >= TIMESTAMP '2026-01-01 06:00:00';
SELECT COUNT(*), SUM(seq) FROM requests WHERE __time > TIMESTAMP '2026-01-01 06:00:00';
SELECT COUNT(*), SUM(seq) FROM requests WHERE __time < TIMESTAMP '2026-01-01 06:00:00';
SELECT COUNT(*), SUM(seq) FROM requests WHERE __time <= TIMESTAMP '2026-01-01 06:00:00';
SELECT COUNT(*), SUM(seq) FROM requests WHERE __time >= TIMESTAMP '2026-01-01 05:59:59.999' AND __time < TIMESTAMP '2026-01-01 07:00:00';
SELECT COUNT(*), SUM(seq) FROM requests WHERE __time BETWEEN TIMESTAMP '2026-01-01 03:00:00' AND TIMESTAMP '2026-01-02 03:00:00';
SELECT COUNT(*), SUM(seq) FROM requests WHERE __time NOT BETWEEN TIMESTAMP '2026-01-01 03:00:00' AND TIMESTAMP '2026-01-02 03:00:00';
SELECT COUNT(*), SUM(seq) FROM requests WHERE NOT (__time >= TIMESTAMP '2026-01-01 03:00:00' AND __time < TIMESTAMP '2026-01-02 03:00:00');
SELECT COUNT(*), SUM(seq) FROM requests WHERE __time < TIMESTAMP '1970-01-01 00:00:00';
SELECT COUNT(*), SUM(seq) FROM requests WHERE __time = TIMESTAMP '1969-12-31 23:59:59.999';
SELECT COUNT(*), SUM(seq) FROM requests WHERE __time > TIMESTAMP '9000-01-01 00:00:00';
SELECT COUNT(*), SUM(seq) FROM requests WHERE __time >= DATE '2026-01-02';
SELECT COUNT(*), SUM(seq) FROM requests WHERE CAST(__time AS DATE) = DATE '2026-01-02';
SELECT COUNT(*), SUM(seq) FROM requests WHERE CAST(__time AS DATE) <> DATE '2026-01-01';
SELECT COUNT(*), SUM(seq) FROM requests WHERE __time < TIMESTAMP '2026-01-01 01:00:00' OR __time >= TIMESTAMP '2026-01-02 23:00:00';
SELECT COUNT(*), SUM(seq) FROM requests WHERE __time >= TIMESTAMP '2026-01-01 01:00:00' AND tenant = 'acme' AND __time < TIMESTAMP '2026-01-01 13:00:00';
SELECT COUNT(*), SUM(seq) FROM requests WHERE tenant = 'acme' OR __time < TIMESTAMP '2026-01-01 13:00:00';
SELECT COUNT(*), SUM(seq) FROM requests WHERE (__time < TIMESTAMP '2026-01-01 03:00:00' AND code = 200) OR (__time > TIMESTAMP '2026-01-02 20:00:00' AND code = 404);
SELECT COUNT(*), SUM(seq) FROM requests WHERE __time IN (TIMESTAMP '1969-12-31 23:59:59.999', TIMESTAMP '2026-01-01 05:59:59.999', TIMESTAMP '2026-01-02 00:00:00');
SELECT COUNT(*), SUM(seq) FROM requests WHERE __time <> TIMESTAMP '1969-12-31 23:59:59.999';
SELECT COUNT(*), SUM(seq) FROM requests WHERE __time >= TIMESTAMP '2026-01-02 00:00:00' - INTERVAL '90' MINUTE AND __time < TIMESTAMP '2026-01-02 00:00:00';
-- duckdb: SELECT COUNT(*), SUM(seq) FROM requests WHERE epoch_ms(__time) < 1767250000000
SELECT COUNT(*), SUM(seq) FROM requests WHERE TIMESTAMP_TO_MILLIS(__time) < 1767250000000;
-- duckdb: SELECT COUNT(*), SUM(seq) FROM requests WHERE __time < make_timestamp(1767250000000000)
SELECT COUNT(*), SUM(seq) FROM requests WHERE __time < MILLIS_TO_TIMESTAMP(1767250000000);
-- duckdb: SELECT COUNT(*), SUM(seq) FROM requests WHERE date_trunc('hour', __time) = TIMESTAMP '2026-01-01 05:00:00'
SELECT COUNT(*), SUM(seq) FROM requests WHERE FLOOR(__time TO HOUR) = TIMESTAMP '2026-01-01 05:00:00';
-- duckdb: SELECT COUNT(*), SUM(seq) FROM requests WHERE time_bucket(INTERVAL '6 hours', __time) >= TIMESTAMP '2026-01-02 06:00:00'
SELECT COUNT(*), SUM(seq) FROM requests WHERE TIME_FLOOR(__time, 'PT6H') >= TIMESTAMP '2026-01-02 06:00:00';
SELECT COUNT(*), SUM(seq) FROM requests WHERE EXTRACT(HOUR FROM __time) = 5;
-- duckdb: SELECT time_bucket(INTERVAL '1 hour', __time), COUNT(*), SUM(bytes) FROM requests GROUP BY 1
SELECT TIME_FLOOR(__time, 'PT1H'), COUNT(*), SUM(bytes) FROM requests GROUP BY 1;
-- duckdb: SELECT time_bucket(INTERVAL '6 hours', __time), tenant, COUNT(*) FROM requests WHERE code >= 400 GROUP BY 1, 2
SELECT TIME_FLOOR(__time, 'PT6H'), tenant, COUNT(*) FROM requests WHERE code >= 400 GROUP BY 1, 2;
-- duckdb: SELECT time_bucket(INTERVAL '5 minutes', __time), MAX(size) FROM requests WHERE __time >= TIMESTAMP '2026-01-01 04:00:00' AND __time < TIMESTAMP '2026-01-01 08:00:00' GROUP BY 1
SELECT TIME_FLOOR(__time, 'PT5M'), MAX(size) FROM requests WHERE __time >= TIMESTAMP '2026-01-01 04:00:00' AND __time < TIMESTAMP '2026-01-01 08:00:00' GROUP BY 1;
-- duckdb: SELECT date_trunc('day', __time), SUM(level), MIN(path) FROM requests GROUP BY 1
SELECT TIME_FLOOR(__time, 'P1D'), SUM(level), MIN(path) FROM requests GROUP BY 1;
-- duckdb: SELECT date_trunc('week', __time), COUNT(DISTINCT host) FROM requests GROUP BY 1
SELECT TIME_FLOOR(__time, 'P1W'), COUNT(DISTINCT host) FROM requests GROUP BY 1;
-- duckdb: SELECT date_trunc('month', __time), COUNT(*) FROM requests GROUP BY 1
SELECT FLOOR(__time TO MONTH), COUNT(*) FROM requests GROUP BY 1;
-- duckdb: SELECT date_trunc('year', __time), COUNT(*) FROM requests GROUP BY 1
SELECT TIME_FLOOR(__time, 'P1Y'), COUNT(*) FROM requests GROUP BY 1;
-- duckdb: SELECT time_bucket(INTERVAL '1 hour', __time) AS t, COUNT(*) AS n FROM requests WHERE tenant = 'beta' GROUP BY 1 ORDER BY t LIMIT 10
SELECT TIME_FLOOR(__time, 'PT1H') AS t, COUNT(*) AS n FROM requests WHERE tenant = 'beta' GROUP BY 1 ORDER BY t LIMIT 10;
-- duckdb: SELECT time_bucket(INTERVAL '1 day', __time AT TIME ZONE 'UTC' AT TIME ZONE 'America/Los_Angeles') AS t, COUNT(*) FROM requests WHERE __time >= TIMESTAMP '2020-01-01 00:00:00' AND __time < TIMESTAMP '2030-01-01 00:00:00' GROUP BY 1
SELECT TIME_FLOOR(__time, 'P1D', NULL, 'America/Los_Angeles') - INTERVAL '8' HOUR AS t, COUNT(*) FROM requests WHERE __time >= TIMESTAMP '2020-01-01 00:00:00' AND __time < TIMESTAMP '2030-01-01 00:00:00' GROUP BY 1;
