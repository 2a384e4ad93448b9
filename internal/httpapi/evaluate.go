package httpapi

import (
	"net/http"

	"github.com/wigwag/wigwag/internal/control"
	"github.com/wigwag/wigwag/internal/gen"
	"github.com/wigwag/wigwag/internal/web"
)

func (a *api) Evaluate(w http.ResponseWriter, r *http.Request, project, environment string) {
	serve(w, r, func() (answer, error) {
		var request gen.EvaluateRequest
		if err := web.ReadJSON(w, r, MaxBody, &request); err != nil {
			return answer{}, err
		}
		evaluated, position, err := a.control.Evaluate(r.Context(), project, environment, control.Evaluation{
			Context: request.Context, Flags: request.Flags, Explain: request.Explain, At: request.At,
		})
		results := make([]gen.EvaluationResult, len(evaluated))
		for i := range evaluated {
			results[i] = result(&evaluated[i])
		}
		return answer{body: gen.Evaluation{Position: position, Results: results}}, err
	})
}

func result(e *control.Evaluated) gen.EvaluationResult {
	return gen.EvaluationResult{
		Flag:         e.Key,
		Value:        e.Details.Value,
		Variant:      e.Details.Variant,
		Reason:       e.Details.Reason,
		Rule:         e.Details.RuleID,
		ErrorCode:    e.Details.ErrorCode,
		ErrorMessage: e.Details.ErrorMessage,
		Metadata:     e.Details.Metadata,
		Trace:        e.Trace,
	}
}
