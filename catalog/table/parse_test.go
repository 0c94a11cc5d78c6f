package table

import (
	"strings"
	"testing"

	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// TestParseType covers every form that DESCRIBE prints, and DuckDB's aliases; want is Type.SQL of the result.
func TestParseType(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"INTEGER", "INTEGER"}, {" int ", "INTEGER"}, {"TEXT", "VARCHAR"}, {"varchar(10)", "VARCHAR"}, {"character varying(3)", "VARCHAR"},
		{"JSON", "JSON"}, {`"json"`, "JSON"}, {"double precision", "DOUBLE"}, {"REAL[]", "FLOAT[]"}, {"int128", "HUGEINT"},
		{"DECIMAL(18,3)", "DECIMAL(18,3)"}, {"DECIMAL( 38 , 0 )", "DECIMAL(38,0)"}, {"NUMERIC", "DECIMAL(18,3)"}, {"NUMERIC(4)", "DECIMAL(4,0)"},
		{"TIMESTAMP WITH TIME ZONE", "TIMESTAMP WITH TIME ZONE"}, {"timestamptz[]", "TIMESTAMP WITH TIME ZONE[]"},
		{"TIME WITH TIME ZONE", "TIME WITH TIME ZONE"}, {"TIME_TZ", "TIME WITH TIME ZONE"}, {"TIMESTAMP WITHOUT TIME ZONE", "TIMESTAMP"},
		{"TIMESTAMP(0)", "TIMESTAMP_S"}, {"TIMESTAMP(3)", "TIMESTAMP_MS"}, {"TIMESTAMP(6)", "TIMESTAMP"}, {"TIMESTAMP(9)", "TIMESTAMP_NS"},
		{"TIME", "TIME"}, {"TIME_NS", "TIME_NS"}, {"BIT", "BIT"}, {"VARINT", "BIGNUM"}, {`"NULL"`, `"NULL"`}, {"VARIANT", "VARIANT"},
		{"GEOMETRY", "GEOMETRY"}, {"GEOMETRY('OGC:CRS84')", "GEOMETRY('OGC:CRS84')"},
		{"INTEGER[3]", "INTEGER[3]"}, {"INTEGER[][2][]", "INTEGER[][2][]"},
		{"MAP(VARCHAR, INTEGER)", "MAP(VARCHAR, INTEGER)"}, {"MAP(VARCHAR, INTEGER[])[]", "MAP(VARCHAR, INTEGER[])[]"},
		{`STRUCT(a INTEGER, "b c" VARCHAR[])`, `STRUCT("a" INTEGER, "b c" VARCHAR[])`},
		{`STRUCT("a""b" INTEGER, "É" DATE, é DATE)`, `STRUCT("a""b" INTEGER, "É" DATE, "é" DATE)`},
		{"STRUCT(INTEGER, TIMESTAMP WITH TIME ZONE, DOUBLE PRECISION, INTEGER[])", "STRUCT(INTEGER, TIMESTAMP WITH TIME ZONE, DOUBLE, INTEGER[])"},
		{"STRUCT(date DATE, time TIME, timestamp TIMESTAMP WITH TIME ZONE, double DOUBLE, precision DOUBLE PRECISION)",
			`STRUCT("date" DATE, "time" TIME, "timestamp" TIMESTAMP WITH TIME ZONE, "double" DOUBLE, "precision" DOUBLE)`},
		{`STRUCT("TIME" TIME, "with" INTEGER)`, `STRUCT("TIME" TIME, "with" INTEGER)`},
		{"STRUCT(s STRUCT(t STRUCT(u MAP(INTEGER, STRUCT(DATE)))))", `STRUCT("s" STRUCT("t" STRUCT("u" MAP(INTEGER, STRUCT(DATE)))))`},
		{"UNION(num INTEGER, str VARCHAR)", `UNION("num" INTEGER, "str" VARCHAR)`},
		{"ENUM('a', 'it''s', 'c,d)')", "ENUM('a', 'it''s', 'c,d)')"}, {"ENUM('')[]", "ENUM('')[]"},
		{"interval", "INTERVAL"}, {"GUID", "UUID"},
	} {
		got, err := ParseType(c.text)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		if got.SQL() != c.want {
			t.Errorf("%s: got %s, want %s", c.text, got.SQL(), c.want)
		}
		again, err := ParseType(got.SQL())
		if err != nil || !again.Equal(got) {
			t.Errorf("%s: printed and read back: %s, %v", c.text, again.SQL(), err)
		}
	}
}

