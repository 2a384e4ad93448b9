package stream

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"time"

	"github.com/wigwag/wigwag/internal/fault"
	"github.com/wigwag/wigwag/internal/sse"
	"github.com/wigwag/wigwag/snapshot"
)

// heartbeat is a comment without text.
var heartbeat = sse.AppendComment(nil, "")

// Stream answers GET /sdk/v1/stream. It returns when the reader has gone, its key
// is no longer honoured, or the server drains.
func (s *Server) Stream(w http.ResponseWriter, r *http.Request) error {
	reader, set, err := s.read(w, r)
	if err != nil {
		return err
	}
	position, err := cursorOf(r)
	if err != nil {
		return err
	}
	leave, err := s.admit()
	if err != nil {
		return err
	}
	defer leave()
	// Join first, then compare the position: what is published in between wakes.
	joined := s.hub.Join(set, reader.Projection)
	if joined == nil {
		return errNotServed
	}
	defer joined.Leave()
	hold := s.keys.Hold(&reader)
	defer hold.Release()
	if err := refuseStream(w, set, joined.Terms()); err != nil {
		return err
	}

	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-cache, no-transform")
	h.Set("X-Accel-Buffering", "no")
	out := output{w: w, control: http.NewResponseController(w), timeout: s.options.WriteTimeout}
	// First bytes at once: proxies and clients then know that the stream stands.
	if out.write(heartbeat) != nil {
		return nil
	}
	beat := time.NewTimer(s.options.Heartbeat)
	defer beat.Stop()
	for {
		select {
		case <-hold.Ended():
			_ = out.write(s.goodbye(hold.Reason()))
			return nil
		default:
		}
		if reason := farewell(joined.Terms()); reason != "" {
			_ = out.write(s.goodbye(reason))
			return nil
		}
		frame := heartbeat
		if document := joined.Since(position); document != nil {
			frame, position = document.Frame(), document.Position
			s.documents.WithLabelValues("sse", string(document.Event)).Inc()
		} else {
			select {
			case <-joined.Wake():
				continue
			case <-hold.Ended():
				continue
			case <-s.draining:
				_ = out.write(s.goodbye("shutdown"))
				return nil
			case <-r.Context().Done():
				return nil
			case <-beat.C:
				hold.Use()
			}
		}
		if err := out.write(frame); err != nil {
			if r.Context().Err() == nil {
				s.dropped.Inc()
			}
			return nil
		}
		beat.Reset(s.options.Heartbeat)
	}
}

// goodbye is an event that asks one reader to come back after a delay that is its
// own, so that all come back spread over time.
func (s *Server) goodbye(reason string) []byte {
	delay := time.Duration(rand.Int64N(int64(s.options.Spread)))
	return sse.AppendEvent(nil, "goodbye", "", fmt.Appendf(nil, `{"retryAfterMs":%d,"reason":%q}`, delay.Milliseconds(), reason))
}

// cursorOf returns the position that a reader says it has. The header is what a
// browser repeats by itself; it is newer than the URL it first asked with.
func cursorOf(r *http.Request) (snapshot.Position, error) {
	name, cursor := "Last-Event-ID", r.Header.Get("Last-Event-ID")
	if cursor == "" {
		name, cursor = "cursor", r.URL.Query().Get("cursor")
	}
	position, err := snapshot.ParsePosition(cursor)
	if err != nil {
		return position, fault.InvalidField(name, "%s. Ask again without it to be sent the snapshot.", err)
	}
	return position, nil
}

// output writes frames, each under a deadline of its own: a stream lives for ever,
// a write does not.
type output struct {
	w       http.ResponseWriter
	control *http.ResponseController
	timeout time.Duration
}

func (o *output) write(frame []byte) error {
	// In pieces, so that a slow reader of a long frame counts as progressing.
	for piece := range slices.Chunk(frame, 64<<10) {
		if err := o.control.SetWriteDeadline(time.Now().Add(o.timeout)); err != nil {
			return err
		}
		if _, err := o.w.Write(piece); err != nil {
			return err
		}
	}
	return o.control.Flush()
}
