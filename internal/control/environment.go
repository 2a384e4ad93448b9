package control

import (
	"context"
	"regexp"
	"strings"

	"github.com/wigwag/wigwag/internal/fault"
	"github.com/wigwag/wigwag/internal/store"
	"github.com/wigwag/wigwag/snapshot"
)

// The versions of the hash by which a flag set is translated.
const (
	defaultHashVersion = 2
	newestHashVersion  = 3
)

var colour = regexp.MustCompile(`^#[0-9a-f]{6}$`)

// checkEnvironment validates an environment's document.
func checkEnvironment(e *Environment) error {
	if err := checkScope(e.Key, e.Name); err != nil {
		return err
	}
	if e.Colour != "" && !colour.MatchString(e.Colour) {
		return fault.InvalidField("colour", "%.40q is no colour; write such as #1f883d, in lower case", e.Colour)
	}
	if e.HashVersion < defaultHashVersion || e.HashVersion > newestHashVersion {
		return fault.InvalidField("hashVersion", "it is %d; use %d or %d", e.HashVersion, defaultHashVersion, newestHashVersion)
	}
	return nil
}

// whole returns an environment with its defaults.
func (e Environment) whole() Environment {
	if e.Streaming == nil {
		e.Streaming = new(true)
	}
	if e.HashVersion == 0 {
		e.HashVersion = defaultHashVersion
	}
	return e
}

// readEnvironment reads an environment's document; its set is the catalogue.
func readEnvironment(ctx context.Context, r store.Reader, project, environment string) (Read[Environment], error) {
	set, err := catalogue(ctx, r, project)
	if err != nil {
		return Read[Environment]{}, err
	}
	item, err := item(ctx, r, set.ID, environmentRef(environment), noEnvironment(project, environment))
	if err != nil {
		return Read[Environment]{}, err
	}
	e, err := decode[Environment](set.ID, item)
	if err != nil {
		return Read[Environment]{}, err
	}
	return read(e.whole(), set, item.Version), nil
}

// Environment returns an environment's document. Its position is that of the
// project's catalogue.
func (c *Control) Environment(ctx context.Context, project, environment string) (Read[Environment], error) {
	return readEnvironment(ctx, c.store, project, environment)
}

// PatchEnvironment applies a JSON Merge Patch (RFC 7396) to an environment's
// document. The key stays as it is. Written.Position is that of the project's
// catalogue.
func (c *Control) PatchEnvironment(ctx context.Context, w Write, project, environment string, patch []byte) (Written[Environment], error) {
	change, err := parsePatch(patch)
	if err != nil {
		return Written[Environment]{}, err
	}
	return c.writeEnvironment(ctx, w, project, environment, func(before Environment) (after Environment, err error) {
		if before.Archived {
			return after, fault.New(fault.Conflict, "Environment %q of project %q is archived and takes no changes; restore it first.", environment, project)
		}
		if err := patchDocument(before, change, &after); err != nil {
			return after, err
		}
		if after.Key != environment {
			return after, fault.InvalidField("key", "the key of an environment cannot change; create a new environment with that key")
		}
		if after.Archived {
			return after, fault.InvalidField("archived", "a patch does not archive; archive the environment instead")
		}
		after = after.whole()
		return after, checkEnvironment(&after)
	})
}

// ArchiveEnvironment closes an environment: it takes no changes of its own any
// more and its SDKs are refused. The definitions of the project's flags are kept
// in step in it, so that it can be restored. Archiving what is archived changes
// nothing.
func (c *Control) ArchiveEnvironment(ctx context.Context, w Write, project, environment string) (Written[Environment], error) {
	return c.writeEnvironment(ctx, w, project, environment, func(e Environment) (Environment, error) {
		e.Archived = true
		return e, nil
	})
}

// RestoreEnvironment opens an archived environment. Restoring what is not
// archived changes nothing.
func (c *Control) RestoreEnvironment(ctx context.Context, w Write, project, environment string) (Written[Environment], error) {
	return c.writeEnvironment(ctx, w, project, environment, func(e Environment) (Environment, error) {
		e.Archived = false
		return e, nil
	})
}

// writeEnvironment replaces an environment's document by what becomes of it.
func (c *Control) writeEnvironment(ctx context.Context, w Write, project, environment string, become func(Environment) (Environment, error)) (Written[Environment], error) {
	var written Written[Environment]
	err := c.update(ctx, w, &written, func(tx store.Tx) error {
		before, err := readEnvironment(ctx, tx, project, environment)
		if err != nil {
			return err
		}
		if err := w.unchangedSince(store.SetID{Project: project}, environmentRef(environment), before.ChangedAt, "environment "+environment); err != nil {
			return err
		}
		after, err := become(before.Value)
		if err != nil {
			return err
		}
		document, err := encodeDocument(environmentRef(environment), after)
		if err != nil {
			return err
		}
		written = Written[Environment]{Value: after}
		written.Position, err = w.commit(ctx, tx, store.SetID{Project: project}, []store.Item{document}, nil)
		return err
	})
	return written, err
}

// DeleteEnvironment forgets an archived environment for good: its flags' and
// segments' configurations, its history and its keys. Confirm must be its key.
// One that is not archived is a Conflict. Written.Value is what was removed.
func (c *Control) DeleteEnvironment(ctx context.Context, w Write, project, environment, confirm string) (Written[Environment], error) {
	var written Written[Environment]
	err := c.update(ctx, w, &written, func(tx store.Tx) error {
		before, err := readEnvironment(ctx, tx, project, environment)
		if err != nil {
			return err
		}
		if err := w.unchangedSince(store.SetID{Project: project}, environmentRef(environment), before.ChangedAt, "environment "+environment); err != nil {
			return err
		}
		if !before.Value.Archived {
			return fault.New(fault.Conflict, "Environment %q of project %q is not archived; archive it first, and delete it then.", environment, project)
		}
		if err := confirmed(confirm, "environment", environment); err != nil {
			return err
		}
		catalogue := store.SetID{Project: project}
		kept, err := items(ctx, tx, catalogue, store.KindArchived)
		if err != nil {
			return err
		}
		del := []snapshot.Ref{environmentRef(environment)}
		for i := range kept {
			if strings.HasPrefix(kept[i].Key, environment+"/") {
				del = append(del, kept[i].Ref)
			}
		}
		written = Written[Environment]{Value: before.Value}
		if written.Position, err = w.commit(ctx, tx, catalogue, nil, del); err != nil {
			return err
		}
		return deleteSet(ctx, tx, store.SetID{Project: project, Environment: environment})
	})
	return written, err
}
