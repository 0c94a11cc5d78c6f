// Command bench prints the four figures that Arbalest promises of speed and memory, each against a baseline measured in the
// same run, since absolute times say more about a machine than about a program:
//
//	first batch   of SELECT * FROM lineitem, as a share of the whole stream's time          (stream.go)
//	memory        of the server above idle while it sends that stream                       (stream.go)
//	22 queries    of TPC-H: geometric mean of time ÷ DuckDB in-process, same threads        (queries.go, duck.py)
//	SELECT 1      p50 through ADBC, above a bare arrow-go Flight SQL server                 (selectone.go, bareserver)
//
// The baselines and the product take turns, statement by statement, and medians are compared. It writes nothing but the
// table; -json FILE writes the figures too. It is no test: it never fails on a slow machine.
package main
