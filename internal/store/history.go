package store

import (
	"slices"
	"strings"
	"time"

	"github.com/wigwag/wigwag/snapshot"
)

// LogQuery asks for entries of a set's log.
type LogQuery struct {
	// Newest asks for the newest entries first; the oldest are first otherwise.
	Newest bool
	// Cursor is the version behind which to go on in that order; zero begins.
	Cursor uint64
	// Limit is the greatest number of entries, all where it is zero.
	Limit int
	// Refs, where there are any, leave out the changes that touch none of them. A
	// key that ends in a slash stands for all that begin with it.
	Refs []snapshot.Ref
}

// Entry is a change without bodies: what a list of the history shows.
type Entry struct {
	Version uint64
	// At, Actor and Comment are those of the [Change].
	At      time.Time
	Actor   string
	Comment string
	// Put and Delete are sorted by [snapshot.Ref.Compare].
	Put, Delete []snapshot.Ref
}

// Bounds returns the versions between which, both excluded, the entries of a query
// lie in a set.
func (q *LogQuery) Bounds(set *Set) (above, below uint64) {
	above, below = set.Oldest, set.Position.Version+1
	if q.Cursor == 0 {
		return above, below
	}
	if q.Newest {
		return above, min(below, q.Cursor)
	}
	return max(above, q.Cursor), below
}

// Named reports whether refs, as [LogQuery] has them, name an item. All items are
// named where there are none.
func Named(refs []snapshot.Ref, ref snapshot.Ref) bool {
	return len(refs) == 0 || slices.ContainsFunc(refs, func(named snapshot.Ref) bool {
		return named.Kind == ref.Kind &&
			(named.Key == ref.Key || strings.HasSuffix(named.Key, "/") && strings.HasPrefix(ref.Key, named.Key))
	})
}
