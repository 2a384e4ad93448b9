// Package feed follows the log of every flag set in the store and publishes it to
// the hub, in order and without gaps.
//
// It is told only that a set moved, by hints that may be lost or repeated, and
// reads the truth from the store: the changes after the version that it has
// published. As it also compares versions every few seconds, a lost hint costs
// that interval and never a change. It starts a little in the past and catches
// up, so that readers who come back after a restart are sent deltas.
package feed

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/wigwag/wigwag/internal/hub"
	"github.com/wigwag/wigwag/internal/store"
	"github.com/wigwag/wigwag/snapshot"
)

// DefaultInterval is how often versions are compared when no hint came.
const DefaultInterval = 5 * time.Second

// history is how many versions before the current one a set is loaded at.
const history = 256

// Feed publishes flag sets from a store to a hub. Run it once.
type Feed struct {
	store    store.Store
	hub      *hub.Hub
	log      *slog.Logger
	interval time.Duration

	wake chan struct{} // capacity 1: something is in moved
	mu   sync.Mutex    // guards moved, lag and failure
	// moved are the sets that hints named since they were last followed.
	moved map[store.SetID]bool
	// lag is how many versions the store was ahead when last compared.
	lag     map[store.SetID]uint64
	failure error
	ready   chan struct{} // closed after the first load of all sets

	// What follows is owned by the goroutine of Run.

	published map[store.SetID]*snapshot.Snapshot
	// catalogues are the positions at which the hub was last told the terms of a
	// project's flag sets.
	catalogues map[store.SetID]snapshot.Position
}

// New returns a feed that compares versions at an interval, [DefaultInterval]
// where it is zero.
func New(st store.Store, h *hub.Hub, log *slog.Logger, interval time.Duration) *Feed {
	if interval <= 0 {
		interval = DefaultInterval
	}
	return &Feed{
		store: st, hub: h, log: log, interval: interval,
		wake:       make(chan struct{}, 1),
		moved:      make(map[store.SetID]bool),
		lag:        make(map[store.SetID]uint64),
		ready:      make(chan struct{}),
		published:  make(map[store.SetID]*snapshot.Snapshot),
		catalogues: make(map[store.SetID]snapshot.Position),
	}
}

// Ready returns a channel that is closed once every flag set has been published.
func (f *Feed) Ready() <-chan struct{} { return f.ready }

// Status is how far the feed has come.
type Status struct {
	Ready bool
	// Behind are the versions by which sets were behind the store when last
	// compared; sets that were not are left out.
	Behind map[store.SetID]uint64
	// Err is why the store could not be read, if it could not.
	Err error
}

// Status returns how far the feed has come.
func (f *Feed) Status() Status {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := Status{Behind: maps.Clone(f.lag), Err: f.failure}
	select {
	case <-f.ready:
		s.Ready = true
	default:
	}
	return s
}

// Run follows the store until ctx is done. What cannot be read is logged and
// tried again at the next interval.
func (f *Feed) Run(ctx context.Context) error {
	// Watch before the first look: what is committed in between is hinted.
	stop := f.store.Watch(f.hint)
	defer stop()
	ticker := time.NewTicker(f.interval)
	defer ticker.Stop()
	f.look(ctx)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-f.wake:
			f.followMoved(ctx)
		case <-ticker.C:
			f.look(ctx)
		}
	}
}

func (f *Feed) hint(h store.Hint) {
	if h.Credentials {
		return
	}
	f.mu.Lock()
	f.moved[h.Set] = true
	f.mu.Unlock()
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// look compares the versions of all sets and follows those that moved.
func (f *Feed) look(ctx context.Context) {
	sets, err := f.store.Sets(ctx)
	if err != nil {
		f.failed(ctx, fmt.Errorf("reading the versions of flag sets: %w", err))
		return
	}
	behind := make(map[store.SetID]uint64)
	gone := maps.Clone(f.published)
	var failure error
	for _, set := range sets { // a catalogue comes before its flag sets, and so do their terms
		delete(gone, set.ID)
		if set.ID.IsCatalogue() {
			if f.catalogues[set.ID] == set.Position {
				continue
			}
			if err := f.followCatalogue(ctx, set.ID); err != nil {
				failure = err
			}
			continue
		}
		published := f.published[set.ID]
		if published != nil && published.Position == set.Position {
			continue
		}
		if err := f.follow(ctx, set.ID); err != nil {
			failure = err
			behind[set.ID] = set.Position.Version
			if published != nil && published.Position.Epoch == set.Position.Epoch {
				behind[set.ID] -= min(published.Position.Version, set.Position.Version)
			}
		}
	}
	for id := range gone {
		f.drop(id)
	}
	f.failed(ctx, failure)
	f.mu.Lock()
	f.lag = behind
	f.mu.Unlock()
	if failure == nil {
		select {
		case <-f.ready:
		default:
			close(f.ready)
		}
	}
}

func (f *Feed) followMoved(ctx context.Context) {
	f.mu.Lock()
	moved := slices.SortedFunc(maps.Keys(f.moved), func(a, b store.SetID) int {
		return cmp.Or(cmp.Compare(a.Project, b.Project), cmp.Compare(a.Environment, b.Environment))
	})
	clear(f.moved)
	f.mu.Unlock()
	for _, id := range moved { // in the order in which look goes
		follow := f.follow
		if id.IsCatalogue() {
			follow = f.followCatalogue
		}
		if err := follow(ctx, id); err != nil {
			f.failed(ctx, err)
		}
	}
}

// failed keeps the newest failure for the status and logs it, unless the feed is
// being stopped.
func (f *Feed) failed(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return
	}
	f.mu.Lock()
	f.failure = err
	f.mu.Unlock()
	if err != nil {
		f.log.ErrorContext(ctx, "flag sets could not be followed; will try again", "error", err, "after", f.interval)
	}
}

