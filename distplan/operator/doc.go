// Package operator is the operator tree: the optimised, single-node, location-free plan of one statement, as package
// internal/frontend reads it from DuckDB and package distplan cuts it into stages.
//
// Nodes are values: nobody changes one after it is made; rules make new ones. Each operator's columns are positional;
// Columns gives their types. What the tree cannot say faithfully is an Opaque node or makes the frontend give up the tree
// altogether: a wrong answer is never the price of distribution.
package operator
