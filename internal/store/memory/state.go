package memory

import (
	"cmp"
	"slices"
	"time"

	"github.com/wigwag/wigwag/internal/store"
	"github.com/wigwag/wigwag/snapshot"
)

// state is all that a store holds at one moment. Published states are only read.
type state struct {
	sets map[store.SetID]*set
	// credentials are sorted as [store.Store.Credentials] returns them.
	credentials []store.Credential
	outcomes    map[outcomeName]store.Outcome
}

// set is one set. Published sets are only read; the array under log is shared
// with later states, which only write behind its end.
type set struct {
	store.Set
	items map[snapshot.Ref]store.Item
	// base are the items of the version Oldest, and baseAt is when that was
	// committed; nil where nothing was dropped.
	base   map[snapshot.Ref]store.Item
	baseAt time.Time
	// log holds the changes after Oldest.
	log []*store.Change
	// inOrder returns the items sorted, which is done when a page is first asked
	// for; nil where there are none.
	inOrder func() []store.Item
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

func (s *state) itemsAfter(id store.SetID, kind snapshot.Kind, after string, limit int) []store.Item {
	set, ok := s.sets[id]
	if !ok || set.inOrder == nil {
		return nil
	}
	all := set.inOrder()
	from, found := slices.BinarySearchFunc(all, snapshot.Ref{Kind: kind, Key: after},
		func(item store.Item, ref snapshot.Ref) int { return item.Compare(ref) })
	if found {
		from++
	}
	to := from
	for to < len(all) && to-from < limit && all[to].Kind == kind {
		to++
	}
	return slices.Clone(all[from:to])
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
