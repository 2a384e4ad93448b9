package sqlite

import (
	"testing"
	"time"

	"github.com/wigwag/wigwag/internal/store"
	"github.com/wigwag/wigwag/snapshot"
)

// Deleting a set leaves no row of it, in whatever table there is.
func TestNoRowIsLeftOfADeletedSet(t *testing.T) {
	st := openTemp(t)
	ctx := t.Context()
	id := store.SetID{Project: "shop", Environment: "production"}
	ref := snapshot.Ref{Kind: snapshot.KindFlag, Key: "a"}
	err := st.Update(ctx, func(tx store.Tx) error {
		if err := tx.CreateSet(ctx, id); err != nil {
			return err
		}
		if _, err := tx.Commit(ctx, id, store.Commit{Put: []store.Item{{Ref: ref, Body: []byte("1")}}}); err != nil {
			return err
		}
		return tx.AddCredential(ctx, store.Credential{ID: "sk-1", Kind: "sk", Set: id, CreatedAt: time.Now()})
	})
	if err != nil {
		t.Fatal(err)
	}
	before := rows(t, st)
	for _, table := range []string{"sets", "items", "changes", "change_items", "credentials"} {
		if before[table] == 0 {
			t.Fatalf("table %s has no rows to delete", table)
		}
	}
	if err := st.Update(ctx, func(tx store.Tx) error { return tx.DeleteSet(ctx, id) }); err != nil {
		t.Fatal(err)
	}
	for table, n := range rows(t, st) {
		if n != 0 {
			t.Errorf("table %s still has %d rows", table, n)
		}
	}
}

// rows counts the rows of every table that is about sets or is ours at all; the
// log of migrations is not.
func rows(t *testing.T, st *Store) map[string]int {
	t.Helper()
	var names []string
	list, err := st.pool.QueryContext(t.Context(), `SELECT name FROM sqlite_master
		WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'goose_%'`)
	if err != nil {
		t.Fatal(err)
	}
	defer list.Close() //nolint:errcheck // read to its end below
	for list.Next() {
		var name string
		if err := list.Scan(&name); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	if err := list.Err(); err != nil {
		t.Fatal(err)
	}
	counts := make(map[string]int, len(names))
	for _, name := range names {
		var n int
		if err := st.pool.QueryRowContext(t.Context(), "SELECT count(*) FROM "+name).Scan(&n); err != nil { //nolint:gosec // names of our own tables
			t.Fatal(err)
		}
		counts[name] = n
	}
	return counts
}
