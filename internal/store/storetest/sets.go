package storetest

import (
	"context"
	"regexp"
	"testing"
	"time"

	"github.com/wigwag/wigwag/internal/store"
	"github.com/wigwag/wigwag/snapshot"
)

var uuidV7 = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

func exerciseSets(t *testing.T, open opener) {
	ctx := t.Context()

	t.Run("none", func(t *testing.T) {
		st := open(t)
		sets, err := st.Sets(ctx)
		if err != nil || len(sets) != 0 {
			t.Fatalf("Sets of an empty store: %v, %v", sets, err)
		}
		_, err = st.Set(ctx, production)
		wantError(t, "Set", err, store.ErrNotFound)
		_, err = st.Item(ctx, production, flag("a"))
		wantError(t, "Item", err, store.ErrNotFound)
		wantItems(t, getItems(t, st, production))
		_, _, err = st.SnapshotAt(ctx, production, 0)
		wantError(t, "SnapshotAt", err, store.ErrNotFound)
		if changes := getChanges(t, st, production, 0, 0); len(changes) != 0 {
			t.Fatalf("Changes of no set: %v", changes)
		}
	})

	t.Run("new", func(t *testing.T) {
		st := open(t)
		before := store.KeptTime(time.Now())
		create(t, st, production)
		set := getSet(t, st, production)
		if set.ID != production || set.Position.Version != 0 {
			t.Errorf("a new set is %+v", set)
		}
		if set.CommittedAt.Before(before) || set.CommittedAt.After(time.Now()) {
			t.Errorf("made at %s, not since %s", set.CommittedAt, before)
		}
		wantItems(t, getItems(t, st, production))
		current, items := snapshotAt(t, st, production, 0)
		same(t, "snapshot of a new set", current, set)
		wantItems(t, items)
	})

	t.Run("exists", func(t *testing.T) {
		st := open(t)
		create(t, st, production)
		epoch := getSet(t, st, production).Position.Epoch
		err := st.Update(ctx, func(tx store.Tx) error { return tx.CreateSet(ctx, production) })
		wantError(t, "CreateSet of what is there", err, store.ErrExists)
		// The refusal leaves the transaction usable.
		err = st.Update(ctx, func(tx store.Tx) error {
			wantError(t, "CreateSet of what is there", tx.CreateSet(ctx, production), store.ErrExists)
			return tx.CreateSet(ctx, staging)
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := getSet(t, st, production).Position.Epoch; got != epoch {
			t.Errorf("the epoch changed from %s to %s", epoch, got)
		}
		getSet(t, st, staging)
	})

	t.Run("sorted", func(t *testing.T) {
		st := open(t)
		ids := []store.SetID{
			{Project: "Zoo"},
			{Project: "a"},
			{Project: "a", Environment: "Prod"},
			{Project: "a", Environment: "dev"},
			{Project: "a-b", Environment: "dev"},
			{Project: "é"},
		}
		for i := range ids {
			create(t, st, ids[(i*5+2)%len(ids)])
		}
		check := func(r store.Reader) {
			sets, err := r.Sets(ctx)
			if err != nil {
				t.Fatal(err)
			}
			got := make([]store.SetID, len(sets))
			for i, set := range sets {
				got[i] = set.ID
				same(t, "Set and Sets", getSet(t, r, set.ID), set)
			}
			same(t, "order of sets", got, ids)
		}
		check(st)
		if err := st.Update(ctx, func(tx store.Tx) error { check(tx); return nil }); err != nil {
			t.Fatal(err)
		}
	})

	t.Run("epochs", func(t *testing.T) {
		st := open(t)
		last := ""
		for range 50 {
			id := store.SetID{Project: "p", Environment: "e" + last}
			create(t, st, id)
			epoch := getSet(t, st, id).Position.Epoch
			if !uuidV7.MatchString(epoch) {
				t.Fatalf("epoch %q is no lower-case UUIDv7", epoch)
			}
			if epoch <= last {
				t.Fatalf("epoch %s does not follow %s", epoch, last)
			}
			if _, err := snapshot.ParsePosition(snapshot.Position{Epoch: epoch, Version: 1}.String()); err != nil {
				t.Fatal(err)
			}
			last = epoch
		}
	})

	t.Run("apart", func(t *testing.T) {
		st := open(t)
		create(t, st, production, staging, catalogue)
		commit(t, st, production, put(item(flag("a"), "1")))
		commit(t, st, production, put(item(flag("a"), "2")))
		commit(t, st, catalogue, put(item(snapshot.Ref{Kind: store.KindDefinition, Key: "a"}, "3")))
		wantItems(t, getItems(t, st, production), "flag/a@2=2")
		wantItems(t, getItems(t, st, staging))
		wantItems(t, getItems(t, st, catalogue), "definition/a@1=3")
		if !getSet(t, st, catalogue).ID.IsCatalogue() {
			t.Error("the catalogue came back as a flag set")
		}
		if changes := getChanges(t, st, staging, 0, 0); len(changes) != 0 {
			t.Errorf("changes of a set never written to: %v", changes)
		}
	})

	// Contexts of helpers above are the background's; reads with one that ends
	// later work the same.
	t.Run("deadline", func(t *testing.T) {
		st := open(t)
		create(t, st, production)
		ctx, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		if _, err := st.Set(ctx, production); err != nil {
			t.Fatal(err)
		}
		if _, _, err := st.SnapshotAt(ctx, production, 0); err != nil {
			t.Fatal(err)
		}
	})
}
