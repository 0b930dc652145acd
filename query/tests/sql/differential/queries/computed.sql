SELECT SUM(bytes * code), MIN(bytes - size), MAX(seq * seq), COUNT(bytes + code) FROM requests;
SELECT tenant, SUM(bytes * 2 - seq), MAX(CASE WHEN ok THEN bytes ELSE size END) FROM requests GROUP BY tenant;
SELECT tenant, code, SUM(CASE WHEN path LIKE '/a%' THEN bytes ELSE 0 END), COUNT(*) FROM requests GROUP BY tenant, code;
SELECT SUM(CASE WHEN host IS NULL THEN 1 ELSE 0 END), SUM(CASE WHEN tenant = 'acme' THEN 1 WHEN ok THEN 2 END) FROM requests;
-- duckdb: SELECT time_bucket(INTERVAL '1 hour', __time), SUM(level * 2), SUM(CASE WHEN code >= 500 THEN cost ELSE level END) FROM requests GROUP BY 1
-- tolerance
SELECT TIME_FLOOR(__time, 'PT1H'), SUM(level * 2), SUM(CASE WHEN code >= 500 THEN cost ELSE level END) FROM requests GROUP BY 1;
SELECT MIN(level - cost), MAX(-level), MIN(ABS(bytes)), MAX(level * level) FROM requests;
SELECT SUM(bytes + size) FILTER (WHERE ok), SUM(bytes + size) FILTER (WHERE code = 503), COUNT(NULLIF(code, 200)) FROM requests;
-- Lengths are UTF-16 units.
-- duckdb: SELECT tenant, SUM((LENGTH(path) + LENGTH(regexp_replace(path, '[\x{0}-\x{FFFF}]', '', 'g')))), MAX((LENGTH(host) + LENGTH(regexp_replace(host, '[\x{0}-\x{FFFF}]', '', 'g'))) + code) FROM requests WHERE code <> 404 GROUP BY tenant
SELECT tenant, SUM(LENGTH(path)), MAX(LENGTH(host) + code) FROM requests WHERE code <> 404 GROUP BY tenant;
SELECT MIN(code > 300), MAX(ok AND code > 300), MAX(ok) FROM requests;
-- henge only: DuckDB's division of integers has a fraction
SELECT SUM(bytes / NULLIF(code - 200, 0)), MAX(1000 / code) FROM requests WHERE code > 0;
SELECT path, SUM(bytes * code) AS s FROM requests GROUP BY path ORDER BY s DESC, path LIMIT 5;
SELECT SUM(bytes * code) FROM requests WHERE tenant = 'nobody';
SELECT code, SUM(seq * code) FILTER (WHERE path = 'nowhere') FROM requests GROUP BY code;
SELECT UPPER(tenant), SUM(bytes * code), COUNT(bytes - seq) FROM requests GROUP BY 1;
-- tolerance
SELECT AVG(bytes * code), AVG(level - cost), AVG(CASE WHEN ok THEN 1 ELSE 0 END) FROM requests;
-- tolerance
SELECT SUM(level / 3), SUM(bytes * 5e-1) FROM requests;
