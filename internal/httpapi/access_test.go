package httpapi_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	gocmp "github.com/google/go-cmp/cmp"

	"github.com/wigwag/wigwag/internal/auth"
	"github.com/wigwag/wigwag/internal/httpapi"
	"github.com/wigwag/wigwag/internal/store"
	"github.com/wigwag/wigwag/internal/web"
)

// guarded is the shop beside a project web, behind a real keyring.
type guarded struct {
	*service
	secrets map[string]auth.Secret
	ids     map[string]string
}

// bearer is who asks, and what the answer is to be.
type bearer struct {
	name string
	// status is what every request is answered; 0 for what the scope says.
	status   int
	kind     string
	scope    auth.Scope
	projects []string
	expired  bool
	revoked  bool
}

var bearers = []bearer{
	{name: "nobody", status: http.StatusUnauthorized},
	{name: "an unknown token", status: http.StatusUnauthorized, kind: auth.KindToken, scope: auth.ScopeAdmin, revoked: true},
	{name: "an expired token", status: http.StatusUnauthorized, kind: auth.KindToken, scope: auth.ScopeAdmin, expired: true},
	{name: "a server key", status: http.StatusForbidden, kind: auth.KindServer},
	{name: "a client key", status: http.StatusForbidden, kind: auth.KindClient},
	{name: "read", kind: auth.KindToken, scope: auth.ScopeRead},
	{name: "write", kind: auth.KindToken, scope: auth.ScopeWrite},
	{name: "admin", kind: auth.KindToken, scope: auth.ScopeAdmin},
	{name: "read of shop", kind: auth.KindToken, scope: auth.ScopeRead, projects: []string{"shop"}},
	{name: "write of shop", kind: auth.KindToken, scope: auth.ScopeWrite, projects: []string{"shop"}},
	{name: "admin of shop", kind: auth.KindToken, scope: auth.ScopeAdmin, projects: []string{"shop"}},
	{name: "read of web", kind: auth.KindToken, scope: auth.ScopeRead, projects: []string{"web"}},
	{name: "write of web", kind: auth.KindToken, scope: auth.ScopeWrite, projects: []string{"web"}},
	{name: "admin of web", kind: auth.KindToken, scope: auth.ScopeAdmin, projects: []string{"web"}},
}

func guard(t *testing.T) *guarded {
	t.Helper()
	g := &guarded{service: shop(t), secrets: map[string]auth.Secret{}, ids: map[string]string{}}
	g.must("POST", "/projects", `{"key":"web"}`)
	g.must("POST", "/projects/web/environments", `{"key":"production"}`)
	g.must("POST", "/projects/web/flags", `{"key":"new-checkout","type":"boolean"}`)
	ctx := context.Background()
	now := time.Now()
	err := g.store.Update(ctx, func(tx store.Tx) error {
		for _, b := range bearers {
			if b.kind == "" {
				continue
			}
			secret := auth.NewSecret(b.kind)
			set := store.SetID{}
			if b.kind != auth.KindToken {
				set = store.SetID{Project: "shop", Environment: "production"}
			}
			c := auth.NewCredential(secret, b.name, set, now)
			c.Scope, c.Projects = string(b.scope), b.projects
			if b.expired {
				c.ExpiresAt = now
			}
			g.secrets[b.name], g.ids[b.name] = secret, c.ID
			if b.revoked {
				continue
			}
			if err := tx.AddCredential(ctx, c); err != nil {
				return err
			}
		}
		return nil
	})
	check(t, err)
	router, err := contract()
	check(t, err)
	handler := web.Observe(slog.New(slog.DiscardHandler), httpapi.New(g.control, auth.NewKeyring(g.store).Manager))
	g.http = &http.Client{Transport: &transport{t, handler, router}}
	return g
}

// answerTo asks as somebody and returns the status and the body.
func (g *guarded) answerTo(name, method, path, contentType, body string) (int, string) {
	g.t.Helper()
	authorization := ""
	if secret := g.secrets[name]; secret != "" {
		authorization = "Bearer " + string(secret)
	}
	ctx := context.WithValue(context.Background(), wrongOnPurpose{}, true)
	resp := g.send(ctx, method, path, body, "Authorization", authorization, "Content-Type", contentType, "X-Request-Id", "r-1")
	text, err := io.ReadAll(resp.Body)
	check(g.t, err)
	return resp.StatusCode, string(text)
}

// as is answerTo with a JSON body and an answer that is read.
func (g *guarded) as(name, method, path, body string) (status int, answer map[string]any) {
	g.t.Helper()
	status, text := g.answerTo(name, method, path, "application/json", body)
	if err := json.Unmarshal([]byte(text), &answer); err != nil {
		g.t.Fatalf("%s %s: %v: %s", method, path, err, text)
	}
	return status, answer
}

// call is a request of an operation, made of the examples of the contract.
type call struct {
	id, method, path  string // the path with {project} in it
	contentType, body string
}

// calls are the calls of all operations, in order.
func calls(t *testing.T) []call {
	t.Helper()
	document, err := description()
	check(t, err)
	var all []call
	for path, item := range document.Paths.Map() {
		for method, operation := range item.Operations() {
			c := call{id: operation.OperationID, method: method, path: path}
			var query []string
			for _, p := range slices.Concat(item.Parameters, operation.Parameters) {
				switch {
				case p.Value.In == "path" && p.Value.Name != "project" && p.Value.Name != "key" && p.Value.Name != "token":
					c.path = strings.ReplaceAll(c.path, "{"+p.Value.Name+"}", fmt.Sprint(p.Value.Example))
				case p.Value.In == "query" && p.Value.Required:
					query = append(query, p.Value.Name+"="+fmt.Sprint(p.Value.Example))
				}
			}
			if len(query) > 0 {
				c.path += "?" + strings.Join(query, "&")
			}
			if operation.RequestBody != nil {
				c.contentType, c.body = example(t, operation.RequestBody.Value)
			}
			all = append(all, c)
		}
	}
	slices.SortFunc(all, func(a, b call) int { return cmp.Compare(a.id, b.id) })
	return all
}

