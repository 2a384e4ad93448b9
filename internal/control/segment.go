package control

import (
	"context"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/fault"
	"github.com/wigwag/wigwag/internal/store"
	"github.com/wigwag/wigwag/snapshot"
)

func segmentRef(segment string) snapshot.Ref {
	return snapshot.Ref{Kind: snapshot.KindSegment, Key: segment}
}

func noSegment(id store.SetID, segment string) *fault.Error {
	return fault.New(fault.NotFound, "Environment %q of project %q has no segment %.140q; list its segments or create it.",
		id.Environment, id.Project, segment)
}

// readSegment reads a segment as it is stored: a list that was cut into shards is
// only counted.
func readSegment(ctx context.Context, r store.Reader, set store.Set, segment string) (Read[*feature.Segment], error) {
	item, err := item(ctx, r, set.ID, segmentRef(segment), noSegment(set.ID, segment))
	if err != nil {
		return Read[*feature.Segment]{}, err
	}
	decoded, err := decode[feature.Segment](set.ID, item)
	if err != nil {
		return Read[*feature.Segment]{}, err
	}
	return read(decoded, set, item.Version), nil
}

// Segment returns a segment with its lists whole and sorted, however they are
// stored.
func (c *Control) Segment(ctx context.Context, project, environment, segment string) (Read[*feature.Segment], error) {
	set, err := flagSet(ctx, c.store, project, environment)
	if err != nil {
		return Read[*feature.Segment]{}, err
	}
	stored, err := readSegment(ctx, c.store, set, segment)
	if err != nil || stored.Value.Shards == (feature.Shards{}) {
		return stored, err
	}
	// Only one call sees segment and shards as they were at one time.
	items, err := items(ctx, c.store, set.ID, snapshot.KindSegment, snapshot.KindKeys)
	if err != nil {
		return stored, err
	}
	seen := &seenItems{Reader: c.store, items: make(map[snapshot.Ref]store.Item, len(items))}
	for i := range items {
		seen.items[items[i].Ref] = items[i]
	}
	if stored, err = readSegment(ctx, seen, set, segment); err != nil {
		return stored, err
	}
	whole, version, err := wholeSegment(ctx, seen, set.ID, stored)
	return read(whole, set, version), err
}

// seenItems answers for the items of one set as they were read before.
type seenItems struct {
	store.Reader
	items map[snapshot.Ref]store.Item
}

func (s *seenItems) Item(_ context.Context, _ store.SetID, ref snapshot.Ref) (store.Item, error) {
	if item, ok := s.items[ref]; ok {
		return item, nil
	}
	return store.Item{}, store.ErrNotFound
}

// wholeSegment reads the lists of a stored segment, and the version at which it
// or its keys last changed.
func wholeSegment(ctx context.Context, r store.Reader, id store.SetID, stored Read[*feature.Segment]) (*feature.Segment, uint64, error) {
	whole := *stored.Value
	version := stored.ChangedAt.Version
	for _, name := range listNames {
		list := newKeyList(r, id, stored.Value, name)
		keys, err := list.all(ctx)
		if err != nil {
			return nil, 0, err
		}
		inline, shards := listOf(&whole, name)
		*inline, *shards = keys, 0
		version = max(version, list.version)
	}
	return &whole, version, nil
}
