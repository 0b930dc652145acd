-- A statement a line, sent to both. `--@` puts more into the request of the next statement; `-- #` begins a family.

-- # times
SELECT TIME_FLOOR(__time, 'PT1H') AS t, COUNT(*) AS n FROM events GROUP BY 1 ORDER BY 1
SELECT TIME_FLOOR(__time, 'P1D', NULL, 'America/Los_Angeles') AS t, COUNT(*) AS n FROM events GROUP BY 1 ORDER BY 1
SELECT TIME_FLOOR(__time, 'PT6H', NULL, 'Asia/Kolkata') AS t, SUM(requests) AS n FROM events GROUP BY 1 ORDER BY 1
SELECT TIME_FLOOR(__time, 'P1W') AS t, TIME_FLOOR(__time, 'P1M') AS m, TIME_FLOOR(__time, 'P3M') AS q, COUNT(*) AS n FROM events GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
SELECT TIME_FLOOR(__time, 'PT15M', TIMESTAMP '2026-03-01 00:05:00') AS t, COUNT(*) AS n FROM events GROUP BY 1 ORDER BY 1
SELECT TIME_FLOOR(TIMESTAMP '1969-12-31 23:59:59', 'PT1H') AS a, TIME_FLOOR(TIMESTAMP '1901-05-05 01:02:03', 'P1W') AS b
SELECT TIME_CEIL(TIMESTAMP '1969-12-31 23:59:59', 'PT1H') AS a, TIME_CEIL(TIMESTAMP '1970-01-01 00:00:00', 'PT1H') AS b
SELECT TIME_CEIL(__time, 'P1D', NULL, 'Europe/Berlin') AS t, COUNT(*) AS n FROM events GROUP BY 1 ORDER BY 1
SELECT TIME_FLOOR(TIMESTAMP '2026-03-29 12:00:00', 'P1D', NULL, 'Europe/Berlin') AS a, TIME_FLOOR(TIMESTAMP '2026-10-25 12:00:00', 'P1D', NULL, 'Europe/Berlin') AS b
SELECT TIME_FLOOR(TIMESTAMP '2026-03-15 10:00:00', 'P1M', NULL, 'Asia/Kolkata') AS a, TIME_FLOOR(CAST(NULL AS TIMESTAMP), 'P1D') AS b
SELECT FLOOR(__time TO HOUR) AS t, COUNT(*) AS n FROM events GROUP BY 1 ORDER BY 1
SELECT CEIL(__time TO DAY) AS t, COUNT(*) AS n FROM events GROUP BY 1 ORDER BY 1
SELECT FLOOR(__time TO WEEK) AS w, FLOOR(__time TO MONTH) AS m, FLOOR(__time TO QUARTER) AS q, FLOOR(__time TO YEAR) AS y, COUNT(*) AS n FROM events GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
SELECT DATE_TRUNC('minute', __time) AS t, COUNT(*) AS n FROM events WHERE __time < TIMESTAMP '2026-03-01' GROUP BY 1 ORDER BY 1
SELECT DATE_TRUNC('decade', TIMESTAMP '1969-08-19 00:00:00') AS a, DATE_TRUNC('year', TIMESTAMP '1969-08-19 00:00:00') AS b
SELECT DATE_TRUNC('century', TIMESTAMP '2000-12-31 00:00:00') AS a
SELECT DATE_TRUNC('fortnight', __time) AS a FROM events LIMIT 1
SELECT TIME_SHIFT(__time, 'P1D', -1) AS t, TIME_SHIFT(__time, 'PT1S', 30) AS u FROM events ORDER BY __time LIMIT 5
SELECT TIME_SHIFT(TIMESTAMP '2024-01-31 00:00:00', 'P1M', 1) AS a, TIME_SHIFT(TIMESTAMP '2024-02-29 12:00:00', 'P1Y', -1) AS b
SELECT TIME_SHIFT(TIMESTAMP '2026-03-28 11:00:00', 'P1D', 1, 'Europe/Berlin') AS a
SELECT TIME_SHIFT(TIME_PARSE(cloud), 'P1D', 1) AS a, COUNT(*) AS n FROM events GROUP BY 1
SELECT TIME_SHIFT(CAST(NULL AS TIMESTAMP), 'P1D', 1) AS a
SELECT TIMESTAMPADD(MONTH, 1, TIMESTAMP '2026-01-31 00:00:00') AS a, TIMESTAMPADD(DAY, -1, TIMESTAMP '1970-01-01 00:00:00') AS b
SELECT TIMESTAMPDIFF(DAY, TIMESTAMP '2026-01-01 12:00:00', TIMESTAMP '2026-01-03 11:00:00') AS a, TIMESTAMPDIFF(SECOND, TIMESTAMP '2026-01-01 00:00:00', TIMESTAMP '2025-12-31 23:59:58') AS b
SELECT TIMESTAMPDIFF(MONTH, TIMESTAMP '2026-01-31 00:00:00', TIMESTAMP '2026-02-28 00:00:00') AS a, TIMESTAMPDIFF(YEAR, TIMESTAMP '2026-02-01 00:00:00', TIMESTAMP '2024-02-02 00:00:00') AS b
SELECT TIMESTAMPDIFF(HOUR, MIN(__time), MAX(__time)) AS a FROM events
SELECT TIMESTAMP '2026-01-31 00:00:00' + INTERVAL '1' MONTH AS a, TIMESTAMP '2026-01-01 00:00:00' - INTERVAL '1 02:03:04' DAY TO SECOND AS b
SELECT COUNT(*) AS n FROM events WHERE __time >= TIMESTAMP '2026-03-01 00:00:00' - INTERVAL '6' HOUR
SELECT EXTRACT(HOUR FROM __time) AS h, COUNT(*) AS n FROM events GROUP BY 1 ORDER BY 1
SELECT EXTRACT(DOW FROM __time) AS dow, EXTRACT(ISODOW FROM __time) AS isodow, EXTRACT(DOY FROM __time) AS doy, EXTRACT(WEEK FROM __time) AS week, COUNT(*) AS n FROM events GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
SELECT EXTRACT(EPOCH FROM TIMESTAMP '2027-01-03 04:05:06') AS a, EXTRACT(MILLISECOND FROM TIMESTAMP '2027-01-03 04:05:06.789') AS b, EXTRACT(SECOND FROM TIMESTAMP '2027-01-03 04:05:06.789') AS c
SELECT EXTRACT(QUARTER FROM TIMESTAMP '2027-01-03 04:05:06') AS a, EXTRACT(YEAR FROM TIMESTAMP '2027-01-03 04:05:06') AS b, EXTRACT(DECADE FROM TIMESTAMP '2027-01-03 04:05:06') AS c, EXTRACT(CENTURY FROM TIMESTAMP '2001-01-01 00:00:00') AS d, EXTRACT(MILLENNIUM FROM TIMESTAMP '2000-12-31 00:00:00') AS e
SELECT EXTRACT(ISOYEAR FROM TIMESTAMP '2027-01-03 04:05:06') AS a
SELECT TIME_EXTRACT(__time, 'HOUR', 'America/Los_Angeles') AS h, COUNT(*) AS n FROM events GROUP BY 1 ORDER BY 1
SELECT TIME_EXTRACT(TIMESTAMP '1969-12-31 23:59:59', 'WEEK') AS a, TIME_EXTRACT(TIMESTAMP '1969-12-31 23:59:59', 'EPOCH') AS b
SELECT TIME_EXTRACT(__time, 'fortnight') AS a FROM events LIMIT 1
SELECT TIME_FORMAT(__time, 'yyyy-MM-dd HH') AS t, COUNT(*) AS n FROM events GROUP BY 1 ORDER BY 1
SELECT TIME_FORMAT(TIMESTAMP '2026-03-05 16:07:08.009') AS a, TIME_FORMAT(TIMESTAMP '2026-03-05 16:07:08', NULL, 'Asia/Kolkata') AS b, TIME_FORMAT(TIMESTAMP '2026-03-05 16:07:08', 'EEE d MMM yy h a') AS c
SELECT TIME_PARSE('2026-03-05') AS a, TIME_PARSE('2026-03-05T16:07:08+01:00') AS b
SELECT TIME_PARSE('soon') AS a
SELECT TIME_PARSE(cloud) AS a, COUNT(*) AS n FROM events GROUP BY 1
SELECT TIME_PARSE(TIME_FORMAT(__time, 'yyyy-MM-dd HH'), 'yyyy-MM-dd HH', 'Asia/Tokyo') AS a, COUNT(*) AS n FROM events GROUP BY 1 ORDER BY 1
SELECT TIME_PARSE('05/03/2026', 'dd/MM/yyyy') AS a, TIME_PARSE('2026-03-05 10', 'yyyy-MM-dd HH', 'America/New_York') AS b, TIME_PARSE('2026-02-30', 'yyyy-MM-dd') AS c
SELECT COUNT(*) AS n FROM events WHERE TIME_IN_INTERVAL(__time, '2026-03-01T01:00:00/2026-03-01T01:30:00')
SELECT COUNT(*) AS n FROM events WHERE TIME_IN_INTERVAL(__time, 'PT2H/2026-03-01T02:00:00')
SELECT MILLIS_TO_TIMESTAMP(-1) AS a, TIMESTAMP_TO_MILLIS(TIMESTAMP '2026-01-01 00:00:00') AS b
SELECT MILLIS_TO_TIMESTAMP(requests * 1000) AS t, COUNT(*) AS n FROM events GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 5
SELECT CAST(TIMESTAMP '2026-01-01 02:03:04' AS VARCHAR) AS a, CAST(TIMESTAMP '1969-12-31 23:59:59' AS DATE) AS b, CAST(TIMESTAMP '2026-01-01 00:00:00' AS BIGINT) AS c
SELECT CAST(TIMESTAMP '1969-12-31 23:59:59.5' AS VARCHAR) AS a
SELECT CAST('2026-01-01 00:00:00' AS TIMESTAMP) AS a, CAST('2026-01-02' AS DATE) AS b
SELECT CAST(__time AS DATE) AS d, COUNT(*) AS n FROM events GROUP BY 1 ORDER BY 1
--@ {"context": {"sqlTimeZone": "Asia/Kolkata"}}
SELECT FLOOR(__time TO DAY) AS d, EXTRACT(HOUR FROM MIN(__time)) AS h, COUNT(*) AS n FROM events GROUP BY 1 ORDER BY 1
--@ {"context": {"sqlTimeZone": "America/New_York"}}
SELECT TIMESTAMP '2026-03-08 00:00:00' AS a, TIMESTAMP '2026-03-08 00:00:00' + INTERVAL '1' MONTH AS b, FLOOR(TIMESTAMP '2026-03-08 12:00:00' TO DAY) AS c
SELECT COUNT(*) AS n FROM events WHERE __time BETWEEN TIMESTAMP '2026-03-01 01:00:00' AND TIMESTAMP '2026-03-01 02:00:00'
SELECT COUNT(*) AS n FROM events WHERE __time >= '2026-03-01 01:00:00' AND __time < '2026-03-01T02:00:00'
SELECT COUNT(*) AS n FROM events WHERE FLOOR(__time TO HOUR) = TIMESTAMP '2026-03-01 05:00:00'
SELECT MIN(__time) AS a, MAX(__time) AS b FROM events
SELECT CURRENT_TIMESTAMP = CURRENT_TIMESTAMP AS a, CURRENT_DATE <= CURRENT_TIMESTAMP AS b
SELECT TIME_FLOOR(__time, 'P1X') AS a FROM events LIMIT 1
SELECT TIME_FLOOR(__time, 'P1D', NULL, 'Mars/Base') AS a FROM events LIMIT 1
SELECT TIME_SHIFT(__time, 'P1Y') AS a FROM events LIMIT 1
SELECT TIME_IN_INTERVAL(__time, 'yesterday') AS a FROM events LIMIT 1

