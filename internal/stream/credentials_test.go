package stream_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wigwag/wigwag/internal/auth"
	"github.com/wigwag/wigwag/internal/store"
	"github.com/wigwag/wigwag/internal/stream"
)

// losses are the ways to take a key away, and after how long each does.
var losses = map[string]struct {
	reason string
	after  time.Duration
	lose   func(t *testing.T, tx store.Tx, id string) error
}{
	"revoke": {auth.ReasonRevoked, 0, func(t *testing.T, tx store.Tx, id string) error {
		return tx.DeleteCredential(t.Context(), id)
	}},
	"expire": {auth.ReasonExpired, time.Hour, func(t *testing.T, tx store.Tx, id string) error {
		return tx.ReplaceCredential(t.Context(), id, "sk-other", time.Now().Add(time.Hour))
	}},
}

// Users would miss: the key that leaked, whose holder goes on listening.
func TestStreamsEndWithTheirKey(t *testing.T) {
	for name, loss := range losses {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				// Without heartbeats, which nobody reads meanwhile.
				r := newRig(t, stream.Options{Heartbeat: 2 * loss.after})
				mine, again, other := r.open(serverKey, nil), r.open(serverKey, nil), r.open(clientKey, nil)
				for _, reader := range []*reader{mine, again, other} {
					reader.next()
				}
				synctest.Wait()
				began := time.Now()
				r.lose(serverKey, loss.lose)
				for _, reader := range []*reader{mine, again} {
					if got := reader.next(); !strings.Contains(got, `"reason":"`+loss.reason+`"`) {
						t.Errorf("the stream says %s", got)
					}
					if took := time.Since(began) - loss.after; took < 0 || took > time.Second {
						t.Errorf("it ended %s after the key", took)
					}
					if _, err := reader.events.Next(); err != io.EOF {
						t.Errorf("after the goodbye: %v", err)
					}
				}
				if response := r.get("/sdk/v1/stream", "X-API-Key", serverKey); response.StatusCode != http.StatusUnauthorized {
					t.Errorf("coming back: %s", response.Status)
				}
				last := r.publish("test", flag(t, "f", "on", true))
				if got := other.next(); got != "delta" || other.held.Position != last.Position {
					t.Errorf("a stream of another key: %s", got)
				}
			})
		})
	}
}

// What is published in the moment in which the key ends is not sent any more.
func TestNothingIsSentAfterTheKeyEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, stream.Options{})
		mine := r.open(serverKey, nil)
		mine.next()
		r.lose(serverKey, losses["revoke"].lose)
		synctest.Wait()
		r.publish("test", flag(t, "secret", "on", false))
		if got := mine.next(); !strings.Contains(got, auth.ReasonRevoked) {
			t.Errorf("the stream says %s", got)
		}
	})
}

func TestLongPollsEndWithTheirKey(t *testing.T) {
	for name, loss := range losses {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, stream.Options{})
				position := r.current["test"].Position.String()
				// Polls are at most a minute long, so that of an expiry begins before it.
				began := time.Now()
				if loss.after > 0 {
					r.lose(serverKey, loss.lose)
					time.Sleep(loss.after - 10*time.Second)
				}
				answered := make(chan *http.Response)
				go func() { answered <- r.get("/sdk/v1/snapshot?wait=60s&since="+position, "X-API-Key", serverKey) }()
				synctest.Wait()
				if loss.after == 0 {
					r.lose(serverKey, loss.lose)
				}
				response := <-answered
				if took := time.Since(began) - loss.after; took < 0 || took > time.Second {
					t.Errorf("it ended %s after the key", took)
				}
				if response.StatusCode != http.StatusUnauthorized || response.Header.Get("Content-Type") != "application/problem+json" {
					t.Errorf("it was answered %s as %s", response.Status, response.Header.Get("Content-Type"))
				}
			})
		})
	}
}

// lose takes a key of the rig away.
func (r *rig) lose(key auth.Secret, how func(t *testing.T, tx store.Tx, id string) error) {
	r.t.Helper()
	id := auth.NewCredential(key, "", store.SetID{}, time.Now()).ID
	if err := r.store.Update(r.t.Context(), func(tx store.Tx) error { return how(r.t, tx, id) }); err != nil {
		r.t.Fatal(err)
	}
}
