package wigwag_test

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wigwag/wigwag"
)

// A cache that is keyed on flags would keep answers that depend on what changed.
func TestAChangeNamesAllFlagsThatDependOnIt(t *testing.T) {
	needs := func(key, other string) string {
		return fmt.Sprintf(`{"key":%q,"type":"boolean","variants":{"on":true,"off":false},"state":"ENABLED","offVariant":"off","prerequisites":[{"flag":%q,"variants":["on"]}],"default":{"variant":"on"}}`, key, other)
	}
	uses := func(key, segment string) string {
		return fmt.Sprintf(`{"key":%q,"type":"boolean","variants":{"on":true,"off":false},"state":"ENABLED","offVariant":"off","rules":[{"id":"r","when":{"not":{"segment":%q}},"serve":{"variant":"on"}}],"default":{"variant":"off"}}`, key, segment)
	}
	segment := func(key, included string) string { return fmt.Sprintf(`{"key":%q,"included":[%q]}`, key, included) }
	nested := func(key, other string) string { return fmt.Sprintf(`{"key":%q,"when":{"segment":%q}}`, key, other) }
	base := []string{on("base"), needs("middle", "base"), needs("top", "middle"), on("alone"), uses("seg-user", "outer"), needs("above", "seg-user"), nested("outer", "inner"), segment("inner", "a")}
	replace := func(old, new string) []string {
		flags := slices.Clone(base)
		flags[slices.Index(flags, old)] = new
		return flags
	}
	tests := []struct {
		name  string
		after []string
		want  string
	}{
		{"nothing", base, ""},
		{"flag without dependents", replace(on("alone"), off("alone")), "alone"},
		{"prerequisite", replace(on("base"), off("base")), "base middle top"},
		{"flag in the middle", replace(needs("middle", "base"), on("middle")), "middle top"},
		{"segment of a segment", replace(segment("inner", "a"), segment("inner", "b")), "above seg-user"},
		{"segment deleted", slices.DeleteFunc(slices.Clone(base), func(s string) bool { return s == segment("inner", "a") }), "above seg-user"},
		{"flag deleted", slices.DeleteFunc(slices.Clone(base), func(s string) bool { return s == on("base") }), "base middle top"},
		{"flag added", append(slices.Clone(base), on("new")), "new"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := newServer(t, base...)
				client := start(t, server.client(t))
				synctest.Wait()
				changes := collect(client.OnChange)
				server.commit(test.after...)
				synctest.Wait()
				var got []string
				for _, change := range changes() {
					got = append(got, change.Keys...)
				}
				if strings.Join(got, " ") != test.want {
					t.Errorf("changed keys %v, want %s", got, test.want)
				}
			})
		})
	}
}

// An application that rebuilds what depends on flags would do so for nothing, or
// not at all.
func TestConfigurationHandlerTellsWhetherAnythingChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, on("f"))
		client := server.client(t, wigwag.WithMode(wigwag.ModePolling))
		configurations, changes := collect(client.OnConfiguration), collect(client.OnChange)
		start(t, client)
		time.Sleep(34 * time.Second) // 304
		server.commit(on("f"))
		time.Sleep(34 * time.Second) // a new version with the same flags
		server.commit(off("f"))
		time.Sleep(34 * time.Second)
		server.setDown(true)
		time.Sleep(34 * time.Second)
		var got []string
		for _, c := range configurations() {
			got = append(got, fmt.Sprintf("%s %v %d %v", c.Source, c.Changed, c.Position.Version, c.Err != nil))
			if want := newSnapshot(c.Position.Version).CreatedAt; !c.CreatedAt.Equal(want) {
				t.Errorf("version %d created at %v, want %v", c.Position.Version, c.CreatedAt, want)
			}
		}
		want := []string{"NETWORK true 1 false", "NETWORK false 1 false", "NETWORK false 2 false", "NETWORK true 3 false", "NETWORK false 3 true"}
		// Whether an interval's jitter makes room for one more poll of the last version
		// is not of interest.
		got = slices.DeleteFunc(slices.Compact(got), func(s string) bool { return s == "NETWORK false 3 false" })
		if !slices.Equal(got, want) {
			t.Errorf("got %q", got)
		}
		if n := len(changes()); n != 2 {
			t.Errorf("%d changes, want the first load and one", n)
		}
	})
}

