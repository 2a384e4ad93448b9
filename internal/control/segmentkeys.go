package control

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/fault"
	"github.com/wigwag/wigwag/internal/store"
	"github.com/wigwag/wigwag/snapshot"
)

// ReplacedKeys says what a list of a segment is after it was replaced, and what
// that changed.
type ReplacedKeys struct {
	List feature.ListName
	// Keys is how many it has; Added and Removed are how many were not there
	// before, and are no more.
	Keys, Added, Removed int
}

// ReplaceSegmentKeys makes one list of a segment hold some keys and no others.
// keys must be sorted, valid and each once, as [ReadKeyLines] returns them. Only
// the parts of the list that change are written. A key that the other list holds
// is refused; IfMatch speaks of the segment's own item and of this list.
func (c *Control) ReplaceSegmentKeys(ctx context.Context, w Write, project, environment, segment string, list feature.ListName, keys []string) (Written[ReplacedKeys], error) {
	var written Written[ReplacedKeys]
	if err := checkListName(list); err != nil {
		return written, err
	}
	err := c.update(ctx, w, &written, func(tx store.Tx) error {
		set, err := flagSet(ctx, tx, project, environment)
		if err != nil {
			return err
		}
		segment, err := readSegment(ctx, tx, set, segment)
		if err != nil {
			return err
		}
		current := newKeyList(tx, set.ID, segment.Value, list)
		before, err := current.all(ctx)
		if err != nil {
			return err
		}
		changedAt := read(0, set, max(segment.ChangedAt.Version, current.version)).ChangedAt
		if err := w.unchangedSince(set.ID, segmentRef(segment.Value.Key), changedAt, "segment "+segment.Value.Key); err != nil {
			return err
		}
		other, err := newKeyList(tx, set.ID, segment.Value, otherList(list)).all(ctx)
		if err != nil {
			return err
		}
		if key, both := common(keys, other); both {
			return inBothLists(key, list, otherList(list))
		}
		stored, err := w.putList(ctx, tx, set, segment.Value, current, keys)
		kept := countCommon(before, keys)
		written = inFlagSet(ReplacedKeys{
			List: list, Keys: len(keys), Added: len(keys) - kept, Removed: len(before) - kept,
		}, set, stored.Position)
		return err
	})
	return written, err
}

func checkListName(list feature.ListName) error {
	if !slices.Contains(listNames, list) {
		return fault.InvalidField("list", "%.80q is no list of a segment; use included or excluded", list)
	}
	return nil
}

// putList writes a list anew: what of it is stored as it should be is left alone.
func (w Write) putList(ctx context.Context, tx store.Tx, set store.Set, segment *feature.Segment, current *keyList, keys []string) (Written[*feature.Segment], error) {
	l := lay(segment.Key, current.name, current.shards, keys)
	after := *segment
	inline, shards := listOf(&after, current.name)
	var documents []any
	if l.shards != current.shards || l.shards == 0 && !slices.Equal(l.inline, *inline) {
		*inline, *shards = l.inline, l.shards
		documents = append(documents, &after)
	}
	for _, shard := range l.put {
		if l.shards != current.shards || !slices.Equal(shard.Keys, current.parts[shard.Shard]) {
			documents = append(documents, shard)
		}
	}
	return w.putItems(ctx, tx, set, &after, documents, l.del)
}

// countCommon returns how many keys two sorted lists share.
func countCommon(a, b []string) int {
	n := 0
	for len(a) > 0 && len(b) > 0 {
		switch strings.Compare(a[0], b[0]) {
		case -1:
			a = a[1:]
		case 1:
			b = b[1:]
		default:
			a, b = a[1:], b[1:]
			n++
		}
	}
	return n
}

// SegmentKeys is one list of a segment, as it was at one moment.
type SegmentKeys struct {
	set    store.SetID
	inline []string
	shards []store.Item
}

// Parts returns the list in parts, each of some thousand sorted keys at most; a
// part is decoded when its turn comes. The order of the parts is the same for as
// long as the list is cut in the same way.
func (k *SegmentKeys) Parts() iter.Seq2[[]string, error] {
	return func(yield func([]string, error) bool) {
		if len(k.inline) > 0 && !yield(k.inline, nil) {
			return
		}
		for i := range k.shards {
			shard, err := decode[feature.SegmentKeys](k.set, k.shards[i])
			if err != nil {
				yield(nil, err)
				return
			}
			k.shards[i].Body = nil // it is not held twice
			if !yield(shard.Keys, nil) {
				return
			}
		}
	}
}

