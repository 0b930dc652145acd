-- 1
SELECT 1;
-- 1
SELECT current_setting('server_version_num')::int/100 as version;
-- 0
SELECT extversion FROM pg_extension WHERE extname = 'timescaledb';
-- 1
SELECT schema_name AS "name"
    FROM information_schema.schemata
    WHERE schema_name NOT IN ('information_schema',
                              'pg_catalog',
                              'pg_toast',
                              '_timescaledb_cache',
                              '_timescaledb_catalog',
                              '_timescaledb_internal',
                              '_timescaledb_config',
                              'timescaledb_information',
                              'timescaledb_experimental')
    ORDER BY schema_name;
-- 1
SELECT quote_ident(table_name) AS "table"
      FROM information_schema.tables
      WHERE quote_ident(table_schema) = 'public'
      ORDER BY 1;
-- 1
SELECT
    CASE WHEN 
          quote_ident(table_schema) IN (
          SELECT
            CASE WHEN trim(s[i]) = '"$user"' THEN user ELSE trim(s[i]) END
          FROM
            generate_series(
              array_lower(string_to_array(current_setting('search_path'),','),1),
              array_upper(string_to_array(current_setting('search_path'),','),1)
            ) as i,
            string_to_array(current_setting('search_path'),',') s
          )
      THEN quote_ident(table_name)
      ELSE quote_ident(table_schema) || '.' || quote_ident(table_name)
    END AS "table"
    FROM information_schema.tables
    WHERE quote_ident(table_schema) NOT IN ('information_schema',
                             'pg_catalog',
                             '_timescaledb_cache',
                             '_timescaledb_catalog',
                             '_timescaledb_internal',
                             '_timescaledb_config',
                             'timescaledb_information',
                             'timescaledb_experimental')
    ORDER BY CASE WHEN 
          quote_ident(table_schema) IN (
          SELECT
            CASE WHEN trim(s[i]) = '"$user"' THEN user ELSE trim(s[i]) END
          FROM
            generate_series(
              array_lower(string_to_array(current_setting('search_path'),','),1),
              array_upper(string_to_array(current_setting('search_path'),','),1)
            ) as i,
            string_to_array(current_setting('search_path'),',') s
          ) THEN 0 ELSE 1 END, 1;
-- 20
SELECT quote_ident(column_name) AS "column", data_type AS "type"
    FROM information_schema.columns
    WHERE
      CASE WHEN array_length(parse_ident('fleet'),1) = 2
        THEN quote_ident(table_schema) = (parse_ident('fleet'))[1]
          AND quote_ident(table_name) = (parse_ident('fleet'))[2]
        ELSE quote_ident(table_name) = 'fleet'
          AND 
          quote_ident(table_schema) IN (
          SELECT
            CASE WHEN trim(s[i]) = '"$user"' THEN user ELSE trim(s[i]) END
          FROM
            generate_series(
              array_lower(string_to_array(current_setting('search_path'),','),1),
              array_upper(string_to_array(current_setting('search_path'),','),1)
            ) as i,
            string_to_array(current_setting('search_path'),',') s
          )
      END;
-- 20
SELECT quote_ident(column_name) AS "column", data_type AS "type"
    FROM information_schema.columns
    WHERE
      CASE WHEN array_length(parse_ident('public.fleet'),1) = 2
        THEN quote_ident(table_schema) = (parse_ident('public.fleet'))[1]
          AND quote_ident(table_name) = (parse_ident('public.fleet'))[2]
        ELSE quote_ident(table_name) = 'public.fleet'
      END;
-- 1
SELECT floor(extract(epoch from "__time")/60)*60 AS "time", region AS metric, SUM(bytes_in) AS "bytes"
    FROM fleet WHERE "__time" BETWEEN '2020-01-01T00:00:00Z' AND '2100-01-01T00:00:00.123Z' GROUP BY 1, 2 ORDER BY 1;
-- 10
SELECT "__time" AS "time", bytes_in AS value FROM fleet WHERE "__time" BETWEEN '2020-01-01T00:00:00Z' AND '2100-01-01T00:00:00Z' ORDER BY 1 LIMIT 10;
-- 1
SELECT extract(epoch from "__time") as "time", events FROM fleet
    WHERE extract(epoch from "__time") >= 1577836800 AND extract(epoch from "__time") <= 4102444800 ORDER BY 1 LIMIT 10;
-- 1
SELECT floor((extract(epoch from "__time"))/300)*300 AS "time", COUNT(*) AS "n" FROM fleet
    WHERE "__time" >= '2020-01-01T00:00:00Z' AND "__time" <= '2100-01-01T00:00:00Z' AND region IN ('us-east-1','eu-west-1') GROUP BY time ORDER BY 1;
-- 1
SELECT DISTINCT region FROM fleet WHERE region ~ '^us' ORDER BY 1;
-- 1
SELECT date_trunc('hour', "__time") AS "time", avg(latency_ms_max)::float8 AS latency FROM public.fleet GROUP BY 1 ORDER BY 1;
