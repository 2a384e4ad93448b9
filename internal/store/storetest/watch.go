package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wigwag/wigwag/internal/store"
)

// hints collects the hints of a store.
type hints struct {
	all chan store.Hint
}

func watch(t *testing.T, st store.Store) *hints {
	t.Helper()
	h := &hints{make(chan store.Hint, 1024)}
	t.Cleanup(st.Watch(func(hint store.Hint) { h.all <- hint }))
	return h
}

// until returns the hints up to one of that set at that version or later.
func (h *hints) until(t *testing.T, id store.SetID, version uint64) []store.Hint {
	t.Helper()
	var seen []store.Hint
	deadline := time.After(patience)
	for {
		select {
		case hint := <-h.all:
			seen = append(seen, hint)
			if hint.Set == id && hint.Version >= version {
				return seen
			}
		case <-deadline:
			t.Fatalf("no hint of %s at %d, only %v", id, version, seen)
		}
	}
}

// untilCredentials waits for a hint of credentials, which has nothing else.
func (h *hints) untilCredentials(t *testing.T, what string) {
	t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case hint := <-h.all:
			if hint == (store.Hint{Credentials: true}) {
				return
			}
			if hint.Credentials {
				t.Fatalf("%s: hint %+v", what, hint)
			}
		case <-deadline:
			t.Fatalf("%s: no hint", what)
		}
	}
}

func exerciseWatch(t *testing.T, open opener) {
	ctx := t.Context()

	t.Run("hints", func(t *testing.T) {
		st := open(t)
		first, second := watch(t, st), watch(t, st)
		create(t, st, production, staging)
		first.until(t, production, 0)
		commit(t, st, production, put(item(flag("a"), "1")))
		first.until(t, production, 1)
		second.until(t, production, 1)
		err := st.Update(ctx, func(tx store.Tx) error {
			for _, id := range []store.SetID{production, staging} {
				for i := range 3 {
					if _, err := tx.Commit(ctx, id, put(item(flag("a"), fmt.Sprint("x", i)))); err != nil {
						return err
					}
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		first.until(t, production, 2)
		second.until(t, staging, 1)
	})

	t.Run("nothing not committed", func(t *testing.T) {
		st := open(t)
		create(t, st, production, staging)
		h := watch(t, st)
		no := errors.New("no")
		err := st.Update(ctx, func(tx store.Tx) error {
			if err := tx.CreateSet(ctx, catalogue); err != nil {
				return err
			}
			if _, err := tx.Commit(ctx, production, put(item(flag("a"), "1"))); err != nil {
				return err
			}
			return no
		})
		wantError(t, "Update", err, no)
		func() {
			defer func() { _ = recover() }()
			_ = st.Update(ctx, func(tx store.Tx) error {
				if _, err := tx.Commit(ctx, production, put(item(flag("a"), "1"))); err != nil {
					t.Error(err)
				}
				panic("no")
			})
		}()
		commit(t, st, production, del(flag("a"))) // writes nothing
		commit(t, st, staging, put(item(flag("a"), "1")))
		for _, hint := range h.until(t, staging, 1) {
			if hint.Set == catalogue || hint.Set == production && hint.Version > 0 {
				t.Errorf("hint of %s at %d, which was never committed", hint.Set, hint.Version)
			}
		}
	})

	// The watcher waits for the reads here, which only a test may, so that a hint
	// sent too early cannot be overtaken by its commit.
	t.Run("readable", func(t *testing.T) {
		const commits = 50
		st := open(t)
		create(t, st, production)
		hints, checked := make(chan store.Hint), make(chan struct{})
		ctx, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		defer st.Watch(func(hint store.Hint) {
			select {
			case hints <- hint:
			case <-ctx.Done():
				return
			}
			select {
			case <-checked:
			case <-ctx.Done():
			}
		})()
		var wg sync.WaitGroup
		defer wg.Wait()
		defer cancel()
		wg.Go(func() {
			for i := range commits {
				commit(errorer{t}, st, production, put(item(flag("a"), fmt.Sprint(i))))
			}
		})
		for seen := uint64(0); seen < commits; {
			select {
			case hint := <-hints:
				seen = max(seen, hint.Version)
			case <-ctx.Done():
				t.Fatalf("no hint after version %d", seen)
			}
			set, _, err := st.SnapshotAt(ctx, production, 0)
			if err != nil || set.Position.Version < seen {
				t.Fatalf("hint of %d while the set reads as %d, %v", seen, set.Position.Version, err)
			}
			select {
			case checked <- struct{}{}:
			case <-ctx.Done():
			}
		}
	})

	t.Run("stop", func(t *testing.T) {
		st := open(t)
		create(t, st, production)
		entered, release := make(chan struct{}), make(chan struct{})
		var once sync.Once
		var calls atomic.Int64
		stop := st.Watch(func(store.Hint) {
			calls.Add(1)
			once.Do(func() {
				close(entered)
				<-release
			})
		})
		var wg sync.WaitGroup
		wg.Go(func() { commit(errorer{t}, st, production, put(item(flag("a"), "1"))) })
		<-entered
		stopped := make(chan struct{})
		wg.Go(func() {
			stop()
			close(stopped)
		})
		select {
		case <-stopped:
			t.Error("stop returned while a call was under way")
		case <-time.After(20 * time.Millisecond):
		}
		close(release)
		<-stopped
		wg.Wait()
		after := calls.Load()
		commit(t, st, production, put(item(flag("a"), "2")))
		// A watcher that gets the hint shows that it has been sent.
		h := watch(t, st)
		commit(t, st, production, put(item(flag("a"), "3")))
		h.until(t, production, 3)
		if got := calls.Load(); got != after {
			t.Errorf("%d calls after stop", got-after)
		}
		stop() // again does nothing
	})

	t.Run("come and go", func(t *testing.T) {
		st := open(t)
		create(t, st, production)
		var wg sync.WaitGroup
		done := make(chan struct{})
		for range 4 {
			wg.Go(func() {
				for {
					select {
					case <-done:
						return
					default:
					}
					var inside, stopped atomic.Bool
					stop := st.Watch(func(store.Hint) {
						if !inside.CompareAndSwap(false, true) {
							t.Error("two calls at a time")
						}
						if stopped.Load() {
							t.Error("a call after stop")
						}
						inside.Store(false)
					})
					stop()
					stopped.Store(true)
				}
			})
		}
		for i := range 100 {
			commit(t, st, production, put(item(flag("a"), fmt.Sprint(i))))
		}
		close(done)
		wg.Wait()
	})

	t.Run("closed", func(t *testing.T) {
		st := open(t)
		create(t, st, production)
		h := watch(t, st)
		if err := st.Close(); err != nil {
			t.Fatal(err)
		}
		wantError(t, "Update", st.Update(ctx, func(store.Tx) error { return nil }), store.ErrClosed)
		st.Watch(func(store.Hint) {})()
		if len(h.all) != 0 {
			t.Errorf("hint of a closed store: %v", <-h.all)
		}
	})
}
