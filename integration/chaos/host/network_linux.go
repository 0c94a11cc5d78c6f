package host

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

const (
	prefix = "arbalest-"
	// tries is how many subnets are tried: others may be in use on this machine.
	tries = 20
	// thirdOctets is how many /24 subnets there are to choose from.
	thirdOctets = 250
)

// A Network is some hosts, each a network namespace with one address, on a bridge that is also this process's way to them.
type Network struct {
	// Near is this side's address on the bridge.
	Near  string
	Hosts []*Host

	bridge string
}

// A Host is one namespace.
type Host struct {
	Address string // without a port; every port is free

	name string // of the namespace
	veth string // its cable's end on the bridge
}

// NewNetwork makes a network of n hosts.
func NewNetwork(n int) (network *Network, err error) {
	sweep()
	pid := os.Getpid()
	for try := range tries {
		third := (pid + 7*try) % thirdOctets
		network = &Network{Near: fmt.Sprintf("10.213.%d.254", third), bridge: fmt.Sprintf("arb%d", pid)}
		if taken(network.Near) {
			continue
		}
		if err = network.build(n, third); err == nil {
			return network, nil
		}
		err = errors.Join(err, network.Close())
		break
	}
	return nil, fmt.Errorf("make hosts of network namespaces: %w", err)
}

// taken reports whether this machine has an address in the /24 already.
func taken(gateway string) bool {
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return false
	}
	for _, a := range addresses {
		if network, ok := a.(*net.IPNet); ok && network.Contains(net.ParseIP(gateway)) {
			return true
		}
	}
	return false
}

func (n *Network) build(hosts, third int) error {
	if err := run("ip", "link", "add", n.bridge, "type", "bridge"); err != nil {
		return err
	}
	steps := [][]string{
		{"ip", "addr", "add", n.Near + "/24", "dev", n.bridge},
		{"ip", "link", "set", n.bridge, "up"},
	}
	for i := range hosts {
		h := &Host{Address: fmt.Sprintf("10.213.%d.%d", third, i+1), name: fmt.Sprintf("%s%d-%d", prefix, os.Getpid(), i), veth: fmt.Sprintf("arb%dh%d", os.Getpid(), i)}
		n.Hosts = append(n.Hosts, h)
		steps = append(steps,
			[]string{"ip", "netns", "add", h.name},
			[]string{"ip", "link", "add", h.veth, "type", "veth", "peer", "name", "eth0", "netns", h.name},
			[]string{"ip", "link", "set", h.veth, "master", n.bridge, "up"},
			[]string{"ip", "-n", h.name, "link", "set", "lo", "up"},
			[]string{"ip", "-n", h.name, "addr", "add", h.Address + "/24", "dev", "eth0"},
			[]string{"ip", "-n", h.name, "link", "set", "eth0", "up"})
	}
	for _, step := range steps {
		if err := run(step...); err != nil {
			return err
		}
	}
	return nil
}

// Close removes the hosts. Processes in them lose their network.
func (n *Network) Close() error {
	var faults []error
	for _, h := range n.Hosts {
		// A namespace lives on as long as a socket of it does, and its end of the cable with it.
		faults = append(faults, run("ip", "link", "delete", h.veth), run("ip", "netns", "delete", h.name))
	}
	n.Hosts = nil
	return errors.Join(append(faults, run("ip", "link", "delete", n.bridge))...)
}

// Cut pulls the host's cable: packets vanish both ways, and nobody is told.
func (h *Host) Cut() error { return run("ip", "link", "set", h.veth, "nomaster") }

// IsCut reports whether the cable is pulled.
func (h *Host) IsCut() bool {
	_, err := os.Stat("/sys/class/net/" + h.veth + "/master")
	return errors.Is(err, os.ErrNotExist)
}

// Heal plugs it in again.
func (n *Network) Heal(h *Host) error { return run("ip", "link", "set", h.veth, "master", n.bridge) }

// Lose makes what this host sends to an address vanish; what comes from there still arrives.
func (h *Host) Lose(address string) error {
	return run("ip", "-n", h.name, "route", "add", "blackhole", address+"/32")
}

// Regain undoes Lose.
func (h *Host) Regain(address string) error {
	return run("ip", "-n", h.name, "route", "delete", "blackhole", address+"/32")
}

// Enter moves the calling thread, which must be locked to its goroutine and never be used again, into the host's namespace.
func (h *Host) Enter() error {
	f, err := os.Open("/run/netns/" + h.name)
	if err != nil {
		return fmt.Errorf("enter host %s: %w", h.Address, err)
	}
	defer f.Close()
	if err := unix.Setns(int(f.Fd()), unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("enter host %s: %w", h.Address, err)
	}
	return nil
}

// Listen opens a port of the host; the listener is this process's.
func (h *Host) Listen(address string) (net.Listener, error) {
	type opened struct {
		l   net.Listener
		err error
	}
	done := make(chan opened)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		if err := h.Enter(); err != nil {
			done <- opened{nil, err}
			return
		}
		l, err := net.Listen("tcp", address)
		done <- opened{l, err}
	}()
	o := <-done
	return o.l, o.err
}

func run(command ...string) error {
	if output, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
		return fmt.Errorf("`%s`: %w: %s", strings.Join(command, " "), err, strings.TrimSpace(string(output)))
	}
	return nil
}

// sweep removes what killed runs left.
func sweep() {
	entries, err := os.ReadDir("/run/netns")
	if err != nil {
		return
	}
	for _, e := range entries {
		rest, ok := strings.CutPrefix(e.Name(), prefix)
		maker, _, _ := strings.Cut(rest, "-")
		pid, err := strconv.Atoi(maker)
		if !ok || err != nil || alive(pid) {
			continue
		}
		_ = run("ip", "netns", "delete", e.Name())
		_ = run("ip", "link", "delete", "arb"+maker)
	}
}

func alive(pid int) bool { return !errors.Is(unix.Kill(pid, 0), unix.ESRCH) }
