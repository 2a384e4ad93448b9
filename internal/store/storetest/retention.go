package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/wigwag/wigwag/internal/store"
	"github.com/wigwag/wigwag/snapshot"
	"pgregory.net/rapid"
)

func exerciseRetention(t *testing.T, open opener) {
	ctx := t.Context()
	future := time.Now().Add(time.Hour)

	t.Run("dropped", func(t *testing.T) {
		st := open(t)
		create(t, st, production, staging)
		commit(t, st, production, put(item(flag("kept"), "1"), item(flag("changed"), "1"), item(flag("deleted"), "1")))
		commit(t, st, production, put(item(flag("changed"), "2")))
		commit(t, st, production, del(flag("deleted")))
		commit(t, st, production, put(item(flag("new"), "1")))
		commit(t, st, staging, put(item(flag("other"), "1")))
		dropHistory(t, st, production, future, 1000)
		before := getSet(t, st, production)
		if before.Oldest != 4 || before.Position.Version != 4 {
			t.Fatalf("set is %+v", before)
		}
		if other := getSet(t, st, staging); other.Oldest != 0 || len(getChanges(t, st, staging, 0, 0)) != 1 {
			t.Fatalf("another set lost its history: %+v", other)
		}
		want := []string{"flag/changed@2=2", "flag/kept@1=1", "flag/new@4=1"}
		for _, version := range []uint64{0, 4} {
			set, items := snapshotAt(t, st, production, version)
			wantItems(t, items, want...)
			same(t, "set", set, before)
		}
		for _, version := range []uint64{1, 2, 3} {
			_, _, err := st.SnapshotAt(ctx, production, version)
			wantError(t, fmt.Sprintf("SnapshotAt %d", version), err, store.ErrNotFound)
			_, err = st.Changes(ctx, production, version, 0)
			wantError(t, fmt.Sprintf("Changes after %d", version), err, store.ErrNotFound)
		}
		if changes := getChanges(t, st, production, 4, 0); len(changes) != 0 {
			t.Fatalf("changes after the present: %+v", changes)
		}

		// The log goes on, and a name of before may come back.
		commit(t, st, production, put(item(flag("deleted"), "again")))
		commit(t, st, production, del(flag("kept")))
		_, items := snapshotAt(t, st, production, 4)
		wantItems(t, items, want...)
		_, items = snapshotAt(t, st, production, 5)
		wantItems(t, items, "flag/changed@2=2", "flag/deleted@5=again", "flag/kept@1=1", "flag/new@4=1")
		if changes := getChanges(t, st, production, 4, 0); len(changes) != 2 || changes[0].Version != 5 {
			t.Fatalf("changes are %+v", changes)
		}
		for _, c := range []struct {
			before time.Time
			oldest uint64
		}{{before.CommittedAt, 4}, {time.Time{}, 4}, {future, 6}, {future, 6}} {
			if dropHistory(t, st, production, c.before, 1000); getSet(t, st, production).Oldest != c.oldest {
				t.Fatalf("dropped up to %d, want %d", getSet(t, st, production).Oldest, c.oldest)
			}
		}
		wantItems(t, getItems(t, st, production), "flag/changed@2=2", "flag/deleted@5=again", "flag/new@4=1")
	})

	t.Run("nothing to drop", func(t *testing.T) {
		st := open(t)
		_, err := st.DropHistory(ctx, production, future, 1)
		wantError(t, "DropHistory of no set", err, store.ErrNotFound)
		create(t, st, production)
		if dropHistory(t, st, production, future, 1); getSet(t, st, production).Oldest != 0 {
			t.Error("a version that is not there is the oldest")
		}
	})

	t.Run("batches", func(t *testing.T) {
		st := open(t)
		create(t, st, production)
		for i := range 10 {
			commit(t, st, production, put(item(flag("a"), fmt.Sprint(i)), item(flag("b"), fmt.Sprint(i))))
		}
		var steps []uint64
		for more := true; more; {
			var err error
			if more, err = st.DropHistory(ctx, production, future, 5); err != nil {
				t.Fatal(err)
			}
			steps = append(steps, getSet(t, st, production).Oldest)
		}
		if !slices.Equal(steps, []uint64{2, 4, 6, 8, 10}) {
			t.Errorf("batches of 5 items end at %d", steps)
		}
		commit(t, st, production, put(item(flag("a"), "x"), item(flag("b"), "x")))
		if more, err := st.DropHistory(ctx, production, future, 1); more || err != nil || getSet(t, st, production).Oldest != 11 {
			t.Errorf("a change that is larger than a batch is not dropped: %v", err)
		}
	})

	t.Run("no hints", func(t *testing.T) {
		st := open(t)
		create(t, st, production)
		commit(t, st, production, put(item(flag("a"), "1")))
		defer st.Watch(func(h store.Hint) { t.Errorf("hint %+v, though the set did not move", h) })()
		dropHistory(t, st, production, future, 10)
	})

	t.Run("random", func(t *testing.T) {
		st := open(t)
		run := 0
		rapid.Check(t, func(t *rapid.T) {
			run++
			m := &model{id: store.SetID{Project: fmt.Sprintf("run-%d", run), Environment: "e"}, items: map[snapshot.Ref]store.Item{}}
			create(t, st, m.id)
			m.set = getSet(t, st, m.id)
			var times []time.Time
			for range rapid.IntRange(1, 12).Draw(t, "steps") {
				m.transaction(t, st)
				for uint64(len(times)) < m.set.Position.Version {
					times = append(times, getSet(t, st, m.id).CommittedAt)
				}
				if len(times) > 0 && rapid.IntRange(0, 2).Draw(t, "drop") == 0 {
					before := rapid.SampledFrom(append(slices.Clone(times), future)).Draw(t, "before")
					for uint64(len(times)) > m.set.Oldest && times[m.set.Oldest].Before(before) {
						m.set.Oldest++
					}
					dropHistory(t, st, m.id, before, rapid.IntRange(1, 20).Draw(t, "batch"))
				}
				m.checkKept(t, st, times)
			}
		})
	})
}

