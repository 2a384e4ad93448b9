// Package storetest is the suite that every implementation of the storage
// contract passes.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/wigwag/wigwag/internal/store"
	"github.com/wigwag/wigwag/snapshot"
)

// Exercise runs the suite. Open returns an empty store that nobody else uses; the
// suite closes it.
func Exercise(t *testing.T, open func(t *testing.T) store.Store) {
	t.Helper()
	for _, topic := range []struct {
		name string
		run  func(t *testing.T, open opener)
	}{
		{"Sets", exerciseSets},
		{"Deletion", exerciseDeletion},
		{"Commits", exerciseCommits},
		{"Bodies", exerciseBodies},
		{"Pages", exercisePages},
		{"Transactions", exerciseTransactions},
		{"History", exerciseHistory},
		{"Retention", exerciseRetention},
		{"Credentials", exerciseCredentials},
		{"Outcomes", exerciseOutcomes},
		{"Watch", exerciseWatch},
		{"Concurrency", exerciseConcurrency},
		{"Contexts", exerciseContexts},
		{"Lifecycle", exerciseLifecycle},
	} {
		t.Run(topic.name, func(t *testing.T) {
			topic.run(t, func(t *testing.T) store.Store {
				t.Helper()
				st := open(t)
				t.Cleanup(func() {
					if err := st.Close(); err != nil {
						t.Errorf("Close: %v", err)
					}
				})
				return st
			})
		})
	}
}

type opener func(t *testing.T) store.Store

// patience bounds every wait. Nothing passes because it has passed.
const patience = 20 * time.Second

// The sets that most cases use.
var (
	production = store.SetID{Project: "shop", Environment: "production"}
	staging    = store.SetID{Project: "shop", Environment: "staging"}
	catalogue  = store.SetID{Project: "shop"}
)

func flag(key string) snapshot.Ref { return snapshot.Ref{Kind: snapshot.KindFlag, Key: key} }

func item(ref snapshot.Ref, body string) store.Item {
	return store.Item{Ref: ref, Body: []byte(body)}
}

func put(items ...store.Item) store.Commit { return store.Commit{Actor: "ada", Put: items} }

func del(refs ...snapshot.Ref) store.Commit { return store.Commit{Actor: "ada", Delete: refs} }

// fataler is *testing.T or *rapid.T.
type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

func create(t fataler, st store.Store, ids ...store.SetID) {
	t.Helper()
	err := st.Update(context.Background(), func(tx store.Tx) error {
		for _, id := range ids {
			if err := tx.CreateSet(context.Background(), id); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatalf("create sets: %v", err)
	}
}

// commit commits in a transaction of its own and returns the new version.
func commit(t fataler, st store.Store, id store.SetID, c store.Commit) uint64 {
	t.Helper()
	var position snapshot.Position
	err := st.Update(context.Background(), func(tx store.Tx) (err error) {
		position, err = tx.Commit(context.Background(), id, c)
		return err
	})
	if err != nil {
		t.Fatalf("commit to %s: %v", id, err)
	}
	return position.Version
}

func getSet(t fataler, r store.Reader, id store.SetID) store.Set {
	t.Helper()
	set, err := r.Set(context.Background(), id)
	if err != nil {
		t.Fatalf("Set(%s): %v", id, err)
	}
	return set
}

func getItems(t fataler, r store.Reader, id store.SetID, kinds ...snapshot.Kind) []store.Item {
	t.Helper()
	items, err := r.Items(context.Background(), id, kinds...)
	if err != nil {
		t.Fatalf("Items(%s): %v", id, err)
	}
	return items
}

func getChanges(t fataler, st store.Store, id store.SetID, after uint64, limit int) []store.Change {
	t.Helper()
	changes, err := st.Changes(context.Background(), id, after, limit)
	if err != nil {
		t.Fatalf("Changes(%s, %d, %d): %v", id, after, limit, err)
	}
	return changes
}

func snapshotAt(t fataler, st store.Store, id store.SetID, version uint64) (store.Set, []store.Item) {
	t.Helper()
	set, items, err := st.SnapshotAt(context.Background(), id, version)
	if err != nil {
		t.Fatalf("SnapshotAt(%s, %d): %v", id, version, err)
	}
	return set, items
}

// lines returns items as kind/key@version=body, for messages that can be read.
func lines(items []store.Item) []string {
	list := make([]string, len(items))
	for i, item := range items {
		list[i] = fmt.Sprintf("%s@%d=%s", item.Ref, item.Version, item.Body)
	}
	return list
}

func wantItems(t fataler, got []store.Item, want ...string) {
	t.Helper()
	if got := lines(got); !slices.Equal(got, want) {
		t.Fatalf("items are %q, want %q", got, want)
	}
}

// same fails unless got equals want; nil and empty lists are the same.
func same(t fataler, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Fatalf("%s (-want +got):\n%s", what, diff)
	}
}

func wantError(t fataler, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("%s: error is %v, want %v", what, err, want)
	}
}
