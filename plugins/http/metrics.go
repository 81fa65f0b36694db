package httpd

import (
	"net/http"
	"slices"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/sandboxd/sandboxd/host"
	"github.com/sandboxd/sandboxd/plugins/service"
)

// Sources are what metrics are read from when somebody asks for them.
type Sources struct {
	// Load says how busy the engine is. Required.
	Load func() host.Load
	// Sessions counts the sessions that are stored, of all owners. Nil leaves them out.
	Sessions func() (int, error)
	// Profiles and Runtimes are the values that labels may have. Required.
	Profiles, Runtimes func() []string
}

// Metrics count what the daemon does. They are a [service.Observer]; nothing that a
// guest or a caller chooses becomes a label's value. Make them with [NewMetrics]. Safe
// for concurrent use.
type Metrics struct {
	sources Sources
	handler http.Handler

	executions      *prometheus.CounterVec
	seconds, fuel   *prometheus.HistogramVec
	failures        *prometheus.CounterVec
	refused         *prometheus.CounterVec
	outputBytes     prometheus.Counter
	fileBytes       *prometheus.CounterVec
	active          prometheus.Gauge
	reloads         *prometheus.CounterVec
	unauthenticated prometheus.Counter
}

var _ service.Observer = (*Metrics)(nil)

// NewMetrics returns metrics that begin at zero.
func NewMetrics(sources Sources) *Metrics {
	registry := prometheus.NewRegistry()
	m := &Metrics{
		sources: sources,
		executions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "sandboxd_executions_total", Help: "Programs that were run, by how they ended.",
		}, []string{"status", "runtime", "profile"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "sandboxd_execution_seconds", Help: "How long programs ran.",
			Buckets: []float64{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60},
		}, []string{"runtime"}),
		fuel: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "sandboxd_execution_fuel", Help: "How many instructions programs executed.",
			Buckets: prometheus.ExponentialBuckets(100_000, 4, 10),
		}, []string{"runtime"}),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "sandboxd_execution_errors_total", Help: "Executions that have no result, by kind of error.",
		}, []string{"kind"}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "sandboxd_executions_refused_total", Help: "Executions that were not let in, by kind of error.",
		}, []string{"kind"}),
		outputBytes: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "sandboxd_output_bytes_total", Help: "What programs wrote to their outputs, up to their caps.",
		}),
		fileBytes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "sandboxd_file_bytes_total", Help: "What of sessions' files went over plain HTTP.",
		}, []string{"direction"}),
		active: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "sandboxd_executions_active", Help: "Executions that were let in and have not ended.",
		}),
		reloads: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "sandboxd_reloads_total", Help: "Times that the policy was read again, by what came of it.",
		}, []string{"outcome"}),
		unauthenticated: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "sandboxd_unauthenticated_total", Help: "Requests without a valid token.",
		}),
	}
	registry.MustRegister(m.executions, m.seconds, m.fuel, m.failures, m.refused, m.outputBytes, m.fileBytes, m.active, m.reloads,
		m.unauthenticated, gauges{sources}, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.handler = promhttp.HandlerFor(registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4})
	return m
}

// Started implements [service.Observer].
func (m *Metrics) Started(service.Caller) { m.active.Inc() }

// Finished implements [service.Observer].
func (m *Metrics) Finished(_ service.Caller, r *host.Result) {
	m.active.Dec()
	runtime := known(r.Runtime, m.sources.Runtimes())
	m.executions.WithLabelValues(string(r.Status), runtime, known(r.Profile, m.sources.Profiles())).Inc()
	m.seconds.WithLabelValues(runtime).Observe(r.DurationSeconds)
	m.fuel.WithLabelValues(runtime).Observe(float64(r.FuelConsumed))
	m.outputBytes.Add(float64(len(r.Stdout) + len(r.Stderr)))
}

// Failed implements [service.Observer].
func (m *Metrics) Failed(_ service.Caller, err error, started bool) {
	_, kind := statusOf(service.KindOf(err))
	if !started {
		m.refused.WithLabelValues(kind).Inc()
		return
	}
	m.active.Dec()
	m.failures.WithLabelValues(kind).Inc()
}

// Reloaded counts that the policy was read again.
func (m *Metrics) Reloaded(err error) {
	outcome := "ok"
	if err != nil {
		outcome = "refused"
	}
	m.reloads.WithLabelValues(outcome).Inc()
}

// known is a name if it is one of a list, so that labels stay few.
func known(name string, list []string) string {
	if slices.Contains(list, name) {
		return name
	}
	return "other"
}

// gauges are read when they are asked for.
type gauges struct{ sources Sources }

var (
	runningDesc   = prometheus.NewDesc("sandboxd_running", "Programs that run.", nil, nil)
	slotsDesc     = prometheus.NewDesc("sandboxd_slots", "Programs that may run at once.", nil, nil)
	queuedDesc    = prometheus.NewDesc("sandboxd_queued", "Programs that wait for a slot.", nil, nil)
	queueDesc     = prometheus.NewDesc("sandboxd_queue_limit", "Programs that may wait for a slot.", nil, nil)
	instancesDesc = prometheus.NewDesc("sandboxd_instances", "Copies of runtimes that have memory.", nil, nil)
	standbyDesc   = prometheus.NewDesc("sandboxd_standby", "Those of them that were made ahead.", nil, nil)
	sessionsDesc  = prometheus.NewDesc("sandboxd_sessions", "Sessions that are stored.", nil, nil)
)

// Describe implements [prometheus.Collector].
func (gauges) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{runningDesc, slotsDesc, queuedDesc, queueDesc, instancesDesc, standbyDesc, sessionsDesc} {
		to <- d
	}
}

// Collect implements [prometheus.Collector].
func (g gauges) Collect(to chan<- prometheus.Metric) {
	l := g.sources.Load()
	for d, n := range map[*prometheus.Desc]int{
		runningDesc: l.Running, slotsDesc: l.Slots, queuedDesc: l.Waiting, queueDesc: l.Queue,
		instancesDesc: l.Instances, standbyDesc: l.Standby,
	} {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(n))
	}
	if g.sources.Sessions == nil {
		return
	}
	n, err := g.sources.Sessions()
	if err != nil {
		to <- prometheus.NewInvalidMetric(sessionsDesc, err)
		return
	}
	to <- prometheus.MustNewConstMetric(sessionsDesc, prometheus.GaugeValue, float64(n))
}
