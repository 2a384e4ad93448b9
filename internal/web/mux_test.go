package web_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/wigwag/wigwag/internal/web"
)

func TestMuxRefusals(t *testing.T) {
	ok := func(http.ResponseWriter, *http.Request) {}
	var inner, outer web.Mux
	inner.HandleFunc("GET /api/things", ok)
	inner.HandleFunc("POST /api/things", ok)
	inner.HandleFunc("GET /api/things/{thing}", ok)
	outer.Handle("/api/", &inner)
	for _, test := range []struct {
		method, path string
		status       int
		kind, allow  string
		route        string
	}{
		{"GET", "/api/things", 200, "", "", "GET /api/things"},
		{"HEAD", "/api/things/a%2Fb", 200, "", "", "GET /api/things/{thing}"},
		{"DELETE", "/api/things", 405, "method-not-allowed", "GET, HEAD, POST", "/api/"},
		{"BREW", "/api/things/a", 405, "method-not-allowed", "GET, HEAD", "/api/"},
		{"GET", "/api/nothing", 404, "not-found", "", "/api/"},
		{"GET", "/api/things/", 404, "not-found", "", "/api/"},
		{"GET", "/elsewhere", 404, "not-found", "", ""},
	} {
		t.Run(test.method+" "+test.path, func(t *testing.T) {
			w, line := observe(t, &outer, httptest.NewRequest(test.method, test.path, nil))
			if w.Code != test.status || w.Header().Get("Allow") != test.allow || line["route"] != test.route {
				t.Errorf("status %d, Allow %q, route %q; want %d, %q, %q",
					w.Code, w.Header().Get("Allow"), line["route"], test.status, test.allow, test.route)
			}
			if test.kind != "" {
				if got := problemOf(t, w.Body).Type; got != web.ProblemTypes+test.kind {
					t.Errorf("type is %s", got)
				}
			}
		})
	}
}
