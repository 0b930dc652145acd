-- One value of a column, and all others. COUNT and SUM(seq) together name the rows well enough.
SELECT COUNT(*), SUM(seq) FROM requests WHERE tenant = 'acme';
SELECT COUNT(*), SUM(seq) FROM requests WHERE tenant <> 'acme';
SELECT COUNT(*), SUM(seq) FROM requests WHERE tenant = '';
SELECT COUNT(*), SUM(seq) FROM requests WHERE tenant <> '';
SELECT COUNT(*), SUM(seq) FROM requests WHERE tenant = 'Ünïcode GmbH';
SELECT COUNT(*), SUM(seq) FROM requests WHERE '日本' = tenant;
SELECT COUNT(*), SUM(seq) FROM requests WHERE host = 'host-007.us.example';
SELECT COUNT(*), SUM(seq) FROM requests WHERE path = '/exactly12by';
SELECT COUNT(*), SUM(seq) FROM requests WHERE path = '/thirteenbyte';
SELECT COUNT(*), SUM(seq) FROM requests WHERE path = 'naïve';
-- The same letters, decomposed.
SELECT COUNT(*), SUM(seq) FROM requests WHERE path = 'naïve';
SELECT COUNT(*), SUM(seq) FROM requests WHERE path = 'it''s';
SELECT COUNT(*), SUM(seq) FROM requests WHERE path = '🦀 crab';
SELECT COUNT(*), SUM(seq) FROM requests WHERE path <> '/api' AND path <> '/';
SELECT COUNT(*), SUM(seq) FROM requests WHERE code = 404;
SELECT COUNT(*), SUM(seq) FROM requests WHERE code <> 404;
SELECT COUNT(*), SUM(seq) FROM requests WHERE ok = TRUE;
SELECT COUNT(*), SUM(seq) FROM requests WHERE ok = FALSE;
SELECT COUNT(*), SUM(seq) FROM requests WHERE ok <> TRUE;
SELECT COUNT(*), SUM(seq) FROM requests WHERE seq = 1234;
SELECT COUNT(*), SUM(seq) FROM requests WHERE level = 1.5;
SELECT COUNT(*), SUM(seq) FROM requests WHERE tenant IS NOT DISTINCT FROM 'beta';
SELECT COUNT(*), SUM(seq) FROM requests WHERE tenant IS DISTINCT FROM 'beta';
SELECT COUNT(*), SUM(seq) FROM requests WHERE code IS DISTINCT FROM 200;
SELECT COUNT(*), SUM(seq) FROM requests WHERE UPPER(tenant) = 'ACME';
SELECT COUNT(*), SUM(seq) FROM requests WHERE LENGTH(path) = 5;
