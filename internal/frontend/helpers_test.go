package frontend

import (
	"context"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/integration/tpch"
	"github.com/arbalest-sql/arbalest/internal/duck/plandb"
	"github.com/arbalest-sql/arbalest/internal/qerr"
	"github.com/arbalest-sql/arbalest/internal/settings"
)

func TestMain(m *testing.M) {
	shared = sync.OnceValues(func() (*Frontend, error) { return New(Config{Log: zerolog.Nop()}) })
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		if f, err := shared(); err == nil {
			_ = f.Close()
		}
		os.Exit(code)
	}))
}

// shared is one frontend for all tests that do not count plans.
var shared func() (*Frontend, error)

func front(t testing.TB) *Frontend {
	t.Helper()
	f, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// A fake is a snapshot of tables without files.
type fake struct {
	version string
	tables  []*table.Table
}

func (s *fake) Version() string { return s.version }

func (s *fake) Catalogs() []string { return []string{"arbalest"} }

func (s *fake) Schemas(string) []string {
	all := []string{"main"}
	for _, t := range s.tables {
		if !slices.Contains(all, t.Name.Schema) {
			all = append(all, t.Name.Schema)
		}
	}
	return all
}

func (s *fake) Names() []table.Name {
	var all []table.Name
	for _, t := range s.tables {
		all = append(all, t.Name)
	}
	return all
}

func (s *fake) Table(_ context.Context, n table.Name) (*table.Table, error) {
	for _, t := range s.tables {
		if strings.EqualFold(t.Name.String(), n.String()) {
			return t, nil
		}
	}
	return nil, qerr.New(qerr.NotFound, "table %s does not exist", n)
}

func typ(t testing.TB, sql string) table.Type {
	t.Helper()
	ty, err := table.ParseType(sql)
	if err != nil {
		t.Fatal(err)
	}
	return ty
}

// newTable makes a table of schema main from "name TYPE; name TYPE".
func newTable(t testing.TB, name string, rows int64, columns string) *table.Table {
	t.Helper()
	tab := &table.Table{Name: table.Name{Catalog: "arbalest", Schema: "main", Table: name}, Format: table.Parquet, Rows: rows, RowsExact: true}
	for _, c := range strings.Split(columns, ";") {
		n, sql, _ := strings.Cut(strings.TrimSpace(c), " ")
		tab.Columns = append(tab.Columns, table.Column{Name: strings.Trim(n, `"`), Type: typ(t, sql)})
	}
	return tab
}

const columnsT = `a INTEGER; b VARCHAR; d DECIMAL(10,2); f DOUBLE; dt DATE; tm TIMESTAMP; ts TIMESTAMPTZ; bo BOOLEAN; h HUGEINT; ` +
	`e ENUM('p', 'q', 'r'); l INTEGER[]; s STRUCT(x INTEGER, y VARCHAR); m MAP(VARCHAR, INTEGER); j JSON; u UUID; i INTERVAL; bl BLOB; ti TIME; sm SMALLINT; bi BIGINT`

// world holds t and u (every kind of column), empty (no rows), and TPC-H.
func world(t testing.TB) *fake {
	t.Helper()
	s := &fake{version: "world"}
	s.tables = append(s.tables, newTable(t, "t", 1000, columnsT), newTable(t, "u", 100, columnsT), newTable(t, "empty", 0, columnsT))
	for _, x := range tpch.Tables() {
		s.tables = append(s.tables, &table.Table{Name: table.Name{Catalog: "arbalest", Schema: "main", Table: x.Name}, Columns: x.Columns,
			Format: table.Parquet, Rows: x.Rows, RowsExact: true})
	}
	other := newTable(t, "t", 10, "a INTEGER; z VARCHAR")
	other.Name.Schema = "other"
	s.tables = append(s.tables, other)
	return s
}

func request(t testing.TB, sql string) Request {
	return Request{SQL: sql, Snapshot: world(t), Settings: settings.Defaults(), User: "ann", System: systemTable}
}

// systemTable gives sys.settings and an empty sys.queries.
func systemTable(name string) (*table.Table, error) {
	n := table.Name{Catalog: "arbalest", Schema: "sys", Table: name}
	switch name {
	case "settings":
		return &table.Table{Name: n, Columns: []table.Column{{Name: "name", Type: table.Of(table.Varchar)}, {Name: "value", Type: table.Of(table.Varchar)}},
			Inline: [][]string{{"'TimeZone'", "'UTC'"}, {"'x'", "NULL"}}}, nil
	case "queries":
		return &table.Table{Name: n, Columns: []table.Column{{Name: "query_id", Type: table.Of(table.Varchar)}, {Name: "started", Type: table.Of(table.TimestampTZ)}},
			Inline: [][]string{}}, nil
	}
	return nil, qerr.New(qerr.NotFound, "no system table %s", name)
}

// oracle is a database with real tables of the same names as the stubs.
func oracle(t testing.TB) *plandb.Instance {
	t.Helper()
	p := plandb.NewPool(plandb.Config{InstancesMax: 1})
	in, err := p.Get(context.Background(), "oracle", []string{"arbalest"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Put(in); p.Close() })
	for _, sql := range dataSQL {
		if _, err := in.Rows(sql, 1<<20); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	if err := in.Use("arbalest", "main", "UTC"); err != nil {
		t.Fatal(err)
	}
	return in
}

const rowsT = `SELECT CASE WHEN k % 11 = 0 THEN NULL ELSE k % 37 END::INTEGER AS a, CASE WHEN k % 13 = 0 THEN NULL ELSE chr(97 + k % 7) || (k % 23) END AS b,
	((k * 37) % 1000 / 8)::DECIMAL(10,2) AS d, CASE WHEN k % 17 = 0 THEN NULL ELSE (k * 7919 % 1000) / 16.0 END::DOUBLE AS f,
	(DATE '2020-01-01' + (k % 90)::INTEGER)::DATE AS dt, TIMESTAMP '2020-01-01' + INTERVAL (k) MINUTE AS tm, TIMESTAMPTZ '2020-03-28 00:00:00+00' + INTERVAL (k) HOUR AS ts,
	CASE WHEN k % 5 = 0 THEN NULL ELSE k % 2 = 0 END AS bo, (k::HUGEINT * 1234567890123456789) AS h, ['p', 'q', 'r'][k % 3 + 1]::ENUM('p', 'q', 'r') AS e,
	CASE WHEN k % 7 = 0 THEN NULL ELSE range(k % 4)::INTEGER[] END AS l, {'x': (k % 10)::INTEGER, 'y': 'y' || (k % 3)} AS s,
	MAP {'k' || (k % 3): k::INTEGER, 'z': 1} AS m, ('{"a": ' || (k % 5) || ', "b": ["x", null]}')::JSON AS j,
	('00000000-0000-0000-0000-0000000' || lpad(k::VARCHAR, 5, '0'))::UUID AS u, INTERVAL (k) DAY AS i, ('\x0' || (k % 8))::BLOB AS bl, (TIME '00:00:00' + INTERVAL (k) SECOND) AS ti,
	(k % 100)::SMALLINT AS sm, k::BIGINT AS bi FROM (SELECT x.k::INTEGER AS k FROM range(%N%) x(k)) r`

var dataSQL = []string{
	"CREATE TABLE t AS " + strings.ReplaceAll(rowsT, "%N%", "400"),
	"CREATE TABLE u AS " + strings.ReplaceAll(rowsT, "%N%", "60"),
	"CREATE TABLE empty AS " + strings.ReplaceAll(rowsT, "%N%", "0"),
	"CREATE SCHEMA other", "CREATE TABLE other.t AS SELECT k::INTEGER AS a, 'z' || k AS z FROM (SELECT x.k::INTEGER AS k FROM range(5) x(k)) r",
	`CREATE TABLE region AS SELECT k::BIGINT AS r_regionkey, ['AFRICA', 'AMERICA', 'ASIA', 'EUROPE', 'MIDDLE EAST'][k + 1] AS r_name, 'c' AS r_comment FROM (SELECT x.k::INTEGER AS k FROM range(5) x(k)) r`,
	`CREATE TABLE nation AS SELECT k::BIGINT AS n_nationkey, ['ALGERIA', 'BRAZIL', 'SAUDI ARABIA', 'FRANCE', 'GERMANY', 'CANADA'][k + 1] AS n_name,
		[0, 1, 2, 3, 3, 1][k + 1]::BIGINT AS n_regionkey, 'c' AS n_comment FROM (SELECT x.k::INTEGER AS k FROM range(6) x(k)) r`,
	`CREATE TABLE supplier AS SELECT k::BIGINT AS s_suppkey, 'Supplier#' || k AS s_name, 'addr' || k AS s_address, (k % 6)::BIGINT AS s_nationkey, '1' || k AS s_phone,
		(k * 7 % 1000)::DECIMAL(15,2) AS s_acctbal, CASE WHEN k % 9 = 0 THEN 'x Customer y Complaints' ELSE 'fine' END AS s_comment FROM (SELECT x.k::INTEGER AS k FROM range(30) x(k)) r`,
	`CREATE TABLE part AS SELECT k::BIGINT AS p_partkey, ['forest green', 'red', 'dark green', 'forest'][k % 4 + 1] || k AS p_name, 'M' || (k % 5) AS p_mfgr,
		['Brand#12', 'Brand#23', 'Brand#34', 'Brand#45'][k % 4 + 1] AS p_brand, ['ECONOMY ANODIZED STEEL', 'PROMO BRASS', 'LARGE BRASS', 'MEDIUM POLISHED TIN'][k % 4 + 1] AS p_type,
		[15, 5, 3, 49, 14, 1][k % 6 + 1]::INTEGER AS p_size, ['SM CASE', 'MED BOX', 'LG PACK', 'SM BOX'][k % 4 + 1] AS p_container, (k % 90)::DECIMAL(15,2) AS p_retailprice, 'c' AS p_comment
		FROM (SELECT x.k::INTEGER AS k FROM range(60) x(k)) r`,
	`CREATE TABLE partsupp AS SELECT (k % 60)::BIGINT AS ps_partkey, (k % 30)::BIGINT AS ps_suppkey, (k * 31 % 500)::INTEGER AS ps_availqty, (k * 13 % 300 / 4)::DECIMAL(15,2) AS ps_supplycost,
		'c' AS ps_comment FROM (SELECT x.k::INTEGER AS k FROM range(240) x(k)) r`,
	`CREATE TABLE customer AS SELECT k::BIGINT AS c_custkey, 'Customer#' || k AS c_name, 'addr' AS c_address, (k % 6)::BIGINT AS c_nationkey,
		['13', '31', '23', '29', '44'][k % 5 + 1] || '-' || k AS c_phone, (k * 17 % 2000 - 500)::DECIMAL(15,2) AS c_acctbal,
		['BUILDING', 'AUTOMOBILE'][k % 2 + 1] AS c_mktsegment, 'c' AS c_comment FROM (SELECT x.k::INTEGER AS k FROM range(80) x(k)) r`,
	`CREATE TABLE orders AS SELECT k::BIGINT AS o_orderkey, (k * 7 % 60)::BIGINT AS o_custkey, ['F', 'O', 'P'][k % 3 + 1] AS o_orderstatus, (k * 101 % 9000)::DECIMAL(15,2) AS o_totalprice,
		(DATE '1993-01-01' + (k * 5 % 1500)::INTEGER)::DATE AS o_orderdate, ['1-URGENT', '2-HIGH', '3-LOW'][k % 3 + 1] AS o_orderpriority, 'clerk' AS o_clerk, 0::INTEGER AS o_shippriority,
		CASE WHEN k % 8 = 0 THEN 'a special b requests' ELSE 'c' END AS o_comment FROM (SELECT x.k::INTEGER AS k FROM range(400) x(k)) r`,
	`CREATE TABLE lineitem AS SELECT (k // 4)::BIGINT AS l_orderkey, (k * 11 % 60)::BIGINT AS l_partkey, (k * 11 % 30)::BIGINT AS l_suppkey, (k % 4 + 1)::INTEGER AS l_linenumber,
		(k % 90 + 1)::DECIMAL(15,2) AS l_quantity, (k * 31 % 5000 + 100)::DECIMAL(15,2) AS l_extendedprice, (k % 11 / 100)::DECIMAL(15,2) AS l_discount, (k % 9 / 100)::DECIMAL(15,2) AS l_tax,
		['A', 'N', 'R'][k % 3 + 1] AS l_returnflag, ['F', 'O'][k % 2 + 1] AS l_linestatus, (DATE '1993-01-01' + (k * 3 % 1800)::INTEGER)::DATE AS l_shipdate,
		(DATE '1993-01-01' + (k * 3 % 1800 + k % 20)::INTEGER)::DATE AS l_commitdate, (DATE '1993-01-01' + (k * 3 % 1800 + k % 31)::INTEGER)::DATE AS l_receiptdate,
		['DELIVER IN PERSON', 'NONE'][k % 2 + 1] AS l_shipinstruct, ['AIR', 'MAIL', 'SHIP'][k % 3 + 1] AS l_shipmode, 'c' AS l_comment FROM (SELECT x.k::INTEGER AS k FROM range(1600) x(k)) r`,
}
