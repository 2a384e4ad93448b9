package wigwag_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/wigwag/wigwag"
	"github.com/wigwag/wigwag/internal/sse"
	"github.com/wigwag/wigwag/snapshot"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const testKey = "sk_test_S3CR3T"

// mustItem returns the item of a flag, a segment or a shard of keys.
func mustItem(body string) *snapshot.Item {
	var fields struct{ Key, Type, Segment, List string }
	if err := json.Unmarshal([]byte(body), &fields); err != nil {
		panic(err)
	}
	ref := snapshot.Ref{Kind: snapshot.KindFlag, Key: fields.Key}
	if fields.Type == "" {
		ref.Kind = snapshot.KindSegment
	}
	item, err := snapshot.NewItem(ref, []byte(body))
	if err != nil {
		panic(err)
	}
	return item
}

// boolFlag returns a flag that serves a variant to everybody.
func boolFlag(key, variant string) string {
	return fmt.Sprintf(`{"key":%q,"type":"boolean","variants":{"on":true,"off":false},"state":"ENABLED","offVariant":"off","default":{"variant":%q}}`, key, variant)
}

func on(key string) string  { return boolFlag(key, "on") }
func off(key string) string { return boolFlag(key, "off") }

// request is one that a server saw.
type request struct {
	path   string
	at     time.Time
	header http.Header
	query  string
}

// server speaks the synchronisation protocol over connections in memory, so that
// a test's time can be synctest's, and fails in the ways that it is told to.
type server struct {
	connections chan net.Conn
	http        http.Server

	mu       sync.Mutex
	versions []*snapshot.Snapshot
	moved    chan struct{} // closed and replaced with each commit
	cut      chan struct{} // closed and replaced to cut all streams
	fault    http.HandlerFunc
	faultFor string // the path that has the fault, all where empty
	down     bool
	open     map[net.Conn]struct{}
	seen     []request
	streams  int
}

// newServer starts a server at version 1 with flags.
func newServer(t *testing.T, flags ...string) *server {
	t.Helper()
	s := &server{
		connections: make(chan net.Conn),
		moved:       make(chan struct{}),
		cut:         make(chan struct{}),
		versions:    []*snapshot.Snapshot{newSnapshot(1, flags...)},
		open:        map[net.Conn]struct{}{},
	}
	s.http.Handler = s
	serving := make(chan struct{})
	go func() {
		defer close(serving)
		_ = s.http.Serve(memoryListener{s})
	}()
	t.Cleanup(func() {
		s.setDown(true)
		_ = s.http.Close()
		<-serving
	})
	return s
}

// memoryListener accepts what the transport dials.
type memoryListener struct{ s *server }

func (l memoryListener) Accept() (net.Conn, error) {
	c, ok := <-l.s.connections
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}
func (l memoryListener) Close() error   { close(l.s.connections); return nil }
func (l memoryListener) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8080} }

// transport returns a transport that reaches the server and nothing else.
func (s *server) transport(t *testing.T) *http.Transport {
	t.Helper()
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.down {
			return nil, errors.New("connection refused")
		}
		near, far := net.Pipe()
		select {
		case s.connections <- far:
			s.open[far] = struct{}{}
			return near, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}}
	t.Cleanup(transport.CloseIdleConnections)
	return transport
}

// client returns a client of the server that was not started. Later options
// override those of the test.
func (s *server) client(t *testing.T, options ...wigwag.Option) *wigwag.Client {
	t.Helper()
	all := append([]wigwag.Option{
		wigwag.WithTransport(s.transport(t)),
		wigwag.WithLogger(slog.New(slog.DiscardHandler)),
	}, options...)
	client, err := wigwag.New(testKey, all...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := client.Close(); err != nil {
			t.Error(err)
		}
	})
	return client
}

// start starts a client and waits until it is ready.
func start(t *testing.T, client *wigwag.Client) *wigwag.Client {
	t.Helper()
	if err := client.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := client.WaitReady(ctx); err != nil {
		t.Fatal(err)
	}
	return client
}

// commit makes the next version.
func (s *server) commit(flags ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.versions = append(s.versions, newSnapshot(uint64(len(s.versions)+1), flags...))
	close(s.moved)
	s.moved = make(chan struct{})
}

// failWith makes requests for a path, or all, end in a fault; nil heals.
func (s *server) failWith(path string, fault http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault, s.faultFor = fault, path
}

