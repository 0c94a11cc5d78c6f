package settings

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/arbalest-sql/arbalest/internal/qerr"
)

func TestSet(t *testing.T) {
	tests := []struct {
		name  string
		value any
		want  string // canonical; "" = refused
	}{
		{Distributed, "always", "always"},
		{"ARBALEST.DISTRIBUTED", "NEVER", "never"},
		{Distributed, "sometimes", ""},
		{Distributed, true, ""},
		{Distributed, nil, ""},
		{Partitions, 8, "8"},
		{Partitions, "8", "8"},
		{Partitions, " 8 ", "8"},
		{Partitions, int64(0), "0"},
		{Partitions, 8.0, "8"},
		{Partitions, 8.5, ""},
		{Partitions, "eight", ""},
		{Partitions, -1, ""},
		{Partitions, 4097, ""},
		{Partitions, uint64(math.MaxUint64), ""},
		{Partitions, math.NaN(), ""},
		{Partitions, true, ""},
		{Partitions, []string{"8"}, ""},
		{JoinStrategy, "Broadcast", "broadcast"},
		{Spill, "always", "always"},
		{Results, "spool", "spool"},
		{OrderedEndpoints, true, "true"},
		{OrderedEndpoints, "on", "true"},
		{OrderedEndpoints, 1, "true"},
		{OrderedEndpoints, "FALSE", "false"},
		{OrderedEndpoints, "maybe", ""},
		{QueryTimeout, "30s", "30s"},
		{QueryTimeout, 30, "30s"},
		{QueryTimeout, "1.5", "1.5s"},
		{QueryTimeout, "5 minutes", "5m0s"},
		{QueryTimeout, "1h30m", "1h30m0s"},
		{QueryTimeout, 0, "0s"},
		{QueryTimeout, "-1s", ""},
		{QueryTimeout, "8 days", ""},
		{QueryTimeout, "1ns", ""},
		{QueryTimeout, 1e300, ""},
		{QueryTimeout, "nan", ""},
		{QueryTimeout, "5 fortnights", ""},
		{QueryTimeout, false, ""},
		{TaskAttempts, 1, "1"},
		{TaskAttempts, 0, ""},
		{Catalog, "other", "other"},
		{Catalog, "", ""},
		{Catalog, 5, ""},
		{Schema, "My Schema", "My Schema"},
		{Schema, "a\x00b", ""},
		{Schema, strings.Repeat("x", 256), ""},
		{TimeZone, "Europe/Berlin", "Europe/Berlin"},
		{"timezone", "utc", "UTC"},
		{TimeZone, "america/new_york", "America/New_York"},
		{TimeZone, "Local", ""},
		{TimeZone, "", ""},
		{TimeZone, "../etc/passwd", ""},
		{TimeZone, "Mars/Olympus", ""},
		{"memory_limit", "1GB", ""},
	}
	for _, tt := range tests {
		v, err := Defaults().Set(tt.name, tt.value)
		if tt.want == "" {
			if !qerr.Is(err, qerr.User) {
				t.Errorf("Set(%s, %#v) = %q, %v; want a User error", tt.name, tt.value, v.Get(tt.name), err)
			}
			if v.Fingerprint() != Defaults().Fingerprint() {
				t.Errorf("Set(%s, %#v) failed and changed the values", tt.name, tt.value)
			}
			continue
		}
		if err != nil || v.Get(tt.name) != tt.want {
			t.Errorf("Set(%s, %#v) = %q, %v; want %q", tt.name, tt.value, v.Get(tt.name), err, tt.want)
		}
	}
}

func TestMessages(t *testing.T) {
	_, err := Defaults().Set(Partitions, "x")
	for _, part := range []string{Partitions, `"x"`, "whole number", "from 0 to 4096"} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("error %q lacks %q", err, part)
		}
	}
	_, err = Defaults().Reset("threads")
	for _, name := range append(Names(), `"threads"`) {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("error %q lacks %q", err, name)
		}
	}
	_, err = Defaults().Set(strings.Repeat("x", 1<<20), 1)
	if err == nil || len(err.Error()) > 1000 {
		t.Error("a long name makes a long message")
	}
}

