package storetest

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"testing"

	"github.com/wigwag/wigwag/internal/store"
	"github.com/wigwag/wigwag/snapshot"
	"pgregory.net/rapid"
)

func exerciseHistory(t *testing.T, open opener) {
	ctx := t.Context()

	t.Run("changes", func(t *testing.T) {
		st := open(t)
		create(t, st, production, staging)
		for i := range 10 {
			commit(t, st, production, store.Commit{
				Actor: fmt.Sprintf("actor %d", i), Comment: fmt.Sprintf("comment %d", i),
				Put: []store.Item{item(flag("z"), fmt.Sprint(i)), item(flag("a"), fmt.Sprint(i))},
			})
			commit(t, st, staging, put(item(flag("other"), fmt.Sprint(i))))
		}
		all := getChanges(t, st, production, 0, 0)
		if len(all) != 10 {
			t.Fatalf("%d changes, want 10", len(all))
		}
		for i, change := range all {
			if change.Set != production || change.Version != uint64(i+1) ||
				change.Actor != fmt.Sprintf("actor %d", i) || change.Comment != fmt.Sprintf("comment %d", i) {
				t.Fatalf("change %d is %+v", i+1, change)
			}
			wantItems(t, change.Put, fmt.Sprintf("flag/a@%d=%d", i+1, i), fmt.Sprintf("flag/z@%d=%d", i+1, i))
			if change.Put[0].Digest != sha256.Sum256(change.Put[0].Body) {
				t.Fatalf("change %d has a wrong digest", i+1)
			}
		}
		for _, c := range []struct {
			after    uint64
			limit    int
			from, to int // of all
		}{
			{0, 1, 0, 1},
			{0, 10, 0, 10},
			{0, 11, 0, 10},
			{3, 0, 3, 10},
			{3, 4, 3, 7},
			{9, 4, 9, 10},
			{9, 0, 9, 10},
			{10, 0, 10, 10},
			{11, 5, 10, 10},
			{math.MaxUint64, 0, 10, 10},
			{math.MaxUint64 - 1, 1, 10, 10},
			{8, math.MaxInt, 8, 10},
		} {
			same(t, fmt.Sprintf("changes after %d, at most %d", c.after, c.limit),
				getChanges(t, st, production, c.after, c.limit), all[c.from:c.to])
		}
	})

	t.Run("times", func(t *testing.T) {
		st := open(t)
		create(t, st, production)
		last := getSet(t, st, production).CommittedAt
		for i := range 50 {
			commit(t, st, production, put(item(flag("a"), fmt.Sprint(i))))
			set := getSet(t, st, production)
			at := set.CommittedAt
			if at.Before(last) {
				t.Fatalf("version %d is of %s, the one before of %s", set.Position.Version, at, last)
			}
			if at != store.KeptTime(at) {
				t.Fatalf("%v is not to the microsecond in UTC", at)
			}
			change := getChanges(t, st, production, set.Position.Version-1, 0)[0]
			then, _ := snapshotAt(t, st, production, set.Position.Version)
			if change.At != at || then.CommittedAt != at {
				t.Fatalf("set %v, change %v, snapshot %v", at, change.At, then.CommittedAt)
			}
			last = at
		}
	})

	t.Run("beyond", func(t *testing.T) {
		st := open(t)
		create(t, st, production)
		for _, version := range []uint64{1, 2, math.MaxInt64, math.MaxInt64 + 1, math.MaxUint64} {
			_, _, err := st.SnapshotAt(ctx, production, version)
			wantError(t, fmt.Sprintf("SnapshotAt %d of a new set", version), err, store.ErrNotFound)
		}
		commit(t, st, production, put(item(flag("a"), "1")))
		_, items := snapshotAt(t, st, production, 1)
		wantItems(t, items, "flag/a@1=1")
		for _, version := range []uint64{2, math.MaxInt64, math.MaxInt64 + 1, math.MaxUint64} {
			_, _, err := st.SnapshotAt(ctx, production, version)
			wantError(t, fmt.Sprintf("SnapshotAt %d of a set at 1", version), err, store.ErrNotFound)
			if missing, ok := errors.AsType[*store.NotFoundError](err); !ok || missing.What == "" || missing.Key == "" {
				t.Errorf("the error does not say what was not found: %v", err)
			}
		}
	})

	t.Run("replay", func(t *testing.T) {
		st := open(t)
		run := 0
		rapid.Check(t, func(t *rapid.T) {
			run++
			m := &model{id: store.SetID{Project: fmt.Sprintf("run-%d", run), Environment: "e"}, items: map[snapshot.Ref]store.Item{}}
			create(t, st, m.id)
			m.set = getSet(t, st, m.id)
			for range rapid.IntRange(0, 12).Draw(t, "transactions") {
				m.transaction(t, st)
			}
			m.check(t, st)
		})
	})
}

// model is what a set must hold, kept by other means than the store's.
type model struct {
	id    store.SetID
	set   store.Set
	items map[snapshot.Ref]store.Item
	// past holds the items after version n at n-1.
	past [][]store.Item
}

