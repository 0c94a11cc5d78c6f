#include "layout.h"
#include <stdlib.h>
#include <string.h>

bool ab_layout_init(ab_layout *l, const ab_node *nodes, uint32_t count) {
	memset(l, 0, sizeof *l);
	l->node = malloc(sizeof(ab_node) * (count ? count : 1));
	l->root = malloc(sizeof(uint32_t) * (count ? count : 1));
	if (!l->node || !l->root) {
		ab_layout_free(l);
		return false;
	}
	memcpy(l->node, nodes, sizeof(ab_node) * count);
	l->nodes = count;
	for (uint32_t i = 0; i < count; i += nodes[i].nodes) l->root[l->columns++] = i;
	return true;
}

void ab_layout_free(ab_layout *l) {
	free(l->node);
	free(l->root);
	memset(l, 0, sizeof *l);
}

// width_of gives the bytes of a value of a type that is stored as it is; 0 for all others.
static uint8_t width_of(duckdb_type id) {
	switch (id) {
	case DUCKDB_TYPE_TINYINT:
	case DUCKDB_TYPE_UTINYINT:
		return 1;
	case DUCKDB_TYPE_SMALLINT:
	case DUCKDB_TYPE_USMALLINT:
		return 2;
	case DUCKDB_TYPE_INTEGER:
	case DUCKDB_TYPE_UINTEGER:
	case DUCKDB_TYPE_FLOAT:
	case DUCKDB_TYPE_DATE:
	case DUCKDB_TYPE_SQLNULL:
		return 4;
	case DUCKDB_TYPE_BIGINT:
	case DUCKDB_TYPE_UBIGINT:
	case DUCKDB_TYPE_DOUBLE:
	case DUCKDB_TYPE_TIME:
	case DUCKDB_TYPE_TIME_NS:
	case DUCKDB_TYPE_TIME_TZ:
	case DUCKDB_TYPE_TIMESTAMP:
	case DUCKDB_TYPE_TIMESTAMP_S:
	case DUCKDB_TYPE_TIMESTAMP_MS:
	case DUCKDB_TYPE_TIMESTAMP_NS:
	case DUCKDB_TYPE_TIMESTAMP_TZ:
		return 8;
	case DUCKDB_TYPE_HUGEINT:
	case DUCKDB_TYPE_UHUGEINT:
	case DUCKDB_TYPE_UUID:
	case DUCKDB_TYPE_INTERVAL:
		return 16;
	default:
		return 0;
	}
}

static bool child_fits(const ab_layout *l, uint32_t node, duckdb_logical_type child) {
	bool ok = child && ab_layout_fits(l, node, child);
	duckdb_destroy_logical_type(&child);
	return ok;
}

// members_fit checks a STRUCT's members, or a UNION's behind its tag.
static bool members_fit(const ab_layout *l, uint32_t node, duckdb_logical_type type, bool is_union) {
	uint32_t child = node + 1, count = l->node[node].children;
	idx_t members = is_union ? duckdb_union_type_member_count(type) + 1 : duckdb_struct_type_child_count(type);
	if (members != count) return false;
	for (uint32_t i = 0; i < count; i++, child += l->node[child].nodes) {
		if (is_union && i == 0) {
			if (l->node[child].kind != AB_FIXED || l->node[child].width != 1) return false;
			continue;
		}
		duckdb_logical_type t = is_union ? duckdb_union_type_member_type(type, i - 1) : duckdb_struct_type_child_type(type, i);
		if (!child_fits(l, child, t)) return false;
	}
	return true;
}

static bool map_fits(const ab_layout *l, uint32_t node, duckdb_logical_type type) {
	uint32_t entry = node + 1, key = node + 2;
	if (l->node[entry].kind != AB_STRUCT || l->node[entry].children != 2) return false;
	uint32_t value = key + l->node[key].nodes;
	return child_fits(l, key, duckdb_map_type_key_type(type)) && child_fits(l, value, duckdb_map_type_value_type(type));
}

// variant_fits checks against the fixed inside of DuckDB's VARIANT, which the C API does not show: keys, children (key and
// value index), values (type and offset), data.
static bool variant_fits(const ab_layout *l, uint32_t node) {
	static const uint8_t kinds[] = {AB_STRUCT, AB_LIST, AB_BYTES, AB_LIST, AB_STRUCT, AB_FIXED, AB_FIXED,
	                                AB_LIST,   AB_STRUCT, AB_FIXED, AB_FIXED, AB_BYTES};
	static const uint8_t widths[] = {0, 0, 0, 0, 0, 4, 4, 0, 0, 1, 4, 0};
	if (l->node[node].nodes != sizeof kinds) return false;
	for (uint32_t i = 0; i < sizeof kinds; i++) {
		const ab_node *n = &l->node[node + i];
		if (n->kind != kinds[i] || (n->kind == AB_FIXED && n->width != widths[i])) return false;
	}
	return true;
}

bool ab_layout_fits(const ab_layout *l, uint32_t node, duckdb_logical_type type) {
	const ab_node *n = &l->node[node];
	duckdb_type id = duckdb_get_type_id(type);
	if (id == DUCKDB_TYPE_DECIMAL) {
		if (n->kind != AB_FIXED && n->kind != AB_DECIMAL) return false;
		return width_of(duckdb_decimal_internal_type(type)) == n->width;
	}
	switch (id) {
	case DUCKDB_TYPE_BOOLEAN:
		return n->kind == AB_BOOL;
	case DUCKDB_TYPE_VARCHAR:
	case DUCKDB_TYPE_BLOB:
	case DUCKDB_TYPE_BIT:
	case DUCKDB_TYPE_BIGNUM:
	case DUCKDB_TYPE_GEOMETRY:
		return n->kind == AB_BYTES;
	case DUCKDB_TYPE_ENUM:
		return n->kind == AB_FIXED && width_of(duckdb_enum_internal_type(type)) == n->width;
	case DUCKDB_TYPE_LIST:
		return n->kind == AB_LIST && child_fits(l, node + 1, duckdb_list_type_child_type(type));
	case DUCKDB_TYPE_MAP:
		return n->kind == AB_LIST && map_fits(l, node, type);
	case DUCKDB_TYPE_ARRAY:
		return n->kind == AB_ARRAY && duckdb_array_type_array_size(type) == n->size &&
		       child_fits(l, node + 1, duckdb_array_type_child_type(type));
	case DUCKDB_TYPE_STRUCT:
		return n->kind == AB_STRUCT && members_fit(l, node, type, false);
	case DUCKDB_TYPE_UNION:
		return n->kind == AB_STRUCT && members_fit(l, node, type, true);
	case DUCKDB_TYPE_VARIANT:
		return n->kind == AB_STRUCT && variant_fits(l, node);
	case DUCKDB_TYPE_INTERVAL:
		return n->kind == AB_INTERVAL || (n->kind == AB_FIXED && n->width == 16);
	default:
		return n->kind == AB_FIXED && n->width != 0 && n->width == width_of(id);
	}
}
