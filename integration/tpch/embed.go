package tpch

import (
	"embed"
	"fmt"
	"strings"

	"github.com/arbalest-sql/arbalest/catalog/table"
)

//go:embed queries/*.sql
var files embed.FS

// A Query is one of the 22 queries.
type Query struct {
	// Number counts from 1; Name is q01 … q22.
	Number int
	Name   string
	// SQL has no trailing semicolon.
	SQL string
}

// count is the number of queries.
const count = 22

// Queries returns all queries in order: query n stands at n-1.
func Queries() []Query {
	all := make([]Query, count)
	for i := range all {
		name := fmt.Sprintf("q%02d", i+1)
		sql, err := files.ReadFile("queries/" + name + ".sql")
		if err != nil {
			panic("tpch: " + err.Error())
		}
		all[i] = Query{Number: i + 1, Name: name, SQL: strings.TrimSuffix(strings.TrimSpace(string(sql)), ";")}
	}
	return all
}

// A Table is one of the eight tables: its name, columns, and rows at scale factor 1.
type Table struct {
	Name    string
	Columns []table.Column
	Rows    int64
}

// Tables returns the eight tables, sorted by name.
func Tables() []Table {
	return []Table{
		{"customer", columns("c_custkey BIGINT, c_name VARCHAR, c_address VARCHAR, c_nationkey BIGINT, c_phone VARCHAR, " +
			"c_acctbal DECIMAL(15,2), c_mktsegment VARCHAR, c_comment VARCHAR"), 150_000},
		{"lineitem", columns("l_orderkey BIGINT, l_partkey BIGINT, l_suppkey BIGINT, l_linenumber INTEGER, " +
			"l_quantity DECIMAL(15,2), l_extendedprice DECIMAL(15,2), l_discount DECIMAL(15,2), l_tax DECIMAL(15,2), " +
			"l_returnflag VARCHAR, l_linestatus VARCHAR, l_shipdate DATE, l_commitdate DATE, l_receiptdate DATE, " +
			"l_shipinstruct VARCHAR, l_shipmode VARCHAR, l_comment VARCHAR"), 6_001_215},
		{"nation", columns("n_nationkey BIGINT, n_name VARCHAR, n_regionkey BIGINT, n_comment VARCHAR"), 25},
		{"orders", columns("o_orderkey BIGINT, o_custkey BIGINT, o_orderstatus VARCHAR, o_totalprice DECIMAL(15,2), " +
			"o_orderdate DATE, o_orderpriority VARCHAR, o_clerk VARCHAR, o_shippriority INTEGER, o_comment VARCHAR"), 1_500_000},
		{"part", columns("p_partkey BIGINT, p_name VARCHAR, p_mfgr VARCHAR, p_brand VARCHAR, p_type VARCHAR, p_size INTEGER, " +
			"p_container VARCHAR, p_retailprice DECIMAL(15,2), p_comment VARCHAR"), 200_000},
		{"partsupp", columns("ps_partkey BIGINT, ps_suppkey BIGINT, ps_availqty INTEGER, ps_supplycost DECIMAL(15,2), " +
			"ps_comment VARCHAR"), 800_000},
		{"region", columns("r_regionkey BIGINT, r_name VARCHAR, r_comment VARCHAR"), 5},
		{"supplier", columns("s_suppkey BIGINT, s_name VARCHAR, s_address VARCHAR, s_nationkey BIGINT, s_phone VARCHAR, " +
			"s_acctbal DECIMAL(15,2), s_comment VARCHAR"), 10_000},
	}
}

// columns reads "name TYPE, …". DECIMAL's comma stands before a digit, the others before a blank.
func columns(list string) []table.Column {
	parts := strings.Split(list, ", ")
	cols := make([]table.Column, len(parts))
	for i, p := range parts {
		name, sql, _ := strings.Cut(p, " ")
		t, err := table.ParseType(sql)
		if err != nil {
			panic("tpch: column " + p + ": " + err.Error())
		}
		cols[i] = table.Column{Name: name, Type: t}
	}
	return cols
}
