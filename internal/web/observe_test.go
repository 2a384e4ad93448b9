package web_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wigwag/wigwag/internal/fault"
	"github.com/wigwag/wigwag/internal/web"
)

// logged is one line of the log.
type logged map[string]any

// observe serves one request and returns the answer and the log event.
func observe(t *testing.T, next http.Handler, r *http.Request) (*httptest.ResponseRecorder, logged) {
	t.Helper()
	var text bytes.Buffer
	w := httptest.NewRecorder()
	web.Observe(slog.New(slog.NewJSONHandler(&text, nil)), next).ServeHTTP(w, r)
	var line logged
	if err := json.Unmarshal(text.Bytes(), &line); err != nil {
		t.Fatalf("the log is not one event: %v\n%s", err, text.String())
	}
	return w, line
}

func problemOf(t *testing.T, body io.Reader) web.Problem {
	t.Helper()
	var problem web.Problem
	if err := json.NewDecoder(body).Decode(&problem); err != nil {
		t.Fatalf("the body is no problem document: %v", err)
	}
	return problem
}

func TestEventOfAnAnswer(t *testing.T) {
	var routes web.Mux
	routes.HandleFunc("POST /things/{thing}", func(w http.ResponseWriter, r *http.Request) {
		web.SetKey(r, "key-7")
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, "hello")
	})
	r := httptest.NewRequest(http.MethodPost, "/things/secret-path?key=ck_secret", strings.NewReader("secret-body"))
	r.Header.Set("Authorization", "Bearer sk_secret")
	r.Header.Set(web.RequestIDHeader, "trace_1.a-B")
	w, line := observe(t, &routes, r)

	if got := w.Header().Get("X-Content-Type-Options"); got != "nosniff" {
		t.Errorf("X-Content-Type-Options is %q", got)
	}
	if got := w.Header().Get(web.RequestIDHeader); got != "trace_1.a-B" {
		t.Errorf("request id is %q", got)
	}
	if line["duration"] == nil || line["time"] == nil {
		t.Errorf("no duration or time in %v", line)
	}
	delete(line, "time")
	delete(line, "duration")
	want := logged{
		"level": "INFO", "msg": "request", "method": "POST", "route": "POST /things/{thing}",
		"status": 201.0, "bytes": 5.0, "request_id": "trace_1.a-B", "key_id": "key-7",
	}
	if diff := cmp.Diff(want, line); diff != "" {
		t.Errorf("event (-want +got):\n%s", diff)
	}
}

func TestRequestIDs(t *testing.T) {
	for _, given := range []string{"", "with space", "a\nb", strings.Repeat("a", 65), `"quoted"`, "é"} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header[web.RequestIDHeader] = []string{given}
		w, line := observe(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), r)
		got := w.Header().Get(web.RequestIDHeader)
		if len(got) < 20 || got == given || line["request_id"] != got {
			t.Errorf("given %q: the answer says %q, the log %q", given, got, line["request_id"])
		}
	}
}

func TestErrors(t *testing.T) {
	cause := errors.New("disk on fire")
	for _, test := range []struct {
		name   string
		err    error
		status int
		kind   fault.Kind
		detail string
		fields []fault.Field
		level  string
		cause  any
	}{
		{
			name: "of the caller", err: fault.InvalidField("rules[0].id", "taken").Because(cause),
			status: 400, kind: fault.Invalid, detail: "rules[0].id: taken",
			fields: []fault.Field{{Path: "rules[0].id", Message: "taken"}}, level: "INFO", cause: "disk on fire",
		},
		{
			name: "wrapped", err: errors.Join(errors.New("more"), fault.New(fault.Stale, "Read it again.")),
			status: 412, kind: fault.Stale, detail: "Read it again.", level: "INFO",
		},
		{
			name: "internal", err: cause, status: 500, kind: fault.Internal,
			detail: "The server failed to answer; its log says why.", level: "ERROR", cause: "disk on fire",
		},
		{
			name: "too slow", err: context.DeadlineExceeded, status: 503, kind: fault.Unavailable,
			detail: "The answer took too long; try again.", level: "ERROR", cause: "context deadline exceeded",
		},
		{
			name: "of no credentials", err: fault.New(fault.Unauthenticated, "Send a token."),
			status: 401, kind: fault.Unauthenticated, detail: "Send a token.", level: "INFO",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			handler := web.Handler(func(w http.ResponseWriter, _ *http.Request) error {
				w.Header().Set("ETag", `"x"`)
				w.Header().Set("Retry-After", "7")
				return test.err
			})
			w, line := observe(t, handler, httptest.NewRequest(http.MethodGet, "/", nil))
			id := w.Header().Get(web.RequestIDHeader)
			want := web.Problem{
				Type: "https://wigwag.dev/problems/" + string(test.kind), Title: http.StatusText(test.status),
				Status: test.status, Detail: test.detail, Errors: test.fields, RequestID: id,
			}
			if diff := cmp.Diff(want, problemOf(t, w.Body)); diff != "" || w.Code != test.status {
				t.Errorf("status %d, problem (-want +got):\n%s", w.Code, diff)
			}
			header := w.Header()
			if header.Get("Content-Type") != web.ProblemType || header.Get("ETag") != "" || header.Get("Retry-After") != "7" {
				t.Errorf("headers are %v", header)
			}
			if asks := header.Get("WWW-Authenticate") != ""; asks != (test.status == 401) {
				t.Errorf("WWW-Authenticate is %q", header.Get("WWW-Authenticate"))
			}
			if line["error_kind"] != string(test.kind) || line["level"] != test.level || line["cause"] != test.cause {
				t.Errorf("event is %v", line)
			}
		})
	}
}

