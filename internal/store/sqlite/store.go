// Package sqlite keeps sets of items in one SQLite file: the store that needs no
// set-up. It is pure Go.
//
// One connection writes, behind a queue; a few others read, and never wait for
// the writer (write-ahead log). Several processes may have the file open: their
// writers take turns, and every read sees the newest commit of all. Hints are
// sent only for commits of the own process, so that others are found by asking
// [Store.Sets] now and then.
package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"github.com/wigwag/wigwag/internal/store"
	"github.com/wigwag/wigwag/snapshot"
)

// readers is the number of connections that read.
const readers = 4

// Store is a [store.Store] in a SQLite file. It is safe for concurrent use.
type Store struct {
	gate   store.Gate
	hints  store.Hints
	pool   *sql.DB
	read   *prepared // on pool
	writer *writer
}

var _ store.Store = (*Store)(nil)

// Open opens the database at a path, which it makes where there is none: the file
// with mode 0600, folders that are missing with 0700. It brings the schema up to
// date first. A database of a newer Wigwag is [store.ErrTooNew]. The context
// bounds opening alone.
//
// Beside the file lie SQLite's own, path-wal and path-shm, and path-lock, an
// empty file by which processes that open the database take turns.
func Open(ctx context.Context, path string) (*Store, error) {
	f, err := locate(path)
	if err != nil {
		return nil, err
	}
	if err := f.prepare(ctx); err != nil {
		return nil, f.explain(err)
	}
	s := &Store{writer: newWriter(f)}
	if err := s.writer.open(ctx); err != nil {
		return nil, f.explain(err)
	}
	if err := s.openPool(ctx, f); err != nil {
		return nil, f.explain(errors.Join(err, s.writer.close()))
	}
	return s, nil
}

func (s *Store) openPool(ctx context.Context, f file) error {
	pool, err := sql.Open("sqlite", f.dsn(forReading))
	if err != nil {
		return err
	}
	pool.SetMaxOpenConns(readers)
	pool.SetMaxIdleConns(readers)
	read, err := prepare(ctx, readingStatements, pool)
	if err != nil {
		return errors.Join(err, pool.Close())
	}
	s.pool, s.read = pool, read
	return nil
}

// reader returns the reader whose every statement sees the newest commit.
func (s *Store) reader() reader {
	return reader{func(_ context.Context, st statement) *sql.Stmt { return s.read[st] }}
}

// view runs fn over one unchanging state of the database.
func (s *Store) view(ctx context.Context, fn func(reader) error) error {
	tx, err := s.pool.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return failed(ctx, "begin to read", err)
	}
	defer tx.Rollback() //nolint:errcheck // ends a transaction that only read
	return fn(reader{func(ctx context.Context, st statement) *sql.Stmt { return tx.StmtContext(ctx, s.read[st]) }})
}

// Sets implements [store.Reader].
func (s *Store) Sets(ctx context.Context) ([]store.Set, error) {
	if err := s.gate.Enter(); err != nil {
		return nil, err
	}
	defer s.gate.Leave()
	return s.reader().sets(ctx)
}

// Set implements [store.Reader].
func (s *Store) Set(ctx context.Context, id store.SetID) (store.Set, error) {
	if err := s.gate.Enter(); err != nil {
		return store.Set{}, err
	}
	defer s.gate.Leave()
	set, err := s.reader().set(ctx, id)
	return set.Set, err
}

// Item implements [store.Reader].
func (s *Store) Item(ctx context.Context, id store.SetID, ref snapshot.Ref) (store.Item, error) {
	if err := s.gate.Enter(); err != nil {
		return store.Item{}, err
	}
	defer s.gate.Leave()
	return s.reader().item(ctx, id, ref)
}

// Items implements [store.Reader].
func (s *Store) Items(ctx context.Context, id store.SetID, kinds ...snapshot.Kind) ([]store.Item, error) {
	if err := s.gate.Enter(); err != nil {
		return nil, err
	}
	defer s.gate.Leave()
	return s.reader().items(ctx, id, kinds)
}

// ItemsAfter implements [store.Reader].
func (s *Store) ItemsAfter(ctx context.Context, id store.SetID, kind snapshot.Kind, after string, limit int) ([]store.Item, error) {
	if err := s.gate.Enter(); err != nil {
		return nil, err
	}
	defer s.gate.Leave()
	return s.reader().itemsAfter(ctx, id, kind, after, limit)
}

// SnapshotAt implements [store.Store].
func (s *Store) SnapshotAt(ctx context.Context, id store.SetID, version uint64, refs ...snapshot.Ref) (set store.Set, items []store.Item, err error) {
	if err := s.gate.Enter(); err != nil {
		return store.Set{}, nil, err
	}
	defer s.gate.Leave()
	err = s.view(ctx, func(r reader) (err error) {
		set, items, err = r.snapshotAt(ctx, id, version, refs)
		return err
	})
	return set, items, err
}

// Changes implements [store.Store].
func (s *Store) Changes(ctx context.Context, id store.SetID, after uint64, limit int) (changes []store.Change, err error) {
	if err := s.gate.Enter(); err != nil {
		return nil, err
	}
	defer s.gate.Leave()
	err = s.view(ctx, func(r reader) (err error) {
		changes, err = r.changes(ctx, id, after, limit)
		return err
	})
	return changes, err
}

// Log implements [store.Store].
func (s *Store) Log(ctx context.Context, id store.SetID, query store.LogQuery) (entries []store.Entry, err error) {
	if err := s.gate.Enter(); err != nil {
		return nil, err
	}
	defer s.gate.Leave()
	err = s.view(ctx, func(r reader) (err error) {
		entries, err = r.log(ctx, id, &query)
		return err
	})
	return entries, err
}

// Credential implements [store.Store].
func (s *Store) Credential(ctx context.Context, hash [32]byte) (store.Credential, error) {
	if err := s.gate.Enter(); err != nil {
		return store.Credential{}, err
	}
	defer s.gate.Leave()
	return s.reader().credential(ctx, hash)
}

// Credentials implements [store.Store].
func (s *Store) Credentials(ctx context.Context) ([]store.Credential, error) {
	if err := s.gate.Enter(); err != nil {
		return nil, err
	}
	defer s.gate.Leave()
	return s.reader().credentials(ctx)
}

// Watch implements [store.Store].
func (s *Store) Watch(fn func(store.Hint)) (stop func()) { return s.hints.Watch(fn) }

// Close implements [store.Store].
func (s *Store) Close() error {
	return s.gate.Close(func() error {
		// The writer is last: closing the last connection folds the log into the
		// database, which a reader may not.
		return errors.Join(s.read.close(), s.pool.Close(), s.writer.close())
	})
}
