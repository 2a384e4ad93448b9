package control

import (
	"context"
	"fmt"
	"slices"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/fault"
	"github.com/wigwag/wigwag/internal/store"
	"github.com/wigwag/wigwag/snapshot"
)

// checkSegment validates a segment whose lists are whole or inline, and then
// sorts them.
func checkSegment(s *feature.Segment) error {
	if err := fault.OfValidation(s.Validate()); err != nil {
		return err
	}
	s.Included, s.Excluded = sortedKeys(s.Included), sortedKeys(s.Excluded)
	return nil
}

// CreateSegment adds a segment to an environment. A segment key that is taken is
// a Conflict. Written.Value is as [Control.Segments] returns it. IfMatch means
// nothing here.
func (c *Control) CreateSegment(ctx context.Context, w Write, project, environment string, s feature.Segment) (Written[*feature.Segment], error) {
	var written Written[*feature.Segment]
	if s.Shards != (feature.Shards{}) {
		return written, refuseShards()
	}
	if err := checkSegment(&s); err != nil {
		return written, err
	}
	err := c.update(ctx, w, &written, func(tx store.Tx) error {
		set, err := flagSet(ctx, tx, project, environment)
		if err != nil {
			return err
		}
		_, err = readSegment(ctx, tx, set, s.Key)
		if err == nil {
			return fault.New(fault.Conflict, "Environment %q of project %q has a segment %q already; choose another key or change that segment.",
				environment, project, s.Key)
		}
		if !fault.Is(err, fault.NotFound) {
			return err
		}
		if len(mentions(s.EachSegment)) > 0 && !w.later.check(set.ID, segmentRef(s.Key), nil) {
			if err := checkSegmentReferences(ctx, tx, set.ID, &s); err != nil {
				return err
			}
		}
		written, err = w.putSegment(ctx, tx, set, &s, feature.Shards{})
		return err
	})
	return written, err
}

func refuseShards() error {
	return fault.InvalidField("shards", "the server chooses it; leave it out and give included and excluded as plain lists")
}

// putSegment writes a segment with whole lists, which are stored in so many
// shards now.
func (w Write) putSegment(ctx context.Context, tx store.Tx, set store.Set, whole *feature.Segment, current feature.Shards) (Written[*feature.Segment], error) {
	stored := *whole
	stored.Shards = current
	var documents []any
	var del []snapshot.Ref
	for _, name := range listNames {
		inline, shards := listOf(&stored, name)
		l := lay(whole.Key, name, *shards, *inline)
		*inline, *shards = l.inline, l.shards
		for _, shard := range l.put {
			documents = append(documents, shard)
		}
		del = append(del, l.del...)
	}
	return w.putItems(ctx, tx, set, &stored, append(documents, &stored), del)
}

// putItems writes items of a segment; the outcome is the segment as it is stored.
func (w Write) putItems(ctx context.Context, tx store.Tx, set store.Set, stored *feature.Segment, documents []any, del []snapshot.Ref) (Written[*feature.Segment], error) {
	put := make([]store.Item, len(documents))
	for i, document := range documents {
		var err error
		if put[i], err = encodeItem(document); err != nil {
			return Written[*feature.Segment]{}, err
		}
	}
	position, err := w.commit(ctx, tx, set.ID, put, del)
	return inFlagSet(stored, set, position), err
}

// PatchSegment applies a JSON Merge Patch (RFC 7396) to a segment with its lists
// whole: a list that the patch names replaces the old one. Written.Value is as
// [Control.Segments] returns it.
func (c *Control) PatchSegment(ctx context.Context, w Write, project, environment, segment string, patch []byte) (Written[*feature.Segment], error) {
	var written Written[*feature.Segment]
	change, err := parsePatch(patch)
	if err != nil {
		return written, err
	}
	if change.Field("shards") != nil {
		return written, refuseShards()
	}
	lists := change.Field("included") != nil || change.Field("excluded") != nil
	err = c.update(ctx, w, &written, func(tx store.Tx) error {
		set, err := flagSet(ctx, tx, project, environment)
		if err != nil {
			return err
		}
		stored, err := readSegment(ctx, tx, set, segment)
		if err != nil {
			return err
		}
		base := *stored.Value
		if lists || !w.IfMatch.IsZero() {
			whole, version, err := wholeSegment(ctx, tx, set.ID, stored)
			if err != nil {
				return err
			}
			if err := w.unchangedSince(set.ID, segmentRef(segment), read(whole, set, version).ChangedAt, "segment "+segment); err != nil {
				return err
			}
			if lists {
				base = *whole
			}
		}
		base.Shards = feature.Shards{}
		var after feature.Segment
		if err := patchDocument(base, change, &after); err != nil {
			return err
		}
		if after.Key != segment {
			return fault.InvalidField("key", "the key of a segment cannot change; create a new segment with that key")
		}
		if err := checkSegment(&after); err != nil {
			return err
		}
		if !slices.Equal(mentions(stored.Value.EachSegment), mentions(after.EachSegment)) && !w.later.check(set.ID, segmentRef(segment), nil) {
			if err := checkSegmentReferences(ctx, tx, set.ID, &after); err != nil {
				return err
			}
		}
		if lists {
			written, err = w.putSegment(ctx, tx, set, &after, stored.Value.Shards)
			return err
		}
		after.Shards = stored.Value.Shards
		written, err = w.putItems(ctx, tx, set, &after, []any{&after}, nil)
		return err
	})
	return written, err
}

