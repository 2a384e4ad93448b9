package control

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/fault"
	"github.com/wigwag/wigwag/snapshot"
)

func TestChanges(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	start := f.position(t, "production")
	must(t)(f.PatchFlag(ctx, Write{Actor: "bob", Comment: "launch"}, "shop", "production", "checkout", []byte(`{"state":"ENABLED"}`)))
	must(t)(f.UpdateSegmentKeys(ctx, ann, "shop", "production", "beta", feature.ListIncluded, numbered("u", 3_000), nil))
	must(t)(f.UpdateSegmentKeys(ctx, ann, "shop", "production", "beta", feature.ListIncluded, []string{"one more"}, nil))
	must(t)(f.DeleteFlag(ctx, ann, "shop", "color"))
	must(t)(f.DeleteSegment(ctx, ann, "shop", "production", "beta"))

	at := func(n uint64) snapshot.Position {
		return snapshot.Position{Epoch: start.Epoch, Version: start.Version + n}
	}
	want := []Change{
		{Position: at(1), Actor: "bob", Comment: "launch", Flags: []string{"checkout"}},
		{Position: at(2), Actor: "ann", Segments: []string{"beta"}},
		{Position: at(3), Actor: "ann", Segments: []string{"beta"}},
		{Position: at(4), Actor: "ann", Flags: []string{"color"}},
		{Position: at(5), Actor: "ann", Segments: []string{"beta"}},
	}
	got, err := f.Changes(ctx, "shop", "production", start.Version, 0)
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(Change{}, "At"), cmpopts.EquateEmpty()); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	for i := range got {
		if time.Since(got[i].At) > time.Hour || i > 0 && got[i].At.Before(got[i-1].At) {
			t.Errorf("change %d was at %s", i, got[i].At)
		}
	}
	some, err := f.Changes(ctx, "shop", "production", start.Version+1, 2)
	if diff := cmp.Diff(got[1:3], some); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	if none, err := f.Changes(ctx, "shop", "production", start.Version+5, 2); err != nil || len(none) != 0 {
		t.Errorf("%v, %v", none, err)
	}
	f.refuses(t, []refusal{{"negative limit", func(ctx context.Context, f *fixture) error {
		_, err := f.Changes(ctx, "shop", "production", 0, -1)
		return err
	}, fault.Invalid, "-1", "limit"}})
}
