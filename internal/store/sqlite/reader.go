package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/wigwag/wigwag/internal/store"
	"github.com/wigwag/wigwag/snapshot"
)

// reader answers [store.Reader] over prepared statements: those of the pool of
// readers, of one of its transactions, or of the writer.
type reader struct {
	stmt func(ctx context.Context, s statement) *sql.Stmt
}

// failed says what the store was doing when it failed. Where the caller's context
// is done, that is the cause, whatever the driver says.
func failed(ctx context.Context, doing string, err error) error {
	if cause := ctx.Err(); cause != nil {
		err = cause
	}
	return fmt.Errorf("sqlite: %s: %w", doing, err)
}

// setRow is a set with the number by which the other tables know it.
type setRow struct {
	store.Set
	row int64
}

func (r reader) sets(ctx context.Context) ([]store.Set, error) {
	var sets []store.Set
	err := r.each(ctx, selectSets, func(scan scanner) error {
		var set store.Set
		var at int64
		if err := scan(&set.ID.Project, &set.ID.Environment, &set.Position.Epoch, &set.Position.Version, &at, &set.Oldest); err != nil {
			return err
		}
		set.CommittedAt = fromMicros(at)
		sets = append(sets, set)
		return nil
	})
	if err != nil {
		return nil, failed(ctx, "read sets", err)
	}
	return sets, nil
}

func (r reader) set(ctx context.Context, id store.SetID) (setRow, error) {
	set := setRow{Set: store.Set{ID: id}}
	var at int64
	err := r.stmt(ctx, selectSet).QueryRowContext(ctx, id.Project, id.Environment).
		Scan(&set.row, &set.Position.Epoch, &set.Position.Version, &at, &set.Oldest)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return setRow{}, &store.NotFoundError{What: "set", Key: id.String()}
	case err != nil:
		return setRow{}, failed(ctx, "read a set", err)
	}
	set.CommittedAt = fromMicros(at)
	return set, nil
}

func (r reader) item(ctx context.Context, id store.SetID, ref snapshot.Ref) (store.Item, error) {
	item := store.Item{Ref: ref}
	err := r.stmt(ctx, selectItem).QueryRowContext(ctx, id.Project, id.Environment, ref.Kind, ref.Key).
		Scan(&item.Version, (*digest)(&item.Digest), &item.Body)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return store.Item{}, &store.NotFoundError{What: "item", Key: id.String() + " " + ref.String()}
	case err != nil:
		return store.Item{}, failed(ctx, "read an item", err)
	}
	return item, nil
}

func (r reader) items(ctx context.Context, id store.SetID, kinds []snapshot.Kind) ([]store.Item, error) {
	if len(kinds) == 0 {
		return r.itemRows(ctx, selectItems, id.Project, id.Environment)
	}
	list, err := json.Marshal(kinds)
	if err != nil {
		return nil, failed(ctx, "name kinds", err)
	}
	return r.itemRows(ctx, selectItemsOfKinds, id.Project, id.Environment, string(list))
}

func (r reader) itemsAfter(ctx context.Context, id store.SetID, kind snapshot.Kind, after string, limit int) ([]store.Item, error) {
	return r.itemRows(ctx, selectItemsAfter, id.Project, id.Environment, kind, after, limit)
}

// itemRows reads the items that a statement selects as kind, key, version, digest
// and body.
func (r reader) itemRows(ctx context.Context, s statement, args ...any) ([]store.Item, error) {
	var items []store.Item
	err := r.each(ctx, s, func(scan scanner) error {
		var item store.Item
		if err := scan(&item.Kind, &item.Key, &item.Version, (*digest)(&item.Digest), &item.Body); err != nil {
			return err
		}
		items = append(items, item)
		return nil
	}, args...)
	if err != nil {
		return nil, failed(ctx, "read items", err)
	}
	return items, nil
}

type scanner func(into ...any) error

// each calls fn with every row.
func (r reader) each(ctx context.Context, s statement, fn func(scan scanner) error, args ...any) (err error) {
	rows, err := r.stmt(ctx, s).QueryContext(ctx, args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := fn(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// digest scans a column of 32 bytes.
type digest [32]byte

func (d *digest) Scan(value any) error {
	b, ok := value.([]byte)
	if !ok || len(b) != len(d) {
		return fmt.Errorf("a digest is %d bytes of %T, not 32", len(b), value)
	}
	copy(d[:], b)
	return nil
}

func fromMicros(us int64) time.Time { return time.UnixMicro(us).UTC() }
