package httpapi_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/wigwag/wigwag/internal/auth"
	"github.com/wigwag/wigwag/internal/gen"
	"github.com/wigwag/wigwag/internal/httpapi"
	"github.com/wigwag/wigwag/internal/web"
)

// answerOf reads an answer.
func answerOf[T any](t *testing.T, resp *http.Response, status int) (T, string) {
	t.Helper()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != status {
		t.Fatalf("%d %s, %v; want %d", resp.StatusCode, text, err, status)
	}
	var body T
	if err := json.Unmarshal(text, &body); err != nil {
		t.Fatal(err)
	}
	return body, string(text)
}

const checkout = production + "/flags/new-checkout"

func TestDryRunAnswersTheDifference(t *testing.T) {
	s := shop(t)
	before, _ := answerOf[gen.Flag](t, s.send(t.Context(), "GET", checkout, ""), 200)
	resp := s.send(t.Context(), "PATCH", checkout+"?dryRun=true", `{"state":"DISABLED"}`)
	tried, _ := answerOf[gen.FlagWritten](t, resp, 200)
	if len(tried.Changes) != 1 || tried.Item.State != "DISABLED" {
		t.Fatalf("answered %+v", tried)
	}
	change := tried.Changes[0]
	if change.Environment != "production" || change.Kind != "flag" || change.Key != "new-checkout" || change.Action != "update" ||
		!strings.Contains(string(change.Before), `"ENABLED"`) || !strings.Contains(string(change.After), `"DISABLED"`) {
		t.Errorf("the change is %s %s: %s to %s", change.Action, change.Key, change.Before, change.After)
	}
	if after, _ := answerOf[gen.Flag](t, s.send(t.Context(), "GET", checkout, ""), 200); after.State != before.State {
		t.Error("the dry run wrote")
	}
	written, _ := answerOf[gen.FlagWritten](t, s.send(t.Context(), "PATCH", checkout+"?dryRun=false", `{"state":"DISABLED"}`), 200)
	if len(written.Changes) != 1 || written.Changes[0].Before != nil || written.Changes[0].After != nil {
		t.Errorf("a write answers %+v", written.Changes)
	}
	if written.Position == tried.Position || resp.Header.Get("ETag") != `"`+tried.Position.String()+`"` {
		t.Errorf("positions: tried %s, written %s", tried.Position, written.Position)
	}
	nothing, _ := answerOf[gen.FlagWritten](t, s.send(t.Context(), "PATCH", checkout, `{"state":"DISABLED"}`), 200)
	if nothing.Changes == nil || len(nothing.Changes) != 0 {
		t.Errorf("what was so already answers %+v", nothing.Changes)
	}

	made, _ := answerOf[gen.ProjectWritten](t, s.send(t.Context(), "POST", "/projects?dryRun=true", `{"key":"other"}`), 201)
	if !made.Position.IsZero() || len(made.Changes) != 1 {
		t.Errorf("a project that is not made: %+v", made)
	}
	environment, _ := answerOf[gen.EnvironmentWritten](t, s.send(t.Context(), "POST", "/projects/shop/environments?dryRun=true", `{"key":"dev"}`), 201)
	if len(environment.Environments) != 0 {
		t.Errorf("an environment that is not made is at %v", environment.Environments)
	}
	for _, bad := range []string{"dryRun=", "dryRun=1", "dryRun=true&dryRun=true", "dryRun=yes"} {
		problem, _ := answerOf[gen.Problem](t, s.send(wrong(t), "PATCH", checkout+"?"+bad, `{"state":"ENABLED"}`), 400)
		if len(problem.Errors) != 1 || problem.Errors[0].Path != "dryRun" {
			t.Errorf("%s: %+v", bad, problem)
		}
	}
}