func TestCallerWhoHungUpIsNoFailureOfTheServer(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	handler := web.Handler(func(_ http.ResponseWriter, r *http.Request) error { return r.Context().Err() })
	_, line := observe(t, handler, httptest.NewRequest(http.MethodGet, "/", nil).WithContext(ctx))
	if line["level"] != "INFO" || line["cause"] != "context canceled" {
		t.Errorf("event is %v", line)
	}
}

func TestPanicIsAnsweredAndLogged(t *testing.T) {
	handler := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("lost my way") })
	w, line := observe(t, handler, httptest.NewRequest(http.MethodGet, "/", nil))
	if problem := problemOf(t, w.Body); w.Code != 500 || strings.Contains(problem.Detail, "way") {
		t.Errorf("status %d, %+v", w.Code, problem)
	}
	stack, _ := line["stack"].(string)
	if line["cause"] != "panic: lost my way" || line["level"] != "ERROR" || !strings.Contains(stack, "observe_test.go") {
		t.Errorf("event is %v", line)
	}
}

// A half-sent answer must not look whole to its reader, whatever ended it.
func TestBegunAnswerIsCut(t *testing.T) {
	for name, end := range map[string]func() error{
		"error": func() error { return errors.New("disk on fire") },
		"panic": func() error { panic("lost my way") },
		"abort": func() error { panic(http.ErrAbortHandler) },
	} {
		t.Run(name, func(t *testing.T) {
			lines := make(chan string, 1)
			log := slog.New(slog.NewJSONHandler(lineWriter(lines), nil))
			server := httptest.NewServer(web.Observe(log, web.Handler(func(w http.ResponseWriter, _ *http.Request) error {
				_, _ = io.WriteString(w, "half")
				if err := http.NewResponseController(w).Flush(); err != nil {
					t.Error(err)
				}
				return end()
			})))
			defer server.Close()
			resp, err := server.Client().Get(server.URL)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			body, err := io.ReadAll(resp.Body)
			if string(body) != "half" || err == nil {
				t.Errorf("read %q and %v, want half and an error", body, err)
			}
			if line := <-lines; !strings.Contains(line, `"aborted":true`) || !strings.Contains(line, `"status":200`) {
				t.Errorf("event is %s", line)
			}
		})
	}
}

type lineWriter chan<- string

func (w lineWriter) Write(p []byte) (int, error) {
	w <- string(p)
	return len(p), nil
}

func TestStreamsFlushAndSetDeadlines(t *testing.T) {
	read := make(chan struct{})
	server := httptest.NewServer(web.Observe(slog.New(slog.DiscardHandler), web.Handler(func(w http.ResponseWriter, _ *http.Request) error {
		controller := http.NewResponseController(w)
		if err := controller.SetWriteDeadline(time.Now().Add(time.Minute)); err != nil {
			return err
		}
		if err := controller.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
			return err
		}
		_, _ = io.WriteString(w, "first\n")
		if err := controller.Flush(); err != nil {
			return err
		}
		<-read
		_, _ = io.WriteString(w, "second\n")
		w.(http.Flusher).Flush()
		return nil
	})))
	defer server.Close()
	resp, err := server.Client().Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewReader(resp.Body)
	if first, err := lines.ReadString('\n'); first != "first\n" {
		t.Fatalf("read %q, %v", first, err)
	}
	close(read) // the first line came while the handler was still running
	if second, err := lines.ReadString('\n'); second != "second\n" {
		t.Fatalf("read %q, %v", second, err)
	}
}
