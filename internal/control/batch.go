package control

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/fault"
	"github.com/wigwag/wigwag/internal/store"
	"github.com/wigwag/wigwag/snapshot"
)

// MaxChanges is how many changes one batch may have.
const MaxChanges = 20_000

// BatchChange is one change of a batch. Action is the name of the operation that
// makes the same change alone; it says which of the other fields are needed.
type BatchChange struct {
	Action string `json:"action"`
	// Environment is that of a flag's configuration or of a segment.
	Environment string `json:"environment,omitempty"`
	// Key is that of the flag or segment, unless the change creates it.
	Key string `json:"key,omitempty"`
	// Document is what is created, or the whole configuration.
	Document json.RawMessage `json:"document,omitempty"`
	// Patch is a JSON Merge Patch.
	Patch json.RawMessage `json:"patch,omitempty"`
	// Operations are a semantic patch.
	Operations []json.RawMessage `json:"operations,omitempty"`
	// IfMatch is as in [Write], unquoted.
	IfMatch snapshot.Position `json:"ifMatch,omitzero"`
}

// batchAction is what a change of one action needs, and how it is made.
type batchAction struct {
	environment, key bool
	// body lists the fields of which there must be exactly one; none where empty.
	body []string
	make func(ctx context.Context, c *Control, w Write, project string, change *BatchChange) (map[string]snapshot.Position, error)
}

var batchActions = map[string]batchAction{
	"createFlag": {
		body: []string{"document"},
		make: func(ctx context.Context, c *Control, w Write, project string, change *BatchChange) (map[string]snapshot.Position, error) {
			var d Definition
			if err := fault.OfValidation(feature.DecodeStrict(change.Document, &d)); err != nil {
				return nil, err
			}
			return touched(c.CreateFlag(ctx, w, project, d))
		},
	},
	"patchDefinition": {
		key: true, body: []string{"patch"},
		make: func(ctx context.Context, c *Control, w Write, project string, change *BatchChange) (map[string]snapshot.Position, error) {
			return touched(c.PatchDefinition(ctx, w, project, change.Key, change.Patch))
		},
	},
	"archiveFlag": {
		key: true,
		make: func(ctx context.Context, c *Control, w Write, project string, change *BatchChange) (map[string]snapshot.Position, error) {
			return touched(c.ArchiveFlag(ctx, w, project, change.Key, false))
		},
	},
	"unarchiveFlag": {
		key: true,
		make: func(ctx context.Context, c *Control, w Write, project string, change *BatchChange) (map[string]snapshot.Position, error) {
			return touched(c.RestoreFlag(ctx, w, project, change.Key))
		},
	},
	"deleteFlag": {
		key: true,
		make: func(ctx context.Context, c *Control, w Write, project string, change *BatchChange) (map[string]snapshot.Position, error) {
			return touched(c.DeleteFlag(ctx, w, project, change.Key))
		},
	},
	"putFlag": {
		environment: true, key: true, body: []string{"document"},
		make: func(ctx context.Context, c *Control, w Write, project string, change *BatchChange) (map[string]snapshot.Position, error) {
			return touched(c.PutFlag(ctx, w, project, change.Environment, change.Key, change.Document))
		},
	},
	"patchFlag": {
		environment: true, key: true, body: []string{"patch", "operations"},
		make: func(ctx context.Context, c *Control, w Write, project string, change *BatchChange) (map[string]snapshot.Position, error) {
			if change.Operations == nil {
				return touched(c.PatchFlag(ctx, w, project, change.Environment, change.Key, change.Patch))
			}
			list, err := readOperations(change.Operations)
			if err != nil {
				return nil, err
			}
			return touched(c.writeFlag(ctx, w, project, change.Environment, change.Key, list.apply))
		},
	},
	"createSegment": {
		environment: true, body: []string{"document"},
		make: func(ctx context.Context, c *Control, w Write, project string, change *BatchChange) (map[string]snapshot.Position, error) {
			var s feature.Segment
			if err := fault.OfValidation(feature.DecodeStrict(change.Document, &s)); err != nil {
				return nil, err
			}
			return touched(c.CreateSegment(ctx, w, project, change.Environment, s))
		},
	},
	"patchSegment": {
		environment: true, key: true, body: []string{"patch"},
		make: func(ctx context.Context, c *Control, w Write, project string, change *BatchChange) (map[string]snapshot.Position, error) {
			return touched(c.PatchSegment(ctx, w, project, change.Environment, change.Key, change.Patch))
		},
	},
	"deleteSegment": {
		environment: true, key: true,
		make: func(ctx context.Context, c *Control, w Write, project string, change *BatchChange) (map[string]snapshot.Position, error) {
			return touched(c.DeleteSegment(ctx, w, project, change.Environment, change.Key))
		},
	},
}

func touched[T any](written Written[T], err error) (map[string]snapshot.Position, error) {
	return written.Environments, err
}

