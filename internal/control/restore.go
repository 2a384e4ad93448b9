package control

import (
	"bytes"
	"context"
	"slices"
	"strings"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/fault"
	"github.com/wigwag/wigwag/internal/store"
	"github.com/wigwag/wigwag/snapshot"
)

// Restoration is what to put back to how it was right after a version of an
// environment: a flag, a segment, or everything where neither is given.
type Restoration struct {
	Version       uint64
	Flag, Segment string
}

// Restore puts back a flag, a segment with all its keys, or a whole environment,
// in one commit.
//
// Of flags their configuration is restored; their definitions stay as they are
// today. A whole environment besides loses the segments that were made since, and
// its flags that were made since are as they were when they were made: disabled.
// What was restored is checked as every write is, against today's definitions,
// flags and segments; where something no longer fits, nothing is restored
// (Conflict). What was not there at the version is NotFound. IfMatch speaks of the
// flag, the segment or the whole environment.
func (c *Control) Restore(ctx context.Context, w Write, project, environment string, r Restoration) (Written[Restoration], error) {
	written := Written[Restoration]{Value: r}
	if r.Flag != "" && r.Segment != "" {
		return written, fault.InvalidField("segment", "restore a flag or a segment; or neither, for the whole environment")
	}
	known, err := c.flagSetAt(ctx, project, environment, r.Version)
	if err != nil {
		return written, err
	}
	// The past does not change, so it can be read before the transaction.
	_, then, err := c.past(ctx, known, r.Version, refsOf(known.ID, r.Flag, r.Segment)...)
	if err != nil {
		return written, err
	}
	err = c.update(ctx, w, &written, func(tx store.Tx) error {
		set, err := flagSet(ctx, tx, project, environment)
		if err != nil {
			return err
		}
		if set.Position.Epoch != known.Position.Epoch {
			return fault.New(fault.Unavailable, "%s began another history while it was being restored; try again.", title(describeSet(set.ID)))
		}
		var kinds []snapshot.Kind // all
		if r.Flag != "" {
			kinds = []snapshot.Kind{snapshot.KindFlag, snapshot.KindSegment} // no keys need be read
		}
		now, err := items(ctx, tx, set.ID, kinds...)
		if err != nil {
			return err
		}
		p := &restoring{Restoration: r, set: set, then: newSeenItems(then), now: newSeenItems(now)}
		if err := p.matches(w); err != nil {
			return err
		}
		if err := p.collect(ctx); err != nil {
			return err
		}
		if err := p.check(ctx); err != nil {
			return err
		}
		position, err := w.commit(ctx, tx, set.ID, p.put, p.del)
		written = inFlagSet(r, set, position)
		return err
	})
	return written, err
}

// restoring is a restoration under way.
type restoring struct {
	Restoration
	set       store.Set
	then, now *seenItems
	put       []store.Item
	del       []snapshot.Ref
	// unfit says what no longer fits.
	unfit []fault.Field
}

// names reports whether the restoration is about an item.
func (p *restoring) names(ref snapshot.Ref) bool {
	return store.Named(refsOf(p.set.ID, p.Flag, p.Segment), ref)
}

// matches refuses the restoration where what it replaces has changed since the
// writer looked.
func (p *restoring) matches(w Write) error {
	what, changedAt := "the environment", p.set.Position.Version
	var ref snapshot.Ref // of the whole environment there is none
	switch {
	case p.Flag != "":
		what, ref = "flag "+p.Flag, flagRef(p.Flag)
	case p.Segment != "":
		what, ref = "segment "+p.Segment, segmentRef(p.Segment)
	}
	if p.Flag+p.Segment != "" {
		changedAt = 0
		for ref, item := range p.now.items {
			if p.names(ref) {
				changedAt = max(changedAt, item.Version)
			}
		}
		if changedAt == 0 { // it was deleted, nobody knows when
			changedAt = p.set.Position.Version
		}
	}
	return w.unchangedSince(p.set.ID, ref, read(0, p.set, changedAt).ChangedAt, what)
}

