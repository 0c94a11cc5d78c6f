package flightserver

import (
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/flight/flightsql"
	"github.com/apache/arrow-go/v18/arrow/flight/flightsql/schema_ref"
	wire "github.com/apache/arrow-go/v18/arrow/flight/gen/flight"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"google.golang.org/protobuf/proto"
)

// Every metadata command answers with the library's schema, by GetSchema, in the info, and in the stream (which read checks).
func TestMetadataSchemas(t *testing.T) {
	f := start(t, nil)
	c := f.session(t)
	for _, tt := range []struct {
		command proto.Message
		want    *arrow.Schema
		rows    bool
	}{
		{&wire.CommandGetCatalogs{}, schema_ref.Catalogs, true},
		{&wire.CommandGetDbSchemas{}, schema_ref.DBSchemas, true},
		{&wire.CommandGetTables{}, schema_ref.Tables, true},
		{&wire.CommandGetTables{IncludeSchema: true}, schema_ref.TablesWithIncludedSchema, true},
		{&wire.CommandGetTableTypes{}, schema_ref.TableTypes, true},
		{&wire.CommandGetSqlInfo{}, schema_ref.SqlInfo, true},
		{&wire.CommandGetXdbcTypeInfo{}, schema_ref.XdbcTypeInfo, true},
		{&wire.CommandGetPrimaryKeys{Table: "orders"}, schema_ref.PrimaryKeys, false},
		{&wire.CommandGetExportedKeys{Table: "orders"}, schema_ref.ExportedKeys, false},
		{&wire.CommandGetImportedKeys{Table: "orders"}, schema_ref.ImportedKeys, false},
		{&wire.CommandGetCrossReference{PkTable: "orders", FkTable: "lines"}, schema_ref.CrossReference, false},
	} {
		name := string(tt.command.ProtoReflect().Descriptor().Name())
		d := descriptor(t, tt.command)
		s, err := c.Client.GetSchema(testContext(t), d)
		if err != nil {
			t.Fatal(name, err)
		}
		if got, err := flight.DeserializeSchema(s.GetSchema(), memory.DefaultAllocator); err != nil || !got.Equal(tt.want) {
			t.Errorf("%s: schema %v, %v", name, got, err)
		}
		info, err := c.Client.GetFlightInfo(testContext(t), d)
		if err != nil {
			t.Fatal(name, err)
		}
		batches := read(t, c, info)
		if len(batches) > 1 || (len(batches) == 1) != tt.rows {
			t.Errorf("%s: %d batches", name, len(batches))
		}
		if len(batches) == 1 && !batches[0].Schema().Equal(tt.want) {
			t.Errorf("%s: %v", name, batches[0].Schema())
		}
	}
}

func rowsOf(t testing.TB, c *flightsql.Client, command proto.Message) []string {
	t.Helper()
	info, err := c.Client.GetFlightInfo(testContext(t), descriptor(t, command))
	if err != nil {
		t.Fatal(err)
	}
	var rows []string
	for _, b := range read(t, c, info) {
		for i := range int(b.NumRows()) {
			var cells []string
			for j := range min(int(b.NumCols()), 4) {
				cells = append(cells, b.Column(j).ValueStr(i))
			}
			rows = append(rows, strings.Join(cells, "|"))
		}
	}
	return rows
}