// cutStreams ends all streams without a goodbye.
func (s *server) cutStreams() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.cut)
	s.cut = make(chan struct{})
}

// setDown refuses connections and closes those that are open.
func (s *server) setDown(down bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = down
	if down {
		for c := range s.open {
			_ = c.Close()
		}
		clear(s.open)
	}
}

// requests returns those for a path.
func (s *server) requests(path string) []request {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []request
	for _, r := range s.seen {
		if r.path == path {
			found = append(found, r)
		}
	}
	return found
}

func (s *server) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = nil
}

const (
	snapshotPath = "/sdk/v1/snapshot"
	streamPath   = "/sdk/v1/stream"
)

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.seen = append(s.seen, request{r.URL.Path, time.Now(), r.Header.Clone(), r.URL.RawQuery})
	fault := s.fault
	if s.faultFor != "" && s.faultFor != r.URL.Path {
		fault = nil
	}
	s.mu.Unlock()
	switch {
	case fault != nil:
		fault(w, r)
	case r.Header.Get("Authorization") != "Bearer "+testKey:
		refuse(w, r)
	case r.URL.Path == snapshotPath:
		s.serveSnapshot(w, r)
	case r.URL.Path == streamPath:
		s.serveStream(w, r)
	default:
		http.NotFound(w, r)
	}
}

// refuse answers as a server does that does not know the key.
func refuse(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(http.StatusUnauthorized)
	_, _ = fmt.Fprintf(w, `{"title":"Unauthorized","detail":"unknown key %s"}`, strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
}

func (s *server) latest() (*snapshot.Snapshot, <-chan struct{}, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.versions[len(s.versions)-1], s.moved, s.cut
}

func (s *server) serveSnapshot(w http.ResponseWriter, r *http.Request) {
	latest, _, _ := s.latest()
	etag := `"` + latest.Position.String() + `"`
	w.Header().Set("ETag", etag)
	if r.Header.Get("If-None-Match") == etag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	document := latest.AppendJSON(nil)
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		var compressed bytes.Buffer
		g := gzip.NewWriter(&compressed)
		_, _ = g.Write(document)
		_ = g.Close()
		w.Header().Set("Content-Encoding", "gzip")
		document = compressed.Bytes()
	}
	_, _ = w.Write(document)
}

func (s *server) serveStream(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.streams++
	s.mu.Unlock()
	send := startStream(w)
	send(sse.AppendComment(nil, ""))
	at, err := snapshot.ParsePosition(r.Header.Get("Last-Event-ID"))
	if err != nil {
		return
	}
	heartbeat := time.NewTicker(20 * time.Second)
	defer heartbeat.Stop()
	for {
		latest, moved, cut := s.latest()
		if at != latest.Position {
			send(s.frame(at, latest))
			at = latest.Position
		}
		select {
		case <-moved:
		case <-heartbeat.C:
			send(sse.AppendComment(nil, ""))
		case <-cut:
			return
		case <-r.Context().Done():
			return
		}
	}
}

// frame returns the delta from a version that the server knows, else the snapshot.
func (s *server) frame(at snapshot.Position, latest *snapshot.Snapshot) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, from := range s.versions {
		if from.Position == at {
			return sse.AppendEvent(nil, "delta", latest.Position.String(), snapshot.Diff(from, latest).AppendJSON(nil))
		}
	}
	return sse.AppendEvent(nil, "snapshot", latest.Position.String(), latest.AppendJSON(nil))
}

// startStream begins a stream and returns what sends bytes on it.
func startStream(w http.ResponseWriter) (send func([]byte)) {
	w.Header().Set("Content-Type", "text/event-stream")
	w.WriteHeader(http.StatusOK)
	controller := http.NewResponseController(w)
	_ = controller.Flush()
	return func(frame []byte) {
		_, _ = w.Write(frame)
		_ = controller.Flush()
	}
}

// answer is a fault that answers with a status, a type and a body.
func answer(status int, contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

// hang is a fault that never answers.
func hang(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

// collect registers for changes and returns what was seen so far.
func collect[T any](register func(func(T)) func()) (seen func() []T) {
	var mu sync.Mutex
	var all []T
	register(func(value T) {
		mu.Lock()
		defer mu.Unlock()
		all = append(all, value)
	})
	return func() []T {
		mu.Lock()
		defer mu.Unlock()
		return append([]T(nil), all...)
	}
}