-- # texts
SELECT CONCAT('a', 'b', 'c') AS a, 'a' || 'b' AS b, TEXTCAT('x', 'y') AS c
SELECT CONCAT('a', CAST(NULL AS VARCHAR)) AS a, 'a' || CAST(NULL AS VARCHAR) AS b
SELECT CONCAT(cloud, '/', region) AS place, COUNT(*) AS n FROM events GROUP BY 1 ORDER BY 2 DESC, 1
SELECT CONCAT('a', 1) AS a
SELECT LOWER('ÄB') AS a, UPPER('äb') AS b, LOWER('') AS c
SELECT LENGTH('aé😀') AS a, CHAR_LENGTH('') AS b, CHARACTER_LENGTH('ab') AS c, STRLEN('abc') AS d
SELECT LENGTH(topic) AS n, COUNT(*) AS c FROM events GROUP BY 1 ORDER BY 1
SELECT SUBSTRING('abc', 2) AS a, SUBSTRING('abc', 1, 2) AS b, SUBSTRING('abc' FROM 2 FOR 1) AS c, SUBSTR('abc', 3) AS d
SELECT SUBSTRING('abc', 9) AS a, SUBSTRING('abc', 1, 0) AS b
SELECT SUBSTRING(topic, 1, 4) AS a, COUNT(*) AS n FROM events GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 20
SELECT SUBSTRING(cloud, 3) AS a, SUBSTRING(cloud FROM 2 FOR 2) AS b, COUNT(*) AS n FROM events GROUP BY 1, 2 ORDER BY 1
SELECT SUBSTRING(cloud, 5) AS a, COUNT(*) AS n FROM events GROUP BY 1 ORDER BY 2
SELECT LENGTH(SUBSTRING(cloud, 9)) AS a, COUNT(*) AS n FROM events GROUP BY 1
SELECT SUBSTRING(cloud, 1, 0) AS a FROM events LIMIT 1
SELECT LEFT('abc', 2) AS a, LEFT('abc', 0) AS b, RIGHT('abc', 2) AS c, RIGHT('abc', 99) AS d
SELECT LEFT(region, 2) AS a, RIGHT(region, 1) AS b, COUNT(*) AS n FROM events GROUP BY 1, 2 ORDER BY 1, 2
SELECT TRIM(' a ') AS a, TRIM(BOTH 'x' FROM 'xxaxx') AS b, BTRIM('xax', 'x') AS c, LTRIM('  a') AS d, RTRIM('ax', 'x') AS e, TRIM(LEADING 'x' FROM 'xax') AS f
SELECT REPLACE('banana', 'an', 'o') AS a, REPLACE('abc', 'x', 'y') AS b
SELECT REPLACE(cloud, '', 'x') AS a, COUNT(*) AS n FROM events GROUP BY 1 ORDER BY 1
SELECT REPLACE(topic, '.', '/') AS a, COUNT(*) AS n FROM events GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 10
SELECT REGEXP_LIKE('henge', 'n.e') AS a, REGEXP_LIKE('henge', '^n') AS b, REGEXP_LIKE('', '') AS c
SELECT COUNT(*) AS n FROM events WHERE REGEXP_LIKE(topic, 'v[0-9]$')
SELECT REGEXP_EXTRACT('id=42;', '[0-9]+') AS a, REGEXP_EXTRACT('id=42;', 'id=([0-9]+)', 1) AS b, REGEXP_EXTRACT('none', '[0-9]+') AS c
SELECT REGEXP_EXTRACT(topic, '^([a-z]+)', 1) AS a, COUNT(*) AS n FROM events GROUP BY 1 ORDER BY 1
SELECT REGEXP_REPLACE('a1b22', '[0-9]+', '#') AS a, REGEXP_REPLACE('ab', '(a)(b)', '$2$1') AS b, REGEXP_REPLACE('abc', 'x*', '-') AS c
SELECT REGEXP_LIKE(topic, '(') AS a FROM events LIMIT 1
SELECT REGEXP_LIKE('aa', '(a)\1') AS a
SELECT CONTAINS_STRING('Henge', 'eng') AS a, CONTAINS_STRING('Henge', 'ENG') AS b, ICONTAINS_STRING('Henge', 'ENG') AS c, CONTAINS_STRING('a', '') AS d
SELECT COUNT(*) AS n FROM events WHERE ICONTAINS_STRING(metric, 'BYTES')
SELECT POSITION('e' IN 'henge') AS a, POSITION('x' IN 'henge') AS b, STRPOS('henge', 'g') AS c
SELECT POSITION('.' IN topic) AS a, COUNT(*) AS n FROM events GROUP BY 1 ORDER BY 1
SELECT POSITION('e' IN 'henge' FROM 3) AS a
SELECT 'abc' LIKE 'a_c' AS a, 'abc' NOT LIKE '%c' AS b, 'a%b' LIKE 'a\%b' ESCAPE '\' AS c
SELECT COUNT(*) AS n FROM events WHERE topic LIKE '%.eu.%' AND metric NOT LIKE '%bytes'
SELECT PARSE_LONG('42') AS a, PARSE_LONG('ff', 16) AS b, PARSE_LONG('z', 10) AS c, PARSE_LONG('-101', 2) AS d
SELECT LPAD('a', 3, ' ') AS a, LPAD('abc', 2, 'x') AS b, RPAD('a', 4, 'xy') AS c
SELECT LPAD('a', -1, 'x') AS a
SELECT REPEAT('ab', 2) AS a, REVERSE('abc') AS b
SELECT REPEAT('ab', 0) AS a
SELECT REPEAT(cloud, 0) AS a, REPEAT(cloud, 2) AS b, COUNT(*) AS n FROM events GROUP BY 1, 2 ORDER BY 2
SELECT DECODE_BASE64_UTF8('aGVuZ2U=') AS a
SELECT STRING_FORMAT('%s-%05d', 'a', 42) AS a, STRING_FORMAT('%x', 255) AS b
SELECT STRING_FORMAT('%.2f', 3.14159) AS a
SELECT IPV4_MATCH('10.1.2.3', '10.0.0.0/8') AS a, IPV4_MATCH('11.1.2.3', '10.0.0.0/8') AS b, IPV4_MATCH('not an address', '0.0.0.0/0') AS c
SELECT IPV4_PARSE('10.0.0.1') AS a, IPV4_STRINGIFY(167772161) AS b, IPV4_PARSE('x') AS c
SELECT LOOKUP(topic, 'names') AS a FROM events LIMIT 1
SELECT topic FROM events WHERE topic > 'users.v' OR topic < 'audit.c' GROUP BY 1 ORDER BY 1 DESC LIMIT 7
SELECT MIN(topic) AS a, MAX(topic) AS b FROM events

