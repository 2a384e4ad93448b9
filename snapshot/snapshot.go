package snapshot

import (
	"fmt"
	"slices"
	"time"

	"github.com/wigwag/wigwag/feature"
)

// Projection says which part of a flag set a key may see.
type Projection string

// The projections of a flag set.
const (
	// ProjectionServer is everything.
	ProjectionServer Projection = "server"
	// ProjectionClient is the client-visible flags and what they need.
	ProjectionClient Projection = "client"
)

// Header says which flag set a document is of.
type Header struct {
	Project     string
	Environment string
	Projection  Projection
}

// Snapshot is a projection of a flag set at one position.
type Snapshot struct {
	Header
	Position Position
	// CreatedAt is when the position was committed.
	CreatedAt time.Time
	// Digest is the set digest of the items.
	Digest Digest
	// Items are sorted by [Ref.Compare], each name once.
	Items []*Item

	digests *digests
	buckets []uint8 // beside each item its bucket
}

// newSnapshot returns a snapshot of sorted items, of which only the touched
// buckets differ from those of which it is told the digests; nil is all.
func newSnapshot(header Header, position Position, createdAt time.Time, items []*Item, known *digests, touched map[uint8]struct{}) *Snapshot {
	s := &Snapshot{Header: header, Position: position, CreatedAt: createdAt, Items: items, buckets: make([]uint8, len(items))}
	for i, item := range items {
		s.buckets[i] = item.bucket
	}
	if known == nil {
		s.digests = newDigests(items)
	} else {
		s.digests = known.with(touched, items, s.buckets)
	}
	s.Digest = s.digests.sum()
	return s
}

// New returns a snapshot of items in any order; of two items of one name the
// later counts. It keeps the slice.
func New(header Header, position Position, createdAt time.Time, items []*Item) *Snapshot {
	slices.SortStableFunc(items, func(a, b *Item) int { return a.Compare(b.Ref) })
	kept := items[:0]
	for i := range items {
		if i+1 < len(items) && items[i+1].Ref == items[i].Ref {
			continue
		}
		kept = append(kept, items[i])
	}
	return newSnapshot(header, position, createdAt, kept, nil, nil)
}

// Get returns the item of that name, nil where there is none. The caller must
// not change it.
func (s *Snapshot) Get(ref Ref) *Item {
	i, found := slices.BinarySearchFunc(s.Items, ref, func(item *Item, ref Ref) int { return item.Compare(ref) })
	if !found {
		return nil
	}
	return s.Items[i]
}

// FlagSet returns the decoded items; those that cannot be decoded are flags that
// do not compile, or missing segments.
func (s *Snapshot) FlagSet() *feature.FlagSet {
	set := &feature.FlagSet{Flags: make([]*feature.Flag, 0, len(s.Items))}
	for i := range s.Items {
		switch d := s.Items[i].decoded.(type) {
		case *feature.Flag:
			set.Flags = append(set.Flags, d)
		case *feature.Segment:
			set.Segments = append(set.Segments, d)
		case *feature.SegmentKeys:
			set.Keys = append(set.Keys, d)
		}
	}
	return set
}

// Delta is what changes a projection of a flag set at any position from From up
// to, but not including, To into that of To. It may name items that the reader
// already has, or never had.
type Delta struct {
	Header
	From, To Position
	// CreatedAt is when To was committed.
	CreatedAt time.Time
	// Digest is the set digest after the delta.
	Digest Digest
	// Put and Delete are sorted by [Ref.Compare] and name each item once.
	Put    []*Item
	Delete []Ref
}

// Diff returns the delta between two snapshots of one projection.
func Diff(from, to *Snapshot) *Delta {
	delta := &Delta{Header: to.Header, From: from.Position, To: to.Position, CreatedAt: to.CreatedAt, Digest: to.Digest}
	a, b := from.Items, to.Items
	for len(a) > 0 || len(b) > 0 {
		order := 0
		switch {
		case len(a) == 0:
			order = 1
		case len(b) == 0:
			order = -1
		default:
			order = a[0].Compare(b[0].Ref)
		}
		switch {
		case order < 0:
			delta.Delete = append(delta.Delete, a[0].Ref)
			a = a[1:]
		case order > 0:
			delta.Put = append(delta.Put, b[0])
			b = b[1:]
		default:
			if a[0] != b[0] && a[0].Digest != b[0].Digest {
				delta.Put = append(delta.Put, b[0])
			}
			a, b = a[1:], b[1:]
		}
	}
	return delta
}

