package control

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/fault"
	"github.com/wigwag/wigwag/internal/store"
	"github.com/wigwag/wigwag/snapshot"
)

// maxComment is the greatest length of a write's comment, in bytes.
const maxComment = 2000

// errDryRun rolls back a transaction that has shown what it does.
var errDryRun = errors.New("dry run")

// outcome is a [*Written], whatever it is of.
type outcome interface{ settle(changes []ItemChange) }

// update runs fn in one transaction and completes what it leaves in out. fn may
// run more than once, so it sets its results whole. A dry run is the same
// transaction, rolled back at its end; a repetition of a write that has a key is
// answered with what is kept of it, and fn is not run.
func (c *Control) update(ctx context.Context, w Write, out outcome, fn func(tx store.Tx) error) error {
	if err := checkText("comment", w.Comment, maxComment); err != nil {
		return err
	}
	once := w.Once
	if w.DryRun {
		once = nil
	}
	err := c.store.Update(ctx, func(tx store.Tx) error {
		if replayed, err := once.replay(ctx, tx, out); replayed || err != nil {
			return err
		}
		recorded := &recorder{Tx: tx, dryRun: w.DryRun}
		if err := fn(recorded); err != nil {
			return err
		}
		out.settle(recorded.result())
		if w.DryRun {
			return errDryRun
		}
		return once.keep(ctx, tx, out)
	})
	var known *fault.Error
	switch {
	case err == nil, w.DryRun && errors.Is(err, errDryRun):
		return nil
	case errors.As(err, &known):
		tellCurrent(ctx, c.store, err)
		return c.keepRefusal(ctx, once, known, err)
	default:
		return fmt.Errorf("update: %w", err)
	}
}

// settle completes the outcome of a write with what it changed. A set that a dry
// run would make has no position.
func (w *Written[T]) settle(changes []ItemChange) {
	w.Changes = changes
	maps.DeleteFunc(w.Environments, func(_ string, p snapshot.Position) bool { return p.IsZero() })
}

// commit writes to one set and returns its position afterwards. A set whose
// project or environment is archived is refused (Conflict).
func (w Write) commit(ctx context.Context, tx store.Tx, id store.SetID, put []store.Item, del []snapshot.Ref) (snapshot.Position, error) {
	if err := writable(ctx, tx, id); err != nil {
		return snapshot.Position{}, err
	}
	return w.commitAnyway(ctx, tx, id, put, del)
}

// commitAnyway is commit for what belongs to the project as a whole: an archived
// environment stays in step with the definitions of the project, so that it can be
// restored.
func (w Write) commitAnyway(ctx context.Context, tx store.Tx, id store.SetID, put []store.Item, del []snapshot.Ref) (snapshot.Position, error) {
	position, err := tx.Commit(ctx, id, store.Commit{Actor: w.Actor, Comment: w.Comment, Put: put, Delete: del})
	if err != nil {
		return position, fmt.Errorf("commit to %s: %w", id, err)
	}
	return position, nil
}

// encodeItem returns the item of a *feature.Flag, *feature.Segment or
// *feature.SegmentKeys.
func encodeItem(document any) (store.Item, error) {
	item, err := snapshot.EncodeItem(document)
	if err != nil {
		return store.Item{}, fmt.Errorf("encode: %w", err)
	}
	return store.Item{Ref: item.Ref, Body: item.Body}, nil
}

// encodeDocument returns an item of a catalogue.
func encodeDocument(ref snapshot.Ref, document any) (store.Item, error) {
	body, err := feature.Encode(document)
	if err != nil {
		return store.Item{}, fmt.Errorf("encode %s: %w", ref, err)
	}
	return store.Item{Ref: ref, Body: body}, nil
}