-- # numbers
SELECT 7 / 2 AS a, -7 / 2 AS b, 7 / 2.0 AS c
SELECT MOD(7, -2) AS a, MOD(-7, 2) AS b
SELECT bytes_in / 1000 AS kb, COUNT(*) AS n FROM events GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 10
SELECT SUM(bytes_in) / COUNT(*) AS a, SUM(bytes_in) * 1.0 / COUNT(*) AS b FROM events
SELECT bytes_in / errors AS a FROM events WHERE errors = 0 LIMIT 1
SELECT latency_ms / errors AS a FROM events WHERE errors = 0 AND latency_ms > 0 LIMIT 1
SELECT 9223372036854775807 + requests AS a FROM events WHERE requests > 0 LIMIT 1
SELECT bytes_in * 9223372036854775807 AS a FROM events WHERE bytes_in > 1 LIMIT 1
SELECT ABS(-3) AS a, ABS(-2.5) AS b, SIGN(-2) AS c
SELECT CEIL(1.2) AS a, FLOOR(-1.2) AS b, CEIL(7) AS c
SELECT CEIL(latency_ms) AS a, FLOOR(latency_ms) AS b, COUNT(*) AS n FROM events GROUP BY 1, 2 ORDER BY 3 DESC, 1 LIMIT 10
SELECT ROUND(2.5) AS a, ROUND(-2.5) AS b, ROUND(1.259, 2) AS c, ROUND(1250, -2) AS d
SELECT ROUND(latency_ms, 1) AS a, COUNT(*) AS n FROM events GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 10
SELECT ROUND(bytes_in, -3) AS a, COUNT(*) AS n FROM events GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 10
SELECT TRUNCATE(1299, -2) AS a, TRUNC(-1.59, 1) AS b, TRUNC(latency_ms) AS c FROM events ORDER BY __time LIMIT 3
SELECT MOD(7, 3) AS a, DIV(7, 2) AS b, MOD(requests, 3) AS c, COUNT(*) AS n FROM events GROUP BY 1, 2, 3 ORDER BY 3
SELECT SAFE_DIVIDE(7, 2) AS a, SAFE_DIVIDE(7.0, 2) AS b, SAFE_DIVIDE(7, 0) AS c
SELECT SAFE_DIVIDE(bytes_in, errors) AS a, COUNT(*) AS n FROM events GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 10
SELECT POWER(2, 10) AS a, SQRT(2.25) AS b, EXP(0) AS c, LN(1) AS d, LOG10(1000) AS e
SELECT PI AS a
SELECT SUM(SQRT(bytes_in)) AS a, SUM(LN(1 + bytes_out)) AS b, SUM(POWER(latency_ms, 2)) AS c FROM events
SELECT SIN(1) AS a, COS(1) AS b, TAN(1) AS c, ASIN(0.5) AS d, ACOS(0.5) AS e, ATAN(1) AS f, ATAN2(1, 2) AS g, DEGREES(1) AS h, RADIANS(180) AS i, COT(1) AS j
SELECT LN(0) AS a, SQRT(-1) AS b
SELECT GREATEST(1, 3, 2) AS a, LEAST(2, 1) AS b, GREATEST('a', 'b') AS c
SELECT GREATEST(1, NULL, 3) AS a
SELECT GREATEST(bytes_in, bytes_out) AS a, COUNT(*) AS n FROM events GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 5
SELECT HUMAN_READABLE_BINARY_BYTE_FORMAT(1048576) AS a, HUMAN_READABLE_DECIMAL_BYTE_FORMAT(1234567, 1) AS b, HUMAN_READABLE_DECIMAL_FORMAT(-1500, 0) AS c, HUMAN_READABLE_BINARY_BYTE_FORMAT(12) AS d
SELECT BITWISE_AND(12, 10) AS a, BITWISE_OR(12, 10) AS b, BITWISE_XOR(12, 10) AS c, BITWISE_COMPLEMENT(0) AS d, BITWISE_SHIFT_LEFT(1, 3) AS e, BITWISE_SHIFT_RIGHT(-8, 1) AS f
SELECT BITWISE_CONVERT_DOUBLE_TO_LONG_BITS(1.5) AS a, BITWISE_CONVERT_LONG_BITS_TO_DOUBLE(4609434218613702656) AS b
SELECT bytes_in + bytes_out * 2 - requests AS a, -requests AS b FROM events ORDER BY __time LIMIT 5

