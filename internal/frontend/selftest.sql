-- The start-up self-test: one statement a line, over t and u. Each must be read as a tree, print, and bind to the same types.
SELECT 1, 'a', NULL, 1.5, DATE '2020-01-01', TIMESTAMP '2020-01-01 01:02:03.5', INTERVAL 3 MONTH, true
SELECT * FROM t
SELECT count(*) FROM t
SELECT a, b FROM t WHERE a > 10 AND b LIKE 'a%' OR a IS NULL
SELECT a + 1, a - 1, a * 2, a / 2, a // 2, a % 3, -a FROM t
SELECT d + 1, d * (1 - d) * (1 + d), d / 3, d::DOUBLE, 100.00 * d FROM t
SELECT a FROM t WHERE a IN (1, 2, 3) AND dt BETWEEN DATE '2020-01-01' AND DATE '2020-12-31'
SELECT a FROM t WHERE a IN (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)
SELECT CASE WHEN a < 5 THEN 'low' ELSE 'high' END, coalesce(a, -1), nullif(a, 3) FROM t
SELECT try_cast(b AS INTEGER), a::VARCHAR, dt::TIMESTAMP FROM t
SELECT upper(b), length(b), substring(b, 1, 2), b || '!', contains(b, 'x'), regexp_matches(b, 'x+') FROM t
SELECT extract(year FROM dt), date_trunc('month', dt), dt + INTERVAL 1 MONTH, date_diff('day', dt, DATE '2021-01-01') FROM t
SELECT round(f, 1), floor(f), abs(a), greatest(a, bi), sqrt(f) FROM t
SELECT sum(a), sum(d), sum(f), avg(a), avg(d), min(b), max(dt), count(a), count(DISTINCT b) FROM t
SELECT b, sum(d), count(*) FROM t GROUP BY b
SELECT b, bo, sum(d) FILTER (WHERE a > 3), count(DISTINCT a) FROM t GROUP BY b, bo HAVING count(*) > 1
SELECT b, bo, count(*), grouping(b) FROM t GROUP BY GROUPING SETS ((b), (b, bo), ())
SELECT b, bo, sum(bi) FROM t GROUP BY ROLLUP (b, bo)
SELECT stddev(f), variance(f), corr(a, f), median(a), quantile_cont(f, 0.25), mode(a) FROM t
SELECT string_agg(b, ',' ORDER BY bi), list(a ORDER BY bi), arg_max(b, bi), bool_and(bo), bit_or(a) FROM t
SELECT approx_count_distinct(a), first(a), any_value(b), product(f), skewness(f) FROM t
SELECT DISTINCT a, b FROM t
SELECT DISTINCT ON (a) a, b FROM t ORDER BY a, bi
SELECT a FROM t ORDER BY a DESC NULLS FIRST, b
SELECT a FROM t ORDER BY d DESC LIMIT 10 OFFSET 5
SELECT a FROM t LIMIT 10
SELECT t.a, u.b FROM t JOIN u ON t.a = u.a
SELECT t.a, u.b FROM t LEFT JOIN u ON t.a = u.a AND t.d > u.d
SELECT t.a, u.b FROM t RIGHT JOIN u USING (bi)
SELECT t.a, u.b FROM t FULL JOIN u USING (bi)
SELECT t.a FROM t JOIN u ON t.a < u.a
SELECT t.a FROM t JOIN u ON t.a = u.a OR t.bi = u.bi
SELECT count(*) FROM t, u
SELECT * FROM t SEMI JOIN u USING (a)
SELECT * FROM t ANTI JOIN u USING (a)
SELECT bi FROM t WHERE a IN (SELECT a FROM u)
SELECT bi FROM t WHERE a NOT IN (SELECT a FROM u)
SELECT bi, a IN (SELECT a FROM u) FROM t
SELECT bi FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.a = t.a AND u.d < t.d)
SELECT bi FROM t WHERE NOT EXISTS (SELECT 1 FROM u WHERE u.a = t.a)
SELECT bi, (SELECT max(u.d) FROM u WHERE u.a = t.a) FROM t
SELECT bi FROM t WHERE d > (SELECT avg(d) FROM u)
SELECT bi FROM t WHERE d = (SELECT max(d) FROM t x WHERE x.a = t.a)
SELECT a FROM t UNION SELECT a FROM u
SELECT a, b FROM t UNION ALL SELECT a, b FROM u
SELECT a FROM t INTERSECT SELECT a FROM u
SELECT a FROM t EXCEPT SELECT a FROM u
WITH c AS (SELECT a, sum(d) AS s FROM t GROUP BY a) SELECT * FROM c WHERE s = (SELECT max(s) FROM c)
WITH c AS MATERIALIZED (SELECT a, count(*) AS n FROM t GROUP BY a) SELECT x.a, y.n FROM c x JOIN c y ON x.a = y.a + 1
SELECT * FROM (VALUES (1, 'a'), (2, NULL)) v(x, y)
SELECT a, row_number() OVER (PARTITION BY b ORDER BY bi), rank() OVER (ORDER BY a), dense_rank() OVER (ORDER BY a DESC) FROM t
SELECT bi, lag(a) OVER (ORDER BY bi), lead(a, 2, -1) OVER (ORDER BY bi), first_value(a) OVER (ORDER BY bi), ntile(4) OVER (ORDER BY bi) FROM t
SELECT bi, sum(d) OVER (PARTITION BY b ORDER BY bi), avg(d) OVER (ORDER BY bi ROWS BETWEEN 3 PRECEDING AND CURRENT ROW), count(*) OVER () FROM t
SELECT bi FROM t QUALIFY row_number() OVER (PARTITION BY a ORDER BY bi) = 1
SELECT [1, 2], {'x': 1, 'y': 'z'}, MAP {'k': 1}, list_value(a, 2), struct_pack(p := a) FROM t
SELECT (a % 10)::TINYINT, a::HUGEINT * bi, f::FLOAT, b::BLOB, '00000000-0000-0000-0000-000000000001'::UUID FROM t
SELECT sum(CASE WHEN b = 'x' THEN d * (1 - d) ELSE 0 END) / sum(d) FROM t
SELECT extract(year FROM dt) AS y, sum(d) FROM t JOIN (SELECT bi FROM u) v USING (bi) WHERE t.b LIKE '%green%' GROUP BY y ORDER BY y DESC LIMIT 3
