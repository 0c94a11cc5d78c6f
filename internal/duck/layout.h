// The shape of a column as the kernel sees it: DuckDB's physical layout, without names or meanings.
#pragma once
#include "duckdb.h"
#include "memory.h"
#include <stdbool.h>

typedef enum {
	AB_FIXED,    // values of width bytes, copied as they are
	AB_BOOL,     // one byte a value in DuckDB, one bit in Arrow
	AB_BYTES,    // string_t in DuckDB, 32-bit offsets and bytes in Arrow
	AB_LIST,     // one child; LIST, and MAP as a list of structs
	AB_STRUCT,   // children; STRUCT, and UNION with its tag as first child
	AB_ARRAY,    // one child, size values a row
	AB_DECIMAL,  // clients: an integer of width bytes, widened to 16
	AB_INTERVAL, // clients: months, days, microseconds to Arrow's month_day_nano
} ab_kind;

// ab_node is one column or member. The nodes of a set of columns stand in one array in preorder: a node's first child
// follows it, and its next sibling stands nodes places further.
typedef struct {
	uint8_t kind;
	uint8_t width;     // bytes of a value in DuckDB's vector; AB_FIXED and AB_DECIMAL
	uint32_t children; // number of children
	uint32_t size;     // AB_ARRAY: values a row
	uint32_t nodes;    // nodes of the subtree, this one included
} ab_node;

// ab_layout is the shape of a set of columns.
typedef struct {
	uint32_t columns, nodes;
	ab_node *node;
	uint32_t *root; // of each column
} ab_layout;

// ab_layout_init copies nodes (of which the caller says how many) and finds the roots. False when memory is out.
bool ab_layout_init(ab_layout *l, const ab_node *nodes, uint32_t count);
void ab_layout_free(ab_layout *l);

// ab_layout_fits reports whether a vector of the logical type lies in memory as the subtree at a node says. Everything that
// reads or writes vectors checks this first: a wrong layout would be a wild read.
bool ab_layout_fits(const ab_layout *l, uint32_t node, duckdb_logical_type type);
