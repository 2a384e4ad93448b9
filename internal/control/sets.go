package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/fault"
	"github.com/wigwag/wigwag/internal/store"
	"github.com/wigwag/wigwag/snapshot"
)

var scopeKey = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,63}$`)

// ValidScope reports whether a key can be that of a project or an environment.
func ValidScope(key string) bool { return scopeKey.MatchString(key) }

// checkScope checks a new project or environment.
func checkScope(key, name string) error {
	if !ValidScope(key) {
		return fault.InvalidField("key", "%.80q is no key; use 1 to 64 lower-case letters, digits and hyphens, beginning with a letter or digit", key)
	}
	return checkText("name", name, feature.MaxNameBytes)
}

// catalogue returns the catalogue of a project.
func catalogue(ctx context.Context, r store.Reader, project string) (store.Set, error) {
	if ValidScope(project) {
		set, err := r.Set(ctx, store.SetID{Project: project})
		switch {
		case err == nil:
			return set, nil
		case !errors.Is(err, store.ErrNotFound):
			return set, fmt.Errorf("read catalogue of %s: %w", project, err)
		}
	}
	return store.Set{}, noProject(project)
}

func noProject(project string) *fault.Error {
	return fault.New(fault.NotFound, "There is no project %.80q; list the projects or create it.", project)
}

func noEnvironment(project, environment string) *fault.Error {
	return fault.New(fault.NotFound, "Project %q has no environment %.80q; list its environments or create it.", project, environment)
}

// flagSet returns the flag set of an environment.
func flagSet(ctx context.Context, r store.Reader, project, environment string) (store.Set, error) {
	// An empty environment would name the catalogue.
	if ValidScope(project) && ValidScope(environment) {
		set, err := r.Set(ctx, store.SetID{Project: project, Environment: environment})
		switch {
		case err == nil:
			return set, nil
		case !errors.Is(err, store.ErrNotFound):
			return set, fmt.Errorf("read flag set %s/%s: %w", project, environment, err)
		}
	}
	if _, err := catalogue(ctx, r, project); err != nil {
		return store.Set{}, err
	}
	return store.Set{}, noEnvironment(project, environment)
}

// flagSets returns the flag sets of all environments of a project, by key.
func flagSets(ctx context.Context, r store.Reader, project string) ([]store.Set, error) {
	items, err := items(ctx, r, store.SetID{Project: project}, store.KindEnvironment)
	if err != nil {
		return nil, err
	}
	sets := make([]store.Set, len(items))
	for i := range items {
		if sets[i], err = flagSet(ctx, r, project, items[i].Key); err != nil {
			return nil, err
		}
	}
	return sets, nil
}

// items reads all items of some kinds.
func items(ctx context.Context, r store.Reader, id store.SetID, kinds ...snapshot.Kind) ([]store.Item, error) {
	items, err := r.Items(ctx, id, kinds...)
	if err != nil {
		return nil, fmt.Errorf("read items of %s: %w", id, err)
	}
	return items, nil
}

// item reads one item of which the caller speaks as what it is: missing is
// returned where there is none.
func item(ctx context.Context, r store.Reader, id store.SetID, ref snapshot.Ref, missing *fault.Error) (store.Item, error) {
	item, err := r.Item(ctx, id, ref)
	switch {
	case err == nil:
		return item, nil
	case errors.Is(err, store.ErrNotFound):
		return item, missing
	default:
		return item, fmt.Errorf("read %s of %s: %w", ref, id, err)
	}
}

// decode reads the document that an item holds.
func decode[T any](id store.SetID, item store.Item) (*T, error) {
	document := new(T)
	if err := json.Unmarshal(item.Body, document); err != nil {
		return nil, fmt.Errorf("stored item %s of %s: %w", item.Ref, id, err)
	}
	return document, nil
}

// decodeAll reads all items of one kind.
func decodeAll[T any](ctx context.Context, r store.Reader, id store.SetID, kind snapshot.Kind) ([]*T, error) {
	items, err := items(ctx, r, id, kind)
	if err != nil {
		return nil, err
	}
	documents := make([]*T, len(items))
	for i := range items {
		if documents[i], err = decode[T](id, items[i]); err != nil {
			return nil, err
		}
	}
	return documents, nil
}

// read pairs what was read from an item with positions. The set was read first:
// what is newer than it proves that the set has moved on.
func read[T any](value T, set store.Set, version uint64) Read[T] {
	return Read[T]{
		Value:     value,
		ChangedAt: snapshot.Position{Epoch: set.Position.Epoch, Version: version},
		Position:  snapshot.Position{Epoch: set.Position.Epoch, Version: max(set.Position.Version, version)},
	}
}

// served returns the flags and segments of a flag set, without keys.
func served(ctx context.Context, r store.Reader, id store.SetID) (*feature.FlagSet, error) {
	flags, err := decodeAll[feature.Flag](ctx, r, id, snapshot.KindFlag)
	if err != nil {
		return nil, err
	}
	segments, err := decodeAll[feature.Segment](ctx, r, id, snapshot.KindSegment)
	if err != nil {
		return nil, err
	}
	return &feature.FlagSet{Flags: flags, Segments: segments}, nil
}