// TestParseTypeOfEveryID checks that every id has a spelling that is read back, and that plan JSON's spelling is too.
func TestParseTypeOfEveryID(t *testing.T) {
	plain := 0
	for _, id := range []TypeID{Boolean, TinyInt, SmallInt, Integer, BigInt, HugeInt, UTinyInt, USmallInt, UInteger, UBigInt, UHugeInt, Float,
		Double, Varchar, Blob, Bit, BigNum, Date, Time, TimeNS, TimeTZ, Timestamp, TimestampS, TimestampMS, TimestampNS, TimestampTZ, Interval,
		UUID, Variant, Geometry, Null} {
		for _, text := range []string{Of(id).SQL(), string(id), strings.ToLower(string(id))} {
			if got, err := ParseType(text); err != nil || !got.Equal(Of(id)) {
				t.Errorf("%s: %v, %v", text, got, err)
			}
		}
		plain++
	}
	if plain != 31 {
		t.Errorf("%d ids covered", plain)
	}
}

func TestParseTypeErrors(t *testing.T) {
	for _, c := range []struct {
		text string
		kind qerr.Kind
		says string
	}{
		{"", qerr.User, "want the name of a type"},
		{"mood", qerr.Unsupported, `unknown type "MOOD"`},
		{"INTEGER INTEGER", qerr.User, "unexpected"},
		{"INTEGER[", qerr.User, "number"},
		{"INTEGER[0]", qerr.User, "at least 1"},
		{"INTEGER[100001]", qerr.User, "up to 100000"},
		{"INTEGER[99999999999999999999]", qerr.User, "up to 100000"},
		{"DECIMAL(39,1)", qerr.User, "up to 38"},
		{"DECIMAL(0)", qerr.User, "1 to 38"},
		{"DECIMAL(3,4)", qerr.User, "up to 3"},
		{"DECIMAL(3", qerr.User, "want ')'"},
		{"STRUCT()", qerr.User, "want a member"},
		{"STRUCT(a)", qerr.Unsupported, `"A"`},
		{"STRUCT(a INTEGER", qerr.User, "want ')'"},
		{`STRUCT("a INTEGER)`, qerr.User, "want a member"},
		{"UNION(INTEGER)", qerr.User, "have names"},
		{"MAP(INTEGER)", qerr.User, "want ','"},
		{"ENUM()", qerr.User, "quoted text"},
		{"ENUM('a)", qerr.User, "closing quote"},
		{"TIMESTAMP(10)", qerr.User, "up to 9"},
		{strings.Repeat("STRUCT(a ", 100000), qerr.User, "nested deeper"},
		{"INTEGER" + strings.Repeat("[]", 100000), qerr.User, "nested deeper"},
		{strings.Repeat("MAP(INTEGER, ", 63) + "INTEGER[][]" + strings.Repeat(")", 63), qerr.User, "nested deeper"},
		{strings.Repeat("x", typeTextBytesMax+1), qerr.User, "longer than"},
	} {
		got, err := ParseType(c.text)
		if !qerr.Is(err, c.kind) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%.40s: got %v, %v; want %v with %q", c.text, got.SQL(), err, c.kind, c.says)
		}
		if err != nil && len(err.Error()) > 300 {
			t.Errorf("%.40s: the message has %d bytes", c.text, len(err.Error()))
		}
	}
}

// FuzzParseType: no text panics, and what is read is printed and read back as the same type.
func FuzzParseType(f *testing.F) {
	for _, s := range []string{"INTEGER", `STRUCT(a INTEGER, "b c" VARCHAR[])`, "MAP(VARCHAR, UNION(num INTEGER, str ENUM('a', 'b')))[3][]",
		"STRUCT(TIME WITH TIME ZONE, DECIMAL(18,3))", `STRUCT("" INTEGER)`, "STRUCT(time with integer)"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		typ, err := ParseType(text)
		if err != nil {
			if k := qerr.KindOf(err); k != qerr.User && k != qerr.Unsupported {
				t.Fatalf("%q: kind %v: %v", text, k, err)
			}
			return
		}
		again, err := ParseType(typ.SQL())
		if err != nil || !again.Equal(typ) {
			t.Fatalf("%q: printed as %q, read back as %q, %v", text, typ.SQL(), again.SQL(), err)
		}
	})
}
