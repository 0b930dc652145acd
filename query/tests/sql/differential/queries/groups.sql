SELECT tenant, COUNT(*), SUM(bytes), MIN(size), MAX(size) FROM requests GROUP BY tenant;
SELECT path, COUNT(*), SUM(bytes) FROM requests GROUP BY path;
SELECT code, COUNT(*), SUM(level) FROM requests GROUP BY code;
SELECT ok, COUNT(*), MIN(host), MAX(host) FROM requests GROUP BY ok;
SELECT big, COUNT(*) FROM requests GROUP BY big;
SELECT ratio, COUNT(*) FROM requests GROUP BY ratio;
SELECT host, COUNT(*), SUM(seq) FROM requests GROUP BY host;
SELECT tenant, code, COUNT(*), SUM(cost) FROM requests GROUP BY tenant, code;
SELECT tenant, path, ok, COUNT(*) FROM requests WHERE level > 0 GROUP BY tenant, path, ok;
SELECT tenant, COUNT(DISTINCT host), COUNT(DISTINCT path), COUNT(DISTINCT code) FROM requests GROUP BY tenant;
SELECT code, COUNT(DISTINCT tenant) FROM requests WHERE path LIKE '/api%' GROUP BY code;
SELECT tenant, MIN(path), MAX(path), MIN(__time), MAX(__time) FROM requests GROUP BY tenant;
-- Without NaN, which no decoder lets in: DataFusion's grouped MIN and MAX depend on the order of rows where there is one.
SELECT tenant, MIN(ratio), MAX(ratio) FROM requests WHERE ratio < CAST('NaN' AS DOUBLE) GROUP BY tenant;
SELECT tenant, MIN(big), MAX(big) FROM requests GROUP BY tenant;
-- duckdb: SELECT UPPER(tenant), (LENGTH(path) + LENGTH(regexp_replace(path, '[\x{0}-\x{FFFF}]', '', 'g'))), COUNT(*) FROM requests GROUP BY 1, 2
SELECT UPPER(tenant), LENGTH(path), COUNT(*) FROM requests GROUP BY 1, 2;
SELECT COALESCE(tenant, '?'), COUNT(*) FROM requests GROUP BY 1;
SELECT tenant = 'acme', COUNT(*) FROM requests GROUP BY 1;
SELECT code >= 400, ok, COUNT(*), SUM(events) FROM requests GROUP BY 1, 2;
SELECT tenant, COUNT(*) FROM requests GROUP BY tenant HAVING COUNT(*) > 500;
SELECT code, SUM(bytes) FROM requests WHERE tenant <> 'acme' GROUP BY code HAVING SUM(bytes) > 10000000;
SELECT tenant, SUM(bytes) FILTER (WHERE code >= 400), COUNT(*) FILTER (WHERE ok) FROM requests GROUP BY tenant;
SELECT CASE WHEN code < 300 THEN 'good' WHEN code < 500 THEN 'odd' ELSE 'bad' END AS class, COUNT(*) FROM requests GROUP BY 1;
SELECT DISTINCT tenant FROM requests;
SELECT DISTINCT code, ok FROM requests WHERE tenant = '日本';
SELECT DISTINCT path FROM requests WHERE path > 'a';
SELECT tenant, code, COUNT(*) FROM requests GROUP BY ROLLUP (tenant, code);
-- tolerance
SELECT tenant, AVG(bytes), AVG(level) FROM requests GROUP BY tenant;
-- tolerance
SELECT code, AVG(cost), STDDEV(level) FROM requests GROUP BY code;
SELECT LENGTH(host), COUNT(*), COUNT(bytes), SUM(bytes), MIN(size), MAX(level) FROM requests GROUP BY LENGTH(host);
-- duckdb: SELECT COALESCE(tenant, 'none') AS t, ok, COUNT(*), SUM(bytes) FROM requests GROUP BY COALESCE(tenant, 'none'), ok
SELECT COALESCE(tenant, 'none') AS t, ok, COUNT(*), SUM(bytes) FROM requests GROUP BY COALESCE(tenant, 'none'), ok;
SELECT CASE WHEN path LIKE '/api%' THEN 'api' WHEN path IS NULL THEN NULL ELSE 'other' END AS kind, COUNT(*), SUM(seq), COUNT(*) FILTER (WHERE code = 200) FROM requests GROUP BY 1;
-- tolerance
SELECT UPPER(host) AS host, AVG(level), AVG(seq), SUM(cost) FROM requests GROUP BY 1;
SELECT COUNT(*), SUM(seq), MIN(bytes), MAX(seq) FROM requests WHERE LENGTH(path) = 4;
SELECT tenant, COUNT(*), SUM(seq) FROM requests WHERE LENGTH(path) > 4 AND bytes > 0 AND __time < TIMESTAMP '2026-01-02 00:00:00' GROUP BY tenant;
SELECT DISTINCT code % 100 FROM requests;
SELECT COUNT(*), COUNT(level), SUM(seq), AVG(seq) FROM requests WHERE LENGTH(path) = 400;
-- henge only: its times have no zone
SELECT EXTRACT(HOUR FROM __time) AS h, EXTRACT(ISODOW FROM __time) AS d, COUNT(*), SUM(seq) FROM requests GROUP BY 1, 2;
-- Hours are never null, and groups of groups know it.
SELECT h, COUNT(*), MIN(p) FROM (SELECT code + 1 AS c, EXTRACT(HOUR FROM __time) AS h, MIN(path) AS p FROM requests GROUP BY 1, 2) AS t GROUP BY h;
SELECT CAST(__time AS DATE) AS d, COUNT(*), SUM(seq) FROM requests GROUP BY 1;
