package httpapi_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/gen"
	"github.com/wigwag/wigwag/internal/store"
)

// get reads an answer that succeeds.
func get[T any](s *service, path string) T {
	s.t.Helper()
	var value T
	body, err := io.ReadAll(s.must("GET", path, "").Body)
	if err == nil {
		err = json.Unmarshal(body, &value)
	}
	if err != nil {
		s.t.Fatalf("%s: %v", path, err)
	}
	return value
}

func TestHistoryOfAnEnvironment(t *testing.T) {
	s := shop(t)
	s.must("PATCH", production+"/flags/new-checkout", `{"state":"DISABLED"}`, "Wigwag-Comment", "stop")
	s.must("POST", production+"/segments/eu-beta/keys", `{"list":"included","add":["user-43"]}`)

	newest := get[gen.ChangeList](s, production+"/changes?order=desc&limit=1")
	if len(newest.Changes) != 1 || newest.Changes[0].Segments[0] != "eu-beta" || newest.Next != newest.Changes[0].Position {
		t.Fatalf("the newest change is %+v", newest)
	}
	second := get[gen.ChangeList](s, production+"/changes?order=desc&limit=1&after="+newest.Next.String())
	if len(second.Changes) != 1 || second.Changes[0].Comment != "stop" {
		t.Fatalf("the one before is %+v", second)
	}
	ofFlag := get[gen.ChangeList](s, production+"/changes?order=desc&flag=new-checkout")
	if len(ofFlag.Changes) != 3 || ofFlag.Changes[0].Comment != "stop" || !ofFlag.Next.IsZero() {
		t.Errorf("the changes of the flag are %+v", ofFlag)
	}
	ofSegment := get[gen.ChangeList](s, production+"/changes?segment=eu-beta")
	if len(ofSegment.Changes) != 2 || ofSegment.Next != newest.Next {
		t.Errorf("the changes of the segment are %+v", ofSegment)
	}

	stopped := second.Changes[0].Position.Version
	version := get[gen.Version](s, fmt.Sprintf("%s/versions/%d", production, stopped))
	if len(version.Items) != 1 || version.Comment != "stop" || version.Items[0].Action != "update" ||
		!strings.Contains(string(version.Items[0].Before), `"ENABLED"`) || !strings.Contains(string(version.Items[0].After), `"DISABLED"`) {
		t.Errorf("version %d is %+v", stopped, version)
	}

	before := fmt.Sprintf("%s/versions/%d", production, stopped-1)
	if flags := get[gen.PastFlags](s, before+"/flags"); len(flags.Items) != 2 || flags.Items[0].State != feature.StateEnabled || flags.Position.Version != stopped-1 {
		t.Errorf("flags of before: %+v", flags)
	}
	if flag := get[gen.Flag](s, before+"/flags/new-checkout"); flag.State != feature.StateEnabled {
		t.Errorf("the flag of before: %+v", flag)
	}
	if segments := get[gen.PastSegments](s, before+"/segments"); len(segments.Items) != 1 || len(segments.Items[0].Included) != 1 {
		t.Errorf("segments of before: %+v", segments)
	}
	if segment := get[gen.Segment](s, before+"/segments/eu-beta"); len(segment.Included) != 1 {
		t.Errorf("the segment of before: %+v", segment)
	}
	if first := get[gen.PastSegments](s, production+"/versions/1/segments"); first.Items == nil || len(first.Items) != 0 {
		t.Errorf("segments of the beginning: %+v", first)
	}

	diff := get[gen.Diff](s, fmt.Sprintf("%s/diff?from=%d&segment=eu-beta", production, stopped))
	if len(diff.Items) != 1 || diff.To != newest.Next || !strings.Contains(string(diff.Items[0].After), "user-43") {
		t.Errorf("diff is %+v", diff)
	}
	none := get[gen.Diff](s, fmt.Sprintf("%s/diff?from=%d&to=%d&flag=payments-v2", production, stopped-1, stopped))
	if none.Items == nil || len(none.Items) != 0 {
		t.Errorf("diff of what did not change is %+v", none)
	}

	evaluated, err := s.client.EvaluateWithResponse(context.Background(), "shop", "production", gen.EvaluateRequest{
		Flags: []string{"new-checkout"}, Context: feature.NewContext("user-42"), At: stopped - 1,
	})
	if check(t, err); evaluated.JSON200 == nil || evaluated.JSON200.Results[0].Reason == feature.ReasonDisabled || evaluated.JSON200.Position.Version != stopped-1 {
		t.Errorf("evaluated at %d: %s", stopped-1, evaluated.Body)
	}
}