// A mistake in a handler would end the application, or the updates.
func TestAPanicInAHandlerIsContained(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, off("f"))
		var log strings.Builder
		client := server.client(t, wigwag.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
		client.OnChange(func(wigwag.Change) { panic("boom") })
		client.OnStatus(func(wigwag.Status) { panic("boom") })
		client.OnConfiguration(func(wigwag.Configuration) { panic("boom") })
		changes := collect(client.OnChange)
		client.OnChange(nil)
		start(t, client)
		synctest.Wait()
		server.commit(on("f"))
		synctest.Wait()
		if len(changes()) != 2 || !client.Bool("f", false, nobody) {
			t.Errorf("%d changes after a panic", len(changes()))
		}
		_ = client.Close()
		if !strings.Contains(log.String(), "boom") {
			t.Error("the panic was not logged")
		}
	})
}

// One slow handler would hold back every flag of the application.
func TestASlowHandlerDelaysNoFlag(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, off("f"))
		client := server.client(t)
		release := make(chan struct{})
		var seen []wigwag.Change
		client.OnChange(func(change wigwag.Change) {
			<-release
			seen = append(seen, change)
		})
		start(t, client)
		synctest.Wait()
		for range 200 {
			server.commit(on("f"))
			synctest.Wait()
			server.commit(off("f"))
			synctest.Wait()
		}
		server.commit(on("f"), on("g"))
		synctest.Wait()
		if !client.Bool("f", false, nobody) {
			t.Fatal("the flag waits for the handler")
		}
		close(release)
		synctest.Wait()
		if len(seen) < 2 || len(seen) > 64 {
			t.Errorf("%d changes, want the later ones joined", len(seen))
		}
		at := wigwag.Position{}
		for _, change := range seen {
			if change.From != at {
				t.Errorf("a change leads from %v, the one before led to %v", change.From, at)
			}
			at = change.To
		}
		if at != client.At().Position() {
			t.Errorf("the last change leads to %v", at)
		}
	})
}

func TestARemovedHandlerIsNotCalled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, off("f"))
		client := server.client(t)
		var first, second int
		handler := func(count *int) func(wigwag.Change) { return func(wigwag.Change) { *count++ } }
		remove := client.OnChange(handler(&first))
		client.OnChange(handler(&second))
		start(t, client)
		synctest.Wait()
		remove()
		remove()
		server.commit(on("f"))
		synctest.Wait()
		if first != 1 || second != 2 {
			t.Errorf("called %d and %d times, want 1 and 2", first, second)
		}
	})
}

// A client that cannot be closed cleanly leaks one connection each time.
func TestCloseEndsEverythingWithinASecond(t *testing.T) {
	waysToHang := map[string]func(*server){
		"healthy":               func(*server) {},
		"first fetch hangs":     func(s *server) { s.failWith(snapshotPath, hang) },
		"stream hangs":          func(s *server) { s.failWith(streamPath, hang) },
		"server down, back-off": func(s *server) { s.setDown(true) },
		"key refused":           func(s *server) { s.failWith("", refuse) },
	}
	for name, prepare := range waysToHang {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // which fails if a goroutine is left
				server := newServer(t, on("f"))
				prepare(server)
				client := server.client(t)
				if err := client.Start(t.Context()); err != nil {
					t.Fatal(err)
				}
				time.Sleep(90 * time.Second)
				began := time.Now()
				var closers sync.WaitGroup
				for range 4 {
					closers.Go(func() {
						if err := client.Close(); err != nil {
							t.Error(err)
						}
					})
				}
				closers.Wait()
				if took := time.Since(began); took > 100*time.Millisecond {
					t.Errorf("took %v", took)
				}
				server.forget()
				time.Sleep(10 * time.Minute)
				if n := len(server.requests(snapshotPath)) + len(server.requests(streamPath)); n != 0 {
					t.Errorf("%d requests after Close", n)
				}
				if err := client.Start(t.Context()); err == nil {
					t.Error("a closed client started")
				}
				if err := client.Refresh(t.Context()); err == nil {
					t.Error("a closed client refreshed")
				}
				if name == "healthy" && !client.Bool("f", false, nobody) {
					t.Error("a closed client forgot its flags")
				}
			})
		})
	}
}

func TestCloseBeforeStart(t *testing.T) {
	client, err := wigwag.New(testKey)
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Close(); err != nil {
		t.Fatal(err)
	}
	if err := client.Start(t.Context()); err == nil {
		t.Error("a closed client started")
	}
}

// A handler that never returns, or that closes its client, would hang the exit.
func TestCloseDoesNotWaitForeverForAHandler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, on("f"))
		client := server.client(t)
		result := make(chan error, 1)
		client.OnChange(func(wigwag.Change) { result <- client.Close() })
		began := time.Now()
		if err := client.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := <-result; err == nil || time.Since(began) > time.Second {
			t.Errorf("Close within a handler: %v after %v", err, time.Since(began))
		}
	})
}
