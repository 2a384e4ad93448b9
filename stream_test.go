package wigwag_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wigwag/wigwag"
	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/sse"
	"github.com/wigwag/wigwag/snapshot"
)

// An application would have to ask, or to be restarted, to see a change.
func TestAChangeArrivesByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, off("f"), off("g"))
		client := server.client(t)
		changes := collect(client.OnChange)
		start(t, client)
		synctest.Wait()
		server.forget()
		committed := time.Now()
		for range 10 {
			server.commit(on("f"), off("g"))
			server.commit(off("f"), off("g"))
		}
		server.commit(on("f"), on("g"))
		synctest.Wait()
		if !client.Bool("g", false, nobody) || time.Since(committed) != 0 {
			t.Errorf("the change is not there after %v", time.Since(committed))
		}
		got := changes()
		if len(got) < 2 || !slices.Equal(got[0].Keys, []string{"f", "g"}) || !got[0].From.IsZero() {
			t.Fatalf("changes %v, want the first load and the commits", got)
		}
		if last := got[len(got)-1]; !slices.Contains(last.Keys, "g") || last.To != client.At().Position() || last.To.Version != 22 {
			t.Errorf("last change %+v", last)
		}
		if n := len(server.requests(snapshotPath)); n != 0 {
			t.Errorf("%d fetches for changes that the stream brought", n)
		}
	})
}

// A change in the moment of a reconnect would be missing until the next one.
func TestAChangeWhileTheStreamIsDownIsSeenOnReconnect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, off("f"))
		client := start(t, server.client(t, wigwag.WithMode(wigwag.ModeStreaming)))
		synctest.Wait()
		server.failWith(streamPath, answer(http.StatusBadGateway, "text/plain", ""))
		server.cutStreams()
		synctest.Wait()
		server.commit(on("f"))
		time.Sleep(5 * time.Second)
		if client.Bool("f", false, nobody) {
			t.Fatal("the test's stream is not down")
		}
		server.failWith(streamPath, nil)
		server.forget()
		for len(server.requests(streamPath)) == 0 {
			time.Sleep(100 * time.Millisecond)
			synctest.Wait()
		}
		if !client.Bool("f", false, nobody) {
			t.Error("the stream is back, the change is not")
		}
		if got := server.requests(streamPath)[0]; got.header.Get("Last-Event-ID") != newSnapshot(1).Position.String() || !strings.Contains(got.query, "cursor=") {
			t.Errorf("it reconnected without its cursor: %q, %q", got.header.Get("Last-Event-ID"), got.query)
		}
	})
}

// A stream that a timeout cuts loses the changes in between, again and again.
func TestAnIdleStreamOutlivesEveryTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, off("f"))
		client := start(t, server.client(t, wigwag.WithHTTPClient(&http.Client{Transport: server.transport(t), Timeout: 5 * time.Second})))
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		if streams, fetches := len(server.requests(streamPath)), len(server.requests(snapshotPath)); streams != 1 || fetches != 1 {
			t.Errorf("%d streams and %d fetches in an idle day, want one of each", streams, fetches)
		}
		server.commit(on("f"))
		synctest.Wait()
		if !client.Bool("f", false, nobody) {
			t.Error("the idle stream does not deliver")
		}
	})
}

// faults are ways for a server, or what stands in front of it, to fail.
var faults = map[string]http.HandlerFunc{
	"500":             answer(http.StatusInternalServerError, "text/plain", "oops"),
	"502 with HTML":   answer(http.StatusBadGateway, "text/html", "<html>bad gateway</html>"),
	"503":             answer(http.StatusServiceUnavailable, "text/plain", ""),
	"404":             answer(http.StatusNotFound, "text/plain", ""),
	"400":             answer(http.StatusBadRequest, "application/problem+json", `{"title":"Bad cursor"}`),
	"login page":      answer(http.StatusOK, "text/html", "<html>please log in</html>"),
	"empty 200":       answer(http.StatusOK, "text/event-stream", ""),
	"unasked-for 304": answer(http.StatusNotModified, "", ""),
	"half-open":       hang,
	"buffering proxy": func(w http.ResponseWriter, r *http.Request) {
		startStream(w)
		hang(w, r)
	},
	"opens and closes": func(w http.ResponseWriter, _ *http.Request) {
		startStream(w)(sse.AppendComment(nil, ""))
	},
	"goodbye without a delay": func(w http.ResponseWriter, _ *http.Request) {
		startStream(w)(sse.AppendEvent(nil, "goodbye", "", []byte(`{"retryAfterMs":0,"reason":"shutdown"}`)))
	},
	"connection reset": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	"redirect loop": func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, r.URL.Path, http.StatusFound)
	},
}

