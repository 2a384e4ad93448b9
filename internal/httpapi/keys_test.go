package httpapi_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/wigwag/wigwag/internal/auth"
)

const shopKeys = "/projects/shop/environments/production/keys"

// field reads a part of an answer, such as item.name.
func field(t *testing.T, answer map[string]any, path string) string {
	t.Helper()
	var value any = answer
	for name := range strings.SplitSeq(path, ".") {
		inside, ok := value.(map[string]any)
		if !ok {
			t.Fatalf("no %s in %v", path, answer)
		}
		value = inside[name]
	}
	if value == nil {
		return ""
	}
	return fmt.Sprint(value)
}

// moment reads a time of an answer.
func moment(t *testing.T, answer map[string]any, path string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339Nano, field(t, answer, path))
	check(t, err)
	return at
}

// mustAs asks and wants a status.
func (g *guarded) mustAs(name, method, path, body string, want int) map[string]any {
	g.t.Helper()
	status, answer := g.as(name, method, path, body)
	if status != want {
		g.t.Fatalf("%s: %s %s %s: %d %v, want %d", name, method, path, body, status, answer, want)
	}
	return answer
}

// found returns the item of a list with an id.
func found(answer map[string]any, id string) map[string]any {
	items, _ := answer["items"].([]any)
	for _, item := range items {
		if i, ok := item.(map[string]any); ok && i["id"] == id {
			return i
		}
	}
	return nil
}

func TestTheLifeOfAKey(t *testing.T) {
	g := guard(t)
	made := g.mustAs("admin", "POST", shopKeys, `{"kind":"client","name":"web shop"}`, http.StatusCreated)
	id, secret := field(t, made, "item.id"), auth.Secret(field(t, made, "secret"))
	if secret.Kind() != auth.KindClient || field(t, made, "item.kind") != "client" ||
		!strings.HasPrefix(field(t, made, "item.createdBy"), "admin (tk-") || field(t, made, "item.expiresAt") != "" {
		t.Errorf("made: kind %s, %v", secret.Kind(), made["item"])
	}
	list := g.mustAs("admin", "GET", shopKeys, "", http.StatusOK)
	if listed := found(list, id); listed == nil || listed["secret"] != nil {
		t.Errorf("listed: %v", listed)
	}
	// The other environment has none of them.
	if other := g.mustAs("admin", "GET", "/projects/shop/environments/staging/keys", "", http.StatusOK); len(other["items"].([]any)) != 0 {
		t.Errorf("staging has %v", other)
	}
	staging := "/projects/shop/environments/staging/keys/" + id
	g.mustAs("admin", "DELETE", staging, "", http.StatusNotFound)
	g.mustAs("admin", "POST", staging+"/rotate", `{}`, http.StatusNotFound)

	before := time.Now()
	rotated := g.mustAs("admin", "POST", shopKeys+"/"+id+"/rotate", `{"overlap":"1h"}`, http.StatusCreated)
	second := field(t, rotated, "item.id")
	if second == id || field(t, rotated, "secret") == string(secret) || field(t, rotated, "item.name") != "web shop" ||
		field(t, rotated, "replaced.id") != id || field(t, rotated, "replaced.replacedBy") != second {
		t.Errorf("rotated to %v, replacing %v", rotated["item"], rotated["replaced"])
	}
	if left := moment(t, rotated, "replaced.expiresAt").Sub(before); left < time.Hour-time.Second || left > time.Hour+time.Minute {
		t.Errorf("the old key has %s left", left)
	}
	again := g.mustAs("admin", "POST", shopKeys+"/"+id+"/rotate", `{}`, http.StatusConflict)
	if !strings.Contains(field(t, again, "detail"), second) {
		t.Errorf("rotating it again: %v", again)
	}
	// A day, where nobody says otherwise.
	third := g.mustAs("admin", "POST", shopKeys+"/"+second+"/rotate", `{}`, http.StatusCreated)
	if left := time.Until(moment(t, third, "replaced.expiresAt")); left < 24*time.Hour-time.Minute || left > 24*time.Hour {
		t.Errorf("the old key has %s left", left)
	}
	revoked := g.mustAs("admin", "DELETE", shopKeys+"/"+id, "", http.StatusOK)
	if field(t, revoked, "item.id") != id {
		t.Errorf("revoked %v", revoked)
	}
	g.mustAs("admin", "DELETE", shopKeys+"/"+id, "", http.StatusNotFound)
	if list := g.mustAs("admin", "GET", shopKeys, "", http.StatusOK); found(list, id) != nil || found(list, second) == nil {
		t.Errorf("left are %v", list)
	}
}

