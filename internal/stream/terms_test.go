package stream_test

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wigwag/wigwag/internal/hub"
	"github.com/wigwag/wigwag/internal/stream"
)

var testSet = hub.Set{Project: "default", Environment: "test"}

// Users would miss: that a stream goes on after what it reads was closed.
func TestReadersAreSentAwayFromWhatIsClosed(t *testing.T) {
	for reason, end := range map[string]func(h *hub.Hub){
		"archived":      func(h *hub.Hub) { h.SetTerms(testSet, hub.Terms{Archived: "environment"}) },
		"streaming-off": func(h *hub.Hub) { h.SetTerms(testSet, hub.Terms{NoStreams: true}) },
		"deleted":       func(h *hub.Hub) { h.Remove(testSet) },
	} {
		t.Run(reason, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, stream.Options{})
				other := r.open(otherKey, nil)
				other.next()
				readers := []*reader{r.open(serverKey, nil), r.open(clientKey, nil)}
				for _, one := range readers {
					one.next()
				}
				begin := time.Now()
				end(r.hub)
				for _, one := range readers {
					var goodbye struct {
						RetryAfterMs int
						Reason       string
					}
					if err := json.Unmarshal([]byte(one.next()), &goodbye); err != nil || goodbye.Reason != reason {
						t.Errorf("%+v, %v", goodbye, err)
					}
					if _, err := one.events.Next(); !errors.Is(err, io.EOF) {
						t.Errorf("after goodbye: %v", err)
					}
				}
				if waited := time.Since(begin); waited != 0 {
					t.Errorf("it took %s", waited)
				}
				r.publish("other", flag(t, "a", "on", true))
				if got := other.next(); got != "delta" {
					t.Errorf("the reader of another environment got %s", got)
				}
			})
		})
	}
}

func TestWhatIsClosedIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, stream.Options{})
		for name, c := range map[string]struct {
			terms            hub.Terms
			snapshot, stream int
			says             string
		}{
			"archived environment": {hub.Terms{Archived: "environment"}, 403, 403, `Environment \"test\" of project \"default\" is archived`},
			"archived project":     {hub.Terms{Archived: "project", NoStreams: true}, 403, 403, `Project \"default\" is archived`},
			"no streams":           {hub.Terms{NoStreams: true}, 200, 409, "poll /sdk/v1/snapshot"},
			"open":                 {hub.Terms{}, 200, 200, ""},
		} {
			r.hub.SetTerms(testSet, c.terms)
			for path, status := range map[string]int{"/sdk/v1/snapshot": c.snapshot, "/sdk/v1/stream": c.stream} {
				response := r.get(path, "X-API-Key", serverKey)
				if response.StatusCode != status {
					t.Errorf("%s: %s answers %s, want %d", name, path, response.Status, status)
				}
				if status != 200 {
					body, _ := io.ReadAll(response.Body)
					if !strings.Contains(string(body), c.says) || response.Header.Get("Content-Type") != "application/problem+json" {
						t.Errorf("%s: %s answers %s", name, path, body)
					}
				}
				if (status == 409) != (response.Header.Get("Retry-After") == "300") {
					t.Errorf("%s: %s has Retry-After %q", name, path, response.Header.Get("Retry-After"))
				}
				_ = response.Body.Close()
			}
		}
	})
}

func TestALongPollEndsWithWhatItWaitsFor(t *testing.T) {
	for name, c := range map[string]struct {
		end    func(h *hub.Hub)
		status int
	}{
		"archived":      {func(h *hub.Hub) { h.SetTerms(testSet, hub.Terms{Archived: "project"}) }, 403},
		"deleted":       {func(h *hub.Hub) { h.Remove(testSet) }, 503},
		"streaming off": {func(h *hub.Hub) { h.SetTerms(testSet, hub.Terms{NoStreams: true}) }, 304},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, stream.Options{})
				begin := time.Now()
				time.AfterFunc(7*time.Second, func() { c.end(r.hub) })
				response := r.get("/sdk/v1/snapshot?wait=30s", "X-API-Key", serverKey, "If-None-Match", `"`+at(1).String()+`"`)
				waited := time.Since(begin)
				if response.StatusCode != c.status || (c.status != 304) != (waited == 7*time.Second) {
					t.Errorf("%s after %s", response.Status, waited)
				}
			})
		})
	}
}
