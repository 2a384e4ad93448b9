package sqlite

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/wigwag/wigwag/internal/store"
	"github.com/wigwag/wigwag/internal/store/storetest"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if path := os.Getenv(crashEnv); path != "" {
		os.Exit(writeUntilKilled(path))
	}
	if path := os.Getenv(openEnv); path != "" {
		os.Exit(openOnce(path))
	}
	goleak.VerifyTestMain(m)
}

// openAt opens the database at a path and closes it with the test.
func openAt(tb testing.TB, path string) *Store {
	tb.Helper()
	st, err := Open(tb.Context(), path)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := st.Close(); err != nil {
			tb.Error(err)
		}
	})
	return st
}

func openTemp(tb testing.TB) *Store {
	tb.Helper()
	return openAt(tb, filepath.Join(tb.TempDir(), "wigwag.db"))
}

func TestStore(t *testing.T) {
	storetest.Exercise(t, func(t *testing.T) store.Store { return openTemp(t) })
}