// ApplyError says why a delta cannot be applied to a snapshot. The reader's way
// out is always the same: ask for the snapshot.
type ApplyError struct{ Reason string }

func (e *ApplyError) Error() string { return "delta not applied: " + e.Reason }

// Apply returns the snapshot after a delta. The receiver is unchanged and shares
// its items with the result. The error is an [*ApplyError].
func (s *Snapshot) Apply(delta *Delta) (*Snapshot, error) {
	if delta.Header != s.Header {
		return nil, &ApplyError{fmt.Sprintf("it is of %v, this is %v", delta.Header, s.Header)}
	}
	if delta.From.Epoch != s.Position.Epoch || delta.To.Epoch != s.Position.Epoch ||
		s.Position.Version < delta.From.Version || s.Position.Version >= delta.To.Version {
		return nil, &ApplyError{fmt.Sprintf("it leads from %s to %s, this is at %s", delta.From, delta.To, s.Position)}
	}
	after := s.With(delta.To, delta.CreatedAt, delta.Put, delta.Delete)
	if after.Digest != delta.Digest {
		return nil, &ApplyError{fmt.Sprintf("digest at %s is %s, not %s", delta.To, after.Digest, delta.Digest)}
	}
	return after, nil
}

// With returns the snapshot at another position, with items put and deleted. Put
// and delete are sorted by [Ref.Compare] and name no item twice; the receiver is
// unchanged and shares its items with the result. Its cost is that of what changes,
// and of a copy of a list of pointers.
func (s *Snapshot) With(position Position, createdAt time.Time, put []*Item, del []Ref) *Snapshot {
	items := make([]*Item, 0, len(s.Items)+len(put))
	touched := make(map[uint8]struct{}, len(put)+len(del))
	old := s.Items
	keepUntil := func(ref Ref) {
		n, _ := slices.BinarySearchFunc(old, ref, func(item *Item, ref Ref) int { return item.Compare(ref) })
		items = append(items, old[:n]...)
		old = old[n:]
	}
	for len(put) > 0 || len(del) > 0 {
		isPut := len(del) == 0 || len(put) > 0 && put[0].Compare(del[0]) <= 0
		var ref Ref
		if isPut {
			ref = put[0].Ref
		} else {
			ref = del[0]
			del = del[1:]
		}
		keepUntil(ref)
		if len(old) > 0 && old[0].Ref == ref {
			touched[old[0].bucket] = struct{}{}
			old = old[1:]
		}
		if isPut {
			touched[put[0].bucket] = struct{}{}
			items = append(items, put[0])
			put = put[1:]
		}
	}
	return newSnapshot(s.Header, position, createdAt, append(items, old...), s.digests, touched)
}

// Client returns the client projection of a server projection: the flags that
// are client-visible, with all prerequisites and segments that they need.
func (s *Snapshot) Client() *Snapshot {
	needed := make([]bool, len(s.Items))
	var need func(Ref)
	needAt := func(i int) {
		if needed[i] {
			return
		}
		needed[i] = true
		switch d := s.Items[i].decoded.(type) {
		case *feature.Flag:
			for _, p := range d.Prerequisites {
				need(Ref{KindFlag, p.Flag})
			}
			d.EachSegment(func(key string) { need(Ref{KindSegment, key}) })
		case *feature.Segment:
			d.EachSegment(func(key string) { need(Ref{KindSegment, key}) })
			for shard := range d.Shards.Included {
				need(KeysRef(d.Key, feature.ListIncluded, shard))
			}
			for shard := range d.Shards.Excluded {
				need(KeysRef(d.Key, feature.ListExcluded, shard))
			}
		}
	}
	need = func(ref Ref) {
		if i, found := slices.BinarySearchFunc(s.Items, ref, func(item *Item, ref Ref) int { return item.Compare(ref) }); found {
			needAt(i)
		}
	}
	count := 0
	for i := range s.Items {
		if flag := s.Items[i].Flag(); flag != nil && flag.ClientVisible {
			needAt(i)
		}
	}
	for _, n := range needed {
		if n {
			count++
		}
	}
	items := make([]*Item, 0, count)
	for i := range s.Items {
		if needed[i] {
			items = append(items, s.Items[i])
		}
	}
	header := s.Header
	header.Projection = ProjectionClient
	return newSnapshot(header, s.Position, s.CreatedAt, items, nil, nil)
}
