package control

import (
	"context"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/fault"
)

// copying has in production a flag that needs segment beta, which needs segment
// many, whose list is cut into shards.
func copying(t *testing.T) *fixture {
	t.Helper()
	f := newFixture(t)
	ctx := t.Context()
	must(t)(f.CreateSegment(ctx, ann, "shop", "production", feature.Segment{Key: "many", Included: numbered("k", 3_000)}))
	must(t)(f.PatchSegment(ctx, ann, "shop", "production", "beta", []byte(`{"when":{"segment":"many"}}`)))
	must(t)(f.PatchFlag(ctx, ann, "shop", "production", "checkout", []byte(`{"state":"ENABLED",
		"rules":[{"id":"r","when":{"segment":"beta"},"serve":{"variant":"off"}}]}`)))
	return f
}

func TestCopyEnvironment(t *testing.T) {
	f := copying(t)
	ctx := t.Context()
	before := f.position(t, "staging")
	request := Copy{From: "production", Flags: []string{"checkout", "payments"}, NeededSegments: true}
	w := ann
	w.DryRun = true
	f.leavesAsIs(t, func() error {
		written, err := f.CopyEnvironment(ctx, w, "shop", "staging", request)
		if len(written.Changes) == 0 || len(written.Value.Flags) != 1 {
			t.Errorf("a dry run says %+v", written)
		}
		return err
	})
	written, err := f.CopyEnvironment(ctx, ann, "shop", "staging", request)
	if err != nil {
		t.Fatal(err)
	}
	// The flag payments is the same in both already.
	want := Copied{Flags: []string{"checkout"}, Segments: []string{"beta", "many"}}
	if diff := cmp.Diff(want, written.Value); diff != "" || written.Position != f.position(t, "staging") || written.Position.Version != before.Version+1 {
		t.Errorf("at %s:\n%s", written.Position, diff)
	}
	compared, err := f.CompareEnvironments(ctx, "shop", "staging", "production")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range slices.Concat(compared.Flags, compared.Segments) {
		if c.Likeness != Same {
			t.Errorf("after the copy: %+v", c)
		}
	}
	many, err := f.Segment(ctx, "shop", "staging", "many")
	if err != nil || !slices.Equal(many.Value.Included, numbered("k", 3_000)) {
		t.Errorf("%d keys, %v", len(many.Value.Included), err)
	}
	f.leavesAsIs(t, func() error {
		written, err := f.CopyEnvironment(ctx, ann, "shop", "staging", request)
		if len(written.Value.Flags)+len(written.Value.Segments) != 0 || written.Position != f.position(t, "staging") {
			t.Errorf("copying again: %+v", written)
		}
		return err
	})

	// A list that is shorter now leaves no shards behind.
	must(t)(f.PatchSegment(ctx, ann, "shop", "production", "many", []byte(`{"included":["a"]}`)))
	must(t)(f.CopyEnvironment(ctx, ann, "shop", "staging", Copy{From: "production", Segments: []string{"many"}}))
	if items := f.state(t).Items["shop/staging"]; slices.ContainsFunc(items, func(i storedItem) bool { return i.Ref[:4] == "keys" }) {
		t.Errorf("shards are left: %v", items)
	}
	many, err = f.Segment(ctx, "shop", "staging", "many")
	if err != nil || !slices.Equal(many.Value.Included, []string{"a"}) {
		t.Errorf("%+v, %v", many, err)
	}
}

