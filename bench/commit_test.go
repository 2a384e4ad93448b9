package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wigwag/wigwag"
	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/app"
	"github.com/wigwag/wigwag/internal/control"
	"github.com/wigwag/wigwag/snapshot"
)

// installation is a server on SQLite with one streaming SDK, which counts the
// bytes that it is sent.
type installation struct {
	url      string
	api      *http.Client
	changes  chan snapshot.Position
	received atomic.Int64
	item     int // bytes of the flag that is toggled
	on       bool
}

// countingConn counts what is read.
type countingConn struct {
	net.Conn
	count *atomic.Int64
}

func (c countingConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.count.Add(int64(n))
	return n, err
}

const toggled = "flag-0000"

func install(b *testing.B, flags int) *installation {
	b.Helper()
	ctx := b.Context()
	server, err := app.Open(ctx, app.Config{Addr: "127.0.0.1:0", OpsAddr: "off", Database: "sqlite:" + b.TempDir() + "/wigwag.db", Drain: time.Second})
	if err != nil {
		b.Fatal(err)
	}
	running, stop := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- server.Run(running) }()
	b.Cleanup(func() { stop(); <-done })
	if err := server.AddDemo(ctx); err != nil { // for its keys
		b.Fatal(err)
	}
	write := control.Write{Actor: "bench"}
	for i := range flags {
		d := control.Definition{Definition: feature.Definition{
			Key: fmt.Sprintf("flag-%04d", i), Type: feature.TypeBoolean, Metadata: feature.Metadata{feature.String("owner", "team")},
		}}
		if _, err := server.Control().CreateFlag(ctx, write, "default", d); err != nil {
			b.Fatal(err)
		}
	}
	in := &installation{url: server.URL(), api: &http.Client{Timeout: 10 * time.Second}, changes: make(chan snapshot.Position, 1000)}
	flag, err := server.Control().Flag(ctx, "default", "development", toggled)
	if err != nil {
		b.Fatal(err)
	}
	body, _ := json.Marshal(flag.Value)
	in.item = len(body)
	dialer := &net.Dialer{}
	transport := &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := dialer.DialContext(ctx, network, address)
		return countingConn{c, &in.received}, err
	}}
	client, err := wigwag.New(app.DevServerKey, wigwag.WithURL(in.url), wigwag.WithTransport(transport))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = client.Close(); transport.CloseIdleConnections() })
	client.OnChange(func(c wigwag.Change) { in.changes <- c.To })
	if err := client.Start(running); err != nil {
		b.Fatal(err)
	}
	if err := client.WaitReady(ctx); err != nil {
		b.Fatal(err)
	}
	// Until a change comes by the stream.
	for range 20 {
		in.toggle(b)
	}
	return in
}

// toggle changes the flag through the management API and returns how long it took
// until the SDK's callback was called.
func (in *installation) toggle(b *testing.B) time.Duration {
	in.on = !in.on
	state := map[bool]string{true: "ENABLED", false: "DISABLED"}[in.on]
	request, err := http.NewRequestWithContext(b.Context(), http.MethodPatch,
		in.url+"/api/v1/projects/default/environments/development/flags/"+toggled, strings.NewReader(`{"state":"`+state+`"}`))
	if err != nil {
		b.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+app.DevToken)
	request.Header.Set("Content-Type", "application/merge-patch+json")
	begin := time.Now()
	response, err := in.api.Do(request)
	if err != nil {
		b.Fatal(err)
	}
	var answer struct{ Position snapshot.Position }
	err = json.NewDecoder(response.Body).Decode(&answer)
	_, _ = io.Copy(io.Discard, response.Body)
	_ = response.Body.Close()
	if err != nil || response.StatusCode != http.StatusOK {
		b.Fatalf("%s: %v", response.Status, err)
	}
	deadline := time.After(10 * time.Second)
	for {
		select {
		case position := <-in.changes:
			if !position.Before(answer.Position) {
				return time.Since(begin)
			}
		case <-deadline:
			b.Fatal("the change did not arrive within 10 s")
		}
	}
}

// BenchmarkCommitToCallback measures from sending a change to the management API
// until the callback of a streaming SDK, with 10 flags and with 1,000, in turn.
func BenchmarkCommitToCallback(b *testing.B) {
	few, many := install(b, 10), install(b, 1000)
	var fewTook, manyTook []time.Duration
	before := many.received.Load()
	b.ResetTimer()
	for range b.N {
		fewTook = append(fewTook, few.toggle(b))
		manyTook = append(manyTook, many.toggle(b))
	}
	b.StopTimer()
	perChange := float64(many.received.Load()-before) / float64(b.N)
	ms := func(took []time.Duration, percent int) float64 {
		slices.Sort(took)
		return float64(took[min(len(took)-1, len(took)*percent/100)]) / float64(time.Millisecond)
	}
	b.ReportMetric(ms(manyTook, 50), "p50-ms")
	b.ReportMetric(ms(manyTook, 99), "p99-ms")
	b.ReportMetric(ms(fewTook, 50), "p50-ms-10-flags")
	b.ReportMetric(ms(manyTook, 50)/ms(fewTook, 50), "p50-1000/10")
	b.ReportMetric(perChange, "wire-B/change")
	b.ReportMetric(float64(many.item), "item-B")
	b.ReportMetric(0, "ns/op")
}