-- # conditions and casts
SELECT CAST('12' AS BIGINT) AS a, CAST('1.5' AS DOUBLE) AS b
SELECT CAST('foo' AS BIGINT) AS a
SELECT CAST(cloud AS BIGINT) AS a, CAST(cloud AS DOUBLE) AS b, COUNT(*) AS n FROM events GROUP BY 1, 2
SELECT CAST('12.9' AS BIGINT) AS a
SELECT cloud, SUM(CAST(requests AS DOUBLE)) AS a, COUNT(*) AS b FROM events GROUP BY 1 ORDER BY 1
SELECT cloud, SUM(CAST(requests AS DOUBLE)) AS a, SUM(requests) AS b FROM events GROUP BY 1 ORDER BY 1
SELECT CAST(12 AS VARCHAR) AS a, CAST(2.9 AS BIGINT) AS b, CAST(1.5 AS VARCHAR) AS c
SELECT CAST(requests > 1 AS VARCHAR) AS a, COUNT(*) AS n FROM events GROUP BY 1 ORDER BY 2
SELECT CAST(topic AS BIGINT) AS a, COUNT(*) AS n FROM events GROUP BY 1
SELECT CAST(SUBSTRING(cluster_id, 5) AS BIGINT) AS a, COUNT(*) AS n FROM events GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 10
SELECT CAST(latency_ms AS BIGINT) AS a, CAST(requests AS DOUBLE) AS b, CAST("partition" AS VARCHAR) AS c FROM events ORDER BY __time LIMIT 5
SELECT TRY_CAST('foo' AS BIGINT) AS a
SELECT CASE WHEN "partition" = 0 THEN 'zero' WHEN "partition" < 5 THEN 'few' ELSE 'many' END AS a, COUNT(*) AS n FROM events GROUP BY 1 ORDER BY 1
SELECT CASE "partition" WHEN 0 THEN 'zero' WHEN 1 THEN 'one' END AS a, COUNT(*) AS n FROM events GROUP BY 1 ORDER BY 2
SELECT COALESCE(NULL, 'c') AS a, NVL(NULL, 5) AS b, NULLIF('a', 'a') AS c
SELECT COUNT(NULLIF("partition", 0)) AS a, SUM(COALESCE(NULLIF("partition", 0), 100)) AS b FROM events
SELECT NULLIF(cloud, 'aws') AS a, COUNT(*) AS n FROM events GROUP BY 1 ORDER BY 1
SELECT NULLIF(cloud, 'aws') AS a, COUNT(*) AS n FROM events GROUP BY 1 ORDER BY 1 DESC
SELECT COUNT(*) AS n FROM events WHERE NULLIF(cloud, 'aws') IS NULL
SELECT COUNT(*) AS n FROM events WHERE NOT (NULLIF(cloud, 'aws') = 'gcp')
SELECT COUNT(*) AS n FROM events WHERE NULLIF(cloud, 'aws') IS DISTINCT FROM 'gcp'
SELECT COUNT(*) AS n FROM events WHERE NULLIF(cloud, 'aws') IS NOT DISTINCT FROM NULL
SELECT COUNT(*) AS n FROM events WHERE (NULLIF(cloud, 'aws') = 'gcp') IS NOT TRUE
SELECT COUNT(*) AS n FROM events WHERE cloud IN ('aws', 'gcp') AND "partition" NOT IN (1, 2, 3)
SELECT COUNT(*) AS n FROM events WHERE "partition" NOT IN (1, NULL)
SELECT COUNT(*) AS n FROM events WHERE requests BETWEEN 2 AND 4 AND latency_ms NOT BETWEEN 1 AND 5
SELECT COUNT(*) AS n FROM events WHERE latency_ms > 5 OR errors > 0 AND NOT cloud = 'aws'
SELECT COUNT(*) AS n FROM events WHERE cloud = 'aws' AND 1 = 2
SELECT COUNT(*) AS n FROM events WHERE "partition" = 1.0
SELECT COUNT(*) AS n FROM events WHERE "partition" = '1'
SELECT COUNT(*) AS n FROM events WHERE "partition" > 2.5
SELECT COUNT(*) AS n FROM events WHERE NULL
SELECT TRUE AND FALSE AS a, NOT TRUE AS b, TRUE OR FALSE AS c

