package control

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/fault"
	"github.com/wigwag/wigwag/internal/store"
	"github.com/wigwag/wigwag/snapshot"
)

// Difference is what became of one document from one version to another.
//
// A list of a segment that is too long to be kept in the segment, before or
// after, is left out of the segment's documents. It is a difference of its own,
// of kind keys and with the key SEGMENT/LIST, which has no documents but the
// targeting keys that were added and removed, sorted.
type Difference struct {
	ItemChange
	Added, Removed []string
}

// Version is a change with what it did.
type Version struct {
	Change
	Differences []Difference
}

// Comparison is what two versions of a set differ by.
type Comparison struct {
	From, To snapshot.Position
	// Differences are sorted by kind and key.
	Differences []Difference
}

// Version returns the change of an environment that made a version, with every
// document before and after.
func (c *Control) Version(ctx context.Context, project, environment string, version uint64) (Version, error) {
	set, err := flagSet(ctx, c.store, project, environment)
	if err != nil {
		return Version{}, err
	}
	return c.version(ctx, set, version)
}

// ProjectVersion is [Control.Version] for the documents of a project.
func (c *Control) ProjectVersion(ctx context.Context, project string, version uint64) (Version, error) {
	set, err := catalogue(ctx, c.store, project)
	if err != nil {
		return Version{}, err
	}
	return c.version(ctx, set, version)
}

func (c *Control) version(ctx context.Context, set store.Set, version uint64) (Version, error) {
	if err := checkVersion(set, "version", version); err != nil {
		return Version{}, err
	}
	log, err := c.store.Log(ctx, set.ID, store.LogQuery{Cursor: version - 1, Limit: 1})
	if err != nil {
		return Version{}, fmt.Errorf("read the log of %s: %w", set.ID, err)
	}
	if len(log) == 0 || log[0].Version != version {
		// The oldest version can be read, but what it changed was dropped.
		return Version{}, fault.New(fault.Gone,
			"What version %d of %s changed is no longer kept: the server's history-retention has dropped it.", version, describeSet(set.ID))
	}
	var touched []snapshot.Ref
	for _, ref := range slices.Concat(log[0].Put, log[0].Delete) {
		switch ref.Kind {
		case snapshot.KindKeys:
			touched = append(touched, refsOf(set.ID, "", segmentOfShard(ref))...)
		case snapshot.KindSegment:
			touched = append(touched, refsOf(set.ID, "", ref.Key)...)
		default:
			touched = append(touched, ref)
		}
	}
	slices.SortFunc(touched, snapshot.Ref.Compare)
	compared, err := c.compare(ctx, set, version-1, version, slices.Compact(touched))
	return Version{changeOf(set, &log[0]), compared.Differences}, err
}

// Diff compares two versions of an environment, either of which may be the later;
// zero as from is the empty set that every history begins with, zero as to the
// current version. Where a flag or a segment is given, only they are compared.
func (c *Control) Diff(ctx context.Context, project, environment string, from, to uint64, flag, segment string) (Comparison, error) {
	set, err := flagSet(ctx, c.store, project, environment)
	if err != nil {
		return Comparison{}, err
	}
	return c.diff(ctx, set, from, to, refsOf(set.ID, flag, segment))
}

// ProjectDiff is [Control.Diff] for the documents of a project; a flag is its
// definition there.
func (c *Control) ProjectDiff(ctx context.Context, project string, from, to uint64, flag string) (Comparison, error) {
	set, err := catalogue(ctx, c.store, project)
	if err != nil {
		return Comparison{}, err
	}
	return c.diff(ctx, set, from, to, refsOf(set.ID, flag, ""))
}

func (c *Control) diff(ctx context.Context, set store.Set, from, to uint64, refs []snapshot.Ref) (Comparison, error) {
	if to == 0 {
		to = set.Position.Version
	}
	for field, version := range map[string]uint64{"from": from, "to": to} {
		if version == 0 && set.Oldest == 0 {
			continue
		}
		if err := checkVersion(set, field, version); err != nil {
			return Comparison{}, err
		}
	}
	return c.compare(ctx, set, from, to, refs)
}

// compare reads items of two versions and returns what differs.
func (c *Control) compare(ctx context.Context, set store.Set, from, to uint64, refs []snapshot.Ref) (Comparison, error) {
	was, before, err := c.past(ctx, set, from, refs...)
	if err != nil {
		return Comparison{}, err
	}
	is, after, err := c.past(ctx, set, to, refs...)
	if err != nil {
		return Comparison{}, err
	}
	differences, err := differencesOf(ctx, set.ID, before, after)
	return Comparison{From: was.Position, To: is.Position, Differences: differences}, err
}

