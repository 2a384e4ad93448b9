package storetest

import (
	"context"
	"errors"
	"testing"

	"github.com/wigwag/wigwag/internal/store"
	"github.com/wigwag/wigwag/snapshot"
)

func exerciseTransactions(t *testing.T, open opener) {
	ctx := t.Context()
	fn := func(t *testing.T, st store.Store, fn func(tx store.Tx)) {
		t.Helper()
		if err := st.Update(ctx, func(tx store.Tx) error { fn(tx); return nil }); err != nil {
			t.Fatal(err)
		}
	}
	in := func(t *testing.T, tx store.Tx, id store.SetID, c store.Commit) uint64 {
		t.Helper()
		position, err := tx.Commit(ctx, id, c)
		if err != nil {
			t.Fatal(err)
		}
		return position.Version
	}

	t.Run("own writes", func(t *testing.T) {
		st := open(t)
		create(t, st, production)
		commit(t, st, production, put(item(flag("a"), "1")))
		fn(t, st, func(tx store.Tx) {
			in(t, tx, production, store.Commit{Put: []store.Item{item(flag("b"), "2")}, Delete: []snapshot.Ref{flag("a")}})
			wantItems(t, getItems(t, tx, production), "flag/b@2=2")
			if _, err := tx.Item(ctx, production, flag("b")); err != nil {
				t.Error(err)
			}
			_, err := tx.Item(ctx, production, flag("a"))
			wantError(t, "an item deleted before", err, store.ErrNotFound)
			if got := getSet(t, tx, production).Position.Version; got != 2 {
				t.Errorf("the set is at %d within the transaction", got)
			}
			if err := tx.CreateSet(ctx, staging); err != nil {
				t.Error(err)
			}
			if got := in(t, tx, staging, put(item(flag("a"), "1"))); got != 1 {
				t.Errorf("the first commit to a new set is %d", got)
			}
			sets, err := tx.Sets(ctx)
			if err != nil || len(sets) != 2 {
				t.Errorf("Sets within the transaction: %v, %v", sets, err)
			}
			// Nobody else sees any of it yet.
			wantItems(t, getItems(t, st, production), "flag/a@1=1")
			_, err = st.Set(ctx, staging)
			wantError(t, "a set not yet committed", err, store.ErrNotFound)
		})
		wantItems(t, getItems(t, st, production), "flag/b@2=2")
		wantItems(t, getItems(t, st, staging), "flag/a@1=1")
	})

	t.Run("one version", func(t *testing.T) {
		st := open(t)
		create(t, st, production)
		commit(t, st, production, put(item(flag("a"), "1"), item(flag("b"), "1")))
		fn(t, st, func(tx store.Tx) {
			for i, c := range []store.Commit{
				{Actor: "ada", Comment: "first", Put: []store.Item{item(flag("c"), "1"), item(flag("d"), "1")}},
				{Actor: "bob", Comment: "second", Put: []store.Item{item(flag("c"), "2")}, Delete: []snapshot.Ref{flag("a"), flag("d")}},
				{Actor: "eve", Comment: "writes nothing", Put: []store.Item{item(flag("c"), "2")}, Delete: []snapshot.Ref{flag("a")}},
			} {
				if got := in(t, tx, production, c); got != 2 {
					t.Errorf("commit %d of the transaction is version %d, want 2", i, got)
				}
			}
		})
		changes := getChanges(t, st, production, 1, 0)
		if len(changes) != 1 {
			t.Fatalf("%d changes, want 1", len(changes))
		}
		change := changes[0]
		if change.Version != 2 || change.Actor != "bob" || change.Comment != "second" {
			t.Errorf("the change is %d by %s, %q", change.Version, change.Actor, change.Comment)
		}
		if set := getSet(t, st, production); set.Position.Version != 2 || !set.CommittedAt.Equal(change.At) {
			t.Errorf("the set is %+v, its change of %s", set, change.At)
		}
		wantItems(t, change.Put, "flag/c@2=2")
		same(t, "deleted", change.Delete, []snapshot.Ref{flag("a"), flag("d")})
		wantItems(t, getItems(t, st, production), "flag/b@1=1", "flag/c@2=2")
		_, then := snapshotAt(t, st, production, 2)
		wantItems(t, then, "flag/b@1=1", "flag/c@2=2")
		if got := commit(t, st, production, put(item(flag("a"), "1"))); got != 3 {
			t.Errorf("the next version is %d", got)
		}
	})

	t.Run("undone", func(t *testing.T) {
		st := open(t)
		create(t, st, production)
		commit(t, st, production, put(item(flag("a"), "1"), item(flag("b"), "1")))
		fn(t, st, func(tx store.Tx) {
			in(t, tx, production, store.Commit{Put: []store.Item{item(flag("a"), "2")}, Delete: []snapshot.Ref{flag("b")}})
			if got := in(t, tx, production, put(item(flag("a"), "1"), item(flag("b"), "1"))); got != 2 {
				t.Errorf("version %d", got)
			}
		})
		change := getChanges(t, st, production, 1, 0)[0]
		wantItems(t, change.Put, "flag/a@2=1", "flag/b@2=1")
		if len(change.Delete) != 0 {
			t.Errorf("deleted %v", change.Delete)
		}
		_, items := snapshotAt(t, st, production, 2)
		wantItems(t, items, "flag/a@2=1", "flag/b@2=1")
		same(t, "current items", getItems(t, st, production), items)
	})

	errNo := errors.New("no")
	write := func(t *testing.T, tx store.Tx) {
		t.Helper()
		if err := tx.CreateSet(ctx, catalogue); err != nil {
			t.Fatal(err)
		}
		in(t, tx, production, put(item(flag("a"), "2"), item(flag("b"), "2")))
		in(t, tx, staging, del(flag("a")))
		if err := tx.AddCredential(ctx, store.Credential{ID: "new", Hash: [32]byte{9}}); err != nil {
			t.Fatal(err)
		}
		if err := tx.DeleteCredential(ctx, "old"); err != nil {
			t.Fatal(err)
		}
	}
	// untouched returns a store and a check that nothing in it has changed.
	untouched := func(t *testing.T) (store.Store, func()) {
		st := open(t)
		create(t, st, production, staging)
		commit(t, st, production, put(item(flag("a"), "1")))
		commit(t, st, staging, put(item(flag("a"), "1")))
		fn(t, st, func(tx store.Tx) {
			if err := tx.AddCredential(ctx, store.Credential{ID: "old", Hash: [32]byte{1}}); err != nil {
				t.Fatal(err)
			}
		})
		before, err := st.Sets(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return st, func() {
			t.Helper()
			sets, err := st.Sets(ctx)
			if err != nil {
				t.Fatal(err)
			}
			same(t, "sets", sets, before)
			wantItems(t, getItems(t, st, production), "flag/a@1=1")
			wantItems(t, getItems(t, st, staging), "flag/a@1=1")
			if n := len(getChanges(t, st, production, 0, 0)); n != 1 {
				t.Errorf("%d changes, want 1", n)
			}
			credentials, err := st.Credentials(ctx)
			if err != nil || len(credentials) != 1 || credentials[0].ID != "old" {
				t.Errorf("credentials: %v, %v", credentials, err)
			}
			// The next transaction works, and takes the version that was not used.
			if got := commit(t, st, production, put(item(flag("a"), "3"))); got != 2 {
				t.Errorf("the next version is %d, want 2", got)
			}
			wantItems(t, getItems(t, st, production), "flag/a@2=3")
			same(t, "change", lines(getChanges(t, st, production, 1, 0)[0].Put), []string{"flag/a@2=3"})
		}
	}

	t.Run("error", func(t *testing.T) {
		st, check := untouched(t)
		err := st.Update(ctx, func(tx store.Tx) error { write(t, tx); return errNo })
		if err != errNo { //nolint:errorlint // as it is, not wrapped
			t.Errorf("error is %v, not the one of fn", err)
		}
		check()
	})

	t.Run("panic", func(t *testing.T) {
		st, check := untouched(t)
		func() {
			defer func() {
				if r := recover(); r != errNo { //nolint:errorlint // as it is
					t.Errorf("recovered %v", r)
				}
			}()
			_ = st.Update(ctx, func(tx store.Tx) error { write(t, tx); panic(errNo) })
		}()
		check()
	})

	t.Run("over", func(t *testing.T) {
		st, check := untouched(t)
		var kept store.Tx
		fn(t, st, func(tx store.Tx) { kept = tx })
		if _, err := kept.Commit(ctx, production, put(item(flag("a"), "2"))); err == nil {
			t.Error("a transaction that is over commits")
		}
		if _, err := kept.Items(ctx, production); err == nil {
			t.Error("a transaction that is over reads")
		}
		check()
	})

	t.Run("several sets", func(t *testing.T) {
		st, _ := untouched(t)
		fn(t, st, func(tx store.Tx) { write(t, tx) })
		wantItems(t, getItems(t, st, production), "flag/a@2=2", "flag/b@2=2")
		wantItems(t, getItems(t, st, staging))
		if got := getSet(t, st, staging).Position.Version; got != 2 {
			t.Errorf("staging is at %d", got)
		}
		getSet(t, st, catalogue)
		credentials, err := st.Credentials(ctx)
		if err != nil || len(credentials) != 1 || credentials[0].ID != "new" {
			t.Errorf("credentials: %v, %v", credentials, err)
		}
	})

	t.Run("refusal is no failure", func(t *testing.T) {
		st, check := untouched(t)
		fn(t, st, func(tx store.Tx) {
			_, err := tx.Commit(ctx, catalogue, put(item(flag("a"), "1")))
			wantError(t, "commit", err, store.ErrNotFound)
			_, err = tx.Item(ctx, production, flag("none"))
			wantError(t, "item", err, store.ErrNotFound)
			_, err = tx.Set(context.Background(), catalogue)
			wantError(t, "set", err, store.ErrNotFound)
			wantError(t, "credential", tx.DeleteCredential(ctx, "none"), store.ErrNotFound)
			wantError(t, "credential", tx.AddCredential(ctx, store.Credential{ID: "old"}), store.ErrExists)
		})
		check()
	})
}
