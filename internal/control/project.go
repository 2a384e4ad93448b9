package control

import (
	"context"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/wigwag/wigwag/internal/fault"
	"github.com/wigwag/wigwag/internal/store"
	"github.com/wigwag/wigwag/snapshot"
)

// checkText checks what people write, of which at most so many bytes are kept.
func checkText(field, text string, most int) error {
	switch {
	case len(text) > most:
		return fault.InvalidField(field, "it has %d bytes, at most %d are allowed; shorten it", len(text), most)
	case !utf8.ValidString(text):
		return fault.InvalidField(field, "it is not UTF-8")
	}
	return nil
}

// CreateProject makes a project without environments and flags. A key that is
// taken is a Conflict. IfMatch means nothing here.
func (c *Control) CreateProject(ctx context.Context, w Write, p Project) (Written[Project], error) {
	written := Written[Project]{Value: p}
	if p.Archived {
		return written, fault.InvalidField("archived", "a new project is not archived; create it and archive it then")
	}
	if err := checkScope(p.Key, p.Name); err != nil {
		return written, err
	}
	err := c.update(ctx, w, &written, func(tx store.Tx) error {
		id := store.SetID{Project: p.Key}
		err := tx.CreateSet(ctx, id)
		if errors.Is(err, store.ErrExists) {
			return fault.New(fault.Conflict, "There is a project %q already; choose another key.", p.Key)
		}
		if err != nil {
			return fmt.Errorf("create catalogue of %s: %w", p.Key, err)
		}
		document, err := encodeDocument(snapshot.Ref{Kind: store.KindProject, Key: p.Key}, p)
		if err != nil {
			return err
		}
		written.Position, err = w.commit(ctx, tx, id, []store.Item{document}, nil)
		return err
	})
	return written, err
}

// CreateEnvironment adds an environment to a project. Every flag of the project
// gets its initial configuration there. A key that is taken is a Conflict.
// Written.Position is that of the project's catalogue. IfMatch means nothing
// here.
func (c *Control) CreateEnvironment(ctx context.Context, w Write, project string, e Environment) (Written[Environment], error) {
	e = e.whole()
	written := Written[Environment]{Value: e}
	if e.Archived {
		return written, fault.InvalidField("archived", "a new environment is not archived; create it and archive it then")
	}
	if err := checkEnvironment(&e); err != nil {
		return written, err
	}
	err := c.update(ctx, w, &written, func(tx store.Tx) error {
		set, err := catalogue(ctx, tx, project)
		if err != nil {
			return err
		}
		id := store.SetID{Project: project, Environment: e.Key}
		err = tx.CreateSet(ctx, id)
		if errors.Is(err, store.ErrExists) {
			return fault.New(fault.Conflict, "Project %q has an environment %q already; choose another key.", project, e.Key)
		}
		if err != nil {
			return fmt.Errorf("create flag set %s: %w", id, err)
		}
		document, err := encodeDocument(snapshot.Ref{Kind: store.KindEnvironment, Key: e.Key}, e)
		if err != nil {
			return err
		}
		if written.Position, err = w.commit(ctx, tx, set.ID, []store.Item{document}, nil); err != nil {
			return err
		}
		definitions, err := decodeAll[Definition](ctx, tx, set.ID, store.KindDefinition)
		if err != nil {
			return err
		}
		flags := make([]store.Item, 0, len(definitions))
		for _, d := range definitions {
			if d.Archived {
				continue
			}
			flag, err := encodeItem(initialFlag(d.Definition))
			if err != nil {
				return err
			}
			flags = append(flags, flag)
		}
		position, err := w.commit(ctx, tx, id, flags, nil)
		written.Environments = map[string]snapshot.Position{e.Key: position}
		return err
	})
	return written, err
}
