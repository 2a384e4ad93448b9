package httpapi

import (
	"net/http"

	"github.com/wigwag/wigwag/internal/control"
	"github.com/wigwag/wigwag/internal/gen"
)

func (a *api) GetProject(w http.ResponseWriter, r *http.Request, project string) {
	serve(w, r, func() (answer, error) { return one(a.control.Project(r.Context(), project)) })
}

func (a *api) PatchProject(w http.ResponseWriter, r *http.Request, project string, params gen.PatchProjectParams) {
	serve(w, r, func() (answer, error) {
		by, err := write(r, params.IfMatch, params.WigwagComment)
		if err != nil {
			return answer{}, err
		}
		patch, err := readPatch(w, r)
		if err != nil {
			return answer{}, err
		}
		return projectWritten(by)(a.control.PatchProject(r.Context(), by, project, patch))
	})
}

func (a *api) ArchiveProject(w http.ResponseWriter, r *http.Request, project string, params gen.ArchiveProjectParams) {
	serve(w, r, func() (answer, error) {
		by, err := write(r, params.IfMatch, params.WigwagComment)
		if err != nil {
			return answer{}, err
		}
		return projectWritten(by)(a.control.ArchiveProject(r.Context(), by, project))
	})
}

func (a *api) UnarchiveProject(w http.ResponseWriter, r *http.Request, project string, params gen.UnarchiveProjectParams) {
	serve(w, r, func() (answer, error) {
		by, err := write(r, params.IfMatch, params.WigwagComment)
		if err != nil {
			return answer{}, err
		}
		return projectWritten(by)(a.control.RestoreProject(r.Context(), by, project))
	})
}

func (a *api) DeleteProject(w http.ResponseWriter, r *http.Request, project string, params gen.DeleteProjectParams) {
	serve(w, r, func() (answer, error) {
		by, err := write(r, params.IfMatch, params.WigwagComment)
		if err != nil {
			return answer{}, err
		}
		return projectWritten(by)(a.control.DeleteProject(r.Context(), by, project, params.Confirm))
	})
}

func projectWritten(by control.Write) func(control.Written[control.Project], error) (answer, error) {
	return func(written control.Written[control.Project], err error) (answer, error) {
		return answer{
			etag: written.Position,
			body: gen.ProjectWritten{Position: written.Position, Item: written.Value, Changes: itemChanges(by, written.Changes)},
		}, err
	}
}

func (a *api) GetEnvironment(w http.ResponseWriter, r *http.Request, project, environment string) {
	serve(w, r, func() (answer, error) { return one(a.control.Environment(r.Context(), project, environment)) })
}

func (a *api) PatchEnvironment(w http.ResponseWriter, r *http.Request, project, environment string, params gen.PatchEnvironmentParams) {
	serve(w, r, func() (answer, error) {
		by, err := write(r, params.IfMatch, params.WigwagComment)
		if err != nil {
			return answer{}, err
		}
		patch, err := readPatch(w, r)
		if err != nil {
			return answer{}, err
		}
		return environmentWritten(by)(a.control.PatchEnvironment(r.Context(), by, project, environment, patch))
	})
}

func (a *api) ArchiveEnvironment(w http.ResponseWriter, r *http.Request, project, environment string, params gen.ArchiveEnvironmentParams) {
	serve(w, r, func() (answer, error) {
		by, err := write(r, params.IfMatch, params.WigwagComment)
		if err != nil {
			return answer{}, err
		}
		return environmentWritten(by)(a.control.ArchiveEnvironment(r.Context(), by, project, environment))
	})
}

func (a *api) UnarchiveEnvironment(w http.ResponseWriter, r *http.Request, project, environment string, params gen.UnarchiveEnvironmentParams) {
	serve(w, r, func() (answer, error) {
		by, err := write(r, params.IfMatch, params.WigwagComment)
		if err != nil {
			return answer{}, err
		}
		return environmentWritten(by)(a.control.RestoreEnvironment(r.Context(), by, project, environment))
	})
}

func (a *api) DeleteEnvironment(w http.ResponseWriter, r *http.Request, project, environment string, params gen.DeleteEnvironmentParams) {
	serve(w, r, func() (answer, error) {
		by, err := write(r, params.IfMatch, params.WigwagComment)
		if err != nil {
			return answer{}, err
		}
		return environmentWritten(by)(a.control.DeleteEnvironment(r.Context(), by, project, environment, params.Confirm))
	})
}

func environmentWritten(by control.Write) func(control.Written[control.Environment], error) (answer, error) {
	return func(written control.Written[control.Environment], err error) (answer, error) {
		return answer{
			etag: written.Position,
			body: gen.EnvironmentWritten{
				Position: written.Position, Environments: written.Environments, Item: written.Value,
				Changes: itemChanges(by, written.Changes),
			},
		}, err
	}
}

func (a *api) ArchiveFlag(w http.ResponseWriter, r *http.Request, project, flag string, params gen.ArchiveFlagParams) {
	serve(w, r, func() (answer, error) {
		by, err := write(r, params.IfMatch, params.WigwagComment)
		if err != nil {
			return answer{}, err
		}
		force := params.Force != nil && *params.Force
		return definitionWritten(by)(a.control.ArchiveFlag(r.Context(), by, project, flag, force))
	})
}

func (a *api) UnarchiveFlag(w http.ResponseWriter, r *http.Request, project, flag string, params gen.UnarchiveFlagParams) {
	serve(w, r, func() (answer, error) {
		by, err := write(r, params.IfMatch, params.WigwagComment)
		if err != nil {
			return answer{}, err
		}
		return definitionWritten(by)(a.control.RestoreFlag(r.Context(), by, project, flag))
	})
}
