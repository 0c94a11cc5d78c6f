package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

const (
	// headerTimeout and requestTimeout bound what a slow or dead HTTP client can hold.
	headerTimeout  = 5 * time.Second
	requestTimeout = 30 * time.Second
)

// An httpServer serves /healthz (the process lives), /readyz (it takes new work) and /metrics.
type httpServer struct {
	server   *http.Server
	listener net.Listener
	done     chan error
}

// startHTTP listens on address; "off" gives nil, whose methods do nothing. ready returns why the node takes no work now.
func startHTTP(address string, ready func() error, metrics ...prometheus.Collector) (*httpServer, error) {
	if address == "off" {
		return nil, nil
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	for _, m := range metrics {
		if err := registry.Register(m); err != nil {
			return nil, fmt.Errorf("register metrics: %w", err)
		}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if err := ready(); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ready")
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("--http: %w", err)
	}
	h := &httpServer{listener: listener, done: make(chan error, 1),
		server: &http.Server{Handler: mux, ReadHeaderTimeout: headerTimeout, ReadTimeout: requestTimeout, WriteTimeout: requestTimeout}}
	go func() { h.done <- h.server.Serve(listener) }()
	return h, nil
}

// address is where it listens, or "off".
func (h *httpServer) address() string {
	if h == nil {
		return "off"
	}
	return h.listener.Addr().String()
}

// close ends the server and waits for it.
func (h *httpServer) close() error {
	if h == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), headerTimeout)
	defer cancel()
	err := h.server.Shutdown(ctx)
	if served := <-h.done; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}

// together is several collectors of the same metrics, told apart by a label: the embedded workers'.
type together []prometheus.Collector

// Describe implements prometheus.Collector: all describe the same.
func (t together) Describe(to chan<- *prometheus.Desc) {
	if len(t) > 0 {
		t[0].Describe(to)
	}
}

// Collect implements prometheus.Collector.
func (t together) Collect(to chan<- prometheus.Metric) {
	for _, c := range t {
		c.Collect(to)
	}
}
