package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"

	wigwag "github.com/wigwag/wigwag"
	"github.com/wigwag/wigwag/internal/sse"
	"github.com/wigwag/wigwag/snapshot"
)

// wigwagServer is an [http.RoundTripper] that answers as a server would, from
// memory: the snapshot, and a stream that goes on with deltas. It has one reader.
type wigwagServer struct {
	deltas chan []byte
	landed chan struct{} // capacity 1: the client has gone further

	mu      sync.Mutex // guards what follows
	current *snapshot.Snapshot
	reached snapshot.Position // of the client
}

func newWigwagServer(items []*snapshot.Item) *wigwagServer {
	header := snapshot.Header{Project: "bench", Environment: "production", Projection: snapshot.ProjectionServer}
	position := snapshot.Position{Epoch: "01980000-0000-7000-8000-000000000000", Version: 1}
	return &wigwagServer{
		deltas:  make(chan []byte),
		landed:  make(chan struct{}, 1),
		current: snapshot.New(header, position, time.Unix(1_750_000_000, 0), items),
	}
}

// RoundTrip answers the two paths of the protocol.
func (s *wigwagServer) RoundTrip(request *http.Request) (*http.Response, error) {
	s.mu.Lock()
	current := s.current
	s.mu.Unlock()
	response := &http.Response{
		StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:  http.Header{"Etag": {strconv.Quote(current.Position.String())}},
		Request: request,
	}
	switch request.URL.Path {
	case "/sdk/v1/snapshot":
		response.Header.Set("Content-Type", "application/json")
		response.Body = io.NopCloser(bytes.NewReader(current.AppendJSON(nil)))
	case "/sdk/v1/stream":
		first := sse.AppendComment(nil, "")
		if request.Header.Get("Last-Event-ID") != current.Position.String() {
			first = sse.AppendEvent(first, "snapshot", current.Position.String(), current.AppendJSON(nil))
		}
		reader, writer := io.Pipe()
		response.Header.Set("Content-Type", "text/event-stream")
		response.Body = reader
		go s.stream(request.Context(), writer, first)
	default:
		return nil, fmt.Errorf("the benchmark's server has no %s", request.URL.Path)
	}
	return response, nil
}

// stream writes until the request ends.
func (s *wigwagServer) stream(ctx context.Context, writer *io.PipeWriter, frame []byte) {
	stop := context.AfterFunc(ctx, func() { writer.CloseWithError(ctx.Err()) })
	defer stop()
	heartbeat := time.NewTicker(20 * time.Second)
	defer heartbeat.Stop()
	for {
		if _, err := writer.Write(frame); err != nil {
			return
		}
		select {
		case <-ctx.Done():
			return
		case frame = <-s.deltas:
		case <-heartbeat.C:
			frame = sse.AppendComment(nil, "")
		}
	}
}

// publish commits an item and sends the delta. Where no stream takes it, the next
// one starts with a snapshot that has it.
func (s *wigwagServer) publish(item *snapshot.Item) {
	s.mu.Lock()
	before := s.current
	position := before.Position
	position.Version++
	s.current = before.With(position, before.CreatedAt, []*snapshot.Item{item}, nil)
	delta := snapshot.Delta{
		Header: before.Header, From: before.Position, To: position, CreatedAt: before.CreatedAt,
		Digest: s.current.Digest, Put: []*snapshot.Item{item},
	}
	s.mu.Unlock()
	select {
	case s.deltas <- sse.AppendEvent(nil, "delta", position.String(), delta.AppendJSON(nil)):
	case <-time.After(time.Second):
	}
}

// applied is the client's handler of configurations.
func (s *wigwagServer) applied(c wigwag.Configuration) {
	s.mu.Lock()
	if c.Err == nil {
		s.reached = c.Position
	}
	s.mu.Unlock()
	select {
	case s.landed <- struct{}{}:
	default:
	}
}

// wait returns when the client has applied what was sent.
func (s *wigwagServer) wait(atMost time.Duration) error {
	deadline := time.NewTimer(atMost)
	defer deadline.Stop()
	for {
		s.mu.Lock()
		done := s.reached == s.current.Position
		s.mu.Unlock()
		if done {
			return nil
		}
		select {
		case <-s.landed:
		case <-deadline.C:
			return errors.New("the client did not apply the configuration in time")
		}
	}
}
