package control

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/fault"
	"github.com/wigwag/wigwag/internal/store"
	"github.com/wigwag/wigwag/snapshot"
)

// FlagQuery asks for a page of flags or of their definitions. What is zero does
// not narrow the list; of what is given, all must hold.
type FlagQuery struct {
	Query
	// Tags must all be on the flag.
	Tags  []string
	Owner string
	Type  feature.Type
	// State is one of an environment; definitions have none.
	State         feature.State
	ClientVisible *bool
	// Archived asks for the archived flags alone, which only definitions have; they
	// are left out otherwise.
	Archived bool
}

func (q *FlagQuery) check() error {
	if q.Type != "" && !slices.Contains(feature.Types, q.Type) {
		return fault.InvalidField("type", "%.40q is no type; use boolean, string, number or object", q.Type)
	}
	if q.State != "" && !slices.Contains(feature.States, q.State) {
		return fault.InvalidField("state", "%.40q is no state; use ENABLED or DISABLED", q.State)
	}
	return nil
}

// narrows reports whether the query leaves flags out for what SDKs are told of
// them in every environment.
func (q *FlagQuery) narrows() bool { return q.Type != "" || q.ClientVisible != nil }

// narrowsByNotes reports whether it leaves flags out for what is kept in the
// definition alone.
func (q *FlagQuery) narrowsByNotes() bool { return len(q.Tags) > 0 || q.Owner != "" || q.Text != "" }

func (q *FlagQuery) holdsFor(d *feature.Definition) bool {
	return (q.Type == "" || d.Type == q.Type) && (q.ClientVisible == nil || d.ClientVisible == *q.ClientVisible)
}

func (q *FlagQuery) holdsForNotes(d *Definition) bool {
	for _, tag := range q.Tags {
		if !slices.Contains(d.Tags, tag) {
			return false
		}
	}
	return d.Archived == q.Archived && (q.Owner == "" || d.Owner == q.Owner) && q.holds(d.Key, d.Description)
}

// DefinitionPage returns a page of the flags of a project. State means nothing
// here.
func (c *Control) DefinitionPage(ctx context.Context, project string, q FlagQuery) (Page[Definition], error) {
	if err := q.check(); err != nil {
		return Page[Definition]{}, err
	}
	set, err := catalogue(ctx, c.store, project)
	if err != nil {
		return Page[Definition]{}, err
	}
	filtered := q.narrows() || q.narrowsByNotes() || q.Archived
	page, err := walk(ctx, c.store, set.ID, store.KindDefinition, q.Query, filtered, func(item store.Item) (Definition, bool, error) {
		definition, err := decode[Definition](set.ID, item)
		if err != nil {
			return Definition{}, false, err
		}
		return *definition, q.holdsFor(&definition.Definition) && q.holdsForNotes(definition), nil
	})
	page.Position = set.Position
	return page, err
}

// FlagPage returns a page of the flags of an environment, as SDKs receive them.
// Where the query narrows by what only definitions have, the definitions are
// walked and the flags of those that match are read one by one.
func (c *Control) FlagPage(ctx context.Context, project, environment string, q FlagQuery) (Page[*feature.Flag], error) {
	if err := q.check(); err != nil {
		return Page[*feature.Flag]{}, err
	}
	set, err := flagSet(ctx, c.store, project, environment)
	if err != nil {
		return Page[*feature.Flag]{}, err
	}
	own := func(item store.Item) (*feature.Flag, bool, error) {
		flag, err := decode[feature.Flag](set.ID, item)
		if err != nil {
			return nil, false, err
		}
		return flag, q.holdsFor(&flag.Definition) && (q.State == "" || flag.State == q.State), nil
	}
	var page Page[*feature.Flag]
	if q.narrowsByNotes() {
		page, err = c.flagsByNotes(ctx, set.ID, q, own)
	} else {
		page, err = walk(ctx, c.store, set.ID, snapshot.KindFlag, q.Query, q.narrows() || q.State != "", own)
	}
	page.Position = set.Position
	return page, err
}

func (c *Control) flagsByNotes(ctx context.Context, id store.SetID, q FlagQuery, own func(store.Item) (*feature.Flag, bool, error)) (Page[*feature.Flag], error) {
	project := store.SetID{Project: id.Project}
	return walk(ctx, c.store, project, store.KindDefinition, q.Query, true, func(item store.Item) (*feature.Flag, bool, error) {
		definition, err := decode[Definition](project, item)
		if err != nil || !q.holdsFor(&definition.Definition) || !q.holdsForNotes(definition) {
			return nil, false, err
		}
		flag, err := c.store.Item(ctx, id, flagRef(item.Key))
		switch {
		case errors.Is(err, store.ErrNotFound): // archived, or deleted just now
			return nil, false, nil
		case err != nil:
			return nil, false, fmt.Errorf("read flag %s of %s: %w", item.Key, id, err)
		}
		return own(flag)
	})
}
