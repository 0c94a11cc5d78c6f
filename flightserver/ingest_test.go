package flightserver

import (
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/flight/flightsql"
	wire "github.com/apache/arrow-go/v18/arrow/flight/gen/flight"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"google.golang.org/grpc/codes"
)

// The modes of ingest, as ADBC names them: what to do with a table that is not there, and with one that is.
var ingestModes = map[string][2]int32{"create": {1, 1}, "append": {2, 2}, "replace": {1, 3}, "create_append": {1, 2}}

func tryIngest(t testing.TB, c *flightsql.Client, temporary bool, mode, table string, batches ...arrow.RecordBatch) (int64, error) {
	t.Helper()
	reader, err := array.NewRecordReader(batches[0].Schema(), batches)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Release()
	return c.ExecuteIngest(testContext(t), reader, ingestOptions(temporary, mode, table))
}

func ingestOptions(temporary bool, mode, table string) *flightsql.ExecuteIngestOpts {
	return &flightsql.ExecuteIngestOpts{Table: table, Temporary: temporary,
		TableDefinitionOptions: &wire.CommandStatementIngest_TableDefinitionOptions{
			IfNotExist: wire.CommandStatementIngest_TableDefinitionOptions_TableNotExistOption(ingestModes[mode][0]),
			IfExists:   wire.CommandStatementIngest_TableDefinitionOptions_TableExistsOption(ingestModes[mode][1])}}
}

func ingest(t testing.TB, c *flightsql.Client, temporary bool, mode, table string, batches ...arrow.RecordBatch) int64 {
	t.Helper()
	n, err := tryIngest(t, c, temporary, mode, table, batches...)
	if err != nil {
		t.Fatalf("%s: %v", mode, err)
	}
	return n
}

func TestIngest(t *testing.T) {
	r := startReal(t, 2, nil)
	t.Cleanup(func() { r.cluster.Idle(t) }) // after the sessions are closed
	w := newWriter(t, r)
	refuse := func(temporary bool, mode, table string, code codes.Code, batch arrow.RecordBatch) {
		t.Helper()
		_, err := tryIngest(t, w.Client, temporary, mode, table, batch)
		wantCode(t, err, code)
	}
	one, two := integersBatch(t, 1, 2, 3), integersBatch(t, 4)
	name := one.ColumnName(0)
	ingest(t, w.Client, true, "create", "t", one, two)
	w.see("SELECT count(*), sum("+name+") FROM t", "4,10")
	refuse(true, "create", "t", codes.AlreadyExists, one)
	ingest(t, w.Client, true, "append", "t", two)
	w.see("SELECT sum("+name+") FROM t", "14")
	refuse(true, "append", "u", codes.NotFound, one)
	ingest(t, w.Client, true, "replace", "t", two)
	ingest(t, w.Client, true, "create_append", "t", two)
	w.see("SELECT sum("+name+") FROM t", "8")
	refuse(false, "create", "x", codes.Unimplemented, one)
	refuse(true, "append", "events", codes.Unimplemented, one)
	w.do("CREATE TEMP TABLE other (a INTEGER)")
	refuse(true, "append", "other", codes.InvalidArgument, one)
	w.do("SET arbalest.create_temporary = true")
	ingest(t, w.Client, false, "create", "x", one)
	w.see("SELECT count(*) FROM temp.x", "3")
	if got := rowsOf(t, w.Client, &wire.CommandGetTables{TableTypes: []string{temporaryType}}); len(got) != 3 || got[0] != "temp|main|other|LOCAL TEMPORARY" {
		t.Errorf("tables %q", got)
	}
	if got := rowsOf(t, w.Client, &wire.CommandGetDbSchemas{Catalog: &[]string{"temp"}[0]}); len(got) != 1 || got[0] != "temp|main" {
		t.Errorf("db schemas %q", got)
	}
	many := make([]int64, 300_000) // more than one task takes
	for i := range many {
		many[i] = int64(i)
	}
	ingest(t, w.Client, true, "create", "many", integersBatch(t, many...))
	w.see("SELECT count(DISTINCT "+name+"), min("+name+"), max("+name+") FROM many", "300000,0,299999")
	// A stream that breaks off leaves nothing.
	stream, err := w.Client.Client.DoPut(testContext(t))
	if err != nil {
		t.Fatal(err)
	}
	writer := flight.NewRecordWriter(stream)
	writer.SetFlightDescriptor(descriptor(t, &wire.CommandStatementIngest{Table: "half", Temporary: true,
		TableDefinitionOptions: &wire.CommandStatementIngest_TableDefinitionOptions{IfNotExist: 1, IfExists: 1}}))
	if err := writer.Write(one); err != nil {
		t.Fatal(err)
	}
	_ = stream.Send(&flight.FlightData{DataHeader: []byte("nonsense")})
	_ = stream.CloseSend()
	_, err = stream.Recv()
	wantCode(t, err, codes.InvalidArgument)
	w.refuse("DROP TABLE half", codes.NotFound, "half")
}

