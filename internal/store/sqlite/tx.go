package sqlite

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"

	"github.com/wigwag/wigwag/internal/store"
	"github.com/wigwag/wigwag/snapshot"
)

// errTxOver is what a Tx says that was kept.
var errTxOver = errors.New("sqlite: the transaction is over")

// tx is an open transaction of the writer.
type tx struct {
	prepared *prepared
	reader   reader
	// moved are the sets that already have their new version.
	moved map[store.SetID]struct{}
	hints []store.Hint
	// failure is the first failure of the store itself. SQLite may have rolled
	// back by then, so nothing may run after it.
	failure error
	over    bool
}

var _ store.Tx = (*tx)(nil)

func newTx(p *prepared) *tx {
	return &tx{
		prepared: p,
		reader:   reader{func(_ context.Context, s statement) *sql.Stmt { return p[s] }},
		moved:    make(map[store.SetID]struct{}),
	}
}

func (t *tx) stmt(s statement) *sql.Stmt { return t.prepared[s] }

// exec reports whether a statement changed a row.
func (t *tx) exec(ctx context.Context, s statement, args ...any) (bool, error) {
	result, err := t.stmt(s).ExecContext(ctx, args...)
	if err != nil {
		return false, failed(ctx, "write", err)
	}
	rows, err := result.RowsAffected()
	if err != nil {
		return false, failed(ctx, "write", err)
	}
	return rows > 0, nil
}

// refusal marks an error that is the caller's, after which the transaction may go
// on.
type refusal struct{ error }

func refuse(err error) error { return refusal{err} }

