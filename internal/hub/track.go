package hub

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/wigwag/wigwag/snapshot"
)

// What a log holds: enough for readers that were away for a while. Beyond it a
// snapshot is as good.
const (
	maxLogEntries = 1_000
	maxLogRefs    = 10_000
)

// smallDelta is the size, in bytes, up to which a delta is not weighed against the
// snapshot.
const smallDelta = 4 << 10

// track is one projection of one flag set in time.
type track struct {
	state atomic.Pointer[state]

	mu      sync.Mutex // guards readers, and orders publications with joins
	readers map[*Reader]struct{}
}

// entry is one change of the projection: the items that version touched.
type entry struct {
	version uint64
	refs    []snapshot.Ref
}

func newTrack(s *snapshot.Snapshot) *track {
	t := &track{readers: make(map[*Reader]struct{})}
	t.state.Store(&state{snapshot: s, base: s.Position.Version, changedAt: s.Position.Version})
	return t
}

func (t *track) load() *state { return t.state.Load() }

// publish makes s current and wakes every reader.
func (t *track) publish(s *snapshot.Snapshot, changed []snapshot.Ref) {
	old := t.load()
	next := &state{snapshot: s, base: s.Position.Version, changedAt: s.Position.Version}
	if changed != nil && old.snapshot.Position.Epoch == s.Position.Epoch {
		next.base = old.base
		next.changedAt = old.changedAt
		next.log, next.refs = old.log, old.refs
		if old.snapshot.Digest != s.Digest {
			next.changedAt = s.Position.Version
			// Older states share the list: appending never writes where they read.
			next.log = append(next.log, entry{s.Position.Version, changed})
			next.refs += len(changed)
		}
		next.trim()
	}
	t.state.Store(next)
	if next.changedAt == old.changedAt && old.snapshot.Position.Epoch == s.Position.Epoch && changed != nil {
		return
	}
	t.wake()
}

// wake wakes every reader.
func (t *track) wake() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for r := range t.readers {
		select {
		case r.wake <- struct{}{}:
		default:
		}
	}
}

// reach moves the track to the position of a commit that left it as it was.
func (t *track) reach(server *snapshot.Snapshot) {
	old := t.load()
	s := *old.snapshot
	s.Position, s.CreatedAt = server.Position, server.CreatedAt
	t.state.Store(&state{snapshot: &s, base: old.base, changedAt: old.changedAt, log: old.log, refs: old.refs})
}

func (t *track) join(r *Reader) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.readers[r] = struct{}{}
}

func (t *track) leave(r *Reader) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.readers, r)
}

func (t *track) count() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.readers)
}

// state is a track at one position. All but the documents, which are made on
// demand, is fixed when it is stored.
type state struct {
	snapshot *snapshot.Snapshot
	// changedAt is the last version that altered the projection: readers between
	// it and the present have nothing to be sent.
	changedAt uint64
	// base is the version that the log reaches back to.
	base uint64
	log  []entry
	refs int // in all entries

	mu     sync.Mutex // guards the documents; held while one is encoded, so that it is encoded once
	whole  *Document
	deltas map[uint64]*Document // by the version they lead from
}

func (s *state) trim() {
	drop := 0
	for len(s.log)-drop > maxLogEntries || (s.refs > maxLogRefs && drop < len(s.log)-1) {
		s.refs -= len(s.log[drop].refs)
		s.base = s.log[drop].version
		drop++
	}
	if drop > 0 {
		s.log = slices.Clone(s.log[drop:])
	}
}

// since returns what leads from a position to this state, nil where the reader
// has it all, or is ahead because it was served by another server. A reader of
// another epoch is sent the snapshot, also where that epoch is later: it may come
// from another flag set, and would wait for ever. If it knows better, it ignores
// the snapshot.
func (s *state) since(position snapshot.Position) *Document {
	here := s.snapshot.Position
	switch {
	case position.Epoch != here.Epoch || position.Version < s.base:
		return s.snapshotDocument()
	case position.Version >= s.changedAt:
		return nil
	}
	return s.deltaDocument(position.Version)
}

func (s *state) snapshotDocument() *Document {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.wholeLocked()
}

func (s *state) wholeLocked() *Document {
	if s.whole == nil {
		s.whole = &Document{Event: EventSnapshot, Position: s.snapshot.Position, JSON: s.snapshot.AppendJSON(nil)}
	}
	return s.whole
}

// deltaDocument returns the sum of what came after a version. Readers at
// different versions between two entries of the log get one and the same.
func (s *state) deltaDocument(version uint64) *Document {
	first, _ := slices.BinarySearchFunc(s.log, version+1, func(e entry, version uint64) int {
		return int(int64(e.version) - int64(version))
	})
	from := s.base
	if first > 0 {
		from = s.log[first-1].version
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if d, ok := s.deltas[from]; ok {
		return d
	}
	delta := s.sum(from, s.log[first:])
	d := &Document{Event: EventDelta, Position: s.snapshot.Position, JSON: delta.AppendJSON(nil)}
	// A sum of many changes may outgrow what it leads to. A small one is sent all
	// the same, because it says what changed.
	if len(d.JSON) > smallDelta && len(d.JSON) > len(s.wholeLocked().JSON) {
		d = s.whole
	}
	if s.deltas == nil {
		s.deltas = make(map[uint64]*Document)
	}
	s.deltas[from] = d
	return d
}

func (s *state) sum(from uint64, entries []entry) *snapshot.Delta {
	var refs []snapshot.Ref
	for _, e := range entries {
		refs = append(refs, e.refs...)
	}
	slices.SortFunc(refs, snapshot.Ref.Compare)
	delta := &snapshot.Delta{
		Header:    s.snapshot.Header,
		From:      snapshot.Position{Epoch: s.snapshot.Position.Epoch, Version: from},
		To:        s.snapshot.Position,
		CreatedAt: s.snapshot.CreatedAt,
		Digest:    s.snapshot.Digest,
	}
	for _, ref := range slices.Compact(refs) {
		if item := s.snapshot.Get(ref); item != nil {
			delta.Put = append(delta.Put, item)
		} else {
			delta.Delete = append(delta.Delete, ref)
		}
	}
	return delta
}
