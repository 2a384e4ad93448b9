package stream_test

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/auth"
	"github.com/wigwag/wigwag/internal/hub"
	"github.com/wigwag/wigwag/internal/sse"
	"github.com/wigwag/wigwag/internal/store"
	"github.com/wigwag/wigwag/internal/store/memory"
	"github.com/wigwag/wigwag/internal/stream"
	"github.com/wigwag/wigwag/internal/web"
	"github.com/wigwag/wigwag/snapshot"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	serverKey = "sk_0123456789abcdef"
	clientKey = "ck_0123456789abcdef"
	otherKey  = "sk_of_another_environment"
	token     = "tk_0123456789abcdef"
	epoch     = "0192aaaa-0000-7000-8000-000000000000"
)

var epochs = map[string]string{"test": epoch, "other": "0192aaaa-0000-7000-8000-000000000001"}

func at(version uint64) snapshot.Position { return snapshot.Position{Epoch: epoch, Version: version} }

// pipes is a listener whose connections are in memory, so that a test's clock
// can stand still and jump.
type pipes struct {
	connections chan net.Conn
	closed      chan struct{}
	once        sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.connections:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}
func (p *pipes) Close() error   { p.once.Do(func() { close(p.closed) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case p.connections <- server:
		return client, nil
	case <-p.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// rig is a served flag set whose versions the test publishes.
type rig struct {
	t       *testing.T
	store   store.Store
	hub     *hub.Hub
	stream  *stream.Server
	client  *http.Client
	current map[string]*snapshot.Snapshot // by environment
}

func newRig(t *testing.T, options stream.Options) *rig {
	st := memory.New()
	add := func(secret auth.Secret, environment string) {
		credential := auth.NewCredential(secret, "test", store.SetID{Project: "default", Environment: environment}, time.Now())
		if err := st.Update(t.Context(), func(tx store.Tx) error { return tx.AddCredential(t.Context(), credential) }); err != nil {
			t.Fatal(err)
		}
	}
	add(serverKey, "test")
	add(clientKey, "test")
	add(otherKey, "other")
	add(token, "")
	r := &rig{t: t, store: st, hub: hub.New(), current: map[string]*snapshot.Snapshot{}}
	keys := auth.NewKeyring(st)
	r.stream = stream.NewServer(r.hub, keys, options, prometheus.NewRegistry())
	mux := &web.Mux{}
	mux.Handle("GET /sdk/v1/snapshot", web.Handler(r.stream.Snapshot))
	mux.Handle("GET /sdk/v1/stream", web.Handler(r.stream.Stream))
	mux.Handle("OPTIONS /sdk/v1/", web.Handler(stream.Preflight))
	listener := &pipes{connections: make(chan net.Conn), closed: make(chan struct{})}
	server := &http.Server{Handler: web.Observe(slog.New(slog.DiscardHandler), mux), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute}
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(listener) }()
	ctx, stop := context.WithCancel(context.Background())
	stopped := make(chan error)
	go func() { stopped <- keys.Run(ctx, slog.New(slog.DiscardHandler)) }()
	transport := &http.Transport{DialContext: listener.dial, DisableCompression: true}
	r.client = &http.Client{Transport: transport}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		_ = server.Close()
		<-done
		stop()
		if err := <-stopped; err != nil {
			t.Error(err)
		}
		_ = st.Close()
	})
	r.publish("test")
	r.publish("other")
	return r
}

