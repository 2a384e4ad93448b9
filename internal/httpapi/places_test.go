package httpapi_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wigwag/wigwag/internal/control"
	"github.com/wigwag/wigwag/internal/gen"
)

func TestProjectsAreArchivedAndDeleted(t *testing.T) {
	s := shop(t)
	ctx, c := t.Context(), s.client
	patched, err := c.PatchProjectWithApplicationMergePatchPlusJSONBodyWithResponse(ctx, "shop", nil, []byte(`{"name":"Shop"}`))
	if check(t, err); patched.JSON200 == nil || patched.JSON200.Item.Name != "Shop" {
		t.Fatalf("patch: %s", patched.Body)
	}
	read, err := c.GetProjectWithResponse(ctx, "shop")
	if check(t, err); read.JSON200 == nil || *read.JSON200 != patched.JSON200.Item {
		t.Fatalf("get: %s", read.Body)
	}
	if etag := read.HTTPResponse.Header.Get("ETag"); etag != `"`+patched.JSON200.Position.String()+`"` {
		t.Errorf("ETag is %s", etag)
	}
	archived, err := c.ArchiveProjectWithResponse(ctx, "shop", &gen.ArchiveProjectParams{IfMatch: pointer(read.HTTPResponse.Header.Get("ETag"))})
	if check(t, err); archived.JSON200 == nil || !archived.JSON200.Item.Archived {
		t.Fatalf("archive: %s", archived.Body)
	}
	refused, err := c.PatchFlagWithApplicationMergePatchPlusJSONBodyWithResponse(ctx, "shop", "production", "new-checkout", nil, []byte(`{"state":"DISABLED"}`))
	if check(t, err); refused.ApplicationProblemJSON409 == nil {
		t.Fatalf("a write to an archived project: %d %s", refused.StatusCode(), refused.Body)
	}
	restored, err := c.UnarchiveProjectWithResponse(ctx, "shop", nil)
	if check(t, err); restored.JSON200 == nil || restored.JSON200.Item.Archived {
		t.Fatalf("restore: %s", restored.Body)
	}
	s.must("POST", "/projects/shop/archive", "")
	deleted, err := c.DeleteProjectWithResponse(ctx, "shop", &gen.DeleteProjectParams{Confirm: "shop"})
	if check(t, err); deleted.JSON200 == nil || deleted.JSON200.Item.Key != "shop" || !deleted.JSON200.Position.IsZero() || deleted.HTTPResponse.Header.Get("ETag") != "" {
		t.Fatalf("delete: %s", deleted.Body)
	}
	gone, err := c.GetProjectWithResponse(ctx, "shop")
	if check(t, err); gone.ApplicationProblemJSON404 == nil {
		t.Fatalf("get deleted: %s", gone.Body)
	}
}

func TestEnvironmentsAreArchivedAndDeleted(t *testing.T) {
	s := shop(t)
	ctx, c := t.Context(), s.client
	patched, err := c.PatchEnvironmentWithApplicationMergePatchPlusJSONBodyWithResponse(ctx, "shop", "staging", nil,
		[]byte(`{"colour":"#1f883d","critical":true,"streaming":false,"hashVersion":3,"name":null}`))
	want := control.Environment{Key: "staging", Colour: "#1f883d", Critical: true, Streaming: pointer(false), HashVersion: 3}
	if check(t, err); patched.JSON200 == nil || cmp.Diff(want, patched.JSON200.Item) != "" {
		t.Fatalf("patch: %s", patched.Body)
	}
	read, err := c.GetEnvironmentWithResponse(ctx, "shop", "staging")
	if check(t, err); read.JSON200 == nil || cmp.Diff(want, *read.JSON200) != "" {
		t.Fatalf("get: %s", read.Body)
	}
	tried, err := c.ArchiveEnvironmentWithResponse(ctx, "shop", "staging", &gen.ArchiveEnvironmentParams{DryRun: pointer(true)})
	if check(t, err); tried.JSON200 == nil || len(tried.JSON200.Changes) != 1 || tried.JSON200.Changes[0].Kind != "environment" || tried.JSON200.Position != patched.JSON200.Position {
		t.Fatalf("archive, dry run: %s", tried.Body)
	}
	archived, err := c.ArchiveEnvironmentWithResponse(ctx, "shop", "staging", nil)
	if check(t, err); archived.JSON200 == nil || !archived.JSON200.Item.Archived {
		t.Fatalf("archive: %s", archived.Body)
	}
	restored, err := c.UnarchiveEnvironmentWithResponse(ctx, "shop", "staging", nil)
	if check(t, err); restored.JSON200 == nil || restored.JSON200.Item.Archived {
		t.Fatalf("restore: %s", restored.Body)
	}
	s.must("POST", "/projects/shop/environments/staging/archive", "")
	for _, confirm := range []string{"", "?confirm=", "?confirm=production"} {
		ctx := context.WithValue(ctx, wrongOnPurpose{}, true)
		if resp := s.send(ctx, "DELETE", "/projects/shop/environments/staging"+confirm, ""); resp.StatusCode != http.StatusBadRequest {
			t.Errorf("delete%s: %s", confirm, resp.Status)
		}
	}
	deleted, err := c.DeleteEnvironmentWithResponse(ctx, "shop", "staging", &gen.DeleteEnvironmentParams{Confirm: "staging"})
	if check(t, err); deleted.JSON200 == nil || deleted.JSON200.Position.IsZero() {
		t.Fatalf("delete: %s", deleted.Body)
	}
	gone, err := c.GetEnvironmentWithResponse(ctx, "shop", "staging")
	if check(t, err); gone.ApplicationProblemJSON404 == nil {
		t.Fatalf("get deleted: %s", gone.Body)
	}
}