// dropHistory drops in batches until there is nothing more.
func dropHistory(t fataler, st store.Store, id store.SetID, before time.Time, limit int) {
	t.Helper()
	for more := true; more; {
		var err error
		if more, err = st.DropHistory(context.Background(), id, before, limit); err != nil {
			t.Fatalf("DropHistory(%s, %s): %v", id, before, err)
		}
	}
}

// checkKept compares what can still be read with the model.
func (m *model) checkKept(t *rapid.T, st store.Store, times []time.Time) {
	set := getSet(t, st, m.id)
	if set.Position != m.set.Position || set.Oldest != m.set.Oldest {
		t.Fatalf("set is at %s from %d, want %s from %d", set.Position, set.Oldest, m.set.Position, m.set.Oldest)
	}
	same(t, "current items", getItems(t, st, m.id), sortedItems(m.items))
	for i := range m.past {
		version := uint64(i + 1)
		then, items, err := st.SnapshotAt(t.Context(), m.id, version)
		if version < set.Oldest {
			wantError(t, fmt.Sprintf("SnapshotAt %d of %d", version, set.Oldest), err, store.ErrNotFound)
			continue
		}
		if err != nil {
			t.Fatalf("SnapshotAt %d, oldest %d: %v", version, set.Oldest, err)
		}
		same(t, fmt.Sprintf("snapshot at %d", version), items, m.past[i])
		want := set
		want.Position.Version, want.CommittedAt = version, times[i]
		same(t, fmt.Sprintf("set at %d", version), then, want)
	}
	changes := getChanges(t, st, m.id, set.Oldest, 0)
	if uint64(len(changes)) != set.Position.Version-set.Oldest {
		t.Fatalf("%d changes after %d, the set is at %s", len(changes), set.Oldest, set.Position)
	}
	if set.Oldest > 0 {
		if _, err := st.Changes(t.Context(), m.id, set.Oldest-1, 1); !errors.Is(err, store.ErrNotFound) {
			t.Fatalf("the change that made version %d is still there: %v", set.Oldest, err)
		}
	}
	m.checkLog(t, st, changes)
	m.checkNamed(t, st)
}

// checkLog holds a random query of the log against the changes of a set.
func (m *model) checkLog(t *rapid.T, st store.Store, changes []store.Change) {
	query := store.LogQuery{
		Newest: rapid.Bool().Draw(t, "newest"),
		Cursor: rapid.Uint64Range(0, m.set.Position.Version+1).Draw(t, "cursor"),
		Limit:  rapid.IntRange(0, 4).Draw(t, "limit"),
		Refs:   rapid.SliceOfN(rapid.SampledFrom(logRefs), 0, 2).Draw(t, "refs"),
	}
	var want []store.Entry
	for i := range changes {
		change := &changes[i]
		behind := query.Cursor == 0 || query.Newest && change.Version < query.Cursor || !query.Newest && change.Version > query.Cursor
		entry := store.Entry{Version: change.Version, At: change.At, Actor: change.Actor, Comment: change.Comment, Delete: change.Delete}
		hit := len(query.Refs) == 0
		for _, item := range change.Put {
			entry.Put = append(entry.Put, item.Ref)
			hit = hit || store.Named(query.Refs, item.Ref)
		}
		for _, ref := range change.Delete {
			hit = hit || store.Named(query.Refs, ref)
		}
		if behind && hit {
			want = append(want, entry)
		}
	}
	if query.Newest {
		slices.Reverse(want)
	}
	if query.Limit > 0 {
		want = want[:min(query.Limit, len(want))]
	}
	got, err := st.Log(t.Context(), m.id, query)
	if err != nil {
		t.Fatalf("Log(%+v): %v", query, err)
	}
	same(t, fmt.Sprintf("Log(%+v)", query), got, want)
}

// checkNamed asks for some items of a version that can be read.
func (m *model) checkNamed(t *rapid.T, st store.Store) {
	refs := rapid.SliceOfN(rapid.SampledFrom(logRefs), 1, 3).Draw(t, "named")
	version := rapid.Uint64Range(m.set.Oldest, m.set.Position.Version).Draw(t, "version")
	all := sortedItems(m.items)
	if version > 0 {
		all = m.past[version-1]
	}
	var want []store.Item
	for _, item := range all {
		if store.Named(refs, item.Ref) {
			want = append(want, item)
		}
	}
	_, got, err := st.SnapshotAt(t.Context(), m.id, version, refs...)
	if err != nil {
		t.Fatalf("SnapshotAt(%d, %v): %v", version, refs, err)
	}
	same(t, fmt.Sprintf("items %v at %d", refs, version), got, want)
}

// logRefs are names that genCommit draws, and some that it does not.
var logRefs = []snapshot.Ref{
	{Kind: snapshot.KindFlag, Key: "a"},
	{Kind: snapshot.KindSegment, Key: "b"},
	{Kind: snapshot.KindKeys, Key: "c/"},
	{Kind: snapshot.KindFlag, Key: "c/1"},
	{Kind: snapshot.KindFlag, Key: "c"},
	{Kind: snapshot.KindSegment, Key: "a/"},
	{Kind: "other", Key: "a"},
}
