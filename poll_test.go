package wigwag_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wigwag/wigwag"
	"github.com/wigwag/wigwag/snapshot"
)

// Each of these has replaced the flags of a running application with nothing.
func TestABadBodyNeverReplacesTheLastKnownGood(t *testing.T) {
	good := newSnapshot(3, off("f"))
	document := string(good.AppendJSON(nil))
	with := func(change func(s *snapshot.Snapshot)) string {
		changed := *good
		change(&changed)
		return string(changed.AppendJSON(nil))
	}
	tests := []struct {
		name string
		bad  http.HandlerFunc
	}{
		{"403 with JSON", answer(http.StatusForbidden, "application/json", `{"flags":[]}`)},
		{"403 with a snapshot", answer(http.StatusForbidden, "application/json", document)},
		{"500 with a snapshot", answer(http.StatusInternalServerError, "application/json", document)},
		{"login page", answer(http.StatusOK, "text/html", "<html>please log in</html>")},
		{"login page that claims to be JSON", answer(http.StatusOK, "application/json", "<html>please log in</html>")},
		{"snapshot that claims to be a page", answer(http.StatusOK, "text/html", document)},
		{"snapshot without a type", answer(http.StatusOK, "", document)},
		{"empty", answer(http.StatusOK, "application/json", "")},
		{"null", answer(http.StatusOK, "application/json", "null")},
		{"empty object", answer(http.StatusOK, "application/json", "{}")},
		{"truncated", answer(http.StatusOK, "application/json", document[:len(document)-9])},
		{"cut off by the connection", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "100000")
			answer(http.StatusOK, "application/json", document)(w, r)
		}},
		{"damaged gzip", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			answer(http.StatusOK, "application/json", document)(w, r)
		}},
		{"a value changed on the way", answer(http.StatusOK, "application/json", strings.Replace(document, `"on":true`, `"on":null`, 1))},
		{"a flag lost on the way", answer(http.StatusOK, "application/json", strings.Replace(document, string(good.Items[0].Body), "", 1))},
		{"another digest", answer(http.StatusOK, "application/json", with(func(s *snapshot.Snapshot) { s.Digest[0]++ }))},
		{"another environment", answer(http.StatusOK, "application/json", with(func(s *snapshot.Snapshot) { s.Environment = "staging" }))},
		{"another project", answer(http.StatusOK, "application/json", with(func(s *snapshot.Snapshot) { s.Project = "other" }))},
		{"another projection", answer(http.StatusOK, "application/json", with(func(s *snapshot.Snapshot) { s.Projection = snapshot.ProjectionClient }))},
		{"an older version", answer(http.StatusOK, "application/json", with(func(s *snapshot.Snapshot) { s.Position.Version = 1 }))},
		{"an older epoch", answer(http.StatusOK, "application/json", with(func(s *snapshot.Snapshot) { s.Position.Epoch = "01990000-0000-7000-8000-000000000000" }))},
		{"a position that was not announced", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("ETag", `W/"`+good.Position.String()+`"`)
			answer(http.StatusOK, "application/json", with(func(s *snapshot.Snapshot) { s.Position.Version = 999 }))(w, r)
		}},
		{"no position", answer(http.StatusOK, "application/json", with(func(s *snapshot.Snapshot) { s.Position = snapshot.Position{} }))},
		{"a later format", answer(http.StatusOK, "application/json", strings.Replace(document, `"format":1`, `"format":2`, 1))},
		{"no format", answer(http.StatusOK, "application/json", strings.Replace(document, `"format":1,`, "", 1))},
		{"a delta", answer(http.StatusOK, "application/json", string(snapshot.Diff(newSnapshot(2, on("f")), good).AppendJSON(nil)))},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := newServer(t, off("f"))
				server.commit(on("f"))
				client := server.client(t, wigwag.WithMode(wigwag.ModePolling))
				configurations := collect(client.OnConfiguration)
				start(t, client)
				server.failWith("", test.bad)
				time.Sleep(10 * time.Minute)
				d := client.BoolDetails("f", false, nobody)
				if !d.Value || d.Variant != "on" || d.ErrorCode != "" || d.Position().Version != 2 {
					t.Errorf("answers %+v", d)
				}
				if d.Reason != "STALE" {
					t.Errorf("reason %s after 10 minutes without a good answer", d.Reason)
				}
				if all := configurations(); all[len(all)-1].Err == nil || all[len(all)-1].Position.Version != 2 {
					t.Errorf("reported as %+v", all[len(all)-1])
				}
				server.failWith("", nil)
				server.commit(off("f"))
				time.Sleep(5*time.Minute + time.Second)
				if client.Bool("f", true, nobody) || client.Status() != wigwag.StatusReady {
					t.Errorf("status %v after a good answer", client.Status())
				}
			})
		})
	}
}

