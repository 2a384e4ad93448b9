// Package fault is the project's error policy.
//
// An error that is meant for a caller outside the process is a [*Error]: a kind
// for machines, a message that tells a person what to do, the field that is at
// fault, and a cause for the log alone. Every other error is internal: its text
// is logged and never sent. One table, here, turns kinds into HTTP statuses;
// package web writes the problem document.
package fault

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
)

// Kind classifies an error for machines. It is the last part of a problem's type
// and stable on the wire.
type Kind string

// The kinds of errors.
const (
	Invalid         Kind = "invalid"
	Unauthenticated Kind = "unauthenticated"
	Forbidden       Kind = "forbidden"
	NotFound        Kind = "not-found"
	// Gone is what was there, and was dropped for good.
	Gone Kind = "gone"
	// BadMethod is a path that exists, asked with a method that it does not have.
	BadMethod Kind = "method-not-allowed"
	Conflict  Kind = "conflict"
	// InUse is a conflict with what depends on the thing.
	InUse Kind = "in-use"
	// Stale is a failed If-Match.
	Stale Kind = "stale"
	// KeyReused is an Idempotency-Key that was used for another request.
	KeyReused       Kind = "key-reused"
	TooLarge        Kind = "too-large"
	UnsupportedType Kind = "unsupported-media-type"
	RateLimited     Kind = "rate-limited"
	Unavailable     Kind = "unavailable"
	Internal        Kind = "internal"
)

// statuses is the one table from kinds to HTTP.
var statuses = map[Kind]int{
	Invalid:         http.StatusBadRequest,
	Unauthenticated: http.StatusUnauthorized,
	Forbidden:       http.StatusForbidden,
	NotFound:        http.StatusNotFound,
	Gone:            http.StatusGone,
	BadMethod:       http.StatusMethodNotAllowed,
	Conflict:        http.StatusConflict,
	InUse:           http.StatusConflict,
	Stale:           http.StatusPreconditionFailed,
	KeyReused:       http.StatusUnprocessableEntity,
	TooLarge:        http.StatusRequestEntityTooLarge,
	UnsupportedType: http.StatusUnsupportedMediaType,
	RateLimited:     http.StatusTooManyRequests,
	Unavailable:     http.StatusServiceUnavailable,
	Internal:        http.StatusInternalServerError,
}

// Error is an error for a caller outside the process.
type Error struct {
	Kind    Kind
	Message string
	// Fields are the parts of the request that are at fault.
	Fields []Field
	// Current is what a Stale error tells of the thing that has changed; nil for
	// every other kind.
	Current *Current
	// Cause goes to the log and never to the caller.
	Cause error
}

// Current is the state that a write was not based on.
type Current struct {
	// ChangedAt is the position of its last change.
	ChangedAt string
	// Document is the thing as it was then; nil where it is not known.
	Document json.RawMessage
	// Differs names the fields that differ from those the write was based on; nil
	// where that is not known.
	Differs []string
}

// Field is one part of a request that is at fault.
type Field struct {
	// Path is where, such as rules[2].serve.split.weights.
	Path    string `json:"field"`
	Message string `json:"message"`
}

// New returns an error of a kind with a message for a person.
func New(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Message: fmt.Sprintf(format, args...)}
}

// InvalidField returns an error of kind Invalid that names one field.
func InvalidField(path, format string, args ...any) *Error {
	message := fmt.Sprintf(format, args...)
	return &Error{Kind: Invalid, Message: path + ": " + message, Fields: []Field{{path, message}}}
}

// Because returns the error with a cause for the log.
func (e *Error) Because(cause error) *Error {
	e.Cause = cause
	return e
}

func (e *Error) Error() string { return e.Message }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Status returns the HTTP status of the error's kind.
func (e *Error) Status() int {
	if status, ok := statuses[e.Kind]; ok {
		return status
	}
	return http.StatusInternalServerError
}

// From returns err as an [*Error]; one that is none becomes Internal, with err
// as its cause.
func From(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return New(Internal, "The server failed to answer; its log says why.").Because(err)
}

// Is reports whether err is an [*Error] of that kind.
func Is(err error, kind Kind) bool {
	var e *Error
	return errors.As(err, &e) && e.Kind == kind
}