func TestPutAndOperateFlag(t *testing.T) {
	s := shop(t)
	_, whole := answerOf[gen.Flag](t, s.send(t.Context(), "GET", checkout, ""), 200)
	same, _ := answerOf[gen.FlagWritten](t, s.send(t.Context(), "PUT", checkout, whole), 200)
	if len(same.Changes) != 0 {
		t.Errorf("what was read changes %+v", same.Changes)
	}
	put, _ := answerOf[gen.FlagWritten](t, s.send(t.Context(), "PUT", checkout, `{"state":"ENABLED","offVariant":"off","default":{"variant":"on"}}`), 200)
	if len(put.Item.Rules) != 0 || put.Item.Default.Variant != "on" || put.Item.Key != "new-checkout" {
		t.Errorf("put %+v", put.Item)
	}
	operate := []string{"Content-Type", httpapi.OperationsType}
	operated, _ := answerOf[gen.FlagWritten](t, s.send(t.Context(), "PATCH", checkout,
		`{"operations":[{"op":"addOverride","variant":"on","targetingKeys":["u1"]},{"op":"setSplit","default":true,"weights":[["on",1],["off",99999]]},
		{"op":"insertRule","rule":{"when":{"segment":"eu-beta"},"serve":{"variant":"on"}}}]}`, operate...), 200)
	if len(operated.Item.Overrides) != 1 || operated.Item.Default.Split == nil || len(operated.Item.Rules) != 1 {
		t.Errorf("operated %+v", operated.Item)
	}
	problem, _ := answerOf[gen.Problem](t, s.send(t.Context(), "PATCH", checkout,
		`{"operations":[{"op":"enable"},{"op":"setOffVariant","variant":"x"}]}`, operate...), 400)
	if len(problem.Errors) != 1 || problem.Errors[0].Path != "operations[1].variant" {
		t.Errorf("problem: %+v", problem)
	}
	// As a merge patch the same body is refused.
	answerOf[gen.Problem](t, s.send(wrong(t), "PATCH", checkout, `{"operations":[{"op":"enable"}]}`), 400)
}

func TestStaleProblemTellsTheCurrentState(t *testing.T) {
	s := shop(t)
	tag := s.send(t.Context(), "GET", checkout, "").Header.Get("ETag")
	changed := s.must("PATCH", checkout, `{"state":"DISABLED"}`)
	problem, _ := answerOf[gen.Problem](t, s.send(t.Context(), "PUT", checkout, `{"state":"ENABLED","offVariant":"on","default":{"variant":"on"}}`, "If-Match", tag), 412)
	var current gen.Flag
	if err := json.Unmarshal(problem.Current, &current); err != nil || current.State != "DISABLED" {
		t.Errorf("current is %s", problem.Current)
	}
	if !slices.Equal(problem.Differs, []string{"state"}) || `"`+problem.ChangedAt+`"` != changed.Header.Get("ETag") {
		t.Errorf("problem: %+v", problem)
	}
}

func TestApplyChanges(t *testing.T) {
	s := shop(t)
	const changes = "/projects/shop/changes"
	body := `{"changes":[
		{"action":"patchFlag","environment":"production","key":"new-checkout","operations":[{"op":"addPrerequisite","flag":"search","variants":["on"]}]},
		{"action":"createFlag","document":{"key":"search","type":"boolean"}},
		{"action":"patchSegment","environment":"production","key":"eu-beta","patch":{"name":"Testers"}}]}`
	tried, _ := answerOf[gen.BatchWritten](t, s.send(t.Context(), "POST", changes+"?dryRun=true", body), 200)
	written, _ := answerOf[gen.BatchWritten](t, s.send(t.Context(), "POST", changes, body, "Wigwag-Comment", "at once"), 200)
	if len(written.Changes) != 5 || len(tried.Changes) != 5 || tried.Changes[0].After == nil || written.Changes[0].After != nil {
		t.Errorf("written %+v, tried %+v", written.Changes, tried.Changes)
	}
	if len(written.Environments) != 2 || written.Environments["production"].Version != tried.Environments["production"].Version+1 {
		t.Errorf("environments %v, tried %v", written.Environments, tried.Environments)
	}
	for _, bad := range []struct {
		body, field string
		status      int
	}{
		{`{"changes":[{"action":"patchFlag","environment":"production","key":"search","patch":{"default":{"variant":"x"}}}]}`, "changes[0].patch.default.variant", 400},
		{`{"changes":[{"action":"patchFlag","environment":"production","key":"search","ifMatch":"no position","patch":{}}]}`, "changes[0].ifMatch", 400},
		{`{"changes":[{"action":"deleteSegment","environment":"production","key":"eu-beta"}]}`, "changes", 409},
		{`{"changes":[{"action":"unarchiveFlag","key":"none"}]}`, "changes[0]", 404},
		{`{"changes":[{"action":"burn"}]}`, "changes[0].action", 400},
	} {
		problem, text := answerOf[gen.Problem](t, s.send(wrong(t), "POST", changes, bad.body), bad.status)
		if len(problem.Errors) == 0 || problem.Errors[0].Path != bad.field {
			t.Errorf("%s: %s", bad.body, text)
		}
	}
}

