package kubernetes

import (
	"net"
	"os/exec"
	"strings"
	"testing"
)

// lent is the address that loopback is given on a machine that has no other: of the block for benchmarks (RFC 2544), which nobody
// routes.
const lent = "198.18.71.1"

// near is an address of this machine that may stand in an EndpointSlice: loopback's own may not.
func near(t *testing.T) string {
	t.Helper()
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addresses {
		if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil && n.IP.IsGlobalUnicast() {
			return n.IP.String()
		}
	}
	ip := func(args ...string) error {
		out, err := exec.Command("ip", args...).CombinedOutput()
		if err != nil {
			t.Logf("ip %s: %v: %s", strings.Join(args, " "), err, out)
		}
		return err
	}
	if ip("addr", "add", lent+"/32", "dev", "lo") != nil {
		t.Fatalf("this machine has no IPv4 address beside 127.0.0.1: run `ip addr add %s/32 dev lo` as root, or this test as root", lent)
	}
	t.Cleanup(func() {
		if ip("addr", "delete", lent+"/32", "dev", "lo") != nil {
			t.Errorf("%s stays with loopback", lent)
		}
	})
	return lent
}
