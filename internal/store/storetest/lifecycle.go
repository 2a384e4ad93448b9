package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/wigwag/wigwag/internal/store"
)

// calls are all methods that return an error, by name.
func calls(ctx context.Context, st store.Store) map[string]func() error {
	return map[string]func() error{
		"Sets":        func() error { _, err := st.Sets(ctx); return err },
		"Set":         func() error { _, err := st.Set(ctx, production); return err },
		"Item":        func() error { _, err := st.Item(ctx, production, flag("a")); return err },
		"Items":       func() error { _, err := st.Items(ctx, production); return err },
		"SnapshotAt":  func() error { _, _, err := st.SnapshotAt(ctx, production, 0); return err },
		"Changes":     func() error { _, err := st.Changes(ctx, production, 0, 0); return err },
		"Credential":  func() error { _, err := st.Credential(ctx, [32]byte{1}); return err },
		"Credentials": func() error { _, err := st.Credentials(ctx); return err },
		"Update":      func() error { return st.Update(ctx, func(store.Tx) error { return nil }) },
	}
}

func exerciseContexts(t *testing.T, open opener) {
	seeded := func(t *testing.T) store.Store {
		t.Helper()
		st := open(t)
		create(t, st, production)
		commit(t, st, production, put(item(flag("a"), "1")))
		err := st.Update(t.Context(), func(tx store.Tx) error {
			return tx.AddCredential(t.Context(), store.Credential{ID: "a", Hash: [32]byte{1}})
		})
		if err != nil {
			t.Fatal(err)
		}
		return st
	}

	t.Run("done before", func(t *testing.T) {
		st := seeded(t)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		for name, call := range calls(ctx, st) {
			wantError(t, name, call(), context.Canceled)
		}
		err := st.Update(ctx, func(store.Tx) error { t.Error("fn runs all the same"); return nil })
		wantError(t, "Update", err, context.Canceled)
		// The store is none the worse.
		for name, call := range calls(t.Context(), st) {
			if err := call(); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	})

	t.Run("done within", func(t *testing.T) {
		st := seeded(t)
		for _, ignore := range []bool{true, false} {
			ctx, cancel := context.WithCancel(t.Context())
			err := st.Update(ctx, func(tx store.Tx) error {
				if _, err := tx.Commit(ctx, production, put(item(flag("a"), "2"))); err != nil {
					return err
				}
				cancel()
				_, err := tx.Commit(ctx, production, put(item(flag("b"), "2")))
				wantError(t, "Commit", err, context.Canceled)
				_, err = tx.Items(ctx, production)
				wantError(t, "Items", err, context.Canceled)
				if ignore {
					return nil
				}
				return err
			})
			wantError(t, "Update", err, context.Canceled)
			wantItems(t, getItems(t, st, production), "flag/a@1=1")
		}
		if got := commit(t, st, production, put(item(flag("a"), "3"))); got != 2 {
			t.Errorf("the next version is %d", got)
		}
	})

	t.Run("done in the queue", func(t *testing.T) {
		st := seeded(t)
		ctx, cancel := context.WithCancel(t.Context())
		waiting := make(chan error, 1)
		err := st.Update(t.Context(), func(tx store.Tx) error {
			go func() {
				waiting <- st.Update(ctx, func(store.Tx) error { return errors.New("fn ran") })
			}()
			cancel()
			wantError(t, "Update in the queue", <-waiting, context.Canceled)
			_, err := tx.Commit(t.Context(), production, put(item(flag("a"), "2")))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		wantItems(t, getItems(t, st, production), "flag/a@2=2")
	})

	// Ends at any moment, the commit itself included, leave all or nothing.
	t.Run("done at any time", func(t *testing.T) {
		st := seeded(t)
		create(t, st, staging)
		for i := range 100 {
			before := getSet(t, st, staging).Position.Version
			ctx, cancel := context.WithCancel(t.Context())
			var wg sync.WaitGroup
			started := make(chan struct{})
			wg.Go(func() {
				<-started
				cancel()
			})
			err := st.Update(ctx, func(tx store.Tx) error {
				close(started)
				for k := range 5 {
					if _, err := tx.Commit(ctx, staging, put(item(flag(fmt.Sprint(k)), fmt.Sprint(i)))); err != nil {
						return err
					}
				}
				return nil
			})
			wg.Wait()
			want := before + 1
			if err != nil {
				wantError(t, "Update", err, context.Canceled)
				want = before
			}
			if got := getSet(t, st, staging).Position.Version; got != want {
				t.Fatalf("Update returned %v, and version %d is now %d", err, before, got)
			}
			if items := getItems(t, st, staging); want > 0 && len(items) != 5 {
				t.Fatalf("%d items, want all 5", len(items))
			}
		}
	})
}

func exerciseLifecycle(t *testing.T, open opener) {
	t.Run("closed", func(t *testing.T) {
		st := open(t)
		create(t, st, production)
		for range 3 {
			if err := st.Close(); err != nil {
				t.Fatalf("Close: %v", err)
			}
		}
		for name, call := range calls(t.Context(), st) {
			wantError(t, name, call(), store.ErrClosed)
		}
	})

	t.Run("waits", func(t *testing.T) {
		st := open(t)
		create(t, st, production)
		entered, release := make(chan struct{}), make(chan struct{})
		updated := make(chan error, 1)
		go func() {
			updated <- st.Update(context.Background(), func(tx store.Tx) error {
				close(entered)
				<-release
				_, err := tx.Commit(context.Background(), production, put(item(flag("a"), "1")))
				return err
			})
		}()
		<-entered
		closed := make(chan error, 2)
		for range cap(closed) {
			go func() { closed <- st.Close() }()
		}
		// Once new calls are turned away, Close has begun.
		for {
			if _, err := st.Sets(t.Context()); errors.Is(err, store.ErrClosed) {
				break
			}
		}
		select {
		case err := <-closed:
			t.Errorf("Close returned while a transaction was under way: %v", err)
			closed <- err
		case <-time.After(20 * time.Millisecond):
		}
		close(release)
		if err := <-updated; err != nil {
			t.Errorf("the transaction under way: %v", err)
		}
		for range cap(closed) {
			if err := <-closed; err != nil {
				t.Errorf("Close: %v", err)
			}
		}
	})

	t.Run("amid calls", func(t *testing.T) {
		for range 5 {
			st := open(t)
			create(t, st, production)
			var wg sync.WaitGroup
			for i := range 4 {
				wg.Go(func() {
					for n := 0; ; n++ {
						err := st.Update(t.Context(), func(tx store.Tx) error {
							_, err := tx.Commit(t.Context(), production, put(item(flag("a"), fmt.Sprint(i, n))))
							return err
						})
						if err == nil {
							_, _, err = st.SnapshotAt(t.Context(), production, 0)
						}
						if err == nil {
							continue
						}
						if !errors.Is(err, store.ErrClosed) {
							t.Errorf("amid Close: %v", err)
						}
						return
					}
				})
			}
			for getSet(t, st, production).Position.Version < 10 {
				continue
			}
			var closing sync.WaitGroup
			for range 3 {
				closing.Go(func() {
					if err := st.Close(); err != nil {
						t.Errorf("Close: %v", err)
					}
				})
			}
			closing.Wait()
			wg.Wait()
		}
	})
}
