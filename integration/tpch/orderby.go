package tpch

// OrderBy gives, by query number, the result columns (from 0) that the query orders by, in the order of ORDER BY; none for
// queries that give one row. A comparison holds rows to exactly that order: rows that tie in it may stand in any.
var OrderBy = map[int][]int{
	1: {0, 1}, 2: {0, 2, 1, 3}, 3: {1, 2}, 4: {0}, 5: {1}, 7: {0, 1, 2}, 8: {0}, 9: {0, 1}, 10: {2}, 11: {1}, 12: {0},
	13: {1, 0}, 15: {0}, 16: {3, 0, 1, 2}, 18: {4, 3}, 20: {0}, 21: {1, 0}, 22: {0},
}
