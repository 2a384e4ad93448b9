package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/wigwag/wigwag/internal/store"
)

// snapshotAt is [store.Store.SnapshotAt] within one transaction.
func (r reader) snapshotAt(ctx context.Context, id store.SetID, version uint64) (store.Set, []store.Item, error) {
	set, err := r.set(ctx, id)
	if err != nil {
		return store.Set{}, nil, err
	}
	if version == 0 || version == set.Position.Version {
		items, err := r.items(ctx, id, nil)
		return set.Set, items, err
	}
	notFound := &store.NotFoundError{What: "version", Key: fmt.Sprintf("%s %d", id, version)}
	if version > set.Position.Version {
		return store.Set{}, nil, notFound
	}
	var at int64
	err = r.stmt(ctx, selectChange).QueryRowContext(ctx, set.row, int64(version)).Scan(&at)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return store.Set{}, nil, notFound
	case err != nil:
		return store.Set{}, nil, failed(ctx, "read a change", err)
	}
	set.Position.Version, set.CommittedAt = version, fromMicros(at)
	items, err := r.itemRows(ctx, selectItemsAt, set.row, int64(version))
	// They come in this order, but SQL promises none of an inner query.
	slices.SortFunc(items, func(a, b store.Item) int { return a.Compare(b.Ref) })
	return set.Set, items, err
}

// changes is [store.Store.Changes] within one transaction.
func (r reader) changes(ctx context.Context, id store.SetID, after uint64, limit int) ([]store.Change, error) {
	set, err := r.set(ctx, id)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, err
	}
	if after >= set.Position.Version {
		return nil, nil
	}
	count := set.Position.Version - after
	if limit > 0 {
		count = min(count, uint64(limit))
	}
	from, to := int64(after), int64(after+count)

	changes := make([]store.Change, 0, min(count, 1024))
	err = r.each(ctx, selectChanges, func(scan scanner) error {
		change := store.Change{Set: id}
		var at int64
		if err := scan(&change.Version, &at, &change.Actor, &change.Comment); err != nil {
			return err
		}
		change.At = fromMicros(at)
		changes = append(changes, change)
		return nil
	}, set.row, from, to)
	if err != nil {
		return nil, failed(ctx, "read changes", err)
	}
	// Versions are dense, so a missing change shows in the number alone.
	if uint64(len(changes)) != count {
		return nil, &store.NotFoundError{What: "changes", Key: fmt.Sprintf("%s after %d", id, after)}
	}
	err = r.each(ctx, selectChangeItems, func(scan scanner) error {
		var item store.Item
		var sum []byte
		if err := scan(&item.Version, &item.Kind, &item.Key, &sum, &item.Body); err != nil {
			return err
		}
		change := &changes[item.Version-after-1]
		if sum == nil {
			change.Delete = append(change.Delete, item.Ref)
			return nil
		}
		change.Put = append(change.Put, item)
		return (*digest)(&change.Put[len(change.Put)-1].Digest).Scan(sum)
	}, set.row, from, to)
	if err != nil {
		return nil, failed(ctx, "read the items of changes", err)
	}
	return changes, nil
}