func TestImmutable(t *testing.T) {
	a, err := Defaults().Set(Partitions, 3)
	if err != nil {
		t.Fatal(err)
	}
	b, err := a.Set(Partitions, 5)
	if err != nil {
		t.Fatal(err)
	}
	c, err := b.Reset("Arbalest.Partitions")
	if err != nil {
		t.Fatal(err)
	}
	if a.Partitions() != 3 || b.Partitions() != 5 || c.Partitions() != 0 || Defaults().Partitions() != 0 {
		t.Errorf("got %d, %d, %d", a.Partitions(), b.Partitions(), c.Partitions())
	}
	if c.Fingerprint() != (Values{}).Fingerprint() {
		t.Error("a reset value still shows in the fingerprint")
	}
	if a.Fingerprint() == b.Fingerprint() {
		t.Error("different values, same fingerprint")
	}
}

// The fingerprint must not depend on the order of changes, and texts must not be able to imitate it.
func TestFingerprint(t *testing.T) {
	set := func(v Values, name string, value any) Values {
		t.Helper()
		v, err := v.Set(name, value)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	ab := set(set(Defaults(), Catalog, "a"), Schema, "b")
	ba := set(set(Defaults(), Schema, "b"), Catalog, "a")
	if ab.Fingerprint() != ba.Fingerprint() {
		t.Error("order of changes shows in the fingerprint")
	}
	sly := set(Defaults(), Catalog, `a";"schema"="b`)
	if sly.Fingerprint() == ab.Fingerprint() {
		t.Error("a value imitates another option")
	}
}

func TestDefaultsAndAll(t *testing.T) {
	v := Defaults()
	if v.Distributed() != Auto || v.Partitions() != 0 || v.JoinStrategy() != Auto || v.Spill() != Auto || v.Results() != Stream ||
		v.OrderedEndpoints() || v.QueryTimeout() != 0 || v.TaskAttempts() != 4 || v.Catalog() != "arbalest" || v.Schema() != "main" ||
		v.TimeZone() != "UTC" {
		t.Errorf("defaults: %+v", v.All())
	}
	for _, s := range v.All() {
		if s.Value != s.Default || s.Description == "" || s.Allowed == "" || s.Type == "" {
			t.Errorf("%+v", s)
		}
		// A default must itself be allowed and canonical, else RESET and SET would differ.
		w, err := v.Set(s.Name, s.Default)
		if err != nil || w.Get(s.Name) != s.Default || w.Fingerprint() != "" {
			t.Errorf("%s: default %q: %v", s.Name, s.Default, err)
		}
		if v.Typed(s.Name) == nil {
			t.Errorf("%s has no typed value", s.Name)
		}
	}
	w, err := v.Set(QueryTimeout, "2 hours")
	if err != nil || w.QueryTimeout() != 2*time.Hour {
		t.Errorf("timeout %v, %v", w.QueryTimeout(), err)
	}
	if v.Typed(TaskAttempts) != int64(4) || v.Typed(OrderedEndpoints) != false || v.Typed("nope") != nil {
		t.Error("typed values")
	}
}

func FuzzSet(f *testing.F) {
	for _, n := range Names() {
		f.Add(n, "5")
		f.Add(n, "1e309")
	}
	f.Fuzz(func(t *testing.T, name, value string) {
		v, err := Defaults().Set(name, value)
		if err != nil {
			return
		}
		// What was accepted is canonical: setting it again changes nothing.
		again, err := v.Set(name, v.Get(name))
		if err != nil || again.Fingerprint() != v.Fingerprint() {
			t.Fatalf("%s = %q is not canonical: %v", name, v.Get(name), err)
		}
	})
}

// TestChanged holds that what is changed makes the same settings again, and nothing else.
func TestChanged(t *testing.T) {
	values, err := Defaults().Set(TimeZone, "Asia/Tokyo")
	if err == nil {
		values, err = values.Set(Partitions, int64(7))
	}
	if err != nil {
		t.Fatal(err)
	}
	if changed := values.Changed(); len(changed) != 2 || len(Defaults().Changed()) != 0 {
		t.Errorf("changed are %v; of the defaults %v", changed, Defaults().Changed())
	}
	again, err := From(values.Changed())
	if err != nil || again.Fingerprint() != values.Fingerprint() {
		t.Errorf("made again: %v, %v", again.Changed(), err)
	}
	if _, err := From(map[string]string{"no such option": "1"}); err == nil {
		t.Error("an unknown option was taken")
	}
}
