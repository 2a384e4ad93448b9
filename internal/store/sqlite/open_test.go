package sqlite

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wigwag/wigwag/internal/store"
)

// openEnv names the database that the test binary opens and writes to once, when
// it runs as one of several processes.
const openEnv = "WIGWAG_TEST_OPEN_DATABASE"

func openOnce(path string) int {
	ctx := context.Background()
	st, err := Open(ctx, path)
	if err == nil {
		err = st.Update(ctx, func(tx store.Tx) error {
			return tx.CreateSet(ctx, store.SetID{Project: fmt.Sprint(os.Getpid())})
		})
		err = errors.Join(err, st.Close())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func TestReopen(t *testing.T) {
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "wigwag.db")
	st := openAt(t, path)
	createSet(t, st)
	if err := putFlag(ctx, st, "a", []byte("1")); err != nil {
		t.Fatal(err)
	}
	set, err := st.Set(ctx, production)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := st.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(path + "-wal"); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the log is left after Close: %v", err)
		}
		st = openAt(t, path)
		again, err := st.Set(ctx, production)
		if err != nil || again != set {
			t.Fatalf("set is %+v, %v, was %+v", again, err, set)
		}
		wantAt(t, st, 1, 1)
	}
}

func TestFileModes(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no such modes")
	}
	folder := filepath.Join(t.TempDir(), "data", "wigwag")
	path := filepath.Join(folder, "wig wag%20?#ü.db")
	st := openAt(t, path)
	createSet(t, st)
	for _, dir := range []string{folder, filepath.Dir(folder)} {
		if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("%s: %v, %v", dir, info.Mode(), err)
		}
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
		if info, err := entry.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", entry.Name(), info.Mode(), err)
		}
	}
	base := filepath.Base(path)
	if want := []string{base, base + "-lock", base + "-shm", base + "-wal"}; strings.Join(names, "|") != strings.Join(want, "|") {
		t.Errorf("files are %q, want %q", names, want)
	}
}

func TestSettings(t *testing.T) {
	st := openTemp(t)
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1"} {
		var got string
		if err := st.writer.session.conn.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %s, %v, want %s", pragma, got, err, want)
		}
	}
	if _, err := st.pool.ExecContext(t.Context(), "DELETE FROM sets"); err == nil {
		t.Error("a reader can write")
	}
}

func TestOpenErrors(t *testing.T) {
	dir := t.TempDir()
	notADatabase := filepath.Join(dir, "notes.txt")
	if err := os.WriteFile(notADatabase, bytes.Repeat([]byte("just text\n"), 1000), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ path, want string }{
		"empty":          {"", "name a file, such as wigwag.db"},
		"a folder":       {dir, "is a folder: name a file in it"},
		"below a file":   {filepath.Join(notADatabase, "wigwag.db"), "name a file in a folder that is there"},
		"not a database": {notADatabase, "the file is no SQLite database: name another file"},
	} {
		t.Run(name, func(t *testing.T) {
			st, err := Open(t.Context(), c.path)
			if err == nil {
				_ = st.Close()
				t.Fatal("no error")
			}
			if !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), c.path) {
				t.Errorf("error %q does not say the path and %q", err, c.want)
			}
		})
	}
	if _, err := os.Stat(dir + "-lock"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file was made beside the folder: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Open(ctx, filepath.Join(dir, "wigwag.db")); !errors.Is(err, context.Canceled) {
		t.Errorf("with a context that is done: %v", err)
	}
}

func TestTooNew(t *testing.T) {
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "wigwag.db")
	st := openAt(t, path)
	createSet(t, st)
	if _, err := st.writer.session.conn.ExecContext(ctx, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (4711, 1)"); err != nil {
		t.Fatal(err)
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := Open(ctx, path)
	if !errors.Is(err, store.ErrTooNew) {
		t.Fatalf("error is %v", err)
	}
	if !strings.Contains(err.Error(), "version 4711") || !strings.Contains(err.Error(), "this binary knows up to ") {
		t.Errorf("error %q does not say which versions", err)
	}
}

func TestOpenAtOnce(t *testing.T) {
	const each = 4
	path := filepath.Join(t.TempDir(), "wigwag.db")
	var wg sync.WaitGroup
	for range each {
		wg.Go(func() {
			cmd := exec.CommandContext(t.Context(), os.Args[0])
			cmd.Env = append(os.Environ(), openEnv+"="+path)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
		})
		wg.Go(func() {
			st, err := Open(t.Context(), path)
			if err != nil {
				t.Error(err)
				return
			}
			if err := st.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	sets, err := openAt(t, path).Sets(t.Context())
	if err != nil || len(sets) != each {
		t.Errorf("%d sets, %v, want one of each process", len(sets), err)
	}
}

// Opening waits for whoever is opening.
func TestOpenTakesTurns(t *testing.T) {
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "wigwag.db")
	f, err := locate(path)
	if err != nil {
		t.Fatal(err)
	}
	opened := make(chan error, 1)
	err = f.locked(ctx, func() error {
		short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
		defer cancel()
		if _, err := Open(short, path); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error is %v, want that the deadline is over", err)
		}
		if info, err := os.Stat(path); err != nil || info.Size() != 0 {
			t.Errorf("the database was written to: %v, %v", info, err)
		}
		go func() {
			st, err := Open(ctx, path)
			if err == nil {
				err = st.Close()
			}
			opened <- err
		}()
		return nil
	})
	if err := errors.Join(err, <-opened); err != nil {
		t.Error(err)
	}
}
