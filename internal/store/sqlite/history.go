package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/wigwag/wigwag/internal/store"
	"github.com/wigwag/wigwag/snapshot"
)

// snapshotAt is [store.Store.SnapshotAt] within one transaction.
func (r reader) snapshotAt(ctx context.Context, id store.SetID, version uint64, refs []snapshot.Ref) (store.Set, []store.Item, error) {
	set, err := r.set(ctx, id)
	if err != nil {
		return store.Set{}, nil, err
	}
	if version != 0 && version != set.Position.Version {
		if err := r.goTo(ctx, &set, version); err != nil {
			return store.Set{}, nil, err
		}
	} else if len(refs) == 0 {
		items, err := r.items(ctx, id, nil)
		return set.Set, items, err
	}
	query, args := selectItemsAt, []any{set.row, int64(set.Position.Version)}
	if len(refs) > 0 {
		names, err := namesOf(refs)
		if err != nil {
			return store.Set{}, nil, failed(ctx, "name items", err)
		}
		query, args = selectNamedItemsAt, []any{set.row, names, int64(set.Position.Version)}
	}
	items, err := r.itemRows(ctx, query, args...)
	// They come in this order, but SQL promises none of an inner query.
	slices.SortFunc(items, func(a, b store.Item) int { return a.Compare(b.Ref) })
	return set.Set, items, err
}

// goTo puts a set back to a version.
func (r reader) goTo(ctx context.Context, set *setRow, version uint64) error {
	notFound := &store.NotFoundError{What: "version", Key: fmt.Sprintf("%s %d", set.ID, version)}
	if version > set.Position.Version || version < set.Oldest {
		return notFound
	}
	var at int64
	err := r.stmt(ctx, selectChange).QueryRowContext(ctx, set.row, int64(version)).Scan(&at)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return notFound
	case err != nil:
		return failed(ctx, "read a change", err)
	}
	set.Position.Version, set.CommittedAt = version, fromMicros(at)
	return nil
}

// namesOf writes refs for the statements that select by name.
func namesOf(refs []snapshot.Ref) (string, error) {
	names := make([][3]string, len(refs))
	for i, ref := range refs {
		names[i] = [3]string{string(ref.Kind), ref.Key, ref.Key}
		if strings.HasSuffix(ref.Key, "/") {
			names[i][2] += string(utf8.MaxRune)
		}
	}
	list, err := json.Marshal(names)
	return string(list), err
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
	notFound := &store.NotFoundError{What: "changes", Key: fmt.Sprintf("%s after %d", id, after)}
	if after < set.Oldest {
		return nil, notFound
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
		return nil, notFound
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

// log is [store.Store.Log] within one transaction.
func (r reader) log(ctx context.Context, id store.SetID, query *store.LogQuery) ([]store.Entry, error) {
	set, err := r.set(ctx, id)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, err
	}
	above, below := query.Bounds(&set.Set)
	if above+1 >= below {
		return nil, nil
	}
	limit := query.Limit
	if limit <= 0 {
		limit = -1 // SQLite's word for all
	}
	forwards, backwards := selectLog, selectLogBackwards
	args := []any{set.row, int64(above), int64(below), limit}
	if len(query.Refs) > 0 {
		names, err := namesOf(query.Refs)
		if err != nil {
			return nil, failed(ctx, "name items", err)
		}
		forwards, backwards = selectNamedLog, selectNamedLogBackwards
		args = append(args, names)
	}
	if query.Newest {
		forwards = backwards
	}
	var entries []store.Entry
	at := make(map[uint64]int)
	var versions []uint64
	err = r.each(ctx, forwards, func(scan scanner) error {
		var entry store.Entry
		var micros int64
		if err := scan(&entry.Version, &micros, &entry.Actor, &entry.Comment); err != nil {
			return err
		}
		entry.At = fromMicros(micros)
		at[entry.Version] = len(entries)
		versions = append(versions, entry.Version)
		entries = append(entries, entry)
		return nil
	}, args...)
	if err != nil {
		return nil, failed(ctx, "read the log", err)
	}
	list, err := json.Marshal(versions)
	if err != nil {
		return nil, failed(ctx, "name versions", err)
	}
	err = r.each(ctx, selectLogItems, func(scan scanner) error {
		var version uint64
		var ref snapshot.Ref
		var deleted bool
		if err := scan(&version, &ref.Kind, &ref.Key, &deleted); err != nil {
			return err
		}
		if entry := &entries[at[version]]; deleted {
			entry.Delete = append(entry.Delete, ref)
		} else {
			entry.Put = append(entry.Put, ref)
		}
		return nil
	}, set.row, string(list))
	if err != nil {
		return nil, failed(ctx, "read the items of the log", err)
	}
	return entries, nil
}
