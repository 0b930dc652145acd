SELECT COUNT(*) FROM requests;
SELECT SUM(bytes), MIN(bytes), MAX(bytes), COUNT(bytes) FROM requests;
SELECT SUM(size), MIN(size), MAX(size) FROM requests WHERE tenant = 'acme';
SELECT SUM(level), SUM(cost), MIN(level), MAX(cost) FROM requests;
SELECT MIN(ratio), MAX(ratio) FROM requests;
SELECT MIN(ratio), MAX(ratio) FROM requests WHERE ratio < 1e300;
SELECT MIN(big), MAX(big) FROM requests;
SELECT MIN(tenant), MAX(tenant), MIN(path), MAX(path) FROM requests;
SELECT MIN(host), MAX(peer) FROM requests WHERE host LIKE '%us%';
SELECT COUNT(DISTINCT tenant), COUNT(DISTINCT host), COUNT(DISTINCT path), COUNT(DISTINCT code), COUNT(DISTINCT ok), COUNT(DISTINCT big) FROM requests;
SELECT COUNT(DISTINCT seq), COUNT(DISTINCT level) FROM requests WHERE tenant IN ('acme', '');
SELECT COUNT(DISTINCT host) FROM requests WHERE code = 503;
SELECT SUM(DISTINCT code) FROM requests;
SELECT SUM(bytes + 1), SUM(bytes) + 1, SUM(2 * size) FROM requests;
SELECT SUM(CASE WHEN ok THEN bytes ELSE 0 END) FROM requests;
SELECT SUM(events), COUNT(*) FROM requests WHERE path LIKE '/%';
SELECT SUM(bytes) FROM requests WHERE host = 'host-001.us.example' AND __time < TIMESTAMP '2026-01-02 00:00:00';
SELECT MIN(__time), MAX(__time) FROM requests WHERE tenant = '';
SELECT BOOL_AND(ok), BOOL_OR(ok) FROM requests WHERE code = 200;
SELECT SUM(CAST(big AS DECIMAL(38, 0))) FROM requests;
SELECT SUM(bytes) - MIN(bytes), MAX(size) - MIN(size) FROM requests WHERE level IS NOT NULL;
-- tolerance
SELECT AVG(bytes), AVG(level), AVG(code) FROM requests;
-- tolerance
SELECT SUM(ratio), AVG(ratio) FROM requests WHERE ratio BETWEEN 0.05 AND 50;
-- tolerance
SELECT STDDEV(bytes), VAR_POP(level) FROM requests WHERE tenant = 'acme';
SELECT SUM(CASE WHEN ok THEN bytes END), COUNT(CASE WHEN code = 200 THEN 1 END), AVG(CASE WHEN tenant = 'acme' THEN level END) FROM requests;
