package wigwag

import (
	"slices"

	"github.com/wigwag/wigwag/snapshot"
)

// Change tells which flags may resolve otherwise than before.
type Change struct {
	// From and To are the versions before and after; From is zero for the first.
	From, To Position
	// Keys are, sorted, the flags that were added, changed or deleted, those that
	// have one of them as a prerequisite, and those that use a segment that changed;
	// directly or through others.
	Keys []string
}

// newChange compares two versions; the first is nil where there was none.
func newChange(from, to *snapshot.Snapshot) Change {
	if from == nil {
		from = &snapshot.Snapshot{}
	}
	change := Change{From: from.Position, To: to.Position}
	delta := snapshot.Diff(from, to)
	changed := make([]snapshot.Ref, 0, len(delta.Put)+len(delta.Delete))
	for i := range delta.Put {
		changed = append(changed, owner(delta.Put[i], delta.Put[i].Ref))
	}
	for _, ref := range delta.Delete {
		changed = append(changed, owner(from.Get(ref), ref))
	}
	change.Keys = affectedFlags(to, changed)
	return change
}

// owner returns the segment of a shard of keys, and any other item itself.
func owner(item *snapshot.Item, ref snapshot.Ref) snapshot.Ref {
	if item != nil {
		if keys := item.Keys(); keys != nil {
			return snapshot.Ref{Kind: snapshot.KindSegment, Key: keys.Segment}
		}
	}
	return ref
}

// affectedFlags walks the references of a version upwards from what changed, in
// rounds until nothing is added: most changes take one, and each is a look at every
// reference. The version before need not be walked: an item that lost a reference
// has itself changed.
func affectedFlags(s *snapshot.Snapshot, changed []snapshot.Ref) []string {
	affected := make(map[snapshot.Ref]struct{}, len(changed))
	for _, ref := range changed {
		affected[ref] = struct{}{}
	}
	for before := -1; before != len(affected); {
		before = len(affected)
		for _, item := range s.Items {
			if refersTo(item, affected) {
				affected[item.Ref] = struct{}{}
			}
		}
	}
	keys := make([]string, 0, len(affected))
	for ref := range affected {
		if ref.Kind == snapshot.KindFlag {
			keys = append(keys, ref.Key)
		}
	}
	slices.Sort(keys)
	return keys
}

// refersTo reports whether an item refers to any of some others.
func refersTo(item *snapshot.Item, others map[snapshot.Ref]struct{}) bool {
	refers := false
	toSegment := func(key string) {
		_, is := others[snapshot.Ref{Kind: snapshot.KindSegment, Key: key}]
		refers = refers || is
	}
	if flag := item.Flag(); flag != nil {
		for i := range flag.Prerequisites {
			_, is := others[snapshot.Ref{Kind: snapshot.KindFlag, Key: flag.Prerequisites[i].Flag}]
			refers = refers || is
		}
		flag.EachSegment(toSegment)
	} else if segment := item.Segment(); segment != nil {
		segment.EachSegment(toSegment)
	}
	return refers
}
