-- Ties are broken by the key.
SELECT tenant, COUNT(*) AS n FROM requests GROUP BY tenant ORDER BY n DESC, tenant LIMIT 3;
SELECT host, COUNT(*) AS n FROM requests GROUP BY host ORDER BY n DESC, host LIMIT 10;
SELECT host, COUNT(*) AS n FROM requests GROUP BY host ORDER BY n, host LIMIT 10;
SELECT host, COUNT(*) AS n FROM requests GROUP BY host ORDER BY n DESC, host LIMIT 10 OFFSET 5;
SELECT host, SUM(bytes) AS total FROM requests WHERE tenant = 'acme' GROUP BY host ORDER BY total DESC, host LIMIT 7;
SELECT host, SUM(bytes) AS total FROM requests WHERE code = 503 GROUP BY host ORDER BY total, host LIMIT 7;
SELECT path, MAX(size) AS biggest FROM requests GROUP BY path ORDER BY biggest DESC, path LIMIT 5;
SELECT path, SUM(level) AS total FROM requests GROUP BY path ORDER BY total DESC, path LIMIT 5;
SELECT tenant, path, COUNT(*) AS n FROM requests GROUP BY tenant, path ORDER BY n DESC, tenant, path LIMIT 12;
SELECT path, COUNT(*) AS n FROM requests WHERE path LIKE '/%' GROUP BY path ORDER BY n DESC, path LIMIT 4;
SELECT peer, COUNT(DISTINCT host) AS hosts FROM requests GROUP BY peer ORDER BY hosts DESC, peer LIMIT 6;
SELECT tenant FROM requests GROUP BY tenant ORDER BY tenant;
SELECT tenant FROM requests GROUP BY tenant ORDER BY tenant DESC;
SELECT path FROM requests GROUP BY path ORDER BY path;
SELECT path FROM requests GROUP BY path ORDER BY path DESC LIMIT 9;
SELECT ratio FROM requests GROUP BY ratio ORDER BY ratio;
SELECT big FROM requests GROUP BY big ORDER BY big DESC;
SELECT code, ok, SUM(cost) AS total FROM requests GROUP BY code, ok ORDER BY total DESC, code, ok LIMIT 8;
-- duckdb: SELECT time_bucket(INTERVAL '1 hour', __time) AS t, COUNT(*) AS n FROM requests GROUP BY 1 ORDER BY n DESC, t LIMIT 5
SELECT TIME_FLOOR(__time, 'PT1H') AS t, COUNT(*) AS n FROM requests GROUP BY 1 ORDER BY n DESC, t LIMIT 5;
-- duckdb: SELECT time_bucket(INTERVAL '6 hours', __time) AS t, host, SUM(bytes) AS total FROM requests WHERE ok GROUP BY 1, 2 ORDER BY total DESC, t, host LIMIT 20
SELECT TIME_FLOOR(__time, 'PT6H') AS t, host, SUM(bytes) AS total FROM requests WHERE ok GROUP BY 1, 2 ORDER BY total DESC, t, host LIMIT 20;