func TestRefusedCopies(t *testing.T) {
	f := copying(t)
	ctx := t.Context()
	base := f.position(t, "staging")
	must(t)(f.PatchFlag(ctx, ann, "shop", "staging", "checkout", []byte(`{"offVariant":"on"}`)))
	must(t)(f.PatchFlag(ctx, ann, "shop", "staging", "payments", []byte(`{"prerequisites":[{"flag":"checkout","variants":["on"]}]}`)))
	must(t)(f.PatchFlag(ctx, ann, "shop", "production", "color", []byte(`{"prerequisites":[{"flag":"payments","variants":["on"]}]}`)))
	must(t)(f.CreateEnvironment(ctx, ann, "shop", Environment{Key: "third"}))
	must(t)(f.PatchFlag(ctx, ann, "shop", "third", "checkout", []byte(`{"prerequisites":[{"flag":"payments","variants":["on"]}]}`)))
	to := func(w Write, request Copy) func(context.Context, *fixture) error {
		return func(ctx context.Context, f *fixture) error {
			_, err := f.CopyEnvironment(ctx, w, "shop", "staging", request)
			return err
		}
	}
	f.refuses(t, []refusal{
		{"from itself", to(ann, Copy{From: "staging", All: true}), fault.Invalid, "name another", "from"},
		{"from nowhere", to(ann, Copy{From: "none", All: true}), fault.NotFound, `"none"`, ""},
		{"from no name", to(ann, Copy{All: true}), fault.NotFound, `no environment ""`, ""},
		{"nothing", to(ann, Copy{From: "production"}), fault.Invalid, "nothing is named", "flags"},
		{"all and some", to(ann, Copy{From: "production", All: true, Flags: []string{"color"}}), fault.Invalid, "not both", "flags"},
		{"unknown flag", to(ann, Copy{From: "production", Flags: []string{"none"}}), fault.Invalid, `"none"`, "flags"},
		{"unknown segment", to(ann, Copy{From: "production", Segments: []string{"none"}}), fault.NotFound, `"none"`, ""},
		{"without its segments", to(ann, Copy{From: "production", Flags: []string{"checkout"}}), fault.Invalid, "neededSegments", "flags.checkout.rules[0].when.segment"},
		{"with some of its segments", to(ann, Copy{From: "production", Flags: []string{"checkout"}, Segments: []string{"beta"}}), fault.Invalid, "many", "segments.beta.when.segment"},
		{"into a cycle", to(ann, Copy{From: "third", Flags: []string{"checkout"}}), fault.Invalid, "checkout → payments → checkout", "flags.checkout.prerequisites"},
		{"stale", to(Write{IfMatch: base}, Copy{From: "production", Flags: []string{"checkout"}, NeededSegments: true}), fault.Stale, "last changed at", ""},
	})
	// What changed is not copied, so the position is good enough for the rest.
	must(t)(f.CopyEnvironment(ctx, Write{IfMatch: base}, "shop", "staging", Copy{From: "production", Segments: []string{"many"}}))
}

func TestCompareEnvironments(t *testing.T) {
	f := copying(t)
	ctx := t.Context()
	must(t)(f.CreateSegment(ctx, ann, "shop", "staging", feature.Segment{Key: "own"}))
	must(t)(f.CreateSegment(ctx, ann, "shop", "staging", feature.Segment{Key: "many", Name: "Many", Included: numbered("k", 3_001)}))
	got, err := f.CompareEnvironments(ctx, "shop", "production", "staging")
	if err != nil {
		t.Fatal(err)
	}
	if got.Here != f.position(t, "production") || got.There != f.position(t, "staging") {
		t.Errorf("at %s and %s", got.Here, got.There)
	}
	want := []Compared{
		{Key: "checkout", Likeness: Different, Fields: []ComparedField{
			{Field: "state", Here: []byte(`"ENABLED"`), There: []byte(`"DISABLED"`)},
			{Field: "rules", Here: []byte(`[{"id":"r","when":{"segment":"beta"},"serve":{"variant":"off"}}]`)},
		}},
		{Key: "color", Likeness: Same},
		{Key: "payments", Likeness: Same},
	}
	if diff := cmp.Diff(want, got.Flags); diff != "" {
		t.Errorf("flags:\n%s", diff)
	}
	want = []Compared{
		{Key: "beta", Likeness: MissingThere},
		{Key: "many", Likeness: Different, Fields: []ComparedField{{Field: "name", There: []byte(`"Many"`)}, {Field: "included"}}},
		{Key: "own", Likeness: MissingHere},
	}
	if diff := cmp.Diff(want, got.Segments); diff != "" {
		t.Errorf("segments:\n%s", diff)
	}
	if _, err := f.CompareEnvironments(ctx, "shop", "staging", "staging"); !fault.Is(err, fault.Invalid) {
		t.Errorf("with itself: %v", err)
	}
}