-- # aggregates
SELECT COUNT(*) AS a, COUNT(topic) AS b, SUM(bytes_in) AS c, MIN(latency_ms) AS d, MAX(latency_ms) AS e, AVG(latency_ms) AS f FROM events
SELECT COUNT(*) AS a, SUM(bytes_in) AS b, MIN(bytes_in) AS c, AVG(latency_ms) AS d FROM events WHERE cloud = 'nobody'
SELECT cloud, SUM(bytes_in) AS a FROM events WHERE cloud = 'nobody' GROUP BY 1
SELECT AVG(requests) AS a, AVG(bytes_in) AS b FROM events
SELECT cloud, region, SUM(bytes_in) AS a, SUM(latency_ms) AS b, COUNT(*) AS n FROM events GROUP BY 1, 2 ORDER BY 1, 2
SELECT cloud, COUNT(*) FILTER (WHERE errors > 0) AS a, SUM(bytes_in) FILTER (WHERE "partition" = 0) AS b FROM events GROUP BY 1 ORDER BY 1
SELECT SUM(bytes_in) FILTER (WHERE cloud = 'nobody') AS a FROM events
--@ {"context": {"useApproximateCountDistinct": false}}
SELECT COUNT(DISTINCT topic) AS a FROM events
--@ {"context": {"useApproximateCountDistinct": false}}
SELECT cloud, COUNT(DISTINCT tenant) AS a FROM events GROUP BY 1 ORDER BY 1
SELECT COUNT(DISTINCT topic) AS a FROM events
SELECT APPROX_COUNT_DISTINCT(cloud) AS a, APPROX_COUNT_DISTINCT(region) AS b FROM events
SELECT STDDEV_POP(latency_ms) AS a, VAR_POP(latency_ms) AS b, STDDEV_SAMP(latency_ms) AS c, VAR_SAMP(latency_ms) AS d FROM events
SELECT cloud, LATEST(requests) AS a, EARLIEST(requests) AS b FROM events GROUP BY 1 ORDER BY 1
SELECT LATEST_BY(requests, __time) AS a, EARLIEST_BY(latency_ms, __time) AS b FROM events
SELECT LATEST(topic, 64) AS a, EARLIEST(topic, 64) AS b FROM events
SELECT ANY_VALUE(cloud, 16) IS NOT NULL AS a FROM events
SELECT cloud, ANY_VALUE(cloud, 16) AS a FROM events GROUP BY 1 ORDER BY 1
SELECT cloud, GROUPING(cloud) AS g, COUNT(*) AS n FROM events GROUP BY GROUPING SETS ((cloud), ()) ORDER BY 2, 1
SELECT cloud, region, GROUPING(cloud, region) AS g, SUM(requests) AS n FROM events GROUP BY ROLLUP (cloud, region) ORDER BY 3, 1, 2
SELECT cloud, cluster_type, SUM(requests) AS n FROM events GROUP BY CUBE (cloud, cluster_type)
SELECT cloud, COUNT(*) AS n FROM events GROUP BY 1 HAVING COUNT(*) > 100 ORDER BY 1
SELECT BIT_AND(requests) AS a, BIT_OR(requests) AS b, BIT_XOR(requests) AS c FROM events
SELECT STRING_AGG(DISTINCT cloud, ',') AS a FROM events
SELECT LISTAGG(DISTINCT cloud, '-') AS a FROM events
SELECT ARRAY_AGG(DISTINCT cloud) AS a FROM events
SELECT DISTINCT cloud, cluster_type FROM events ORDER BY 1, 2
SELECT MAX(n) AS a FROM (SELECT topic, COUNT(*) AS n FROM events GROUP BY 1)
--@ {"context": {"useApproximateTopN": false}}
SELECT topic, SUM(bytes_in) AS b FROM events GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 10
SELECT topic, SUM(bytes_in) AS b FROM events GROUP BY topic ORDER BY b DESC, topic LIMIT 5 OFFSET 5
SELECT cloud, SUM(topic) AS a FROM events GROUP BY 1
SELECT cloud, topic FROM events GROUP BY 1
SELECT SUM(SUM(bytes_in)) AS a FROM events
SELECT cloud FROM events WHERE SUM(bytes_in) > 1 GROUP BY 1

