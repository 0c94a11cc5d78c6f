// Package logic runs sqllogictest scripts in DuckDB's dialect against clusters of several sizes: results must not depend on
// how many workers there are. DuckDB itself runs each script too, and says whether the script is right.
//
//	script ─► DuckDB: statements build tables ─► files ─► clusters of 1, 3 and 7 workers, Flight SQL
//	            └─ the answer to each query ─► is what the script says, and what every cluster says
//
// What a script may hold, besides what DuckDB's own runner knows (statement ok, statement error, query with types and
// rowsort, valuesort or nosort, loop, foreach, skipif, onlyif):
//
//	# cluster: 1 3 7              sizes of cluster; this is also the default
//	# set: arbalest.partitions=1  an option of every session, from here on
//	# table: t files=3 group=7    how the table t is written: in how many files, with row groups of about how many rows,
//	#                             keys=a,b for Hive-style directories, format=csv, sorted for a range of rows in each
//	#                             file. The default is three files, dealt row by row.
//	# plan: aggregate partial     the plan of the next query, on three workers, has a line that holds this text
//	# plan-not: fallback          … and no line that holds this one
//	# ran: adapted: stage 2       EXPLAIN ANALYZE of the next query, on three workers, holds this text
//
// All of these are comments to DuckDB. Sessions run with arbalest.distributed = always unless the script sets it, and with
// arbalest.adaptive = never, on the largest cluster with its default too.
//
// Invariants
//  1. A query's answer is compared with DuckDB's in full (types, exact values), not only with the text in the script.
//  2. A script says what it shows: prose above each query that is not plain.
//  3. What is skipped has its reason in the script.
package logic
