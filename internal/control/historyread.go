package control

import (
	"context"
	"errors"
	"fmt"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/fault"
	"github.com/wigwag/wigwag/internal/store"
	"github.com/wigwag/wigwag/snapshot"
)

// past reads items of a set at a version, all where no refs are given, and the set
// as of then. Version 0 is the empty set that every history begins with.
func (c *Control) past(ctx context.Context, set store.Set, version uint64, refs ...snapshot.Ref) (store.Set, []store.Item, error) {
	if version == 0 {
		then := set
		then.Position.Version = 0
		if set.Oldest > 0 {
			return then, nil, gone(set, 0)
		}
		return then, nil, nil
	}
	then, items, err := c.store.SnapshotAt(ctx, set.ID, version, refs...)
	switch {
	case err == nil:
		return then, items, nil
	case errors.Is(err, store.ErrNotFound):
		// Retention may have come between.
		if now, err := c.store.Set(ctx, set.ID); err == nil && version < now.Oldest {
			return then, nil, gone(now, version)
		}
	}
	return then, nil, fmt.Errorf("read %s at %d: %w", set.ID, version, err)
}

// flagSetAt returns the flag set of an environment, which can be read at a
// version.
func (c *Control) flagSetAt(ctx context.Context, project, environment string, version uint64) (store.Set, error) {
	set, err := flagSet(ctx, c.store, project, environment)
	if err != nil {
		return set, err
	}
	return set, checkVersion(set, "version", version)
}

// Past is a list of what was there right after a version.
type Past[T any] struct {
	Values []Read[T]
	// Position is that of the version.
	Position snapshot.Position
}

// FlagsAt returns the flags of an environment as they were right after a version.
// A version that does not exist yet is NotFound, one that retention has dropped
// Gone; so it is wherever a version is given.
func (c *Control) FlagsAt(ctx context.Context, project, environment string, version uint64) (Past[*feature.Flag], error) {
	set, err := c.flagSetAt(ctx, project, environment, version)
	if err != nil {
		return Past[*feature.Flag]{}, err
	}
	then, items, err := c.past(ctx, set, version)
	if err != nil {
		return Past[*feature.Flag]{}, err
	}
	past := Past[*feature.Flag]{Position: then.Position}
	for i := range items {
		if items[i].Kind != snapshot.KindFlag {
			continue
		}
		flag, err := decode[feature.Flag](set.ID, items[i])
		if err != nil {
			return Past[*feature.Flag]{}, err
		}
		past.Values = append(past.Values, read(flag, then, items[i].Version))
	}
	return past, nil
}

// FlagAt returns a flag of an environment as it was right after a version.
func (c *Control) FlagAt(ctx context.Context, project, environment, flag string, version uint64) (Read[*feature.Flag], error) {
	set, err := c.flagSetAt(ctx, project, environment, version)
	if err != nil {
		return Read[*feature.Flag]{}, err
	}
	then, items, err := c.past(ctx, set, version, flagRef(flag))
	if err != nil {
		return Read[*feature.Flag]{}, err
	}
	if len(items) == 0 {
		return Read[*feature.Flag]{}, notThen(set, version, "flag", flag)
	}
	decoded, err := decode[feature.Flag](set.ID, items[0])
	if err != nil {
		return Read[*feature.Flag]{}, err
	}
	return read(decoded, then, items[0].Version), nil
}

// SegmentsAt returns the segments of an environment as they were right after a
// version, in the form of [Control.Segments].
func (c *Control) SegmentsAt(ctx context.Context, project, environment string, version uint64) (Past[*feature.Segment], error) {
	set, err := c.flagSetAt(ctx, project, environment, version)
	if err != nil {
		return Past[*feature.Segment]{}, err
	}
	then, items, err := c.past(ctx, set, version)
	if err != nil {
		return Past[*feature.Segment]{}, err
	}
	latest := make(map[string]uint64)
	for i := range items {
		if items[i].Kind == snapshot.KindKeys {
			segment := segmentOfShard(items[i].Ref)
			latest[segment] = max(latest[segment], items[i].Version)
		}
	}
	past := Past[*feature.Segment]{Position: then.Position}
	for i := range items {
		if items[i].Kind != snapshot.KindSegment {
			continue
		}
		segment, err := decode[feature.Segment](set.ID, items[i])
		if err != nil {
			return Past[*feature.Segment]{}, err
		}
		past.Values = append(past.Values, read(segment, then, max(items[i].Version, latest[segment.Key])))
	}
	return past, nil
}

// SegmentAt returns a segment of an environment as it was right after a version,
// with its lists whole and sorted.
func (c *Control) SegmentAt(ctx context.Context, project, environment, segment string, version uint64) (Read[*feature.Segment], error) {
	set, err := c.flagSetAt(ctx, project, environment, version)
	if err != nil {
		return Read[*feature.Segment]{}, err
	}
	then, items, err := c.past(ctx, set, version, refsOf(set.ID, "", segment)...)
	if err != nil {
		return Read[*feature.Segment]{}, err
	}
	seen := newSeenItems(items)
	stored, err := readSegment(ctx, seen, then, segment)
	if fault.Is(err, fault.NotFound) {
		return stored, notThen(set, version, "segment", segment)
	}
	if err != nil {
		return stored, err
	}
	whole, changedAt, err := wholeSegment(ctx, seen, set.ID, stored)
	return read(whole, then, changedAt), err
}

func notThen(set store.Set, version uint64, what, key string) *fault.Error {
	return fault.New(fault.NotFound, "%s had no %s %.140q at version %d; its history says when it came and went.",
		title(describeSet(set.ID)), what, key, version)
}

// newSeenItems answers for items without asking the store.
func newSeenItems(items []store.Item) *seenItems {
	seen := &seenItems{items: make(map[snapshot.Ref]store.Item, len(items))}
	for i := range items {
		seen.items[items[i].Ref] = items[i]
	}
	return seen
}
