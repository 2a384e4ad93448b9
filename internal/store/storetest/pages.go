package storetest

import (
	"fmt"
	"slices"
	"testing"

	"github.com/wigwag/wigwag/internal/store"
	"github.com/wigwag/wigwag/snapshot"
)

func getItemsAfter(t *testing.T, r store.Reader, id store.SetID, kind snapshot.Kind, after string, limit int) []store.Item {
	t.Helper()
	items, err := r.ItemsAfter(t.Context(), id, kind, after, limit)
	if err != nil {
		t.Fatalf("ItemsAfter(%s, %s, %q, %d): %v", id, kind, after, limit, err)
	}
	return items
}

func exercisePages(t *testing.T, open opener) {
	segment := func(key string) snapshot.Ref { return snapshot.Ref{Kind: snapshot.KindSegment, Key: key} }
	keys := func(key string) snapshot.Ref { return snapshot.Ref{Kind: snapshot.KindKeys, Key: key} }

	t.Run("none", func(t *testing.T) {
		st := open(t)
		wantItems(t, getItemsAfter(t, st, production, snapshot.KindFlag, "", 10))
		create(t, st, production)
		wantItems(t, getItemsAfter(t, st, production, snapshot.KindFlag, "", 10))
	})

	t.Run("bounds", func(t *testing.T) {
		st := open(t)
		create(t, st, production, staging)
		commit(t, st, staging, put(item(flag("b2"), "0")))
		commit(t, st, production, put(
			item(flag("c"), "3"), item(flag("a"), "1"), item(flag("b"), "2"), item(flag("b."), "2"),
			item(segment("a"), "4"), item(keys("a/included/0"), "5"),
		))
		check := func(r store.Reader) {
			t.Helper()
			wantItems(t, getItemsAfter(t, r, production, snapshot.KindFlag, "", 10), "flag/a@1=1", "flag/b@1=2", "flag/b.@1=2", "flag/c@1=3")
			wantItems(t, getItemsAfter(t, r, production, snapshot.KindFlag, "", 2), "flag/a@1=1", "flag/b@1=2")
			wantItems(t, getItemsAfter(t, r, production, snapshot.KindFlag, "b", 1), "flag/b.@1=2")
			wantItems(t, getItemsAfter(t, r, production, snapshot.KindFlag, "aa", 1), "flag/b@1=2") // of what is not there
			wantItems(t, getItemsAfter(t, r, production, snapshot.KindFlag, "c", 10))
			wantItems(t, getItemsAfter(t, r, production, snapshot.KindFlag, "d", 10))
			wantItems(t, getItemsAfter(t, r, production, snapshot.KindSegment, "", 10), "segment/a@1=4")
			wantItems(t, getItemsAfter(t, r, production, snapshot.KindKeys, "a/included/", 10), "keys/a/included/0@1=5")
			wantItems(t, getItemsAfter(t, r, staging, snapshot.KindFlag, "", 10), "flag/b2@1=0")
		}
		check(st)
		if err := st.Update(t.Context(), func(tx store.Tx) error { check(tx); return nil }); err != nil {
			t.Fatal(err)
		}
	})

	t.Run("own writes", func(t *testing.T) {
		st := open(t)
		create(t, st, production)
		commit(t, st, production, put(item(flag("a"), "1"), item(flag("b"), "1")))
		page := func(r store.Reader) []store.Item { return getItemsAfter(t, r, production, snapshot.KindFlag, "", 10) }
		err := st.Update(t.Context(), func(tx store.Tx) error {
			for i, c := range []store.Commit{put(item(flag("c"), "2")), del(flag("a")), put(item(flag("b"), "3"))} {
				page(tx) // what is read before a write must not be answered after it
				if _, err := tx.Commit(t.Context(), production, c); err != nil {
					return err
				}
				want := [][]string{
					{"flag/a@1=1", "flag/b@1=1", "flag/c@2=2"},
					{"flag/b@1=1", "flag/c@2=2"},
					{"flag/b@2=3", "flag/c@2=2"},
				}[i]
				wantItems(t, page(tx), want...)
			}
			wantItems(t, page(st), "flag/a@1=1", "flag/b@1=1") // not committed yet
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		wantItems(t, page(st), "flag/b@2=3", "flag/c@2=2")
	})

	t.Run("walk", func(t *testing.T) {
		st := open(t)
		create(t, st, production)
		var items []store.Item
		for i := range 257 {
			items = append(items, item(flag(fmt.Sprintf("f%d", i)), fmt.Sprint(i)))
		}
		commit(t, st, production, put(items...))
		for _, limit := range []int{1, 16, 257, 1000} {
			var walked []store.Item
			for after := ""; ; {
				page := getItemsAfter(t, st, production, snapshot.KindFlag, after, limit)
				walked = append(walked, page...)
				if len(page) < limit {
					break
				}
				after = page[len(page)-1].Key
			}
			if all := lines(getItems(t, st, production, snapshot.KindFlag)); !slices.Equal(all, lines(walked)) {
				t.Errorf("pages of %d give other items than Items", limit)
			}
		}
	})
}
