package httpapi

import (
	"context"
	"net/http"

	"github.com/wigwag/wigwag/internal/fault"
	"github.com/wigwag/wigwag/internal/gen"
	"github.com/wigwag/wigwag/snapshot"
)

func (a *api) ListChanges(w http.ResponseWriter, r *http.Request, project, environment string, params gen.ListChangesParams) {
	serve(w, r, func() (answer, error) {
		after, err := parseAfter(params.After)
		if err != nil {
			return answer{}, err
		}
		limit, err := parseLimit(params.Limit)
		if err != nil {
			return answer{}, err
		}
		page, err := a.changes(r.Context(), project, environment, after, limit)
		return answer{body: page}, err
	})
}

func (a *api) changes(ctx context.Context, project, environment string, after snapshot.Position, limit int) (gen.ChangeList, error) {
	changes, err := a.control.Changes(ctx, project, environment, after.Version, limit)
	if err != nil {
		return gen.ChangeList{}, err
	}
	// The versions of one epoch mean nothing in another: a reader with an old
	// cursor must be told so, also when there is nothing to answer with.
	witness := changes
	if len(witness) == 0 && !after.IsZero() {
		if witness, err = a.control.Changes(ctx, project, environment, 0, 1); err != nil {
			return gen.ChangeList{}, err
		}
	}
	if !after.IsZero() && len(witness) > 0 && witness[0].Position.Epoch != after.Epoch {
		return gen.ChangeList{}, fault.InvalidField(afterName,
			"it is of another history than the environment has now, whose epoch is %s; leave it out to begin anew", witness[0].Position.Epoch)
	}
	page := gen.ChangeList{Changes: make([]gen.Change, len(changes)), Next: after}
	for i := range changes {
		page.Changes[i] = gen.Change{
			Position: changes[i].Position,
			At:       changes[i].At,
			Actor:    changes[i].Actor,
			Comment:  changes[i].Comment,
			Flags:    orEmpty(changes[i].Flags),
			Segments: orEmpty(changes[i].Segments),
		}
		page.Next = changes[i].Position
	}
	return page, nil
}
