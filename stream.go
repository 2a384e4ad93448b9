package wigwag

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/wigwag/wigwag/internal/sse"
)

const (
	// silenceLimit is for how long a stream may deliver not a single byte. Servers
	// send a comment every 20 seconds.
	silenceLimit = 60 * time.Second
	// maxEvent bounds one event of the stream.
	maxEvent = sse.DefaultMaxEvent
)

var errSilent = fmt.Errorf("the stream was silent for %v", silenceLimit)

// goodbye is the server's farewell before it closes a stream.
type goodbye struct {
	retryAfter time.Duration
	reason     string
}

func (e *goodbye) Error() string { return fmt.Sprintf("the server closes the stream: %.80q", e.reason) }

// readStream opens a stream and reads it until it ends, which it always does with
// an error. It returns as well for how long the stream was alive: from the first
// thing it delivered to the last.
func (c *Client) readStream(ctx context.Context, withCursor bool) (healthy time.Duration, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	silence := time.AfterFunc(silenceLimit, func() { cancel(errSilent) })
	defer silence.Stop()

	resp, err := c.openStream(ctx, withCursor)
	if err != nil {
		return 0, cause(ctx, err)
	}
	defer resp.Close()
	reader := sse.NewReader(&watchedReader{resp, silence}, 0, maxEvent)
	var opened time.Time
	for {
		event, err := reader.Next()
		if errors.Is(err, io.EOF) {
			err = errors.New("the stream ended")
		}
		if err == nil {
			now := time.Now()
			if opened.IsZero() {
				opened = now
			}
			healthy = now.Sub(opened)
			err = c.takeEvent(&event)
		}
		if err != nil {
			return healthy, cause(ctx, err)
		}
	}
}

// cause returns why a context ended where that is what an error comes from.
func cause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

func (c *Client) openStream(ctx context.Context, withCursor bool) (io.ReadCloser, error) {
	req, err := c.newRequest(ctx, streamPath, typeSSE)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept-Encoding", "identity") // compressors hold events back
	req.Header.Set("Cache-Control", "no-cache")
	if cursor := c.cursor(); withCursor && cursor != "" {
		query := req.URL.Query()
		query.Set("cursor", cursor)
		req.URL.RawQuery = query.Encode()
		req.Header.Set("Last-Event-ID", cursor)
	}
	resp, err := c.do(req)
	if err != nil {
		return nil, err
	}
	return resp.Body, nil
}

// cursor returns the position of what the server gave; a bootstrap document that
// it has not confirmed may be of another flag set, and has none.
func (c *Client) cursor() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.current == nil || c.current.Header != c.pinned {
		return ""
	}
	return c.current.Position.String()
}

// takeEvent does what one event says. Events of kinds that this version does not
// know are left alone.
func (c *Client) takeEvent(event *sse.Event) error {
	c.streaming.Store(true)
	name := event.Name
	if event.Kind != sse.KindEvent {
		name = ""
	}
	var err error
	switch name {
	case "snapshot":
		err = c.applySnapshot(event.Data, event.ID)
	case "delta":
		err = c.applyDelta(event.Data, event.ID)
	case "goodbye":
		var wish struct {
			RetryAfterMs int64  `json:"retryAfterMs"`
			Reason       string `json:"reason"`
		}
		if err := json.Unmarshal(event.Data, &wish); err != nil {
			return &goodbye{reason: "unreadable"}
		}
		wait := time.Duration(min(max(wish.RetryAfterMs, 0), retryAfterMax.Milliseconds())) * time.Millisecond
		return &goodbye{wait, wish.Reason}
	}
	if err == nil {
		c.heard()
	}
	return err
}

// watchedReader puts the end of silence off with every byte that it reads.
type watchedReader struct {
	source  io.Reader
	silence *time.Timer
}

func (r *watchedReader) Read(p []byte) (int, error) {
	n, err := r.source.Read(p)
	if n > 0 {
		r.silence.Reset(silenceLimit)
	}
	return n, err
}
