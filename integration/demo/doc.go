// Command demo shows the main job end to end: a coordinator and two worker processes over TPC-H Parquet, the 22 queries
// through the Flight SQL door, each answer checked against one plain DuckDB, and where the rows came from.
package main
