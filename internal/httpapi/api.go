// Package httpapi serves the management API of api/openapi.yaml: it translates
// between HTTP and package control, and decides nothing itself.
package httpapi

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/auth"
	"github.com/wigwag/wigwag/internal/control"
	"github.com/wigwag/wigwag/internal/fault"
	"github.com/wigwag/wigwag/internal/gen"
	"github.com/wigwag/wigwag/internal/web"
)

// Base is the path under which the API is.
const Base = "/api/v1"

// MaxBody is the greatest size of a request's body, in bytes.
const MaxBody = 8 << 20

// Authorise says who makes a request, or refuses it with a [*fault.Error] of kind
// Unauthenticated or Forbidden. It must not read the body.
type Authorise func(r *http.Request) (auth.Caller, error)

// New returns the handler of everything under [Base]. Each request passes
// authorise before anything else of it is looked at, its path included, and what
// the operation needs before any of its parameters is. The handler is safe for
// concurrent use where authorise is.
func New(c *control.Control, authorise Authorise) http.Handler {
	routes := newGate(new(web.Mux))
	gen.HandlerWithOptions(&api{c}, gen.StdHTTPServerOptions{
		BaseURL:          Base,
		BaseRouter:       routes,
		Middlewares:      []gen.MiddlewareFunc{checkTarget},
		ErrorHandlerFunc: func(w http.ResponseWriter, r *http.Request, err error) { web.WriteProblem(w, r, parameterError(err)) },
	})
	return web.Handler(func(w http.ResponseWriter, r *http.Request) error {
		caller, err := authorise(r)
		if err != nil {
			return err
		}
		web.SetKey(r, caller.Token.ID)
		w.Header().Set("Cache-Control", "no-store")
		ctx := context.WithValue(r.Context(), callerKey{}, &caller)
		routes.ServeHTTP(w, r.WithContext(context.WithValue(ctx, actorKey{}, caller.Actor)))
		return nil
	})
}

// api implements the operations of the contract.
type api struct{ control *control.Control }

var _ gen.ServerInterface = (*api)(nil)

type actorKey struct{}

// checkTarget refuses keys in the path that nothing can have, which are mostly
// mistakes of a program, and queries that cannot be read whole.
func checkTarget(next http.Handler) http.Handler {
	return web.Handler(func(w http.ResponseWriter, r *http.Request) error {
		for _, name := range []string{"project", "environment"} {
			if key := r.PathValue(name); key != "" && !control.ValidScope(key) {
				return fault.InvalidField(name,
					"%.80q is no key; keys are 1 to 64 lower-case letters, digits and hyphens, beginning with a letter or digit", key)
			}
		}
		for _, name := range []string{"flag", "segment"} {
			if key := r.PathValue(name); key != "" && !feature.ValidKey(key) {
				return fault.InvalidField(name,
					"%.80q is no key; keys are 1 to 128 letters, digits, dots, underscores and hyphens, beginning with a letter or digit", key)
			}
		}
		if key := r.PathValue("targetingKey"); key != "" && !feature.ValidTargetingKey(key) {
			return fault.InvalidField("targetingKey",
				"%.80q is no targeting key; they are 1 to %d bytes of text without control characters", key, feature.MaxTargetingKeyBytes)
		}
		if _, err := url.ParseQuery(r.URL.RawQuery); err != nil {
			return fault.InvalidField("query", "it is not well-formed; percent-encode names and values")
		}
		next.ServeHTTP(w, r)
		return nil
	})
}

// parameterError words what the generated code found wrong with a parameter.
func parameterError(err error) error {
	var (
		format  *gen.InvalidParamFormatError
		repeats *gen.TooManyValuesForParamError
		missing *gen.RequiredParamError
	)
	switch {
	case errors.As(err, &repeats):
		return fault.InvalidField(repeats.ParamName, "it is given %d times; give it once", repeats.Count)
	case errors.As(err, &missing):
		return fault.InvalidField(missing.ParamName, "it is missing; give it once, and not empty")
	case errors.As(err, &format) && isVersion(format.ParamName):
		return fault.InvalidField(format.ParamName, "it must be the number of a version, as after the colon of a position")
	case errors.As(err, &format) && format.ParamName == limitName:
		return fault.InvalidField(limitName, limitMessage)
	case errors.As(err, &format):
		return fault.InvalidField(format.ParamName, "it cannot be read; give it once, and not empty").Because(err)
	default:
		return fault.New(fault.Invalid, "A parameter cannot be read.").Because(err)
	}
}