// do runs fn, with a context that never ends, unless the caller's has or the
// transaction is past use. An error that is neither a refusal nor an
// ErrNotFound fails the transaction.
func (t *tx) do(ctx context.Context, fn func(ctx context.Context) error) error {
	if t.over {
		return errTxOver
	}
	if t.failure != nil {
		return t.failure
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	err := fn(context.WithoutCancel(ctx))
	if refused, ok := errors.AsType[refusal](err); ok {
		return refused.error
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		t.failure = err
	}
	return err
}

func (t *tx) Sets(ctx context.Context) (sets []store.Set, err error) {
	err = t.do(ctx, func(ctx context.Context) error {
		sets, err = t.reader.sets(ctx)
		return err
	})
	return sets, err
}

func (t *tx) Set(ctx context.Context, id store.SetID) (store.Set, error) {
	var set setRow
	err := t.do(ctx, func(ctx context.Context) (err error) {
		set, err = t.reader.set(ctx, id)
		return err
	})
	return set.Set, err
}

func (t *tx) Item(ctx context.Context, id store.SetID, ref snapshot.Ref) (item store.Item, err error) {
	err = t.do(ctx, func(ctx context.Context) error {
		item, err = t.reader.item(ctx, id, ref)
		return err
	})
	return item, err
}

func (t *tx) Items(ctx context.Context, id store.SetID, kinds ...snapshot.Kind) (items []store.Item, err error) {
	err = t.do(ctx, func(ctx context.Context) error {
		items, err = t.reader.items(ctx, id, kinds)
		return err
	})
	return items, err
}

func (t *tx) ItemsAfter(ctx context.Context, id store.SetID, kind snapshot.Kind, after string, limit int) (items []store.Item, err error) {
	err = t.do(ctx, func(ctx context.Context) error {
		items, err = t.reader.itemsAfter(ctx, id, kind, after, limit)
		return err
	})
	return items, err
}

func (t *tx) CreateSet(ctx context.Context, id store.SetID) error {
	return t.do(ctx, func(ctx context.Context) error {
		switch _, err := t.reader.set(ctx, id); {
		case err == nil:
			return refuse(fmt.Errorf("set %s: %w", id, store.ErrExists))
		case !errors.Is(err, store.ErrNotFound):
			return err
		}
		epoch, err := store.NewEpoch()
		if err != nil {
			return refuse(err)
		}
		var none store.Set
		if _, err := t.exec(ctx, insertSet, id.Project, id.Environment, epoch, store.Now(none.CommittedAt).UnixMicro()); err != nil {
			return err
		}
		t.hint(id, 0)
		return nil
	})
}

func (t *tx) DeleteSet(ctx context.Context, id store.SetID) error {
	return t.do(ctx, func(ctx context.Context) error {
		set, err := t.reader.set(ctx, id)
		if err != nil {
			return err
		}
		// In the order of their references: the set last.
		for _, s := range []statement{deleteChangeItemsOf, deleteChangesOf, deleteItemsOf, deleteSet} {
			if _, err := t.exec(ctx, s, set.row); err != nil {
				return err
			}
		}
		if !id.IsCatalogue() {
			if _, err := t.exec(ctx, deleteCredentialsOf, id.Project, id.Environment); err != nil {
				return err
			}
			t.hintCredentials()
		}
		delete(t.moved, id)
		t.hint(id, 0)
		return nil
	})
}

func (t *tx) Commit(ctx context.Context, id store.SetID, c store.Commit) (position snapshot.Position, err error) {
	err = t.do(ctx, func(ctx context.Context) error {
		if err := c.Check(); err != nil {
			return refuse(err)
		}
		set, err := t.reader.set(ctx, id)
		if err != nil {
			return err
		}
		position, err = t.write(ctx, set, &c)
		return err
	})
	return position, err
}

// write writes what of a commit changes the set, and returns the position after.
func (t *tx) write(ctx context.Context, set setRow, c *store.Commit) (snapshot.Position, error) {
	next := set.Position
	if _, moved := t.moved[set.ID]; !moved {
		next.Version++
	}
	put, err := t.put(ctx, set.row, next.Version, c.Put)
	if err != nil {
		return next, err
	}
	deleted, err := t.delete(ctx, set.row, c.Delete)
	if err != nil || len(put)+len(deleted) == 0 {
		return set.Position, err
	}
	at := store.Now(set.CommittedAt).UnixMicro()
	if _, err := t.exec(ctx, updateSet, next.Version, at, set.row); err != nil {
		return next, err
	}
	if _, err := t.exec(ctx, upsertChange, set.row, next.Version, at, c.Actor, c.Comment); err != nil {
		return next, err
	}
	for _, item := range put {
		if _, err := t.exec(ctx, upsertChangeItem, set.row, next.Version, item.Kind, item.Key, item.Digest[:], item.Body); err != nil {
			return next, err
		}
	}
	for _, ref := range deleted {
		if _, err := t.exec(ctx, upsertChangeItem, set.row, next.Version, ref.Kind, ref.Key, nil, nil); err != nil {
			return next, err
		}
	}
	t.moved[set.ID] = struct{}{}
	t.hint(set.ID, next.Version)
	return next, nil
}

// put writes items and returns those that were not there with the same bytes.
func (t *tx) put(ctx context.Context, row int64, version uint64, items []store.Item) ([]store.Item, error) {
	var written []store.Item
	for _, item := range items {
		item.Digest = sha256.Sum256(item.Body)
		if item.Body == nil {
			item.Body = []byte{} // nil would be NULL
		}
		changed, err := t.exec(ctx, upsertItem, row, item.Kind, item.Key, version, item.Digest[:], item.Body)
		if err != nil {
			return nil, err
		}
		if changed {
			written = append(written, item)
		}
	}
	return written, nil
}

// delete deletes items and returns those that were there.
func (t *tx) delete(ctx context.Context, row int64, refs []snapshot.Ref) ([]snapshot.Ref, error) {
	var deleted []snapshot.Ref
	for _, ref := range refs {
		was, err := t.exec(ctx, deleteItem, row, ref.Kind, ref.Key)
		if err != nil {
			return nil, err
		}
		if was {
			deleted = append(deleted, ref)
		}
	}
	return deleted, nil
}

// hint keeps one hint a set, the highest.
func (t *tx) hint(id store.SetID, version uint64) {
	for i := range t.hints {
		if t.hints[i].Set == id {
			t.hints[i].Version = version
			return
		}
	}
	t.hints = append(t.hints, store.Hint{Set: id, Version: version})
}
