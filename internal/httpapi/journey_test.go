package httpapi_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/control"
	"github.com/wigwag/wigwag/internal/gen"
	"github.com/wigwag/wigwag/snapshot"
)

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func pointer[T any](v T) *T { return &v }

// TestJourney goes through every operation with the generated client; the
// transport holds each request and answer against the contract.
func TestJourney(t *testing.T) {
	s := serve(t)
	c, ctx := s.client, context.Background()

	project, err := c.CreateProjectWithResponse(ctx, nil, gen.Project{Key: "shop", Name: "Web shop"})
	if check(t, err); project.JSON201 == nil {
		t.Fatalf("create project: %s", project.Body)
	}
	environment, err := c.CreateEnvironmentWithResponse(ctx, "shop",
		&gen.CreateEnvironmentParams{WigwagComment: pointer("first")}, gen.Environment{Key: "production"})
	if check(t, err); environment.JSON201 == nil || environment.JSON201.Environments["production"].Epoch == "" {
		t.Fatalf("create environment: %s", environment.Body)
	}
	created, err := c.CreateFlagWithResponse(ctx, "shop", nil, gen.Definition{
		Definition: feature.Definition{Key: "new-checkout", Type: feature.TypeString, Variants: feature.Variants{
			{Key: "new", Value: feature.StringValue("<b>")}, {Key: "old", Value: feature.StringValue("a")},
		}},
		Owner: "checkout",
	})
	if check(t, err); created.JSON201 == nil {
		t.Fatalf("create flag: %s", created.Body)
	}
	if got := created.HTTPResponse.Header.Get("Location"); got != "/api/v1/projects/shop/flags/new-checkout" {
		t.Errorf("Location is %s", got)
	}
	if !strings.Contains(string(created.Body), `"<b>"`) {
		t.Errorf("the value was escaped for HTML: %s", created.Body)
	}
	if _, ok := created.JSON201.Environments["production"]; !ok {
		t.Errorf("no position of production in %s", created.Body)
	}

	definition, err := c.GetDefinitionWithResponse(ctx, "shop", "new-checkout")
	if check(t, err); definition.JSON200 == nil || definition.JSON200.Owner != "checkout" {
		t.Fatalf("get definition: %s", definition.Body)
	}
	etag := definition.HTTPResponse.Header.Get("ETag")
	renamed, err := c.PatchDefinitionWithApplicationMergePatchPlusJSONBodyWithResponse(ctx, "shop", "new-checkout",
		&gen.PatchDefinitionParams{IfMatch: &etag}, json.RawMessage(`{"owner":null,"metadata":{"team":7}}`))
	if check(t, err); renamed.JSON200 == nil || renamed.JSON200.Item.Owner != "" {
		t.Fatalf("patch definition: %s", renamed.Body)
	}
	definitions, err := c.ListDefinitionsWithResponse(ctx, "shop", &gen.ListDefinitionsParams{})
	if check(t, err); definitions.JSON200 == nil || definitions.JSON200.Position != renamed.JSON200.Position || len(definitions.JSON200.Items) != 1 {
		t.Fatalf("list definitions: %s", definitions.Body)
	}

	segment, err := c.CreateSegmentWithResponse(ctx, "shop", "production", nil,
		gen.Segment{Key: "eu-beta", When: &feature.Condition{Attribute: "country", Op: feature.OpIn, Values: []feature.Value{feature.StringValue("FR")}}})
	if check(t, err); segment.JSON201 == nil {
		t.Fatalf("create segment: %s", segment.Body)
	}
	if got := segment.HTTPResponse.Header.Get("Location"); got != "/api/v1"+production+"/segments/eu-beta" {
		t.Errorf("Location is %s", got)
	}
	keys, err := c.UpdateSegmentKeysWithResponse(ctx, "shop", "production", "eu-beta", nil,
		gen.SegmentKeysUpdate{List: feature.ListExcluded, Add: []string{"user-7", "user-8"}, Remove: []string{"user-9"}})
	if check(t, err); keys.JSON200 == nil {
		t.Fatalf("update keys: %s", keys.Body)
	}
	patched, err := c.PatchSegmentWithResponse(ctx, "shop", "production", "eu-beta", nil, json.RawMessage(`{"name":"Testers"}`))
	if check(t, err); patched.JSON200 == nil {
		t.Fatalf("patch segment: %s", patched.Body)
	}
	read, err := c.GetSegmentWithResponse(ctx, "shop", "production", "eu-beta")
	if check(t, err); read.JSON200 == nil {
		t.Fatalf("get segment: %s", read.Body)
	}
	if diff := cmp.Diff([]string{"user-7", "user-8"}, read.JSON200.Excluded); diff != "" || read.JSON200.Name != "Testers" {
		t.Errorf("segment is %s", read.Body)
	}
	segments, err := c.ListSegmentsWithResponse(ctx, "shop", "production", &gen.ListSegmentsParams{})
	if check(t, err); segments.JSON200 == nil || len(segments.JSON200.Items) != 1 {
		t.Fatalf("list segments: %s", segments.Body)
	}

	flags, err := c.ListFlagsWithResponse(ctx, "shop", "production", &gen.ListFlagsParams{})
	if check(t, err); flags.JSON200 == nil || flags.JSON200.Items[0].State != feature.StateDisabled {
		t.Fatalf("list flags: %s", flags.Body)
	}
	// The position of a list is a condition for each of its items.
	enabled, err := c.PatchFlagWithBodyWithResponse(ctx, "shop", "production", "new-checkout",
		&gen.PatchFlagParams{
			IfMatch:       pointer(`"` + flags.JSON200.Position.String() + `"`),
			WigwagComment: pointer("UTF-8''Start%20%F0%9F%9A%80"),
		}, "application/merge-patch+json", strings.NewReader(`{"state":"ENABLED","rules":[{"when":{"segment":"eu-beta"},
			"serve":{"split":{"by":"country","weights":[["new",100000],["old",0]]}}}]}`))
	if check(t, err); enabled.JSON200 == nil || enabled.JSON200.Item.State != feature.StateEnabled {
		t.Fatalf("patch flag: %s", enabled.Body)
	}
	if want := `"` + enabled.JSON200.Position.String() + `"`; enabled.HTTPResponse.Header.Get("ETag") != want {
		t.Errorf("ETag is %s, want %s", enabled.HTTPResponse.Header.Get("ETag"), want)
	}
	flag, err := c.GetFlagWithResponse(ctx, "shop", "production", "new-checkout")
	if check(t, err); flag.JSON200 == nil || flag.JSON200.Rules[0].Serve.Split.Salt != "new-checkout." {
		t.Fatalf("get flag: %s", flag.Body)
	}

	evaluated, err := c.EvaluateWithResponse(ctx, "shop", "production", gen.EvaluateRequest{
		Context: feature.NewContext("user-1", feature.String("country", "FR")),
		Flags:   []string{"nothing", "new-checkout"}, Explain: true,
	})
	if check(t, err); evaluated.JSON200 == nil || evaluated.JSON200.Position != enabled.JSON200.Position {
		t.Fatalf("evaluate: %s", evaluated.Body)
	}
	results := evaluated.JSON200.Results
	if len(results) != 2 || results[0].Flag != "new-checkout" || results[0].Variant != "new" || results[0].Reason != feature.ReasonSplit ||
		results[0].Value.String() != `"<b>"` || results[0].Rule == "" || results[0].Trace == nil {
		t.Errorf("results are %s", evaluated.Body)
	}
	if results[1].ErrorCode != feature.ErrorFlagNotFound || !results[1].Value.IsNull() {
		t.Errorf("results are %s", evaluated.Body)
	}

	archived, err := c.ArchiveFlagWithResponse(ctx, "shop", "new-checkout", &gen.ArchiveFlagParams{Force: pointer(true)})
	if check(t, err); archived.JSON200 == nil || archived.JSON200.Environments["production"].IsZero() || !archived.JSON200.Item.Archived {
		t.Fatalf("archive flag: %s", archived.Body)
	}
	deleted, err := c.DeleteFlagWithResponse(ctx, "shop", "new-checkout", nil)
	if check(t, err); deleted.JSON200 == nil || len(deleted.JSON200.Environments) != 0 {
		t.Fatalf("delete flag: %s", deleted.Body)
	}
	gone, err := c.DeleteSegmentWithResponse(ctx, "shop", "production", "eu-beta", &gen.DeleteSegmentParams{IfMatch: pointer("*")})
	if check(t, err); gone.JSON200 == nil {
		t.Fatalf("delete segment: %s", gone.Body)
	}
	missing, err := c.GetSegmentWithResponse(ctx, "shop", "production", "eu-beta")
	if check(t, err); missing.ApplicationProblemJSON404 == nil {
		t.Fatalf("get deleted segment: %s", missing.Body)
	}

	projects, err := c.ListProjectsWithResponse(ctx, &gen.ListProjectsParams{})
	if check(t, err); projects.JSON200 == nil {
		t.Fatalf("list projects: %s", projects.Body)
	}
	if diff := cmp.Diff([]control.Project{{Key: "shop", Name: "Web shop"}}, projects.JSON200.Items); diff != "" {
		t.Errorf("projects (-want +got):\n%s", diff)
	}
	environments, err := c.ListEnvironmentsWithResponse(ctx, "shop", &gen.ListEnvironmentsParams{})
	if check(t, err); environments.JSON200 == nil || len(environments.JSON200.Items) != 1 {
		t.Fatalf("list environments: %s", environments.Body)
	}

	type entry struct{ Comment, Flags, Segments string }
	var history []entry
	var after *string
	var last snapshot.Position
	for {
		page, err := c.ListChangesWithResponse(ctx, "shop", "production", &gen.ListChangesParams{After: after, Limit: pointer(2)})
		if check(t, err); page.JSON200 == nil {
			t.Fatalf("list changes: %s", page.Body)
		}
		for _, change := range page.JSON200.Changes {
			if change.Actor != "ada" || change.At.IsZero() || !last.Before(change.Position) {
				t.Errorf("change after %s is %+v", last, change)
			}
			last = change.Position
			history = append(history, entry{change.Comment, fmt.Sprint(change.Flags), fmt.Sprint(change.Segments)})
		}
		if page.JSON200.Next != last {
			t.Errorf("next is %s, want %s", page.JSON200.Next, last)
		}
		if len(page.JSON200.Changes) == 0 {
			break
		}
		after = pointer(page.JSON200.Next.String())
	}
	want := []entry{
		{"", "[new-checkout]", "[]"},
		{"", "[new-checkout]", "[]"},
		{"", "[]", "[eu-beta]"},
		{"", "[]", "[eu-beta]"},
		{"", "[]", "[eu-beta]"},
		{"Start 🚀", "[new-checkout]", "[]"},
		{"", "[new-checkout]", "[]"},
		{"", "[]", "[eu-beta]"},
	}
	if diff := cmp.Diff(want, history); diff != "" {
		t.Errorf("history (-want +got):\n%s", diff)
	}
	if last != gone.JSON200.Position {
		t.Errorf("the last change is at %s, the last write answered %s", last, gone.JSON200.Position)
	}
}