// transaction runs one transaction of random commits, some of which it gives up.
func (m *model) transaction(t *rapid.T, st store.Store) {
	commits := rapid.SliceOfN(rapid.Custom(genCommit), 1, 3).Draw(t, "commits")
	errGivenUp := errors.New("given up")
	giveUp := rapid.IntRange(0, 9).Draw(t, "give up") == 0
	next, wrote := maps.Clone(m.items), false
	version := m.set.Position.Version + 1
	err := st.Update(t.Context(), func(tx store.Tx) error {
		next, wrote = maps.Clone(m.items), false
		for _, c := range commits {
			for _, put := range c.Put {
				if old, ok := next[put.Ref]; !ok || string(old.Body) != string(put.Body) {
					put.Version, put.Digest = version, sha256.Sum256(put.Body)
					next[put.Ref] = put
					wrote = true
				}
			}
			for _, ref := range c.Delete {
				if _, ok := next[ref]; ok {
					delete(next, ref)
					wrote = true
				}
			}
			position, err := tx.Commit(t.Context(), m.id, c)
			if err != nil {
				return err
			}
			want := m.set.Position
			if wrote {
				want.Version = version
			}
			if position != want {
				t.Fatalf("commit is at %s, want %s", position, want)
			}
			same(t, "items within the transaction", getItems(t, tx, m.id), sortedItems(next))
		}
		if giveUp {
			return errGivenUp
		}
		return nil
	})
	if giveUp {
		wantError(t, "Update", err, errGivenUp)
		return
	}
	if err != nil {
		t.Fatalf("Update: %v", err)
	}
	if wrote {
		m.set.Position.Version = version
		m.items = next
		m.past = append(m.past, sortedItems(next))
	}
}

// check compares all that the store says of the set with the model, and with a
// replay of the set's changes.
func (m *model) check(t *rapid.T, st store.Store) {
	set := getSet(t, st, m.id)
	if set.Position != m.set.Position {
		t.Fatalf("set is at %s, want %s", set.Position, m.set.Position)
	}
	same(t, "current items", getItems(t, st, m.id), sortedItems(m.items))
	current, items := snapshotAt(t, st, m.id, 0)
	same(t, "current set", current, set)
	same(t, "current snapshot", items, sortedItems(m.items))

	changes := getChanges(t, st, m.id, 0, 0)
	if len(changes) != len(m.past) {
		t.Fatalf("%d changes, want %d", len(changes), len(m.past))
	}
	replayed := map[snapshot.Ref]store.Item{}
	for i, change := range changes {
		version := uint64(i + 1)
		if change.Version != version || len(change.Put)+len(change.Delete) == 0 {
			t.Fatalf("change %d is %+v", version, change)
		}
		if !slices.IsSortedFunc(change.Put, func(a, b store.Item) int { return a.Compare(b.Ref) }) ||
			!slices.IsSortedFunc(change.Delete, snapshot.Ref.Compare) {
			t.Fatalf("change %d is not sorted: %+v", version, change)
		}
		for _, put := range change.Put {
			replayed[put.Ref] = put
		}
		for _, ref := range change.Delete {
			delete(replayed, ref)
		}
		then, items := snapshotAt(t, st, m.id, version)
		same(t, fmt.Sprintf("set at %d", version), then,
			store.Set{ID: m.id, Position: snapshot.Position{Epoch: set.Position.Epoch, Version: version}, CommittedAt: change.At})
		same(t, fmt.Sprintf("snapshot at %d", version), items, m.past[i])
		same(t, fmt.Sprintf("replay to %d", version), sortedItems(replayed), items)
	}
	after := rapid.Uint64Range(0, uint64(len(changes))).Draw(t, "after")
	limit := rapid.IntRange(1, 5).Draw(t, "limit")
	want := changes[after:]
	same(t, "part of the changes", getChanges(t, st, m.id, after, limit), want[:min(limit, len(want))])
}

// genCommit draws from few names and bodies, so that items are put again with the
// same bytes, deleted and made anew.
func genCommit(t *rapid.T) store.Commit {
	c := store.Commit{Actor: "ada", Comment: rapid.StringN(0, 5, 20).Draw(t, "comment")}
	kinds := []snapshot.Kind{snapshot.KindFlag, snapshot.KindSegment, snapshot.KindKeys}
	for _, kind := range kinds {
		for _, key := range []string{"a", "b", "c/1"} {
			ref := snapshot.Ref{Kind: kind, Key: key}
			switch rapid.IntRange(0, 5).Draw(t, "what") {
			case 0:
				c.Delete = append(c.Delete, ref)
			case 1, 2:
				c.Put = append(c.Put, item(ref, rapid.SampledFrom([]string{"1", "2", `{"n":"ü"}`}).Draw(t, "body")))
			}
		}
	}
	// The order in a commit means nothing.
	c.Put = rapid.Permutation(c.Put).Draw(t, "order")
	return c
}

func sortedItems(items map[snapshot.Ref]store.Item) []store.Item {
	return slices.SortedFunc(maps.Values(items), func(a, b store.Item) int { return a.Compare(b.Ref) })
}