// A client that does not come back serves old flags for good; one that comes back
// at once, with all others, keeps its server down.
func TestEveryFailureOfTheStreamBacksOffAndHeals(t *testing.T) {
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := newServer(t, off("f"))
				client := start(t, server.client(t, wigwag.WithMode(wigwag.ModeStreaming)))
				synctest.Wait()
				server.failWith(streamPath, fault)
				server.cutStreams()
				server.forget()
				time.Sleep(10 * time.Minute)
				attempts := len(server.requests(streamPath))
				if name == "redirect loop" {
					attempts /= 10 // hops of one attempt
				}
				// Gaps of 15 s in the mean would be 40; an attempt that hangs takes a minute.
				if attempts < 6 || attempts > 80 {
					t.Errorf("%d attempts in 10 minutes", attempts)
				}
				server.failWith(streamPath, nil)
				server.commit(on("f"))
				time.Sleep(91 * time.Second) // an attempt that hangs, and a gap
				if !client.Bool("f", false, nobody) {
					t.Error("the change never arrived")
				}
			})
		})
	}
}

// Behind a proxy that knows no streams, flags would never change.
func TestPollingStandsInForAStreamThatIsDown(t *testing.T) {
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := newServer(t, off("f"))
				client := start(t, server.client(t))
				synctest.Wait()
				server.failWith(streamPath, fault)
				server.cutStreams()
				time.Sleep(5 * time.Minute)
				server.commit(on("f"))
				time.Sleep(33*time.Second + time.Millisecond)
				if !client.Bool("f", false, nobody) {
					t.Error("the change is not there after a poll interval and its jitter")
				}
				server.forget()
				server.failWith(streamPath, nil)
				time.Sleep(2 * time.Minute)
				server.forget()
				time.Sleep(10 * time.Minute)
				if n := len(server.requests(snapshotPath)); n != 0 || !client.Stats().Streaming {
					t.Errorf("the stream is back, and there were %d polls beside it", n)
				}
			})
		})
	}
}

// Half-open connections look alive for hours.
func TestAStreamSilentForAMinuteIsDead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, off("f"))
		var frozen time.Time
		server.failWith(streamPath, func(w http.ResponseWriter, r *http.Request) {
			send := startStream(w)
			for range 30 {
				send([]byte{':'}) // a single byte is a sign of life, even without a line's end
				time.Sleep(50 * time.Second)
			}
			send([]byte("\n:\n"))
			frozen = time.Now()
			hang(w, r)
		})
		client := start(t, server.client(t, wigwag.WithMode(wigwag.ModeStreaming)))
		time.Sleep(30*50*time.Second + time.Second)
		if n := len(server.requests(streamPath)); n != 1 {
			t.Fatalf("%d streams while bytes were arriving", n)
		}
		server.failWith(streamPath, nil)
		for len(server.requests(streamPath)) == 1 {
			time.Sleep(50 * time.Millisecond)
			synctest.Wait()
		}
		if gap := time.Since(frozen); gap < 60*time.Second || gap > 61*time.Second+100*time.Millisecond {
			t.Errorf("the silent stream was given up after %v, want a minute and a first gap", gap)
		}
		if client.Stats().Reconnects != 1 {
			t.Errorf("%d reconnects", client.Stats().Reconnects)
		}
	})
}