func flag(t *testing.T, key, off string, visible bool) *snapshot.Item {
	item, err := snapshot.EncodeItem(&feature.Flag{
		Definition: feature.Definition{Key: key, Type: feature.TypeBoolean, ClientVisible: visible, Variants: feature.Variants{
			{Key: "on", Value: feature.BoolValue(true)}, {Key: "off", Value: feature.BoolValue(false)},
		}},
		Configuration: feature.Configuration{State: feature.StateEnabled, OffVariant: off, Default: feature.Serve{Variant: "on"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return item
}

// publish commits items to an environment; the first call makes it.
func (r *rig) publish(environment string, items ...*snapshot.Item) *snapshot.Snapshot {
	slices.SortFunc(items, func(a, b *snapshot.Item) int { return a.Compare(b.Ref) })
	old := r.current[environment]
	if old == nil {
		header := snapshot.Header{Project: "default", Environment: environment, Projection: snapshot.ProjectionServer}
		r.current[environment] = snapshot.New(header, snapshot.Position{Epoch: epochs[environment], Version: 1}, time.Now(), items)
		r.hub.Publish(hub.Step{Snapshot: r.current[environment]})
		return r.current[environment]
	}
	refs := []snapshot.Ref{}
	for _, item := range items {
		refs = append(refs, item.Ref)
	}
	r.current[environment] = old.With(snapshot.Position{Epoch: old.Position.Epoch, Version: old.Position.Version + 1}, time.Now(), items, nil)
	r.hub.Publish(hub.Step{Snapshot: r.current[environment], Changed: refs})
	return r.current[environment]
}

// get asks for a path; headers are pairs.
func (r *rig) get(path string, headers ...string) *http.Response {
	r.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://wigwag.test"+path, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := r.client.Do(request)
	if err != nil {
		cancel()
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { cancel(); _ = response.Body.Close() })
	return response
}

// reader is an SDK at its simplest: it holds a snapshot and applies what comes.
type reader struct {
	t        *testing.T
	response *http.Response
	events   *sse.Reader
	held     *snapshot.Snapshot
	comments int
}

func (r *rig) open(key string, held *snapshot.Snapshot) *reader {
	r.t.Helper()
	headers := []string{"Authorization", "Bearer " + key}
	if held != nil {
		headers = append(headers, "Last-Event-ID", held.Position.String())
	}
	response := r.get("/sdk/v1/stream", headers...)
	if response.StatusCode != http.StatusOK {
		r.t.Fatalf("stream answered %s", response.Status)
	}
	return &reader{t: r.t, response: response, events: sse.NewReader(response.Body, 1<<20, 1<<20), held: held}
}

// next applies one event and returns its name; comments on the way are counted.
func (r *reader) next() string {
	r.t.Helper()
	event, err := r.events.Next()
	for err == nil && event.Kind == sse.KindComment {
		r.comments++
		event, err = r.events.Next()
	}
	if err != nil {
		r.t.Fatal(err)
	}
	switch event.Name {
	case "snapshot":
		r.held, err = snapshot.Parse(event.Data)
	case "delta":
		var delta *snapshot.Delta
		if delta, err = snapshot.ParseDelta(event.Data); err == nil {
			r.held, err = r.held.Apply(delta)
		}
	case "goodbye":
		return string(event.Data)
	}
	if err != nil {
		r.t.Fatal(err)
	}
	if event.ID != r.held.Position.String() {
		r.t.Errorf("id %q of a document at %s", event.ID, r.held.Position)
	}
	return event.Name
}

func TestAStreamBeginsWithTheSnapshotAndGoesOnWithDeltas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, stream.Options{})
		r.publish("test", flag(t, "visible", "on", true), flag(t, "hidden", "on", false))
		server, client := r.open(serverKey, nil), r.open(clientKey, nil)
		if got := server.next() + client.next(); got != "snapshotsnapshot" {
			t.Errorf("first come %s", got)
		}
		last := r.publish("test", flag(t, "visible", "off", true))
		if got := server.next() + client.next(); got != "deltadelta" {
			t.Errorf("then come %s", got)
		}
		if server.held.Digest != last.Digest || client.held.Digest != last.Client().Digest {
			t.Error("the readers do not hold what was published")
		}
		if h := server.response.Header; h.Get("Content-Type") != "text/event-stream" || h.Get("X-Accel-Buffering") != "no" ||
			h.Get("Cache-Control") != "no-cache, no-transform" {
			t.Errorf("headers %v", h)
		}
	})
}

// Users would miss: the change that was made while their connection was down.
func TestAChangeMadeWhileTheStreamWasDownComesFirstOnReconnect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, stream.Options{})
		first := r.open(serverKey, nil)
		first.next()
		_ = first.response.Body.Close()
		r.publish("test", flag(t, "f", "on", false))
		last := r.publish("test", flag(t, "f", "off", false))
		again := r.open(serverKey, first.held)
		if got := again.next(); got != "delta" || again.held.Digest != last.Digest {
			t.Errorf("%s leads to %s", got, again.held.Position)
		}
	})
}

// Users would miss: any change after the first quiet hour, where a server or its
// deadlines end an idle stream.
func TestAnIdleStreamStillDelivers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, stream.Options{})
		idle := r.open(serverKey, nil)
		idle.next()
		got := make(chan string)
		go func() { got <- idle.next() }()
		time.Sleep(time.Hour)
		synctest.Wait()
		last := r.publish("test", flag(t, "f", "on", false))
		if name := <-got; name != "delta" || idle.held.Digest != last.Digest {
			t.Errorf("after an hour comes %s", name)
		}
		// One comment at the start, and one every 20 s.
		if idle.comments < 179 || idle.comments > 182 {
			t.Errorf("%d heartbeats in an hour", idle.comments)
		}
	})
}

