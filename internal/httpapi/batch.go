package httpapi

import (
	"fmt"
	"net/http"

	"github.com/wigwag/wigwag/internal/fault"
	"github.com/wigwag/wigwag/internal/gen"
	"github.com/wigwag/wigwag/internal/web"
)

// maxBatchBody is the greatest size of a request that makes several changes, in
// bytes.
const maxBatchBody = 64 << 20

func (a *api) ApplyChanges(w http.ResponseWriter, r *http.Request, project string, params gen.ApplyChangesParams) {
	serve(w, r, func() (answer, error) {
		by, err := write(r, nil, params.WigwagComment)
		if err != nil {
			return answer{}, err
		}
		var batch gen.BatchRequest
		if err := web.ReadJSON(w, r, maxBatchBody, &batch); err != nil {
			return answer{}, err
		}
		if err := admitChanges(r, project, &batch); err != nil {
			return answer{}, err
		}
		written, err := a.control.ApplyChanges(r.Context(), by, project, batch.Changes)
		if err != nil {
			return answer{}, err
		}
		environments := gen.Positions(written.Environments)
		if environments == nil {
			environments = gen.Positions{}
		}
		return answer{
			etag: written.Position,
			body: gen.BatchWritten{
				Position: written.Position, Environments: environments, Changes: itemChanges(by, written.Changes),
			},
		}, nil
	})
}

// admitChanges holds the caller against what each change alone would need: an
// action has the name of its operation. Actions that do not exist are for the use
// case to refuse.
func admitChanges(r *http.Request, project string, batch *gen.BatchRequest) error {
	for i := range batch.Changes {
		o, known := operations[batch.Changes[i].Action]
		if !known {
			continue
		}
		if err := o.admit(caller(r), project); err != nil {
			return fault.From(err).Within(fmt.Sprintf("changes[%d]", i))
		}
	}
	return nil
}
