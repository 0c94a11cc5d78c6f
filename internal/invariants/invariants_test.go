package invariants

import "testing"

func panics(f func()) (did bool) {
	defer func() { did = recover() != nil }()
	f()
	return false
}

// TestBothForms holds with and without the tag: broken invariants panic exactly when Enabled says so.
func TestBothForms(t *testing.T) {
	var c CloseChecker
	for _, x := range []struct {
		name string
		f    func()
		want bool
	}{
		{"kept", func() { Check(true, "x") }, false},
		{"broken", func() { Check(false, "x %d", 1) }, Enabled},
		{"open", c.AssertOpen, false},
		{"close", c.Close, false},
		{"used after close", c.AssertOpen, Enabled},
		{"closed twice", c.Close, Enabled},
	} {
		if got := panics(x.f); got != x.want {
			t.Errorf("%s: panics %v, want %v", x.name, got, x.want)
		}
	}
}
