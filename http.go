package wigwag

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Version is the version of this SDK, as servers see it.
const Version = "0.1.0"

const (
	snapshotPath = "sdk/v1/snapshot"
	streamPath   = "sdk/v1/stream"

	typeJSON  = "application/json"
	typeSSE   = "text/event-stream"
	typeError = "application/problem+json"

	// maxErrorBody is how much of an error's body is read.
	maxErrorBody = 4 << 10
	maxRedirects = 10
)

// responseError is an answer that is not what was asked for.
type responseError struct {
	status     int
	detail     string        // what the server says of it
	retryAfter time.Duration // 0 where the server asks for none
}

func (e *responseError) Error() string {
	text := fmt.Sprintf("the server answered %d %s", e.status, http.StatusText(e.status))
	if e.detail != "" {
		text += ": " + e.detail
	}
	return text
}

// Is makes 401 and 403 an [ErrKeyRefused].
func (e *responseError) Is(target error) bool {
	return target == ErrKeyRefused && (e.status == http.StatusUnauthorized || e.status == http.StatusForbidden)
}

// newRequest returns a request with the headers that every request has.
func (c *Client) newRequest(ctx context.Context, path, accept string) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.settings.base.JoinPath(path).String(), http.NoBody)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+*c.settings.key.secret)
	req.Header.Set("Accept", accept)
	req.Header.Set("User-Agent", "wigwag-go/"+Version)
	req.Header.Set("Wigwag-SDK", "go/"+Version)
	req.Header.Set("Wigwag-Instance", c.instance)
	if c.settings.appHeader != "" {
		req.Header.Set("Wigwag-App", c.settings.appHeader)
	}
	return req, nil
}

// do sends a request and returns an answer of one of the statuses that are fine
// and, for 200, of the content type that was asked for. The caller closes its body.
func (c *Client) do(req *http.Request) (*http.Response, error) {
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode == http.StatusNotModified && req.Header.Get("If-None-Match") != "" {
		return resp, nil
	}
	if resp.StatusCode == http.StatusOK {
		got, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
		if err == nil && got == req.Header.Get("Accept") {
			return resp, nil
		}
		resp.Body.Close()
		return nil, fmt.Errorf("the server answered with content of type %.80q, not %s; is there a proxy or a login page in front of it?", resp.Header.Get("Content-Type"), req.Header.Get("Accept"))
	}
	defer resp.Body.Close()
	return nil, c.responseError(resp)
}

func (c *Client) responseError(resp *http.Response) error {
	e := &responseError{status: resp.StatusCode, retryAfter: retryAfter(resp.Header.Get("Retry-After"), time.Now())}
	if got, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")); got != typeError && got != typeJSON {
		return e
	}
	var problem struct{ Title, Detail string }
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody))
	if err != nil || json.Unmarshal(body, &problem) != nil {
		return e
	}
	if e.detail = problem.Detail; e.detail == "" {
		e.detail = problem.Title
	}
	e.detail = c.settings.key.redact(strings.ToValidUTF8(truncate(e.detail, 300), ""))
	return e
}

func truncate(s string, limit int) string { return s[:min(limit, len(s))] }

// retryAfter reads the header's two forms: seconds, or a date.
func retryAfter(header string, now time.Time) time.Duration {
	var d time.Duration
	if seconds, err := strconv.ParseUint(header, 10, 31); err == nil {
		d = time.Duration(seconds) * time.Second
	} else if date, err := http.ParseTime(header); err == nil {
		d = date.Sub(now)
	}
	return min(max(d, 0), retryAfterMax)
}

// checkRedirect follows redirects as the application's client would, but does
// not carry the key to another host, or from https to http.
func checkRedirect(policy func(*http.Request, []*http.Request) error) func(*http.Request, []*http.Request) error {
	return func(req *http.Request, via []*http.Request) error {
		first := via[0].URL
		if req.URL.Host != first.Host || (first.Scheme == "https" && req.URL.Scheme != "https") {
			req.Header.Del("Authorization")
		}
		if policy != nil {
			return policy(req, via)
		}
		if len(via) >= maxRedirects {
			return errors.New("stopped after 10 redirects")
		}
		return nil
	}
}

// newInstance returns a random id of this client, by which a server tells the
// processes of an application apart.
func newInstance() string {
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails, by its documentation
	return hex.EncodeToString(id[:])
}