// DeleteSegment removes a segment and its keys, unless a flag or another segment
// refers to it (InUse). Written.Value is what was removed, as [Control.Segments]
// returns it.
func (c *Control) DeleteSegment(ctx context.Context, w Write, project, environment, segment string) (Written[*feature.Segment], error) {
	var written Written[*feature.Segment]
	err := c.update(ctx, w, &written, func(tx store.Tx) error {
		set, err := flagSet(ctx, tx, project, environment)
		if err != nil {
			return err
		}
		stored, err := readSegment(ctx, tx, set, segment)
		if err != nil {
			return err
		}
		if !w.IfMatch.IsZero() {
			whole, version, err := wholeSegment(ctx, tx, set.ID, stored)
			if err != nil {
				return err
			}
			if err := w.unchangedSince(set.ID, segmentRef(segment), read(whole, set, version).ChangedAt, "segment "+segment); err != nil {
				return err
			}
		}
		uses, err := w.segmentUses(ctx, tx, set.ID, segment)
		if err != nil {
			return err
		}
		if len(uses) > 0 {
			return fault.New(fault.InUse, "Segment %q is used by %s in environment %q. Take it out of their conditions first.",
				segment, few(uses), environment)
		}
		del := []snapshot.Ref{segmentRef(segment)}
		for _, name := range listNames {
			_, shards := listOf(stored.Value, name)
			for shard := range *shards {
				del = append(del, snapshot.KeysRef(segment, name, shard))
			}
		}
		position, err := w.commit(ctx, tx, set.ID, nil, del)
		written = inFlagSet(stored.Value, set, position)
		return err
	})
	return written, err
}

// UpdateSegmentKeys adds targeting keys to one list of a segment and removes
// others from it. Adding what is there and removing what is not does nothing; a
// key that the other list holds is refused. Of a list that is kept in shards it
// reads and writes only those that hold the keys, but for the rare time when the
// list is cut anew; IfMatch then speaks of these shards and of the segment's own
// item, since changes of other keys do no harm. Written.Value is as
// [Control.Segments] returns it.
func (c *Control) UpdateSegmentKeys(ctx context.Context, w Write, project, environment, segment string, list feature.ListName, add, remove []string) (Written[*feature.Segment], error) {
	var written Written[*feature.Segment]
	add, remove, err := checkEdit(list, add, remove)
	if err != nil {
		return written, err
	}
	err = c.update(ctx, w, &written, func(tx store.Tx) error {
		set, err := flagSet(ctx, tx, project, environment)
		if err != nil {
			return err
		}
		segment, err := readSegment(ctx, tx, set, segment)
		if err != nil {
			return err
		}
		keys := newKeyList(tx, set.ID, segment.Value, list)
		changed, recut, err := keys.edit(ctx, add, remove)
		if err != nil {
			return err
		}
		changedAt := read(0, set, max(segment.ChangedAt.Version, keys.version)).ChangedAt
		if err := w.unchangedSince(set.ID, segmentRef(segment.Value.Key), changedAt, "segment "+segment.Value.Key); err != nil {
			return err
		}
		if err := newKeyList(tx, set.ID, segment.Value, otherList(list)).refuse(ctx, add); err != nil {
			return err
		}
		written, err = w.putKeys(ctx, tx, set, segment.Value, keys, changed, recut && len(changed) > 0)
		return err
	})
	return written, err
}

// putKeys writes the changed parts of a list, or all of it where it is to be cut
// anew.
func (w Write) putKeys(ctx context.Context, tx store.Tx, set store.Set, segment *feature.Segment, list *keyList, changed []int, recut bool) (Written[*feature.Segment], error) {
	if recut {
		all, err := list.all(ctx)
		if err != nil {
			return Written[*feature.Segment]{}, err
		}
		if len(all) > feature.MaxSegmentKeys {
			return Written[*feature.Segment]{}, fault.InvalidField("add", "the list would have %d keys, at most %d are allowed; describe the group by a condition instead",
				len(all), feature.MaxSegmentKeys)
		}
		if l := lay(segment.Key, list.name, list.shards, all); l.shards != list.shards || l.shards == 0 {
			stored := *segment
			inline, shards := listOf(&stored, list.name)
			*inline, *shards = l.inline, l.shards
			documents := []any{&stored}
			for _, shard := range l.put {
				documents = append(documents, shard)
			}
			return w.putItems(ctx, tx, set, &stored, documents, l.del)
		}
	}
	documents := make([]any, len(changed))
	for i, shard := range changed {
		documents[i] = &feature.SegmentKeys{Segment: segment.Key, List: list.name, Shard: shard, Keys: list.parts[shard]}
	}
	return w.putItems(ctx, tx, set, segment, documents, nil)
}

// checkEdit checks the keys of an edit and returns them sorted.
func checkEdit(list feature.ListName, add, remove []string) (sortedAdd, sortedRemove []string, err error) {
	if !slices.Contains(listNames, list) {
		return nil, nil, fault.InvalidField("list", "%.80q is no list of a segment; use included or excluded", list)
	}
	for i, key := range add {
		if !feature.ValidTargetingKey(key) {
			return nil, nil, fault.InvalidField(fmt.Sprintf("add[%d]", i),
				"%.80q is no targeting key; use 1 to %d bytes of text without control characters", key, feature.MaxTargetingKeyBytes)
		}
	}
	add, remove = sortedKeys(add), sortedKeys(remove)
	if key, both := common(add, remove); both {
		return nil, nil, fault.New(fault.Invalid, "Key %q is both to be added and to be removed; choose one.", key)
	}
	return add, remove, nil
}
