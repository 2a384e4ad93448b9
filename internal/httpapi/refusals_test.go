package httpapi_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wigwag/wigwag/internal/control"
	"github.com/wigwag/wigwag/internal/httpapi"
	"github.com/wigwag/wigwag/internal/web"
)

// positions is where everything that the tests could change stands.
func positions(t *testing.T, s *service) []string {
	t.Helper()
	ctx := context.Background()
	all := control.Query{Limit: 1000}
	definitions, err := s.control.DefinitionPage(ctx, "shop", control.FlagQuery{Query: all})
	if err != nil {
		t.Fatal(err)
	}
	at := []string{definitions.Position.String()}
	for _, environment := range []string{"production", "staging"} {
		flags, err := s.control.FlagPage(ctx, "shop", environment, control.FlagQuery{Query: all})
		if err != nil {
			t.Fatal(err)
		}
		at = append(at, flags.Position.String())
	}
	projects, err := s.control.ProjectPage(ctx, all, func(string) bool { return true })
	if err != nil {
		t.Fatal(err)
	}
	environments, err := s.control.EnvironmentPage(ctx, "shop", all)
	if err != nil {
		t.Fatal(err)
	}
	return append(at, fmt.Sprint(len(projects.Items), len(environments.Items)))
}

func TestRefusals(t *testing.T) {
	s := shop(t)
	const (
		flag     = production + "/flags/new-checkout"
		segment  = production + "/segments/eu-beta"
		flags    = "/projects/shop/flags"
		evaluate = production + "/evaluate"
		changes  = production + "/changes"
	)
	stale := s.must("GET", flag, "").Header.Get("ETag")
	s.must("PATCH", flag, `{"overrides":[{"variant":"on","targetingKeys":["user-1"]}]}`)
	deep := strings.Repeat(`{"not":`, 40) + `{"segment":"eu-beta"}` + strings.Repeat("}", 40)
	rule := func(when string) string {
		return `{"rules":[{"when":` + when + `,"serve":{"variant":"on"}}]}`
	}

	for _, test := range []struct {
		name         string
		method, path string
		body         string
		header       []string // names and values in turn
		status       int
		kind         string
		field        string // that must be named
		contains     string // in the detail
	}{
		// Bodies that are no documents.
		{name: "no JSON", method: "PATCH", path: flag, body: `{"state":`, status: 400, kind: "invalid"},
		{name: "two documents", method: "PATCH", path: flag, body: `{} {}`, status: 400, kind: "invalid"},
		{name: "empty body", method: "POST", path: flags, header: []string{"Content-Type", "application/json"}, status: 400, kind: "invalid", contains: "empty"},
		{name: "not an object", method: "PATCH", path: flag, body: `[]`, status: 400, kind: "invalid", contains: "object"},
		{name: "name twice", method: "PATCH", path: flag, body: `{"default":{"variant":"on","variant":"off"}}`, status: 400, kind: "invalid", field: "default.variant"},
		{name: "name twice in a document", method: "POST", path: flags, body: `{"key":"a","key":"b","type":"boolean"}`, status: 400, kind: "invalid", field: "key"},
		{name: "invalid UTF-8", method: "PATCH", path: flag, body: "{\"state\":\"\xff\"}", status: 400, kind: "invalid", contains: "UTF-8"},
		{name: "deep nesting", method: "PATCH", path: flag, body: rule(deep), status: 400, kind: "invalid", contains: "deep"},
		{name: "oversize", method: "POST", path: flags, body: `{"description":"` + strings.Repeat("a", httpapi.MaxBody) + `"}`, status: 413, kind: "too-large"},
		{name: "text", method: "POST", path: flags, body: `{}`, header: []string{"Content-Type", "text/plain"}, status: 415, kind: "unsupported-media-type", contains: "application/json"},
		{name: "no type", method: "PATCH", path: flag, body: `{}`, header: []string{"Content-Type", ""}, status: 415, kind: "unsupported-media-type", contains: "merge-patch"},
		{name: "merge patch where none is", method: "POST", path: flags, body: `{}`, header: []string{"Content-Type", "application/merge-patch+json"}, status: 415, kind: "unsupported-media-type"},
		{name: "compressed", method: "PATCH", path: flag, body: `{}`, header: []string{"Content-Encoding", "gzip"}, status: 415, kind: "unsupported-media-type"},

		// Documents with the wrong fields.
		{name: "unknown field", method: "POST", path: flags, body: `{"key":"a","type":"boolean","colour":"red"}`, status: 400, kind: "invalid", field: "colour"},
		{name: "unknown field in a patch", method: "PATCH", path: flag, body: `{"stat":"ENABLED"}`, status: 400, kind: "invalid", field: "stat"},
		{name: "unknown field below", method: "PATCH", path: flag, body: `{"rules":[{"when":{"atribute":"plan"},"serve":{"variant":"on"}}]}`, status: 400, kind: "invalid", field: "rules[0].when.atribute"},
		{name: "wrong type", method: "POST", path: "/projects", body: `{"key":1}`, status: 400, kind: "invalid", field: "key"},
		{name: "wrong type in a patch", method: "PATCH", path: flag, body: `{"rules":{"when":1}}`, status: 400, kind: "invalid", field: "rules"},
		{name: "wrong state", method: "PATCH", path: flag, body: `{"state":"on"}`, status: 400, kind: "invalid", field: "state"},
		{name: "field of the definition", method: "PATCH", path: flag, body: `{"variants":{"maybe":true}}`, status: 400, kind: "invalid", field: "variants", contains: "projects/shop/flags/new-checkout"},
		{name: "field of the configuration", method: "PATCH", path: flags + "/new-checkout", body: `{"state":"ENABLED"}`, status: 400, kind: "invalid", field: "state"},
		{name: "another key", method: "PATCH", path: flags + "/new-checkout", body: `{"key":"b"}`, status: 400, kind: "invalid", field: "key"},
		{name: "another type", method: "PATCH", path: flags + "/new-checkout", body: `{"type":"string"}`, status: 400, kind: "invalid", field: "type"},
		{name: "value of another type", method: "POST", path: flags, body: `{"key":"a","type":"number","variants":{"x":"y"}}`, status: 400, kind: "invalid", field: "variants.x"},
		{name: "key of a project", method: "POST", path: "/projects", body: `{"key":"Web Shop"}`, status: 400, kind: "invalid", field: "key"},
		{name: "key of an environment", method: "POST", path: "/projects/shop/environments", body: `{"key":""}`, status: 400, kind: "invalid", field: "key"},
		{name: "key of a flag", method: "POST", path: flags, body: `{"key":"a b","type":"boolean"}`, status: 400, kind: "invalid", field: "key"},
		{name: "key of a segment", method: "POST", path: production + "/segments", body: `{"key":"-"}`, status: 400, kind: "invalid", field: "key"},

		// Documents that do not hold together.
		{name: "unknown variant", method: "PATCH", path: flag, body: `{"default":{"variant":"maybe"}}`, status: 400, kind: "invalid", field: "default.variant", contains: "maybe"},
		{name: "weights that do not sum", method: "PATCH", path: flag, body: `{"rules":[{"when":{"segment":"eu-beta"},"serve":{"split":{"weights":[["on",1],["off",2]]}}}]}`, status: 400, kind: "invalid", field: "rules[0].serve.split.weights", contains: "100000"},
		{name: "weight that is no pair", method: "PATCH", path: flag, body: `{"default":{"variant":null,"split":{"weights":[{"on":100000}]}}}`, status: 400, kind: "invalid", field: "default.split.weights[0]"},
		{name: "bad regular expression", method: "PATCH", path: flag, body: rule(`{"attribute":"mail","op":"matches","values":["(a"]}`), status: 400, kind: "invalid", field: "rules[0].when.values[0]"},
		{name: "unknown operator", method: "PATCH", path: flag, body: rule(`{"attribute":"mail","op":"like","values":["a"]}`), status: 400, kind: "invalid", field: "rules[0].when.op"},
		{name: "unknown segment", method: "PATCH", path: flag, body: rule(`{"segment":"nobody"}`), status: 400, kind: "invalid", field: "rules[0].when.segment", contains: "nobody"},
		{name: "unknown prerequisite", method: "PATCH", path: flag, body: `{"prerequisites":[{"flag":"nothing","variants":["on"]}]}`, status: 400, kind: "invalid", field: "prerequisites[0].flag", contains: "nothing"},
		{name: "prerequisite cycle", method: "PATCH", path: production + "/flags/payments-v2", body: `{"prerequisites":[{"flag":"new-checkout","variants":["on"]}]}`, status: 400, kind: "invalid", field: "prerequisites", contains: "payments-v2 → new-checkout → payments-v2"},
		{name: "keys of no list", method: "POST", path: segment + "/keys", body: `{"list":"some","add":["a"]}`, status: 400, kind: "invalid", field: "list"},
		{name: "key that is empty", method: "POST", path: segment + "/keys", body: `{"list":"included","add":["a",""]}`, status: 400, kind: "invalid", field: "add[1]"},
		{name: "context that is none", method: "POST", path: evaluate, body: `{"context":{"targetingKey":1}}`, status: 400, kind: "invalid", field: "context.targetingKey"},

		// Conflicts.
		{name: "key that is taken", method: "POST", path: flags, body: `{"key":"new-checkout","type":"boolean"}`, status: 409, kind: "conflict"},
		{name: "project that is there", method: "POST", path: "/projects", body: `{"key":"shop"}`, status: 409, kind: "conflict"},
		{name: "environment that is there", method: "POST", path: "/projects/shop/environments", body: `{"key":"staging"}`, status: 409, kind: "conflict"},
		{name: "segment that is there", method: "POST", path: production + "/segments", body: `{"key":"eu-beta"}`, status: 409, kind: "conflict"},
		{name: "segment in use", method: "DELETE", path: segment, status: 409, kind: "in-use", contains: "new-checkout"},
		{name: "flag in use", method: "POST", path: flags + "/payments-v2/archive?force=true", status: 409, kind: "in-use", contains: "new-checkout"},
		{name: "flag that decides", method: "POST", path: flags + "/new-checkout/archive", status: 409, kind: "in-use", contains: "production"},
		{name: "force that is none", method: "POST", path: flags + "/new-checkout/archive?force=maybe", status: 400, kind: "invalid", field: "force"},
		{name: "flag in force", method: "DELETE", path: flags + "/payments-v2", status: 409, kind: "conflict", contains: "archive it first"},
		{name: "environment in force", method: "DELETE", path: production + "?confirm=production", status: 409, kind: "conflict", contains: "archive it first"},
		{name: "project in force", method: "DELETE", path: "/projects/shop?confirm=shop", status: 409, kind: "conflict", contains: "archive it first"},
		{name: "project not confirmed", method: "DELETE", path: "/projects/shop", status: 400, kind: "invalid", field: "confirm"},
		{name: "archived in a patch", method: "PATCH", path: production, body: `{"archived":true}`, status: 400, kind: "invalid", field: "archived"},
		{name: "colour that is none", method: "PATCH", path: production, body: `{"colour":"red"}`, status: 400, kind: "invalid", field: "colour"},
		{name: "setting that is unknown", method: "PATCH", path: production, body: `{"color":"#ff0000"}`, status: 400, kind: "invalid", field: "color"},
		{name: "copy of nothing", method: "POST", path: production + "/copy", body: `{"from":"staging"}`, status: 400, kind: "invalid", field: "flags"},
		{name: "comparison with nothing", method: "GET", path: production + "/compare", status: 400, kind: "invalid", field: "with"},
		{name: "comparison with no environment", method: "GET", path: production + "/compare?with=nowhere", status: 404, kind: "not-found", contains: "nowhere"},
		{name: "schema of a boolean flag", method: "PATCH", path: flags + "/new-checkout", body: `{"schema":{}}`, status: 400, kind: "invalid", field: "schema"},
		{name: "variant in use", method: "PATCH", path: flags + "/new-checkout", body: `{"variants":{"off":null}}`, status: 409, kind: "in-use", contains: "off"},

		// Conditions.
		{name: "stale", method: "PATCH", path: flag, body: `{"state":"DISABLED"}`, header: []string{"If-Match", stale}, status: 412, kind: "stale"},
		{name: "of another epoch", method: "PATCH", path: flag, body: `{"state":"DISABLED"}`, header: []string{"If-Match", `"another:99"`}, status: 412, kind: "stale"},
		{name: "weak tag", method: "PATCH", path: flag, body: `{}`, header: []string{"If-Match", "W/" + stale}, status: 400, kind: "invalid", field: "If-Match", contains: "weak"},
		{name: "tag without quotes", method: "PATCH", path: flag, body: `{}`, header: []string{"If-Match", strings.Trim(stale, `"`)}, status: 400, kind: "invalid", field: "If-Match"},
		{name: "list of tags", method: "DELETE", path: segment, header: []string{"If-Match", stale + ", " + stale}, status: 400, kind: "invalid", field: "If-Match"},
		{name: "tags in two headers", method: "PATCH", path: segment, body: `{}`, header: []string{"If-Match", stale + "\n" + stale}, status: 400, kind: "invalid", field: "If-Match", contains: "2 times"},
		{name: "tag of nothing", method: "DELETE", path: flags + "/new-checkout", header: []string{"If-Match", `""`}, status: 400, kind: "invalid", field: "If-Match"},
		{name: "foreign tag", method: "POST", path: segment + "/keys", body: `{"list":"included","add":["a"]}`, header: []string{"If-Match", `"33a64df5"`}, status: 400, kind: "invalid", field: "If-Match"},

		// Comments.
		{name: "long comment", method: "PATCH", path: flag, body: `{"state":"DISABLED"}`, header: []string{"Wigwag-Comment", strings.Repeat("é", 501)}, status: 400, kind: "invalid", field: "Wigwag-Comment", contains: "500"},
		{name: "comment in Latin-1", method: "PATCH", path: flag, body: `{"state":"DISABLED"}`, header: []string{"Wigwag-Comment", "caf\xe9"}, status: 400, kind: "invalid", field: "Wigwag-Comment"},
		{name: "comment badly encoded", method: "PATCH", path: flag, body: `{"state":"DISABLED"}`, header: []string{"Wigwag-Comment", "UTF-8''%e2%8"}, status: 400, kind: "invalid", field: "Wigwag-Comment"},
		{name: "comment with a line break", method: "PATCH", path: flag, body: `{"state":"DISABLED"}`, header: []string{"Wigwag-Comment", "UTF-8''a%0Ab"}, status: 400, kind: "invalid", field: "Wigwag-Comment"},

		// Queries.
		{name: "limit that is no number", method: "GET", path: changes + "?limit=many", status: 400, kind: "invalid", field: "limit", contains: "1 to 1000"},
		{name: "limit of nothing", method: "GET", path: changes + "?limit=0", status: 400, kind: "invalid", field: "limit"},
		{name: "limit beyond the greatest", method: "GET", path: changes + "?limit=1001", status: 400, kind: "invalid", field: "limit"},
		{name: "limit twice", method: "GET", path: changes + "?limit=1&limit=2", status: 400, kind: "invalid", field: "limit"},
		{name: "limit that is empty", method: "GET", path: changes + "?limit=", status: 400, kind: "invalid", field: "limit"},
		{name: "after that is no position", method: "GET", path: changes + "?after=12", status: 400, kind: "invalid", field: "after"},
		{name: "after of another history", method: "GET", path: changes + "?after=another:1", status: 400, kind: "invalid", field: "after", contains: "epoch"},
		{name: "after beyond another history", method: "GET", path: changes + "?after=another:999", status: 400, kind: "invalid", field: "after", contains: "epoch"},
		{name: "query that is malformed", method: "GET", path: changes + "?limit=%zz", status: 400, kind: "invalid", field: "query"},

		// Paths and methods.
		{name: "unknown project", method: "GET", path: "/projects/nowhere/flags", status: 404, kind: "not-found", contains: "nowhere"},
		{name: "unknown environment", method: "PATCH", path: "/projects/shop/environments/nowhere/flags/new-checkout", body: `{}`, status: 404, kind: "not-found", contains: "nowhere"},
		{name: "unknown flag", method: "PATCH", path: production + "/flags/nothing", body: `{}`, status: 404, kind: "not-found", contains: "nothing"},
		{name: "unknown segment's keys", method: "POST", path: production + "/segments/nobody/keys", body: `{"list":"included","add":["a"]}`, status: 404, kind: "not-found", contains: "nobody"},
		{name: "project that cannot be", method: "GET", path: "/projects/No%20Where/flags", status: 400, kind: "invalid", field: "project"},
		{name: "environment that cannot be", method: "GET", path: "/projects/shop/environments/a.b/flags", status: 400, kind: "invalid", field: "environment"},
		{name: "flag that cannot be", method: "GET", path: flags + "/a%2Fb", status: 400, kind: "invalid", field: "flag"},
		{name: "segment that cannot be", method: "DELETE", path: production + "/segments/-a", status: 400, kind: "invalid", field: "segment"},
		{name: "unknown path", method: "GET", path: "/projects/shop/flag", status: 404, kind: "not-found"},
		{name: "wrong method", method: "POST", path: flag, body: `{}`, status: 405, kind: "method-not-allowed", contains: "GET, HEAD, PATCH, PUT"},

		// Credentials, before anything else.
		{name: "no token", method: "PATCH", path: flag, body: `{`, header: []string{"Authorization", ""}, status: 401, kind: "unauthenticated"},
		{name: "no token, unknown path", method: "GET", path: "/secrets", header: []string{"Authorization", ""}, status: 401, kind: "unauthenticated"},
		{name: "no token, oversize body", method: "POST", path: flags, body: strings.Repeat(" ", httpapi.MaxBody+1), header: []string{"Authorization", ""}, status: 401, kind: "unauthenticated"},
		{name: "server key", method: "DELETE", path: segment, header: []string{"Authorization", "Bearer sk_x"}, status: 403, kind: "forbidden"},
	} {
		t.Run(test.name, func(t *testing.T) {
			before := positions(t, s)
			ctx := context.WithValue(context.Background(), wrongOnPurpose{}, true)
			resp := s.send(ctx, test.method, test.path, test.body, test.header...)
			var problem web.Problem
			if err := json.NewDecoder(resp.Body).Decode(&problem); err != nil {
				t.Fatalf("status %d, and no problem document: %v", resp.StatusCode, err)
			}
			if resp.StatusCode != test.status || problem.Status != test.status || problem.Type != web.ProblemTypes+test.kind {
				t.Errorf("status %d, %+v; want %d %s", resp.StatusCode, problem, test.status, test.kind)
			}
			if resp.Header.Get("Content-Type") != web.ProblemType {
				t.Errorf("Content-Type is %q", resp.Header.Get("Content-Type"))
			}
			if !strings.Contains(problem.Detail, test.contains) {
				t.Errorf("detail is %q, without %q", problem.Detail, test.contains)
			}
			var named []string
			for _, e := range problem.Errors {
				named = append(named, e.Path)
			}
			if test.field != "" && !slices.Contains(named, test.field) {
				t.Errorf("fields are %q, want %s; %s", named, test.field, problem.Detail)
			}
			if (test.status == http.StatusMethodNotAllowed) != (resp.Header.Get("Allow") != "") {
				t.Errorf("Allow is %q", resp.Header.Get("Allow"))
			}
			if diff := cmp.Diff(before, positions(t, s)); diff != "" {
				t.Errorf("positions moved (-before +after):\n%s", diff)
			}
		})
	}
}