// A key that was made for ninety days is followed by one for ninety days.
func TestARotationKeepsTheLifetime(t *testing.T) {
	g := guard(t)
	expires := time.Now().Add(90 * 24 * time.Hour).UTC().Format(time.RFC3339Nano)
	made := g.mustAs("admin", "POST", shopKeys, `{"kind":"server","name":"a","expiresAt":"`+expires+`"}`, http.StatusCreated)
	rotated := g.mustAs("admin", "POST", shopKeys+"/"+field(t, made, "item.id")+"/rotate", `{"overlap":"0s"}`, http.StatusCreated)
	lifetime := moment(t, rotated, "item.expiresAt").Sub(moment(t, rotated, "item.createdAt"))
	if lifetime < 90*24*time.Hour-time.Minute || lifetime > 90*24*time.Hour {
		t.Errorf("the new key lasts %s", lifetime)
	}
	if moment(t, rotated, "replaced.expiresAt").After(time.Now()) {
		t.Errorf("without overlap, the old key expires at %v", rotated["replaced"])
	}
	// An overlap does not make a key live longer than it would have.
	soon := time.Now().Add(time.Minute).UTC().Truncate(time.Second)
	short := g.mustAs("admin", "POST", shopKeys, `{"kind":"server","name":"b","expiresAt":"`+soon.Format(time.RFC3339)+`"}`, http.StatusCreated)
	rotated = g.mustAs("admin", "POST", shopKeys+"/"+field(t, short, "item.id")+"/rotate", `{"overlap":"2h"}`, http.StatusCreated)
	if at := moment(t, rotated, "replaced.expiresAt"); !at.Equal(soon) {
		t.Errorf("the old key expires at %s instead of %s", at, soon)
	}
}

func TestRefusedKeysAndTokens(t *testing.T) {
	g := guard(t)
	rotate := shopKeys + "/" + g.ids["a server key"] + "/rotate"
	for _, c := range []struct{ name, path, body, field string }{
		{"a kind that there is not", shopKeys, `{"kind":"root","name":"a"}`, "kind"},
		{"no kind", shopKeys, `{"name":"a"}`, "kind"},
		{"no name", shopKeys, `{"kind":"server"}`, "name"},
		{"a long name", shopKeys, `{"kind":"server","name":"` + strings.Repeat("a", 2000) + `"}`, "name"},
		{"expired from the start", shopKeys, `{"kind":"server","name":"a","expiresAt":"2020-01-01T00:00:00Z"}`, "expiresAt"},
		{"a secret of one's own", shopKeys, `{"kind":"server","name":"a","secret":"sk_mine"}`, "secret"},
		{"an overlap that is none", rotate, `{"overlap":"soon"}`, "overlap"},
		{"an overlap that was", rotate, `{"overlap":"-1h"}`, "overlap"},
		{"an overlap without end", rotate, `{"overlap":"721h"}`, "overlap"},
		{"a scope that there is not", "/tokens", `{"name":"a","scope":"root"}`, "scope"},
		{"no scope", "/tokens", `{"name":"a"}`, "scope"},
		{"no name of a token", "/tokens", `{"scope":"read"}`, "name"},
		{"a project that there is not", "/tokens", `{"name":"a","scope":"read","projects":["nowhere"]}`, "projects"},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := state(t, g.store)
			g.t = t
			answer := g.mustAs("admin", "POST", c.path, c.body, http.StatusBadRequest)
			if !strings.Contains(fmt.Sprint(answer["errors"]), "field:"+c.field) {
				t.Errorf("it names %v: %v", answer["errors"], answer["detail"])
			}
			if after := state(t, g.store); len(after.Credentials) != len(before.Credentials) {
				t.Error("there is another credential")
			}
		})
	}
}

