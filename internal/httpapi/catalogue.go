package httpapi

import (
	"encoding/json"
	"net/http"

	"github.com/wigwag/wigwag/internal/control"
	"github.com/wigwag/wigwag/internal/gen"
	"github.com/wigwag/wigwag/internal/web"
)

func (a *api) CreateProject(w http.ResponseWriter, r *http.Request, params gen.CreateProjectParams) {
	serve(w, r, func() (answer, error) {
		by, err := write(r, nil, params.WigwagComment)
		if err != nil {
			return answer{}, err
		}
		var project control.Project
		if err := web.ReadJSON(w, r, MaxBody, &project); err != nil {
			return answer{}, err
		}
		written, err := a.control.CreateProject(r.Context(), by, project)
		return answer{
			status: http.StatusCreated,
			etag:   written.Position,
			body: gen.ProjectWritten{
				Position: written.Position, Item: written.Value, Changes: itemChanges(by, written.Changes),
			},
		}, err
	})
}

func (a *api) CreateEnvironment(w http.ResponseWriter, r *http.Request, project string, params gen.CreateEnvironmentParams) {
	serve(w, r, func() (answer, error) {
		by, err := write(r, nil, params.WigwagComment)
		if err != nil {
			return answer{}, err
		}
		var environment control.Environment
		if err := web.ReadJSON(w, r, MaxBody, &environment); err != nil {
			return answer{}, err
		}
		written, err := a.control.CreateEnvironment(r.Context(), by, project, environment)
		return answer{
			status: http.StatusCreated,
			etag:   written.Position,
			body: gen.EnvironmentWritten{
				Position: written.Position, Environments: written.Environments, Item: written.Value,
				Changes: itemChanges(by, written.Changes),
			},
		}, err
	})
}

func (a *api) CreateFlag(w http.ResponseWriter, r *http.Request, project string, params gen.CreateFlagParams) {
	serve(w, r, func() (answer, error) {
		by, err := write(r, nil, params.WigwagComment)
		if err != nil {
			return answer{}, err
		}
		var definition control.Definition
		if err := web.ReadJSON(w, r, MaxBody, &definition); err != nil {
			return answer{}, err
		}
		created, err := definitionWritten(by)(a.control.CreateFlag(r.Context(), by, project, definition))
		created.status = http.StatusCreated
		created.created = Base + "/projects/" + project + "/flags/" + definition.Key
		return created, err
	})
}

func (a *api) GetDefinition(w http.ResponseWriter, r *http.Request, project, flag string) {
	serve(w, r, func() (answer, error) { return one(a.control.Definition(r.Context(), project, flag)) })
}

func (a *api) PatchDefinition(w http.ResponseWriter, r *http.Request, project, flag string, params gen.PatchDefinitionParams) {
	serve(w, r, func() (answer, error) {
		by, err := write(r, params.IfMatch, params.WigwagComment)
		if err != nil {
			return answer{}, err
		}
		patch, err := readPatch(w, r)
		if err != nil {
			return answer{}, err
		}
		return definitionWritten(by)(a.control.PatchDefinition(r.Context(), by, project, flag, patch))
	})
}

func (a *api) DeleteFlag(w http.ResponseWriter, r *http.Request, project, flag string, params gen.DeleteFlagParams) {
	serve(w, r, func() (answer, error) {
		by, err := write(r, params.IfMatch, params.WigwagComment)
		if err != nil {
			return answer{}, err
		}
		return definitionWritten(by)(a.control.DeleteFlag(r.Context(), by, project, flag))
	})
}

func definitionWritten(by control.Write) func(control.Written[control.Definition], error) (answer, error) {
	return func(written control.Written[control.Definition], err error) (answer, error) {
		environments := gen.Positions(written.Environments)
		if environments == nil {
			environments = gen.Positions{}
		}
		return answer{
			etag: written.Position,
			body: gen.DefinitionWritten{
				Position: written.Position, Environments: environments, Item: written.Value,
				Changes: itemChanges(by, written.Changes),
			},
		}, err
	}
}

// readPatch reads a JSON Merge Patch, which is a document of no fixed form.
func readPatch(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	var patch json.RawMessage
	err := web.ReadJSON(w, r, MaxBody, &patch, web.MergePatchType, web.JSONType)
	return patch, err
}
