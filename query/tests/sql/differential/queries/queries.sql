-- Queries of queries: the scan is the same, what stands above it is DataFusion's.
SELECT a.tenant, COUNT(*) FROM requests a JOIN requests b ON a.host = b.peer AND a.code = b.code WHERE a.seq < 300 AND b.seq < 300 GROUP BY a.tenant;
SELECT COUNT(*) FROM requests a LEFT JOIN (SELECT DISTINCT peer FROM requests WHERE code = 404) b ON a.host = b.peer WHERE b.peer IS NULL;
SELECT COUNT(*) FROM requests WHERE bytes > (SELECT AVG(bytes) FROM requests);
SELECT tenant, n FROM (SELECT tenant, COUNT(*) AS n FROM requests GROUP BY tenant) AS counts WHERE n > 400;
WITH bad AS (SELECT tenant, host FROM requests WHERE code >= 500) SELECT tenant, COUNT(DISTINCT host) FROM bad GROUP BY tenant;
SELECT tenant, 'raw' AS source, SUM(bytes) FROM requests GROUP BY tenant UNION ALL SELECT tenant, 'rollup', SUM(bytes) FROM hourly GROUP BY tenant;
SELECT tenant, SUM(events) FROM requests GROUP BY tenant EXCEPT SELECT tenant, SUM(events) FROM hourly WHERE tenant <> 'acme' GROUP BY tenant;
SELECT seq, SUM(bytes) OVER (PARTITION BY tenant ORDER BY seq) FROM requests WHERE seq < 200 ORDER BY seq;
SELECT seq, ROW_NUMBER() OVER (PARTITION BY code ORDER BY seq DESC), LAG(seq) OVER (ORDER BY seq) FROM requests WHERE tenant = 'beta' ORDER BY seq LIMIT 40;
SELECT seq FROM requests r WHERE EXISTS (SELECT 1 FROM hourly h WHERE h.tenant = r.tenant AND h.code = r.code AND h.high > 63) AND seq < 100 ORDER BY seq;
