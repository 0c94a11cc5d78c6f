// Package gen makes random tables and random SELECTs over them, all from a seed, and makes failing ones smaller.
//
//	seed ─► NewTables ─► (written to files, read back by DuckDB) ─► New(seed, tables).Case() ─► two texts with one answer
//	                                                                     failing ─► Shrink ─► a smaller case
//
// A statement is a tree of Nodes whose leaves are text. The tree knows of each part only what may stand in its place (a
// clause may go, an expression may become another of its class, a query one of its own sub-queries), which is all that
// shrinking needs: what the replacement makes of the statement is DuckDB's to say.
//
// Invariants
//  1. The same seed and tables give the same cases, on any machine.
//  2. A case has one answer: no volatile function, no LIMIT or row number without a total order, no aggregate that takes
//     any of several values, and no sum of floating point that rounds where another part of the statement looks at it.
//  3. A case that fails while it runs fails for every plan: errors stand where every row is looked at.
//
// How invariant 2 is kept. Values have a Class, and the classes say what may be done with them: doubles of class Dbl are
// small multiples of a quarter, whose sums are exact in any order; sums of others are Loose, and leave the statement by its
// outermost SELECT only. Integers of class Wide may be as large as their type allows, and are not added to.
package gen
