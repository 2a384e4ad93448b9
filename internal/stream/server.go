// Package stream serves flag sets to SDKs over HTTP: the snapshot, on request or
// as a long poll, and the stream of server-sent events. Both are framings of what
// the hub holds; the protocol is api/stream.md.
package stream

import (
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/wigwag/wigwag/internal/auth"
	"github.com/wigwag/wigwag/internal/fault"
	"github.com/wigwag/wigwag/internal/hub"
)

// Options are the settings of a [Server]; a zero field means its default.
type Options struct {
	// Heartbeat is how long a stream may be silent; 20 s.
	Heartbeat time.Duration
	// WriteTimeout is how long a reader may take to accept a write before it is
	// dropped; 20 s.
	WriteTimeout time.Duration
	// MaxStreams bounds the open streams and long polls; 15,000. Beyond it,
	// requests are answered 503.
	MaxStreams int
	// Spread is the time over which readers are asked to come back when the
	// server drains; 5 s.
	Spread time.Duration
}

func (o Options) withDefaults() Options {
	if o.Heartbeat <= 0 {
		o.Heartbeat = 20 * time.Second
	}
	if o.WriteTimeout <= 0 {
		o.WriteTimeout = 20 * time.Second
	}
	if o.MaxStreams <= 0 {
		o.MaxStreams = 15_000
	}
	if o.Spread <= 0 {
		o.Spread = 5 * time.Second
	}
	return o
}

// Server answers the synchronisation paths. It is safe for concurrent use.
type Server struct {
	hub     *hub.Hub
	keys    *auth.Keyring
	options Options

	open      atomic.Int64 // streams and long polls
	drainOnce sync.Once
	draining  chan struct{} // closed when readers are to be sent away

	documents *prometheus.CounterVec
	refused   prometheus.Counter
	dropped   prometheus.Counter
}

// NewServer returns a server of what the hub holds, and registers its metrics.
func NewServer(h *hub.Hub, keys *auth.Keyring, options Options, metrics prometheus.Registerer) *Server {
	s := &Server{
		hub: h, keys: keys, options: options.withDefaults(),
		draining: make(chan struct{}),
		documents: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "wigwag_documents_sent_total", Help: "Snapshots and deltas sent to SDKs.",
		}, []string{"transport", "event"}),
		refused: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "wigwag_streams_refused_total", Help: "Streams and long polls refused because too many were open.",
		}),
		dropped: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "wigwag_streams_dropped_total", Help: "Streams closed because the reader did not accept a write in time.",
		}),
	}
	metrics.MustRegister(s.documents, s.refused, s.dropped, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "wigwag_streams", Help: "Open streams and long polls.",
	}, func() float64 { return float64(s.open.Load()) }))
	return s
}

// Open returns how many streams and long polls are open.
func (s *Server) Open() int { return int(s.open.Load()) }

// Drain asks every reader, those to come included, to come back later, each after
// a delay of its own, and returns at once.
func (s *Server) Drain() { s.drainOnce.Do(func() { close(s.draining) }) }

// admit counts a reader in; the caller must call the function it returns.
func (s *Server) admit() (leave func(), err error) {
	if s.open.Add(1) > int64(s.options.MaxStreams) {
		s.open.Add(-1)
		s.refused.Inc()
		return nil, fault.New(fault.Unavailable, "This server holds as many streams as it may; try again shortly.")
	}
	return func() { s.open.Add(-1) }, nil
}

// read authenticates a request and finds its flag set.
func (s *Server) read(w http.ResponseWriter, r *http.Request) (auth.Reader, hub.Set, error) {
	AllowOrigins(w.Header())
	reader, err := s.keys.Reader(r)
	if err != nil {
		return reader, hub.Set{}, err
	}
	return reader, hub.Set{Project: reader.Set.Project, Environment: reader.Set.Environment}, nil
}

var errNotServed = fault.New(fault.Unavailable, "This flag set is not loaded here yet; try again shortly.")

// AllowOrigins lets pages of any origin read an answer. Nothing is given away by
// it: a request is answered by its key, never by a cookie.
func AllowOrigins(h http.Header) {
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Expose-Headers", "ETag, Retry-After, Wigwag-Document")
}

// Preflight answers the OPTIONS request of a browser.
func Preflight(w http.ResponseWriter, _ *http.Request) error {
	AllowOrigins(w.Header())
	w.Header().Set("Access-Control-Allow-Methods", "GET")
	w.Header().Set("Access-Control-Allow-Headers",
		"Authorization, X-API-Key, If-None-Match, Last-Event-ID, Wigwag-SDK, Wigwag-Instance, Wigwag-App")
	w.Header().Set("Access-Control-Max-Age", "86400")
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// accepted returns the best content coding that a request accepts.
func accepted(header string) hub.Encoding {
	best := hub.Identity
	for part := range strings.SplitSeq(header, ",") {
		name, parameters, _ := strings.Cut(part, ";")
		if q, ok := strings.CutPrefix(strings.ReplaceAll(parameters, " ", ""), "q="); ok && strings.Trim(q, "0.") == "" {
			continue
		}
		name = strings.TrimSpace(name)
		for e := hub.Zstd; e < best; e++ {
			if strings.EqualFold(name, e.String()) || name == "*" && e == hub.Gzip {
				best = e
			}
		}
	}
	return best
}