func TestIdempotencyKey(t *testing.T) {
	s := shop(t)
	key := []string{"Idempotency-Key", "0197f3c2-b1d4"}
	create := func(body string, status int) (http.Header, string) {
		resp := s.send(t.Context(), "POST", "/projects/shop/flags", body, key...)
		_, text := answerOf[any](t, resp, status)
		return resp.Header, text
	}
	first, body := create(`{"key":"search","type":"boolean"}`, 201)
	again, repeated := create(`{"key":"search","type":"boolean"}`, 201)
	if body != repeated {
		t.Errorf("the repetition is answered %s, not %s", repeated, body)
	}
	for _, name := range []string{"ETag", "Location", "Content-Type"} {
		if first.Get(name) == "" || first.Get(name) != again.Get(name) {
			t.Errorf("%s is %q, then %q", name, first.Get(name), again.Get(name))
		}
	}
	if first.Get("Idempotency-Replayed") != "" || again.Get("Idempotency-Replayed") != "true" {
		t.Errorf("replayed: %q, then %q", first.Get("Idempotency-Replayed"), again.Get("Idempotency-Replayed"))
	}
	_, text := create(`{"key":"other","type":"boolean"}`, 422)
	if !strings.Contains(text, "key-reused") {
		t.Error(text)
	}
	// Another path, query, condition or comment is another request.
	for _, other := range []struct{ path, header, value string }{
		{"/projects/shop/flags?x=1", "", ""},
		{"/projects/shop/flags", "Wigwag-Comment", "why"},
		{"/projects/shop/environments/production/segments", "", ""},
	} {
		header := key
		if other.header != "" {
			header = append(slices.Clone(key), other.header, other.value)
		}
		resp := s.send(wrong(t), "POST", other.path, `{"key":"search"}`, header...)
		if resp.StatusCode != 422 && resp.StatusCode != 400 {
			t.Errorf("%+v: %d", other, resp.StatusCode)
		}
	}

	refusal := []string{"Idempotency-Key", "refused"}
	answerOf[gen.Problem](t, s.send(t.Context(), "PATCH", production+"/flags/later", `{"state":"ENABLED"}`, refusal...), 404)
	s.must("POST", "/projects/shop/flags", `{"key":"later","type":"boolean"}`)
	resp := s.send(t.Context(), "PATCH", production+"/flags/later", `{"state":"ENABLED"}`, refusal...)
	if answerOf[gen.Problem](t, resp, 404); resp.Header.Get("Idempotency-Replayed") != "true" {
		t.Error("the refusal was not kept")
	}
	for _, bad := range []string{"a b", strings.Repeat("k", 256), "ä", "a\nb"} {
		problem, text := answerOf[gen.Problem](t, s.send(wrong(t), "PATCH", checkout, `{"state":"ENABLED"}`, "Idempotency-Key", bad), 400)
		if len(problem.Errors) != 1 || problem.Errors[0].Path != "Idempotency-Key" {
			t.Errorf("%q: %s", bad, text)
		}
	}
	// A secret is kept nowhere.
	problem, text := answerOf[gen.Problem](t, s.send(wrong(t), "POST", production+"/keys", `{"kind":"server","name":"x"}`, "Idempotency-Key", "secret"), 400)
	if len(problem.Errors) != 1 || problem.Errors[0].Path != "Idempotency-Key" {
		t.Error(text)
	}
}

// wrong is the context of a request that is not of the contract.
func wrong(t *testing.T) context.Context {
	return context.WithValue(t.Context(), wrongOnPurpose{}, true)
}

// A batch does not reach further than its changes do alone.
func TestBatchNeedsWhatItsChangesNeed(t *testing.T) {
	s := shop(t)
	handler := web.Observe(slog.New(slog.DiscardHandler), httpapi.New(s.control, func(*http.Request) (auth.Caller, error) {
		return auth.Caller{Actor: "ben", Scope: auth.ScopeWrite}, nil
	}))
	for _, test := range []struct {
		change string
		status int
	}{
		{`{"action":"createSegment","environment":"production","document":{"key":"x"}}`, 200},
		{`{"action":"deleteSegment","environment":"production","key":"x"}`, 403},
		{`{"action":"deleteFlag","key":"new-checkout"}`, 403},
	} {
		r := httptest.NewRequest("POST", httpapi.Base+"/projects/shop/changes", strings.NewReader(`{"changes":[`+test.change+`]}`))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code != test.status {
			t.Errorf("%s: %d %s", test.change, w.Code, w.Body)
		}
	}
}
