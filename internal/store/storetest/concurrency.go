package storetest

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"testing"

	"github.com/wigwag/wigwag/internal/store"
)

// errorer lets the functions of the suite be used outside the test's goroutine.
type errorer struct{ *testing.T }

// Fatalf fails the test and goes on.
func (e errorer) Fatalf(format string, args ...any) {
	e.Helper()
	e.Errorf(format, args...)
}

func exerciseConcurrency(t *testing.T, open opener) {
	// Each transaction reads a counter and writes it one higher in two sets: any
	// that overlap lose a count or a version.
	t.Run("writers", func(t *testing.T) {
		const writers, each = 8, 25
		st := open(t)
		create(t, st, production, staging)
		ctx := t.Context()
		var mu sync.Mutex
		versions := map[uint64]bool{}
		var wg sync.WaitGroup
		for range writers {
			wg.Go(func() {
				for range each {
					var version uint64
					err := st.Update(ctx, func(tx store.Tx) (err error) {
						version, err = count(ctx, tx)
						return err
					})
					if err != nil {
						t.Error(err)
						return
					}
					mu.Lock()
					if versions[version] {
						t.Errorf("two commits are version %d", version)
					}
					versions[version] = true
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		const total = writers * each
		wantItems(t, getItems(t, st, production), fmt.Sprintf("flag/n@%d=%d", total, total))
		wantItems(t, getItems(t, st, staging), fmt.Sprintf("flag/n@%d=%d", total, total))
		for i, change := range getChanges(t, st, production, 0, 0) {
			if change.Version != uint64(i+1) || string(change.Put[0].Body) != strconv.Itoa(i+1) {
				t.Fatalf("change %d is %d, %q", i+1, change.Version, change.Put[0].Body)
			}
			if !versions[change.Version] {
				t.Fatalf("version %d was returned to nobody", change.Version)
			}
		}
	})

	// Whoever reads version n reads everything up to it, in both sets, and never
	// less than before.
	t.Run("readers", func(t *testing.T) {
		const commits = 100
		st := open(t)
		create(t, st, production, staging)
		ctx := t.Context()
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				last := uint64(0)
				for last < commits {
					set, items := snapshotAt(errorer{t}, st, production, 0)
					version := set.Position.Version
					if version < last || t.Failed() {
						t.Errorf("read version %d after %d", version, last)
						return
					}
					last = version
					if version == 0 {
						continue
					}
					want := fmt.Sprintf("flag/n@%d=%d", version, version)
					if got := lines(items); len(got) != 1 || got[0] != want {
						t.Errorf("version %d holds %q", version, got)
						return
					}
					if other := getSet(errorer{t}, st, staging); other.Position.Version < version {
						t.Errorf("staging reads as %d after production as %d", other.Position.Version, version)
						return
					}
					changes := getChanges(errorer{t}, st, production, version-1, 1)
					if len(changes) != 1 || changes[0].Version != version {
						t.Errorf("version %d has no change: %v", version, changes)
						return
					}
				}
			})
		}
		for range commits {
			err := st.Update(ctx, func(tx store.Tx) error {
				_, err := count(ctx, tx)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		wg.Wait()
	})

	t.Run("readers do not wait", func(t *testing.T) {
		st := open(t)
		create(t, st, production, staging)
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		err := st.Update(ctx, func(tx store.Tx) error {
			if _, err := count(ctx, tx); err != nil {
				return err
			}
			var wg sync.WaitGroup
			for range 8 {
				wg.Go(func() {
					if _, err := st.Items(ctx, production); err != nil {
						t.Error(err)
					}
					if _, err := st.Sets(ctx); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

// count raises the counter in both sets and returns the version of the first.
func count(ctx context.Context, tx store.Tx) (uint64, error) {
	n := 0
	items, err := tx.Items(ctx, production)
	if err != nil {
		return 0, err
	}
	for _, item := range items {
		if n, err = strconv.Atoi(string(item.Body)); err != nil {
			return 0, err
		}
	}
	position, err := tx.Commit(ctx, production, put(item(flag("n"), strconv.Itoa(n+1))))
	if err != nil {
		return 0, err
	}
	if _, err := tx.Commit(ctx, staging, put(item(flag("n"), strconv.Itoa(n+1)))); err != nil {
		return 0, err
	}
	return position.Version, nil
}
