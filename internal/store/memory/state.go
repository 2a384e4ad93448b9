package memory

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/wigwag/wigwag/internal/store"
	"github.com/wigwag/wigwag/snapshot"
)

// state is all that a store holds at one moment. Published states are only read.
type state struct {
	sets map[store.SetID]*set
	// credentials are sorted as [store.Store.Credentials] returns them.
	credentials []store.Credential
}

// set is one set. Published sets are only read; the array under log is shared
// with later states, which only write behind its end.
type set struct {
	store.Set
	items map[snapshot.Ref]store.Item
	// log holds the change of version n at n-1.
	log []*store.Change
}

func newState() *state { return &state{sets: make(map[store.SetID]*set)} }

func (s *state) allSets() []store.Set {
	all := make([]store.Set, 0, len(s.sets))
	for _, set := range s.sets {
		all = append(all, set.Set)
	}
	slices.SortFunc(all, func(a, b store.Set) int {
		return cmp.Or(cmp.Compare(a.ID.Project, b.ID.Project), cmp.Compare(a.ID.Environment, b.ID.Environment))
	})
	return all
}

func (s *state) set(id store.SetID) (store.Set, error) {
	set, ok := s.sets[id]
	if !ok {
		return store.Set{}, &store.NotFoundError{What: "set", Key: id.String()}
	}
	return set.Set, nil
}

func (s *state) item(id store.SetID, ref snapshot.Ref) (store.Item, error) {
	if set, ok := s.sets[id]; ok {
		if item, ok := set.items[ref]; ok {
			return item, nil
		}
	}
	return store.Item{}, &store.NotFoundError{What: "item", Key: id.String() + " " + ref.String()}
}

func (s *state) items(id store.SetID, kinds []snapshot.Kind) []store.Item {
	set, ok := s.sets[id]
	if !ok {
		return nil
	}
	return sorted(set.items, kinds)
}

// sorted returns the items of those kinds, of all where there is none.
func sorted(items map[snapshot.Ref]store.Item, kinds []snapshot.Kind) []store.Item {
	list := make([]store.Item, 0, len(items))
	for ref, item := range items {
		if len(kinds) == 0 || slices.Contains(kinds, ref.Kind) {
			list = append(list, item)
		}
	}
	slices.SortFunc(list, func(a, b store.Item) int { return a.Compare(b.Ref) })
	return list
}

func (s *state) snapshotAt(id store.SetID, version uint64) (store.Set, []store.Item, error) {
	set, ok := s.sets[id]
	if !ok {
		return store.Set{}, nil, &store.NotFoundError{What: "set", Key: id.String()}
	}
	current := set.Position.Version
	switch {
	case version == 0 || version == current:
		return set.Set, sorted(set.items, nil), nil
	case version > current:
		return store.Set{}, nil, &store.NotFoundError{What: "version", Key: fmt.Sprintf("%s %d", id, version)}
	}
	items := make(map[snapshot.Ref]store.Item)
	for _, change := range set.log[:version] {
		for _, item := range change.Put {
			items[item.Ref] = item
		}
		for _, ref := range change.Delete {
			delete(items, ref)
		}
	}
	then := set.Set
	then.Position.Version = version
	then.CommittedAt = set.log[version-1].At
	return then, sorted(items, nil), nil
}

func (s *state) changes(id store.SetID, after uint64, limit int) []store.Change {
	set, ok := s.sets[id]
	if !ok || after >= set.Position.Version {
		return nil
	}
	log := set.log[after:]
	if limit > 0 && len(log) > limit {
		log = log[:limit]
	}
	changes := make([]store.Change, len(log))
	for i, change := range log {
		changes[i] = *change
		changes[i].Put = slices.Clone(change.Put)
		changes[i].Delete = slices.Clone(change.Delete)
	}
	return changes
}
