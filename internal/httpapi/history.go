package httpapi

import (
	"net/http"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/auth"
	"github.com/wigwag/wigwag/internal/control"
	"github.com/wigwag/wigwag/internal/fault"
	"github.com/wigwag/wigwag/internal/gen"
	"github.com/wigwag/wigwag/internal/web"
)

func (a *api) ListChanges(w http.ResponseWriter, r *http.Request, project, environment string, params gen.ListChangesParams) {
	serve(w, r, func() (answer, error) {
		query, err := historyQuery(string(given(params.Order)), params.After, params.Limit, given(params.Flag), given(params.Segment))
		if err != nil {
			return answer{}, err
		}
		return changeList(a.control.Changes(r.Context(), project, environment, query))
	})
}

func (a *api) ListProjectChanges(w http.ResponseWriter, r *http.Request, project string, params gen.ListProjectChangesParams) {
	serve(w, r, func() (answer, error) {
		query, err := historyQuery(string(given(params.Order)), params.After, params.Limit, given(params.Flag), "")
		if err != nil {
			return answer{}, err
		}
		return changeList(a.control.ProjectChanges(r.Context(), project, query))
	})
}

func historyQuery(order string, after *string, limit *int, flag, segment string) (control.HistoryQuery, error) {
	query := control.HistoryQuery{Newest: order == "desc", Flag: flag, Segment: segment}
	if order != "" && order != "asc" && order != "desc" {
		return query, fault.InvalidField("order", "it must be asc or desc")
	}
	for name, key := range map[string]string{"flag": flag, "segment": segment} {
		if key != "" && !feature.ValidKey(key) {
			return query, fault.InvalidField(name, "%.80q is no key", key)
		}
	}
	var err error
	if query.After, err = parseAfter(after); err != nil {
		return query, err
	}
	query.Limit, err = parseLimit(limit)
	return query, err
}

func changeList(history control.History, err error) (answer, error) {
	page := gen.ChangeList{Changes: make([]gen.Change, len(history.Changes)), Next: history.Next}
	for i := range history.Changes {
		change := &history.Changes[i]
		page.Changes[i] = gen.Change{
			Position: change.Position, At: change.At, Actor: change.Actor, Comment: change.Comment,
			Flags: orEmpty(change.Flags), Segments: orEmpty(change.Segments), Environments: change.Environments,
		}
	}
	return answer{body: page}, err
}

func (a *api) GetVersion(w http.ResponseWriter, r *http.Request, project, environment string, version uint64) {
	serve(w, r, func() (answer, error) {
		return versionOf(a.control.Version(r.Context(), project, environment, version))
	})
}

func (a *api) GetProjectVersion(w http.ResponseWriter, r *http.Request, project string, version uint64) {
	serve(w, r, func() (answer, error) { return versionOf(a.control.ProjectVersion(r.Context(), project, version)) })
}

func versionOf(version control.Version, err error) (answer, error) {
	return answer{body: gen.Version{
		Position: version.Position, At: version.At, Actor: version.Actor, Comment: version.Comment,
		Flags: orEmpty(version.Flags), Segments: orEmpty(version.Segments), Environments: version.Environments,
		Items: differences(version.Differences),
	}}, err
}

func differences(found []control.Difference) gen.ItemChanges {
	items := make(gen.ItemChanges, len(found))
	for i := range found {
		d := &found[i]
		items[i] = gen.ItemChange{
			Environment: d.Set.Environment, Kind: string(d.Ref.Kind), Key: d.Ref.Key, Action: gen.ItemChangeAction(d.Action),
			Before: d.Before, After: d.After, Added: d.Added, Removed: d.Removed,
		}
	}
	return items
}

func (a *api) DiffVersions(w http.ResponseWriter, r *http.Request, project, environment string, params gen.DiffVersionsParams) {
	serve(w, r, func() (answer, error) {
		return diffOf(a.control.Diff(r.Context(), project, environment, params.From, params.To, given(params.Flag), given(params.Segment)))
	})
}

func (a *api) DiffProjectVersions(w http.ResponseWriter, r *http.Request, project string, params gen.DiffProjectVersionsParams) {
	serve(w, r, func() (answer, error) {
		return diffOf(a.control.ProjectDiff(r.Context(), project, params.From, params.To, given(params.Flag)))
	})
}

func diffOf(compared control.Comparison, err error) (answer, error) {
	return answer{body: gen.Diff{From: compared.From, To: compared.To, Items: differences(compared.Differences)}}, err
}

func (a *api) ListFlagsAt(w http.ResponseWriter, r *http.Request, project, environment string, version uint64) {
	serve(w, r, func() (answer, error) {
		past, err := a.control.FlagsAt(r.Context(), project, environment, version)
		flags, _ := list(past.Values)
		return answer{body: gen.PastFlags{Position: past.Position, Items: pointees(flags)}}, err
	})
}

func (a *api) GetFlagAt(w http.ResponseWriter, r *http.Request, project, environment string, version uint64, flag string) {
	serve(w, r, func() (answer, error) {
		return one(a.control.FlagAt(r.Context(), project, environment, flag, version))
	})
}

func (a *api) ListSegmentsAt(w http.ResponseWriter, r *http.Request, project, environment string, version uint64) {
	serve(w, r, func() (answer, error) {
		past, err := a.control.SegmentsAt(r.Context(), project, environment, version)
		segments, _ := list(past.Values)
		return answer{body: gen.PastSegments{Position: past.Position, Items: pointees(segments)}}, err
	})
}

func (a *api) GetSegmentAt(w http.ResponseWriter, r *http.Request, project, environment string, version uint64, segment string) {
	serve(w, r, func() (answer, error) {
		return one(a.control.SegmentAt(r.Context(), project, environment, segment, version))
	})
}

func (a *api) RestoreVersion(w http.ResponseWriter, r *http.Request, project, environment string, params gen.RestoreVersionParams) {
	serve(w, r, func() (answer, error) {
		by, err := write(r, params.IfMatch, params.WigwagComment)
		if err != nil {
			return answer{}, err
		}
		var request gen.Restoration
		if err := web.ReadJSON(w, r, MaxBody, &request); err != nil {
			return answer{}, err
		}
		if request.Flag == "" && request.Segment == "" {
			if c := caller(r); !c.Scope.Covers(auth.ScopeAdmin) {
				return answer{}, fault.New(fault.Forbidden,
					"Restoring a whole environment may delete segments and needs a token with the scope %s; the token %s has %s. Restore flags and segments one by one.",
					auth.ScopeAdmin, c.Token.ID, c.Scope)
			}
		}
		written, err := a.control.Restore(r.Context(), by, project, environment, control.Restoration{
			Version: request.Version, Flag: request.Flag, Segment: request.Segment,
		})
		if err != nil {
			return answer{}, err
		}
		return positionWritten(by, written), nil
	})
}

// isVersion reports whether a parameter of some name is the number of a version.
func isVersion(name string) bool { return name == "version" || name == "from" || name == "to" }
