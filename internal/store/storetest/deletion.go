package storetest

import (
	"errors"
	"testing"

	"github.com/wigwag/wigwag/internal/store"
	"github.com/wigwag/wigwag/snapshot"
)

func exerciseDeletion(t *testing.T, open opener) {
	ctx := t.Context()
	remove := func(id store.SetID) func(store.Tx) error {
		return func(tx store.Tx) error { return tx.DeleteSet(ctx, id) }
	}
	// filled has production and staging with two versions each, the catalogue, and
	// a credential of each kind.
	filled := func(t *testing.T) store.Store {
		t.Helper()
		st := open(t)
		create(t, st, catalogue, production, staging)
		for _, id := range []store.SetID{production, staging, catalogue} {
			commit(t, st, id, put(item(flag("a"), "1"), item(flag("b"), "1")))
			commit(t, st, id, put(item(flag("a"), "2")))
		}
		err := st.Update(ctx, func(tx store.Tx) error {
			for i, c := range []store.Credential{
				{ID: "sk-1", Kind: "sk", Set: production},
				{ID: "ck-1", Kind: "ck", Set: production},
				{ID: "sk-2", Kind: "sk", Set: staging},
				{ID: "tk-1", Kind: "tk"},
			} {
				c.Hash[0] = byte(i + 1)
				if err := tx.AddCredential(ctx, c); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return st
	}
	credentials := func(t *testing.T, st store.Store) (ids []string) {
		t.Helper()
		all, err := st.Credentials(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for i := range all {
			ids = append(ids, all[i].ID)
		}
		return ids
	}
	// gone fails unless nothing is known of production.
	gone := func(t *testing.T, st store.Store) {
		t.Helper()
		_, err := st.Set(ctx, production)
		wantError(t, "Set", err, store.ErrNotFound)
		_, err = st.Item(ctx, production, flag("a"))
		wantError(t, "Item", err, store.ErrNotFound)
		wantItems(t, getItems(t, st, production))
		for version := range uint64(3) {
			_, _, err = st.SnapshotAt(ctx, production, version)
			wantError(t, "SnapshotAt", err, store.ErrNotFound)
		}
		if changes := getChanges(t, st, production, 0, 0); len(changes) != 0 {
			t.Errorf("changes are left: %v", changes)
		}
		_, err = st.Credential(ctx, [32]byte{1})
		wantError(t, "Credential", err, store.ErrNotFound)
	}

	t.Run("everything of the set and nothing else", func(t *testing.T) {
		st := filled(t)
		if err := st.Update(ctx, remove(production)); err != nil {
			t.Fatal(err)
		}
		gone(t, st)
		same(t, "credentials", credentials(t, st), []string{"sk-2", "tk-1"})
		wantItems(t, getItems(t, st, staging), "flag/a@2=2", "flag/b@1=1")
		wantItems(t, getItems(t, st, catalogue), "flag/a@2=2", "flag/b@1=1")
		if n := len(getChanges(t, st, staging, 0, 0)); n != 2 {
			t.Errorf("%d changes are left of another set", n)
		}
		wantError(t, "deleting again", st.Update(ctx, remove(production)), store.ErrNotFound)
	})

	t.Run("a catalogue", func(t *testing.T) {
		st := filled(t)
		if err := st.Update(ctx, remove(catalogue)); err != nil {
			t.Fatal(err)
		}
		_, err := st.Set(ctx, catalogue)
		wantError(t, "Set", err, store.ErrNotFound)
		wantItems(t, getItems(t, st, production), "flag/a@2=2", "flag/b@1=1")
		same(t, "credentials", credentials(t, st), []string{"ck-1", "sk-1", "sk-2", "tk-1"})
	})

	t.Run("refused", func(t *testing.T) {
		st := filled(t)
		// The refusal leaves the transaction usable.
		err := st.Update(ctx, func(tx store.Tx) error {
			wantError(t, "DeleteSet of what is not there", tx.DeleteSet(ctx, store.SetID{Project: "none"}), store.ErrNotFound)
			_, err := tx.Commit(ctx, staging, put(item(flag("c"), "1")))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		wantItems(t, getItems(t, st, staging, snapshot.KindFlag), "flag/a@2=2", "flag/b@1=1", "flag/c@3=1")
	})

	t.Run("rolled back", func(t *testing.T) {
		st := filled(t)
		before := getSet(t, st, production)
		no := errors.New("no")
		wantError(t, "Update", st.Update(ctx, func(tx store.Tx) error {
			if err := tx.DeleteSet(ctx, production); err != nil {
				return err
			}
			_, err := tx.Set(ctx, production)
			wantError(t, "Set of what the transaction deleted", err, store.ErrNotFound)
			_, err = tx.Commit(ctx, production, put(item(flag("a"), "3")))
			wantError(t, "Commit to what the transaction deleted", err, store.ErrNotFound)
			return no
		}), no)
		same(t, "the set", getSet(t, st, production), before)
		wantItems(t, getItems(t, st, production), "flag/a@2=2", "flag/b@1=1")
		same(t, "credentials", credentials(t, st), []string{"ck-1", "sk-1", "sk-2", "tk-1"})
		if n := len(getChanges(t, st, production, 0, 0)); n != 2 {
			t.Errorf("%d changes are left", n)
		}
	})

	t.Run("after a commit in the transaction", func(t *testing.T) {
		st := filled(t)
		err := st.Update(ctx, func(tx store.Tx) error {
			if _, err := tx.Commit(ctx, production, put(item(flag("c"), "1"))); err != nil {
				return err
			}
			return tx.DeleteSet(ctx, production)
		})
		if err != nil {
			t.Fatal(err)
		}
		gone(t, st)
	})

	t.Run("made again", func(t *testing.T) {
		for name, together := range map[string]bool{"later": false, "in one transaction": true} {
			t.Run(name, func(t *testing.T) {
				st := filled(t)
				before := getSet(t, st, production)
				var err error
				if together {
					err = st.Update(ctx, func(tx store.Tx) error {
						if _, err := tx.Commit(ctx, production, put(item(flag("c"), "1"))); err != nil {
							return err
						}
						if err := tx.DeleteSet(ctx, production); err != nil {
							return err
						}
						if err := tx.CreateSet(ctx, production); err != nil {
							return err
						}
						position, err := tx.Commit(ctx, production, put(item(flag("z"), "new")))
						if position.Version != 1 {
							t.Errorf("the new set begins at %s", position)
						}
						return err
					})
				} else if err = st.Update(ctx, remove(production)); err == nil {
					create(t, st, production)
					commit(t, st, production, put(item(flag("z"), "new")))
				}
				if err != nil {
					t.Fatal(err)
				}
				after := getSet(t, st, production)
				if after.Position.Epoch <= before.Position.Epoch || after.Position.Version != 1 {
					t.Errorf("at %s, was at %s", after.Position, before.Position)
				}
				wantItems(t, getItems(t, st, production), "flag/z@1=new")
				changes := getChanges(t, st, production, 0, 0)
				if len(changes) != 1 || len(changes[0].Put) != 1 || changes[0].Put[0].Ref != flag("z") {
					t.Errorf("changes are %+v", changes)
				}
				_, err = st.Credential(ctx, [32]byte{1})
				wantError(t, "a credential of the old set", err, store.ErrNotFound)
			})
		}
	})

	t.Run("hints", func(t *testing.T) {
		st := filled(t)
		h := watch(t, st)
		if err := st.Update(ctx, remove(production)); err != nil {
			t.Fatal(err)
		}
		h.until(t, production, 0)
	})
}
