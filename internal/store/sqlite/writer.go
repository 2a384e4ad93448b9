package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"github.com/wigwag/wigwag/internal/store"
)

// writer is the one connection that writes, and the queue for it.
type writer struct {
	file file
	// turn is full while an Update runs. It is a channel so that waiting ends
	// with the caller's context.
	turn chan struct{}
	// session belongs to the holder of turn. It is nil after a failure: whatever
	// state the connection was in, closing it rolls back, and the next Update
	// opens another.
	session *session
}

// session is an open connection with its statements.
type session struct {
	db   *sql.DB
	conn *sql.Conn
	stmt *prepared
}

func newWriter(f file) *writer { return &writer{file: f, turn: make(chan struct{}, 1)} }

// open opens the session where there is none.
func (w *writer) open(ctx context.Context) error {
	if w.session != nil {
		return nil
	}
	db, err := sql.Open("sqlite", w.file.dsn(forWriting))
	if err != nil {
		return err
	}
	s := &session{db: db}
	if s.conn, err = db.Conn(ctx); err == nil {
		s.stmt, err = prepare(ctx, statements, s.conn)
	}
	if err != nil {
		return errors.Join(err, s.close())
	}
	w.session = s
	return nil
}

// close closes the session where there is one.
func (w *writer) close() error {
	if w.session == nil {
		return nil
	}
	err := w.session.close()
	w.session = nil
	return err
}

func (s *session) close() error {
	var errs []error
	if s.stmt != nil {
		errs = append(errs, s.stmt.close())
	}
	if s.conn != nil {
		errs = append(errs, s.conn.Close())
	}
	return errors.Join(append(errs, s.db.Close())...)
}

// Update implements [store.Store].
func (s *Store) Update(ctx context.Context, fn func(store.Tx) error) error {
	if err := s.gate.Enter(); err != nil {
		return err
	}
	defer s.gate.Leave()
	hints, err := s.writer.update(ctx, func(t *tx) error { return fn(t) })
	if err != nil {
		return err
	}
	s.hints.Send(hints...)
	return nil
}

func (w *writer) update(ctx context.Context, fn func(*tx) error) ([]store.Hint, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case w.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-w.turn }()

	if err := w.open(ctx); err != nil {
		return nil, failed(ctx, "open the database to write", err)
	}
	// This waits for writers of other processes, and the context ends that. Past
	// it no statement is interrupted, since SQLite may end the whole transaction
	// with the statement: transactions look at the context between statements.
	if _, err := w.session.stmt[begin].ExecContext(ctx); err != nil {
		w.discard()
		return nil, failed(ctx, "begin to write", err)
	}
	t := newTx(w.session.stmt)
	ended := false
	// A panic of fn and runtime.Goexit come by here too.
	defer func() {
		t.over = true
		if !ended {
			w.rollback()
		}
	}()
	if err := fn(t); err != nil {
		return nil, err
	}
	if t.failure != nil {
		return nil, t.failure
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	ended = true
	if _, err := w.session.stmt[commit].ExecContext(context.WithoutCancel(ctx)); err != nil {
		w.discard()
		return nil, failed(context.WithoutCancel(ctx), "commit", err)
	}
	return t.hints, nil
}

func (w *writer) rollback() {
	if _, err := w.session.stmt[rollback].ExecContext(context.Background()); err != nil {
		w.discard()
	}
}

// discard closes a session that failed. Its error adds nothing to the failure.
func (w *writer) discard() { _ = w.close() }
