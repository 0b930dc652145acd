-- The first rows in an order; `seq` makes every order total.
SELECT seq, tenant FROM requests ORDER BY tenant, seq LIMIT 30;
SELECT seq, tenant FROM requests ORDER BY tenant DESC NULLS FIRST, seq DESC LIMIT 30;
SELECT seq, host FROM requests ORDER BY host DESC, seq LIMIT 45;
SELECT seq, path FROM requests WHERE tenant = 'acme' ORDER BY path NULLS LAST, seq LIMIT 700;
SELECT seq, path, host FROM requests ORDER BY path DESC NULLS LAST, host, seq DESC LIMIT 25 OFFSET 40;
SELECT seq, code FROM requests ORDER BY code, seq LIMIT 10;
SELECT seq, code FROM requests ORDER BY code DESC, seq LIMIT 10 OFFSET 3000;
SELECT seq, big FROM requests ORDER BY big, seq LIMIT 1200;
SELECT seq, big FROM requests WHERE ok ORDER BY big DESC NULLS LAST, seq LIMIT 64;
SELECT seq, ok FROM requests ORDER BY ok DESC, seq DESC LIMIT 12;
SELECT seq, ok, tenant FROM requests ORDER BY ok NULLS LAST, tenant, seq LIMIT 1025;
SELECT seq, ratio FROM requests ORDER BY ratio DESC, seq LIMIT 900;
SELECT seq, ratio FROM requests ORDER BY ratio NULLS LAST, seq LIMIT 900;
SELECT seq, level FROM requests WHERE code IN (404, 500) ORDER BY level DESC, seq LIMIT 20;
SELECT seq, bytes, size FROM requests ORDER BY bytes DESC NULLS LAST, seq LIMIT 10;
SELECT seq, size FROM requests WHERE __time >= TIMESTAMP '2026-01-01 03:30:00' AND __time < TIMESTAMP '2026-01-02 01:15:00' ORDER BY size, seq LIMIT 10;
SELECT __time, seq FROM requests WHERE host LIKE '%.eu.%' ORDER BY __time DESC, seq DESC LIMIT 100;
SELECT __time, tenant, seq FROM requests ORDER BY tenant DESC, __time DESC, seq LIMIT 50;
SELECT __time, seq FROM requests WHERE __time < TIMESTAMP '2026-01-01 02:00:00' ORDER BY __time, seq LIMIT 17 OFFSET 8;
SELECT t, CHAR_LENGTH(p) AS u FROM (SELECT seq, tenant AS t, path AS p, bytes FROM requests) AS r ORDER BY r.bytes, r.seq LIMIT 9;
SELECT seq, tenant FROM requests WHERE tenant = 'no such tenant' OR host = 'host-001.us.example' ORDER BY peer, seq LIMIT 9;
SELECT COUNT(*), SUM(seq), MIN(bytes) FROM (SELECT seq, bytes FROM requests ORDER BY bytes DESC NULLS LAST, seq LIMIT 333) AS largest;
-- The doubles that differ in their signs alone.
-- henge only: DuckDB takes zeros and NaN of either sign for equal
SELECT seq, signed FROM requests ORDER BY signed, seq LIMIT 2000;
-- henge only: DuckDB takes zeros and NaN of either sign for equal
SELECT seq, signed FROM requests ORDER BY signed DESC, seq LIMIT 2000;
