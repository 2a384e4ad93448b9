package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
	"github.com/wigwag/wigwag/internal/store"
)

// migrations are the steps of the schema, by number. A step that was released is
// never changed.
//
//go:embed migrations/*.sql
var migrations embed.FS

// prepare turns the file into a database with the schema of this binary, one
// process at a time.
func (f file) prepare(ctx context.Context) error {
	return f.locked(ctx, func() (err error) {
		db, err := sql.Open("sqlite", f.dsn(forWriting))
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, db.Close()) }()
		db.SetMaxOpenConns(1)
		return migrate(ctx, db)
	})
}

// migrate applies the steps that the database has not had.
func migrate(ctx context.Context, db *sql.DB) error {
	steps, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, steps, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	current, newest, err := provider.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("read the version of the schema: %w", err)
	}
	if current > newest {
		return fmt.Errorf("its schema is version %d, this binary knows up to %d: %w", current, newest, store.ErrTooNew)
	}
	if current == newest {
		return nil
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("bring the schema from version %d to %d: %w", current, newest, err)
	}
	return nil
}
