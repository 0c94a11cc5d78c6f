package worker

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/arbalest-sql/arbalest/worker/lifecycle"
)

// The metrics; every series has the worker's id, since one process may hold several workers.
var (
	label          = []string{"worker"}
	descTasks      = prometheus.NewDesc("arbalest_worker_tasks", "Tasks that the worker holds, by state.", []string{"worker", "state"}, nil)
	descEnded      = prometheus.NewDesc("arbalest_worker_tasks_ended_total", "Tasks that ended since the start, by state.", []string{"worker", "state"}, nil)
	descRows       = prometheus.NewDesc("arbalest_worker_output_rows_total", "Rows that ended tasks yielded.", label, nil)
	descBytes      = prometheus.NewDesc("arbalest_worker_output_bytes_total", "Bytes that ended tasks yielded, as Arrow.", label, nil)
	descSpill      = prometheus.NewDesc("arbalest_worker_spilled_bytes_total", "Bytes of ended tasks' outputs and inputs that went to disk.", label, nil)
	descKept       = prometheus.NewDesc("arbalest_worker_kept_outputs", "Outputs kept for other tasks.", label, nil)
	descKeptBytes  = prometheus.NewDesc("arbalest_worker_exchange_bytes", "Bytes of kept outputs and fetched inputs in memory.", label, nil)
	descKeptMax    = prometheus.NewDesc("arbalest_worker_exchange_bytes_max", "The budget of arbalest_worker_exchange_bytes.", label, nil)
	descDisk       = prometheus.NewDesc("arbalest_worker_spill_bytes", "Bytes of kept outputs and fetched inputs on disk.", label, nil)
	descDiskMax    = prometheus.NewDesc("arbalest_worker_spill_bytes_max", "The budget of arbalest_worker_spill_bytes.", label, nil)
	descDiskFiles  = prometheus.NewDesc("arbalest_worker_spill_files", "Files of arbalest_worker_spill_bytes.", label, nil)
	descEngine     = prometheus.NewDesc("arbalest_worker_engine_memory_bytes", "Memory that the engine uses.", label, nil)
	descEngineTemp = prometheus.NewDesc("arbalest_worker_engine_temp_bytes", "Bytes that the engine spilled to disk.", label, nil)
	descConns      = prometheus.NewDesc("arbalest_worker_engine_connections", "Open connections of the engine.", label, nil)
)

// Metrics returns the collector of the worker's metrics, to be registered once.
func (w *Worker) Metrics() prometheus.Collector { return collector{w} }

type collector struct{ worker *Worker }

// Describe implements prometheus.Collector.
func (collector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descTasks, descEnded, descRows, descBytes, descSpill, descKept, descKeptBytes, descKeptMax,
		descDisk, descDiskMax, descDiskFiles, descEngine, descEngineTemp, descConns} {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (c collector) Collect(out chan<- prometheus.Metric) {
	w, id := c.worker, string(c.worker.cfg.ID)
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, append([]string{id}, labels...)...)
	}
	count := func(d *prometheus.Desc, value uint64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(value), append([]string{id}, labels...)...)
	}
	w.mu.Lock()
	held := w.registry.Counts()
	for _, state := range lifecycle.States() {
		gauge(descTasks, float64(held[state]), state.String())
		if state.Ended() {
			count(descEnded, w.ended[state], state.String())
		}
	}
	rows, bytes, spill := w.rowsOut, w.byteOut, w.spillOut
	w.mu.Unlock()
	count(descRows, rows)
	count(descBytes, bytes)
	count(descSpill, spill)
	usage, engine := w.Usage(), w.cfg.Engine.Usage()
	gauge(descKept, float64(usage.Kept))
	gauge(descKeptBytes, float64(usage.ExchangeBytes))
	gauge(descKeptMax, float64(w.cfg.ExchangeBytesMax))
	gauge(descDisk, float64(usage.SpillBytes))
	gauge(descDiskMax, float64(max(w.cfg.SpillBytesMax, 0)))
	gauge(descDiskFiles, float64(usage.SpillFiles))
	gauge(descEngine, float64(engine.MemoryBytes))
	gauge(descEngineTemp, float64(engine.TempBytes))
	gauge(descConns, float64(engine.Connections))
}
