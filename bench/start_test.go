package bench

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/wigwag/wigwag"
	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/app"
	"github.com/wigwag/wigwag/internal/control"
)

// BenchmarkStart measures how long a server with 1,000 flags and 100 segments in
// two environments, one segment of 100,000 keys, takes from the start to being
// ready; and how long an SDK takes from its start to being ready with them.
func BenchmarkStart(b *testing.B) {
	ctx := b.Context()
	config := app.Config{Addr: "127.0.0.1:0", OpsAddr: "off", Database: "sqlite:" + b.TempDir() + "/wigwag.db", Drain: time.Second}
	server, err := app.Open(ctx, config)
	if err != nil {
		b.Fatal(err)
	}
	if err := server.AddDemo(ctx); err != nil {
		b.Fatal(err)
	}
	write := control.Write{Actor: "bench"}
	for i := range 1000 {
		d := control.Definition{Definition: feature.Definition{Key: fmt.Sprintf("flag-%04d", i), Type: feature.TypeBoolean}}
		if _, err := server.Control().CreateFlag(ctx, write, "default", d); err != nil {
			b.Fatal(err)
		}
	}
	for i := range 100 {
		segment := feature.Segment{Key: fmt.Sprintf("segment-%03d", i)}
		for j := range map[bool]int{true: 100_000, false: 100}[i == 0] {
			segment.Included = append(segment.Included, fmt.Sprintf("customer-%06d", j))
		}
		if _, err := server.Control().CreateSegment(ctx, write, "default", "development", segment); err != nil {
			b.Fatal(err)
		}
	}
	if err := server.Close(); err != nil {
		b.Fatal(err)
	}
	var serverTook, sdkTook time.Duration
	b.ResetTimer()
	for range b.N {
		begin := time.Now()
		server, err := app.Open(ctx, config)
		if err != nil {
			b.Fatal(err)
		}
		running, stop := context.WithCancel(ctx)
		done := make(chan error)
		go func() { done <- server.Run(running) }()
		<-server.Ready()
		serverTook += time.Since(begin)

		begin = time.Now()
		client, err := wigwag.New(app.DevServerKey, wigwag.WithURL(server.URL()))
		if err != nil {
			b.Fatal(err)
		}
		if err := client.Start(running); err != nil {
			b.Fatal(err)
		}
		if err := client.WaitReady(ctx); err != nil {
			b.Fatal(err)
		}
		sdkTook += time.Since(begin)
		_ = client.Close()
		stop()
		if err := <-done; err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(serverTook.Milliseconds())/float64(b.N), "server-ms")
	b.ReportMetric(float64(sdkTook.Milliseconds())/float64(b.N), "sdk-ms")
	b.ReportMetric(0, "ns/op")
}