// A token can neither make, replace nor take away what is more than itself.
func TestATokenGrantsNoMoreThanItHas(t *testing.T) {
	g := guard(t)
	const limited = "admin of shop"
	for _, projects := range []string{``, `,"projects":[]`, `,"projects":["web"]`, `,"projects":["shop","web"]`, `,"projects":["nowhere"]`} {
		g.mustAs(limited, "POST", "/tokens", `{"name":"more","scope":"read"`+projects+`}`, http.StatusForbidden)
	}
	made := g.mustAs(limited, "POST", "/tokens", `{"name":"less","scope":"admin","projects":["shop","shop"]}`, http.StatusCreated)
	if got := field(t, made, "item.projects"); got != "[shop]" {
		t.Errorf("made for %s", got)
	}
	for _, name := range []string{"admin", "read", "admin of web", "a server key"} {
		path := "/tokens/" + g.ids[name]
		g.mustAs(limited, "DELETE", path, "", http.StatusNotFound)
		g.mustAs(limited, "POST", path+"/rotate", `{}`, http.StatusNotFound)
	}
	list := g.mustAs(limited, "GET", "/tokens", "", http.StatusOK)
	for _, b := range bearers {
		if seen, may := found(list, g.ids[b.name]) != nil, len(b.projects) == 1 && b.projects[0] == "shop"; seen != may {
			t.Errorf("it sees %s: %t", b.name, seen)
		}
	}
	// What it makes of what it reaches may do the same.
	rotated := g.mustAs(limited, "POST", "/tokens/"+g.ids["write of shop"]+"/rotate", `{}`, http.StatusCreated)
	if field(t, rotated, "item.projects") != "[shop]" || field(t, rotated, "item.scope") != "write" {
		t.Errorf("rotated to %v", rotated["item"])
	}
	// Of the projects it sees its own.
	projects := g.mustAs(limited, "GET", "/projects", "", http.StatusOK)
	if text := fmt.Sprint(projects["items"]); !strings.Contains(text, "key:shop") || strings.Contains(text, "key:web") {
		t.Errorf("it sees the projects %s", text)
	}
}

// Users would miss: every way to make another token.
func TestTheLastAdminTokenStays(t *testing.T) {
	g := guard(t)
	last := "/tokens/" + g.ids["admin"]
	refused := g.mustAs("admin", "DELETE", last, "", http.StatusConflict)
	if !strings.Contains(field(t, refused, "detail"), "last token") {
		t.Errorf("refused with %v", refused)
	}
	g.mustAs("admin", "DELETE", last+"?dryRun=true", "", http.StatusConflict)
	// Neither a limited one, one of less scope nor one that has expired is another.
	g.mustAs("admin", "DELETE", "/tokens/"+g.ids["admin of shop"], "", http.StatusOK)
	g.mustAs("admin", "DELETE", "/tokens/"+g.ids["write"], "", http.StatusOK)
	g.mustAs("admin", "DELETE", "/tokens/"+g.ids["an expired token"], "", http.StatusOK)
	g.mustAs("admin", "DELETE", last, "", http.StatusConflict)
	made := g.mustAs("admin", "POST", "/tokens", `{"name":"second","scope":"admin"}`, http.StatusCreated)
	g.secrets["second"] = auth.Secret(field(t, made, "secret"))
	g.mustAs("second", "DELETE", last, "", http.StatusOK)
	g.mustAs("second", "DELETE", "/tokens/"+field(t, made, "item.id"), "", http.StatusConflict)
}

func TestADryRunMakesNothingAndTellsNoSecret(t *testing.T) {
	g := guard(t)
	before := state(t, g.store)
	for _, c := range []struct{ method, path, body string }{
		{"POST", shopKeys, `{"kind":"server","name":"a"}`},
		{"POST", shopKeys + "/" + g.ids["a server key"] + "/rotate", `{"overlap":"0s"}`},
		{"POST", "/tokens", `{"name":"a","scope":"read"}`},
		{"POST", "/tokens/" + g.ids["read"] + "/rotate", `{}`},
		{"DELETE", "/tokens/" + g.ids["read"], ""},
		{"DELETE", shopKeys + "/" + g.ids["a server key"], ""},
	} {
		status, answer := g.as("admin", c.method, c.path+"?dryRun=true", c.body)
		if status >= 300 || answer["item"] == nil || answer["secret"] != nil {
			t.Errorf("%s %s: %d %v", c.method, c.path, status, answer)
		}
	}
	if after := state(t, g.store); fmt.Sprint(after) != fmt.Sprint(before) {
		t.Error("something was made or taken away")
	}
}

func TestWhoami(t *testing.T) {
	g := guard(t)
	for _, b := range bearers[5:] {
		me := g.mustAs(b.name, "GET", "/whoami", "", http.StatusOK)
		if field(t, me, "id") != g.ids[b.name] || field(t, me, "scope") != string(b.scope) || field(t, me, "name") != b.name {
			t.Errorf("%s is %v", b.name, me)
		}
	}
}
