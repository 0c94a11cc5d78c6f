// Package tpch holds the 22 queries of TPC-H with the validation parameters of its specification, and the columns of its
// eight tables as tpchgen-cli writes them, and what the catalog would say of those tables at scale factor 10. It has no logic of its own: tests, the demo and the benchmark share it.
package tpch
