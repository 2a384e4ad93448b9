package cli

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"github.com/wigwag/wigwag/internal/sse"
)

const (
	// silence is after how long without a byte a stream is dead.
	silence = 60 * time.Second
	// The pause before a new attempt doubles from the first to the longest; health
	// is how long a stream lasts that begins again with the first.
	firstPause   = time.Second
	longestPause = 30 * time.Second
	health       = 60 * time.Second
)

// follower follows a stream over as many connections as it takes.
type follower struct {
	transport http.RoundTripper
	server    string
	key       string
	version   string
	// handle is given each event with data, in order. Its error ends everything.
	handle func(sse.Event) error
	// notice is told why a connection ended and when the next one is tried.
	notice func(err error, pause time.Duration)

	cursor    string
	connected bool // at least once
}

// ended is why a connection ended: with an error or in order.
type ended struct {
	err error
	// pause is what the server asked for, negative where it did not.
	pause time.Duration
	// final says that another attempt is of no use.
	final bool
}

// run follows until the context is done, which is no error. It gives up if the
// first connection cannot be made, if the key is refused, or if handle fails.
func (f *follower) run(ctx context.Context) error {
	for failures := 0; ; failures++ {
		began := time.Now()
		end := f.connect(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if end.final || !f.connected {
			return end.err
		}
		if time.Since(began) >= health {
			failures = 0
		}
		pause := end.pause
		if pause < 0 {
			pause = backOff(failures)
		}
		f.notice(end.err, pause)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
	}
}

// backOff is a pause of random length, so that not all come back at once.
func backOff(failures int) time.Duration {
	longest := min(firstPause<<min(failures, 10), longestPause)
	return rand.N(longest) + time.Millisecond
}

var errClosed = errors.New("the server closed the stream")

// connect follows one connection to its end.
func (f *follower) connect(ctx context.Context) ended {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watch := time.AfterFunc(silence, func() { cancel(errSilent) })
	defer watch.Stop()

	request, err := http.NewRequestWithContext(ctx, http.MethodGet, f.server+"/sdk/v1/stream", nil)
	if err != nil {
		return ended{err: err, final: true}
	}
	request.Header.Set("Authorization", "Bearer "+f.key)
	request.Header.Set("Accept", "text/event-stream")
	request.Header.Set("Wigwag-SDK", "cli/"+f.version)
	if f.cursor != "" {
		request.Header.Set("Last-Event-ID", f.cursor)
	}
	client := http.Client{
		Transport:     f.transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	response, err := client.Do(request)
	if err != nil {
		return ended{err: f.reason(ctx, err), pause: -1}
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return f.refused(response)
	}
	f.connected = true
	return f.read(ctx, sse.NewReader(&watched{response.Body, watch}, 0, 0))
}

// reason is why a connection broke: the context's cause where that is ours.
func (f *follower) reason(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); errors.Is(cause, errSilent) {
		err = cause
	}
	return unreachable(f.server, err)
}

// refused sorts an answer that is no stream.
func (f *follower) refused(response *http.Response) ended {
	_, err := read(f.server, response)
	end := ended{err: err, pause: -1}
	switch status := response.StatusCode; {
	case status == http.StatusBadRequest && f.cursor != "":
		f.cursor = "" // it is not one of this server; the snapshot will do
	case status == http.StatusTooManyRequests || status >= http.StatusInternalServerError:
		if seconds, err := strconv.Atoi(response.Header.Get("Retry-After")); err == nil && seconds >= 0 {
			wait := time.Duration(min(seconds, 3600)) * time.Second
			end.pause = wait + rand.N(wait/4+time.Second)
		}
	default:
		end.final = true
	}
	return end
}

func (f *follower) read(ctx context.Context, events *sse.Reader) ended {
	for {
		event, err := events.Next()
		switch {
		case errors.Is(err, io.EOF):
			return ended{err: errClosed, pause: -1}
		case err != nil:
			return ended{err: f.reason(ctx, err), pause: -1}
		case event.Kind != sse.KindEvent:
			continue
		case event.Name == "goodbye":
			var goodbye struct {
				RetryAfterMs int64  `json:"retryAfterMs"`
				Reason       string `json:"reason"`
			}
			if err := json.Unmarshal(event.Data, &goodbye); err != nil || goodbye.RetryAfterMs < 0 {
				return ended{err: errClosed, pause: -1}
			}
			pause := min(time.Duration(min(goodbye.RetryAfterMs, 1e9))*time.Millisecond, time.Hour)
			return ended{err: errors.New("the server said goodbye: " + goodbye.Reason), pause: pause}
		}
		if err := f.handle(event); err != nil {
			return ended{err: err, final: true}
		}
		f.cursor = event.ID
	}
}

// watched is a body each of whose reads puts the end off.
type watched struct {
	io.Reader
	watch *time.Timer
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.Reader.Read(p)
	if n > 0 && w.watch.Stop() {
		w.watch.Reset(silence)
	}
	return n, err
}
