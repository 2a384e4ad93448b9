package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/fault"
	"github.com/wigwag/wigwag/internal/store"
	"github.com/wigwag/wigwag/snapshot"
)

// unchangedSince refuses a write that is based on something older than the
// current state of what it changes.
func (w Write) unchangedSince(set store.SetID, ref snapshot.Ref, changedAt snapshot.Position, what string) error {
	changedAt = w.later.before(set, ref, changedAt)
	var stale *fault.Error
	switch {
	case w.IfMatch.IsZero():
		return nil
	case w.IfMatch.Epoch != changedAt.Epoch:
		stale = fault.New(fault.Stale,
			"The write is based on position %s, which is of another history than %s (of another set, or of before a restore); it last changed at %s. Read it again and repeat the change.",
			w.IfMatch, what, changedAt)
	case w.IfMatch.Version < changedAt.Version:
		stale = fault.New(fault.Stale,
			"The write is based on position %s, but %s last changed at %s. Read it again and repeat the change.",
			w.IfMatch, what, changedAt)
	default:
		return nil
	}
	stale.Current = &fault.Current{ChangedAt: changedAt.String()}
	return stale.Because(&staleItem{set: set, ref: ref, base: w.IfMatch, changedAt: changedAt})
}

// staleItem is what a refused write wanted to change.
type staleItem struct {
	set             store.SetID
	ref             snapshot.Ref
	base, changedAt snapshot.Position
}

func (s *staleItem) Error() string {
	return s.ref.String() + " of " + s.set.String() + " changed at " + s.changedAt.String() + ", after " + s.base.String()
}

// tellCurrent adds to a refusal of a stale write the document as it is, and which
// of its fields differ from those that the write was based on. What cannot be
// known, such as a document that retention has dropped, is left out: the refusal
// stands without it.
func tellCurrent(ctx context.Context, st store.Store, err error) {
	var refusal *fault.Error
	var stale *staleItem
	if !errors.As(err, &refusal) || !errors.As(err, &stale) || stale.ref.Key == "" {
		return
	}
	_, now, err := st.SnapshotAt(ctx, stale.set, stale.changedAt.Version, stale.ref)
	if err != nil || len(now) != 1 {
		return
	}
	refusal.Current.Document = now[0].Body
	if stale.base.Epoch != stale.changedAt.Epoch {
		return
	}
	_, then, err := st.SnapshotAt(ctx, stale.set, stale.base.Version, stale.ref)
	if err != nil || len(then) != 1 {
		return
	}
	differs := differingFields(then[0].Body, now[0].Body)
	if stale.ref.Kind == snapshot.KindSegment {
		differs = append(differs, differingLists(ctx, st, stale, now[0])...)
		slices.Sort(differs)
		differs = slices.Compact(differs)
	}
	refusal.Current.Differs = differs
}

// differingLists returns the lists of a segment, kept in shards, that changed
// after the position of a write.
func differingLists(ctx context.Context, st store.Store, stale *staleItem, now store.Item) []string {
	segment, err := decode[feature.Segment](stale.set, now)
	if err != nil {
		return nil
	}
	var lists []string
	for _, name := range listNames {
		_, shards := listOf(segment, name)
		refs := make([]snapshot.Ref, *shards)
		for i := range refs {
			refs[i] = snapshot.KeysRef(segment.Key, name, i)
		}
		if len(refs) == 0 {
			continue
		}
		_, items, err := st.SnapshotAt(ctx, stale.set, stale.changedAt.Version, refs...)
		if err == nil && slices.ContainsFunc(items, func(i store.Item) bool { return i.Version > stale.base.Version }) {
			lists = append(lists, string(name))
		}
	}
	return lists
}

// differingFields returns the names of the fields of two JSON objects whose
// values differ, sorted. Both are encoded by this program, which writes equal
// values as equal bytes.
func differingFields(a, b []byte) []string {
	var before, after map[string]json.RawMessage
	if json.Unmarshal(a, &before) != nil || json.Unmarshal(b, &after) != nil {
		return nil
	}
	var names []string
	for name, value := range before {
		if !bytes.Equal(value, after[name]) {
			names = append(names, name)
		}
	}
	for name := range after {
		if _, both := before[name]; !both {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
