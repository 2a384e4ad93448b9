// Package memory keeps sets of items in memory: the store of tests and of quick
// trials. It keeps every promise of [store.Store] but durability: what it holds
// ends with the process.
package memory

import (
	"context"
	"slices"
	"sync/atomic"

	"github.com/wigwag/wigwag/internal/store"
	"github.com/wigwag/wigwag/snapshot"
)

// Store is a [store.Store] in memory. It is safe for concurrent use.
type Store struct {
	gate  store.Gate
	hints store.Hints
	// turn is full while an Update runs. It is a channel so that waiting ends
	// with the caller's context.
	turn chan struct{}
	// state is replaced, never changed; only the holder of turn replaces it.
	state atomic.Pointer[state]
}

var _ store.Store = (*Store)(nil)

// New returns an empty store.
func New() *Store {
	s := &Store{turn: make(chan struct{}, 1)}
	s.state.Store(newState())
	return s
}

// read enters the store and returns its state; leave must be called unless there
// is an error.
func (s *Store) read(ctx context.Context) (*state, error) {
	if err := s.gate.Enter(); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		s.gate.Leave()
		return nil, err
	}
	return s.state.Load(), nil
}

// Sets implements [store.Reader].
func (s *Store) Sets(ctx context.Context) ([]store.Set, error) {
	state, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	defer s.gate.Leave()
	return state.allSets(), nil
}

// Set implements [store.Reader].
func (s *Store) Set(ctx context.Context, id store.SetID) (store.Set, error) {
	state, err := s.read(ctx)
	if err != nil {
		return store.Set{}, err
	}
	defer s.gate.Leave()
	return state.set(id)
}

// Item implements [store.Reader].
func (s *Store) Item(ctx context.Context, id store.SetID, ref snapshot.Ref) (store.Item, error) {
	state, err := s.read(ctx)
	if err != nil {
		return store.Item{}, err
	}
	defer s.gate.Leave()
	return state.item(id, ref)
}

// Items implements [store.Reader].
func (s *Store) Items(ctx context.Context, id store.SetID, kinds ...snapshot.Kind) ([]store.Item, error) {
	state, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	defer s.gate.Leave()
	return state.items(id, kinds), nil
}

// ItemsAfter implements [store.Reader].
func (s *Store) ItemsAfter(ctx context.Context, id store.SetID, kind snapshot.Kind, after string, limit int) ([]store.Item, error) {
	state, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	defer s.gate.Leave()
	return state.itemsAfter(id, kind, after, limit), nil
}

// SnapshotAt implements [store.Store].
func (s *Store) SnapshotAt(ctx context.Context, id store.SetID, version uint64, refs ...snapshot.Ref) (store.Set, []store.Item, error) {
	state, err := s.read(ctx)
	if err != nil {
		return store.Set{}, nil, err
	}
	defer s.gate.Leave()
	return state.snapshotAt(id, version, refs)
}

// Changes implements [store.Store].
func (s *Store) Changes(ctx context.Context, id store.SetID, after uint64, limit int) ([]store.Change, error) {
	state, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	defer s.gate.Leave()
	return state.changes(id, after, limit)
}

// Credential implements [store.Store].
func (s *Store) Credential(ctx context.Context, hash [32]byte) (store.Credential, error) {
	state, err := s.read(ctx)
	if err != nil {
		return store.Credential{}, err
	}
	defer s.gate.Leave()
	for _, c := range state.credentials {
		if c.Hash == hash {
			c.Projects = slices.Clone(c.Projects)
			return c, nil
		}
	}
	return store.Credential{}, &store.NotFoundError{What: "credential", Key: "of that secret"}
}

// Credentials implements [store.Store].
func (s *Store) Credentials(ctx context.Context) ([]store.Credential, error) {
	state, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	defer s.gate.Leave()
	return state.allCredentials(), nil
}

// Watch implements [store.Store].
func (s *Store) Watch(fn func(store.Hint)) (stop func()) { return s.hints.Watch(fn) }

// Close implements [store.Store]. What the store held is gone.
func (s *Store) Close() error {
	return s.gate.Close(func() error {
		s.state.Store(newState())
		return nil
	})
}
