// Package plantest reads operator trees and tables from text, for tests of planning: no SQL engine, no files.
//
// A tree is one operator a line, inputs indented by two blanks below it:
//
//	aggregate group=(l_orderkey) agg=(sum(l_qty) as total)
//	  filter l_qty > 5.0
//	    scan lineitem (l_orderkey, l_qty)
//
// Columns are named by the table's names, by "as", or by #position. A literal's type is INTEGER, DOUBLE or VARCHAR by its
// look; "::TYPE" casts. A line may end in rows=N, the estimate. The operators:
//
//	scan T (a, b, -)                       "-" = the column nobody reads
//	filter e, e -> (a, b)                  the picked columns may be left out, here and below
//	project e as x, e
//	aggregate group=(e) agg=(f) sets=((a), ()) grouping=((a))
//	distinct | distinct on=(a) by=(b desc)
//	join left on=(a = b, c < d) predicate=(e) -> (a) right-> (b)
//	delim single #1 flipped keys=(a) on=(a = b) | get #1 (a BIGINT)
//	cross | order by=(a desc nulls first) -> (a) | top 3 offset=1 by=(a) | limit 3 offset=1
//	union | union all | intersect | except …
//	window rank() over (partition=(a) by=(b)) as r
//	values (a BIGINT, b VARCHAR) (1, 'x') (2, 'y') | empty (a BIGINT) | dummy
//	with #1 | ref #1 (a BIGINT)
//
// It panics through its caller's t.Fatal only: every fault is an error that names the line.
package plantest
