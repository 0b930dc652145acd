-- DuckDB's functions estimate otherwise, so it is asked for what is exact: sketches of few values are.
-- Distinct counts do not depend on the order of rows or on how they are split; quantiles of few values are exact.
-- duckdb: SELECT COUNT(DISTINCT tenant), COUNT(DISTINCT host), COUNT(DISTINCT code), COUNT(DISTINCT ok) FROM requests
SELECT APPROX_COUNT_DISTINCT(tenant), APPROX_COUNT_DISTINCT_DS_HLL(host), APPROX_COUNT_DISTINCT_DS_HLL(code, 14), APPROX_DISTINCT(ok) FROM requests;
-- duckdb: SELECT COUNT(DISTINCT tenant), COUNT(DISTINCT path), COUNT(DISTINCT big), COUNT(DISTINCT seq) FROM requests
SELECT APPROX_COUNT_DISTINCT_DS_THETA(tenant), APPROX_COUNT_DISTINCT_DS_THETA(path, 64), APPROX_COUNT_DISTINCT_DS_THETA(big), APPROX_COUNT_DISTINCT_DS_THETA(seq) FROM requests;
-- henge only: estimates
SELECT APPROX_COUNT_DISTINCT_DS_HLL(seq), APPROX_COUNT_DISTINCT_DS_HLL(seq, 5), APPROX_COUNT_DISTINCT_DS_THETA(seq, 100) FROM requests;
-- henge only: estimates
SELECT tenant, APPROX_COUNT_DISTINCT_DS_HLL(host, 4), APPROX_COUNT_DISTINCT_DS_THETA(host, 32), APPROX_COUNT_DISTINCT(__time) FROM requests GROUP BY tenant;
-- henge only: estimates
SELECT tenant, code, APPROX_COUNT_DISTINCT(path) FILTER (WHERE ok), APPROX_COUNT_DISTINCT_DS_THETA(level) FROM requests GROUP BY tenant, code;
-- henge only: estimates
SELECT UPPER(tenant), APPROX_COUNT_DISTINCT_DS_HLL(host, 6), APPROX_COUNT_DISTINCT_DS_THETA(host, 40) FROM requests GROUP BY UPPER(tenant);
-- henge only: estimates
SELECT APPROX_COUNT_DISTINCT_DS_HLL(UPPER(path)), APPROX_COUNT_DISTINCT_DS_THETA(seq % 1000, 256) FROM requests;
-- henge only: estimates
SELECT HLL_SKETCH_ESTIMATE(DS_HLL(seq)), THETA_SKETCH_ESTIMATE(DS_THETA(seq, 128)), HLL_SKETCH_ESTIMATE(DS_HLL(host)) FROM requests;
-- henge only: of sets of hashes
SELECT THETA_SKETCH_ESTIMATE(THETA_SKETCH_INTERSECT(DS_THETA(seq) FILTER (WHERE ok), DS_THETA(seq) FILTER (WHERE code = 200))), THETA_SKETCH_ESTIMATE(THETA_SKETCH_NOT(DS_THETA(seq), DS_THETA(seq) FILTER (WHERE ok))) FROM requests;
-- henge only: DuckDB has no such functions
SELECT APPROX_COUNT_DISTINCT_DS_HLL(s) FROM (SELECT tenant, DS_HLL(host) AS s FROM requests GROUP BY tenant);
-- duckdb: SELECT CAST(quantile_disc(bytes, 0.5) AS DOUBLE), CAST(MIN(bytes) AS DOUBLE), CAST(MAX(size) AS DOUBLE) FROM requests WHERE host = 'host-001.us.example'
SELECT APPROX_QUANTILE_DS(bytes, 0.5), APPROX_QUANTILE_DS(bytes, 0), APPROX_QUANTILE_DS(size, 1.0, 32) FROM requests WHERE host = 'host-001.us.example';
-- duckdb: SELECT tenant, CAST(quantile_disc(bytes, 0.9) AS DOUBLE) FROM requests GROUP BY tenant
SELECT tenant, APPROX_QUANTILE_DS(bytes, 0.9, 60000) FROM requests GROUP BY tenant;
-- henge only: text of an array
SELECT code, DS_GET_QUANTILES(DS_QUANTILES_SKETCH(bytes, 60000), 0.0, 0.5, 1.0), DS_RANK(DS_QUANTILES_SKETCH(bytes, 60000), 500.0), DS_CDF(DS_QUANTILES_SKETCH(bytes, 60000), 1000.0, 500000.0) FROM requests GROUP BY code;
-- nothing is known of no values
-- duckdb: SELECT 0, 0, NULL, 0e0, NULL
SELECT APPROX_COUNT_DISTINCT(host), APPROX_COUNT_DISTINCT_DS_THETA(code), APPROX_QUANTILE_DS(bytes, 0.5), HLL_SKETCH_ESTIMATE(DS_HLL(host)), DS_GET_QUANTILE(DS_QUANTILES_SKETCH(bytes), 0.5) FROM requests WHERE tenant = 'nobody';
