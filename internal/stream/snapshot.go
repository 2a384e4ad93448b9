package stream

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/wigwag/wigwag/internal/auth"
	"github.com/wigwag/wigwag/internal/fault"
	"github.com/wigwag/wigwag/internal/hub"
	"github.com/wigwag/wigwag/snapshot"
)

// maxWait is how long a long poll may be held.
const maxWait = 60 * time.Second

// Snapshot answers GET /sdk/v1/snapshot.
func (s *Server) Snapshot(w http.ResponseWriter, r *http.Request) error {
	reader, set, err := s.read(w, r)
	if err != nil {
		return err
	}
	ask, err := parseAsk(r)
	if err != nil {
		return err
	}
	if err := refuse(set, s.hub.Terms(set)); err != nil {
		return err
	}
	h := w.Header()
	h.Set("Vary", "Accept-Encoding, Authorization, X-API-Key")
	h.Set("Cache-Control", "private, no-cache")
	if r.URL.Query().Has("key") {
		h.Set("Cache-Control", "public, no-cache")
	}
	document, known := s.hub.Since(set, reader.Projection, ask.position)
	if !known {
		return errNotServed
	}
	if document == nil && ask.wait > 0 {
		if document, err = s.wait(r, set, &reader, ask); err != nil {
			return err
		}
	}
	if document == nil {
		h.Set("ETag", `"`+ask.position.String()+`"`)
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	if !ask.delta && document.Event == hub.EventDelta {
		document = s.hub.Current(set, reader.Projection)
	}
	s.documents.WithLabelValues("http", string(document.Event)).Inc()
	body, encoding := document.Encoded(accepted(r.Header.Get("Accept-Encoding")))
	h.Set("ETag", `"`+document.Position.String()+`"`)
	h.Set("Wigwag-Document", string(document.Event))
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if encoding != hub.Identity {
		h.Set("Content-Encoding", encoding.String())
	}
	if r.Method == http.MethodHead {
		return nil
	}
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(s.options.WriteTimeout + time.Duration(len(body))*time.Microsecond*100))
	_, _ = w.Write(body) // a reader that has gone away is no fault of ours
	return nil
}

// ask is what a request says of what the reader has.
type ask struct {
	position snapshot.Position
	delta    bool // the reader can apply a delta to it
	wait     time.Duration
}

func parseAsk(r *http.Request) (ask, error) {
	query := r.URL.Query()
	var a ask
	var err error
	if since := query.Get("since"); since != "" {
		if a.position, err = snapshot.ParsePosition(since); err != nil {
			return a, fault.InvalidField("since", "%s.", err)
		}
		a.delta = true
	} else {
		a.position = newestOf(r.Header.Values("If-None-Match"))
	}
	if wait := query.Get("wait"); wait != "" {
		if a.wait, err = time.ParseDuration(wait); err != nil || a.wait < 0 {
			return a, fault.InvalidField("wait", "%.40q is not a duration such as 30s.", wait)
		}
		a.wait = min(a.wait, maxWait)
	}
	return a, nil
}

// newestOf returns the newest position among entity tags. Tags that are none of
// ours match nothing.
func newestOf(headers []string) snapshot.Position {
	var newest snapshot.Position
	for _, header := range headers {
		for tag := range strings.SplitSeq(header, ",") {
			tag = strings.TrimPrefix(strings.TrimSpace(tag), "W/")
			position, err := snapshot.ParsePosition(strings.Trim(tag, `"`))
			if err == nil && newest.Before(position) {
				newest = position
			}
		}
	}
	return newest
}

// wait holds a request back until something changes or its time is up. Where the
// reader's key ends meanwhile it is refused.
func (s *Server) wait(r *http.Request, set hub.Set, reader *auth.Reader, a ask) (*hub.Document, error) {
	leave, err := s.admit()
	if err != nil {
		return nil, err
	}
	defer leave()
	joined := s.hub.Join(set, reader.Projection)
	if joined == nil {
		return nil, errNotServed
	}
	defer joined.Leave()
	hold := s.keys.Hold(reader)
	defer hold.Release()
	timer := time.NewTimer(a.wait)
	defer timer.Stop()
	for {
		select {
		case <-hold.Ended():
			return nil, hold.Err()
		default:
		}
		if err := refuse(set, joined.Terms()); err != nil {
			return nil, err
		}
		if document := joined.Since(a.position); document != nil {
			return document, nil
		}
		select {
		case <-joined.Wake():
		case <-hold.Ended():
		case <-timer.C:
			return nil, nil
		case <-s.draining:
			return nil, nil
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
}
