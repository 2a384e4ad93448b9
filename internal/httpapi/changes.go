package httpapi

import (
	"github.com/wigwag/wigwag/internal/control"
	"github.com/wigwag/wigwag/internal/gen"
	"github.com/wigwag/wigwag/snapshot"
)

// itemChanges lists what a write changed. Only a dry run has the documents: they
// are what it is asked for, and what any other write need not send back. Parts of
// a segment's list are named, however many keys they hold.
func itemChanges(by control.Write, changes []control.ItemChange) gen.ItemChanges {
	listed := make(gen.ItemChanges, len(changes))
	for i, c := range changes {
		listed[i] = gen.ItemChange{
			Environment: c.Set.Environment,
			Kind:        string(c.Ref.Kind),
			Key:         c.Ref.Key,
			Action:      gen.ItemChangeAction(c.Action),
		}
		if by.DryRun && c.Ref.Kind != snapshot.KindKeys {
			listed[i].Before, listed[i].After = c.Before, c.After
		}
	}
	return listed
}

// positionWritten is the answer to a write that shows no document.
func positionWritten[T any](by control.Write, written control.Written[T]) answer {
	return answer{
		etag: written.Position,
		body: gen.Written{Position: written.Position, Changes: itemChanges(by, written.Changes)},
	}
}