-- # sketches
SELECT DS_HLL(cloud) IS NOT NULL AS a FROM events
SELECT HLL_SKETCH_ESTIMATE(DS_HLL(region)) AS a, HLL_SKETCH_ESTIMATE(DS_HLL(cloud), TRUE) AS b FROM events
SELECT APPROX_COUNT_DISTINCT_DS_HLL(cloud) AS a, APPROX_COUNT_DISTINCT_DS_THETA(region) AS b FROM events
SELECT THETA_SKETCH_ESTIMATE(DS_THETA(region)) AS a FROM events
SELECT THETA_SKETCH_ESTIMATE(THETA_SKETCH_INTERSECT(DS_THETA(region) FILTER (WHERE cloud = 'aws'), DS_THETA(region) FILTER (WHERE cloud <> 'aws'))) AS a FROM events
SELECT APPROX_QUANTILE_DS(requests, 0.5) AS a, APPROX_QUANTILE_DS(requests, 0.9) AS b, COUNT(*) AS n FROM events WHERE __time < TIMESTAMP '2026-02-27 12:00:00'

-- # arrays
SELECT ARRAY[1, 2] AS a, ARRAY['a', NULL] AS b
SELECT ARRAY[1.5, 2] AS a
SELECT ARRAY_LENGTH(ARRAY[1, 2]) AS a, ARRAY_OFFSET(ARRAY['a', 'b'], 0) AS b, ARRAY_ORDINAL(ARRAY['a', 'b'], 1) AS c
SELECT ARRAY_OFFSET(STRING_TO_ARRAY(region, '-'), 2) AS a, ARRAY_ORDINAL(STRING_TO_ARRAY(region, '-'), 0) AS b, COUNT(*) AS n FROM events GROUP BY 1, 2 ORDER BY 3
SELECT ARRAY_OFFSET_OF(ARRAY['a', 'b', 'b'], 'b') AS a, ARRAY_ORDINAL_OF(ARRAY['a', 'b', 'b'], 'b') AS b, ARRAY_OFFSET_OF(ARRAY['a'], 'x') AS c
SELECT ARRAY_CONTAINS(ARRAY[1, 2, 3], 2) AS a, ARRAY_CONTAINS(ARRAY[1, 2, 3], ARRAY[1, 4]) AS b, ARRAY_OVERLAP(ARRAY[1, 2], ARRAY[2, 3]) AS c
SELECT SCALAR_IN_ARRAY(2, ARRAY[1, 2]) AS a, SCALAR_IN_ARRAY(3, ARRAY[1, 2]) AS b
SELECT ARRAY_SLICE(ARRAY[1, 2, 3], 0, 2) AS a, ARRAY_APPEND(ARRAY[1], 2) AS b, ARRAY_PREPEND('a', ARRAY['b']) AS c, ARRAY_CONCAT(ARRAY[1], ARRAY[2, 3]) AS d
SELECT ARRAY_TO_STRING(ARRAY[1, 2], '-') AS a, STRING_TO_ARRAY('a,b,c', ',') AS b
SELECT STRING_TO_ARRAY(region, '-') AS a, COUNT(*) AS n FROM events GROUP BY 1 ORDER BY 2 DESC
SELECT u.part AS part, COUNT(*) AS n FROM events CROSS JOIN UNNEST(STRING_TO_ARRAY(topic, '\.')) AS u(part) GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 15
SELECT x FROM UNNEST(ARRAY[1, 2, 3]) AS t(x)
SELECT MV_LENGTH(STRING_TO_MV('a|b', '[|]')) AS a, MV_TO_STRING(STRING_TO_MV('a|b', '[|]'), '-') AS b
SELECT ARRAY_CONCAT_AGG(DISTINCT STRING_TO_ARRAY(cloud, 'w')) AS a FROM events WHERE cloud = 'aws'

