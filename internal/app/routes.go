package app

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/wigwag/wigwag/internal/apidoc"
	"github.com/wigwag/wigwag/internal/gen"
	"github.com/wigwag/wigwag/internal/httpapi"
	"github.com/wigwag/wigwag/internal/hub"
	"github.com/wigwag/wigwag/internal/store"
	"github.com/wigwag/wigwag/internal/stream"
	"github.com/wigwag/wigwag/internal/web"
)

// routes is everything on the main address.
func (s *Server) routes() http.Handler {
	mux := &web.Mux{}
	mux.Handle("GET /sdk/v1/snapshot", web.Handler(s.stream.Snapshot))
	mux.Handle("GET /sdk/v1/stream", web.Handler(s.stream.Stream))
	mux.Handle("OPTIONS /sdk/v1/", web.Handler(stream.Preflight))
	mux.Handle("GET /api/v1/openapi.yaml", web.Deadline(apidoc.Document(gen.Contract)))
	mux.Handle("GET /api/v1/docs", web.Deadline(apidoc.Page(gen.Contract)))
	mux.Handle("/api/v1/", web.Deadline(httpapi.New(s.control, s.keys.Manager)))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { writeText(w, http.StatusOK, "ok") })
	mux.HandleFunc("GET /readyz", s.readyz)
	mux.Handle("GET /status", web.Deadline(http.HandlerFunc(s.status)))
	return web.Observe(s.config.Log, mux)
}

// readyz is honest: a server that has not loaded, is behind its database, or is
// stopping, is not ready.
func (s *Server) readyz(w http.ResponseWriter, _ *http.Request) {
	feed := s.feed.Status()
	switch {
	case s.stopping.Load():
		writeText(w, http.StatusServiceUnavailable, "stopping")
	case !feed.Ready:
		writeText(w, http.StatusServiceUnavailable, "loading flag sets")
	case feed.Err != nil || len(feed.Behind) > 0:
		writeText(w, http.StatusServiceUnavailable, "behind the database; the log says why")
	default:
		writeText(w, http.StatusOK, "ready")
	}
}

func writeText(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text + "\n")) // a caller who has gone away is no fault of ours
}

// Status is what GET /status answers. It holds no secrets.
type Status struct {
	Version  string          `json:"version"`
	Uptime   string          `json:"uptime"`
	Ready    bool            `json:"ready"`
	Stopping bool            `json:"stopping"`
	Streams  int             `json:"streams"`
	FlagSets []FlagSetStatus `json:"flagSets"`
}

// FlagSetStatus is where a flag set stands on this server.
type FlagSetStatus struct {
	Project     string `json:"project"`
	Environment string `json:"environment"`
	// Position is what this server serves, empty before it was loaded.
	Position string `json:"position"`
	// Stored is the position in the database.
	Stored string `json:"stored"`
}

func (s *Server) status(w http.ResponseWriter, r *http.Request) {
	sets, err := s.store.Sets(r.Context())
	if err != nil {
		web.WriteProblem(w, r, err)
		return
	}
	status := Status{
		Version:  s.config.Version,
		Uptime:   time.Since(s.started).Round(time.Second).String(),
		Ready:    s.feed.Status().Ready,
		Stopping: s.stopping.Load(),
		Streams:  s.stream.Open(),
		FlagSets: []FlagSetStatus{},
	}
	for _, set := range sets {
		if !set.ID.IsCatalogue() {
			status.FlagSets = append(status.FlagSets, s.flagSetStatus(set))
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	_ = encoder.Encode(status) // a caller who has gone away is no fault of ours
}

func (s *Server) flagSetStatus(set store.Set) FlagSetStatus {
	return FlagSetStatus{
		Project:     set.ID.Project,
		Environment: set.ID.Environment,
		Position:    s.hub.Position(hub.Set{Project: set.ID.Project, Environment: set.ID.Environment}).String(),
		Stored:      set.Position.String(),
	}
}
