package control

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/fault"
	"github.com/wigwag/wigwag/internal/store"
	"github.com/wigwag/wigwag/snapshot"
)

// later is what the changes of a batch leave to its end: whether what flags and
// segments refer to is there. So changes that name each other can come in any
// order.
type later struct {
	// path is where the change that is being made has its document, such as
	// changes[3].patch.
	path string
	// tx is the transaction of the batch.
	tx      *recorder
	writers map[recorded]locator
}

// check takes over the check of what a changed item refers to; it reports false
// where there is no batch. locate is as in [Control.writeFlag].
func (l *later) check(set store.SetID, ref snapshot.Ref, locate locator) bool {
	if l == nil {
		return false
	}
	path := l.path
	l.writers[recorded{set, ref}] = func(below string) string {
		if locate != nil {
			return fault.Join(strings.TrimSuffix(path, ".operations"), locate(below))
		}
		return fault.Join(path, below)
	}
	return true
}

// before returns when an item last changed before the batch: what the batch itself
// has done to it is in no condition's way.
func (l *later) before(set store.SetID, ref snapshot.Ref, changedAt snapshot.Position) snapshot.Position {
	if l == nil {
		return changedAt
	}
	present, moved := l.tx.present[set]
	if !moved || changedAt.Version <= present.Version {
		return changedAt
	}
	return snapshot.Position{Epoch: changedAt.Epoch, Version: l.tx.versions[recorded{set, ref}]}
}

// problems looks at the sets that were changed as they are in the end: every
// problem of an item that was changed, and those that the batch makes for others.
func (l *later) problems(ctx context.Context) error {
	tx := l.tx
	var own, others []fault.Field
	for _, id := range changedSets(tx) {
		after, err := served(ctx, tx, id)
		if err != nil {
			return err
		}
		found := feature.CheckReferences(after)
		if len(found) == 0 {
			continue
		}
		before, err := servedBefore(tx, id, after)
		if err != nil {
			return err
		}
		known := feature.CheckReferences(before)
		for i := range found {
			p := &found[i]
			ref := flagRef(p.Flag)
			if p.Flag == "" {
				ref = segmentRef(p.Segment)
			}
			if writer := l.writers[recorded{id, ref}]; writer != nil {
				own = append(own, fault.Field{Path: writer(p.Path), Message: p.Message})
			} else if !slices.Contains(known, *p) {
				others = append(others, fault.Field{Path: "changes", Message: fmt.Sprintf(
					"they would leave, in environment %q, %s", id.Environment, p.String())})
			}
		}
	}
	kind := fault.Invalid
	if len(own) == 0 {
		kind = fault.InUse
	}
	return fault.OfFields(kind, append(own, others...), feature.MaxProblems)
}

// changedSets returns the flag sets of which flags or segments were written.
func changedSets(tx *recorder) []store.SetID {
	var ids []store.SetID
	for name := range tx.changes {
		if name.ref.Kind != snapshot.KindFlag && name.ref.Kind != snapshot.KindSegment {
			continue
		}
		if !slices.Contains(ids, name.set) {
			ids = append(ids, name.set)
		}
	}
	slices.SortFunc(ids, func(a, b store.SetID) int { return strings.Compare(a.String(), b.String()) })
	return ids
}

// servedBefore returns a flag set as it was before the transaction.
func servedBefore(tx *recorder, id store.SetID, after *feature.FlagSet) (*feature.FlagSet, error) {
	before := &feature.FlagSet{}
	for _, flag := range after.Flags {
		if tx.changes[recorded{id, flagRef(flag.Key)}] == nil {
			before.Flags = append(before.Flags, flag)
		}
	}
	for _, segment := range after.Segments {
		if tx.changes[recorded{id, segmentRef(segment.Key)}] == nil {
			before.Segments = append(before.Segments, segment)
		}
	}
	for name, change := range tx.changes {
		if name.set != id || change.Before == nil {
			continue
		}
		var err error
		switch name.ref.Kind {
		case snapshot.KindFlag:
			flag := new(feature.Flag)
			err = json.Unmarshal(change.Before, flag)
			before.Flags = append(before.Flags, flag)
		case snapshot.KindSegment:
			segment := new(feature.Segment)
			err = json.Unmarshal(change.Before, segment)
			before.Segments = append(before.Segments, segment)
		}
		if err != nil {
			return nil, fmt.Errorf("stored item %s of %s: %w", name.ref, id, err)
		}
	}
	slices.SortFunc(before.Flags, func(a, b *feature.Flag) int { return strings.Compare(a.Key, b.Key) })
	slices.SortFunc(before.Segments, func(a, b *feature.Segment) int { return strings.Compare(a.Key, b.Key) })
	return before, nil
}