func TestHistoryOfAProject(t *testing.T) {
	s := shop(t)
	s.must("PATCH", "/projects/shop/flags/new-checkout", `{"owner":"payments"}`)
	changes := get[gen.ChangeList](s, "/projects/shop/changes?order=desc")
	if len(changes.Changes) != 6 || changes.Changes[0].Flags[0] != "new-checkout" || changes.Changes[4].Environments[0] != "production" {
		t.Fatalf("changes are %+v", changes)
	}
	if filtered := get[gen.ChangeList](s, "/projects/shop/changes?flag=new-checkout&limit=1"); len(filtered.Changes) != 1 {
		t.Errorf("changes of the flag are %+v", filtered)
	}
	last := changes.Changes[0].Position.Version
	version := get[gen.Version](s, fmt.Sprintf("/projects/shop/versions/%d", last))
	if len(version.Items) != 1 || version.Items[0].Kind != "definition" || version.Items[0].Environment != "" {
		t.Errorf("version is %+v", version)
	}
	diff := get[gen.Diff](s, fmt.Sprintf("/projects/shop/diff?from=%d&to=%d&flag=new-checkout", last-1, last))
	if len(diff.Items) != 1 || !strings.Contains(string(diff.Items[0].After), `"payments"`) {
		t.Errorf("diff is %+v", diff)
	}
}

func TestRestoreByTheAPI(t *testing.T) {
	s := shop(t)
	position := get[gen.ChangeList](s, production+"/changes?order=desc&limit=1").Next
	enabled := s.must("GET", production+"/flags/new-checkout", "")
	was, err := io.ReadAll(enabled.Body)
	check(t, err)
	s.must("PATCH", production+"/flags/new-checkout", `{"state":"DISABLED","rules":null}`)
	s.must("DELETE", production+"/segments/eu-beta", "")

	body := fmt.Sprintf(`{"version":%d}`, position.Version)
	tried := s.must("POST", production+"/restore?dryRun=true", body)
	text, err := io.ReadAll(tried.Body)
	check(t, err)
	if !strings.Contains(string(text), `"before"`) || !strings.Contains(string(text), `"eu-beta"`) {
		t.Errorf("a dry run answers %s", text)
	}
	if now := get[gen.Flag](s, production+"/flags/new-checkout"); now.State != feature.StateDisabled {
		t.Error("a dry run restored the flag")
	}
	for what, want := range map[string]int{
		fmt.Sprintf(`{"version":%d,"flag":"new-checkout"}`, position.Version): http.StatusConflict, // its segment is gone
		fmt.Sprintf(`{"version":%d,"flag":"nope"}`, position.Version):         http.StatusNotFound,
		`{"version":1000}`: http.StatusNotFound,
		`{"version":0}`:    http.StatusBadRequest,
		fmt.Sprintf(`{"version":%d,"flag":"new-checkout","segment":"eu-beta"}`, position.Version): http.StatusBadRequest,
		`{"version":1,"flags":"new-checkout"}`:                                                    http.StatusBadRequest,
	} {
		s.refused("POST", production+"/restore", what, want)
	}
	s.refused("POST", production+"/restore", body, http.StatusPreconditionFailed, "If-Match", `"`+position.String()+`"`)

	s.must("POST", production+"/restore", fmt.Sprintf(`{"version":%d,"segment":"eu-beta"}`, position.Version))
	s.must("POST", production+"/restore", fmt.Sprintf(`{"version":%d,"flag":"new-checkout"}`, position.Version), "Wigwag-Comment", "go back")
	again := s.must("GET", production+"/flags/new-checkout", "")
	is, err := io.ReadAll(again.Body)
	if check(t, err); string(is) != string(was) {
		t.Errorf("restored to %s, was %s", is, was)
	}
	if newest := get[gen.ChangeList](s, production+"/changes?order=desc&limit=1"); newest.Changes[0].Comment != "go back" {
		t.Errorf("the newest change is %+v", newest)
	}
	s.must("POST", production+"/restore", body)
}

