package storetest

import (
	"crypto/sha256"
	"fmt"
	"testing"

	"github.com/wigwag/wigwag/internal/store"
	"github.com/wigwag/wigwag/snapshot"
)

func exerciseCommits(t *testing.T, open opener) {
	ctx := t.Context()

	t.Run("versions", func(t *testing.T) {
		st := open(t)
		create(t, st, production)
		epoch := getSet(t, st, production).Position.Epoch
		for want := uint64(1); want <= 20; want++ {
			var position snapshot.Position
			err := st.Update(ctx, func(tx store.Tx) (err error) {
				position, err = tx.Commit(ctx, production, put(item(flag("a"), fmt.Sprint(want))))
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			if position != (snapshot.Position{Epoch: epoch, Version: want}) {
				t.Fatalf("commit %d is at %s", want, position)
			}
			if got := getSet(t, st, production).Position; got != position {
				t.Fatalf("set is at %s after the commit of %s", got, position)
			}
		}
	})

	t.Run("item", func(t *testing.T) {
		st := open(t)
		create(t, st, production)
		commit(t, st, production, put(item(flag("a"), `{"n":1}`), item(flag("b"), `{"n":2}`)))
		commit(t, st, production, put(item(flag("b"), `{"n":3}`)))
		got, err := st.Item(ctx, production, flag("b"))
		if err != nil {
			t.Fatal(err)
		}
		same(t, "item", got, store.Item{
			Ref: flag("b"), Body: []byte(`{"n":3}`), Digest: sha256.Sum256([]byte(`{"n":3}`)), Version: 2,
		})
		_, err = st.Item(ctx, production, snapshot.Ref{Kind: snapshot.KindSegment, Key: "b"})
		wantError(t, "item of another kind", err, store.ErrNotFound)
		wantItems(t, getItems(t, st, production), `flag/a@1={"n":1}`, `flag/b@2={"n":3}`)
	})

	t.Run("kinds", func(t *testing.T) {
		st := open(t)
		create(t, st, production)
		commit(t, st, production, put(
			item(snapshot.Ref{Kind: snapshot.KindSegment, Key: "s"}, "1"),
			item(flag("b"), "2"),
			item(snapshot.KeysRef("s", "included", 0), "3"),
			item(flag("B"), "4"),
			item(flag("a.b"), "5"),
			item(flag("a-b"), "6"),
		))
		wantItems(t, getItems(t, st, production), "flag/B@1=4", "flag/a-b@1=6", "flag/a.b@1=5", "flag/b@1=2",
			"keys/s/included/0@1=3", "segment/s@1=1")
		wantItems(t, getItems(t, st, production, snapshot.KindSegment), "segment/s@1=1")
		wantItems(t, getItems(t, st, production, snapshot.KindSegment, snapshot.KindKeys, snapshot.KindSegment),
			"keys/s/included/0@1=3", "segment/s@1=1")
		wantItems(t, getItems(t, st, production, "other"))
	})

	t.Run("dropped", func(t *testing.T) {
		st := open(t)
		create(t, st, production)
		none := func(what string, c store.Commit, want uint64) {
			t.Helper()
			before := getSet(t, st, production)
			if got := commit(t, st, production, c); got != want {
				t.Fatalf("%s is version %d, want %d as before", what, got, want)
			}
			same(t, what, getSet(t, st, production), before)
			if got := len(getChanges(t, st, production, 0, 0)); uint64(got) != want {
				t.Fatalf("%s: %d changes, want %d", what, got, want)
			}
		}
		none("an empty commit", store.Commit{Actor: "ada"}, 0)
		none("a deletion of nothing", del(flag("a")), 0)
		commit(t, st, production, put(item(flag("a"), "1"), item(flag("b"), "1")))
		none("a put of the same bytes", put(item(flag("a"), "1")), 1)
		none("both", store.Commit{Put: []store.Item{item(flag("b"), "1")}, Delete: []snapshot.Ref{flag("c"), flag("c")}}, 1)

		// What is left of a commit is all that is recorded.
		commit(t, st, production, store.Commit{
			Put:    []store.Item{item(flag("b"), "2"), item(flag("a"), "1")},
			Delete: []snapshot.Ref{flag("c")},
		})
		change := getChanges(t, st, production, 1, 0)[0]
		wantItems(t, change.Put, "flag/b@2=2")
		if len(change.Delete) != 0 {
			t.Errorf("deleted %v, which was not there", change.Delete)
		}
		wantItems(t, getItems(t, st, production), "flag/a@1=1", "flag/b@2=2")
	})

	t.Run("delete", func(t *testing.T) {
		st := open(t)
		create(t, st, production)
		commit(t, st, production, put(item(flag("a"), "1"), item(flag("b"), "1")))
		if got := commit(t, st, production, del(flag("b"), flag("b"))); got != 2 {
			t.Fatalf("the deletion is version %d", got)
		}
		_, err := st.Item(ctx, production, flag("b"))
		wantError(t, "a deleted item", err, store.ErrNotFound)
		wantItems(t, getItems(t, st, production), "flag/a@1=1")
		same(t, "deleted", getChanges(t, st, production, 1, 0)[0].Delete, []snapshot.Ref{flag("b")})
		// Again, with the bytes it had.
		commit(t, st, production, put(item(flag("b"), "1")))
		wantItems(t, getItems(t, st, production), "flag/a@1=1", "flag/b@3=1")
	})

	t.Run("refused", func(t *testing.T) {
		st := open(t)
		create(t, st, production)
		for name, c := range map[string]store.Commit{
			"put and deleted": {Put: []store.Item{item(flag("x"), "1"), item(flag("a"), "1")}, Delete: []snapshot.Ref{flag("a")}},
			"put twice":       put(item(flag("x"), "1"), item(flag("a"), "1"), item(flag("a"), "2")),
			"no key":          put(item(flag("x"), "1"), item(flag(""), "1")),
			"no kind":         put(item(flag("x"), "1"), item(snapshot.Ref{Key: "a"}, "1")),
		} {
			err := st.Update(ctx, func(tx store.Tx) error {
				if _, err := tx.Commit(ctx, production, c); err == nil {
					t.Errorf("%s: no error", name)
				}
				return nil
			})
			if err != nil {
				t.Errorf("%s: the transaction failed with it: %v", name, err)
			}
		}
		if got := getSet(t, st, production).Position.Version; got != 0 {
			t.Errorf("refused commits left version %d", got)
		}
		wantItems(t, getItems(t, st, production))
		err := st.Update(ctx, func(tx store.Tx) error {
			_, err := tx.Commit(ctx, staging, put(item(flag("a"), "1")))
			return err
		})
		wantError(t, "commit to no set", err, store.ErrNotFound)
	})

	t.Run("input kept", func(t *testing.T) {
		st := open(t)
		create(t, st, production)
		body := []byte("before")
		c := put(store.Item{Ref: flag("b"), Body: body}, item(flag("a"), "1"))
		err := st.Update(ctx, func(tx store.Tx) error {
			_, err := tx.Commit(ctx, production, c)
			copy(body, "after!")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if c.Put[0].Key != "b" || c.Put[0].Version != 0 {
			t.Errorf("the commit was written to: %+v", c.Put)
		}
		wantItems(t, getItems(t, st, production), "flag/a@1=1", "flag/b@1=before")
		wantItems(t, getChanges(t, st, production, 0, 0)[0].Put, "flag/a@1=1", "flag/b@1=before")
	})
}
