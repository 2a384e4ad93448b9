package cli

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"syscall"
	"testing"

	"github.com/wigwag/wigwag/internal/gen"
)

// answering is a server that gives one answer to everything.
func answering(t *testing.T, status int, contentType, body string) *Remote {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("Location", "https://flags.example.org/")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(server.Close)
	return &Remote{Target: Target{Address: Address{URL: server.URL}, Token: "tk_given", Project: "default"}}
}

func TestAnswersThatAreNoSuccess(t *testing.T) {
	const problem = "application/problem+json"
	tests := map[string]struct {
		status            int
		contentType, body string
		want              []string
	}{
		"a problem with fields": {
			400, problem,
			`{"detail":"Two fields are wrong.","errors":[{"field":"key","message":"too long"},{"field":"type","message":"unknown"}]}`,
			[]string{"Two fields are wrong.; key: too long; type: unknown"},
		},
		"a field that the detail names": {
			400, problem, `{"detail":"key: too long","errors":[{"field":"key","message":"too long"}]}`,
			[]string{"key: too long"},
		},
		"a failure of the server": {500, problem, `{"detail":"Broken.","requestId":"r-1"}`, []string{"Broken. (request r-1)"}},
		"a page of a proxy":       {502, "text/html", "<html>", []string{"answered 502 Bad Gateway"}},
		"a page of another server": {
			404, "text/html", "<html>", []string{"is no Wigwag server", "--url"},
		},
		"a redirect":                   {307, "text/html", "", []string{"redirects to https://flags.example.org/", "--url"}},
		"a success that is no answer":  {200, "text/html", "<html>", []string{"not what the API promises"}},
		"half an answer":               {200, "application/json", `{"items":[`, []string{"not what the API promises"}},
		"a problem that is none":       {403, problem, `{`, []string{"answered 403 Forbidden"}},
		"a problem that has no detail": {403, problem, `{}`, []string{"answered 403 Forbidden"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			remote := answering(t, test.status, test.contentType, test.body)
			_, err := remote.call(t.Context(), new(gen.FlagList), func(c *gen.Client) (*http.Response, error) {
				return c.ListFlags(t.Context(), "default", "production", &gen.ListFlagsParams{})
			})
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not say %q", err, want)
				}
			}
			if strings.Contains(err.Error(), "tk_given") {
				t.Errorf("%q tells the token", err)
			}
		})
	}
}

func TestUnreachable(t *testing.T) {
	inURL := func(err error) error { return &url.Error{Op: "Get", URL: "http://server/api/v1/x", Err: err} }
	tests := map[string]struct {
		err  error
		want string
	}{
		"refused":     {inURL(syscall.ECONNREFUSED), "cannot reach http://server: connection refused; is the server running? Start one with: wigwag dev"},
		"too late":    {inURL(context.DeadlineExceeded), "http://server gave no answer in time; check --url and the server's log"},
		"interrupted": {inURL(context.Canceled), "http://server: interrupted"},
		"silent":      {errSilent, "http://server: the stream was silent for too long"},
		"other":       {inURL(errors.New("broken")), "cannot reach http://server: broken"},
	}
	for name, test := range tests {
		if got := unreachable("http://server", test.err).Error(); got != test.want {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestTerminalsAreNotSteered(t *testing.T) {
	if got := plain("a\x1b[2Jb\u009bc\nd é"); got != "a\uFFFD[2Jb\uFFFDc\uFFFDd é" {
		t.Errorf("%q", got)
	}
}

func TestCommentHeader(t *testing.T) {
	tests := map[string]string{
		"plain text, 100%": "plain text, 100%",
		"Größe":            "UTF-8''Gr%C3%B6%C3%9Fe",
		" padded":          "UTF-8''%20padded",
		"UTF-8''a":         "UTF-8''UTF-8%27%27a",
		"two\nlines":       "UTF-8''two%0Alines",
	}
	for comment, want := range tests {
		c := Comment{comment}
		if got := *c.header(); got != want {
			t.Errorf("%q: %q, want %q", comment, got, want)
		}
		if decoded, err := url.PathUnescape(strings.TrimPrefix(want, "UTF-8''")); strings.HasPrefix(want, "UTF-8''") && (err != nil || decoded != comment) {
			t.Errorf("%q decodes to %q (%v)", want, decoded, err)
		}
	}
	if (&Comment{}).header() != nil {
		t.Error("no comment is sent as one")
	}
}
