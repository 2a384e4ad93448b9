// Package app builds a server from its parts, runs them together, and stops them
// in reverse. It alone may import anything.
package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"golang.org/x/sync/errgroup"

	"github.com/wigwag/wigwag/internal/auth"
	"github.com/wigwag/wigwag/internal/control"
	"github.com/wigwag/wigwag/internal/feed"
	"github.com/wigwag/wigwag/internal/hub"
	"github.com/wigwag/wigwag/internal/store"
	"github.com/wigwag/wigwag/internal/stream"
)

// Server is a server whose database is open and whose addresses are taken. Run it
// once, or close it.
type Server struct {
	config  Config
	store   store.Store
	control *control.Control
	keys    *auth.Keyring
	hub     *hub.Hub
	feed    *feed.Feed
	stream  *stream.Server
	metrics *prometheus.Registry

	main, ops net.Listener // ops is nil where it is off
	started   time.Time
	stopping  atomic.Bool
}

// Open opens the database, migrates it, gives an empty one its first project,
// and takes the addresses.
func Open(ctx context.Context, config Config) (*Server, error) {
	config = config.withDefaults()
	st, err := openStore(ctx, config.Database)
	if err != nil {
		return nil, err
	}
	s := &Server{
		config:  config,
		store:   st,
		control: control.New(st),
		keys:    auth.NewKeyring(st),
		hub:     hub.New(),
		metrics: prometheus.NewRegistry(),
		started: time.Now(),
	}
	s.feed = feed.New(st, s.hub, config.Log, config.CompareInterval)
	s.metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	s.stream = stream.NewServer(s.hub, s.keys, stream.Options{
		Heartbeat: config.Heartbeat, MaxStreams: config.MaxStreams, Spread: config.Drain,
	}, s.metrics)
	if err := s.prepare(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Server) prepare(ctx context.Context) error {
	if err := s.bootstrap(ctx); err != nil {
		return err
	}
	var err error
	if s.main, err = listen(ctx, s.config.Addr); err != nil {
		return err
	}
	if s.config.OpsAddr != "off" {
		s.ops, err = listen(ctx, s.config.OpsAddr)
	}
	return err
}

func listen(ctx context.Context, addr string) (net.Listener, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s: %w", addr, err)
	}
	return l, nil
}

// URL is where the server is reached from the same machine.
func (s *Server) URL() string {
	addr := s.main.Addr().(*net.TCPAddr)
	host := addr.IP.String()
	if addr.IP.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, fmt.Sprint(addr.Port))
}

// OpsAddr is where metrics and profiles are served, empty where nowhere.
func (s *Server) OpsAddr() string {
	if s.ops == nil {
		return ""
	}
	return s.ops.Addr().String()
}

// Control returns the management use cases, for demo data and tests.
func (s *Server) Control() *control.Control { return s.control }

// Close releases what Open took. Run does it too.
func (s *Server) Close() error {
	for _, l := range []net.Listener{s.main, s.ops} {
		if l != nil {
			_ = l.Close() // already closed by the HTTP server, or unused
		}
	}
	return s.store.Close()
}

// Run serves until ctx is done, then drains: readers are told to come back later,
// requests under way are given their time, and the database is closed last.
func (s *Server) Run(ctx context.Context) error {
	defer s.Close()
	log := s.config.Log
	mainServer := &http.Server{
		Handler:           s.routes(),
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
		// No timeout for the whole of a request: streams live for ever. Handlers set
		// deadlines of their own.
	}
	opsServer := &http.Server{Handler: s.opsRoutes(), ReadHeaderTimeout: 10 * time.Second}

	// The feed stops last, after the requests that read what it publishes.
	feedCtx, stopFeed := context.WithCancel(context.WithoutCancel(ctx))
	defer stopFeed()
	group, groupCtx := errgroup.WithContext(ctx)
	group.Go(func() error { return s.feed.Run(feedCtx) })
	group.Go(func() error { return s.keys.Run(feedCtx, log) })
	group.Go(func() error {
		dropHistory(groupCtx, s.store, s.config.HistoryRetention, log)
		return nil
	})
	group.Go(func() error { return serve(mainServer, s.main) })
	if s.ops != nil {
		group.Go(func() error { return serve(opsServer, s.ops) })
	}
	group.Go(func() error {
		<-groupCtx.Done()
		defer stopFeed()
		s.stopping.Store(true)
		log.Info("draining", "streams", s.stream.Open())
		s.stream.Drain()
		stopCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.config.Drain)
		defer cancel()
		for _, server := range []*http.Server{mainServer, opsServer} {
			if err := server.Shutdown(stopCtx); err != nil {
				log.Warn("requests were cut off", "after", s.config.Drain, "error", err)
				_ = server.Close()
			}
		}
		return nil
	})
	log.Info("serving", "url", s.URL(), "ops", s.OpsAddr(), "version", s.config.Version)
	err := group.Wait()
	log.Info("stopped")
	return err
}

func serve(server *http.Server, l net.Listener) error {
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// Ready returns a channel that is closed once every flag set is served.
func (s *Server) Ready() <-chan struct{} { return s.feed.Ready() }

// opsRoutes are for those who run the server; they are served on loopback unless
// configured otherwise.
func (s *Server) opsRoutes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(s.metrics, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	return mux
}
