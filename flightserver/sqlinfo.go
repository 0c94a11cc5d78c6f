package flightserver

import (
	"math"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/flight/flightsql/schema_ref"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// sqlInfo answers GetSqlInfo from the table in sqlinfo_table.go and what the configuration says.
type sqlInfo struct {
	facts []fact // in order of id
}

// A fact is one piece of SqlInfo. Its value is a string, bool, int64 (bigint), int32 (bitmask or ordinal), []string,
// conversions, or noText (a text that is null).
type fact struct {
	id    uint32
	value any
	// note says why the type or value is not what the protocol's comment suggests.
	note string
}

// noText is the null of string_value.
type noText struct{}

// conversions are SQL_SUPPORTS_CONVERT: from which type to which, in order.
type conversions []conversion

type conversion struct {
	from int32
	to   []int32
}

func newSQLInfo(cfg *Config) *sqlInfo {
	facts := sqlInfoTable(cfg)
	slices.SortFunc(facts, func(a, b fact) int { return int(a.id) - int(b.id) })
	return &sqlInfo{facts: facts}
}

// batch tells the facts asked for, in the order asked for, or all when none is; ids that we do not know are skipped, as newer
// clients ask for newer ones.
func (i *sqlInfo) batch(mem memory.Allocator, ids []uint32) arrow.RecordBatch {
	b := array.NewRecordBuilder(mem, schema_ref.SqlInfo)
	defer b.Release()
	told := map[uint32]bool{}
	tell := func(f fact) {
		if told[f.id] {
			return
		}
		told[f.id] = true
		b.Field(0).(*array.Uint32Builder).Append(f.id) // By schema_ref.
		appendFact(b.Field(1).(*array.DenseUnionBuilder), f.value)
	}
	for _, id := range ids {
		at, known := slices.BinarySearchFunc(i.facts, id, func(f fact, id uint32) int { return int(f.id) - int(min(id, math.MaxInt32)) })
		if known {
			tell(i.facts[at])
		}
	}
	if len(ids) == 0 {
		for _, f := range i.facts {
			tell(f)
		}
	}
	return b.NewRecordBatch()
}

// The members of the union, by schema_ref.
const (
	textMember arrow.UnionTypeCode = iota
	boolMember
	bigintMember
	int32Member
	textsMember
	mapMember
)

// appendFact appends one value. The builders' types are those of schema_ref; a test appends every fact.
func appendFact(union *array.DenseUnionBuilder, value any) {
	member := func(code arrow.UnionTypeCode) array.Builder {
		union.Append(code)
		return union.Child(int(code))
	}
	switch v := value.(type) {
	case string:
		member(textMember).(*array.StringBuilder).Append(v)
	case noText:
		member(textMember).AppendNull()
	case bool:
		member(boolMember).(*array.BooleanBuilder).Append(v)
	case int64:
		member(bigintMember).(*array.Int64Builder).Append(v)
	case int32:
		member(int32Member).(*array.Int32Builder).Append(v)
	case []string:
		list := member(textsMember).(*array.ListBuilder)
		list.Append(true)
		list.ValueBuilder().(*array.StringBuilder).AppendValues(v, nil)
	case conversions:
		m := member(mapMember).(*array.MapBuilder)
		m.Append(true)
		items := m.ItemBuilder().(*array.ListBuilder)
		for _, c := range v {
			m.KeyBuilder().(*array.Int32Builder).Append(c.from)
			items.Append(true)
			items.ValueBuilder().(*array.Int32Builder).AppendValues(c.to, nil)
		}
	}
}
