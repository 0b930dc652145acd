SELECT COUNT(*), SUM(seq) FROM requests WHERE regexp_like(path, '^/api/v[12]/');
SELECT COUNT(*), SUM(seq) FROM requests WHERE NOT regexp_like(path, '^/api/v[12]/');
SELECT COUNT(*), SUM(seq) FROM requests WHERE regexp_like(path, 'users$');
SELECT COUNT(*), SUM(seq) FROM requests WHERE regexp_like(path, 'v1');
SELECT COUNT(*), SUM(seq) FROM requests WHERE regexp_like(path, '^$');
SELECT COUNT(*), SUM(seq) FROM requests WHERE regexp_like(path, '');
SELECT COUNT(*), SUM(seq) FROM requests WHERE regexp_like(path, '^/a(b|bc)?$');
SELECT COUNT(*), SUM(seq) FROM requests WHERE regexp_like(path, '^.{3}$');
SELECT COUNT(*), SUM(seq) FROM requests WHERE regexp_like(path, '\\');
SELECT COUNT(*), SUM(seq) FROM requests WHERE regexp_like(path, 'k\\slash$');
SELECT COUNT(*), SUM(seq) FROM requests WHERE regexp_like(path, '(?i)^/api');
SELECT COUNT(*), SUM(seq) FROM requests WHERE regexp_like(path, '[^\x00-\x7f]');
SELECT COUNT(*), SUM(seq) FROM requests WHERE regexp_like(path, '(?s)two.lines');
SELECT COUNT(*), SUM(seq) FROM requests WHERE regexp_like(path, 'two.lines|crab');
SELECT COUNT(*), SUM(seq) FROM requests WHERE regexp_like(host, '^host-(0[0-4]|29)[0-9]\.(eu|us)');
SELECT COUNT(*), SUM(seq) FROM requests WHERE regexp_like(tenant, '^.$|^..$');
-- duckdb: SELECT COUNT(*), SUM(seq) FROM requests WHERE regexp_matches(path, '^/api/.*[0-9]$')
SELECT COUNT(*), SUM(seq) FROM requests WHERE path ~ '^/api/.*[0-9]$';
-- duckdb: SELECT COUNT(*), SUM(seq) FROM requests WHERE NOT regexp_matches(path, '^/')
SELECT COUNT(*), SUM(seq) FROM requests WHERE path !~ '^/';
-- duckdb: SELECT COUNT(*), SUM(seq) FROM requests WHERE regexp_matches(path, '(?i)^/API')
SELECT COUNT(*), SUM(seq) FROM requests WHERE path ~* '^/API';
-- duckdb: SELECT COUNT(*), SUM(seq) FROM requests WHERE NOT regexp_matches(path, '(?i)A')
SELECT COUNT(*), SUM(seq) FROM requests WHERE path !~* 'A';
