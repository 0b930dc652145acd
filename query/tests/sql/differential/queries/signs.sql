-- Henge compares doubles in IEEE 754's total order: negative NaN, .., -0.0, 0.0, .., NaN. DuckDB knows neither sign.
-- henge only: -0.0 is less than 0.0
SELECT COUNT(*), SUM(seq) FROM requests WHERE signed = 0.0;
-- henge only: -0.0 is less than 0.0
SELECT COUNT(*), SUM(seq) FROM requests WHERE signed = -0.0;
-- henge only: -0.0 is less than 0.0
SELECT COUNT(*), SUM(seq) FROM requests WHERE signed < 0;
-- henge only: -0.0 is less than 0.0
SELECT COUNT(*), SUM(seq) FROM requests WHERE signed >= 0;
-- henge only: -0.0 is less than 0.0
SELECT COUNT(*), SUM(seq) FROM requests WHERE signed BETWEEN -0.0 AND 0.0;
-- henge only: there are two NaN
SELECT COUNT(*), SUM(seq) FROM requests WHERE signed = CAST('NaN' AS DOUBLE);
-- henge only: there are two NaN
SELECT COUNT(*), SUM(seq) FROM requests WHERE signed IN (0.0, CAST('NaN' AS DOUBLE));
-- henge only: there are two NaN
SELECT COUNT(*), SUM(seq) FROM requests WHERE signed NOT IN (0.0, CAST('NaN' AS DOUBLE));
-- henge only: there are two NaN
SELECT COUNT(*), SUM(seq) FROM requests WHERE NOT signed > -1;
-- henge only: there are two NaN and two zeros
SELECT signed IS NULL, signed > 0, signed < 0, COUNT(*) FROM requests GROUP BY 1, 2, 3;
-- henge only: there are two NaN and two zeros
SELECT COUNT(*), SUM(seq) FROM requests WHERE signed < ratio;
