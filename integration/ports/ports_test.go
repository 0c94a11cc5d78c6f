package ports

import (
	"net"
	"strconv"
	"testing"
)

// Addresses are all different, lie below the outgoing ports, and can be listened on; one in use is not given.
func TestFree(t *testing.T) {
	seen := map[string]bool{}
	for range 20 {
		addresses, err := Free("127.0.0.1", 5)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range addresses {
			_, port, err := net.SplitHostPort(a)
			if err != nil {
				t.Fatal(err)
			}
			if p, _ := strconv.Atoi(port); p < lowest || p >= limit() {
				t.Errorf("%s lies outside %d to %d", a, lowest, limit())
			}
			if seen[a] {
				t.Errorf("%s was given twice", a)
			}
			seen[a] = true
			l, err := net.Listen("tcp", a)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = l.Close() }()
		}
	}
}

// A host that is not ours has no free port, and the error says so.
func TestNoHost(t *testing.T) {
	if got, err := Free("192.0.2.1", 1); err == nil {
		t.Errorf("an address of another host: %v", got)
	}
}
