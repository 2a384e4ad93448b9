package web

import "net/http"

// Handler answers a request or returns an error, for which [WriteProblem] then
// answers. A handler that returns an error after it began to answer has its
// connection cut, so that half an answer never looks whole.
type Handler func(w http.ResponseWriter, r *http.Request) error

// ServeHTTP makes the handler an [http.Handler].
func (h Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := h(w, r); err != nil {
		WriteProblem(w, r, err)
	}
}
