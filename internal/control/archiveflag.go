package control

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/fault"
	"github.com/wigwag/wigwag/internal/store"
	"github.com/wigwag/wigwag/snapshot"
)

// ArchiveFlag takes a flag out of every environment and keeps how it was there.
// It is refused (InUse) while the flag is a prerequisite of another, and, unless
// forced, while an environment serves more than one of its variants or the flag
// is permanent. Archiving what is archived changes nothing.
func (c *Control) ArchiveFlag(ctx context.Context, w Write, project, flag string, force bool) (Written[Definition], error) {
	var written Written[Definition]
	err := c.update(ctx, w, &written, func(tx store.Tx) error {
		before, err := readDefinition(ctx, tx, project, flag)
		if err != nil {
			return err
		}
		if err := w.unchangedSince(store.SetID{Project: project}, definitionRef(flag), before.ChangedAt, "the definition of flag "+flag); err != nil {
			return err
		}
		if before.Value.Archived {
			written = Written[Definition]{Value: before.Value, Position: before.Position}
			return nil
		}
		sets, err := flagSets(ctx, tx, project)
		if err != nil {
			return err
		}
		if err := w.archivable(ctx, tx, sets, &before.Value, force); err != nil {
			return err
		}
		after := before.Value
		after.Archived = true
		document, err := encodeDocument(definitionRef(flag), after)
		if err != nil {
			return err
		}
		put := []store.Item{document}
		for _, set := range sets {
			kept, err := item(ctx, tx, set.ID, flagRef(flag), fault.New(fault.NotFound, "Flag %q is not there.", flag))
			if err != nil {
				return err
			}
			put = append(put, store.Item{Ref: archivedRef(set.ID.Environment, flag), Body: kept.Body})
		}
		written = Written[Definition]{Value: after, Environments: make(map[string]snapshot.Position, len(sets))}
		if written.Position, err = w.commit(ctx, tx, store.SetID{Project: project}, put, nil); err != nil {
			return err
		}
		for _, set := range sets {
			written.Environments[set.ID.Environment], err = w.commitAnyway(ctx, tx, set.ID, nil, []snapshot.Ref{flagRef(flag)})
			if err != nil {
				return err
			}
		}
		return nil
	})
	return written, err
}

// archivable returns why a flag cannot be archived, if it cannot.
func (w Write) archivable(ctx context.Context, tx store.Tx, sets []store.Set, d *Definition, force bool) error {
	uses, err := w.prerequisiteUses(ctx, tx, sets, d.Key)
	if err != nil {
		return err
	}
	if len(uses) > 0 {
		return fault.New(fault.InUse, "Flag %q is a prerequisite of %s. Take it out of their prerequisites first.", d.Key, few(uses))
	}
	if force {
		return nil
	}
	if d.Permanent {
		return fault.New(fault.InUse, "Flag %q is permanent. Change that, or force the archiving.", d.Key)
	}
	var serving []string
	for _, set := range sets {
		environment, err := document[Environment](ctx, tx, store.SetID{Project: set.ID.Project}, environmentRef(set.ID.Environment))
		if err != nil {
			return err
		}
		if environment != nil && environment.Archived {
			continue // it serves nobody
		}
		flag, err := readFlag(ctx, tx, set, d.Key)
		if err != nil {
			return err
		}
		if variants := outcomes(flag.Value); len(variants) > 1 {
			serving = append(serving, fmt.Sprintf("environment %q (%s)", set.ID.Environment, strings.Join(variants, ", ")))
		}
	}
	if len(serving) > 0 {
		return fault.New(fault.InUse, "Flag %q still decides: more than one variant is served in %s. Let it serve one, or force the archiving.",
			d.Key, few(serving))
	}
	return nil
}

