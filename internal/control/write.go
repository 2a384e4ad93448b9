package control

import (
	"context"
	"errors"
	"fmt"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/fault"
	"github.com/wigwag/wigwag/internal/store"
	"github.com/wigwag/wigwag/snapshot"
)

// maxComment is the greatest length of a write's comment, in bytes.
const maxComment = 2000

// update runs fn in one transaction. fn may run more than once, so it sets its
// results whole.
func (c *Control) update(ctx context.Context, w Write, fn func(tx store.Tx) error) error {
	if err := checkText("comment", w.Comment, maxComment); err != nil {
		return err
	}
	err := c.store.Update(ctx, fn)
	var known *fault.Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	return fmt.Errorf("update: %w", err)
}

// unchangedSince refuses a write that is based on something older than the
// current state of what it changes.
func (w Write) unchangedSince(changedAt snapshot.Position, what string) error {
	switch {
	case w.IfMatch.IsZero():
		return nil
	case w.IfMatch.Epoch != changedAt.Epoch:
		return fault.New(fault.Stale,
			"The write is based on position %s, which is of another history than %s (of another set, or of before a restore); it last changed at %s. Read it again and repeat the change.",
			w.IfMatch, what, changedAt)
	case w.IfMatch.Version < changedAt.Version:
		return fault.New(fault.Stale,
			"The write is based on position %s, but %s last changed at %s. Read it again and repeat the change.",
			w.IfMatch, what, changedAt)
	}
	return nil
}

// commit writes to one set and returns its position afterwards.
func (w Write) commit(ctx context.Context, tx store.Tx, id store.SetID, put []store.Item, del []snapshot.Ref) (snapshot.Position, error) {
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
