package sqlite

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/wigwag/wigwag/internal/store"
	"github.com/wigwag/wigwag/snapshot"
	driver "modernc.org/sqlite"
	codes "modernc.org/sqlite/lib"
)

var production = store.SetID{Project: "shop", Environment: "production"}

func createSet(tb testing.TB, st *Store) {
	tb.Helper()
	err := st.Update(tb.Context(), func(tx store.Tx) error { return tx.CreateSet(tb.Context(), production) })
	if err != nil {
		tb.Fatal(err)
	}
}

func putFlag(ctx context.Context, st *Store, key string, body []byte) error {
	return st.Update(ctx, func(tx store.Tx) error {
		_, err := tx.Commit(ctx, production, store.Commit{
			Put: []store.Item{{Ref: snapshot.Ref{Kind: snapshot.KindFlag, Key: key}, Body: body}},
		})
		return err
	})
}

// wantAt fails unless the set is at a version and its log and items agree.
func wantAt(t *testing.T, st *Store, version uint64, items int) {
	t.Helper()
	set, current, err := st.SnapshotAt(t.Context(), production, 0)
	if err != nil {
		t.Fatal(err)
	}
	changes, err := st.Changes(t.Context(), production, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	if set.Position.Version != version || uint64(len(changes)) != version || len(current) != items {
		t.Fatalf("at %d with %d changes and %d items, want %d and %d items",
			set.Position.Version, len(changes), len(current), version, items)
	}
}

func TestDiskFull(t *testing.T) {
	for _, ignore := range []bool{false, true} {
		t.Run(fmt.Sprint("ignored ", ignore), func(t *testing.T) {
			ctx := t.Context()
			st := openTemp(t)
			createSet(t, st)
			if err := putFlag(ctx, st, "a", []byte("1")); err != nil {
				t.Fatal(err)
			}
			hinted := false
			defer st.Watch(func(store.Hint) { hinted = true })()
			// SQLite says the same of a limit on its pages as of a full disk.
			if _, err := st.writer.session.conn.ExecContext(ctx, "PRAGMA max_page_count = 40"); err != nil {
				t.Fatal(err)
			}
			err := st.Update(ctx, func(tx store.Tx) error {
				var err error
				for i := range 100 {
					_, err = tx.Commit(ctx, production, store.Commit{Put: []store.Item{
						{Ref: snapshot.Ref{Kind: snapshot.KindFlag, Key: fmt.Sprint(i)}, Body: bytes.Repeat([]byte("x"), 10_000)},
					}})
				}
				if ignore {
					return nil
				}
				return err
			})
			if failure, ok := errors.AsType[*driver.Error](err); !ok || failure.Code() != codes.SQLITE_FULL {
				t.Fatalf("error is %v, want that the disk is full", err)
			}
			if hinted {
				t.Error("hints of what was not committed")
			}
			wantAt(t, st, 1, 1)
			// There is room again once the limit is lifted.
			if st.writer.session != nil {
				if _, err := st.writer.session.conn.ExecContext(ctx, "PRAGMA max_page_count = 100000"); err != nil {
					t.Fatal(err)
				}
			}
			if err := putFlag(ctx, st, "b", bytes.Repeat([]byte("x"), 1<<20)); err != nil {
				t.Fatalf("the next write: %v", err)
			}
			wantAt(t, st, 2, 2)
		})
	}
}

// A commit that fails did not happen, or did and was not acknowledged; the next
// write works after either.
func TestCommitFails(t *testing.T) {
	for name, c := range map[string]struct {
		sql     string // instead of COMMIT
		version uint64
	}{
		"and did not happen": {`SELECT json('{')`, 1},
		"but happened":       {`COMMIT; SELECT json('{')`, 2},
	} {
		t.Run(name, func(t *testing.T) {
			ctx := t.Context()
			st := openTemp(t)
			createSet(t, st)
			if err := putFlag(ctx, st, "a", []byte("1")); err != nil {
				t.Fatal(err)
			}
			stmt, err := st.writer.session.conn.PrepareContext(ctx, c.sql)
			if err != nil {
				t.Fatal(err)
			}
			if err := st.writer.session.stmt[commit].Close(); err != nil {
				t.Fatal(err)
			}
			st.writer.session.stmt[commit] = stmt
			if err := putFlag(ctx, st, "a", []byte("2")); err == nil {
				t.Fatal("the failed commit was acknowledged")
			}
			wantAt(t, st, c.version, 1)
			if err := putFlag(ctx, st, "a", []byte("3")); err != nil {
				t.Fatalf("the next write: %v", err)
			}
			wantAt(t, st, c.version+1, 1)
		})
	}
}

func TestConnectionLost(t *testing.T) {
	st := openTemp(t)
	createSet(t, st)
	if err := st.writer.session.conn.Close(); err != nil {
		t.Fatal(err)
	}
	if err := putFlag(t.Context(), st, "a", []byte("1")); err == nil {
		t.Error("a lost connection commits")
	}
	wantAt(t, st, 0, 0)
	if err := putFlag(t.Context(), st, "a", []byte("1")); err != nil {
		t.Fatalf("the next write: %v", err)
	}
	wantAt(t, st, 1, 1)
}

// Two stores on one file are what two processes have.
func TestOtherProcess(t *testing.T) {
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "wigwag.db")
	ours, theirs := openAt(t, path), openAt(t, path)
	createSet(t, ours)
	for i := range uint64(50) {
		writer, other := ours, theirs
		if i%2 == 1 {
			writer, other = theirs, ours
		}
		if err := putFlag(ctx, writer, "a", fmt.Append(nil, i)); err != nil {
			t.Fatal(err)
		}
		wantAt(t, other, i+1, 1)
		sets, err := other.Sets(ctx)
		if err != nil || len(sets) != 1 || sets[0].Position.Version != i+1 {
			t.Fatalf("the other reads %v, %v", sets, err)
		}
	}

	// Writers of both wait for each other, and give up with their context.
	err := ours.Update(ctx, func(store.Tx) error {
		short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
		defer cancel()
		if err := putFlag(short, theirs, "a", []byte("no")); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error is %v, want that the deadline is over", err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	waiting := make(chan error, 1)
	err = ours.Update(ctx, func(tx store.Tx) error {
		go func() { waiting <- putFlag(ctx, theirs, "a", []byte("second")) }()
		_, err := tx.Commit(ctx, production, store.Commit{
			Put: []store.Item{{Ref: snapshot.Ref{Kind: snapshot.KindFlag, Key: "a"}, Body: []byte("first")}},
		})
		return err
	})
	if err := errors.Join(err, <-waiting); err != nil {
		t.Fatal(err)
	}
	wantAt(t, ours, 52, 1)
}

// A clock that was set back does not show in the log.
func TestTimeNeverGoesBack(t *testing.T) {
	ctx := t.Context()
	st := openTemp(t)
	createSet(t, st)
	future := store.KeptTime(time.Now().Add(time.Hour))
	if _, err := st.writer.session.conn.ExecContext(ctx, "UPDATE sets SET committed_at = ?", future.UnixMicro()); err != nil {
		t.Fatal(err)
	}
	if err := putFlag(ctx, st, "a", []byte("1")); err != nil {
		t.Fatal(err)
	}
	changes, err := st.Changes(ctx, production, 0, 0)
	if err != nil || len(changes) != 1 || !changes[0].At.Equal(future) {
		t.Errorf("changes are %+v, %v, want one of %s", changes, err, future)
	}
}

// A log with a hole is no log.
func TestChangesDropped(t *testing.T) {
	ctx := t.Context()
	st := openTemp(t)
	createSet(t, st)
	for i := range 3 {
		if err := putFlag(ctx, st, "a", fmt.Append(nil, i)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := st.writer.session.conn.ExecContext(ctx, "DELETE FROM changes WHERE version = 1"); err != nil {
		t.Fatal(err)
	}
	if _, err := st.Changes(ctx, production, 0, 2); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("changes that are gone: %v", err)
	}
	if _, _, err := st.SnapshotAt(ctx, production, 1); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a version that is gone: %v", err)
	}
	if changes, err := st.Changes(ctx, production, 1, 0); err != nil || len(changes) != 2 {
		t.Errorf("what is left of the changes: %v, %v", changes, err)
	}
}
