package lifecycle

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

func (e *env) succeed(t *testing.T, d *datadriven.TestData) string {
	var fallen, by, query, keep string
	d.ScanArgs(t, "fallen", &fallen)
	d.ScanArgs(t, "by", &by)
	var queries []Succession
	if d.MaybeScanArgs(t, "query", &query) {
		one := Succession{Query: ids.QueryID(query)}
		d.MaybeScanArgs(t, "keep", &keep)
		for _, text := range strings.FieldsFunc(keep, func(r rune) bool { return r == '+' }) {
			one.Keep = append(one.Keep, key(t, text))
		}
		queries = append(queries, one)
	}
	kept, ended := e.registry.Succeed(e.now, fallen, by, queries, qerr.New(qerr.Unavailable, "its coordinator was lost"))
	return eventText(kept) + fmt.Sprintf("ended %d\n", ended)
}

// The coordinators that are remembered as fallen are bounded.
func TestFallenAreBounded(t *testing.T) {
	r := New(Limits{TasksMax: 1})
	for i := range fallenMax + 1 {
		r.Succeed(testStart, fmt.Sprint(i), "next", nil, nil)
	}
	if r.Fallen("0") != nil || r.Fallen("1") == nil || len(r.fallen) != fallenMax {
		t.Errorf("%d are remembered", len(r.fallen))
	}
}
