// Package hub serves the current snapshot of each flag set, and the way there
// from recent positions, to any number of readers.
//
// Readers hold a position, never a queue. A reader joins, which gives it a wake
// channel of capacity one, and then asks, whenever it is woken and ready to
// write, what leads from its position to the present: nothing, one delta for all
// that it lacks, or the snapshot. A slow reader therefore delays nobody, costs
// the same memory as a fast one, and misses nothing; and as it joined before its
// position was compared, no change can fall in between.
//
// Every document is encoded at most once for each pair of positions, and the
// bytes are shared by all readers.
package hub

import (
	"sync"
	"sync/atomic"

	"github.com/wigwag/wigwag/snapshot"
)

// Set names a flag set.
type Set struct {
	Project     string
	Environment string
}

// Hub holds the flag sets that are served. It is safe for concurrent use.
type Hub struct {
	mu    sync.RWMutex // guards sets and terms
	sets  map[Set]*flagSet
	terms map[Set]Terms // those that are not zero, of sets that are not served yet too
}

// flagSet is the two projections of a flag set.
type flagSet struct {
	server, client *track
	terms          atomic.Pointer[Terms]
}

func newFlagSet(server *snapshot.Snapshot) *flagSet {
	return &flagSet{server: newTrack(server), client: newTrack(server.Client())}
}

// New returns an empty hub.
func New() *Hub { return &Hub{sets: make(map[Set]*flagSet), terms: make(map[Set]Terms)} }

// Step is a snapshot of the server projection, and the items that may differ from
// the snapshot before. Nil says that nothing leads there from before: readers will
// be sent the snapshot.
type Step struct {
	Snapshot *snapshot.Snapshot
	Changed  []snapshot.Ref
}

// Publish makes the last of some steps the current snapshot of its set and wakes
// the readers whose projection it changes. The steps before it are the way there:
// nobody is served them, but readers who come back from one of them are sent a
// delta. There is at least one step, and all are of one set.
//
// Steps of one set are published by one goroutine, in the order of their
// positions. The hub keeps the snapshots.
func (h *Hub) Publish(steps ...Step) {
	server := steps[0].Snapshot
	id := Set{server.Project, server.Environment}
	h.mu.RLock()
	set := h.sets[id]
	h.mu.RUnlock()
	if set != nil {
		if steps[0].Changed == nil {
			// The way there begins before what is served, which never goes back.
			steps = []Step{{Snapshot: steps[len(steps)-1].Snapshot}}
		}
		for _, step := range steps {
			set.publish(step.Snapshot, step.Changed)
		}
		return
	}
	// A set that is new here is brought up to date before anybody can read it.
	set = newFlagSet(server)
	for _, step := range steps[1:] {
		set.publish(step.Snapshot, step.Changed)
	}
	h.mu.Lock()
	terms := h.terms[id]
	set.terms.Store(&terms)
	h.sets[id] = set
	h.mu.Unlock()
}

func (s *flagSet) publish(server *snapshot.Snapshot, changed []snapshot.Ref) {
	before := s.client.load().snapshot
	s.server.publish(server, changed)
	switch {
	case changed == nil || before.Position.Epoch != server.Position.Epoch:
		s.client.publish(server.Client(), nil)
	case !concerns(before, server, changed):
		s.client.reach(server)
	default:
		client := server.Client()
		s.client.publish(client, refsOf(snapshot.Diff(before, client)))
	}
}

// concerns reports whether a change can alter the client projection: it touches
// an item of it, or a flag that enters it.
func concerns(client, server *snapshot.Snapshot, changed []snapshot.Ref) bool {
	for _, ref := range changed {
		if client.Get(ref) != nil {
			return true
		}
		if item := server.Get(ref); item != nil {
			if flag := item.Flag(); flag != nil && flag.ClientVisible {
				return true
			}
		}
	}
	return false
}

func refsOf(delta *snapshot.Delta) []snapshot.Ref {
	refs := make([]snapshot.Ref, 0, len(delta.Put)+len(delta.Delete))
	for i := range delta.Put {
		refs = append(refs, delta.Put[i].Ref)
	}
	return append(refs, delta.Delete...)
}

// Current returns the current document of a projection, nil where the set is not
// served here.
func (h *Hub) Current(id Set, projection snapshot.Projection) *Document {
	if t := h.track(id, projection); t != nil {
		return t.load().snapshotDocument()
	}
	return nil
}

// Since returns what leads from a position to the present, without joining: nil
// where nothing has changed since. The second result is false where the set is
// not served here.
func (h *Hub) Since(id Set, projection snapshot.Projection, position snapshot.Position) (*Document, bool) {
	t := h.track(id, projection)
	if t == nil {
		return nil, false
	}
	return t.load().since(position), true
}

// Join adds a reader to a projection, nil where the set is not served here. The
// caller must call Leave.
func (h *Hub) Join(id Set, projection snapshot.Projection) *Reader {
	h.mu.RLock()
	set := h.sets[id]
	h.mu.RUnlock()
	if set == nil {
		return nil
	}
	r := &Reader{set: set, track: set.track(projection), wake: make(chan struct{}, 1)}
	r.track.join(r)
	return r
}

// Readers returns how many readers have joined.
func (h *Hub) Readers() int {
	h.mu.RLock()
	defer h.mu.RUnlock()
	n := 0
	for _, set := range h.sets {
		n += set.server.count() + set.client.count()
	}
	return n
}

// Position returns the position to which a set has been published, zero where it
// is not served here.
func (h *Hub) Position(id Set) snapshot.Position {
	if t := h.track(id, snapshot.ProjectionServer); t != nil {
		return t.load().snapshot.Position
	}
	return snapshot.Position{}
}

func (h *Hub) track(id Set, projection snapshot.Projection) *track {
	h.mu.RLock()
	defer h.mu.RUnlock()
	if set := h.sets[id]; set != nil {
		return set.track(projection)
	}
	return nil
}

func (s *flagSet) track(projection snapshot.Projection) *track {
	if projection == snapshot.ProjectionClient {
		return s.client
	}
	return s.server
}

// Reader is one reader of a projection. Its methods may be called by one
// goroutine at a time.
type Reader struct {
	set   *flagSet
	track *track
	wake  chan struct{}
}

// Wake returns a channel that receives after each publication, and each change of
// the terms, that the reader may not have seen; several may be told as one.
func (r *Reader) Wake() <-chan struct{} { return r.wake }

// Since returns what leads from a position to the present, nil where nothing has
// changed since, or where the position is ahead of this server.
func (r *Reader) Since(position snapshot.Position) *Document {
	return r.track.load().since(position)
}

// Leave removes the reader.
func (r *Reader) Leave() { r.track.leave(r) }
