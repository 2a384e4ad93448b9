package httpapi

import (
	"net/http"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/control"
	"github.com/wigwag/wigwag/internal/gen"
	"github.com/wigwag/wigwag/internal/web"
)

func (a *api) GetFlag(w http.ResponseWriter, r *http.Request, project, environment, flag string) {
	serve(w, r, func() (answer, error) { return one(a.control.Flag(r.Context(), project, environment, flag)) })
}

func (a *api) CreateSegment(w http.ResponseWriter, r *http.Request, project, environment string, params gen.CreateSegmentParams) {
	serve(w, r, func() (answer, error) {
		by, err := write(r, nil, params.WigwagComment)
		if err != nil {
			return answer{}, err
		}
		var segment feature.Segment
		if err := web.ReadJSON(w, r, MaxBody, &segment); err != nil {
			return answer{}, err
		}
		created, err := segmentWritten(by)(a.control.CreateSegment(r.Context(), by, project, environment, segment))
		created.status = http.StatusCreated
		created.created = Base + "/projects/" + project + "/environments/" + environment + "/segments/" + segment.Key
		return created, err
	})
}

func (a *api) GetSegment(w http.ResponseWriter, r *http.Request, project, environment, segment string) {
	serve(w, r, func() (answer, error) { return one(a.control.Segment(r.Context(), project, environment, segment)) })
}

func (a *api) PatchSegment(w http.ResponseWriter, r *http.Request, project, environment, segment string, params gen.PatchSegmentParams) {
	serve(w, r, func() (answer, error) {
		by, err := write(r, params.IfMatch, params.WigwagComment)
		if err != nil {
			return answer{}, err
		}
		patch, err := readPatch(w, r)
		if err != nil {
			return answer{}, err
		}
		return segmentWritten(by)(a.control.PatchSegment(r.Context(), by, project, environment, segment, patch))
	})
}

func (a *api) DeleteSegment(w http.ResponseWriter, r *http.Request, project, environment, segment string, params gen.DeleteSegmentParams) {
	serve(w, r, func() (answer, error) {
		by, err := write(r, params.IfMatch, params.WigwagComment)
		if err != nil {
			return answer{}, err
		}
		written, err := a.control.DeleteSegment(r.Context(), by, project, environment, segment)
		return positionWritten(by, written), err
	})
}

func (a *api) UpdateSegmentKeys(w http.ResponseWriter, r *http.Request, project, environment, segment string, params gen.UpdateSegmentKeysParams) {
	serve(w, r, func() (answer, error) {
		by, err := write(r, params.IfMatch, params.WigwagComment)
		if err != nil {
			return answer{}, err
		}
		var update gen.SegmentKeysUpdate
		if err := web.ReadJSON(w, r, MaxBody, &update); err != nil {
			return answer{}, err
		}
		written, err := a.control.UpdateSegmentKeys(r.Context(), by, project, environment, segment, update.List, update.Add, update.Remove)
		return positionWritten(by, written), err
	})
}

func segmentWritten(by control.Write) func(control.Written[*feature.Segment], error) (answer, error) {
	return func(written control.Written[*feature.Segment], err error) (answer, error) {
		if err != nil {
			return answer{}, err
		}
		return answer{
			etag: written.Position,
			body: gen.SegmentWritten{
				Position: written.Position, Item: *written.Value, Changes: itemChanges(by, written.Changes),
			},
		}, nil
	}
}
