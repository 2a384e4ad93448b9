package httpapi

import (
	"net/http"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/control"
	"github.com/wigwag/wigwag/internal/gen"
)

func (a *api) ListProjects(w http.ResponseWriter, r *http.Request, params gen.ListProjectsParams) {
	serve(w, r, func() (answer, error) {
		query, err := pageOf{params.Limit, params.Cursor, params.Q}.query()
		if err != nil {
			return answer{}, err
		}
		fields, err := parseFields(params.Fields, control.Project{})
		if err != nil {
			return answer{}, err
		}
		page, err := a.control.ProjectPage(r.Context(), query, caller(r).Reaches)
		if err != nil {
			return answer{}, err
		}
		return listed(w, r, page, fields)
	})
}

func (a *api) ListEnvironments(w http.ResponseWriter, r *http.Request, project string, params gen.ListEnvironmentsParams) {
	serve(w, r, func() (answer, error) {
		query, err := pageOf{params.Limit, params.Cursor, params.Q}.query()
		if err != nil {
			return answer{}, err
		}
		fields, err := parseFields(params.Fields, control.Environment{})
		if err != nil {
			return answer{}, err
		}
		page, err := a.control.EnvironmentPage(r.Context(), project, query)
		if err != nil {
			return answer{}, err
		}
		return listed(w, r, page, fields)
	})
}

func (a *api) ListDefinitions(w http.ResponseWriter, r *http.Request, project string, params gen.ListDefinitionsParams) {
	serve(w, r, func() (answer, error) {
		query, err := pageOf{params.Limit, params.Cursor, params.Q}.query()
		if err != nil {
			return answer{}, err
		}
		fields, err := parseFields(params.Fields, control.Definition{})
		if err != nil {
			return answer{}, err
		}
		page, err := a.control.DefinitionPage(r.Context(), project, control.FlagQuery{
			Query: query, Tags: params.Tag, Owner: given(params.Owner), Type: given(params.Type), ClientVisible: params.ClientVisible,
			Archived: params.Archived != nil && *params.Archived,
		})
		if err != nil {
			return answer{}, err
		}
		return listed(w, r, page, fields)
	})
}

func (a *api) ListFlags(w http.ResponseWriter, r *http.Request, project, environment string, params gen.ListFlagsParams) {
	serve(w, r, func() (answer, error) {
		query, err := pageOf{params.Limit, params.Cursor, params.Q}.query()
		if err != nil {
			return answer{}, err
		}
		fields, err := parseFields(params.Fields, feature.Flag{})
		if err != nil {
			return answer{}, err
		}
		page, err := a.control.FlagPage(r.Context(), project, environment, control.FlagQuery{
			Query: query, Tags: params.Tag, Owner: given(params.Owner), Type: given(params.Type), State: given(params.State), ClientVisible: params.ClientVisible,
		})
		if err != nil {
			return answer{}, err
		}
		return listed(w, r, page, fields)
	})
}

func (a *api) ListSegments(w http.ResponseWriter, r *http.Request, project, environment string, params gen.ListSegmentsParams) {
	serve(w, r, func() (answer, error) {
		query, err := pageOf{params.Limit, params.Cursor, params.Q}.query()
		if err != nil {
			return answer{}, err
		}
		fields, err := parseFields(params.Fields, feature.Segment{})
		if err != nil {
			return answer{}, err
		}
		page, err := a.control.SegmentPage(r.Context(), project, environment, query)
		if err != nil {
			return answer{}, err
		}
		return listed(w, r, page, fields)
	})
}