// Values of many Arrow types come back as they were sent.
func TestIngestTypes(t *testing.T) {
	r := startReal(t, 2, nil)
	t.Cleanup(func() { r.cluster.Idle(t) }) // after the sessions are closed
	w := newWriter(t, r)
	fields := []arrow.Field{
		{Name: "b", Type: arrow.FixedWidthTypes.Boolean}, {Name: "i1", Type: arrow.PrimitiveTypes.Int8}, {Name: "u8", Type: arrow.PrimitiveTypes.Uint64},
		{Name: "f", Type: arrow.PrimitiveTypes.Float64}, {Name: "s", Type: arrow.BinaryTypes.String}, {Name: "ls", Type: arrow.BinaryTypes.LargeString},
		{Name: "x", Type: arrow.BinaryTypes.Binary}, {Name: "d", Type: arrow.FixedWidthTypes.Date32}, {Name: "t", Type: arrow.FixedWidthTypes.Time64us},
		{Name: "ts", Type: &arrow.TimestampType{Unit: arrow.Nanosecond}}, {Name: "tz", Type: &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}},
		{Name: "n", Type: &arrow.Decimal128Type{Precision: 10, Scale: 2}}, {Name: "l", Type: arrow.ListOf(arrow.PrimitiveTypes.Int32)},
		{Name: "st", Type: arrow.StructOf(arrow.Field{Name: "p", Type: arrow.BinaryTypes.String, Nullable: true})},
		{Name: "m", Type: arrow.MapOf(arrow.BinaryTypes.String, arrow.PrimitiveTypes.Int32)}, {Name: "a", Type: arrow.FixedSizeListOf(2, arrow.PrimitiveTypes.Int16)},
		{Name: "ll", Type: arrow.LargeListOf(arrow.ListOf(arrow.FixedWidthTypes.Date64))}, {Name: "iv", Type: arrow.FixedWidthTypes.MonthDayNanoInterval},
		{Name: "sv", Type: arrow.BinaryTypes.StringView}, {Name: "t0", Type: arrow.FixedWidthTypes.Time32ms}, {Name: "h", Type: arrow.FixedWidthTypes.Float16},
		{Name: "w", Type: &arrow.Decimal256Type{Precision: 38, Scale: 3}}, {Name: "zo", Type: &arrow.TimestampType{Unit: arrow.Millisecond, TimeZone: "Europe/Berlin"}},
		{Name: "nu", Type: arrow.Null}, {Name: "ln", Type: arrow.ListOf(arrow.Null)}, {Name: "du", Type: arrow.FixedWidthTypes.Duration_s},
		{Name: "di", Type: &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}},
	}
	for i := range fields {
		fields[i].Nullable = true
	}
	b := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema(fields, nil))
	defer b.Release()
	for _, row := range []string{`{"b":true,"i1":-1,"u8":18446744073709551615,"f":1.5,"s":"it's","ls":"ü","x":"AAE=","d":"2024-02-29","t":"12:34:56.789","ts":"2024-01-01 00:00:00.123456789",
		"tz":"2024-01-01 00:00:00Z","n":"12.34","l":[1,null],"st":{"p":"q"},
		"m":[{"key":"k","value":1},{"key":"l","value":null}],"a":[1,null],"ll":[["2024-02-29"],[]],"iv":{"months":1,"days":2,"nanoseconds":3000},"sv":"a text of more than twelve bytes",
		"t0":"12:34:56.789","h":1.5,"w":"-0.125","zo":"2024-01-01 00:00:00Z","ln":[null,null],"du":90,"di":"word"}`, "{}"} {
		if err := b.UnmarshalJSON([]byte(row)); err != nil {
			t.Fatal(err)
		}
	}
	batch := b.NewRecordBatch()
	defer batch.Release()
	ingest(t, w.Client, true, "create", "t", batch)
	w.see("SELECT * FROM t WHERE b", `true,-1,18446744073709551615,1.5,it's,ü,AAE=,2024-02-29,12:34:56.789000,2024-01-01T00:00:00.123456789,2024-01-01T00:00:00Z,12.34,[1,null],{"p":"q"},`+
		`[{"key":"k","value":1},{"key":"l","value":null}],[1,null],[["2024-02-29"],[]],{"months":1,"days":2,"nanoseconds":3000},a text of more than twelve bytes,`+
		`12:34:56.789000,1.5,-0.125,2024-01-01T00:00:00Z,(null),[null,null],{"months":0,"days":0,"nanoseconds":90000000000},word`)
	w.see("SELECT count(*), count(COLUMNS(* EXCLUDE nu)) FROM t", "2"+strings.Repeat(",1", len(fields)-1))
}
