package control

import (
	"context"
	"errors"
	"fmt"

	"github.com/wigwag/wigwag/internal/fault"
	"github.com/wigwag/wigwag/internal/store"
	"github.com/wigwag/wigwag/snapshot"
)

func projectRef(project string) snapshot.Ref {
	return snapshot.Ref{Kind: store.KindProject, Key: project}
}

func environmentRef(environment string) snapshot.Ref {
	return snapshot.Ref{Kind: store.KindEnvironment, Key: environment}
}

// archivedRef names a flag as it was in an environment when it was archived.
func archivedRef(environment, flag string) snapshot.Ref {
	return snapshot.Ref{Kind: store.KindArchived, Key: environment + "/" + flag}
}

// writable refuses to write to a set whose project or environment is archived.
func writable(ctx context.Context, r store.Reader, id store.SetID) error {
	catalogue := store.SetID{Project: id.Project}
	project, err := document[Project](ctx, r, catalogue, projectRef(id.Project))
	if err != nil {
		return err
	}
	if project != nil && project.Archived {
		return fault.New(fault.Conflict, "Project %q is archived and takes no changes; restore it first.", id.Project)
	}
	if id.IsCatalogue() {
		return nil
	}
	environment, err := document[Environment](ctx, r, catalogue, environmentRef(id.Environment))
	if err != nil {
		return err
	}
	if environment != nil && environment.Archived {
		return fault.New(fault.Conflict, "Environment %q of project %q is archived and takes no changes; restore it first.",
			id.Environment, id.Project)
	}
	return nil
}

// document reads an item, nil where there is none.
func document[T any](ctx context.Context, r store.Reader, id store.SetID, ref snapshot.Ref) (*T, error) {
	item, err := r.Item(ctx, id, ref)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("read %s of %s: %w", ref, id, err)
	}
	return decode[T](id, item)
}

// confirmed refuses a deletion for good unless the key is repeated.
func confirmed(confirm, what, key string) error {
	if confirm == key {
		return nil
	}
	return fault.InvalidField("confirm", "deleting %s %q cannot be undone; confirm it by giving %q", what, key, key)
}
