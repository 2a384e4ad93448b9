package cli

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wigwag/wigwag/internal/sse"
)

// scripted is a transport whose answers are written down: one function for each
// request, the last one for all that follow.
type scripted struct {
	answers  []func(*http.Request) (*http.Response, error)
	requests []*http.Request
	at       []time.Duration // since the start
	start    time.Time
}

func (s *scripted) RoundTrip(r *http.Request) (*http.Response, error) {
	answer := s.answers[min(len(s.requests), len(s.answers)-1)]
	s.requests = append(s.requests, r)
	s.at = append(s.at, time.Since(s.start))
	return answer(r)
}

// streams answers with a text that ends.
func streams(text string) func(*http.Request) (*http.Response, error) {
	return func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(text))}, nil
	}
}

// hangs answers with a text after which nothing comes.
func hangs(text string) func(*http.Request) (*http.Response, error) {
	return func(r *http.Request) (*http.Response, error) {
		silent, end := io.Pipe()
		context.AfterFunc(r.Context(), func() { _ = end.CloseWithError(r.Context().Err()) })
		body := io.MultiReader(strings.NewReader(text), silent)
		return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(body)}, nil
	}
}

func refuses(status int, header ...string) func(*http.Request) (*http.Response, error) {
	return func(*http.Request) (*http.Response, error) {
		h := http.Header{}
		for i := 0; i+1 < len(header); i += 2 {
			h.Set(header[i], header[i+1])
		}
		return &http.Response{StatusCode: status, Header: h, Body: http.NoBody}, nil
	}
}

func breaks(*http.Request) (*http.Response, error) { return nil, errors.New("broken") }

const (
	first  = "event: snapshot\nid: e:1\ndata: {}\n\n"
	second = "event: delta\nid: e:2\ndata: {}\n\n"
)

// follow runs a follower over answers for some time and returns its error.
func follow(t *testing.T, s *scripted, lasting time.Duration) (handled []string, notices []error, pauses []time.Duration, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), lasting)
	defer cancel()
	s.start = time.Now()
	f := &follower{
		transport: s, server: "http://server", key: "sk_x", version: "test",
		handle: func(e sse.Event) error {
			handled = append(handled, e.ID)
			return nil
		},
		notice: func(err error, pause time.Duration) {
			notices, pauses = append(notices, err), append(pauses, pause)
		},
	}
	err = f.run(ctx)
	return handled, notices, pauses, err
}

func cursors(s *scripted) []string {
	var all []string
	for _, r := range s.requests {
		all = append(all, r.Header.Get("Last-Event-ID"))
	}
	return all
}

func TestFollowerGoesOnFromItsCursor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scripted{answers: []func(*http.Request) (*http.Response, error){
			streams(first), breaks, streams(second), hangs(""),
		}}
		handled, notices, _, err := follow(t, s, 50*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(handled, " "); got != "e:1 e:2" {
			t.Errorf("handled %s", got)
		}
		if got := strings.Join(cursors(s), ","); got != ",e:1,e:1,e:2" {
			t.Errorf("cursors were %s", got)
		}
		if len(notices) != 3 {
			t.Errorf("notices: %v", notices)
		}
	})
}

func TestFollowerObeysTheServersDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scripted{answers: []func(*http.Request) (*http.Response, error){
			streams(first + "event: goodbye\ndata: {\"retryAfterMs\":3500,\"reason\":\"shutdown\"}\n\n"),
			refuses(http.StatusServiceUnavailable, "Retry-After", "40"),
			hangs(""),
		}}
		_, _, pauses, err := follow(t, s, 58*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		if len(pauses) != 2 || pauses[0] != 3500*time.Millisecond {
			t.Fatalf("pauses were %v", pauses)
		}
		if pauses[1] < 40*time.Second || pauses[1] > 51*time.Second {
			t.Errorf("after Retry-After: 40 it waited %v", pauses[1])
		}
	})
}

func TestFollowerGivesASilentStreamUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scripted{answers: []func(*http.Request) (*http.Response, error){hangs(first)}}
		_, notices, _, err := follow(t, s, silence+2*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		if len(notices) != 1 || !errors.Is(notices[0], errSilent) {
			t.Fatalf("notices: %v", notices)
		}
		if len(s.at) != 2 || s.at[1] < silence {
			t.Errorf("it connected after %v", s.at)
		}
	})
}

func TestFollowerBacksOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scripted{answers: []func(*http.Request) (*http.Response, error){streams(first), breaks}}
		_, _, pauses, err := follow(t, s, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		// Full jitter over at most 30 s: about 240 attempts in an hour.
		if len(pauses) < 150 || len(pauses) > 400 {
			t.Errorf("%d attempts in an hour", len(pauses))
		}
		for i, pause := range pauses {
			if limit := min(firstPause<<min(i, 10), longestPause) + time.Millisecond; pause > limit {
				t.Errorf("pause %d was %v", i, pause)
			}
		}
	})
}

func TestFollowerGivesUp(t *testing.T) {
	tests := map[string]struct {
		answers []func(*http.Request) (*http.Response, error)
		asked   int
	}{
		"where it never connected": {[]func(*http.Request) (*http.Response, error){breaks}, 1},
		"where the key is unknown": {[]func(*http.Request) (*http.Response, error){refuses(http.StatusUnauthorized)}, 1},
		"where it was revoked":     {[]func(*http.Request) (*http.Response, error){streams(first), refuses(http.StatusForbidden)}, 2},
		"where it is redirected":   {[]func(*http.Request) (*http.Response, error){refuses(http.StatusFound, "Location", "http://other/")}, 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &scripted{answers: test.answers}
				_, _, _, err := follow(t, s, time.Hour)
				if err == nil || len(s.requests) != test.asked {
					t.Errorf("%d requests, error %v", len(s.requests), err)
				}
			})
		})
	}
}

func TestFollowerDropsACursorThatIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scripted{answers: []func(*http.Request) (*http.Response, error){
			streams(first), refuses(http.StatusBadRequest), streams(first), hangs(""),
		}}
		if _, _, _, err := follow(t, s, 50*time.Second); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(cursors(s), ","); got != ",e:1,,e:1" {
			t.Errorf("cursors were %s", got)
		}
	})
}
