-- One statement a line. Each must be read as an operator tree and come back from it with the same rows and types.
SELECT 1
SELECT 1 AS x, 'a' AS y, NULL AS z
SELECT count(*) FROM t
SELECT count(*), count(a), count(DISTINCT b) FROM t
SELECT * FROM t
SELECT a, b FROM t WHERE a > 10 AND b LIKE 'a%' OR a IS NULL
SELECT a + 1, a - 1, a * 2, a / 2, a // 2, a % 3, -a, a & 3, a | 4, a << 1, a >> 1 FROM t
SELECT d + 1, d - 1.5, d * 2.25, d * d, d / 3, d % 7, -d, d + a, sum(d) OVER () FROM t
SELECT d * 1.0001 * 3.5, (d + 100)::DECIMAL(18,4) * d FROM t
SELECT a IN (1, 2, 3), a NOT IN (4, 5), a BETWEEN 3 AND 9, a IN (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12) FROM t
SELECT CASE WHEN a < 5 THEN 'low' WHEN a < 20 THEN 'mid' ELSE 'high' END, CASE a WHEN 1 THEN 2 END, coalesce(a, -1), nullif(a, 3), ifnull(b, 'none') FROM t
SELECT try_cast(b AS INTEGER), a::VARCHAR, a::DOUBLE, d::INTEGER, f::DECIMAL(12,3), dt::TIMESTAMP, tm::DATE, e::VARCHAR FROM t
SELECT b LIKE '%1', b NOT LIKE 'a%', b ILIKE 'A%', starts_with(b, 'c'), contains(b, '2'), b || '!', upper(b), length(b), substring(b, 1, 2), replace(b, 'a', 'z') FROM t
SELECT regexp_matches(b, '^[a-c]'), regexp_replace(b, '[0-9]', '#', 'g'), regexp_extract(b, '([a-z])', 1), split_part(b, '1', 1), concat(b, a, NULL), concat_ws('-', b, a), printf('%d-%s', a, b), format('{}:{}', a, b) FROM t
SELECT year(dt), month(dt), extract(dow FROM dt), date_trunc('month', dt), dt + 1, dt + INTERVAL 1 MONTH, dt - DATE '2019-12-31', date_diff('day', dt, DATE '2021-01-01'), strftime(dt, '%Y/%m'), last_day(dt) FROM t
SELECT tm + INTERVAL 1 HOUR, tm - TIMESTAMP '2020-01-01', date_part('hour', tm), epoch(tm), tm::TIME FROM t
SELECT ts, ts + INTERVAL 1 DAY, date_trunc('day', ts), date_part('hour', ts), ts > TIMESTAMPTZ '2020-04-01 00:00:00+00' FROM t
SELECT h + 1, h * 2, h::DOUBLE, h > 1000000000000000000000 FROM t
SELECT e, e = 'p', e > 'p', e IN ('p', 'r'), e::VARCHAR || 'x' FROM t
SELECT l, l[1], len(l), list_contains(l, 2), list_concat(l, [9]), l || [7], list_sort(l), list_distinct(l) FROM t
SELECT s, s.x, s.y, s['x'], {'p': a, 'q': s} FROM t
SELECT m, m['z'], map_keys(m), map_values(m), element_at(m, 'k1') FROM t
SELECT j, j->'a', j->>'$.b[0]', json_extract_string(j, '$.a'), json_array_length(j, '$.b'), json_type(j) FROM t
SELECT u, u = '00000000-0000-0000-0000-000000000001', u::VARCHAR, i, i + INTERVAL 1 DAY, i > INTERVAL 5 DAY, bl, octet_length(bl), ti, ti > TIME '00:01:00' FROM t
SELECT sm + sm, bi * 3, sm::TINYINT, greatest(a, sm), least(a, bi), abs(a), round(f, 1), floor(f), ceil(f), sqrt(bi), ln(bi + 1), pow(a, 2), sign(a), f::FLOAT FROM t
SELECT md5(b), hash(a), hex(bi), bin(sm), base64(bl), sha256(b), ascii(b), chr(65 + a % 5) FROM t WHERE a IS NOT NULL
SELECT [a, a + 1], [b], [NULL, a], struct_pack(k := a), MAP {'a': a}, list_value(d, 1.5), [d, 2] FROM t
SELECT sum(a), sum(d), sum(f), sum(h), avg(a), avg(d), min(b), max(dt), min(e), bool_and(bo), bool_or(bo), bit_and(a), bit_or(a), bit_xor(a) FROM t
SELECT stddev(f), variance(f), stddev_pop(a), var_pop(a), covar_pop(a, f), corr(a, f), regr_slope(a, f), skewness(f), kurtosis(f), product(sm + 1::DOUBLE) FROM u
SELECT median(a), quantile_cont(f, 0.25), quantile_disc(a, 0.9), quantile_cont(f, [0.1, 0.5, 0.9]), mode(sm % 3), mad(a), approx_count_distinct(a) FROM t
SELECT string_agg(b, ',' ORDER BY bi), string_agg(b, '; ' ORDER BY bi DESC) FILTER (WHERE a < 5), list(a ORDER BY bi), array_agg(DISTINCT sm % 3 ORDER BY sm % 3), first(a ORDER BY bi), arg_max(b, bi), arg_min(a, bi), max(bi, 3), count_if(a > 3) FROM t
SELECT b, sum(a) FILTER (WHERE a > 3), count(DISTINCT a) FILTER (WHERE bo), count(*) FROM t GROUP BY b
SELECT a % 5 AS k, b, count(*) AS n, sum(d) FROM t GROUP BY ALL ORDER BY ALL
SELECT a, b, count(*), grouping(a), grouping_id(a, b) FROM t GROUP BY GROUPING SETS ((a), (a, b), ())
SELECT a % 3, bo, sum(d) FROM t GROUP BY ROLLUP (a % 3, bo)
SELECT a % 3, bo, sum(d), grouping(bo) FROM t GROUP BY CUBE (a % 3, bo) HAVING count(*) > 2
SELECT bo, count(*) FROM t GROUP BY bo HAVING sum(a) > 10
SELECT sum(a) FROM empty
SELECT a, sum(bi) FROM empty GROUP BY a
SELECT count(*) FROM t WHERE false
SELECT DISTINCT a, bo FROM t
SELECT DISTINCT ON (a) a, bi FROM t ORDER BY a, bi
SELECT DISTINCT ON (bo) bo, a, bi FROM t ORDER BY bo DESC NULLS LAST, bi DESC
SELECT a, bi FROM t ORDER BY a DESC NULLS FIRST, bi LIMIT 7
SELECT bi FROM t ORDER BY bi LIMIT 5 OFFSET 3
SELECT bi FROM t ORDER BY a, bi DESC
SELECT bi FROM t ORDER BY b NULLS FIRST, f DESC, bi
SELECT count(*) FROM (SELECT * FROM t LIMIT 10 OFFSET 5)
SELECT count(*) FROM (SELECT * FROM t OFFSET 5)
SELECT t.bi, u.bi FROM t JOIN u ON t.a = u.a
SELECT t.bi, u.bi FROM t LEFT JOIN u ON t.a = u.a AND u.bi > 20
SELECT t.bi, u.bi FROM t RIGHT JOIN u ON t.bi = u.bi + 350
SELECT t.bi, u.bi FROM t FULL JOIN u ON t.bi = u.bi + 380
SELECT t.bi, u.bi FROM t JOIN u ON t.a = u.a AND t.d > u.d
SELECT t.bi, u.bi FROM t JOIN u ON t.bi < u.bi AND t.bi > u.bi - 3
SELECT t.bi, u.bi FROM t JOIN u ON t.a = u.a OR t.bi = u.bi
SELECT t.bi, u.bi FROM t LEFT JOIN u ON t.a + u.a > 60
SELECT t.bi, u.bi FROM t JOIN u ON t.a IS NOT DISTINCT FROM u.a WHERE t.bi < 50
SELECT count(*) FROM t, u
SELECT t.bi, x.bi, y.bi FROM t JOIN u x USING (bi) JOIN u y ON y.bi = x.bi + 1
SELECT * FROM t SEMI JOIN u USING (a)
SELECT * FROM t ANTI JOIN u ON t.a = u.a AND u.bi > 30
SELECT bi FROM t WHERE a IN (SELECT a FROM u)
SELECT bi FROM t WHERE a NOT IN (SELECT a FROM u)
SELECT bi FROM t WHERE a NOT IN (SELECT a FROM u WHERE a IS NOT NULL)
SELECT bi, a IN (SELECT a FROM u) FROM t
SELECT bi FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.a = t.a AND u.d < t.d)
SELECT bi FROM t WHERE NOT EXISTS (SELECT 1 FROM u WHERE u.a = t.a)
SELECT bi, EXISTS (SELECT 1 FROM u WHERE u.a = t.a) FROM t
SELECT bi, (SELECT max(u.d) FROM u WHERE u.a = t.a) FROM t
SELECT bi, (SELECT count(*) FROM u WHERE u.a > t.a) FROM t
SELECT bi, (SELECT sum(bi) FROM u) FROM t
SELECT bi, d > (SELECT avg(d) FROM u WHERE u.bo = t.bo) FROM t
SELECT bi FROM t WHERE d = (SELECT max(d) FROM t x WHERE x.a = t.a)
SELECT bi FROM t WHERE a = ANY (SELECT a FROM u WHERE u.bo)
SELECT bi FROM t WHERE (a, bo) IN (SELECT a, bo FROM u)
SELECT bi FROM t WHERE a > ALL (SELECT a FROM u WHERE a < 10)
SELECT a FROM t UNION SELECT a FROM u
SELECT a, bo FROM t UNION ALL SELECT sm, bo FROM u
SELECT a FROM t UNION ALL SELECT a FROM u UNION ALL SELECT sm FROM u
SELECT a FROM t INTERSECT SELECT sm FROM u
SELECT a FROM t EXCEPT SELECT a FROM u
SELECT a FROM t EXCEPT ALL SELECT a FROM u
SELECT a FROM t INTERSECT ALL SELECT a FROM u
WITH c AS (SELECT a, count(*) AS n FROM t GROUP BY a) SELECT x.a, y.n FROM c x JOIN c y ON x.a = y.a + 1
WITH c AS MATERIALIZED (SELECT a, sum(d) AS s FROM t GROUP BY a), k AS (SELECT max(s) AS m FROM c) SELECT c.a FROM c, k WHERE c.s = k.m
WITH t AS (SELECT a + 1 AS a FROM t) SELECT sum(a) FROM t
WITH x(p, q) AS (VALUES (1, 'a'), (2, NULL)) SELECT x.q, count(*) FROM x LEFT JOIN t ON t.a = x.p GROUP BY x.q
SELECT * FROM (VALUES (1, 1.5, DATE '2020-01-01'), (2, NULL, NULL)) v(a, b, c)
SELECT a, row_number() OVER (PARTITION BY a ORDER BY bi), rank() OVER (ORDER BY a), dense_rank() OVER (ORDER BY a DESC NULLS LAST), percent_rank() OVER (PARTITION BY bo ORDER BY a), cume_dist() OVER (ORDER BY a), ntile(4) OVER (ORDER BY bi) FROM t
SELECT bi, lag(a) OVER (ORDER BY bi), lead(a, 2, -1) OVER (ORDER BY bi), first_value(a) OVER (ORDER BY bi), last_value(a) OVER (PARTITION BY bo ORDER BY bi ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING), nth_value(a, 3) OVER (ORDER BY bi) FROM t
SELECT bi, lag(a IGNORE NULLS) OVER (ORDER BY bi), first_value(a IGNORE NULLS) OVER (ORDER BY bi ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) FROM t
SELECT bi, sum(a) OVER (PARTITION BY bo ORDER BY bi), avg(d) OVER (ORDER BY bi ROWS BETWEEN 3 PRECEDING AND 1 FOLLOWING), count(*) OVER (PARTITION BY a), max(f) OVER () FROM t
SELECT bi, sum(a) OVER (ORDER BY dt RANGE BETWEEN INTERVAL 3 DAY PRECEDING AND CURRENT ROW), sum(bi) OVER (ORDER BY sm RANGE BETWEEN 2 PRECEDING AND 2 FOLLOWING), sum(bi) OVER (ORDER BY sm GROUPS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM t
SELECT bi, sum(bi) OVER (ORDER BY sm ROWS BETWEEN 2 PRECEDING AND 2 FOLLOWING EXCLUDE CURRENT ROW), count(a) FILTER (WHERE a > 3) OVER (ORDER BY bi), sum(DISTINCT a) OVER (PARTITION BY bo) FROM t
SELECT bi, median(a) OVER (PARTITION BY bo), quantile_cont(f, 0.3) OVER (PARTITION BY bo), string_agg(b, '+') OVER (ORDER BY bi) FROM u
SELECT bo, a, sum(sum(bi)) OVER (PARTITION BY bo ORDER BY a) FROM t GROUP BY bo, a
SELECT bi, a FROM t QUALIFY row_number() OVER (PARTITION BY a ORDER BY bi) = 1
SELECT n_name, r_name FROM nation JOIN region ON n_regionkey = r_regionkey ORDER BY n_name
SELECT o_orderpriority, count(*) FROM orders LEFT JOIN lineitem ON l_orderkey = o_orderkey AND l_quantity > 80 GROUP BY o_orderpriority
SELECT c_name, sum(o_totalprice) AS s FROM customer JOIN orders ON c_custkey = o_custkey GROUP BY c_name ORDER BY s DESC, c_name LIMIT 10
SELECT DATE '2020-02-29', TIMESTAMP '2020-01-01 01:02:03.5', TIMESTAMPTZ '2020-01-01 00:00:00+00', TIME '01:02:03.000001', INTERVAL '1 month 2 days 3 seconds', 'x''y', 1.5::FLOAT, 1e300, 'nan'::DOUBLE, 'inf'::DOUBLE, '-inf'::FLOAT
SELECT 170141183460469231731687303715884105727::HUGEINT, -5::HUGEINT, 340282366920938463463374607431768211455::UHUGEINT, 18446744073709551615::UBIGINT, -12345678901234567890123456789.12::DECIMAL(38,2), 12.34, -0.05, 5::UTINYINT, (-9223372036854775808)::BIGINT
SELECT '\xAA\x00'::BLOB, 'a'::ENUM('a', 'b'), [1, 2], [NULL, 1], []::INTEGER[], {'x': 1, 'y': NULL}, MAP {'k': 1}, MAP {}, [1, 2]::INTEGER[2], [{'a': 1.5, 'b': [DATE '2020-01-01']}], NULL::STRUCT(a INTEGER), '{"a":1}'::JSON
SELECT UUID 'ffffffff-0000-0000-0000-000000000001', UUID '00000000-0000-0000-0000-000000000001', '01:02:03+02'::TIMETZ, '01:02:03-11:30'::TIMETZ, TIMESTAMP_NS '2020-01-01 00:00:00.000000001', '2020-01-01'::TIMESTAMP_S, '2020-01-01 00:00:00.123'::TIMESTAMP_MS, '01:02:03.123456789'::TIME_NS
SELECT 'infinity'::DATE, '-infinity'::DATE, 'infinity'::TIMESTAMP, '-infinity'::TIMESTAMPTZ, union_value(k := 1), 'é😀', chr(0) || 'a', 0.1::FLOAT, 0.1::DOUBLE, true, false, NULL::DECIMAL(5,2)
SELECT DATE '0001-01-01', DATE '1969-12-31', DATE '9999-12-31', TIMESTAMP '1969-12-31 23:59:59.999999', TIMESTAMP '0001-01-01', TIME '24:00:00', INTERVAL (-5) DAY
SELECT a, z FROM other.t x JOIN t USING (a)
SELECT arbalest.main.t.a, main.t.b FROM arbalest.main.t
FROM t SELECT a, b WHERE bi < 5
SELECT COLUMNS('^[ab]$') FROM t
SELECT * EXCLUDE (l, s, m) REPLACE (a + 1 AS a) FROM t
SELECT a.b FROM (SELECT {'b': bi} AS a FROM t)
DESCRIBE t
DESCRIBE SELECT a + 1 AS x FROM t
FROM (PIVOT t ON e IN ('p', 'q') USING sum(bi) GROUP BY bo)
