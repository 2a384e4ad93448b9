package web

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/wigwag/wigwag/internal/fault"
)

// RequestIDHeader carries a request's id, in both directions.
const RequestIDHeader = "X-Request-Id"

// event is what is known of a request when it ends. It belongs to the goroutine
// that serves the request.
type event struct {
	requestID string
	route     string
	keyID     string
	err       *fault.Error
	response  *response
}

type eventKey struct{}

func eventOf(r *http.Request) *event {
	e, _ := r.Context().Value(eventKey{}).(*event)
	return e
}

// SetKey notes in the request's log event which credential it came with: its
// public id, never its secret.
func SetKey(r *http.Request, id string) {
	if e := eventOf(r); e != nil {
		e.keyID = id
	}
}

// RequestID returns the request's id, empty outside of [Observe].
func RequestID(r *http.Request) string {
	if e := eventOf(r); e != nil {
		return e.requestID
	}
	return ""
}

// Observe is the outermost handler of a server. It gives each request an id,
// contains panics, and logs one event per request when it ends: method, route,
// status, bytes of the body, duration, request id, key id, and for a failure its
// kind and cause. It never logs a path, a query, a header or a body.
//
// A request's own id is kept where it is 1 to 64 letters, digits, dots,
// underscores and hyphens. A panic is answered with 500, or by cutting the
// connection where the answer has begun; [http.ErrAbortHandler] passes.
func Observe(log *slog.Logger, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begin := time.Now()
		e := &event{requestID: requestID(r), response: &response{ResponseWriter: w}}
		header := w.Header()
		header.Set(RequestIDHeader, e.requestID)
		header.Set("X-Content-Type-Options", "nosniff")

		r = r.WithContext(context.WithValue(r.Context(), eventKey{}, e))
		abort, stack := run(next, e, r)
		e.log(log, r, time.Since(begin), abort, stack)
		if abort {
			panic(http.ErrAbortHandler)
		}
	})
}

// run serves the request and reports whether the connection must be cut. After a
// panic there is a stack.
func run(next http.Handler, e *event, r *http.Request) (abort bool, stack []byte) {
	defer func() {
		switch cause := recover(); cause {
		case nil:
		case http.ErrAbortHandler:
			abort = true
		default:
			stack = debug.Stack()
			err := fault.From(fmt.Errorf("panic: %v", cause))
			if e.response.began() {
				e.err, abort = err, true
				return
			}
			WriteProblem(e.response, r, err)
		}
	}()
	next.ServeHTTP(e.response, r)
	return false, nil
}

func (e *event) log(log *slog.Logger, r *http.Request, took time.Duration, aborted bool, stack []byte) {
	status := e.response.status
	if status == 0 && !aborted {
		status = http.StatusOK // net/http sends it for a handler that wrote nothing
	}
	attributes := []slog.Attr{
		slog.String("method", method(r)),
		slog.String("route", e.route),
		slog.Int("status", status),
		slog.Int64("bytes", e.response.bytes),
		slog.Duration("duration", took),
		slog.String("request_id", e.requestID),
	}
	if e.keyID != "" {
		attributes = append(attributes, slog.String("key_id", e.keyID))
	}
	if aborted {
		attributes = append(attributes, slog.Bool("aborted", true))
	}
	level := slog.LevelInfo
	if e.err != nil {
		attributes = append(attributes, slog.String("error_kind", string(e.err.Kind)))
		if e.err.Cause != nil {
			attributes = append(attributes, slog.String("cause", e.err.Cause.Error()))
		}
		// A caller who hung up is not a failure of the server.
		if e.err.Kind == fault.Internal || e.err.Kind == fault.Unavailable && r.Context().Err() == nil {
			level = slog.LevelError
		}
	}
	if stack != nil {
		attributes = append(attributes, slog.String("stack", string(stack)))
	}
	log.LogAttrs(context.WithoutCancel(r.Context()), level, "request", attributes...)
}

// method returns the request's method, which the caller chose, only where it is
// one that there is.
func method(r *http.Request) string {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch,
		http.MethodDelete, http.MethodConnect, http.MethodOptions, http.MethodTrace:
		return r.Method
	default:
		return "OTHER"
	}
}

func requestID(r *http.Request) string {
	const longest = 64
	id := r.Header.Get(RequestIDHeader)
	if id == "" || len(id) > longest {
		return rand.Text()
	}
	for _, c := range []byte(id) {
		letter := 'a' <= c|0x20 && c|0x20 <= 'z'
		if !letter && (c < '0' || '9' < c) && c != '.' && c != '_' && c != '-' {
			return rand.Text()
		}
	}
	return id
}