// example returns a body that the contract shows, JSON where it has it.
func example(t *testing.T, body *openapi3.RequestBody) (contentType, text string) {
	t.Helper()
	for name, media := range body.Content {
		if contentType != "" && name != "application/json" {
			continue
		}
		value := media.Example
		for _, named := range media.Examples {
			if value == nil {
				value = named.Value.Value
			}
		}
		contentType = name
		if raw, ok := value.(string); ok {
			text = raw
			continue
		}
		encoded, err := json.Marshal(value)
		check(t, err)
		text = string(encoded)
	}
	return contentType, text
}

// at returns the call's path in a project, on credentials that there are.
func (g *guarded) at(c call, project string) string {
	return strings.NewReplacer("{project}", project, "{key}", g.ids["a server key"], "{token}", g.ids["read of shop"]).Replace(c.path)
}

// TestAccess asks for every operation of the contract as everybody, in a project
// that they reach, in one that they do not, and in one that there is not. What
// may not be done is refused as the contract says, changes nothing, and tells
// nothing: not even which projects there are.
func TestAccess(t *testing.T) {
	refusals := guard(t)
	before := state(t, refusals.store)
	for _, c := range calls(t) {
		t.Run(c.id, func(t *testing.T) {
			needs, forLimited := httpapi.Needs(c.id)
			named := strings.Contains(c.path, "{project}")
			projects := []string{"shop"}
			if named {
				projects = []string{"shop", "web", "nowhere"}
			}
			for _, b := range bearers {
				answers := map[string]string{}
				for _, project := range projects {
					reached := len(b.projects) == 0 || slices.Contains(b.projects, project)
					want := b.status
					switch {
					case want != 0:
					case !b.scope.Covers(needs):
						want = http.StatusForbidden
					case named && !reached:
						want = http.StatusNotFound
					case !named && len(b.projects) > 0 && !forLimited:
						want = http.StatusForbidden
					}
					g := refusals
					if want == 0 {
						g = guard(t) // it may do what it says
					}
					g.t = t
					asked := c.body
					if len(b.projects) > 0 { // a token that is made must be within reach
						asked = strings.ReplaceAll(asked, `"projects":["shop"]`, `"projects":["`+b.projects[0]+`"]`)
					}
					status, body := g.answerTo(b.name, c.method, g.at(c, project), c.contentType, asked)
					switch {
					case want != 0 && status != want:
						t.Errorf("%s in %s is answered %d, not %d: %s", b.name, project, status, want, body)
					case want == 0 && (status == http.StatusUnauthorized || status == http.StatusForbidden || status >= 500):
						t.Errorf("%s in %s is answered %d: %s", b.name, project, status, body)
					case want == 0 && project != "nowhere" && strings.Contains(body, "There is no project"):
						t.Errorf("%s in %s is told %s", b.name, project, body)
					}
					if want != 0 {
						answers[project] = strings.ReplaceAll(body, project, "PROJECT")
					}
					if secret := g.secrets[b.name]; secret != "" && strings.Contains(body, string(secret)[3:]) {
						t.Errorf("%s is told its own secret", b.name)
					}
				}
				// Of what is out of reach, all are alike.
				for _, project := range projects {
					if len(b.projects) > 0 && slices.Contains(b.projects, project) {
						delete(answers, project)
					}
				}
				for one, answer := range answers {
					for other, same := range answers {
						if answer != same {
							t.Errorf("%s can tell %s from %s: %s, %s", b.name, one, other, answer, same)
						}
					}
				}
			}
		})
	}
	if diff := gocmp.Diff(before, state(t, refusals.store)); diff != "" {
		t.Errorf("what was refused changed something (-before +after):\n%s", diff)
	}
}

// everything is what a store holds, but for when credentials were used.
type everything struct {
	Sets        []store.Set
	Credentials []store.Credential
}

func state(t *testing.T, st store.Store) (all everything) {
	t.Helper()
	var err error
	all.Sets, err = st.Sets(context.Background())
	check(t, err)
	all.Credentials, err = st.Credentials(context.Background())
	check(t, err)
	return all
}

// The table says what people expect of the words.
func TestScopesAreThoseOfTheirWords(t *testing.T) {
	reading := []string{"evaluate", "validate"} // asked with POST, and change nothing
	for _, c := range calls(t) {
		needs, _ := httpapi.Needs(c.id)
		var want []auth.Scope
		switch {
		case strings.HasPrefix(c.path, "/tokens") || strings.Contains(c.path, "{key}") || strings.HasSuffix(c.id, "Key") && strings.HasPrefix(c.id, "create") || c.id == "listKeys":
			want = []auth.Scope{auth.ScopeAdmin}
		case c.method == http.MethodDelete:
			want = []auth.Scope{auth.ScopeAdmin}
		case c.method == http.MethodGet || slices.Contains(reading, c.id):
			want = []auth.Scope{auth.ScopeRead}
		case c.path == "/projects" || strings.HasSuffix(c.path, "/environments"):
			want = []auth.Scope{auth.ScopeAdmin}
		default:
			want = []auth.Scope{auth.ScopeWrite, auth.ScopeAdmin}
		}
		if !slices.Contains(want, needs) {
			t.Errorf("%s (%s %s) needs %q, not one of %q", c.id, c.method, c.path, needs, want)
		}
	}
}
