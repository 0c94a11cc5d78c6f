package table

import "testing"

// TestValue: a text is read into the value that prints as the same constant; what could be read wrongly is not read.
func TestValue(t *testing.T) {
	for _, c := range []struct {
		typ, text, want string // "" = not read
		number          int64
	}{
		{"BIGINT", "-9223372036854775808", "CAST(-9223372036854775808 AS BIGINT)", -9223372036854775808},
		{"UBIGINT", "18446744073709551615", "", 0},
		{"INTEGER", "1e3", "", 0}, {"INTEGER", "", "", 0}, {"DOUBLE", "1", "", 0}, {"HUGEINT", "1", "", 0}, {"JSON", "1", "", 0}, {"BLOB", "a", "", 0},
		{"DECIMAL(4,2)", "1.5", "CAST('1.50' AS DECIMAL(4,2))", 150}, {"DECIMAL(4,2)", "-0.05", "CAST('-0.05' AS DECIMAL(4,2))", -5},
		{"DECIMAL(4,0)", "-7", "CAST('-7' AS DECIMAL(4,0))", -7}, {"DECIMAL(4,1)", "1.55", "", 0}, {"DECIMAL(19,0)", "1", "", 0}, {"DECIMAL(4,2)", "-", "", 0},
		{"DATE", "1969-12-31", "CAST('1969-12-31' AS DATE)", -1}, {"DATE", "2024-2-9", "CAST('2024-02-09' AS DATE)", 19762},
		{"DATE", "infinity", "", 0}, {"DATE", "0000-01-01", "", 0}, {"DATE", "2023-02-29", "", 0},
		{"TIME", "24:00:00", "", 0}, {"TIME", "23:59:59.5", "CAST('23:59:59.5' AS TIME)", 86399500000},
		{"TIMESTAMP", "1969-12-31 23:59:59.999999", "CAST('1969-12-31 23:59:59.999999' AS TIMESTAMP)", -1},
		{"TIMESTAMP", "1970-01-01 00:00:00.0000001", "", 0}, {"TIMESTAMP", "1970-01-01 00:00:00+00", "", 0},
		{"TIMESTAMP_S", "1970-01-01T00:01:00", "CAST('1970-01-01 00:01:00' AS TIMESTAMP_S)", 60},
		{"TIMESTAMP_MS", "1970-01-01 00:00:00.25", "CAST('1970-01-01 00:00:00.25' AS TIMESTAMP_MS)", 250},
		{"TIMESTAMP_NS", "1970-01-01 00:00:00.000000025", "CAST('1970-01-01 00:00:00.000000025' AS TIMESTAMP_NS)", 25}, {"TIMESTAMP_NS", "2300-01-01 00:00:00", "", 0},
		{"TIMESTAMPTZ", "1970-01-01 00:00:01+00", "CAST('1970-01-01 00:00:01+00' AS TIMESTAMP WITH TIME ZONE)", 1e6},
		{"TIMESTAMPTZ", "1970-01-01 00:00:01", "", 0}, {"TIMESTAMPTZ", "1970-01-01 00:00:01+02", "", 0},
		{"VARCHAR", "it's", "'it''s'", 0}, {"VARCHAR", "\xff", "", 0},
	} {
		typ, err := ParseType(c.typ)
		if err != nil {
			t.Fatal(err)
		}
		v, ok := ParseValue(c.text, typ)
		if ok != (c.want != "") || ok && v.Number != c.number {
			t.Errorf("%s %q: %+v, %v", c.typ, c.text, v, ok)
		}
		if sql, printed := v.SQL(typ); ok && (!printed || sql != c.want) {
			t.Errorf("%s %q: printed as %s", c.typ, c.text, sql)
		}
	}
	if _, ok := (Value{Text: "a\x00"}).SQL(Of(Varchar)); ok {
		t.Error("a text with a zero byte was printed")
	}
	if _, ok := (Value{Number: 1 << 40}).SQL(Of(Date)); ok {
		t.Error("a date beyond the year 9999 was printed")
	}
}

func TestZone(t *testing.T) {
	var z Zone
	if b := z.At(0); b.Known || b.Nulls != NullsUnknown || z.Whole() != (Bounds{}) {
		t.Errorf("an empty zone knows %+v", b)
	}
	number := func(lo, hi int64, n NullState) { z.Add(Bounds{Value{Number: lo}, Value{Number: hi}, true, n}, false) }
	number(5, 9, NullsNone)
	number(-1, 6, NullsNone)
	if b := z.Whole(); !b.Known || b.Min.Number != -1 || b.Max.Number != 9 || b.Nulls != NullsNone {
		t.Errorf("%+v", b)
	}
	z.Add(Bounds{Nulls: NullsOnly}, false)
	if b := z.Whole(); !b.Known || b.Nulls != NullsSome || z.At(3).Known {
		t.Errorf("%+v", b)
	}
	z.Add(Bounds{}, false)
	c := z.Coarse()
	if b := c.At(17); b.Known || b.Nulls != NullsUnknown {
		t.Errorf("%+v", b)
	}
	if (Value{Text: "Z"}).Compare(Value{Text: "a"}) >= 0 {
		t.Error("texts are not ordered by bytes")
	}
}
