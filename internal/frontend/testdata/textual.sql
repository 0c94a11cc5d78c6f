-- One statement a line. Their plans are not read as trees; they run as the syntax tree printed back.
WITH RECURSIVE r AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM r WHERE i < 10) SELECT r.i, count(t.a) FROM r LEFT JOIN t ON t.a = r.i GROUP BY r.i
WITH RECURSIVE t AS (SELECT 1 AS a UNION ALL SELECT a + 1 FROM t WHERE a < 5) SELECT * FROM t
WITH RECURSIVE t(n) AS (SELECT min(bi) FROM u UNION ALL SELECT n + 1 FROM t WHERE n < 7) SELECT n, main.u.a FROM t JOIN main.u ON u.bi = n
SELECT a, unnest(l) FROM t
SELECT list_transform(l, x -> x + a) FROM t
SELECT list_filter(l, x -> x > 1), list_reduce(coalesce(l, [0]) || [1], (p, q) -> p + q) FROM t
SELECT t.bi, u.bi FROM t ASOF JOIN u ON t.bo = u.bo AND t.tm >= u.tm
SELECT t.bi, u.bi FROM t POSITIONAL JOIN u
SELECT bi FROM t ORDER BY bi LIMIT 10%
SELECT bi FROM t ORDER BY bi LIMIT (SELECT 3)
SELECT * FROM range(5) r(i)
SELECT r.i, t.a FROM range(5) r(i) JOIN t ON t.bi = r.i
SELECT * FROM generate_series(DATE '2020-01-01', DATE '2020-01-03', INTERVAL 1 DAY)
SELECT bi, x FROM t, unnest(t.l) q(x)
SELECT array_to_string(l, ',') FROM t
FROM (UNPIVOT (SELECT bi, a, sm FROM t) ON a, sm)
SELECT bi, row(a, b) FROM t, range(1)
SELECT b COLLATE NOCASE AS b FROM t ORDER BY b COLLATE NOCASE, bi
SELECT bi FROM t WHERE b COLLATE NOCASE = 'A0'
WITH scan_0 AS (SELECT 1 AS a) SELECT scan_0.a, count(*) FROM scan_0, t, range(2) GROUP BY scan_0.a
SELECT main.t.a, arbalest.main.t.b, t.bi FROM main.t, range(1)
SELECT x.a, y.a FROM t x, t y, range(1) WHERE x.bi = y.bi + 1
SELECT p, q FROM t AS x(p, q), range(1)
SELECT z.a, z.z FROM other.t z, range(1)
SELECT '101'::BIT, '123456789012345678901234567890'::BIGNUM
SELECT DATE '5000-01-01 (BC)'
SUMMARIZE SELECT a, b FROM t
SELECT count(*) FROM test_all_types()