// Without its spread, a restart of the server would be followed by a stampede.
func TestGoodbyeIsObeyed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, off("f"))
		var farewell time.Time
		server.failWith(streamPath, func(w http.ResponseWriter, _ *http.Request) {
			farewell = time.Now()
			startStream(w)(sse.AppendEvent(nil, "goodbye", "", []byte(`{"retryAfterMs":40000,"reason":"shutdown"}`)))
		})
		client := server.client(t)
		configurations := collect(client.OnConfiguration)
		start(t, client)
		synctest.Wait()
		server.failWith(streamPath, nil)
		server.forget()
		time.Sleep(42 * time.Second)
		got := server.requests(streamPath)
		if len(got) != 1 || got[0].at.Sub(farewell) < 40*time.Second || got[0].header.Get("Last-Event-ID") == "" {
			t.Errorf("came back %d times, %+v", len(got), got)
		}
		for _, c := range configurations() {
			if c.Err != nil {
				t.Errorf("a goodbye was reported as the failure %v", c.Err)
			}
		}
	})
}

// An environment without streams would otherwise look broken every five minutes.
func TestWithoutStreamsItPolls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, off("f"))
		server.failWith(streamPath, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Retry-After", "300")
			answer(http.StatusConflict, "application/problem+json", `{"detail":"Streaming is switched off."}`)(w, r)
		})
		client := server.client(t)
		configurations := collect(client.OnConfiguration)
		statuses := collect(client.OnStatus)
		start(t, client)
		server.forget()
		time.Sleep(11 * time.Minute)
		if streams, polls := len(server.requests(streamPath)), len(server.requests(snapshotPath)); streams > 3 || polls < 18 {
			t.Errorf("in 11 minutes it asked %d times for a stream and %d times for the snapshot", streams, polls)
		}
		if client.Status() != wigwag.StatusReady {
			t.Errorf("the status is %s", client.Status())
		}
		for _, c := range configurations() {
			if c.Err != nil {
				t.Errorf("reported as a failure: %v", c.Err)
			}
		}
		if got := statuses(); len(got) > 1 {
			t.Errorf("the status went through %v", got)
		}
	})
}

// A server that sheds load would be asked all the more.
func TestRetryAfterIsObeyed(t *testing.T) {
	for _, status := range []int{http.StatusTooManyRequests, http.StatusServiceUnavailable} {
		for _, mode := range []wigwag.Mode{wigwag.ModeAuto, wigwag.ModeStreaming, wigwag.ModePolling} {
			t.Run(fmt.Sprint(status, " ", mode), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					server := newServer(t, off("f"))
					server.failWith("", func(w http.ResponseWriter, r *http.Request) {
						w.Header().Set("Retry-After", "120")
						answer(status, "text/plain", "")(w, r)
					})
					client := server.client(t, wigwag.WithMode(mode))
					if err := client.Start(t.Context()); err != nil {
						t.Fatal(err)
					}
					time.Sleep(120 * time.Second)
					if n := len(server.requests(streamPath)) + len(server.requests(snapshotPath)); n != 1 {
						t.Errorf("%d requests within the time that the server wanted", n)
					}
					server.failWith("", nil)
					time.Sleep(5 * time.Second)
					if client.Status() != wigwag.StatusReady {
						t.Errorf("status %v after it", client.Status())
					}
				})
			})
		}
	}
}

// A revoked key must be visible, must not stop the application, and must not be
// hammered; and a repaired one must work without a restart.
func TestARefusedKeyIsReportedAndRetriedEveryFiveMinutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, on("f"))
		client := server.client(t, wigwag.WithMode(wigwag.ModePolling))
		statuses := collect(client.OnStatus)
		start(t, client)
		server.failWith("", refuse)
		time.Sleep(34 * time.Second)
		if client.Status() != wigwag.StatusError || !client.Bool("f", false, nobody) {
			t.Fatalf("status %v, value %v", client.Status(), client.Bool("f", false, nobody))
		}
		server.forget()
		time.Sleep(time.Hour)
		got := server.requests(snapshotPath)
		if len(got) < 11 || len(got) > 12 {
			t.Errorf("%d requests in an hour", len(got))
		}
		for i := 1; i < len(got); i++ {
			if gap := got[i].at.Sub(got[i-1].at); gap != 5*time.Minute {
				t.Errorf("gap %v", gap)
			}
		}
		if d := client.BoolDetails("f", false, nobody); !d.Value || d.Reason != feature.ReasonStale {
			t.Errorf("after an hour %+v", d)
		}
		server.failWith("", nil)
		time.Sleep(5*time.Minute + time.Second)
		if got := fmt.Sprint(statuses()); got != "[READY ERROR READY]" {
			t.Errorf("statuses %s", got)
		}
	})
}