// ListSegmentKeys returns one list of a segment. ChangedAt is when the list, or
// the segment's own item, last changed. Parts can be gone through once.
func (c *Control) ListSegmentKeys(ctx context.Context, project, environment, segment string, list feature.ListName) (Read[*SegmentKeys], error) {
	var keys Read[*SegmentKeys]
	if err := checkListName(list); err != nil {
		return keys, err
	}
	err := c.atRest(ctx, project, environment, segment, func(set store.Set, stored Read[*feature.Segment]) error {
		inline, count := listOf(stored.Value, list)
		shards, err := readShards(ctx, c.store, set.ID, segment, list, *count)
		if err != nil {
			return err
		}
		version := stored.ChangedAt.Version
		for i := range shards {
			version = max(version, shards[i].Version)
		}
		keys = read(&SegmentKeys{set: set.ID, inline: *inline, shards: shards}, set, version)
		return nil
	})
	return keys, err
}

// readShards reads the shards of a list, all as they are at one moment, in the
// order of their numbers.
func readShards(ctx context.Context, r store.Reader, id store.SetID, segment string, list feature.ListName, count int) ([]store.Item, error) {
	if count == 0 {
		return nil, nil
	}
	// Keys of shards end with their number, and sort together.
	first := snapshot.KeysRef(segment, list, 0).Key
	prefix := strings.TrimSuffix(first, "0")
	items, err := r.ItemsAfter(ctx, id, snapshot.KindKeys, prefix, count)
	if err != nil {
		return nil, fmt.Errorf("read the keys of segment %s of %s: %w", segment, id, err)
	}
	for i := range items {
		if !strings.HasPrefix(items[i].Key, prefix) {
			items = items[:i]
			break
		}
	}
	if len(items) != count {
		return nil, fmt.Errorf("list %s of segment %s of %s has %d shards of %d", list, segment, id, len(items), count)
	}
	slices.SortFunc(items, func(a, b store.Item) int {
		// A longer number is a greater one.
		return cmp.Or(cmp.Compare(len(a.Key), len(b.Key)), cmp.Compare(a.Key, b.Key))
	})
	return items, nil
}

// atRestAttempts is how often a segment is read whose lists are cut anew
// meanwhile, which is rare.
const atRestAttempts = 4

// atRest runs fn on a stored segment until that is the same before and after fn,
// so that the shards that fn reads are those that the segment counts.
func (c *Control) atRest(ctx context.Context, project, environment, segment string, fn func(store.Set, Read[*feature.Segment]) error) error {
	set, err := flagSet(ctx, c.store, project, environment)
	if err != nil {
		return err
	}
	before, err := readSegment(ctx, c.store, set, segment)
	if err != nil {
		return err
	}
	for range atRestAttempts {
		result := fn(set, before)
		after, err := readSegment(ctx, c.store, set, segment)
		if err != nil {
			return err
		}
		if after.ChangedAt == before.ChangedAt {
			return result
		}
		before = after
	}
	return fault.New(fault.Unavailable, "Segment %q changes all the time; try again.", segment)
}

// Membership says which list of a segment holds a key.
type Membership struct {
	Key string
	// List is empty where none does; the segment's condition may hold all the same.
	List feature.ListName
}

// SegmentKey returns whether a segment lists a targeting key. ChangedAt speaks of
// the segment's own item and of the parts of its lists that the key would be in,
// as the IfMatch of [Control.UpdateSegmentKeys] does.
func (c *Control) SegmentKey(ctx context.Context, project, environment, segment, key string) (Read[Membership], error) {
	var found Read[Membership]
	err := c.atRest(ctx, project, environment, segment, func(set store.Set, stored Read[*feature.Segment]) error {
		member := Membership{Key: key}
		version := stored.ChangedAt.Version
		for _, name := range listNames {
			list := newKeyList(c.store, set.ID, stored.Value, name)
			keys, err := list.keys(ctx, list.part(key))
			if err != nil {
				return err
			}
			if _, holds := slices.BinarySearch(keys, key); holds {
				member.List = name
			}
			version = max(version, list.version)
		}
		found = read(member, set, version)
		return nil
	})
	return found, err
}
