package control

import (
	"context"
	"fmt"

	"github.com/wigwag/wigwag/internal/fault"
	"github.com/wigwag/wigwag/internal/store"
)

// readProject reads a project's document; its set is the catalogue.
func readProject(ctx context.Context, r store.Reader, project string) (Read[Project], error) {
	set, err := catalogue(ctx, r, project)
	if err != nil {
		return Read[Project]{}, err
	}
	item, err := item(ctx, r, set.ID, projectRef(project), noProject(project))
	if err != nil {
		return Read[Project]{}, err
	}
	p, err := decode[Project](set.ID, item)
	if err != nil {
		return Read[Project]{}, err
	}
	return read(*p, set, item.Version), nil
}

// Project returns a project's document.
func (c *Control) Project(ctx context.Context, project string) (Read[Project], error) {
	return readProject(ctx, c.store, project)
}

// PatchProject applies a JSON Merge Patch (RFC 7396) to a project's document. The
// key stays as it is.
func (c *Control) PatchProject(ctx context.Context, w Write, project string, patch []byte) (Written[Project], error) {
	change, err := parsePatch(patch)
	if err != nil {
		return Written[Project]{}, err
	}
	return c.writeProject(ctx, w, project, func(before Project) (after Project, err error) {
		if before.Archived {
			return after, fault.New(fault.Conflict, "Project %q is archived and takes no changes; restore it first.", project)
		}
		if err := patchDocument(before, change, &after); err != nil {
			return after, err
		}
		if after.Key != project {
			return after, fault.InvalidField("key", "the key of a project cannot change; create a new project with that key")
		}
		if after.Archived {
			return after, fault.InvalidField("archived", "a patch does not archive; archive the project instead")
		}
		return after, checkScope(after.Key, after.Name)
	})
}

// ArchiveProject closes a project: nothing of it takes changes any more and the
// SDKs of its environments are refused. Archiving what is archived changes
// nothing.
func (c *Control) ArchiveProject(ctx context.Context, w Write, project string) (Written[Project], error) {
	return c.writeProject(ctx, w, project, func(p Project) (Project, error) {
		p.Archived = true
		return p, nil
	})
}

// RestoreProject opens an archived project; its environments are as they were,
// those archived by themselves included. Restoring what is not archived changes
// nothing.
func (c *Control) RestoreProject(ctx context.Context, w Write, project string) (Written[Project], error) {
	return c.writeProject(ctx, w, project, func(p Project) (Project, error) {
		p.Archived = false
		return p, nil
	})
}

// writeProject replaces a project's document by what becomes of it.
func (c *Control) writeProject(ctx context.Context, w Write, project string, become func(Project) (Project, error)) (Written[Project], error) {
	var written Written[Project]
	err := c.update(ctx, w, &written, func(tx store.Tx) error {
		before, err := readProject(ctx, tx, project)
		if err != nil {
			return err
		}
		if err := w.unchangedSince(store.SetID{Project: project}, projectRef(project), before.ChangedAt, "project "+project); err != nil {
			return err
		}
		after, err := become(before.Value)
		if err != nil {
			return err
		}
		document, err := encodeDocument(projectRef(project), after)
		if err != nil {
			return err
		}
		written = Written[Project]{Value: after}
		// Anyway, because restoring changes what is archived.
		written.Position, err = w.commitAnyway(ctx, tx, store.SetID{Project: project}, []store.Item{document}, nil)
		return err
	})
	return written, err
}

// DeleteProject forgets an archived project for good, with all environments and
// flags, their history and their keys. Confirm must be its key. One that is not
// archived is a Conflict. Written.Value is what was removed; it has no position.
func (c *Control) DeleteProject(ctx context.Context, w Write, project, confirm string) (Written[Project], error) {
	var written Written[Project]
	err := c.update(ctx, w, &written, func(tx store.Tx) error {
		before, err := readProject(ctx, tx, project)
		if err != nil {
			return err
		}
		if err := w.unchangedSince(store.SetID{Project: project}, projectRef(project), before.ChangedAt, "project "+project); err != nil {
			return err
		}
		if !before.Value.Archived {
			return fault.New(fault.Conflict, "Project %q is not archived; archive it first, and delete it then.", project)
		}
		if err := confirmed(confirm, "project", project); err != nil {
			return err
		}
		sets, err := tx.Sets(ctx)
		if err != nil {
			return fmt.Errorf("read sets: %w", err)
		}
		for _, set := range sets {
			if set.ID.Project != project {
				continue
			}
			if err := deleteSet(ctx, tx, set.ID); err != nil {
				return err
			}
		}
		written = Written[Project]{Value: before.Value}
		return nil
	})
	return written, err
}

func deleteSet(ctx context.Context, tx store.Tx, id store.SetID) error {
	if err := tx.DeleteSet(ctx, id); err != nil {
		return fmt.Errorf("delete %s: %w", id, err)
	}
	return nil
}
