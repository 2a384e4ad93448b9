package web

import (
	"net/http"

	"github.com/wigwag/wigwag/internal/fault"
)

// Mux is an [http.ServeMux] that refuses with problem documents: 404 for a path
// that it does not have, 405 with Allow for a method that the path does not
// have. It notes the route for the request's log event. The zero value is ready;
// patterns are added before it serves.
type Mux struct{ routes http.ServeMux }

// Handle adds a pattern, in the syntax of [http.ServeMux].
func (m *Mux) Handle(pattern string, handler http.Handler) { m.routes.Handle(pattern, handler) }

// HandleFunc adds a pattern, in the syntax of [http.ServeMux].
func (m *Mux) HandleFunc(pattern string, handler func(http.ResponseWriter, *http.Request)) {
	m.routes.HandleFunc(pattern, handler)
}

func (m *Mux) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	handler, pattern := m.routes.Handler(r)
	if pattern == "" {
		WriteProblem(w, r, refusal(handler, w, r))
		return
	}
	if e := eventOf(r); e != nil {
		e.route = pattern
	}
	m.routes.ServeHTTP(w, r)
}

// refusal asks the handler by which a ServeMux refuses what it would say, which
// is the only way to learn the methods that a path has.
func refusal(handler http.Handler, w http.ResponseWriter, r *http.Request) error {
	said := answer{header: http.Header{}}
	handler.ServeHTTP(&said, r)
	if said.status != http.StatusMethodNotAllowed {
		return fault.New(fault.NotFound, "There is nothing at this path; see the API's description for those that exist.")
	}
	allow := said.header.Get("Allow")
	w.Header().Set("Allow", allow)
	return fault.New(fault.BadMethod, "This path does not take %.20s; it takes %s.", r.Method, allow)
}

// answer is a response writer that keeps all but the body.
type answer struct {
	header http.Header
	status int
}

func (a *answer) Header() http.Header         { return a.header }
func (a *answer) WriteHeader(status int)      { a.status = status }
func (a *answer) Write(p []byte) (int, error) { return len(p), nil }
