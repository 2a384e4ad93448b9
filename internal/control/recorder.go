package control

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/wigwag/wigwag/internal/store"
	"github.com/wigwag/wigwag/snapshot"
)

// ItemChange is what a write does to one item of one set.
type ItemChange struct {
	Set store.SetID
	Ref snapshot.Ref
	// Action says what was done.
	Action Action
	// Before and After are the documents; nil before an item is made, and after it
	// is deleted. They must not be changed.
	Before, After json.RawMessage
}

// Action is what a write does to an item.
type Action string

// The actions.
const (
	ActionCreate Action = "create"
	ActionUpdate Action = "update"
	ActionDelete Action = "delete"
)

// recorder is a transaction that remembers what its commits change. That of a dry
// run answers with the positions that the sets have outside of it, zero for a set
// that is not there.
type recorder struct {
	store.Tx
	dryRun  bool
	order   []recorded
	changes map[recorded]*ItemChange
	present map[store.SetID]snapshot.Position
	made    map[store.SetID]bool
	// seen are the items that were read before the transaction wrote to them, so
	// that they need not be read again; zero for what was not there.
	seen map[recorded]store.Item
	// versions are those of the items that the commits touch, before them.
	versions map[recorded]uint64
}

// recorded names an item of a set.
type recorded struct {
	set store.SetID
	ref snapshot.Ref
}

func (r *recorder) CreateSet(ctx context.Context, id store.SetID) error {
	err := r.Tx.CreateSet(ctx, id)
	if err == nil {
		if r.made == nil {
			r.made = make(map[store.SetID]bool)
		}
		r.made[id] = true
	}
	return err
}

func (r *recorder) Item(ctx context.Context, id store.SetID, ref snapshot.Ref) (store.Item, error) {
	item, err := r.Tx.Item(ctx, id, ref)
	name := recorded{id, ref}
	if r.changes[name] == nil && (err == nil || errors.Is(err, store.ErrNotFound)) {
		if r.seen == nil {
			r.seen = make(map[recorded]store.Item)
		}
		r.seen[name] = item
	}
	return item, err
}

func (r *recorder) Commit(ctx context.Context, id store.SetID, commit store.Commit) (snapshot.Position, error) {
	if err := r.look(ctx, id, &commit); err != nil {
		return snapshot.Position{}, err
	}
	position, err := r.Tx.Commit(ctx, id, commit)
	if err != nil {
		return position, err
	}
	for i := range commit.Put {
		r.changes[recorded{id, commit.Put[i].Ref}].After = commit.Put[i].Body
	}
	for _, ref := range commit.Delete {
		r.changes[recorded{id, ref}].After = nil
	}
	if r.dryRun {
		return r.present[id], nil
	}
	return position, nil
}

// look keeps how things are before a commit, where no earlier one has.
func (r *recorder) look(ctx context.Context, id store.SetID, commit *store.Commit) error {
	if r.changes == nil {
		r.changes = make(map[recorded]*ItemChange)
		r.versions = make(map[recorded]uint64)
		r.present = make(map[store.SetID]snapshot.Position)
	}
	if _, known := r.present[id]; !known && !r.made[id] {
		set, err := r.Set(ctx, id)
		if err != nil {
			return fmt.Errorf("read set %s: %w", id, err)
		}
		r.present[id] = set.Position
	}
	for i := range commit.Put {
		if err := r.lookAt(ctx, id, commit.Put[i].Ref); err != nil {
			return err
		}
	}
	for _, ref := range commit.Delete {
		if err := r.lookAt(ctx, id, ref); err != nil {
			return err
		}
	}
	return nil
}

func (r *recorder) lookAt(ctx context.Context, id store.SetID, ref snapshot.Ref) error {
	name := recorded{id, ref}
	if r.changes[name] != nil {
		return nil
	}
	before, seen := r.seen[name]
	if !seen && !r.made[id] { // a new set has nothing to ask for
		item, err := r.Tx.Item(ctx, id, ref)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return fmt.Errorf("read %s of %s: %w", ref, id, err)
		}
		before = item
	}
	change := &ItemChange{Set: id, Ref: ref, Before: before.Body}
	r.versions[name] = before.Version
	r.changes[name] = change
	r.order = append(r.order, name)
	return nil
}

// result returns what the commits changed in the end: the project's own items
// first, then those of its environments by key, the items of each in order.
func (r *recorder) result() []ItemChange {
	changes := make([]ItemChange, 0, len(r.order))
	for _, name := range r.order {
		if change := r.changes[name]; !bytes.Equal(change.Before, change.After) {
			switch {
			case change.Before == nil:
				change.Action = ActionCreate
			case change.After == nil:
				change.Action = ActionDelete
			default:
				change.Action = ActionUpdate
			}
			changes = append(changes, *change)
		}
	}
	slices.SortFunc(changes, func(a, b ItemChange) int {
		return cmp.Or(
			cmp.Compare(a.Set.Project, b.Set.Project),
			cmp.Compare(a.Set.Environment, b.Set.Environment),
			a.Ref.Compare(b.Ref),
		)
	})
	return changes
}
