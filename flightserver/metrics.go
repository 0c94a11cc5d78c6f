package flightserver

import "github.com/prometheus/client_golang/prometheus"

var (
	sessionsDesc     = prometheus.NewDesc("arbalest_sessions", "Sessions that hold something.", nil, nil)
	statementsDesc   = prometheus.NewDesc("arbalest_prepared_statements", "Prepared statements that sessions hold.", nil, nil)
	transactionsDesc = prometheus.NewDesc("arbalest_transactions", "Transactions that are open.", nil, nil)
	pollsDesc        = prometheus.NewDesc("arbalest_polled_queries", "Queries that were started by PollFlightInfo and are not placed yet.", nil, nil)
	stateDesc        = prometheus.NewDesc("arbalest_session_state_bytes", "Bytes of the texts and bound parameters of prepared statements.", nil, nil)
)

// Metrics gives what the server holds to a Prometheus registry: all zero once every client has closed what it opened.
func (s *Server) Metrics() prometheus.Collector { return collector{s} }

type collector struct{ s *Server }

// Describe implements prometheus.Collector.
func (m collector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{sessionsDesc, statementsDesc, transactionsDesc, pollsDesc, stateDesc} {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (m collector) Collect(out chan<- prometheus.Metric) {
	u := m.s.Usage()
	gauge := func(d *prometheus.Desc, n float64) { out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, n) }
	gauge(sessionsDesc, float64(u.Sessions))
	gauge(statementsDesc, float64(u.Statements))
	gauge(transactionsDesc, float64(u.Transactions))
	gauge(pollsDesc, float64(u.Polls))
	gauge(stateDesc, float64(u.StateBytes))
}
