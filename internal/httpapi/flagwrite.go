package httpapi

import (
	"encoding/json"
	"mime"
	"net/http"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/control"
	"github.com/wigwag/wigwag/internal/gen"
	"github.com/wigwag/wigwag/internal/web"
)

// OperationsType is the media type of a semantic patch.
const OperationsType = "application/vnd.wigwag.operations+json"

func (a *api) PatchFlag(w http.ResponseWriter, r *http.Request, project, environment, flag string, params gen.PatchFlagParams) {
	serve(w, r, func() (answer, error) {
		by, err := write(r, params.IfMatch, params.WigwagComment)
		if err != nil {
			return answer{}, err
		}
		var patch json.RawMessage
		if err := web.ReadJSON(w, r, MaxBody, &patch, web.MergePatchType, web.JSONType, OperationsType); err != nil {
			return answer{}, err
		}
		apply := a.control.PatchFlag
		if mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err == nil && mediaType == OperationsType {
			apply = a.control.OperateFlag
		}
		return flagWritten(by)(apply(r.Context(), by, project, environment, flag, patch))
	})
}

func (a *api) PutFlag(w http.ResponseWriter, r *http.Request, project, environment, flag string, params gen.PutFlagParams) {
	serve(w, r, func() (answer, error) {
		by, err := write(r, params.IfMatch, params.WigwagComment)
		if err != nil {
			return answer{}, err
		}
		var document json.RawMessage
		if err := web.ReadJSON(w, r, MaxBody, &document); err != nil {
			return answer{}, err
		}
		return flagWritten(by)(a.control.PutFlag(r.Context(), by, project, environment, flag, document))
	})
}

func flagWritten(by control.Write) func(control.Written[*feature.Flag], error) (answer, error) {
	return func(written control.Written[*feature.Flag], err error) (answer, error) {
		if err != nil {
			return answer{}, err
		}
		return answer{
			etag: written.Position,
			body: gen.FlagWritten{
				Position: written.Position, Item: *written.Value, Changes: itemChanges(by, written.Changes),
			},
		}, nil
	}
}
