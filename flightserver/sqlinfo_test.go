package flightserver

import (
	"slices"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/flight/flightsql"
	wire "github.com/apache/arrow-go/v18/arrow/flight/gen/flight"
)

// infoKinds are the members of the union that hold each id, by the comments of the protocol and what the JDBC driver reads.
func infoKind(id int32) string {
	within := func(ids ...int32) bool { return slices.Contains(ids, id) }
	switch {
	case within(0, 1, 2, 6, 7, 504, 513, 514, 529, 530, 531):
		return "string_value"
	case id >= 541 && id <= 561 && id != 556 || id == 562:
		return "bigint_value"
	case within(8, 100, 101, 503, 505, 507, 522, 525, 526, 528, 533, 534, 535, 538, 540, 564, 567, 568, 569, 570, 571):
		return "int32_bitmask"
	case id >= 508 && id <= 512:
		return "string_list"
	case id == 517:
		return "int32_to_int32_list_map"
	}
	return "bool_value"
}

// The table has every id of the protocol, no other, and each in its type.
func TestSQLInfoIsComplete(t *testing.T) {
	f := start(t, nil)
	c := f.session(t)
	info, err := c.GetSqlInfo(testContext(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	b := read(t, c, info)[0]
	ids, values := b.Column(0).(*array.Uint32), b.Column(1).(*array.DenseUnion)
	told := map[int32]string{}
	for i := range ids.Len() {
		id := int32(ids.Value(i))
		if told[id] != "" {
			t.Errorf("id %d is told twice", id)
		}
		told[id] = values.UnionType().Fields()[values.ChildID(i)].Name
	}
	enum := wire.SqlInfo(0).Descriptor().Values()
	for i := range enum.Len() {
		v := enum.Get(i)
		id := int32(v.Number())
		if told[id] != infoKind(id) {
			t.Errorf("%s (%d) is told as %q, want %q", v.Name(), id, told[id], infoKind(id))
		}
		delete(told, id)
	}
	if len(told) > 0 {
		t.Errorf("ids that the protocol does not have: %v", told)
	}
}

func TestSQLInfoSelection(t *testing.T) {
	f := start(t, func(c *Config) { c.Version = "1.2.3" })
	c := f.session(t)
	info, err := c.GetSqlInfo(testContext(t), []flightsql.SqlInfo{1, 99999, 0, 1 << 31, 1, flightsql.SqlInfoFlightSqlServerTransaction})
	if err != nil {
		t.Fatal(err)
	}
	b := read(t, c, info)[0]
	if got := b.Column(0).(*array.Uint32).Uint32Values(); !slices.Equal(got, []uint32{1, 0, 8}) {
		t.Errorf("ids %v", got)
	}
	values := b.Column(1).(*array.DenseUnion)
	if got := values.Field(0).ValueStr(0); got != "1.2.3" {
		t.Errorf("version %q", got)
	}
	if none, err := c.GetSqlInfo(testContext(t), []flightsql.SqlInfo{77777}); err != nil || len(read(t, c, none)) != 0 {
		t.Errorf("only unknown ids: %v", err)
	}
}

// What the table says is what the server does, where a test can tell.
func TestSQLInfoIsTrue(t *testing.T) {
	f := start(t, nil)
	facts := map[uint32]any{}
	for _, fact := range f.info.facts {
		facts[fact.id] = fact.value
	}
	if facts[513] != `\` || facts[557] != int64(f.cfg.StatementBytesMax) || facts[558] != int64(f.cfg.StatementsMax) ||
		facts[100] != int32(f.cfg.SessionIdleMax.Milliseconds()) {
		t.Errorf("facts %v", facts)
	}
	for _, c := range facts[517].(conversions) {
		if !slices.Contains(c.to, c.from) || !slices.IsSorted(c.to) {
			t.Errorf("conversions of %d: %v", c.from, c.to)
		}
	}
	if n := len(facts[517].(conversions)); n != len(wire.SqlSupportsConvert_name) {
		t.Errorf("%d types convert", n)
	}
	for id := uint32(508); id <= 512; id++ {
		list := facts[id].([]string)
		if len(list) == 0 || len(slices.Compact(slices.Sorted(slices.Values(list)))) != len(list) {
			t.Errorf("list %d: %v", id, list)
		}
	}
}