-- # JSON
SELECT JSON_VALUE(PARSE_JSON('{"a":{"b":[1,"x"]}}'), '$.a.b[1]') AS a, JSON_VALUE(PARSE_JSON('{"a":1}'), '$.a' RETURNING BIGINT) AS b
SELECT JSON_VALUE(PARSE_JSON('{"a":{}}'), '$.a') AS a, JSON_VALUE(PARSE_JSON('{"a":null}'), '$.a') AS b, JSON_VALUE(PARSE_JSON('{"a":1.5}'), '$.a') AS c
SELECT TO_JSON_STRING(JSON_QUERY(PARSE_JSON('{"a":{"b":1}}'), '$.a')) AS a
SELECT JSON_KEYS(PARSE_JSON('{"a":{"b":1,"c":2}}'), '$.a') AS a, JSON_PATHS(PARSE_JSON('{"a":{"b":1}}')) AS b
SELECT PARSE_JSON('{') AS a
SELECT JSON_OBJECT(KEY 'a' VALUE 1) AS a
SELECT JSON_OBJECT(KEY 'a' VALUE "partition", 'b' VALUE topic, 'c': CAST(NULL AS VARCHAR), 'd': latency_ms) AS a FROM events WHERE topic IS NOT NULL ORDER BY __time LIMIT 1
SELECT JSON_OBJECT('a': JSON_OBJECT('b': PARSE_JSON('[1]'), 'c': '[1]')) AS a, JSON_OBJECT('a', 1, 'a', 2) AS b, JSON_OBJECT() AS c
SELECT JSON_OBJECT('a': ARRAY['x', 'y'], 'b': TRUE) AS a

