package memory

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/wigwag/wigwag/internal/store"
	"github.com/wigwag/wigwag/snapshot"
)

// errTxOver is what a Tx says that was kept.
var errTxOver = errors.New("memory: the transaction is over")

// Update implements [store.Store].
func (s *Store) Update(ctx context.Context, fn func(store.Tx) error) error {
	if err := s.gate.Enter(); err != nil {
		return err
	}
	defer s.gate.Leave()
	hints, err := s.update(ctx, fn)
	if err != nil {
		return err
	}
	s.hints.Send(hints...)
	return nil
}

func (s *Store) update(ctx context.Context, fn func(store.Tx) error) ([]store.Hint, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-s.turn }()

	before := s.state.Load()
	t := &tx{
		state: &state{sets: maps.Clone(before.sets), credentials: before.credentials, outcomes: before.outcomes},
		own:   make(map[store.SetID]*own),
	}
	defer func() { t.over = true }()
	if err := fn(t); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	for _, mine := range t.own {
		mine.log()
	}
	s.state.Store(t.state)
	return t.hints, nil
}

// tx is a transaction: a state of its own, of which it replaces what it writes.
type tx struct {
	state *state
	own   map[store.SetID]*own
	hints []store.Hint
	over  bool
}

var _ store.Tx = (*tx)(nil)

// own is what a transaction has written to one set: the set is its own copy.
type own struct {
	set    *set
	put    map[snapshot.Ref]store.Item
	delete map[snapshot.Ref]struct{}
	// actor and comment are those of the last commit that wrote anything.
	actor, comment string
}

// log fills the set's log with the change, once: there may have been thousands of
// commits.
func (o *own) log() {
	set := o.set
	set.log[len(set.log)-1] = &store.Change{
		Set: set.ID, Version: set.Position.Version, At: set.CommittedAt,
		Actor: o.actor, Comment: o.comment,
		Put:    sorted(o.put, nil),
		Delete: slices.SortedFunc(maps.Keys(o.delete), snapshot.Ref.Compare),
	}
}

func (t *tx) check(ctx context.Context) error {
	if t.over {
		return errTxOver
	}
	return ctx.Err()
}

func (t *tx) Sets(ctx context.Context) ([]store.Set, error) {
	if err := t.check(ctx); err != nil {
		return nil, err
	}
	return t.state.allSets(), nil
}

func (t *tx) Set(ctx context.Context, id store.SetID) (store.Set, error) {
	if err := t.check(ctx); err != nil {
		return store.Set{}, err
	}
	return t.state.set(id)
}

func (t *tx) Item(ctx context.Context, id store.SetID, ref snapshot.Ref) (store.Item, error) {
	if err := t.check(ctx); err != nil {
		return store.Item{}, err
	}
	return t.state.item(id, ref)
}

func (t *tx) Items(ctx context.Context, id store.SetID, kinds ...snapshot.Kind) ([]store.Item, error) {
	if err := t.check(ctx); err != nil {
		return nil, err
	}
	return t.state.items(id, kinds), nil
}

func (t *tx) ItemsAfter(ctx context.Context, id store.SetID, kind snapshot.Kind, after string, limit int) ([]store.Item, error) {
	if err := t.check(ctx); err != nil {
		return nil, err
	}
	return t.state.itemsAfter(id, kind, after, limit), nil
}

func (t *tx) CreateSet(ctx context.Context, id store.SetID) error {
	if err := t.check(ctx); err != nil {
		return err
	}
	if _, exists := t.state.sets[id]; exists {
		return fmt.Errorf("set %s: %w", id, store.ErrExists)
	}
	epoch, err := store.NewEpoch()
	if err != nil {
		return err
	}
	made := store.Set{ID: id, Position: snapshot.Position{Epoch: epoch}}
	made.CommittedAt = store.Now(made.CommittedAt)
	t.state.sets[id] = &set{Set: made}
	t.hint(id, 0)
	return nil
}

func (t *tx) DeleteSet(ctx context.Context, id store.SetID) error {
	if err := t.check(ctx); err != nil {
		return err
	}
	if _, exists := t.state.sets[id]; !exists {
		return &store.NotFoundError{What: "set", Key: id.String()}
	}
	delete(t.state.sets, id)
	delete(t.own, id)
	if !id.IsCatalogue() {
		t.state.credentials = slices.DeleteFunc(slices.Clone(t.state.credentials), func(c store.Credential) bool { return c.Set == id })
		t.hintCredentials()
	}
	t.hint(id, 0)
	return nil
}

func (t *tx) Commit(ctx context.Context, id store.SetID, commit store.Commit) (snapshot.Position, error) {
	if err := t.check(ctx); err != nil {
		return snapshot.Position{}, err
	}
	if err := commit.Check(); err != nil {
		return snapshot.Position{}, err
	}
	old, ok := t.state.sets[id]
	if !ok {
		return snapshot.Position{}, &store.NotFoundError{What: "set", Key: id.String()}
	}
	put, del := effective(old, &commit)
	if len(put)+len(del) == 0 {
		return old.Position, nil
	}
	mine := t.write(id, old)
	set := mine.set
	set.CommittedAt = store.Now(set.CommittedAt)
	for _, item := range put {
		item.Version = set.Position.Version
		set.items[item.Ref] = item
		mine.put[item.Ref] = item
		delete(mine.delete, item.Ref)
	}
	for _, ref := range del {
		delete(set.items, ref)
		mine.delete[ref] = struct{}{}
		delete(mine.put, ref)
	}
	set.inOrder = sync.OnceValue(func() []store.Item { return sorted(set.items, nil) })
	mine.actor, mine.comment = commit.Actor, commit.Comment
	return set.Position, nil
}

// effective returns what of a commit changes a set.
func effective(set *set, commit *store.Commit) (put []store.Item, del []snapshot.Ref) {
	for i := range commit.Put {
		item := store.Item{Ref: commit.Put[i].Ref, Digest: sha256.Sum256(commit.Put[i].Body)}
		if old, ok := set.items[item.Ref]; ok && old.Digest == item.Digest {
			continue
		}
		item.Body = bytes.Clone(commit.Put[i].Body)
		put = append(put, item)
	}
	for _, ref := range commit.Delete {
		if _, ok := set.items[ref]; ok {
			del = append(del, ref)
		}
	}
	return put, del
}

// write returns the transaction's own copy of a set, made at its first write: at
// the next version, with room for its change at the end of the log.
func (t *tx) write(id store.SetID, old *set) *own {
	if mine, ok := t.own[id]; ok {
		return mine
	}
	items := maps.Clone(old.items)
	if items == nil {
		items = make(map[snapshot.Ref]store.Item)
	}
	mine := &own{
		set:    &set{Set: old.Set, items: items, base: old.base, baseAt: old.baseAt, log: append(old.log, nil)},
		put:    make(map[snapshot.Ref]store.Item),
		delete: make(map[snapshot.Ref]struct{}),
	}
	mine.set.Position.Version++
	t.own[id] = mine
	t.state.sets[id] = mine.set
	t.hint(id, mine.set.Position.Version)
	return mine
}

// hint keeps one hint a set, the highest.
func (t *tx) hint(id store.SetID, version uint64) {
	for i := range t.hints {
		if t.hints[i].Set == id {
			t.hints[i].Version = version
			return
		}
	}
	t.hints = append(t.hints, store.Hint{Set: id, Version: version})
}