func TestFlagsAreArchivedAndRestored(t *testing.T) {
	s := shop(t)
	ctx, c := t.Context(), s.client
	before, err := c.GetFlagWithResponse(ctx, "shop", "production", "new-checkout")
	check(t, err)
	archived, err := c.ArchiveFlagWithResponse(ctx, "shop", "new-checkout", &gen.ArchiveFlagParams{Force: pointer(true)})
	if check(t, err); archived.JSON200 == nil || !archived.JSON200.Item.Archived || len(archived.JSON200.Environments) != 2 {
		t.Fatalf("archive: %s", archived.Body)
	}
	for _, list := range []struct {
		archived bool
		want     string
	}{{true, "new-checkout"}, {false, "payments-v2"}} {
		listed, err := c.ListDefinitionsWithResponse(ctx, "shop", &gen.ListDefinitionsParams{Archived: &list.archived})
		if check(t, err); listed.JSON200 == nil || len(listed.JSON200.Items) != 1 || listed.JSON200.Items[0].Key != list.want {
			t.Errorf("list, archived=%t: %s", list.archived, listed.Body)
		}
	}
	restored, err := c.UnarchiveFlagWithResponse(ctx, "shop", "new-checkout", nil)
	if check(t, err); restored.JSON200 == nil || restored.JSON200.Item.Archived {
		t.Fatalf("restore: %s", restored.Body)
	}
	after, err := c.GetFlagWithResponse(ctx, "shop", "production", "new-checkout")
	if check(t, err); string(after.Body) != string(before.Body) {
		t.Errorf("restored as %s, was %s", after.Body, before.Body)
	}
}

func TestEnvironmentsAreComparedAndCopied(t *testing.T) {
	s := shop(t)
	ctx, c := t.Context(), s.client
	compared, err := c.CompareEnvironmentsWithResponse(ctx, "shop", "staging", &gen.CompareEnvironmentsParams{With: "production"})
	if check(t, err); compared.JSON200 == nil {
		t.Fatalf("compare: %s", compared.Body)
	}
	flag, segment := compared.JSON200.Flags[0], compared.JSON200.Segments[0]
	if flag.Key != "new-checkout" || flag.Likeness != "different" || len(flag.Fields) != 3 || string(flag.Fields[0].There) != `"ENABLED"` ||
		segment.Likeness != "missing-here" || compared.JSON200.Flags[1].Likeness != "same" {
		t.Errorf("compare: %s", compared.Body)
	}
	condition := `"` + compared.JSON200.Position.String() + `"`
	copied, err := c.CopyEnvironmentWithResponse(ctx, "shop", "staging", &gen.CopyEnvironmentParams{IfMatch: &condition},
		control.Copy{From: "production", All: true, NeededSegments: true})
	if check(t, err); copied.JSON200 == nil {
		t.Fatalf("copy: %s", copied.Body)
	}
	want := control.Copied{Flags: []string{"new-checkout"}, Segments: []string{"eu-beta"}}
	if diff := cmp.Diff(want, copied.JSON200.Copied); diff != "" || len(copied.JSON200.Changes) != 2 {
		t.Errorf("copy: %s\n%s", copied.Body, diff)
	}
	stale, err := c.CopyEnvironmentWithResponse(ctx, "shop", "staging", &gen.CopyEnvironmentParams{IfMatch: &condition},
		control.Copy{From: "production", Flags: []string{"new-checkout"}})
	if check(t, err); stale.JSON200 == nil {
		t.Errorf("what is the same replaces nothing: %s", stale.Body)
	}
	s.must("PATCH", "/projects/shop/environments/staging/flags/new-checkout", `{"state":"DISABLED"}`)
	stale, err = c.CopyEnvironmentWithResponse(ctx, "shop", "staging", &gen.CopyEnvironmentParams{IfMatch: &condition},
		control.Copy{From: "production", Flags: []string{"new-checkout"}})
	if check(t, err); stale.ApplicationProblemJSON412 == nil {
		t.Errorf("a copy over what has changed: %s", stale.Body)
	}
}

func TestSchemasOfObjectFlags(t *testing.T) {
	s := shop(t)
	s.must("POST", "/projects/shop/flags", `{"key":"ranking","type":"object","permanent":true,
		"variants":{"a":{"model":"bm25"}},"schema":{"required":["model"],"properties":{"model":{"type":"string"}}}}`)
	read, err := s.client.GetDefinitionWithResponse(t.Context(), "shop", "ranking")
	if check(t, err); read.JSON200 == nil || !read.JSON200.Permanent || read.JSON200.Schema == nil {
		t.Fatalf("get: %s", read.Body)
	}
	refused, err := s.client.PatchDefinitionWithApplicationMergePatchPlusJSONBodyWithResponse(t.Context(), "shop", "ranking", nil, []byte(`{"variants":{"b":{"model":1}}}`))
	if check(t, err); refused.ApplicationProblemJSON400 == nil || refused.ApplicationProblemJSON400.Errors[0].Path != "variants.b" {
		t.Fatalf("a value that does not conform: %s", refused.Body)
	}
}