// A client must not load its server more, nor show changes later, than was said.
func TestPollingKeepsItsInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, off("f"))
		client := start(t, server.client(t, wigwag.WithMode(wigwag.ModePolling), wigwag.WithPollInterval(5*time.Second)))
		time.Sleep(time.Hour)
		got := server.requests(snapshotPath)
		least, most := time.Hour, time.Duration(0)
		for i := 1; i < len(got); i++ {
			gap := got[i].at.Sub(got[i-1].at)
			least, most = min(least, gap), max(most, gap)
			if got[i].header.Get("If-None-Match") == "" {
				t.Error("a poll asks for everything again")
			}
		}
		if least < 4500*time.Millisecond || most > 5500*time.Millisecond || most-least < 800*time.Millisecond {
			t.Errorf("gaps from %v to %v, want them spread over 5 s ± 10 %%", least, most)
		}
		if n := len(server.requests(streamPath)); n != 0 {
			t.Errorf("%d streams in polling mode", n)
		}
		server.commit(on("f"))
		time.Sleep(5500 * time.Millisecond)
		if !client.Bool("f", false, nobody) {
			t.Error("the change is not there after an interval")
		}
	})
}

// A failing server would be polled at full rate, or never again.
func TestFailingPollsBackOffAndHeal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, off("f"))
		client := start(t, server.client(t, wigwag.WithMode(wigwag.ModePolling)))
		server.failWith("", answer(http.StatusInternalServerError, "text/plain", ""))
		server.forget()
		time.Sleep(2 * time.Hour)
		got := server.requests(snapshotPath)
		// The first failure, then gaps of at most 1, 2, 4, 8, 16 and from then on 30 s.
		limit := time.Second
		var sum time.Duration
		for i := 1; i < len(got); i++ {
			gap := got[i].at.Sub(got[i-1].at)
			if gap > limit || gap < 100*time.Millisecond {
				t.Errorf("gap %d is %v, want at most %v", i, gap, limit)
			}
			limit = min(2*limit, 30*time.Second)
			sum += gap
		}
		if mean := sum / time.Duration(len(got)); mean < 12*time.Second || mean > 18*time.Second {
			t.Errorf("mean gap %v", mean)
		}
		server.failWith("", nil)
		time.Sleep(30 * time.Second)
		if client.Status() != wigwag.StatusReady {
			t.Errorf("status %v", client.Status())
		}
	})
}

// Applications that ask by themselves would be asked on behalf of.
func TestNeverSwitchesPollingOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, off("f"))
		client := server.client(t, wigwag.WithMode(wigwag.ModePolling), wigwag.WithPollInterval(wigwag.Never))
		server.setDown(true)
		if err := client.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		server.setDown(false)
		time.Sleep(30 * time.Second)
		if n := len(server.requests(snapshotPath)); n != 1 || client.Status() != wigwag.StatusReady {
			t.Fatalf("status %v after %d fetches; the first one must be repeated until it succeeds", client.Status(), n)
		}
		server.commit(on("f"))
		time.Sleep(24 * time.Hour)
		if n := len(server.requests(snapshotPath)); n != 1 || client.Bool("f", false, nobody) || client.Status() != wigwag.StatusReady {
			t.Errorf("%d fetches, status %v", n, client.Status())
		}
		if err := client.Refresh(t.Context()); err != nil || !client.Bool("f", false, nobody) {
			t.Errorf("refresh: %v", err)
		}
		server.setDown(true)
		if err := client.Refresh(t.Context()); err == nil {
			t.Error("a refresh without a server succeeded")
		}
	})
}

// Without the forced refresh, a stream that a proxy holds back would leave the
// flags stale until the next poll.
func TestTooOldFlagsAreAskedForAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, off("f"))
		client := server.client(t, wigwag.WithMode(wigwag.ModeStreaming))
		statuses := collect(client.OnStatus)
		server.failWith(streamPath, hang)
		start(t, client)
		server.commit(on("f"))
		time.Sleep(59 * time.Second)
		if n := len(server.requests(snapshotPath)); n != 1 || client.Bool("f", false, nobody) {
			t.Fatalf("%d fetches before the maximum age", n)
		}
		time.Sleep(2 * time.Second)
		if !client.Bool("f", false, nobody) || client.Status() != wigwag.StatusReady {
			t.Errorf("status %v", client.Status())
		}
		if n := len(statuses()); n != 3 {
			t.Errorf("statuses %v", statuses())
		}
	})
}

func TestWaitReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, on("f"))
		server.failWith("", hang)
		client := server.client(t)
		if err := client.WaitReady(t.Context()); !errors.Is(err, wigwag.ErrNotStarted) {
			t.Errorf("before Start: %v", err)
		}
		began := time.Now()
		if err := client.Start(t.Context()); err != nil || time.Since(began) != 0 {
			t.Errorf("Start: %v after %v", err, time.Since(began))
		}
		if err := client.Start(t.Context()); err != nil {
			t.Errorf("second Start: %v", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		if err := client.WaitReady(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != 3*time.Second {
			t.Errorf("without an answer: %v after %v", err, time.Since(began))
		}
		server.failWith("", nil)
		if err := client.WaitReady(t.Context()); err != nil || !client.Bool("f", false, nobody) {
			t.Errorf("with an answer: %v", err)
		}

		refused := server.client(t)
		server.failWith("", refuse)
		if err := refused.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := refused.WaitReady(t.Context()); !errors.Is(err, wigwag.ErrKeyRefused) {
			t.Errorf("with a key that is refused: %v", err)
		}
		server.failWith("", nil)
		time.Sleep(6 * time.Minute)
		if err := refused.WaitReady(t.Context()); err != nil {
			t.Errorf("after the key was repaired: %v", err)
		}

		closed := server.client(t)
		server.failWith("", hang)
		if err := closed.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(time.Second, func() { _ = closed.Close() })
		if err := closed.WaitReady(t.Context()); !errors.Is(err, wigwag.ErrClosed) {
			t.Errorf("closed meanwhile: %v", err)
		}
	})
}

// An application that starts while the server is down would start without flags.
func TestABootstrapDocumentServesUntilTheServerAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, off("f"))
		server.setDown(true)
		saved := newSnapshot(1, on("f"))
		client := server.client(t, wigwag.WithBootstrap(saved.AppendJSON(nil)))
		configurations, statuses := collect(client.OnConfiguration), collect(client.OnStatus)
		if d := client.BoolDetails("f", false, nobody); !d.Value || d.Reason != "STALE" || d.Age() != time.Since(saved.CreatedAt) {
			t.Errorf("before Start %+v", d)
		}
		start(t, client) // the first attempt has failed, and there is something to serve
		if !client.Bool("f", false, nobody) || client.Status() != wigwag.StatusStale {
			t.Errorf("status %v", client.Status())
		}
		server.setDown(false)
		time.Sleep(2 * time.Second)
		if client.Status() != wigwag.StatusReady {
			t.Errorf("status %v", client.Status())
		}
		first, all := configurations()[0], configurations()
		if first.Source != wigwag.SourceBootstrap || !first.Changed || first.Err != nil || !first.CreatedAt.Equal(saved.CreatedAt) {
			t.Errorf("first configuration %+v", first)
		}
		if last := all[len(all)-1]; last.Source != wigwag.SourceNetwork || last.Err != nil {
			t.Errorf("last configuration %+v", last)
		}
		if len(statuses()) != 2 {
			t.Errorf("statuses %v", statuses())
		}
	})
}

// A saved file of the wrong environment would be served for good.
func TestABootstrapDocumentOfAnotherFlagSetIsReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, off("f"))
		foreign := newSnapshot(9, on("f"), on("g"))
		foreign.Environment, foreign.Position.Epoch = "staging", "01ffffff-0000-7000-8000-000000000000"
		client := start(t, server.client(t, wigwag.WithBootstrap(foreign.AppendJSON(nil))))
		if client.Bool("f", true, nobody) || client.BoolDetails("g", false, nobody).ErrorCode == "" || client.At().Position().Version != 1 {
			t.Errorf("still at %v", client.At().Position())
		}
	})
}

// A cursor of another flag set could be taken for one of this.
func TestABootstrapDocumentIsNoCursor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, on("f"))
		server.failWith(snapshotPath, answer(http.StatusNotFound, "text/plain", ""))
		client := start(t, server.client(t, wigwag.WithBootstrap(newSnapshot(1, on("f")).AppendJSON(nil))))
		time.Sleep(2 * time.Second)
		if got := server.requests(streamPath); len(got) == 0 || got[0].header.Get("Last-Event-ID") != "" {
			t.Errorf("streams %+v", got)
		}
		if client.Status() != wigwag.StatusReady {
			t.Errorf("status %v", client.Status())
		}
	})
}

// The difference between a server's old data and its restored data must show.
func TestALaterEpochReplacesWhatIsHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, on("f"))
		server.commit(on("f"))
		client := start(t, server.client(t))
		synctest.Wait()
		restored := newSnapshot(1, off("f"))
		restored.Position.Epoch = "01996000-0000-7000-8000-000000000000"
		server.mu.Lock()
		server.versions = []*snapshot.Snapshot{restored}
		server.mu.Unlock()
		server.cutStreams()
		time.Sleep(2 * time.Second)
		if client.Bool("f", true, nobody) || client.At().Position() != restored.Position {
			t.Errorf("at %v", client.At().Position())
		}
	})
}
