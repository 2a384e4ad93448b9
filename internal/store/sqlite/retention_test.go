package sqlite

import (
	"fmt"
	"testing"
	"time"

	"github.com/wigwag/wigwag/internal/store"
	"github.com/wigwag/wigwag/snapshot"
)

// What is dropped is gone from the file, and what is kept is no more than the
// versions that can still be read need.
func TestDroppedHistoryTakesNoRoom(t *testing.T) {
	ctx := t.Context()
	st := openTemp(t)
	createSet(t, st)
	for i := range 50 {
		if err := putFlag(ctx, st, fmt.Sprint("f", i%5), fmt.Append(nil, i)); err != nil {
			t.Fatal(err)
		}
	}
	err := st.Update(ctx, func(tx store.Tx) error {
		_, err := tx.Commit(ctx, production, store.Commit{Delete: []snapshot.Ref{{Kind: snapshot.KindFlag, Key: "f4"}}})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	rows := func(table string) (n int) {
		t.Helper()
		if err := st.pool.QueryRowContext(ctx, "SELECT count(*) FROM "+table).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	for more := true; more; {
		var err error
		if more, err = st.DropHistory(ctx, production, time.Now().Add(time.Hour), 7); err != nil {
			t.Fatal(err)
		}
	}
	if changes, items := rows("changes"), rows("change_items"); changes != 1 || items != 4 {
		t.Errorf("%d changes and %d of their items are left, want 1 and 4", changes, items)
	}
	if err := putFlag(ctx, st, "f0", []byte("again")); err != nil {
		t.Fatal(err)
	}
	if set, items, err := st.SnapshotAt(ctx, production, 51); err != nil || len(items) != 4 || set.Oldest != 51 {
		t.Errorf("version 51 is %+v with %d items, %v", set, len(items), err)
	}
}