// differencesOf compares the items of a set at two times.
func differencesOf(ctx context.Context, id store.SetID, before, after []store.Item) ([]Difference, error) {
	was, is := newSeenItems(before), newSeenItems(after)
	var found []Difference
	segments := make(map[string]bool) // of which a shard or the item differs
	add := func(ref snapshot.Ref, before, after []byte) {
		if !bytes.Equal(before, after) {
			found = append(found, Difference{ItemChange: ItemChange{
				Set: id, Ref: ref, Action: actionOf(before, after), Before: before, After: after,
			}})
		}
	}
	look := func(ref snapshot.Ref) {
		old, now := was.items[ref], is.items[ref]
		switch {
		case old.Digest == now.Digest:
		case ref.Kind == snapshot.KindSegment:
			segments[ref.Key] = true
		case ref.Kind == snapshot.KindKeys:
			segments[segmentOfShard(ref)] = true
		default:
			add(ref, old.Body, now.Body)
		}
	}
	for i := range before {
		look(before[i].Ref)
	}
	for i := range after {
		if _, both := was.items[after[i].Ref]; !both {
			look(after[i].Ref)
		}
	}
	for key := range segments {
		old, err := segmentIn(ctx, was, id, key)
		if err != nil {
			return nil, err
		}
		now, err := segmentIn(ctx, is, id, key)
		if err != nil {
			return nil, err
		}
		lists, oldBody, newBody, err := compareSegments(id, key, old, now)
		if err != nil {
			return nil, err
		}
		add(segmentRef(key), oldBody, newBody)
		found = append(found, lists...)
	}
	slices.SortFunc(found, func(a, b Difference) int { return a.Ref.Compare(b.Ref) })
	return found, nil
}

// segmentParts is a segment as it is stored and with its lists whole; both are nil
// where there is none.
type segmentParts struct{ stored, whole *feature.Segment }

func segmentIn(ctx context.Context, seen *seenItems, id store.SetID, key string) (segmentParts, error) {
	stored, err := readSegment(ctx, seen, store.Set{ID: id}, key)
	if fault.Is(err, fault.NotFound) {
		return segmentParts{}, nil
	}
	if err != nil {
		return segmentParts{}, err
	}
	whole, _, err := wholeSegment(ctx, seen, id, stored)
	return segmentParts{stored.Value, whole}, err
}

// compareSegments returns the documents of a segment without the lists that are
// kept in shards, and what became of these lists.
func compareSegments(id store.SetID, key string, before, after segmentParts) (lists []Difference, was, is []byte, err error) {
	both := []segmentParts{before, after}
	shown := make([]feature.Segment, len(both))
	for i, s := range both {
		if s.whole != nil {
			shown[i] = *s.whole
		}
	}
	for _, name := range listNames {
		sharded := false
		var keys [2][]string
		for i, s := range both {
			if s.stored == nil {
				continue
			}
			_, shards := listOf(s.stored, name)
			sharded = sharded || *shards > 0
			inline, _ := listOf(s.whole, name)
			keys[i] = *inline
		}
		if !sharded {
			continue
		}
		for i := range shown {
			inline, _ := listOf(&shown[i], name)
			*inline = nil
		}
		difference := Difference{
			ItemChange: ItemChange{
				Set: id, Ref: snapshot.Ref{Kind: snapshot.KindKeys, Key: key + "/" + string(name)}, Action: ActionUpdate,
			},
			Added: without(keys[1], keys[0]), Removed: without(keys[0], keys[1]),
		}
		if len(difference.Added)+len(difference.Removed) > 0 {
			lists = append(lists, difference)
		}
	}
	bodies := make([][]byte, len(both))
	for i, s := range both {
		if s.whole == nil {
			continue
		}
		if bodies[i], err = feature.Encode(&shown[i]); err != nil {
			return nil, nil, nil, err
		}
	}
	return lists, bodies[0], bodies[1], nil
}

// without returns the keys of one sorted list that another does not have.
func without(keys, others []string) []string {
	var left []string
	for _, key := range keys {
		if _, found := slices.BinarySearch(others, key); !found {
			left = append(left, key)
		}
	}
	return left
}

// actionOf says what leads from one body to another, nil being none.
func actionOf(before, after []byte) Action {
	switch {
	case before == nil:
		return ActionCreate
	case after == nil:
		return ActionDelete
	default:
		return ActionUpdate
	}
}
