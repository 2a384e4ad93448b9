package httpapi

import (
	"net/http"
	"strings"

	"github.com/wigwag/wigwag/internal/auth"
	"github.com/wigwag/wigwag/internal/fault"
	"github.com/wigwag/wigwag/internal/web"
)

// operation is what a token must have for an operation of the contract.
type operation struct {
	// route is the method and the path, as the contract has them.
	route string
	// needs is the least scope.
	needs auth.Scope
	// limited says of an operation whose path names no project that tokens that
	// are limited to some projects may call it, because it answers each with what
	// it may see. Others refuse such tokens.
	limited bool
	// secret says that the answer tells a secret, which must be kept nowhere.
	secret bool
}

// operations says what each operation of the contract needs, by its operationId.
// An operation that is not here is refused to everybody.
var operations = map[string]operation{
	"listProjects":      {route: "GET /projects", needs: auth.ScopeRead, limited: true},
	"createProject":     {route: "POST /projects", needs: auth.ScopeAdmin},
	"listEnvironments":  {route: "GET /projects/{project}/environments", needs: auth.ScopeRead},
	"createEnvironment": {route: "POST /projects/{project}/environments", needs: auth.ScopeAdmin},

	"getProject":       {route: "GET /projects/{project}", needs: auth.ScopeRead},
	"patchProject":     {route: "PATCH /projects/{project}", needs: auth.ScopeAdmin},
	"archiveProject":   {route: "POST /projects/{project}/archive", needs: auth.ScopeAdmin},
	"unarchiveProject": {route: "POST /projects/{project}/unarchive", needs: auth.ScopeAdmin},
	"deleteProject":    {route: "DELETE /projects/{project}", needs: auth.ScopeAdmin},

	"getEnvironment":       {route: "GET /projects/{project}/environments/{environment}", needs: auth.ScopeRead},
	"patchEnvironment":     {route: "PATCH /projects/{project}/environments/{environment}", needs: auth.ScopeAdmin},
	"archiveEnvironment":   {route: "POST /projects/{project}/environments/{environment}/archive", needs: auth.ScopeAdmin},
	"unarchiveEnvironment": {route: "POST /projects/{project}/environments/{environment}/unarchive", needs: auth.ScopeAdmin},
	"deleteEnvironment":    {route: "DELETE /projects/{project}/environments/{environment}", needs: auth.ScopeAdmin},
	"copyEnvironment":      {route: "POST /projects/{project}/environments/{environment}/copy", needs: auth.ScopeWrite},
	"compareEnvironments":  {route: "GET /projects/{project}/environments/{environment}/compare", needs: auth.ScopeRead},

	"archiveFlag":   {route: "POST /projects/{project}/flags/{flag}/archive", needs: auth.ScopeWrite},
	"unarchiveFlag": {route: "POST /projects/{project}/flags/{flag}/unarchive", needs: auth.ScopeWrite},

	"listDefinitions": {route: "GET /projects/{project}/flags", needs: auth.ScopeRead},
	"createFlag":      {route: "POST /projects/{project}/flags", needs: auth.ScopeWrite},
	"getDefinition":   {route: "GET /projects/{project}/flags/{flag}", needs: auth.ScopeRead},
	"patchDefinition": {route: "PATCH /projects/{project}/flags/{flag}", needs: auth.ScopeWrite},
	"deleteFlag":      {route: "DELETE /projects/{project}/flags/{flag}", needs: auth.ScopeAdmin},

	"listFlags": {route: "GET /projects/{project}/environments/{environment}/flags", needs: auth.ScopeRead},
	"getFlag":   {route: "GET /projects/{project}/environments/{environment}/flags/{flag}", needs: auth.ScopeRead},
	"patchFlag": {route: "PATCH /projects/{project}/environments/{environment}/flags/{flag}", needs: auth.ScopeWrite},
	"putFlag":   {route: "PUT /projects/{project}/environments/{environment}/flags/{flag}", needs: auth.ScopeWrite},
	// Each of its changes needs what the operation of that name needs.
	"applyChanges": {route: "POST /projects/{project}/changes", needs: auth.ScopeWrite},

	"listSegments":       {route: "GET /projects/{project}/environments/{environment}/segments", needs: auth.ScopeRead},
	"createSegment":      {route: "POST /projects/{project}/environments/{environment}/segments", needs: auth.ScopeWrite},
	"getSegment":         {route: "GET /projects/{project}/environments/{environment}/segments/{segment}", needs: auth.ScopeRead},
	"patchSegment":       {route: "PATCH /projects/{project}/environments/{environment}/segments/{segment}", needs: auth.ScopeWrite},
	"deleteSegment":      {route: "DELETE /projects/{project}/environments/{environment}/segments/{segment}", needs: auth.ScopeAdmin},
	"updateSegmentKeys":  {route: "POST /projects/{project}/environments/{environment}/segments/{segment}/keys", needs: auth.ScopeWrite},
	"listSegmentKeys":    {route: "GET /projects/{project}/environments/{environment}/segments/{segment}/keys", needs: auth.ScopeRead},
	"replaceSegmentKeys": {route: "PUT /projects/{project}/environments/{environment}/segments/{segment}/keys", needs: auth.ScopeWrite},
	"getSegmentKey":      {route: "GET /projects/{project}/environments/{environment}/segments/{segment}/keys/{targetingKey}", needs: auth.ScopeRead},

	"evaluate":            {route: "POST /projects/{project}/environments/{environment}/evaluate", needs: auth.ScopeRead},
	"listChanges":         {route: "GET /projects/{project}/environments/{environment}/changes", needs: auth.ScopeRead},
	"getVersion":          {route: "GET /projects/{project}/environments/{environment}/versions/{version}", needs: auth.ScopeRead},
	"listFlagsAt":         {route: "GET /projects/{project}/environments/{environment}/versions/{version}/flags", needs: auth.ScopeRead},
	"getFlagAt":           {route: "GET /projects/{project}/environments/{environment}/versions/{version}/flags/{flag}", needs: auth.ScopeRead},
	"listSegmentsAt":      {route: "GET /projects/{project}/environments/{environment}/versions/{version}/segments", needs: auth.ScopeRead},
	"getSegmentAt":        {route: "GET /projects/{project}/environments/{environment}/versions/{version}/segments/{segment}", needs: auth.ScopeRead},
	"diffVersions":        {route: "GET /projects/{project}/environments/{environment}/diff", needs: auth.ScopeRead},
	"restoreVersion":      {route: "POST /projects/{project}/environments/{environment}/restore", needs: auth.ScopeWrite},
	"listProjectChanges":  {route: "GET /projects/{project}/changes", needs: auth.ScopeRead},
	"getProjectVersion":   {route: "GET /projects/{project}/versions/{version}", needs: auth.ScopeRead},
	"diffProjectVersions": {route: "GET /projects/{project}/diff", needs: auth.ScopeRead},

	"listKeys":  {route: "GET /projects/{project}/environments/{environment}/keys", needs: auth.ScopeAdmin},
	"createKey": {route: "POST /projects/{project}/environments/{environment}/keys", needs: auth.ScopeAdmin, secret: true},
	"revokeKey": {route: "DELETE /projects/{project}/environments/{environment}/keys/{key}", needs: auth.ScopeAdmin},
	"rotateKey": {route: "POST /projects/{project}/environments/{environment}/keys/{key}/rotate", needs: auth.ScopeAdmin, secret: true},

	"listTokens":  {route: "GET /tokens", needs: auth.ScopeAdmin, limited: true},
	"createToken": {route: "POST /tokens", needs: auth.ScopeAdmin, limited: true, secret: true},
	"revokeToken": {route: "DELETE /tokens/{token}", needs: auth.ScopeAdmin, limited: true},
	"rotateToken": {route: "POST /tokens/{token}/rotate", needs: auth.ScopeAdmin, limited: true, secret: true},
	"whoami":      {route: "GET /whoami", needs: auth.ScopeRead, limited: true},
}