func TestCatalogsAndTables(t *testing.T) {
	f := start(t, func(c *Config) { c.SystemTables = []string{"queries", "workers"} })
	c := f.session(t)
	str := proto.String
	main := func(names ...string) []string {
		var rows []string
		for _, n := range names {
			rows = append(rows, "arbalest|main|"+n+"|TABLE")
		}
		return rows
	}
	sys := []string{"arbalest|sys|queries|SYSTEM TABLE", "arbalest|sys|workers|SYSTEM TABLE"}
	lake := []string{"lake|raw|orders|TABLE"}
	all := slices.Concat(main("100%", "corrupt", "orderXitems", "order_items", "orders"), sys, lake)
	for _, tt := range []struct {
		command proto.Message
		want    []string
	}{
		{&wire.CommandGetCatalogs{}, []string{"arbalest", "lake"}},
		{&wire.CommandGetTableTypes{}, []string{"LOCAL TEMPORARY", "SYSTEM TABLE", "TABLE"}},
		{&wire.CommandGetDbSchemas{}, []string{"arbalest|main", "arbalest|sys", "lake|raw"}},
		{&wire.CommandGetDbSchemas{Catalog: str("lake")}, []string{"lake|raw"}},
		{&wire.CommandGetDbSchemas{Catalog: str("")}, nil},
		{&wire.CommandGetDbSchemas{DbSchemaFilterPattern: str("_a%")}, []string{"arbalest|main", "lake|raw"}},
		{&wire.CommandGetTables{}, all},
		{&wire.CommandGetTables{TableTypes: []string{"VIEW"}}, nil},
		{&wire.CommandGetTables{TableTypes: []string{"SYSTEM TABLE", "VIEW"}}, sys},
		{&wire.CommandGetTables{TableTypes: []string{"TABLE"}}, slices.Concat(main("100%", "corrupt", "orderXitems", "order_items", "orders"), lake)},
		{&wire.CommandGetTables{Catalog: str("lake")}, lake},
		{&wire.CommandGetTables{Catalog: str("la%")}, nil}, // A name, not a pattern.
		{&wire.CommandGetTables{DbSchemaFilterPattern: str("sys")}, sys},
		{&wire.CommandGetTables{TableNameFilterPattern: str("order_items")}, main("orderXitems", "order_items")},
		{&wire.CommandGetTables{TableNameFilterPattern: str(`order\_items`)}, main("order_items")},
		{&wire.CommandGetTables{TableNameFilterPattern: str(`%\%`)}, main("100%")},
		{&wire.CommandGetTables{TableNameFilterPattern: str("ORDERS")}, nil},
		{&wire.CommandGetTables{TableNameFilterPattern: str("")}, nil},
		{&wire.CommandGetTables{TableNameFilterPattern: str("orders"), IncludeSchema: true}, append(main("orders"), lake...)},
		// A table that cannot be read does not hide the others.
		{&wire.CommandGetTables{IncludeSchema: true}, all},
	} {
		if got := rowsOf(t, c, tt.command); !slices.Equal(got, tt.want) {
			t.Errorf("%v: got %q, want %q", tt.command, got, tt.want)
		}
	}
}

func TestTableSchemas(t *testing.T) {
	f := start(t, nil)
	c := f.session(t)
	query(t, c, "SET TimeZone Europe/Berlin")
	info, err := c.GetTables(testContext(t), &flightsql.GetTablesOpts{IncludeSchema: true, TableTypes: []string{"TABLE"}})
	if err != nil {
		t.Fatal(err)
	}
	b := read(t, c, info)[0]
	schemas := map[string]*arrow.Schema{}
	for i := range int(b.NumRows()) {
		s, err := flight.DeserializeSchema(b.Column(4).(*array.Binary).Value(i), memory.DefaultAllocator)
		if err != nil {
			t.Fatal(err)
		}
		schemas[b.Column(2).ValueStr(i)] = s
	}
	if n := schemas["corrupt"].NumFields(); n != 0 {
		t.Errorf("a corrupt table has %d columns", n)
	}
	s := schemas["orders"]
	if s.NumFields() != len(ordersTable.Columns) {
		t.Fatalf("schema %v", s)
	}
	if zone := s.Field(3).Type.(*arrow.TimestampType).TimeZone; zone != "Europe/Berlin" {
		t.Errorf("time zone %q", zone)
	}
	for i, want := range []struct {
		typeName         string
		precision, scale int32
		caseSensitive    bool
	}{{"BIGINT", 19, 0, false}, {"DECIMAL(15,2)", 15, 2, false}, {"VARCHAR", -1, -1, true}, {"TIMESTAMP WITH TIME ZONE", 32, 6, false}, {"UUID", -1, -1, false}, {"VARCHAR[]", -1, -1, false}} {
		md := s.Field(i).Metadata
		m := flightsql.ColumnMetadata{Data: &md}
		if v, _ := m.TypeName(); v != want.typeName {
			t.Errorf("column %d: type %q", i, v)
		}
		if v, ok := m.Precision(); ok != (want.precision >= 0) || ok && v != want.precision {
			t.Errorf("column %d: precision %d, %v", i, v, ok)
		}
		if v, ok := m.Scale(); ok != (want.scale >= 0) || ok && v != want.scale {
			t.Errorf("column %d: scale %d, %v", i, v, ok)
		}
		if v, ok := m.IsCaseSensitive(); !ok || v != want.caseSensitive {
			t.Errorf("column %d: case sensitive %v, %v", i, v, ok)
		}
		if v, ok := m.IsAutoIncrement(); !ok || v {
			t.Errorf("column %d: auto increment %v, %v", i, v, ok)
		}
		if v, ok := m.IsReadOnly(); !ok || !v {
			t.Errorf("column %d: read only %v, %v", i, v, ok)
		}
		if v, ok := m.IsSearchable(); !ok || !v {
			t.Errorf("column %d: searchable %v, %v", i, v, ok)
		}
		catalog, _ := m.CatalogName()
		schema, _ := m.SchemaName()
		name, _ := m.TableName()
		if catalog+"."+schema+"."+name != "arbalest.main.orders" && catalog+"."+schema+"."+name != "lake.raw.orders" {
			t.Errorf("column %d is of %s.%s.%s", i, catalog, schema, name)
		}
		if md.FindKey(flightsql.RemarksKey) < 0 {
			t.Errorf("column %d has no remarks", i)
		}
	}
	if s.Field(4).Metadata.FindKey("ARBALEST:type") < 0 {
		t.Error("the type that Arrow loses is lost")
	}
}

