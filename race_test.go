package wigwag_test

import (
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wigwag/wigwag"
)

// Evaluations run beside everything else that a client does; none of it may show
// in them. This one is for the race detector.
func TestEvaluationsBesideChangesFaultsAndHandlers(t *testing.T) {
	server := newServer(t, on("f"), on("g"))
	client := start(t, server.client(t))
	var done atomic.Bool
	var work sync.WaitGroup
	for range 4 {
		work.Go(func() {
			for !done.Load() {
				flags := client.At()
				if f, g := flags.Bool("f", false, nobody), flags.Bool("g", false, nobody); f != g {
					t.Errorf("f is %v, g is %v in one version", f, g)
					return
				}
				if d := client.BoolDetails("f", false, nobody); d.ErrorCode != "" {
					t.Errorf("answer %+v", d)
					return
				}
			}
		})
	}
	work.Go(func() {
		for !done.Load() {
			remove := client.OnChange(func(wigwag.Change) { _ = client.Stats() })
			_ = client.Refresh(t.Context())
			_ = client.WaitReady(t.Context())
			remove()
		}
	})
	for i := range 200 {
		if i%2 == 0 {
			server.commit(off("f"), off("g"))
		} else {
			server.commit(on("f"), on("g"))
		}
		switch i % 20 {
		case 5:
			server.failWith("", answer(http.StatusOK, "application/json", "{}"))
		case 10:
			server.failWith("", nil)
		case 15:
			server.cutStreams()
		}
		time.Sleep(time.Millisecond) // it spreads the work, nothing waits for it
	}
	done.Store(true)
	work.Wait()
}
