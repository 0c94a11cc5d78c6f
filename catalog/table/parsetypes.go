package table

import (
	"strings"

	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// arraySizeMax is DuckDB's own limit for the size of an ARRAY.
const arraySizeMax = 100000

// scalarNames are DuckDB's names of types without parameters (duckdb_types()), upper case, and the ids that plan JSON uses.
var scalarNames = map[string]TypeID{
	"BOOLEAN": Boolean, "BOOL": Boolean, "LOGICAL": Boolean,
	"TINYINT": TinyInt, "INT1": TinyInt,
	"SMALLINT": SmallInt, "INT2": SmallInt, "SHORT": SmallInt, "INT16": SmallInt,
	"INTEGER": Integer, "INT": Integer, "INT4": Integer, "INT32": Integer, "SIGNED": Integer, "INTEGRAL": Integer,
	"BIGINT": BigInt, "INT8": BigInt, "INT64": BigInt, "LONG": BigInt, "OID": BigInt,
	"HUGEINT": HugeInt, "INT128": HugeInt,
	"UTINYINT": UTinyInt, "UINT8": UTinyInt, "USMALLINT": USmallInt, "UINT16": USmallInt,
	"UINTEGER": UInteger, "UINT32": UInteger, "UBIGINT": UBigInt, "UINT64": UBigInt, "UHUGEINT": UHugeInt, "UINT128": UHugeInt,
	"FLOAT": Float, "FLOAT4": Float, "REAL": Float, "DOUBLE": Double, "FLOAT8": Double,
	"VARCHAR": Varchar, "TEXT": Varchar, "STRING": Varchar, "CHAR": Varchar, "BPCHAR": Varchar, "NVARCHAR": Varchar, "CHARACTER": Varchar,
	"BLOB": Blob, "BYTEA": Blob, "BINARY": Blob, "VARBINARY": Blob,
	"BIT": Bit, "BITSTRING": Bit, "BIGNUM": BigNum, "VARINT": BigNum,
	"DATE": Date, "TIME": Time, "TIME_NS": TimeNS, "TIMETZ": TimeTZ, "TIME_TZ": TimeTZ, "TIME WITH TIME ZONE": TimeTZ,
	"TIMESTAMP": Timestamp, "DATETIME": Timestamp, "TIMESTAMP_US": Timestamp, "TIMESTAMP_S": TimestampS, "TIMESTAMP_MS": TimestampMS,
	"TIMESTAMP_NS": TimestampNS, "TIMESTAMPTZ": TimestampTZ, "TIMESTAMP_TZ": TimestampTZ, "TIMESTAMP WITH TIME ZONE": TimestampTZ,
	"INTERVAL": Interval, "UUID": UUID, "GUID": UUID, "VARIANT": Variant, "GEOMETRY": Geometry, "NULL": Null, "SQLNULL": Null,
}

// scalar reads what may follow the name of a type that nests nothing.
func (p *typeParser) scalar(name string) (Type, error) {
	if name == "JSON" {
		return JSONType, nil
	}
	id, ok := scalarNames[name]
	if !ok {
		return Type{}, qerr.New(qerr.Unsupported, "unknown type %q", excerpt(name))
	}
	t := Of(id)
	switch name {
	case "DOUBLE":
		p.words("precision")
	case "CHARACTER", "CHAR":
		p.words("varying")
	case "TIME", "TIMESTAMP":
		return p.timeType(t)
	}
	switch id {
	case Varchar, Float:
		// A length or precision is taken and means nothing, as in DuckDB.
		_, _, err := p.modifier(1 << 30)
		return t, err
	case Geometry:
		return p.geometry()
	}
	return t, nil
}

// modifier reads a number in parentheses, if one stands there.
func (p *typeParser) modifier(max int) (n int, found bool, err error) {
	if !p.accept('(') {
		return 0, false, nil
	}
	if n, err = p.number(max); err != nil {
		return 0, false, err
	}
	return n, true, p.expect(')')
}

// timeType reads the precision and the time zone of TIME and TIMESTAMP.
func (p *typeParser) timeType(t Type) (Type, error) {
	if t.ID == Timestamp {
		precision, found, err := p.modifier(9)
		switch {
		case err != nil:
			return Type{}, err
		case found && precision == 0:
			return Of(TimestampS), nil
		case found && precision <= 3:
			return Of(TimestampMS), nil
		case precision > 6:
			return Of(TimestampNS), nil
		}
	}
	if p.words("with", "time", "zone") {
		if t.ID == Time {
			return Of(TimeTZ), nil
		}
		return Of(TimestampTZ), nil
	}
	p.words("without", "time", "zone")
	return t, nil
}

// geometry reads a coordinate system, which stays part of the type's SQL.
func (p *typeParser) geometry() (Type, error) {
	t := Of(Geometry)
	if !p.accept('(') {
		return t, nil
	}
	system, err := p.literal()
	if err != nil {
		return Type{}, err
	}
	t.Alias = "GEOMETRY(" + Literal(system) + ")"
	return t, p.expect(')')
}

func (p *typeParser) literal() (string, error) {
	p.space()
	if p.at < len(p.text) && p.text[p.at] == '\'' {
		if text, ok := p.quotedBy('\''); ok {
			return text, nil
		}
		return "", p.bad("a text without its closing quote")
	}
	return "", p.bad("want a quoted text before %q", excerpt(p.text[p.at:]))
}

func (p *typeParser) decimal() (Type, error) {
	if !p.accept('(') {
		return DecimalOf(18, 3), nil
	}
	width, err := p.number(38)
	if err != nil {
		return Type{}, err
	}
	scale := 0
	if p.accept(',') {
		if scale, err = p.number(width); err != nil {
			return Type{}, err
		}
	}
	if width == 0 {
		return Type{}, p.bad("a decimal needs a width from 1 to 38")
	}
	return DecimalOf(uint8(width), uint8(scale)), p.expect(')')
}

func (p *typeParser) enum() (Type, error) {
	if err := p.expect('('); err != nil {
		return Type{}, err
	}
	t := Type{ID: Enum}
	for {
		label, err := p.literal()
		if err != nil {
			return Type{}, err
		}
		t.Labels = append(t.Labels, label)
		if !p.accept(',') {
			return t, p.expect(')')
		}
	}
}

func (p *typeParser) mapOf(depth int) (Type, error) {
	if err := p.expect('('); err != nil {
		return Type{}, err
	}
	key, err := p.parse(depth + 1)
	if err != nil {
		return Type{}, err
	}
	if err := p.expect(','); err != nil {
		return Type{}, err
	}
	value, err := p.parse(depth + 1)
	if err != nil {
		return Type{}, err
	}
	return Type{ID: Map, Fields: []Field{{"key", key}, {"value", value}}}, p.expect(')')
}

func (p *typeParser) members(name string, depth int) (Type, error) {
	if err := p.expect('('); err != nil {
		return Type{}, err
	}
	t := Type{ID: Struct}
	if name == "UNION" {
		t.ID = Union
	}
	for {
		f, err := p.member(depth)
		if err != nil {
			return Type{}, err
		}
		if f.Name == "" && t.ID == Union {
			return Type{}, p.bad("the members of a union have names")
		}
		t.Fields = append(t.Fields, f)
		if !p.accept(',') {
			return t, p.expect(')')
		}
	}
}

// member reads "name type", or a type alone: the members of row(1, 2) have no names. What follows the first word tells
// them apart, and it is looked at before anything nested is read.
func (p *typeParser) member(depth int) (Field, error) {
	start := p.at
	name, quoted, ok := p.identifier()
	if !ok {
		return Field{}, p.bad("want a member before %q", excerpt(p.text[p.at:]))
	}
	p.space()
	alone := p.at == len(p.text) || strings.IndexByte(",()[", p.text[p.at]) >= 0
	if !alone && !quoted {
		switch strings.ToUpper(name) {
		case "TIME", "TIMESTAMP":
			after := p.at
			alone = p.words("with", "time") || p.words("without", "time")
			p.at = after
		case "DOUBLE":
			after := p.at
			alone = p.words("precision")
			p.at = after
		}
	}
	if alone {
		p.at, name = start, ""
	}
	t, err := p.parse(depth + 1)
	return Field{Name: name, Type: t}, err
}
