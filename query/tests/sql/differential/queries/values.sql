-- The distinct values of a column.
SELECT DISTINCT path FROM requests ORDER BY path;
SELECT DISTINCT path FROM requests ORDER BY path DESC NULLS FIRST LIMIT 7;
SELECT DISTINCT host FROM requests ORDER BY host NULLS LAST LIMIT 100 OFFSET 250;
SELECT DISTINCT host FROM requests WHERE host LIKE 'host-1%' ORDER BY host LIMIT 20;
SELECT DISTINCT host FROM requests WHERE host LIKE '%7.us.%' OR host IS NULL ORDER BY host DESC;
SELECT DISTINCT path FROM requests WHERE path NOT LIKE '/%' AND path > 'b' ORDER BY path LIMIT 10;
SELECT DISTINCT path FROM requests WHERE NOT (path LIKE '/%' OR path IS NULL) ORDER BY path;
SELECT DISTINCT tenant FROM requests WHERE code = 503 ORDER BY tenant;
SELECT DISTINCT peer FROM requests WHERE __time >= TIMESTAMP '2026-01-01 05:00:00' AND __time < TIMESTAMP '2026-01-01 05:20:00' ORDER BY peer LIMIT 8;
SELECT DISTINCT host FROM requests WHERE host LIKE 'host-2%' AND __time >= TIMESTAMP '2026-01-01 06:00:00' AND __time < TIMESTAMP '2026-01-01 18:00:00' ORDER BY host;
SELECT DISTINCT host FROM requests WHERE host = peer ORDER BY host LIMIT 12;
SELECT COUNT(*), COUNT(host), MIN(host), MAX(host) FROM (SELECT DISTINCT host FROM requests) AS hosts;
SELECT COUNT(*) FROM (SELECT path FROM requests GROUP BY path) AS paths;
SELECT p FROM (SELECT DISTINCT path AS p FROM requests WHERE ok) AS paths WHERE p LIKE '/api%' ORDER BY p DESC LIMIT 3;
SELECT tenant FROM requests GROUP BY tenant HAVING tenant > 'a' ORDER BY tenant;
SELECT DISTINCT tenant FROM hourly ORDER BY tenant;
