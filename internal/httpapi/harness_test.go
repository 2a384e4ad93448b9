package httpapi_test

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"

	"github.com/wigwag/wigwag/internal/auth"
	"github.com/wigwag/wigwag/internal/control"
	"github.com/wigwag/wigwag/internal/fault"
	"github.com/wigwag/wigwag/internal/gen"
	"github.com/wigwag/wigwag/internal/httpapi"
	"github.com/wigwag/wigwag/internal/store"
	"github.com/wigwag/wigwag/internal/store/memory"
	"github.com/wigwag/wigwag/internal/web"
)

// description is api/openapi.yaml.
var description = sync.OnceValues(func() (*openapi3.T, error) {
	return openapi3.NewLoader().LoadFromFile("../../api/openapi.yaml")
})

// contract finds the operations of the description, which must be valid with all
// of its examples.
var contract = sync.OnceValues(func() (routers.Router, error) {
	document, err := description()
	if err != nil {
		return nil, err
	}
	return legacy.NewRouter(document, openapi3.EnableExamplesValidation())
})

// transport hands requests to the API in memory, and holds request and answer
// against the contract.
type transport struct {
	t       *testing.T
	handler http.Handler
	router  routers.Router
}

// wrongOnPurpose marks a context whose requests need not be of the contract; the
// answers still must.
type wrongOnPurpose struct{}

func (c *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	c.t.Helper()
	var body []byte
	if r.Body != nil {
		body, _ = io.ReadAll(r.Body)
	}
	served := httptest.NewRequest(r.Method, r.URL.RequestURI(), bytes.NewReader(body))
	served.Header = r.Header.Clone()
	served = served.WithContext(r.Context())
	route, parameters, routeErr := c.router.FindRoute(served)
	input := &openapi3filter.RequestValidationInput{
		Request: served, PathParams: parameters, Route: route,
		Options: &openapi3filter.Options{
			AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, IncludeResponseStatus: true, SkipSettingDefaults: true,
		},
	}
	onPurpose := r.Context().Value(wrongOnPurpose{}) != nil
	if !onPurpose {
		if routeErr != nil {
			c.t.Errorf("%s %s: %v", r.Method, r.URL, routeErr)
		} else if err := openapi3filter.ValidateRequest(r.Context(), input); err != nil {
			c.t.Errorf("%s %s: the request is not of the contract: %v", r.Method, r.URL, err)
		}
	}
	repeatable := routeErr == nil && !onPurpose && nameWrite(route, served)
	served.Body = io.NopCloser(bytes.NewReader(body))
	w := httptest.NewRecorder()
	c.handler.ServeHTTP(w, served)
	if repeatable {
		c.repeat(served, body, w)
	}
	if routeErr == nil {
		noteAnswer(route.Operation.OperationID, w.Code)
		err := openapi3filter.ValidateResponse(r.Context(), (&openapi3filter.ResponseValidationInput{
			RequestValidationInput: input, Status: w.Code, Header: w.Header(), Options: input.Options,
		}).SetBodyBytes(w.Body.Bytes()))
		if err != nil {
			c.t.Errorf("%s %s: the answer is not of the contract: %v\n%d %s", r.Method, r.URL, err, w.Code, w.Body)
		}
	}
	return w.Result(), nil
}

// nameWrite gives a write a name of its own, where its operation takes one and the
// test has not given it.
func nameWrite(route *routers.Route, r *http.Request) bool {
	takes := route.Operation.Parameters.GetByInAndName("header", "Idempotency-Key") != nil
	if !takes || r.Header.Get("Idempotency-Key") != "" || r.URL.Query().Get("dryRun") == "true" {
		return false
	}
	r.Header.Set("Idempotency-Key", rand.Text())
	return true
}

// repeat holds every write of every test to this: sent again under its name, it is
// answered alike, and writes nothing.
func (c *transport) repeat(r *http.Request, body []byte, first *httptest.ResponseRecorder) {
	c.t.Helper()
	r.Body = io.NopCloser(bytes.NewReader(body))
	again := httptest.NewRecorder()
	c.handler.ServeHTTP(again, r)
	answered := func(w *httptest.ResponseRecorder) string {
		return fmt.Sprint(w.Code, w.Header().Get("ETag"), w.Header().Get("Location"), requestID.ReplaceAllString(w.Body.String(), ""))
	}
	if answered(first) != answered(again) {
		c.t.Errorf("%s %s is answered\n%s\nand again\n%s", r.Method, r.URL, answered(first), answered(again))
	}
	if first.Code < 300 && again.Header().Get("Idempotency-Replayed") != "true" {
		c.t.Errorf("%s %s was executed twice", r.Method, r.URL)
	}
}