// Lists are lists also where there is nothing.
func TestNothing(t *testing.T) {
	s := serve(t)
	body := func(path string) string {
		text, err := io.ReadAll(s.must("GET", path, "").Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	if got := body("/projects"); got != `{"items":[]}` {
		t.Errorf("projects: %s", got)
	}
	s.must("POST", "/projects", `{"key":"shop"}`)
	s.must("POST", "/projects/shop/environments", `{"key":"production"}`)
	if got := body(production + "/changes"); got != `{"changes":[]}` {
		t.Errorf("changes: %s", got)
	}
	for _, path := range []string{"/projects/shop/flags", production + "/flags", production + "/segments", "/projects/shop/flags?x="} {
		if got := body(path); !strings.HasPrefix(got, `{"position":"`) || !strings.HasSuffix(got, `","items":[]}`) {
			t.Errorf("%s: %s", path, got)
		}
	}
}

// A hundred thousand keys come in and go out by the API.
func TestLargeSegment(t *testing.T) {
	s := serve(t)
	s.must("POST", "/projects", `{"key":"shop"}`)
	s.must("POST", "/projects/shop/environments", `{"key":"production"}`)
	segment := feature.Segment{Key: "many", Included: make([]string, 100_000)}
	for i := range segment.Included {
		segment.Included[i] = fmt.Sprintf("user-%06d", i)
	}
	created, err := s.client.CreateSegmentWithResponse(context.Background(), "shop", "production", nil, segment)
	if check(t, err); created.JSON201 == nil {
		t.Fatalf("create segment: %.300s", created.Body)
	}
	s.must("POST", production+"/segments/many/keys", `{"list":"included","add":["user-new"],"remove":["user-000000"]}`)
	read, err := s.client.GetSegmentWithResponse(context.Background(), "shop", "production", "many")
	if check(t, err); read.JSON200 == nil {
		t.Fatalf("get segment: %.300s", read.Body)
	}
	if keys := read.JSON200.Included; len(keys) != 100_000 || keys[0] != "user-000001" || keys[99_999] != "user-new" {
		t.Errorf("%d keys, from %s to %s", len(keys), keys[0], keys[len(keys)-1])
	}
}

func TestTokenInEitherHeader(t *testing.T) {
	s := serve(t)
	s.must("GET", "/projects", "", "Authorization", "", "X-API-Key", token)
	if resp := s.must("GET", "/projects", ""); resp.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("Cache-Control is %q", resp.Header.Get("Cache-Control"))
	}
}

// The server has the paths and methods of the contract, and no others.
func TestOperationsAreThoseOfTheContract(t *testing.T) {
	s := shop(t)
	document, err := description()
	check(t, err)
	keys := strings.NewReplacer("{project}", "shop", "{environment}", "production", "{flag}", "new-checkout", "{segment}", "eu-beta")
	for path, item := range document.Paths.Map() {
		var promised []string
		for method := range item.Operations() {
			promised = append(promised, method)
			if method == http.MethodGet {
				promised = append(promised, http.MethodHead) // net/http answers it too
			}
		}
		slices.Sort(promised)
		// A method that no path has makes the server list those that it has.
		ctx := context.WithValue(context.Background(), wrongOnPurpose{}, true)
		resp := s.send(ctx, http.MethodTrace, keys.Replace(path), "")
		if got, want := resp.Header.Get("Allow"), strings.Join(promised, ", "); got != want {
			t.Errorf("%s serves %q, the contract promises %q", path, got, want)
		}
	}
	served := reflect.TypeFor[gen.ServerInterface]().NumMethod()
	for _, item := range document.Paths.Map() {
		served -= len(item.Operations())
	}
	if served != 0 {
		t.Errorf("the generated code has %d operations more than the contract; run go generate", served)
	}
}
