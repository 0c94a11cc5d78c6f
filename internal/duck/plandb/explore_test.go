package plandb

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/arbalest-sql/arbalest/catalog/table"
)

func TestExplore(t *testing.T) {
	t0 := time.Now()
	p := NewPool(Config{})
	in, err := p.Get(context.Background(), "v1", []string{"arbalest"})
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println("open", time.Since(t0))
	ty := func(s table.TypeID) table.Type { return table.Of(s) }
	tab := &table.Table{Name: table.Name{Catalog: "arbalest", Schema: "main", Table: "t"}, Rows: 1000, Columns: []table.Column{
		{Name: "a", Type: ty(table.Integer)}, {Name: "b", Type: ty(table.Varchar)}, {Name: "d", Type: table.DecimalOf(10, 2)}, {Name: "j", Type: table.Type{ID: table.Varchar, Alias: "JSON"}},
		{Name: "s", Type: table.Type{ID: table.Struct, Fields: []table.Field{{Name: "x", Type: ty(table.Integer)}, {Name: "y", Type: ty(table.Varchar)}}}},
		{Name: "l", Type: table.Type{ID: table.List, Fields: []table.Field{{Type: ty(table.Integer)}}}},
		{Name: "m", Type: table.Type{ID: table.Map, Fields: []table.Field{{Name: "key", Type: ty(table.Varchar)}, {Name: "value", Type: ty(table.Integer)}}}},
		{Name: "e", Type: table.Type{ID: table.Enum, Labels: []string{"p", "q"}}},
		{Name: "ts", Type: ty(table.TimestampTZ)}, {Name: "dt", Type: ty(table.Date)}, {Name: "tm", Type: ty(table.Timestamp)},
		{Name: "f", Type: ty(table.Double)}, {Name: "h", Type: ty(table.HugeInt)}, {Name: "u", Type: ty(table.UUID)},
	}}
	u := *tab
	u.Name.Table = "u"
	t0 = time.Now()
	if err := in.Define(tab, &u); err != nil {
		t.Fatal(err)
	}
	fmt.Println("define", time.Since(t0))
	if err := in.Use("arbalest", "main", "UTC"); err != nil {
		t.Fatal(err)
	}
	qs, _ := os.ReadFile(os.Getenv("EXPLORE"))
	for _, q := range strings.Split(string(qs), "\n") {
		if q = strings.TrimSpace(q); q == "" {
			continue
		}
		t0 := time.Now()
		_, err1 := in.Syntax(q)
		ts := time.Since(t0)
		t0 = time.Now()
		pl, err := in.Plan(q)
		tp := time.Since(t0)
		t0 = time.Now()
		d, err2 := in.Describe(q)
		td := time.Since(t0)
		t0 = time.Now()
		ex, err3 := in.Explain(q)
		te := time.Since(t0)
		fmt.Println("-----", q, ts, tp, td, te, err1, err2, err3)
		if d != nil {
			fmt.Println(d)
		}
		if err != nil {
			fmt.Printf("%v %+v\n", err, err)
			continue
		}
		var v any
		if os.Getenv("FULL") != "" {
			fmt.Println(string(pl))
			continue
		}
		json.Unmarshal(pl, &v)
		if os.Getenv("FULL") == "" {
			prune(v)
		}
		b, _ := json.Marshal(v)
		fmt.Println(string(b))
		if os.Getenv("EX") != "" {
			fmt.Println(string(ex))
		}
	}
	p.Put(in)
	p.Close()
}

func prune(v any) {
	switch x := v.(type) {
	case map[string]any:
		delete(x, "query_location")
		delete(x, "alias")
		delete(x, "extra_info")
		delete(x, "returned_types")
		delete(x, "names")
		delete(x, "original_arguments")
		delete(x, "extension_info")
		delete(x, "column_indexes")
		for _, c := range x {
			prune(c)
		}
	case []any:
		for _, c := range x {
			prune(c)
		}
	}
}