// ApplyChanges makes several changes to one project in one transaction: all or
// none, and each set that they touch moves by one version. What flags and segments
// refer to is looked at in the end, so the order of changes that name each other
// does not matter. Errors name fields as changes[i].field, but for what the changes
// would break elsewhere (InUse). IfMatch means nothing here; each change has its
// own. Written.Value is the number of changes that were asked for.
func (c *Control) ApplyChanges(ctx context.Context, w Write, project string, changes []BatchChange) (Written[int], error) {
	written := Written[int]{}
	if err := checkChanges(changes); err != nil {
		return written, err
	}
	err := c.update(ctx, w, &written, func(tx store.Tx) error {
		set, err := catalogue(ctx, tx, project)
		if err != nil {
			return err
		}
		batch := tx.(*recorder) //nolint:errcheck,forcetypeassert // update gives no other
		part := &Control{store: joined{c.store, batch}}
		later := &later{tx: batch, writers: make(map[recorded]locator)}
		environments := make(map[string]snapshot.Position)
		for i := range changes {
			reached, err := part.change(ctx, w, later, project, i, &changes[i])
			if err != nil {
				return err
			}
			maps.Copy(environments, reached)
		}
		if err := later.problems(ctx); err != nil {
			return err
		}
		position := set.Position
		if !w.DryRun {
			if set, err = catalogue(ctx, tx, project); err != nil {
				return err
			}
			position = set.Position
		}
		written = Written[int]{Value: len(changes), Position: position, Environments: environments}
		return nil
	})
	return written, err
}

// change makes one change of a batch.
func (c *Control) change(ctx context.Context, w Write, later *later, project string, i int, change *BatchChange) (map[string]snapshot.Position, error) {
	path := changePath(i)
	action := batchActions[change.Action]
	later.path = path
	if len(action.body) > 0 {
		later.path = path + "." + change.body()
	}
	one := Write{Actor: w.Actor, Comment: w.Comment, IfMatch: change.IfMatch, later: later}
	reached, err := action.make(ctx, c, one, project, change)
	switch {
	case err == nil:
		return reached, nil
	case change.Operations != nil, !fault.Is(err, fault.Invalid), len(action.body) == 0:
		return nil, within(path, err)
	default:
		return nil, within(later.path, err)
	}
}

func changePath(i int) string { return fmt.Sprintf("changes[%d]", i) }

// body names the field that holds what is to be written.
func (c *BatchChange) body() string {
	switch {
	case c.Operations != nil:
		return "operations"
	case c.Patch != nil:
		return "patch"
	default:
		return "document"
	}
}

// checkChanges checks which fields the changes have.
func checkChanges(changes []BatchChange) error {
	if len(changes) == 0 {
		return fault.InvalidField("changes", "there are none; give at least one")
	}
	if len(changes) > MaxChanges {
		return fault.InvalidField("changes", "there are %d, at most %d are allowed; send several requests", len(changes), MaxChanges)
	}
	for i := range changes {
		if err := checkChange(&changes[i]); err != nil {
			return within(changePath(i), err)
		}
	}
	return nil
}

func checkChange(change *BatchChange) error {
	action, known := batchActions[change.Action]
	if !known {
		return fault.InvalidField("action", "%.80q is no action; the actions are %s",
			change.Action, strings.Join(slices.Sorted(maps.Keys(batchActions)), ", "))
	}
	for _, field := range []struct {
		name          string
		needed, given bool
	}{
		{"environment", action.environment, change.Environment != ""},
		{"key", action.key, change.Key != ""},
	} {
		switch {
		case field.needed && !field.given:
			return fault.InvalidField(field.name, "%s needs it", change.Action)
		case !field.needed && field.given:
			return fault.InvalidField(field.name, "%s does not take it; leave it out", change.Action)
		}
	}
	given := 0
	for _, field := range []struct {
		name  string
		given bool
	}{
		{"document", change.Document != nil},
		{"patch", change.Patch != nil},
		{"operations", change.Operations != nil},
	} {
		if field.given && !slices.Contains(action.body, field.name) {
			return fault.InvalidField(field.name, "%s does not take it; leave it out", change.Action)
		}
		if field.given {
			given++
		}
	}
	if len(action.body) > 0 && given != 1 {
		return fault.InvalidField(action.body[0], "%s needs %s", change.Action, strings.Join(action.body, " or "))
	}
	if strings.HasPrefix(change.Action, "create") && !change.IfMatch.IsZero() {
		return fault.InvalidField("ifMatch", "creating takes no condition; leave it out")
	}
	return nil
}

// joined is a store whose updates are parts of one transaction, and whose reads of
// the present see it.
type joined struct {
	store.Store
	tx *recorder
}

func (j joined) Update(_ context.Context, fn func(store.Tx) error) error { return fn(j.tx) }

func (j joined) Sets(ctx context.Context) ([]store.Set, error) { return j.tx.Sets(ctx) }

func (j joined) Set(ctx context.Context, id store.SetID) (store.Set, error) { return j.tx.Set(ctx, id) }

func (j joined) Item(ctx context.Context, id store.SetID, ref snapshot.Ref) (store.Item, error) {
	return j.tx.Item(ctx, id, ref)
}

func (j joined) Items(ctx context.Context, id store.SetID, kinds ...snapshot.Kind) ([]store.Item, error) {
	return j.tx.Items(ctx, id, kinds...)
}

func (j joined) ItemsAfter(ctx context.Context, id store.SetID, kind snapshot.Kind, after string, limit int) ([]store.Item, error) {
	return j.tx.ItemsAfter(ctx, id, kind, after, limit)
}