// A server that asked to be left alone would be asked nonetheless, by all at once.
func TestStaleFlagsAreNotAskedForWhileTheServerWantsToBeLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, off("f"))
		client := start(t, server.client(t, wigwag.WithMode(wigwag.ModePolling)))
		server.failWith("", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Retry-After", "300")
			answer(http.StatusServiceUnavailable, "text/plain", "")(w, r)
		})
		time.Sleep(34 * time.Second)
		server.forget()
		time.Sleep(4 * time.Minute)
		if n := len(server.requests(snapshotPath)); n != 0 || client.Status() != wigwag.StatusStale {
			t.Errorf("%d requests, status %v", n, client.Status())
		}
	})
}

// A stream that has been well for long would come back as slowly as one that
// never worked.
func TestAHealthyStreamComesBackQuickly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, off("f"))
		start(t, server.client(t, wigwag.WithMode(wigwag.ModeStreaming)))
		for range 12 {
			time.Sleep(2 * time.Minute)
			synctest.Wait()
			server.cutStreams()
			server.forget()
			time.Sleep(time.Second + time.Millisecond)
			if n := len(server.requests(streamPath)); n != 1 {
				t.Fatalf("%d streams within a second of the loss", n)
			}
		}
	})
}

// Heartbeats of a server whose changes cannot be used would hide that for good.
func TestHeartbeatsConfirmNothingOnceADocumentWasDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, off("f"))
		client := start(t, server.client(t))
		synctest.Wait()
		server.failWith("", func(w http.ResponseWriter, r *http.Request) {
			send := startStream(w)
			send(sse.AppendComment(nil, ""))
			select {
			case <-time.After(20 * time.Second):
			case <-r.Context().Done():
			}
			send(sse.AppendComment(nil, ""))
			send(sse.AppendEvent(nil, "snapshot", "", []byte("{}")))
		})
		server.cutStreams()
		time.Sleep(3 * time.Minute)
		if client.Status() != wigwag.StatusStale || client.BoolDetails("f", true, nobody).Reason != feature.ReasonStale {
			t.Errorf("status %v after minutes of unusable documents", client.Status())
		}
	})
}

