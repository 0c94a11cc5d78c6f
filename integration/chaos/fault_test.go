//go:build linux

package chaos

import (
	"context"
	"errors"
	"fmt"
	"syscall"

	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// A fault is what happens to a worker.
type fault int

const (
	killed       fault = iota // SIGKILL
	hung                      // SIGSTOP, and its host's connections are open and deaf
	cutOff                    // the network passes nothing, and tells nobody
	refusedFetch              // one fetch of its output fails
	fullDisk                  // its disk is full until the task has failed
	faults
)

func (f fault) String() string { return [...]string{"kill", "hang", "cut", "fetch", "disk"}[f] }

// kinds are those that a client may be told when nothing is tried twice.
func (f fault) kinds() []qerr.Kind {
	if f == fullDisk {
		return []qerr.Kind{qerr.Resource}
	}
	return []qerr.Kind{qerr.Unavailable}
}

// losses are how many workers the coordinator is to lose by it.
func (f fault) losses() float64 {
	if f == refusedFetch || f == fullDisk {
		return 0
	}
	return 1
}

// make does it to worker i.
func (f fault) make(r *rig, i int) error {
	switch f {
	case killed:
		r.cluster.Workers[i].Kill()
		r.relays[i].Down()
	case hung:
		r.relays[i].Freeze()
		return r.cluster.Workers[i].Signal(syscall.SIGSTOP)
	case cutOff:
		h := r.network.Hosts[i]
		if err := h.Cut(); err != nil {
			return err
		}
		if !h.IsCut() {
			return fmt.Errorf("host %s is not cut off", h.Address)
		}
	case fullDisk:
		if err := r.disks[i].Fill(); err != nil {
			return err
		}
		if free, err := r.disks[i].Free(); err != nil || free > 0 {
			return fmt.Errorf("the disk has %d bytes free: %w", free, err)
		}
	}
	return nil
}

// undo makes worker i as good as before, and waits until it is a member.
func (f fault) undo(ctx context.Context, r *rig, i int) error {
	switch f {
	case killed:
		return errors.Join(r.relays[i].Up(), r.cluster.Restart(ctx, i))
	case hung:
		err := r.cluster.Workers[i].Signal(syscall.SIGCONT)
		r.relays[i].Thaw()
		return errors.Join(err, r.cluster.WaitUsable(ctx))
	case cutOff:
		return errors.Join(r.network.Heal(r.network.Hosts[i]), r.cluster.WaitUsable(ctx))
	case fullDisk:
		return r.disks[i].Empty()
	}
	return nil
}
