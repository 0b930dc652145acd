-- henge only: other systems have other names for this, and leave ties to chance
SELECT EARLIEST(bytes), LATEST(bytes), EARLIEST(seq), LATEST(seq) FROM requests;
-- henge only: see above
SELECT tenant, EARLIEST(big), LATEST(big), LATEST(level), LATEST(ok) FROM requests GROUP BY tenant;
-- henge only: see above
SELECT host, path, LATEST(ratio), EARLIEST(ratio), LATEST(signed), EARLIEST(signed) FROM requests GROUP BY host, path;
-- henge only: see above
SELECT TIME_FLOOR(__time, 'PT1H'), LATEST(code), EARLIEST(code), LATEST(__time) FROM requests GROUP BY 1;
-- henge only: see above
SELECT code, LATEST(bytes) FILTER (WHERE tenant = 'acme'), EARLIEST(cost) FILTER (WHERE bytes > 0) FROM requests WHERE ok GROUP BY code;
-- henge only: see above
SELECT tenant, LATEST(host), EARLIEST(path), ANY_VALUE(peer) FROM requests GROUP BY tenant;
-- henge only: see above
SELECT LATEST_BY(seq, __time), EARLIEST_BY(tenant, MILLIS_TO_TIMESTAMP(seq)) FROM requests;
-- henge only: see above
SELECT host, LATEST(seq) AS last FROM requests GROUP BY host ORDER BY last DESC LIMIT 5;