-- # windows, joins, subqueries
SELECT cloud, COUNT(*) AS n, ROW_NUMBER() OVER (ORDER BY cloud) AS r, SUM(COUNT(*)) OVER () AS s FROM events GROUP BY cloud ORDER BY cloud
SELECT FLOOR(__time TO DAY) AS d, SUM(bytes_in) AS b, LAG(SUM(bytes_in)) OVER (ORDER BY FLOOR(__time TO DAY)) AS p, LEAD(SUM(bytes_in)) OVER (ORDER BY FLOOR(__time TO DAY)) AS f FROM events GROUP BY 1 ORDER BY 1
SELECT cloud, region, SUM(requests) AS n, RANK() OVER (PARTITION BY cloud ORDER BY SUM(requests) DESC) AS r FROM events GROUP BY 1, 2 ORDER BY 1, 4, 2
SELECT region, DENSE_RANK() OVER (ORDER BY cloud) AS d, NTILE(3) OVER (ORDER BY region) AS t, PERCENT_RANK() OVER (ORDER BY region) AS p, CUME_DIST() OVER (ORDER BY region) AS c FROM events GROUP BY region, cloud ORDER BY region
SELECT d, SUM(n) OVER (ORDER BY d ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS s, FIRST_VALUE(n) OVER (ORDER BY d) AS f, LAST_VALUE(n) OVER (ORDER BY d) AS l FROM (SELECT FLOOR(__time TO DAY) AS d, COUNT(*) AS n FROM events GROUP BY 1) ORDER BY d
SELECT a.cloud, a.n, b.m FROM (SELECT cloud, COUNT(*) AS n FROM events GROUP BY 1) AS a JOIN (SELECT cloud, MAX(latency_ms) AS m FROM events GROUP BY 1) AS b ON a.cloud = b.cloud ORDER BY 1
SELECT a.cloud, b.n FROM (SELECT DISTINCT cloud FROM events) AS a LEFT JOIN (SELECT cloud, COUNT(*) AS n FROM events WHERE cloud <> 'aws' GROUP BY 1) AS b ON a.cloud = b.cloud ORDER BY 1
SELECT COUNT(*) AS n FROM events WHERE region IN (SELECT region FROM events WHERE errors > 0 AND cloud = 'gcp')
SELECT COUNT(*) AS n FROM events WHERE bytes_in > (SELECT AVG(bytes_in) FROM events)
WITH t AS (SELECT cloud, COUNT(*) AS n FROM events GROUP BY 1) SELECT SUM(n) AS s, COUNT(*) AS m FROM t
SELECT cloud, COUNT(*) AS n FROM events WHERE "partition" = 0 GROUP BY 1 UNION ALL SELECT region, COUNT(*) FROM events WHERE "partition" = 1 GROUP BY 1
SELECT COUNT(*) AS n FROM (SELECT cloud FROM events UNION ALL SELECT cloud FROM events)
SELECT COUNT(*) AS n FROM (SELECT cloud FROM events UNION ALL SELECT region FROM events)
SELECT COUNT(*) AS n FROM TABLE(APPEND('events', 'events'))
SELECT x, y FROM (VALUES (1, 'a'), (2, 'b'), (3, NULL)) AS t(x, y) ORDER BY x
SELECT topic, requests FROM events ORDER BY requests DESC, topic, __time LIMIT 5

-- # wire
SELECT COUNT(*), SUM(bytes_in), MAX(latency_ms) FROM events
--@ {"resultFormat": "object", "header": true, "typesHeader": true, "sqlTypesHeader": true}
SELECT __time, cloud, "partition", bytes_in, latency_ms FROM events ORDER BY __time LIMIT 3
--@ {"resultFormat": "array", "header": true, "typesHeader": true, "sqlTypesHeader": true}
SELECT cloud, COUNT(*) AS n, AVG(latency_ms) AS a, MAX(__time) AS t, TRUE AS b FROM events GROUP BY 1 ORDER BY 1
--@ {"resultFormat": "arrayLines", "header": true, "typesHeader": true, "sqlTypesHeader": true}
SELECT cloud, COUNT(*) AS n FROM events GROUP BY 1 ORDER BY 1
--@ {"resultFormat": "objectLines", "header": true}
SELECT cloud, COUNT(*) AS n FROM events GROUP BY 1 ORDER BY 1
--@ {"resultFormat": "csv", "header": true, "typesHeader": true, "sqlTypesHeader": true}
SELECT cloud, COUNT(*) AS n, MIN(__time) AS t, NULLIF(cloud, 'aws') AS x, CONCAT(cloud, ',"b"') AS q FROM events GROUP BY 1 ORDER BY 1
--@ {"typesHeader": true, "sqlTypesHeader": true}
SELECT 'a' AS a, 1 AS b, 1.5 AS c, TRUE AS d, CAST(1 AS DOUBLE) AS e, TIMESTAMP '2026-01-01 00:00:00' AS f, DATE '2026-01-01' AS g
--@ {"resultFormat": "csv"}
SELECT cloud FROM events WHERE 1 = 2
--@ {"resultFormat": "object"}
SELECT cloud FROM events WHERE 1 = 2
--@ {"resultFormat": "arrayLines", "header": true}
SELECT cloud FROM events WHERE cloud = 'nobody'
--@ {"context": {"sqlStringifyArrays": false}}
SELECT ARRAY['a', 'b'] AS a
--@ {"parameters": [{"type": "VARCHAR", "value": "aws"}, {"type": "BIGINT", "value": 3}]}
SELECT COUNT(*) AS n FROM events WHERE cloud = ? AND "partition" < ?
--@ {"parameters": [{"type": "TIMESTAMP", "value": "2026-03-01 05:00:00"}, {"type": "DOUBLE", "value": 2.5}]}
SELECT COUNT(*) AS n FROM events WHERE __time < ? AND latency_ms > ?
--@ {"parameters": [{"type": "VARCHAR", "value": null}]}
SELECT COUNT(*) AS n FROM events WHERE cloud = ?
SELECT COUNT(*) AS n FROM events WHERE cloud = ?
--@ {"resultFormat": "yaml"}
SELECT 1 AS a
--@ {"context": {"timeout": "soon"}}
SELECT COUNT(*) AS n FROM events
SELECT COUNT(*) AS n FROM events;

-- # errors
SELEC 1
SELECT
SELECT 1 FROM
SELECT nothing FROM events
SELECT COUNT(*) FROM nowhere
SELECT NOFUNCTION(topic) FROM events
SELECT SUBSTRING(topic) FROM events
SELECT SUM(bytes_in, 1, 2) FROM events
SELECT topic + 1 AS a FROM events LIMIT 1
SELECT 'a' + 'b' AS a
SELECT 1 AS a WHERE 'x'
SELECT COUNT(*) FROM events ORDER BY 2
SELECT COUNT(*) FROM events GROUP BY 5
SELECT COUNT(*) FROM events LIMIT -1
SELECT COUNT(*) AS n FROM (SELECT cloud, COUNT(*) AS n FROM events GROUP BY 1) AS a JOIN (SELECT region, COUNT(*) AS n FROM events GROUP BY 1) AS b ON a.n < b.n
SELECT cloud FROM events UNION SELECT region FROM events
SELECT cloud FROM events INTERSECT SELECT region FROM events
DROP TABLE events
INSERT INTO events SELECT * FROM events PARTITIONED BY DAY
DELETE FROM events
SELECT * FROM events WHERE
SELECT 'unterminated
SELECT "events" FROM events
SELECT COUNT(*) FROM other.events