func TestXdbcTypeInfo(t *testing.T) {
	f := start(t, nil)
	c := f.session(t)
	all := rowsOf(t, c, &wire.CommandGetXdbcTypeInfo{})
	if len(all) != len(typeInfos) {
		t.Errorf("%d types", len(all))
	}
	doubles := rowsOf(t, c, &wire.CommandGetXdbcTypeInfo{DataType: proto.Int32(8)})
	if !slices.Equal(doubles, []string{"DOUBLE|8|53|(null)"}) {
		t.Errorf("doubles: %q", doubles)
	}
	if none := rowsOf(t, c, &wire.CommandGetXdbcTypeInfo{DataType: proto.Int32(12345)}); len(none) != 0 {
		t.Errorf("unknown type: %q", none)
	}
	info, err := c.GetXdbcTypeInfo(testContext(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	b := read(t, c, info)[0]
	numbers, names := b.Column(1).(*array.Int32), b.Column(0).(*array.String)
	for i := 1; i < numbers.Len(); i++ {
		if numbers.Value(i) < numbers.Value(i-1) || numbers.Value(i) == numbers.Value(i-1) && names.Value(i) < names.Value(i-1) {
			t.Errorf("%s stands after %s", names.Value(i), names.Value(i-1))
		}
	}
}

func TestLike(t *testing.T) {
	for _, tt := range []struct {
		text, pattern string
		want          bool
	}{
		{"", "", true}, {"", "%", true}, {"", "_", false}, {"a", "", false}, {"a", "a", true}, {"a", "A", false},
		{"abc", "a%", true}, {"abc", "%c", true}, {"abc", "%b%", true}, {"abc", "a%b", false}, {"abc", "_b_", true}, {"abc", "__", false},
		{"aXbXc", "a%X%c", true}, {"aab", "%ab", true}, {"mississippi", "m%iss%ip%", true}, {"mississippi", "m%iss%ipx", false},
		{"a_b", `a\_b`, true}, {"axb", `a\_b`, false}, {"a%", `a\%`, true}, {"ab", `a\%`, false}, {`a\`, `a\\`, true}, {`a\`, `a\`, true},
		{"größe", "gr__e", true}, {"größe", "gr%ß%", true}, {"日本", "__", true}, {"日本", "_", false}, {"日本", "%本", true},
		{"a", "%%%%", true}, {"\xff", "_", true},
	} {
		if got := like(tt.text, tt.pattern); got != tt.want {
			t.Errorf("like(%q, %q) = %v", tt.text, tt.pattern, got)
		}
	}
}

// A pattern must not take exponential time, nor panic.
func FuzzLike(f *testing.F) {
	f.Add("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", "%a%a%a%a%a%a%a%a%a%a%a%a%a%ac")
	f.Add("größe", `%\%_`)
	f.Add("\xfb", "\xff")
	f.Fuzz(func(t *testing.T, text, pattern string) {
		if !strings.ContainsAny(pattern, `%_\`) && like(text, pattern) != (text == pattern) {
			t.Errorf("like(%q, %q) differs from equality", text, pattern)
		}
		if !like(text, "%"+text+"%") && !strings.ContainsAny(text, `\`) {
			t.Errorf("%q is not in itself", text)
		}
	})
}
