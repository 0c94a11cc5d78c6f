package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"google.golang.org/grpc"

	"github.com/arbalest-sql/arbalest/internal/auth"
	"github.com/arbalest-sql/arbalest/internal/cluster/driver"
	"github.com/arbalest-sql/arbalest/internal/cluster/kubernetes"
	"github.com/arbalest-sql/arbalest/internal/config"
	"github.com/arbalest-sql/arbalest/internal/flightx"
	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
)

// openKubernetes follows the workers behind the Service.
func (n *node) openKubernetes(ctx context.Context, d *door) (driver.Driver, error) {
	c := kubernetes.Config{Keys: d.keys, DataLocations: d.data, Log: n.log}
	var err error
	if c.Namespace, c.Service, err = config.ParseKubernetes(n.config.Cluster); err != nil {
		return nil, err
	}
	if n.config.TLSCert != "" || n.config.TLSCA != "" {
		if c.TLS, err = n.clientTLS(); err != nil {
			return nil, err
		}
	}
	return kubernetes.Open(ctx, c)
}

// joinKubernetes lets coordinators find this worker. What they say must be known before the engine opens and the worker's own
// services can begin, so a first server answers them, and leaves the port to the second.
func (n *node) joinKubernetes(l net.Listener, record *pb.WorkerRecord, keys *auth.Keyring, changed func(error)) (registrar, []string, error) {
	first, err := newTurn(l)
	if err != nil {
		return nil, nil, err
	}
	transport, err := n.serverTransport()
	if err != nil {
		return nil, nil, err
	}
	r := kubernetes.NewRegistrar(kubernetes.RegistrarConfig{Keys: keys, Log: n.log, Changed: func([]string) { changed(n.otherData()) }}, record)
	server := grpc.NewServer(append(flightx.ServerOptions(n.log), grpc.Creds(transport))...)
	r.Register(server)
	served := make(chan error, 1)
	go func() { served <- server.Serve(first) }()
	ctx, cancel := context.WithTimeout(context.Background(), joinTimeout)
	defer cancel()
	locations, err := r.Locations(ctx)
	server.Stop()
	err = errors.Join(err, <-served, first.end())
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("join %s: %w", n.config.Cluster, err), r.Close())
	}
	return r, locations, nil
}

// A turn is the use of a listener by one server before another: its end leaves the listener open, and connections that nobody
// has accepted yet wait for the next server.
type turn struct{ *net.TCPListener }

func newTurn(l net.Listener) (turn, error) {
	tcp, ok := l.(*net.TCPListener)
	if !ok {
		return turn{}, fmt.Errorf("listen at %s: not a TCP port", l.Addr())
	}
	return turn{tcp}, nil
}

// Accept gives net.ErrClosed after Close.
func (t turn) Accept() (net.Conn, error) {
	conn, err := t.TCPListener.Accept()
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return nil, net.ErrClosed
	}
	return conn, err
}

// Close makes the server stop accepting.
func (t turn) Close() error { return t.SetDeadline(time.Unix(1, 0)) }

// end gives the listener on; nobody may accept by the turn any more.
func (t turn) end() error { return t.SetDeadline(time.Time{}) }
