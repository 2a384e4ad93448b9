package sqlite

import (
	"database/sql"
	"io/fs"
	"path/filepath"
	"testing"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/wigwag/wigwag/internal/store"
)

// Users would miss: everything, where the token of before the upgrade may do
// nothing any more.
func TestTokensOfBeforeScopesMayDoEverything(t *testing.T) {
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "wigwag.db")
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	steps, err := fs.Sub(migrations, "migrations")
	if err != nil {
		t.Fatal(err)
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, steps, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.UpTo(ctx, 1); err != nil {
		t.Fatal(err)
	}
	made := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for i, kind := range []string{"tk", "sk"} {
		_, err := db.ExecContext(ctx, `INSERT INTO credentials (id, hash, kind, name, project, environment, created_at)
			VALUES (?, ?, ?, 'old', '', '', ?)`, kind+"-1", append(make([]byte, 31), byte(i)), kind, made.UnixMicro())
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	st := openAt(t, path)
	for i, want := range []store.Credential{
		{ID: "tk-1", Kind: "tk", Name: "old", Scope: "admin", CreatedAt: made},
		{ID: "sk-1", Kind: "sk", Name: "old", CreatedAt: made},
	} {
		want.Hash[31] = byte(i)
		got, err := st.Credential(ctx, want.Hash)
		if err != nil {
			t.Fatal(err)
		}
		if got.ID != want.ID || got.Scope != want.Scope || got.Projects != nil || got.CreatedBy != "" || got.ReplacedBy != "" ||
			!got.UsedAt.IsZero() || !got.CreatedAt.Equal(want.CreatedAt) {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
}
