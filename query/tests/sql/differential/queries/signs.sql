-- The zeros are equal. There are as many NaN as there are bits for them, below and above all other numbers; to DuckDB they
-- are one.
SELECT COUNT(*), SUM(seq) FROM requests WHERE signed = 0.0;
SELECT COUNT(*), SUM(seq) FROM requests WHERE signed = -0.0;
SELECT COUNT(*), SUM(seq) FROM requests WHERE signed IN (0.0, 1.0);
SELECT COUNT(*), SUM(seq) FROM requests WHERE signed BETWEEN -0.0 AND 0.0;
SELECT COUNT(*), SUM(seq) FROM requests WHERE signed > -0.0 AND signed < 1.0 OR signed IS NULL;
SELECT signed IS NULL, COUNT(*) FROM requests GROUP BY 1;
-- henge only: there are two NaN
SELECT COUNT(*), SUM(seq) FROM requests WHERE signed < 0;
-- henge only: there are two NaN
SELECT COUNT(*), SUM(seq) FROM requests WHERE signed >= 0;
-- henge only: there are two NaN
SELECT COUNT(*), SUM(seq) FROM requests WHERE signed <= -0.0;
-- henge only: there are two NaN
SELECT COUNT(*), SUM(seq) FROM requests WHERE signed = CAST('NaN' AS DOUBLE);
-- henge only: there are two NaN
SELECT COUNT(*), SUM(seq) FROM requests WHERE signed NOT IN (0.0, CAST('NaN' AS DOUBLE));
-- henge only: there are two NaN
SELECT COUNT(*), SUM(seq) FROM requests WHERE NOT signed > -1;
-- henge only: there are two NaN, and in long lists DataFusion tells the zeros apart
SELECT COUNT(*), SUM(seq) FROM requests WHERE signed IN (0.0, 1.0, 2.0, 3.0, 4.0, CAST('NaN' AS DOUBLE));
-- henge only: there are two NaN
SELECT signed > 0, signed < 0, COUNT(*) FROM requests GROUP BY 1, 2;
-- henge only: there are two NaN
SELECT COUNT(*), SUM(seq) FROM requests WHERE signed < ratio;
-- henge only: there are two NaN
SELECT COUNT(*), SUM(seq) FROM requests WHERE signed >= ratio OR signed = level;
