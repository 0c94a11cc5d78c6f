package ports

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"sync"
)

const (
	// lowest leaves alone the ports of well-known services, ours among them (31337 is within, and skipped when taken).
	lowest = 15000
	// outgoing is where Linux starts to take ports for outgoing connections unless it was told otherwise.
	outgoing = 32768
)

// next is the port looked at next; 0 before the first look.
var next struct {
	sync.Mutex
	port int
}

// Free gives n addresses of a host on which nothing listens, all different and given to nobody else by this process.
func Free(host string, n int) ([]string, error) {
	next.Lock()
	defer next.Unlock()
	below := limit()
	if next.port == 0 {
		next.port = lowest + rand.IntN(below-lowest) //nolint:gosec // a place to start looking, not a secret
	}
	var addresses []string
	for range below - lowest {
		if len(addresses) == n {
			return addresses, nil
		}
		next.port++
		if next.port >= below {
			next.port = lowest
		}
		l, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(next.port)))
		if err != nil {
			continue
		}
		addresses = append(addresses, l.Addr().String())
		if err := l.Close(); err != nil {
			return nil, fmt.Errorf("find a free port: %w", err)
		}
	}
	return nil, fmt.Errorf("find %d free ports of %s: %d among %d to %d", n, host, len(addresses), lowest, below)
}

// limit is the first port that the kernel may take for an outgoing connection.
func limit() int {
	text, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range")
	if err != nil {
		return outgoing // not Linux, or hidden: its default
	}
	var low, high int
	if _, err := fmt.Sscan(string(text), &low, &high); err != nil || low <= lowest+1000 {
		return outgoing
	}
	return low
}