// refused sends a request that is refused with a status; it may be not of the
// contract.
func (s *service) refused(method, path, body string, status int, header ...string) {
	s.t.Helper()
	ctx := context.WithValue(context.Background(), wrongOnPurpose{}, true)
	resp := s.send(ctx, method, path, body, header...)
	if resp.StatusCode != status {
		text, _ := io.ReadAll(resp.Body)
		s.t.Errorf("%s %s %s: %d, want %d: %s", method, path, body, resp.StatusCode, status, text)
	}
}

func TestHistoryRefuses(t *testing.T) {
	s := shop(t)
	for path, want := range map[string]int{
		"/versions/0":                    http.StatusBadRequest,
		"/versions/-1":                   http.StatusBadRequest,
		"/versions/x":                    http.StatusBadRequest,
		"/versions/1000":                 http.StatusNotFound,
		"/versions/1000/flags":           http.StatusNotFound,
		"/versions/1/flags/new-checkout": http.StatusNotFound,
		"/versions/1/segments/eu-beta":   http.StatusNotFound,
		"/changes?order=up":              http.StatusBadRequest,
		"/changes?flag=-":                http.StatusBadRequest,
		"/changes?after=x:1":             http.StatusBadRequest,
		"/diff":                          http.StatusBadRequest,
		"/diff?from=1&to=1000":           http.StatusNotFound,
		"/diff?from=-1":                  http.StatusBadRequest,
		"/diff?from=1&from=2":            http.StatusBadRequest,
	} {
		s.refused("GET", production+path, "", want)
	}
	s.refused("POST", production+"/evaluate", `{"at":1000}`, http.StatusNotFound)
	s.refused("GET", "/projects/shop/versions/1000", "", http.StatusNotFound)
	s.refused("GET", "/projects/nope/changes", "", http.StatusNotFound)
}

// What retention has dropped is 410.
func TestDroppedHistoryIsGone(t *testing.T) {
	s := shop(t)
	if _, err := s.store.DropHistory(context.Background(), store.SetID{Project: "shop", Environment: "production"}, time.Now().Add(time.Hour), 1000); err != nil {
		t.Fatal(err)
	}
	epoch, _, _ := strings.Cut(s.must("GET", production+"/flags/new-checkout", "").Header.Get("ETag"), ":")
	for _, path := range []string{
		"/versions/1", "/versions/1/flags", "/versions/1/flags/payments-v2", "/versions/1/segments", "/versions/1/segments/eu-beta",
		"/diff?from=1", "/changes?after=" + strings.Trim(epoch, `"`) + ":1",
	} {
		s.refused("GET", production+path, "", http.StatusGone)
	}
	s.refused("POST", production+"/restore", `{"version":1}`, http.StatusGone)
	s.refused("POST", production+"/evaluate", `{"at":1}`, http.StatusGone)
	if all := get[gen.ChangeList](s, production+"/changes"); len(all.Changes) != 0 {
		t.Errorf("changes are %+v", all)
	}
}

// Whoever may not delete segments may not do it by restoring an environment either.
func TestRestoringAnEnvironmentTakesAnAdmin(t *testing.T) {
	g := guard(t)
	for body, want := range map[string]int{
		`{"version":3}`:                          http.StatusForbidden,
		`{"version":3,"flag":"payments-v2"}`:     http.StatusOK,
		`{"version":3,"segment":"eu-beta"}`:      http.StatusOK,
		`{"version":3,"flag":"","segment":""}`:   http.StatusForbidden,
		`{"version":1000,"segment":"eu-beta"}`:   http.StatusNotFound,
		`{"version":3,"flag":"a","segment":"b"}`: http.StatusBadRequest,
	} {
		if status, answer := g.as("write", "POST", production+"/restore", body); status != want {
			t.Errorf("%s: %d, want %d: %v", body, status, want, answer)
		}
	}
	if status, answer := g.as("admin", "POST", production+"/restore", `{"version":3}`); status != http.StatusOK {
		t.Errorf("an admin: %d %v", status, answer)
	}
}