// A line of garbage from a proxy must not end the process or the updates.
func TestMalformedEventsNeverCrash(t *testing.T) {
	good := string(newSnapshot(2, on("f")).AppendJSON(nil))
	header := `"format":1,"project":"default","environment":"production","projection":"server"`
	delta := snapshot.Diff(newSnapshot(1, off("f")), newSnapshot(2, on("f")))
	cycle := newSnapshot(2,
		`{"key":"a","type":"boolean","variants":{"on":true},"state":"ENABLED","offVariant":"on","prerequisites":[{"flag":"b","variants":["on"]}],"default":{"variant":"on"}}`,
		`{"key":"b","type":"boolean","variants":{"on":true},"state":"ENABLED","offVariant":"on","prerequisites":[{"flag":"a","variants":["on"]}],"default":{"variant":"on"}}`,
		on("f"))
	streams := map[string]string{
		"empty data lines":       "data:\ndata:\n\nevent: snapshot\ndata:\n\n",
		"not an event stream":    "<html>\n\n</html>",
		"binary":                 "\x00\xff\xfe\n\n\x00:\x00\n\n",
		"snapshot of nothing":    "event: snapshot\ndata: null\n\n",
		"snapshot of a list":     "event: snapshot\ndata: []\n\n",
		"snapshot of nulls":      "event: snapshot\ndata: {" + header + `,"position":null,"digest":null,"flags":null}` + "\n\n",
		"flags that are null":    "event: snapshot\ndata: {" + header + `,"position":"e:9","digest":"` + strings.Repeat("0", 64) + `","flags":[null,1,"x",[]]}` + "\n\n",
		"deeply nested":          "event: snapshot\ndata: " + strings.Repeat("[", 100_000) + "\n\n",
		"truncated":              "event: snapshot\ndata: " + good[:len(good)/2] + "\n\n",
		"delta without position": "event: delta\ndata: {" + header + "}\n\n",
		"delta of no type":       "event: delta\ndata: 7\n\n",
		"delta that deletes null": "event: delta\ndata: {" + header + `,"from":"e:1","to":"e:2","digest":"` + strings.Repeat("0", 64) +
			`","put":null,"delete":{"flags":[null]}}` + "\n\n",
		"delta damaged":         "event: delta\ndata: " + strings.Replace(string(delta.AppendJSON(nil)), "true", "null", 1) + "\n\n",
		"goodbye of no type":    "event: goodbye\ndata: []\n\n",
		"goodbye for ever":      "event: goodbye\ndata: {\"retryAfterMs\":1e300}\n\n",
		"goodbye into the past": "event: goodbye\ndata: {\"retryAfterMs\":-9223372036854775808}\n\n",
		"unknown event":         "event: news\ndata: {}\n\n",
		"cycle":                 string(sse.AppendEvent(nil, "snapshot", "", cycle.AppendJSON(nil))),
	}
	for name, stream := range streams {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := newServer(t, off("f"))
				client := start(t, server.client(t, wigwag.WithMode(wigwag.ModeStreaming)))
				synctest.Wait()
				server.failWith(streamPath, func(w http.ResponseWriter, r *http.Request) {
					startStream(w)([]byte(stream))
				})
				server.cutStreams()
				time.Sleep(time.Minute)
				if d := client.BoolDetails("f", true, nobody); d.ErrorCode != "" {
					t.Errorf("answers %+v", d)
				}
				if d := client.BoolDetails("a", true, nobody); !d.Value || d.ErrorCode == "" {
					t.Errorf("a flag on a cycle answers %+v", d)
				}
				server.failWith(streamPath, nil)
				server.commit(off("f"))
				server.commit(on("f"))
				time.Sleep(11 * time.Minute)
				if !client.Bool("f", false, nobody) {
					t.Error("updates have stopped")
				}
			})
		})
	}
}

// A lost or damaged change would stay for good if the client went on from there.
func TestADigestThatDoesNotMatchLeadsToAFreshSnapshot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, off("f"), off("g"))
		client := start(t, server.client(t, wigwag.WithMode(wigwag.ModeStreaming)))
		synctest.Wait()
		server.commit(on("f"), on("g"))
		synctest.Wait()
		if !client.Bool("g", false, nobody) {
			t.Fatal("the stream does not deliver")
		}
		server.commit(off("f"), off("g"))
		synctest.Wait()
		server.failWith(streamPath, func(w http.ResponseWriter, r *http.Request) {
			delta := snapshot.Diff(newSnapshot(3, off("f"), off("g")), newSnapshot(4, on("f"), on("g")))
			delta.Put = delta.Put[:1]
			startStream(w)(sse.AppendEvent(nil, "delta", "", delta.AppendJSON(nil)))
		})
		server.cutStreams()
		for client.Stats().Rejected == 0 {
			time.Sleep(100 * time.Millisecond)
			synctest.Wait()
		}
		if client.Bool("f", false, nobody) || client.At().Position().Version != 3 {
			t.Errorf("half of a change is in force, at %v", client.At().Position())
		}
		server.failWith(streamPath, nil)
		server.commit(on("f"), on("g"))
		server.forget()
		time.Sleep(3 * time.Second)
		got := server.requests(streamPath)
		if len(got) != 1 || got[0].header.Get("Last-Event-ID") != "" || got[0].query != "" {
			t.Errorf("came back as %+v, want once and without a cursor", got)
		}
		if !client.Bool("f", false, nobody) || !client.Bool("g", false, nobody) {
			t.Error("the fresh snapshot is not in force")
		}
	})
}