// collect finds what is to be written.
func (p *restoring) collect(ctx context.Context) error {
	switch {
	case p.Flag != "" && p.then.items[flagRef(p.Flag)].Body == nil:
		return notThen(p.set, p.Version, "flag", p.Flag)
	case p.Segment != "" && p.then.items[segmentRef(p.Segment)].Body == nil:
		return notThen(p.set, p.Version, "segment", p.Segment)
	}
	for ref, item := range p.then.items {
		if ref.Kind == snapshot.KindFlag {
			if err := p.flag(ref.Key, &item); err != nil {
				return err
			}
			continue
		}
		if ref.Kind == snapshot.KindSegment {
			if err := p.segment(ctx, ref.Key); err != nil {
				return err
			}
		}
		p.write(item)
	}
	for ref := range p.now.items {
		if _, there := p.then.items[ref]; there || !p.names(ref) {
			continue
		}
		if ref.Kind != snapshot.KindFlag {
			p.del = append(p.del, ref)
			continue
		}
		if err := p.flag(ref.Key, nil); err != nil {
			return err
		}
	}
	return nil
}

func (p *restoring) write(item store.Item) {
	if now, there := p.now.items[item.Ref]; !there || !bytes.Equal(now.Body, item.Body) {
		p.put = append(p.put, store.Item{Ref: item.Ref, Body: item.Body})
	}
}

// flag restores the configuration of a flag, that of a new one where it was not
// there then.
func (p *restoring) flag(key string, then *store.Item) error {
	item, there := p.now.items[flagRef(key)]
	if !there {
		p.refuse("flag", key, "it was deleted or archived since; bring it back first")
		return nil
	}
	today, err := decode[feature.Flag](p.set.ID, item)
	if err != nil {
		return err
	}
	after := initialFlag(today.Definition)
	if then != nil {
		was, err := decode[feature.Flag](p.set.ID, *then)
		if err != nil {
			return err
		}
		after.Configuration = was.Configuration
	}
	if err := after.Validate(); err != nil {
		p.refuse("flag", key, "today's definition does not have what it needs: "+fault.OfValidation(err).Error())
		return nil
	}
	restored, err := encodeItem(after)
	if err != nil {
		return err
	}
	p.write(restored)
	return nil
}

// segment checks a segment with its keys by itself; its items are restored as they
// were.
func (p *restoring) segment(ctx context.Context, key string) error {
	was, err := segmentIn(ctx, p.then, p.set.ID, key)
	if err != nil {
		return err
	}
	if err := was.whole.Validate(); err != nil {
		p.refuse("segment", key, fault.OfValidation(err).Error())
	}
	return nil
}

func (p *restoring) refuse(what, key, why string) {
	p.unfit = append(p.unfit, fault.Field{Path: what + " " + key, Message: why})
}

// check refuses what no longer fits, references included.
func (p *restoring) check(ctx context.Context) error {
	if len(p.unfit) == 0 {
		before, err := served(ctx, p.now, p.set.ID)
		if err != nil {
			return err
		}
		written := newSeenItems(slices.Collect(p.after()))
		after, err := served(ctx, written, p.set.ID)
		if err != nil {
			return err
		}
		known := feature.CheckReferences(before)
		for _, problem := range feature.CheckReferences(after) {
			if slices.Contains(known, problem) {
				continue
			}
			if problem.Flag != "" {
				p.refuse("flag", problem.Flag, problem.Problem.String())
			} else {
				p.refuse("segment", problem.Segment, problem.Problem.String())
			}
		}
	}
	if len(p.unfit) == 0 {
		return nil
	}
	slices.SortFunc(p.unfit, func(a, b fault.Field) int { return strings.Compare(a.Path, b.Path) })
	texts := make([]string, len(p.unfit))
	for i, f := range p.unfit {
		texts[i] = f.Path + ": " + f.Message
	}
	refusal := fault.New(fault.Conflict, "Version %d no longer fits. %s. Nothing was restored.", p.Version, few(texts))
	refusal.Fields = p.unfit
	return refusal
}

// after are the items of the environment once everything is written.
func (p *restoring) after() func(yield func(store.Item) bool) {
	touched := make(map[snapshot.Ref]bool, len(p.put)+len(p.del))
	for i := range p.put {
		touched[p.put[i].Ref] = true
	}
	for _, ref := range p.del {
		touched[ref] = true
	}
	return func(yield func(store.Item) bool) {
		for ref, item := range p.now.items {
			if !touched[ref] && !yield(item) {
				return
			}
		}
		for i := range p.put {
			if !yield(p.put[i]) {
				return
			}
		}
	}
}

// Items implements [store.Reader] for the kinds that were read.
func (s *seenItems) Items(_ context.Context, _ store.SetID, kinds ...snapshot.Kind) ([]store.Item, error) {
	var found []store.Item
	for ref, item := range s.items {
		if slices.Contains(kinds, ref.Kind) {
			found = append(found, item)
		}
	}
	slices.SortFunc(found, func(a, b store.Item) int { return a.Compare(b.Ref) })
	return found, nil
}
