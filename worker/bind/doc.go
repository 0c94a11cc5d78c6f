// Package bind turns a task as shipped into one SQL statement for the engine: the fragment, below a WITH clause that gives each
// of its inputs a body. Nothing else of a task is SQL.
//
//	WITH scan_0(c0, c1) AS NOT MATERIALIZED (SELECT CAST("l_orderkey" AS BIGINT), … FROM read_parquet(['…', '…'], …)),
//	     exchange_1(c0) AS NOT MATERIALIZED (SELECT … FROM arbalest_input(17))
//	<fragment>
//
// An input whose name begins with arbalest_table_ stands as a derived table wherever the fragment names it instead.
//
// Invariants:
//  1. Every name, path and value of the task is quoted here; only types, reader options and the fragment, which the planner
//     printed, are taken as SQL.
//  2. An input has exactly the columns and types that the task names, also when it has no splits.
//  3. A scan reads exactly its splits: whole files in one reader call (so that the engine spreads them over its threads), each
//     run of rows in a call of its own. A row stands in the input once for every split that holds it.
//     Of splits that are not inside the scan's range it keeps the rows of the range; the others are read as they are.
//     Files of a table whose files differ in their columns are read by name, and a column that none of the task's has is NULL.
//  4. The engine can push projections and filters through what is printed; a test asks EXPLAIN.
//
// The package is pure.
package bind
