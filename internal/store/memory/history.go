package memory

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/wigwag/wigwag/internal/store"
	"github.com/wigwag/wigwag/snapshot"
)

func (s *state) snapshotAt(id store.SetID, version uint64, refs []snapshot.Ref) (store.Set, []store.Item, error) {
	set, ok := s.sets[id]
	if !ok {
		return store.Set{}, nil, &store.NotFoundError{What: "set", Key: id.String()}
	}
	if version == 0 || version == set.Position.Version {
		return set.Set, named(set.items, refs), nil
	}
	if version > set.Position.Version || version < set.Oldest {
		return store.Set{}, nil, &store.NotFoundError{What: "version", Key: fmt.Sprintf("%s %d", id, version)}
	}
	items, at := set.at(version)
	then := set.Set
	then.Position.Version, then.CommittedAt = version, at
	return then, named(items, refs), nil
}

// at returns the items of a version that can be read, and when it was committed.
func (s *set) at(version uint64) (map[snapshot.Ref]store.Item, time.Time) {
	items, at := maps.Clone(s.base), s.baseAt
	if items == nil {
		items = make(map[snapshot.Ref]store.Item)
	}
	for _, change := range s.log[:version-s.Oldest] {
		for _, item := range change.Put {
			items[item.Ref] = item
		}
		for _, ref := range change.Delete {
			delete(items, ref)
		}
		at = change.At
	}
	return items, at
}

// named returns the items that refs name, sorted.
func named(items map[snapshot.Ref]store.Item, refs []snapshot.Ref) []store.Item {
	return slices.DeleteFunc(sorted(items, nil), func(item store.Item) bool { return !store.Named(refs, item.Ref) })
}

func (s *state) changes(id store.SetID, after uint64, limit int) ([]store.Change, error) {
	set, ok := s.sets[id]
	if !ok || after >= set.Position.Version {
		return nil, nil
	}
	if after < set.Oldest {
		return nil, &store.NotFoundError{What: "changes", Key: fmt.Sprintf("%s after %d", id, after)}
	}
	log := set.log[after-set.Oldest:]
	if limit > 0 && len(log) > limit {
		log = log[:limit]
	}
	changes := make([]store.Change, len(log))
	for i, change := range log {
		changes[i] = *change
		changes[i].Put = slices.Clone(change.Put)
		changes[i].Delete = slices.Clone(change.Delete)
	}
	return changes, nil
}

func (s *state) log(id store.SetID, query *store.LogQuery) []store.Entry {
	set, ok := s.sets[id]
	if !ok {
		return nil
	}
	above, below := query.Bounds(&set.Set)
	if above+1 >= below {
		return nil
	}
	log := slices.Clone(set.log[above-set.Oldest : below-1-set.Oldest])
	if query.Newest {
		slices.Reverse(log)
	}
	var entries []store.Entry
	for _, change := range log {
		if query.Limit > 0 && len(entries) == query.Limit {
			break
		}
		entry := store.Entry{
			Version: change.Version, At: change.At, Actor: change.Actor, Comment: change.Comment,
			Delete: slices.Clone(change.Delete),
		}
		for i := range change.Put {
			entry.Put = append(entry.Put, change.Put[i].Ref)
		}
		names := func(ref snapshot.Ref) bool { return store.Named(query.Refs, ref) }
		if slices.ContainsFunc(entry.Put, names) || slices.ContainsFunc(entry.Delete, names) {
			entries = append(entries, entry)
		}
	}
	return entries
}

// Log implements [store.Store].
func (s *Store) Log(ctx context.Context, id store.SetID, query store.LogQuery) ([]store.Entry, error) {
	state, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	defer s.gate.Leave()
	return state.log(id, &query), nil
}

// DropHistory implements [store.Store].
func (s *Store) DropHistory(ctx context.Context, id store.SetID, before time.Time, limit int) (more bool, err error) {
	if err := s.gate.Enter(); err != nil {
		return false, err
	}
	defer s.gate.Leave()
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return false, ctx.Err()
	}
	defer func() { <-s.turn }()
	state := *s.state.Load()
	old, ok := state.sets[id]
	if !ok {
		return false, &store.NotFoundError{What: "set", Key: id.String()}
	}
	drop, items := 0, 0
	for _, change := range old.log {
		if !change.At.Before(before) {
			break
		}
		if items += len(change.Put) + len(change.Delete); drop > 0 && items > limit {
			more = true
			break
		}
		drop++
	}
	if drop == 0 {
		return false, nil
	}
	next := *old
	next.Oldest += uint64(drop)
	next.base, next.baseAt = old.at(next.Oldest)
	next.log = slices.Clone(old.log[drop:])
	state.sets = maps.Clone(state.sets)
	state.sets[id] = &next
	s.state.Store(&state)
	return more, nil
}