// requestID is what differs in the answers to a repeated request.
var requestID = regexp.MustCompile(`,"requestId":"[^"]*"`)

const token = "tk_test"

// authorise stands for the real thing: one token that may do everything.
func authorise(r *http.Request) (auth.Caller, error) {
	bearer, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	switch key := cmp.Or(bearer, r.Header.Get("X-API-Key")); {
	case key == "":
		return auth.Caller{}, fault.New(fault.Unauthenticated, "Send an API token.")
	case key != token:
		return auth.Caller{}, fault.New(fault.Forbidden, "Managing flags takes an API token (tk_…).")
	}
	return auth.Caller{Actor: "ada", Scope: auth.ScopeAdmin}, nil
}

// service is an API over an empty store, and clients of it.
type service struct {
	t       *testing.T
	http    *http.Client
	client  *gen.ClientWithResponses
	control *control.Control
	store   store.Store
}

const server = "http://wigwag.test" + httpapi.Base

func serve(t *testing.T) *service {
	t.Helper()
	router, err := contract()
	if err != nil {
		t.Fatal(err)
	}
	st := memory.New()
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	c := control.New(st)
	handler := web.Observe(slog.New(slog.DiscardHandler), httpapi.New(c, authorise))
	s := &service{t: t, control: c, store: st, http: &http.Client{Transport: &transport{t, handler, router}}}
	s.client, err = gen.NewClientWithResponses(server, gen.WithHTTPClient(s.http),
		gen.WithRequestEditorFn(func(_ context.Context, r *http.Request) error {
			r.Header.Set("Authorization", "Bearer "+token)
			return nil
		}))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// shop makes project shop with environments production and staging, flags
// payments-v2 and new-checkout, and segment eu-beta, which new-checkout uses.
func shop(t *testing.T) *service {
	t.Helper()
	s := serve(t)
	s.must("POST", "/projects", `{"key":"shop","name":"Web shop"}`)
	s.must("POST", "/projects/shop/environments", `{"key":"production"}`)
	s.must("POST", "/projects/shop/environments", `{"key":"staging","name":"Staging"}`)
	s.must("POST", "/projects/shop/flags", `{"key":"payments-v2","type":"boolean"}`)
	s.must("POST", "/projects/shop/flags", `{"key":"new-checkout","type":"boolean","variants":{"on":true,"off":false}}`)
	s.must("POST", production+"/segments", `{"key":"eu-beta","included":["user-42"]}`)
	s.must("PATCH", production+"/flags/new-checkout", `{
		"state":"ENABLED",
		"prerequisites":[{"flag":"payments-v2","variants":["off"]}],
		"rules":[{"id":"r1","when":{"segment":"eu-beta"},"serve":{"split":{"salt":"s.","weights":[["on",25000],["off",75000]]}}}]
	}`)
	return s
}

const production = "/projects/shop/environments/production"

// must sends a request that succeeds and returns the answer.
func (s *service) must(method, path, body string, header ...string) *http.Response {
	s.t.Helper()
	resp := s.send(context.Background(), method, path, body, header...)
	if resp.StatusCode >= 300 {
		text, _ := io.ReadAll(resp.Body)
		s.t.Fatalf("%s %s: %d %s", method, path, resp.StatusCode, text)
	}
	return resp
}

// send sends a request; header has names and values in turn, which replace those
// that a good request has.
func (s *service) send(ctx context.Context, method, path, body string, header ...string) *http.Response {
	s.t.Helper()
	r, err := http.NewRequestWithContext(ctx, method, server+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Del(header[i])
		for value := range strings.SplitSeq(header[i+1], "\n") {
			if value != "" {
				r.Header.Add(header[i], value)
			}
		}
	}
	resp, err := s.http.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp
}
