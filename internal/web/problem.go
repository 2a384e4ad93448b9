package web

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/fault"
)

// ProblemType is the media type of a problem document.
const ProblemType = "application/problem+json"

// ProblemTypes is what a problem's type begins with; its kind follows.
const ProblemTypes = "https://wigwag.dev/problems/"

// Problem is a problem document (RFC 9457).
type Problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
	// Errors are the parts of the request that are at fault.
	Errors []fault.Field `json:"errors,omitempty"`
	// Current, ChangedAt and Differs are of a failed If-Match: the document as it
	// is, the position of its last change, and the fields that differ from those
	// that the request was based on.
	Current   json.RawMessage `json:"current,omitempty"`
	ChangedAt string          `json:"changedAt,omitempty"`
	Differs   []string        `json:"differs,omitempty"`
	// RequestID finds the request in the log.
	RequestID string `json:"requestId,omitempty"`
}

// WriteProblem answers a request with the problem document of an error, and
// leaves the error to the request's log event. Of an error that is no
// [*fault.Error] the caller learns nothing but that the server failed. Headers
// that were set before stay (Retry-After, Allow), except those that describe the
// answer that is not given.
//
// Where the answer has begun, it panics with [http.ErrAbortHandler] instead,
// which cuts the connection.
func WriteProblem(w http.ResponseWriter, r *http.Request, err error) {
	e := outward(r, err)
	requestID := ""
	if event := eventOf(r); event != nil {
		event.err = e
		requestID = event.requestID
		if event.response.began() {
			panic(http.ErrAbortHandler)
		}
	}
	status := e.Status()
	problem := Problem{
		Type:      ProblemTypes + string(e.Kind),
		Title:     http.StatusText(status),
		Status:    status,
		Detail:    e.Message,
		Errors:    e.Fields,
		RequestID: requestID,
	}
	if e.Current != nil {
		problem.Current, problem.ChangedAt, problem.Differs = e.Current.Document, e.Current.ChangedAt, e.Current.Differs
	}
	// Strings, and a document that is JSON, always encode.
	body, _ := feature.Encode(problem)
	header := w.Header()
	for _, name := range []string{"Content-Encoding", "Etag", "Last-Modified", "Location"} {
		header.Del(name)
	}
	if status == http.StatusUnauthorized {
		header.Set("WWW-Authenticate", "Bearer")
	}
	if e.Kind == fault.RateLimited || e.Kind == fault.Unavailable {
		// Unless the handler knows better: soon, and clients add a random part.
		if header.Get("Retry-After") == "" {
			header.Set("Retry-After", "2")
		}
	}
	header.Set("Cache-Control", "no-store")
	header.Set("Content-Type", ProblemType)
	header.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	// A caller that is gone cannot be told, and the event has the error.
	_, _ = w.Write(body)
}

// outward returns the error that the caller is told of.
func outward(r *http.Request, err error) *fault.Error {
	var e *fault.Error
	switch {
	case errors.As(err, &e):
		return e
	case errors.Is(err, context.DeadlineExceeded):
		return fault.New(fault.Unavailable, "The answer took too long; try again.").Because(err)
	case errors.Is(err, context.Canceled) && r.Context().Err() != nil:
		return fault.New(fault.Unavailable, "The request was given up; try again.").Because(err)
	default:
		return fault.From(err)
	}
}
