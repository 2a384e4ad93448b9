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

// listOf returns where a segment holds one of its lists.
func listOf(s *feature.Segment, name feature.ListName) (inline *[]string, shards *int) {
	if name == feature.ListExcluded {
		return &s.Excluded, &s.Shards.Excluded
	}
	return &s.Included, &s.Shards.Included
}

var listNames = []feature.ListName{feature.ListIncluded, feature.ListExcluded}

func otherList(name feature.ListName) feature.ListName {
	if name == feature.ListIncluded {
		return feature.ListExcluded
	}
	return feature.ListIncluded
}

// keyList is one list of a stored segment, of which shards are read when they are
// needed. An inline list counts as one part, number 0.
type keyList struct {
	reader  store.Reader
	set     store.SetID
	segment string
	name    feature.ListName
	shards  int // zero is inline
	parts   map[int][]string
	// version is that of the latest change of what was read.
	version uint64
}

func newKeyList(r store.Reader, set store.SetID, s *feature.Segment, name feature.ListName) *keyList {
	inline, shards := listOf(s, name)
	list := &keyList{reader: r, set: set, segment: s.Key, name: name, shards: *shards, parts: map[int][]string{}}
	if list.shards == 0 {
		list.parts[0] = *inline
	}
	return list
}

// part returns the number of the part that holds a key.
func (l *keyList) part(key string) int {
	if l.shards == 0 {
		return 0
	}
	return feature.ShardOf(key, l.shards)
}

// keys returns the sorted keys of a part.
func (l *keyList) keys(ctx context.Context, part int) ([]string, error) {
	if keys, ok := l.parts[part]; ok {
		return keys, nil
	}
	ref := snapshot.KeysRef(l.segment, l.name, part)
	item, err := l.reader.Item(ctx, l.set, ref)
	if err != nil {
		return nil, fmt.Errorf("read %s of %s: %w", ref, l.set, err)
	}
	shard, err := decode[feature.SegmentKeys](l.set, item)
	if err != nil {
		return nil, err
	}
	l.version = max(l.version, item.Version)
	l.parts[part] = shard.Keys
	return shard.Keys, nil
}

// all returns the whole list, sorted.
func (l *keyList) all(ctx context.Context) ([]string, error) {
	if l.shards == 0 {
		return l.parts[0], nil
	}
	var all []string
	for part := range l.shards {
		keys, err := l.keys(ctx, part)
		if err != nil {
			return nil, err
		}
		all = append(all, keys...)
	}
	slices.Sort(all)
	return all, nil
}

// refuse returns an error where the list holds one of some keys.
func (l *keyList) refuse(ctx context.Context, keys []string) error {
	for _, key := range keys {
		held, err := l.keys(ctx, l.part(key))
		if err != nil {
			return err
		}
		if _, found := slices.BinarySearch(held, key); found {
			return inBothLists(key, otherList(l.name), l.name)
		}
	}
	return nil
}

func inBothLists(key string, wanted, held feature.ListName) error {
	return fault.InvalidField(string(wanted), "key %q is in the list %s of the segment; remove it there first", key, held)
}

// edit adds and removes keys, both sorted, and returns the numbers of the parts
// that this changes, in order, and whether the list should be cut anew.
func (l *keyList) edit(ctx context.Context, add, remove []string) (changed []int, recut bool, err error) {
	type edit struct{ add, remove []string }
	edits := make(map[int]*edit)
	at := func(key string) *edit {
		part := l.part(key)
		if edits[part] == nil {
			edits[part] = &edit{}
		}
		return edits[part]
	}
	for _, key := range add {
		e := at(key)
		e.add = append(e.add, key)
	}
	for _, key := range remove {
		e := at(key)
		e.remove = append(e.remove, key)
	}
	for part, e := range edits {
		before, err := l.keys(ctx, part)
		if err != nil {
			return nil, false, err
		}
		after := slices.DeleteFunc(sortedKeys(slices.Concat(before, e.add)), func(key string) bool {
			_, found := slices.BinarySearch(e.remove, key)
			return found
		})
		if slices.Equal(before, after) {
			continue
		}
		l.parts[part] = after
		changed = append(changed, part)
		recut = recut || (l.shards > 0 && telling(l.shards, len(after)))
	}
	slices.Sort(changed)
	return changed, recut || l.shards == 0, nil
}

// layout is how a list is to be stored.
type layout struct {
	inline []string
	shards int
	put    []*feature.SegmentKeys
	del    []snapshot.Ref
}

// lay returns how a sorted list is stored that was cut into current shards.
func lay(segment string, name feature.ListName, current int, keys []string) layout {
	l := layout{shards: shardCount(current, len(keys))}
	if l.shards == 0 {
		l.inline = keys
	} else {
		l.put = cut(segment, name, keys, l.shards)
	}
	for shard := l.shards; shard < current; shard++ {
		l.del = append(l.del, snapshot.KeysRef(segment, name, shard))
	}
	return l
}
