package httpapi

import (
	"net/http"

	"github.com/wigwag/wigwag/internal/control"
	"github.com/wigwag/wigwag/internal/gen"
	"github.com/wigwag/wigwag/internal/web"
)

func (a *api) CopyEnvironment(w http.ResponseWriter, r *http.Request, project, environment string, params gen.CopyEnvironmentParams) {
	serve(w, r, func() (answer, error) {
		by, err := write(r, params.IfMatch, params.WigwagComment)
		if err != nil {
			return answer{}, err
		}
		var request control.Copy
		if err := web.ReadJSON(w, r, MaxBody, &request); err != nil {
			return answer{}, err
		}
		written, err := a.control.CopyEnvironment(r.Context(), by, project, environment, request)
		return answer{
			etag: written.Position,
			body: gen.CopyWritten{Position: written.Position, Copied: written.Value, Changes: itemChanges(by, written.Changes)},
		}, err
	})
}

func (a *api) CompareEnvironments(w http.ResponseWriter, r *http.Request, project, environment string, params gen.CompareEnvironmentsParams) {
	serve(w, r, func() (answer, error) {
		compared, err := a.control.CompareEnvironments(r.Context(), project, environment, params.With)
		return answer{body: gen.EnvironmentComparison{
			Position:     compared.Here,
			WithPosition: compared.There,
			Flags:        comparedItems(compared.Flags),
			Segments:     comparedItems(compared.Segments),
		}}, err
	})
}

func comparedItems(compared []control.Compared) []gen.ComparedItem {
	items := make([]gen.ComparedItem, len(compared))
	for i := range compared {
		items[i] = gen.ComparedItem{Key: compared[i].Key, Likeness: gen.ComparedItemLikeness(compared[i].Likeness)}
		for _, field := range compared[i].Fields {
			items[i].Fields = append(items[i].Fields, gen.ComparedField{Field: field.Field, Here: field.Here, There: field.There})
		}
	}
	return items
}