// RestoreFlag puts an archived flag back into every environment, exactly as it
// was; an environment that was made since gets it in its initial configuration.
// It is refused (Conflict) where what the flag refers to is there no more.
// Restoring what is not archived changes nothing.
func (c *Control) RestoreFlag(ctx context.Context, w Write, project, flag string) (Written[Definition], error) {
	var written Written[Definition]
	err := c.update(ctx, w, &written, func(tx store.Tx) error {
		before, err := readDefinition(ctx, tx, project, flag)
		if err != nil {
			return err
		}
		if err := w.unchangedSince(store.SetID{Project: project}, definitionRef(flag), before.ChangedAt, "the definition of flag "+flag); err != nil {
			return err
		}
		if !before.Value.Archived {
			written = Written[Definition]{Value: before.Value, Position: before.Position}
			return nil
		}
		sets, err := flagSets(ctx, tx, project)
		if err != nil {
			return err
		}
		catalogue := store.SetID{Project: project}
		after := before.Value
		after.Archived = false
		document, err := encodeDocument(definitionRef(flag), after)
		if err != nil {
			return err
		}
		restored := make([]store.Item, len(sets))
		var del []snapshot.Ref
		var misfits []string
		for i, set := range sets {
			ref := archivedRef(set.ID.Environment, flag)
			if restored[i], err = archivedItem(ctx, tx, catalogue, ref, &after); err != nil {
				return err
			}
			del = append(del, ref)
			if w.later.check(set.ID, flagRef(flag), nil) {
				continue
			}
			misfit, err := misfitOf(ctx, tx, set.ID, restored[i])
			if err != nil {
				return err
			}
			if misfit != "" {
				misfits = append(misfits, fmt.Sprintf("in environment %q, %s", set.ID.Environment, misfit))
			}
		}
		if len(misfits) > 0 {
			return fault.New(fault.Conflict, "Flag %q cannot be restored as it was: %s. Bring back what is missing first.", flag, few(misfits))
		}
		written = Written[Definition]{Value: after, Environments: make(map[string]snapshot.Position, len(sets))}
		if written.Position, err = w.commit(ctx, tx, catalogue, []store.Item{document}, del); err != nil {
			return err
		}
		for i, set := range sets {
			written.Environments[set.ID.Environment], err = w.commitAnyway(ctx, tx, set.ID, restored[i:i+1], nil)
			if err != nil {
				return err
			}
		}
		return nil
	})
	return written, err
}

// archivedItem returns the item of a flag as it was archived; of an environment
// that was made since, as it is there initially.
func archivedItem(ctx context.Context, r store.Reader, catalogue store.SetID, ref snapshot.Ref, d *Definition) (store.Item, error) {
	kept, err := r.Item(ctx, catalogue, ref)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return encodeItem(initialFlag(d.Definition))
	case err != nil:
		return kept, fmt.Errorf("read %s of %s: %w", ref, catalogue, err)
	}
	return store.Item{Ref: flagRef(d.Key), Body: kept.Body}, nil
}

// misfitOf says what a flag refers to that a flag set does not have.
func misfitOf(ctx context.Context, r store.Reader, id store.SetID, restored store.Item) (string, error) {
	flag, err := decode[feature.Flag](id, restored)
	if err != nil {
		return "", err
	}
	if len(flag.Prerequisites) == 0 && len(mentions(flag.EachSegment)) == 0 {
		return "", nil
	}
	before, err := served(ctx, r, id)
	if err != nil {
		return "", err
	}
	problems := newReferenceProblems(before, []*feature.Flag{flag}, nil)
	texts := make([]string, len(problems))
	for i := range problems {
		texts[i] = problems[i].String()
		if problems[i].Flag == flag.Key {
			texts[i] = problems[i].Problem.String()
		}
	}
	return few(texts), nil
}

// DeleteFlag forgets an archived flag; its history stays. A flag that is not
// archived is a Conflict, one that another archived flag has as prerequisite is
// InUse. Written.Value is what was removed.
func (c *Control) DeleteFlag(ctx context.Context, w Write, project, flag string) (Written[Definition], error) {
	var written Written[Definition]
	err := c.update(ctx, w, &written, func(tx store.Tx) error {
		before, err := readDefinition(ctx, tx, project, flag)
		if err != nil {
			return err
		}
		if err := w.unchangedSince(store.SetID{Project: project}, definitionRef(flag), before.ChangedAt, "the definition of flag "+flag); err != nil {
			return err
		}
		if !before.Value.Archived {
			return fault.New(fault.Conflict, "Flag %q is not archived; archive it first, and delete it then.", flag)
		}
		catalogue := store.SetID{Project: project}
		kept, err := items(ctx, tx, catalogue, store.KindArchived)
		if err != nil {
			return err
		}
		del := []snapshot.Ref{definitionRef(flag)}
		var uses []string
		for i := range kept {
			environment, key, _ := strings.Cut(kept[i].Key, "/")
			if key == flag {
				del = append(del, kept[i].Ref)
				continue
			}
			other, err := decode[feature.Flag](catalogue, kept[i])
			if err != nil {
				return err
			}
			if demands(other, flag) {
				uses = append(uses, fmt.Sprintf("archived flag %q in environment %q", key, environment))
			}
		}
		if len(uses) > 0 {
			return fault.New(fault.InUse, "Flag %q is a prerequisite of %s, which could not be restored without it. Delete that first.", flag, few(uses))
		}
		written = Written[Definition]{Value: before.Value}
		written.Position, err = w.commit(ctx, tx, catalogue, nil, del)
		return err
	})
	return written, err
}
