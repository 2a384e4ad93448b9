package httpapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/wigwag/wigwag/internal/auth"
	"github.com/wigwag/wigwag/internal/control"
	"github.com/wigwag/wigwag/internal/httpapi"
	"github.com/wigwag/wigwag/internal/store"
	"github.com/wigwag/wigwag/internal/store/memory"
	"github.com/wigwag/wigwag/internal/web"
)

// watched is an API whose log and answers are searched for secrets.
type watched struct {
	t       *rapid.T
	handler http.Handler
	log     bytes.Buffer
	secrets []auth.Secret // all that there ever were
	ids     map[string][]string
}

// send asks with a secret, in one of the places where people put it, and returns
// the answer. Of secrets it must have none but the one that was just made.
func (w *watched) send(method, path, body string, secret auth.Secret) {
	r := httptest.NewRequest(method, httpapi.Base+path, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	switch rapid.IntRange(0, 4).Draw(w.t, "place") {
	case 0:
		r.Header.Set("X-API-Key", string(secret))
	case 1: // the scheme is missing
		r.Header.Set("Authorization", string(secret))
	case 2:
		r.URL.RawQuery = "key=" + string(secret)
	default:
		r.Header.Set("Authorization", "Bearer "+string(secret))
	}
	recorder := httptest.NewRecorder()
	w.handler.ServeHTTP(recorder, r)
	answer := recorder.Body.String()
	var told struct {
		Secret string
		Item   struct{ ID string }
	}
	if err := json.Unmarshal([]byte(answer), &told); err != nil {
		w.t.Fatalf("%s %s: %d, and no JSON: %v", method, path, recorder.Code, err)
	}
	if told.Secret != "" {
		made := auth.Secret(told.Secret)
		if slices.Contains(w.secrets, made) {
			w.t.Fatalf("%s %s tells a secret again", method, path)
		}
		if strings.Count(answer, told.Secret) != 1 {
			w.t.Fatalf("%s %s tells the secret more than once", method, path)
		}
		answer = strings.Replace(answer, told.Secret, "", 1)
		w.secrets = append(w.secrets, made)
		w.ids[made.Kind()] = append(w.ids[made.Kind()], told.Item.ID)
	}
	for name, values := range recorder.Header() {
		answer += name + ": " + strings.Join(values, ", ") + "\n"
	}
	w.search(method+" "+path, answer)
	w.search("the log", w.log.String())
}

// search fails where a text has a secret, or the best part of one.
func (w *watched) search(where, text string) {
	for _, secret := range w.secrets {
		if strings.Contains(text, string(secret)[3:24]) {
			w.t.Fatalf("%s tells a secret: %s", where, text)
		}
	}
}

// TestSecretsAreToldOnce makes, rotates, lists, revokes and uses keys and tokens
// in any order, and searches every answer and the whole log for every secret.
func TestSecretsAreToldOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		st := memory.New()
		defer st.Close()
		c := control.New(st)
		ctx := context.Background()
		by := control.Write{Actor: "test"}
		if _, err := c.CreateProject(ctx, by, control.Project{Key: "shop"}); err != nil {
			t.Fatal(err)
		}
		if _, err := c.CreateEnvironment(ctx, by, "shop", control.Environment{Key: "production"}); err != nil {
			t.Fatal(err)
		}
		first := auth.NewSecret(auth.KindToken)
		root := auth.NewCredential(first, "root", store.SetID{}, time.Now())
		root.Scope = string(auth.ScopeAdmin)
		if err := st.Update(ctx, func(tx store.Tx) error { return tx.AddCredential(ctx, root) }); err != nil {
			t.Fatal(err)
		}
		w := &watched{t: t, secrets: []auth.Secret{first}, ids: map[string][]string{auth.KindToken: {root.ID}}}
		log := slog.New(slog.NewJSONHandler(&w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		w.handler = web.Observe(log, httpapi.New(c, auth.NewKeyring(st).Manager))

		id := func(kinds ...string) string {
			known := []string{"sk-unknown"}
			for _, kind := range kinds {
				known = append(known, w.ids[kind]...)
			}
			return rapid.SampledFrom(known).Draw(t, "id")
		}
		// Somebody takes a secret for an id, too.
		mistaken := func(id string) string {
			if rapid.IntRange(0, 9).Draw(t, "mistaken") > 0 {
				return id
			}
			return string(rapid.SampledFrom(w.secrets).Draw(t, "taken for an id"))
		}
		secret := func() auth.Secret {
			if rapid.Bool().Draw(t, "root") {
				return first
			}
			return rapid.SampledFrom(w.secrets).Draw(t, "secret")
		}
		const keys = "/projects/shop/environments/production/keys"
		body := func(name string, of ...string) string { return rapid.SampledFrom(of).Draw(t, name) }
		t.Repeat(map[string]func(*rapid.T){
			"create key": func(t *rapid.T) {
				w.send("POST", keys, body("key", `{"kind":"server","name":"a"}`, `{"kind":"client","name":"b"}`, `{"kind":"x","name":"c"}`), secret())
			},
			"create token": func(t *rapid.T) {
				w.send("POST", "/tokens", body("token", `{"name":"a","scope":"admin"}`, `{"name":"b","scope":"read","projects":["shop"]}`, `{"name":""}`), secret())
			},
			"rotate key": func(t *rapid.T) {
				w.send("POST", keys+"/"+mistaken(id("sk", "ck"))+"/rotate", body("rotation", `{}`, `{"overlap":"0s"}`, `{"overlap":"x"}`), secret())
			},
			"rotate token": func(t *rapid.T) {
				w.send("POST", "/tokens/"+mistaken(id("tk"))+"/rotate", body("rotation", `{}`, `{"overlap":"0s"}`, `{"overlap":"x"}`), secret())
			},
			"dry run":      func(t *rapid.T) { w.send("POST", keys+"?dryRun=true", `{"kind":"server","name":"a"}`, secret()) },
			"revoke key":   func(t *rapid.T) { w.send("DELETE", keys+"/"+mistaken(id("sk", "ck")), "", secret()) },
			"revoke token": func(t *rapid.T) { w.send("DELETE", "/tokens/"+mistaken(id("tk")), "", secret()) },
			"list keys":    func(t *rapid.T) { w.send("GET", keys, "", secret()) },
			"list tokens":  func(t *rapid.T) { w.send("GET", "/tokens", "", secret()) },
			"whoami":       func(t *rapid.T) { w.send("GET", "/whoami", "", secret()) },
			"history":      func(t *rapid.T) { w.send("GET", "/projects/shop/environments/production/changes", "", secret()) },
			"elsewhere":    func(t *rapid.T) { w.send("GET", "/nothing", "", secret()) },
		})
	})
}