// gate is where the generated code registers its handlers: each is given one that
// admits the caller first, before anything of the request is read.
type gate struct {
	routes *web.Mux
	needs  map[string]operation // by route
}

func newGate(routes *web.Mux) *gate {
	g := &gate{routes: routes, needs: make(map[string]operation, len(operations))}
	for _, o := range operations {
		g.needs[o.route] = o
	}
	return g
}

// HandleFunc registers a handler behind what its operation needs.
func (g *gate) HandleFunc(pattern string, handler func(http.ResponseWriter, *http.Request)) {
	o, known := g.needs[strings.Replace(pattern, " "+Base, " ", 1)]
	g.routes.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		err := error(fault.New(fault.Forbidden, "No token may do this."))
		if known {
			err = o.admit(caller(r), r.PathValue("project"))
		}
		if err != nil {
			web.WriteProblem(w, r, err)
			return
		}
		if r, err = withOnce(r, &o); err != nil {
			web.WriteProblem(w, r, err)
			return
		}
		handler(w, r)
	})
}

// ServeHTTP serves what was registered.
func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) { g.routes.ServeHTTP(w, r) }

// admit refuses a caller that may not call the operation. The scope is looked at
// first, and is the same for every project; a project out of reach is then
// answered as one that does not exist, so that nobody learns which there are.
func (o *operation) admit(c *auth.Caller, project string) error {
	switch {
	case !c.Scope.Covers(o.needs):
		return fault.New(fault.Forbidden, "This needs a token with the scope %s; the token %s has %s.", o.needs, c.Token.ID, c.Scope)
	case project != "" && !c.Reaches(project):
		return fault.New(fault.NotFound, "There is no project %.80q; list the projects or create it.", project)
	case project == "" && c.Limited() && !o.limited:
		return fault.New(fault.Forbidden, "This needs a token for all projects; the token %s is limited to some.", c.Token.ID)
	}
	return nil
}

// caller returns who makes a request that [New] has authorised.
func caller(r *http.Request) *auth.Caller {
	c, ok := r.Context().Value(callerKey{}).(*auth.Caller)
	if !ok {
		return new(auth.Caller) // may do nothing
	}
	return c
}

type callerKey struct{}
