package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"

	"github.com/wigwag/wigwag/internal/gen"
)

// usageError is a mistake in how the program was called or configured.
type usageError struct{ message string }

func (e *usageError) Error() string { return e.message }

func misused(format string, args ...any) error {
	return &usageError{fmt.Sprintf(format, args...)}
}

// errSilent is why a stream is given up.
var errSilent = errors.New("the stream was silent for too long")

// unreachable says why a server at a URL gave no answer, and what to do.
func unreachable(server string, err error) error {
	var (
		inURL   *url.Error
		timeout net.Error
		lookup  *net.DNSError
	)
	if errors.As(err, &inURL) {
		err = inURL.Err // the URL is said once, without its path
	}
	switch {
	case errors.Is(err, errSilent):
		return fmt.Errorf("%s: %w", server, errSilent)
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("%s: interrupted", server)
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("cannot reach %s: connection refused; is the server running? Start one with: wigwag dev", server)
	case errors.As(err, &lookup):
		return fmt.Errorf("cannot reach %s: %s is no known host; check --url", server, lookup.Name)
	case errors.As(err, &timeout) && timeout.Timeout():
		return fmt.Errorf("%s gave no answer in time; check --url and the server's log", server)
	default:
		return fmt.Errorf("cannot reach %s: %w", server, err)
	}
}

// answerError is an answer that was not the one asked for.
type answerError struct {
	status  int
	message string
	fields  []gen.FieldError
}

func (e *answerError) Error() string { return e.message }

// refused reads the error out of an answer whose status is no success.
func refused(server string, response *http.Response, body []byte) error {
	e := &answerError{status: response.StatusCode}
	var problem gen.Problem
	switch mediaType, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type")); {
	case mediaType == "application/problem+json" && json.Unmarshal(body, &problem) == nil && problem.Detail != "":
		e.message = problemLine(&problem)
		e.fields = problem.Errors
		if e.status == http.StatusUnauthorized || e.status == http.StatusForbidden {
			e.message += " (" + server + ")"
		}
		if e.status >= http.StatusInternalServerError && problem.RequestID != "" {
			e.message += " (request " + problem.RequestID + ")"
		}
	case e.status >= 300 && e.status < 400:
		e.message = fmt.Sprintf("%s redirects to %s; give that server as --url", server, response.Header.Get("Location"))
	case e.status == http.StatusNotFound:
		e.message = fmt.Sprintf("%s is no Wigwag server, or not the whole address of one; check --url", server)
	default:
		e.message = fmt.Sprintf("%s answered %s", server, response.Status)
	}
	return e
}

// problemLine is a problem document in one line: its detail, and what is wrong
// with each field unless the detail says it.
func problemLine(p *gen.Problem) string {
	parts := []string{p.Detail}
	for _, field := range p.Errors {
		if !strings.Contains(p.Detail, field.Message) {
			parts = append(parts, field.Path+": "+field.Message)
		}
	}
	return strings.Join(parts, "; ")
}
