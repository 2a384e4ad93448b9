package control

import (
	"slices"
	"testing"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/store"
)

// Users would miss: a change of any kind that no server is told of, or being told
// of one that was rolled back.
func TestEveryKindOfChangeIsHintedOnceItIsCommitted(t *testing.T) {
	f := newFixture(t)
	issued, err := f.CreateKey(t.Context(), ann, "shop", "production", NewKey{Kind: "server", Name: "ci"})
	if err != nil {
		t.Fatal(err)
	}
	var hinted []string
	defer f.store.Watch(func(h store.Hint) {
		if h.Credentials {
			hinted = append(hinted, "credentials")
			return
		}
		hinted = append(hinted, h.Set.String())
	})()
	ctx := t.Context()
	for _, change := range []struct {
		name  string
		write func(Write) error
		want  []string
	}{
		{"a flag's configuration", func(w Write) error {
			_, err := f.PatchFlag(ctx, w, "shop", "production", "checkout", []byte(`{"state":"ENABLED"}`))
			return err
		}, []string{"shop/production"}},
		{"a flag's definition", func(w Write) error {
			_, err := f.PatchDefinition(ctx, w, "shop", "color", []byte(`{"variants":{"red":"#e00"}}`))
			return err
		}, []string{"shop/", "shop/production", "shop/staging"}},
		{"a new flag", func(w Write) error {
			_, err := f.CreateFlag(ctx, w, "shop", boolean("search"))
			return err
		}, []string{"shop/", "shop/production", "shop/staging"}},
		{"an archived flag", func(w Write) error {
			_, err := f.ArchiveFlag(ctx, w, "shop", "search", false)
			return err
		}, []string{"shop/", "shop/production", "shop/staging"}},
		{"a segment", func(w Write) error {
			_, err := f.PatchSegment(ctx, w, "shop", "production", "beta", []byte(`{"name":"Beta"}`))
			return err
		}, []string{"shop/production"}},
		{"a segment's keys", func(w Write) error {
			_, err := f.UpdateSegmentKeys(ctx, w, "shop", "production", "beta", feature.ListIncluded, []string{"u9"}, nil)
			return err
		}, []string{"shop/production"}},
		{"an environment", func(w Write) error {
			_, err := f.PatchEnvironment(ctx, w, "shop", "staging", []byte(`{"streaming":false}`))
			return err
		}, []string{"shop/"}},
		{"a new environment", func(w Write) error {
			_, err := f.CreateEnvironment(ctx, w, "shop", Environment{Key: "review"})
			return err
		}, []string{"shop/", "shop/review"}},
		// A new key is hinted to nobody, because nobody has asked for it yet.
		{"a revoked key", func(w Write) error {
			_, err := f.RevokeKey(ctx, w, "shop", "production", issued.Item.ID)
			return err
		}, []string{"credentials"}},
	} {
		hinted = nil
		dry := ann
		dry.DryRun = true
		if err := change.write(dry); err != nil {
			t.Fatalf("%s: %v", change.name, err)
		}
		if len(hinted) > 0 {
			t.Errorf("%s, rolled back: hints of %v", change.name, hinted)
		}
		if err := change.write(ann); err != nil {
			t.Fatalf("%s: %v", change.name, err)
		}
		slices.Sort(hinted)
		if !slices.Equal(slices.Compact(slices.Clone(hinted)), change.want) || len(hinted) != len(change.want) {
			t.Errorf("%s: hints of %v, want %v", change.name, hinted, change.want)
		}
	}
}
