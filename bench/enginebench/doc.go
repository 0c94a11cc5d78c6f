// Command enginebench runs the parts of the benchmark that need the engine in the same process, and prints their raw times as
// JSON for bench, which makes figures of them.
//
//	enginebench scatter DATA ROUNDS      DuckDB's scan of lineitem, and the scan with its scatter into partitions, by turns
//	enginebench send DATA                serves lineitem twice until standard input ends: as an exchange does, and by stock arrow-go
//	enginebench receive DATA ROUNDS A B  fetches both from the addresses A and B that send printed, by turns
package main