// Users would miss: every change, for as long as one other reader is stuck.
func TestAStalledReaderDelaysNobodyAndIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, stream.Options{})
		stalled, lively := r.open(serverKey, nil), r.open(serverKey, nil)
		lively.next()
		begin := time.Now()
		for i := range 50 {
			r.publish("test", flag(t, "f", []string{"on", "off"}[i%2], false))
			lively.next()
		}
		if waited := time.Since(begin); waited != 0 {
			t.Errorf("the others waited %s", waited)
		}
		ended := make(chan error)
		go func() {
			for {
				if _, err := lively.events.Next(); err != nil {
					ended <- err
					return
				}
			}
		}()
		time.Sleep(time.Minute)
		synctest.Wait()
		if open := r.stream.Open(); open != 1 {
			t.Errorf("%d streams are open after a minute, only the stalled one should be dropped", open)
		}
		_ = stalled.response.Body.Close()
		_ = lively.response.Body.Close()
		<-ended
	})
}

func TestReadersOfOneFlagSetNeverSeeAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, stream.Options{})
		mine, other := r.open(serverKey, nil), r.open(otherKey, nil)
		mine.next()
		other.next()
		r.publish("other", flag(t, "secret-of-other", "on", true))
		last := r.publish("test", flag(t, "f", "on", true))
		mine.next()
		if mine.held.Digest != last.Digest || mine.held.Get(snapshot.Ref{Kind: snapshot.KindFlag, Key: "secret-of-other"}) != nil {
			t.Error("a reader of test was sent what is of other")
		}
		other.next()
		// A cursor of another set's log, at a version that both have.
		crossed := r.open(otherKey, mine.held)
		if name := crossed.next(); name != "snapshot" || crossed.held.Environment != "other" {
			t.Errorf("%s of %s", name, crossed.held.Environment)
		}
	})
}

func TestKeysReachOnlyWhatTheyMay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, stream.Options{})
		for _, path := range []string{"/sdk/v1/snapshot", "/sdk/v1/stream"} {
			for name, c := range map[string]struct {
				path   string
				header []string
				status int
			}{
				"no key":            {path, nil, 401},
				"an unknown key":    {path, []string{"Authorization", "Bearer sk_unknown"}, 401},
				"no key of ours":    {path, []string{"X-API-Key", "hunter2"}, 401},
				"another scheme":    {path, []string{"Authorization", "Basic " + serverKey}, 401},
				"an API token":      {path, []string{"Authorization", "Bearer " + token}, 403},
				"sk_ in the URL":    {path + "?key=" + serverKey, nil, 403},
				"a malformed place": {path + "?cursor=x&since=x", []string{"X-API-Key", serverKey}, 400},
			} {
				response := r.get(c.path, c.header...)
				body, _ := io.ReadAll(response.Body)
				if response.StatusCode != c.status || response.Header.Get("Content-Type") != "application/problem+json" {
					t.Errorf("%s with %s: %s %s", path, name, response.Status, body)
				}
				if strings.Contains(string(body), "0123456789abcdef") || strings.Contains(string(body), "hunter2") {
					t.Errorf("%s with %s: the problem repeats the key: %s", path, name, body)
				}
			}
		}
		if response := r.get("/sdk/v1/snapshot?key=" + clientKey); response.StatusCode != 200 {
			t.Errorf("ck_ in the URL: %s", response.Status)
		}
	})
}

func TestDrainSendsEveryReaderAwayWithADelayOfItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, stream.Options{Spread: 10 * time.Second})
		readers := make([]*reader, 50)
		for i := range readers {
			readers[i] = r.open(serverKey, nil)
			readers[i].next()
		}
		r.stream.Drain()
		delays := map[int]bool{}
		for _, one := range readers {
			var goodbye struct {
				RetryAfterMs int
				Reason       string
			}
			if err := json.Unmarshal([]byte(one.next()), &goodbye); err != nil {
				t.Fatal(err)
			}
			if goodbye.RetryAfterMs < 0 || goodbye.RetryAfterMs > 10_000 || goodbye.Reason != "shutdown" {
				t.Errorf("%+v", goodbye)
			}
			delays[goodbye.RetryAfterMs] = true
			if _, err := one.events.Next(); !errors.Is(err, io.EOF) {
				t.Errorf("after goodbye: %v", err)
			}
		}
		if len(delays) < 40 {
			t.Errorf("50 readers share %d delays", len(delays))
		}
	})
}

func TestNoMoreStreamsThanTheLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, stream.Options{MaxStreams: 1})
		first := r.open(serverKey, nil)
		first.next()
		if response := r.get("/sdk/v1/stream", "X-API-Key", serverKey); response.StatusCode != 503 || response.Header.Get("Retry-After") == "" {
			t.Errorf("%s, Retry-After %q", response.Status, response.Header.Get("Retry-After"))
		}
		_ = first.response.Body.Close()
		synctest.Wait()
		r.open(serverKey, nil).next()
	})
}

func TestSnapshotConditions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, stream.Options{})
		r.publish("test", flag(t, "f", "on", true))       // 2
		r.publish("test", flag(t, "f", "off", true))      // 3
		r.publish("test", flag(t, "hidden", "on", false)) // 4
		tag := func(v uint64) string { return `"` + at(v).String() + `"` }
		for name, c := range map[string]struct {
			key, query, match string
			status            int
			document          string
		}{
			"plain":                           {serverKey, "", "", 200, "snapshot"},
			"the same":                        {serverKey, "", tag(4), 304, ""},
			"one of several, weak":            {serverKey, "", `"x", W/` + tag(4), 304, ""},
			"older":                           {serverKey, "", tag(3), 200, "snapshot"},
			"none of ours":                    {serverKey, "", `"x"`, 200, "snapshot"},
			"nothing new for clients":         {clientKey, "", tag(3), 304, ""},
			"ahead of this server":            {serverKey, "", tag(9), 304, ""},
			"since":                           {serverKey, "?since=" + at(2).String(), "", 200, "delta"},
			"since the present":               {serverKey, "?since=" + at(4).String(), "", 304, ""},
			"since before the log":            {serverKey, "?since=" + at(0).String(), "", 200, "snapshot"},
			"since an older epoch":            {serverKey, "?since=0191:3", "", 200, "snapshot"},
			"since counts before the tag":     {serverKey, "?since=" + at(2).String(), tag(4), 200, "delta"},
			"a wait that is no duration":      {serverKey, "?wait=soon", "", 400, ""},
			"a wait with something new":       {serverKey, "?wait=30s&since=" + at(3).String(), "", 200, "delta"},
			"a wait in which nothing happens": {serverKey, "?wait=30s&since=" + at(4).String(), "", 304, ""},
		} {
			headers := []string{"X-API-Key", c.key}
			if c.match != "" {
				headers = append(headers, "If-None-Match", c.match)
			}
			response := r.get("/sdk/v1/snapshot"+c.query, headers...)
			body, err := io.ReadAll(response.Body)
			if err != nil || response.StatusCode != c.status || response.Header.Get("Wigwag-Document") != c.document {
				t.Errorf("%s: %s %q %v", name, response.Status, response.Header.Get("Wigwag-Document"), err)
			}
			if c.status == 200 && c.document == "snapshot" {
				if s, err := snapshot.Parse(body); err != nil || response.Header.Get("ETag") != `"`+s.Position.String()+`"` {
					t.Errorf("%s: ETag %s, %v", name, response.Header.Get("ETag"), err)
				}
			}
		}
	})
}

func TestALongPollIsAnsweredByTheNextChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, stream.Options{})
		begin := time.Now()
		time.AfterFunc(7*time.Second, func() { r.publish("test", flag(t, "f", "on", false)) })
		response := r.get("/sdk/v1/snapshot?wait=30s", "X-API-Key", serverKey, "If-None-Match", `"`+at(1).String()+`"`)
		if response.StatusCode != 200 || time.Since(begin) != 7*time.Second {
			t.Errorf("%s after %s", response.Status, time.Since(begin))
		}
	})
}

func TestSnapshotsAreCompressedAsAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, stream.Options{})
		items := make([]*snapshot.Item, 50)
		for i := range items {
			items[i] = flag(t, fmt.Sprintf("flag-%02d", i), "on", false)
		}
		last := r.publish("test", items...)
		for accept, want := range map[string]string{
			"": "", "identity": "", "gzip": "gzip", "gzip, br": "br", "zstd;q=0, br;q=0, gzip;q=0.5": "gzip",
			"deflate, gzip, br, zstd": "zstd", "*": "gzip", "gzip;q=0": "",
		} {
			response := r.get("/sdk/v1/snapshot", "X-API-Key", serverKey, "Accept-Encoding", accept)
			if got := response.Header.Get("Content-Encoding"); got != want {
				t.Errorf("Accept-Encoding %q is answered with %q", accept, got)
			}
			if want != "gzip" {
				continue
			}
			reader, err := gzip.NewReader(response.Body)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(reader)
			if err != nil {
				t.Fatal(err)
			}
			if s, err := snapshot.Parse(body); err != nil || s.Digest != last.Digest {
				t.Errorf("Accept-Encoding %q: %v", accept, err)
			}
		}
	})
}