// follow publishes what a set has committed since it was last published, or ends
// the service of one that was deleted.
func (f *Feed) follow(ctx context.Context, id store.SetID) error {
	set, err := f.store.Set(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		f.drop(id)
		return nil
	}
	if err != nil {
		return fmt.Errorf("flag set %s: %w", id, err)
	}
	published := f.published[id]
	if published != nil && published.Position.Epoch != set.Position.Epoch {
		// It was deleted and made again: who read the old one comes back with a key
		// of the new one, or not at all.
		f.hub.Remove(hub.Set{Project: id.Project, Environment: id.Environment})
	}
	var steps []hub.Step
	if published == nil || published.Position.Epoch != set.Position.Epoch || published.Position.Version < set.Oldest {
		if published, err = f.load(ctx, id, set); err != nil {
			return fmt.Errorf("flag set %s: %w", id, err)
		}
		steps = append(steps, hub.Step{Snapshot: published})
	}
	changes, err := f.store.Changes(ctx, id, published.Position.Version, 0)
	if err != nil {
		return fmt.Errorf("flag set %s: reading changes: %w", id, err)
	}
	for i := range changes {
		next, changed, err := apply(published, &changes[i])
		if err != nil {
			// What follows would be wrong without it: begin again from a whole set.
			delete(f.published, id)
			return fmt.Errorf("flag set %s: %w", id, err)
		}
		steps = append(steps, hub.Step{Snapshot: next, Changed: changed})
		published = next
	}
	if len(steps) > 0 {
		// All at once: what was loaded from the past must not be served as the present.
		f.hub.Publish(steps...)
		f.published[id] = published
	}
	return nil
}

// load reads a set as it was some versions ago.
func (f *Feed) load(ctx context.Context, id store.SetID, now store.Set) (*snapshot.Snapshot, error) {
	from := now.Position.Version
	from -= min(from, history)
	from = max(from, now.Oldest, min(1, now.Position.Version))
	set, items, err := f.store.SnapshotAt(ctx, id, from)
	if errors.Is(err, store.ErrNotFound) {
		set, items, err = f.store.SnapshotAt(ctx, id, 0) // retention has dropped it since
	}
	if err != nil {
		return nil, fmt.Errorf("reading it at version %d: %w", from, err)
	}
	read := make([]*snapshot.Item, 0, len(items))
	for _, item := range items {
		decoded, err := snapshot.NewItem(item.Ref, item.Body)
		if err != nil {
			f.log.WarnContext(ctx, "an item cannot be read and will not be evaluated", "set", id.String(), "error", err)
		}
		read = append(read, decoded)
	}
	header := snapshot.Header{Project: id.Project, Environment: id.Environment, Projection: snapshot.ProjectionServer}
	return snapshot.New(header, set.Position, set.CommittedAt, read), nil
}

// apply returns the snapshot after a change, and the items that it touched.
func apply(s *snapshot.Snapshot, change *store.Change) (*snapshot.Snapshot, []snapshot.Ref, error) {
	if change.Version != s.Position.Version+1 {
		return nil, nil, fmt.Errorf("change %d follows version %d: the log has a gap", change.Version, s.Position.Version)
	}
	put := make([]*snapshot.Item, len(change.Put))
	changed := make([]snapshot.Ref, 0, len(change.Put)+len(change.Delete))
	for i, item := range change.Put {
		put[i], _ = snapshot.NewItem(item.Ref, item.Body) // one that cannot be read is a flag that does not compile
		changed = append(changed, item.Ref)
	}
	changed = append(changed, change.Delete...)
	position := snapshot.Position{Epoch: s.Position.Epoch, Version: change.Version}
	return s.With(position, change.At, put, change.Delete), changed, nil
}
