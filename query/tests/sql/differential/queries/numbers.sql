-- NaN is greater than every other number and equal to itself. `ratio` has no negative zero.
SELECT COUNT(*), SUM(seq) FROM requests WHERE ratio > 1e308;
SELECT COUNT(*), SUM(seq) FROM requests WHERE ratio < -1e308;
SELECT COUNT(*), SUM(seq) FROM requests WHERE ratio >= 0.1 AND ratio <= 41;
SELECT COUNT(*), SUM(seq) FROM requests WHERE ratio = 0.30000000000000004;
SELECT COUNT(*), SUM(seq) FROM requests WHERE ratio <> 1.0;
SELECT COUNT(*), SUM(seq) FROM requests WHERE ratio = CAST('NaN' AS DOUBLE);
SELECT COUNT(*), SUM(seq) FROM requests WHERE ratio <> CAST('NaN' AS DOUBLE);
SELECT COUNT(*), SUM(seq) FROM requests WHERE ratio < CAST('NaN' AS DOUBLE);
SELECT COUNT(*), SUM(seq) FROM requests WHERE ratio >= CAST('Infinity' AS DOUBLE);
SELECT COUNT(*), SUM(seq) FROM requests WHERE ratio > CAST('-Infinity' AS DOUBLE) AND ratio < CAST('Infinity' AS DOUBLE);
SELECT COUNT(*), SUM(seq) FROM requests WHERE ratio = CAST('-Infinity' AS DOUBLE);
SELECT COUNT(*), SUM(seq) FROM requests WHERE ratio IN (0.1, 1.0, CAST('NaN' AS DOUBLE), CAST('Infinity' AS DOUBLE));
SELECT COUNT(*), SUM(seq) FROM requests WHERE ratio NOT IN (0.1, 1.0, CAST('NaN' AS DOUBLE));
SELECT COUNT(*), SUM(seq) FROM requests WHERE ratio > 4.9e-324;
SELECT COUNT(*), SUM(seq) FROM requests WHERE ratio > 0 AND ratio < 1e-300;
SELECT COUNT(*), SUM(seq) FROM requests WHERE ratio < 0 AND ratio > -1e-300;
SELECT COUNT(*), SUM(seq) FROM requests WHERE ratio = 41;
SELECT COUNT(*), SUM(seq) FROM requests WHERE ratio = 9007199254740992;
SELECT COUNT(*), SUM(seq) FROM requests WHERE CAST(big AS DOUBLE) = CAST(9007199254740992 AS DOUBLE);
SELECT COUNT(*), SUM(seq) FROM requests WHERE CAST(big AS DOUBLE) > CAST(9007199254740992 AS DOUBLE);
-- duckdb: SELECT COUNT(*), SUM(seq) FROM requests WHERE CAST(big AS DOUBLE) > CAST(40.5 AS DOUBLE)
SELECT COUNT(*), SUM(seq) FROM requests WHERE big > 40.5;
-- duckdb: SELECT COUNT(*), SUM(seq) FROM requests WHERE CAST(big AS DOUBLE) <= CAST(-1 AS DOUBLE)
SELECT COUNT(*), SUM(seq) FROM requests WHERE big <= -1.0;
SELECT COUNT(*), SUM(seq) FROM requests WHERE CAST(code AS VARCHAR) = '404';
SELECT COUNT(*), SUM(seq) FROM requests WHERE CAST(code AS VARCHAR) LIKE '5%';
SELECT COUNT(*), SUM(seq) FROM requests WHERE code + 1 = 405;
SELECT COUNT(*), SUM(seq) FROM requests WHERE seq % 7 = 3;
SELECT COUNT(*), SUM(seq) FROM requests WHERE bytes * 2 > 2000000;
SELECT COUNT(*), SUM(seq) FROM requests WHERE ABS(size) < 1000000000;
SELECT COUNT(*), SUM(seq) FROM requests WHERE level * 2 = 3.0;
SELECT COUNT(*), SUM(seq) FROM requests WHERE FLOOR(level) = -1;
-- henge only: DuckDB reads the text as a number of its own accord in fewer places
SELECT COUNT(*), SUM(seq) FROM requests WHERE code = '404';
