// Command bench prints the figures that Arbalest promises of speed and memory, each against a baseline measured in the same run,
// since absolute times say more about a machine than about a program. Its parts, which -only selects:
//
//	stream    first batch of SELECT * FROM lineitem as a share of the whole stream's time, and the server's memory    (stream.go)
//	queries   22 TPC-H queries on one node: time ÷ DuckDB in-process, same threads, geometric mean        (queries.go, duck.py)
//	select1   SELECT 1: p50 through ADBC, above a bare arrow-go Flight SQL server                    (selectone.go, bareserver)
//	kernel    the scatter into partitions ÷ the scan alone; an exchange between processes ÷ stock arrow-go  (kernel.go, enginebench)
//	whole     lineitem through ADBC ÷ DuckDB in-process to Arrow                                          (kernel.go, whole.py)
//	cluster   22 queries on a coordinator and two workers of one thread ÷ DuckDB in-process with two threads         (queries.go)
//	speedup   22 queries on two such workers ÷ on one, each pinned to a core                                         (queries.go)
//	clustered queries that join by a sorted key, as planned ÷ with exchanges: processor time of two such workers        (clustered.go)
//	roster    1,000 simulated workers at one coordinator: plans over them, and its memory and processor time for each (roster.go, crowd.go)
//
// Processor time is told beside time: other work on a machine lengthens the one and hardly the other.
//
// The baselines and the product take turns, statement by statement, and medians are compared, of the ratios of
// neighbouring runs where the kernel is measured. It writes nothing but the
// table; -json FILE writes the figures too. It is no test: it never fails on a slow machine.
package main
