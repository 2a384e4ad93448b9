package sqlite

import (
	"context"
	"time"

	"github.com/wigwag/wigwag/internal/store"
	"github.com/wigwag/wigwag/snapshot"
)

// DropHistory implements [store.Store].
func (s *Store) DropHistory(ctx context.Context, id store.SetID, before time.Time, limit int) (more bool, err error) {
	if err := s.gate.Enter(); err != nil {
		return false, err
	}
	defer s.gate.Leave()
	_, err = s.writer.update(ctx, func(t *tx) error {
		return t.do(ctx, func(ctx context.Context) (err error) {
			more, err = t.dropHistory(ctx, id, before, limit)
			return err
		})
	})
	return more, err
}

// dropHistory drops the oldest changes, up to one from which on everything stays.
func (t *tx) dropHistory(ctx context.Context, id store.SetID, before time.Time, limit int) (more bool, err error) {
	set, err := t.reader.set(ctx, id)
	if err != nil {
		return false, err
	}
	oldest, more, err := t.horizon(ctx, set, before, limit)
	if err != nil || oldest == set.Oldest {
		return false, err
	}
	// What these changes touched may have become superfluous, and nothing else:
	// of every item at most one row is as old as the version that was the oldest.
	type newest struct {
		snapshot.Ref
		version int64
	}
	var touched []newest
	err = t.reader.each(ctx, selectTouched, func(scan scanner) error {
		var n newest
		if err := scan(&n.Kind, &n.Key, &n.version); err != nil {
			return err
		}
		touched = append(touched, n)
		return nil
	}, set.row, int64(set.Oldest), int64(oldest))
	if err != nil {
		return false, failed(ctx, "read what old changes touched", err)
	}
	for _, n := range touched {
		if _, err := t.exec(ctx, deleteChangeItems, set.row, n.Kind, n.Key, n.version); err != nil {
			return false, err
		}
	}
	if _, err := t.exec(ctx, deleteChanges, set.row, int64(oldest)); err != nil {
		return false, err
	}
	_, err = t.exec(ctx, updateOldest, int64(oldest), set.row)
	return more, err
}

// horizon returns the version that is to be the oldest: the newest of before a
// time, or an earlier one where that would drop more than about limit items.
func (t *tx) horizon(ctx context.Context, set setRow, before time.Time, limit int) (oldest uint64, more bool, err error) {
	oldest, items := set.Oldest, 0
	type change struct {
		version uint64
		at      int64
		items   int
	}
	var changes []change
	err = t.reader.each(ctx, selectOldChanges, func(scan scanner) error {
		var c change
		if err := scan(&c.version, &c.at, &c.items); err != nil {
			return err
		}
		changes = append(changes, c)
		return nil
	}, set.row, int64(set.Oldest), before.UnixMicro(), max(limit, 1)+1)
	if err != nil {
		return 0, false, failed(ctx, "read old changes", err)
	}
	for _, c := range changes {
		if items += c.items; oldest > set.Oldest && items > limit {
			return oldest, true, nil
		}
		oldest = c.version
	}
	return oldest, false, nil
}
