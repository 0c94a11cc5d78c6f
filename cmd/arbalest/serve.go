package main

import (
	"fmt"
	"io"
	"net"

	"github.com/arbalest-sql/arbalest/internal/config"
	"github.com/arbalest-sql/arbalest/internal/flightx"
	"github.com/arbalest-sql/arbalest/internal/ids"
	"google.golang.org/grpc"
)

func runServe(args []string, out io.Writer) error {
	n, err := newNode(config.Serve, args, out)
	if err != nil {
		return err
	}
	return n.runDoor(out, n.embedWorkers)
}

// embedWorkers opens the workers of this process. They listen on loopback, without TLS, for control and exchange; clients
// get their results through the coordinator's port.
func (n *node) embedWorkers(d *door) error {
	n.local = localWorkers{}
	for i := range n.config.Workers {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return fmt.Errorf("listen for worker %d: %w", i+1, err)
		}
		n.onClose(func() error { return ignoreClosed(l.Close()) })
		// The first workers get the threads that do not divide evenly; each has at least one.
		threads := n.config.Threads / n.config.Workers
		if i < n.config.Threads%n.config.Workers {
			threads++
		}
		place := workerPlace{id: fmt.Sprintf("w%d", i+1), incarnation: newIncarnation(), address: l.Addr().String(),
			threads: max(threads, 1), workers: n.config.Workers}
		w, err := n.openWorker(place, d.keys, d.clients, d.data)
		if err != nil {
			return err
		}
		server := grpc.NewServer(flightx.ServerOptions(n.log)...)
		w.Register(server)
		n.serve(server, l, func(err error) {
			n.log.Error().Err(err).Str("worker", place.id).Msg("an embedded worker's port failed")
		})
		seat, err := d.membership.Add(w.Record())
		if err != nil {
			return err
		}
		n.onClose(seat.Close)
		n.local[ids.WorkerID(place.id)] = w
		n.metrics = append(n.metrics, w.Metrics())
	}
	return nil
}
