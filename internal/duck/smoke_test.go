package duck

import (
	"context"
	"fmt"
	"testing"
)

func TestSmoke(t *testing.T) {
	e := openEngine(t, nil)
	sch, bs := streamAll(t, e, "select i, i::varchar s, [i,null] l from range(100000) t(i) order by i")
	fmt.Println(sch, len(bs), rowsOf(bs), bs[0])
	o, err := e.Partition(context.Background(), Job{SQL: "select *, i%16 from (select i, i::varchar || 'abcdefghijklmnop' s, [i,null] l, null::struct(a varchar, b int[]) from range(100000) t(i))"}, 16)
	if err != nil {
		t.Fatal(err)
	}
	cols := describe(t, e, "select i, i::varchar || 'abcdefghijklmnop' s, [i,null] l, null::struct(a varchar, b int[]) from range(100000) t(i)")
	in, err := e.AddInput(typesOf(cols), o.Batches(3))
	if err != nil {
		t.Fatal(err)
	}
	_, bs = streamAll(t, e, "select count(*), sum(c0), min(c1), max(len(c2)), count(c3) from ("+in.SQL()+")")
	fmt.Println(bs)
	in.Remove()
	o.Release()
	fmt.Println(e.Usage())
	fmt.Println(e.HashVector())
	_, bs = streamAll(t, e, "select * from test_all_types()")
	fmt.Println(bs)
}
