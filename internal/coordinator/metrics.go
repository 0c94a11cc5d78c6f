package coordinator

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/arbalest-sql/arbalest/internal/adapt"
	"github.com/arbalest-sql/arbalest/internal/coordinator/lifecycle"
)

// metrics count what queries do. Each coordinator has its own: nothing is registered globally.
type metrics struct {
	queries     *prometheus.CounterVec // ended, by final state
	stages      prometheus.Counter
	tasks       prometheus.Counter
	attempts    *prometheus.CounterVec // ended, by outcome
	adaptations *prometheus.CounterVec // by kind
	rows        prometheus.Counter
	bytes       prometheus.Counter
	spilled     prometheus.Counter
	plan        prometheus.Histogram
	queued      prometheus.Histogram
	elapsed     prometheus.Histogram
	workersLost prometheus.Counter
}

func newMetrics() *metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Namespace: "arbalest", Name: name, Help: help})
	}
	histogram := func(name, help string, from float64) prometheus.Histogram {
		return prometheus.NewHistogram(prometheus.HistogramOpts{Namespace: "arbalest", Name: name, Help: help,
			Buckets: prometheus.ExponentialBuckets(from, 4, 10)})
	}
	m := &metrics{
		queries: prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "arbalest", Name: "queries_total",
			Help: "Queries that have ended, by their final state."}, []string{"state"}),
		stages: counter("query_stages_total", "Stages of distributed queries that were started."),
		tasks:  counter("query_tasks_total", "Tasks of distributed queries that were started."),
		attempts: prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "arbalest", Name: "task_attempts_total",
			Help: "Attempts of tasks of distributed queries that have ended, by how the attempt ended."}, []string{"outcome"}),
		adaptations: prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "arbalest", Name: "adaptations_total",
			Help: "Changes of plans while they ran, by what was changed."}, []string{"kind"}),
		rows:        counter("result_rows_total", "Rows of results that were read."),
		bytes:       counter("result_bytes_total", "Bytes of results that were read."),
		spilled:     counter("spilled_bytes_total", "Bytes that tasks wrote to disk for want of memory."),
		plan:        histogram("plan_seconds", "Time from submit to the operator tree.", 0.0005),
		queued:      histogram("queue_seconds", "Time from submit to the start of distributed queries.", 0.0005),
		elapsed:     histogram("query_seconds", "Time from start to end.", 0.001),
		workersLost: counter("workers_lost_total", "Control streams to workers that broke."),
	}
	for _, s := range lifecycle.Statuses() {
		if s.Final() {
			m.queries.WithLabelValues(s.String()) // present from the start, at zero
		}
	}
	for _, o := range lifecycle.Outcomes() {
		m.attempts.WithLabelValues(o.String())
	}
	for _, kind := range adapt.Kinds() {
		m.adaptations.WithLabelValues(string(kind))
	}
	return m
}

func (m *metrics) planned(d time.Duration) { m.plan.Observe(d.Seconds()) }

func (m *metrics) started(shape lifecycle.Shape, queued time.Duration) {
	m.stages.Add(float64(len(shape.Stages)))
	for _, stage := range shape.Stages {
		m.tasks.Add(float64(len(stage.Workers)))
	}
	m.queued.Observe(queued.Seconds())
}

func (m *metrics) ended(q *Query) {
	q.mu.Lock()
	defer q.mu.Unlock()
	m.queries.WithLabelValues(q.machine.Status().String()).Inc()
	_, rows, bytes := q.machine.Totals()
	m.rows.Add(float64(rows))
	m.bytes.Add(float64(bytes))
	for _, stage := range q.machine.Stages() {
		for _, task := range stage {
			m.spilled.Add(float64(task.SpillBytes))
		}
	}
	if q.stages > 0 {
		for outcome, n := range q.machine.Counts() {
			m.attempts.WithLabelValues(outcome.String()).Add(float64(n))
		}
	}
	if started := q.machine.Started(); !started.IsZero() {
		m.elapsed.Observe(q.machine.Ended().Sub(started).Seconds())
	}
}

func (m *metrics) collectors() []prometheus.Collector {
	return []prometheus.Collector{m.queries, m.stages, m.tasks, m.attempts, m.adaptations, m.rows, m.bytes, m.spilled, m.plan, m.queued, m.elapsed, m.workersLost}
}

// Metrics gives the coordinator's numbers to a Prometheus registry: names arbalest_*, units in the names.
func (c *Coordinator) Metrics() prometheus.Collector { return collector{c} }

type collector struct{ c *Coordinator }

var (
	liveDesc    = prometheus.NewDesc("arbalest_queries_live", "Queries that have not ended, by state.", []string{"state"}, nil)
	groupsDesc  = prometheus.NewDesc("arbalest_admission_queries", "Distributed queries that run or wait for a place, by resource group; users without a group of theirs are one.", []string{"group", "state"}, nil)
	workersDesc = prometheus.NewDesc("arbalest_workers", "Members of the cluster, by status.", []string{"status"}, nil)
)

// Describe implements prometheus.Collector.
func (m collector) Describe(out chan<- *prometheus.Desc) {
	for _, one := range m.c.metrics.collectors() {
		one.Describe(out)
	}
	out <- liveDesc
	out <- groupsDesc
	out <- workersDesc
}

// Collect implements prometheus.Collector.
func (m collector) Collect(out chan<- prometheus.Metric) {
	for _, one := range m.c.metrics.collectors() {
		one.Collect(out)
	}
	live := map[string]int{Queued.String(): 0, Running.String(): 0}
	for _, q := range m.c.registry.live() {
		live[q.State().Status.String()]++
	}
	for state, n := range live {
		out <- prometheus.MustNewConstMetric(liveDesc, prometheus.GaugeValue, float64(n), state)
	}
	m.collectGroups(out)
	workers := map[string]int{"usable": 0}
	for _, w := range m.c.cfg.Cluster.Members().Members {
		workers[w.Status.String()]++
	}
	for status, n := range workers {
		out <- prometheus.MustNewConstMetric(workersDesc, prometheus.GaugeValue, float64(n), status)
	}
}

// usersGroup is the label of all groups that the configuration does not name: the labels must not be as many as the users.
const usersGroup = "(users)"

func (m collector) collectGroups(out chan<- prometheus.Metric) {
	type sizes struct{ running, queued int }
	groups := map[string]sizes{usersGroup: {}}
	for name := range m.c.cfg.Groups {
		groups[name] = sizes{}
	}
	for _, s := range m.c.admission.states() {
		label := s.Group
		if _, named := m.c.cfg.Groups[label]; !named {
			label = usersGroup
		}
		groups[label] = sizes{groups[label].running + s.Running, groups[label].queued + s.Queued}
	}
	for label, n := range groups {
		out <- prometheus.MustNewConstMetric(groupsDesc, prometheus.GaugeValue, float64(n.running), label, "running")
		out <- prometheus.MustNewConstMetric(groupsDesc, prometheus.GaugeValue, float64(n.queued), label, "queued")
	}
}
