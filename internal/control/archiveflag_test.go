package control

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/fault"
	"github.com/wigwag/wigwag/internal/store"
)

// TestARestoredFlagIsAsItWas, to the byte and the digest, in every environment.
func TestARestoredFlagIsAsItWas(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	must(t)(f.PatchFlag(ctx, ann, "shop", "production", "checkout", []byte(`{"state":"ENABLED",
		"prerequisites":[{"flag":"payments","variants":["on"]}],
		"rules":[{"id":"r","when":{"segment":"beta"},"serve":{"split":{"weights":[["on",1],["off",99999]]}}}]}`)))
	digests := func() map[string]string {
		found := map[string]string{}
		for set, items := range f.state(t).Items {
			for _, item := range items {
				found[set+" "+item.Ref] = item.Digest
			}
		}
		return found
	}
	before := digests()
	archived, err := f.ArchiveFlag(ctx, ann, "shop", "checkout", true)
	if err != nil || !archived.Value.Archived || archived.Position != f.position(t, "") ||
		archived.Environments["production"] != f.position(t, "production") || archived.Environments["staging"] != f.position(t, "staging") {
		t.Fatalf("%+v, %v", archived, err)
	}
	for _, environment := range []string{"production", "staging"} {
		if _, err := f.Flag(ctx, "shop", environment, "checkout"); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s still serves it: %v", environment, err)
		}
	}
	f.leavesAsIs(t, func() error { _, err := f.ArchiveFlag(ctx, ann, "shop", "checkout", false); return err })
	must(t)(f.CreateEnvironment(ctx, ann, "shop", Environment{Key: "later"}))
	if _, err := f.Flag(ctx, "shop", "later", "checkout"); !fault.Is(err, fault.NotFound) {
		t.Errorf("a new environment serves what is archived: %v", err)
	}
	page, err := f.DefinitionPage(ctx, "shop", FlagQuery{Query: Query{Limit: 10}})
	if err != nil || len(page.Items) != 2 {
		t.Errorf("%+v, %v", page, err)
	}
	page, err = f.DefinitionPage(ctx, "shop", FlagQuery{Query: Query{Limit: 10}, Archived: true})
	if err != nil || len(page.Items) != 1 || page.Items[0].Key != "checkout" {
		t.Errorf("%+v, %v", page, err)
	}

	restored, err := f.RestoreFlag(ctx, ann, "shop", "checkout")
	if err != nil || restored.Value.Archived || restored.Environments["production"] != f.position(t, "production") || len(restored.Environments) != 3 {
		t.Fatalf("%+v, %v", restored, err)
	}
	f.leavesAsIs(t, func() error { _, err := f.RestoreFlag(ctx, ann, "shop", "checkout"); return err })
	after := digests()
	for name := range after {
		if _, was := before[name]; !was && (name == "shop/later flag/checkout" || name == "shop/ environment/later" ||
			name == "shop/later flag/color" || name == "shop/later flag/payments") {
			delete(after, name)
		}
	}
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("not as it was:\n%s", diff)
	}
	flag, err := f.Flag(ctx, "shop", "later", "checkout")
	if err != nil || flag.Value.State != feature.StateDisabled || len(flag.Value.Rules) != 0 {
		t.Errorf("where it never was it is %+v, %v", flag, err)
	}
}

func TestRefusedArchiving(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	stale := Write{IfMatch: f.position(t, "")}
	must(t)(f.PatchDefinition(ctx, ann, "shop", "payments", []byte(`{"permanent":true}`)))
	must(t)(f.PatchFlag(ctx, ann, "shop", "staging", "checkout", []byte(`{"prerequisites":[{"flag":"color","variants":["red"]}]}`)))
	must(t)(f.PatchFlag(ctx, ann, "shop", "production", "checkout", []byte(`{"state":"ENABLED",
		"rules":[{"when":{"segment":"beta"},"serve":{"variant":"off"}}]}`)))
	archive := func(w Write, flag string, force bool) func(context.Context, *fixture) error {
		return func(ctx context.Context, f *fixture) error {
			_, err := f.ArchiveFlag(ctx, w, "shop", flag, force)
			return err
		}
	}
	f.refuses(t, []refusal{
		{"prerequisite", archive(ann, "color", false), fault.InUse, `prerequisite of flag "checkout" in environment "staging"`, ""},
		{"prerequisite, forced", archive(ann, "color", true), fault.InUse, `flag "checkout" in environment "staging"`, ""},
		{"permanent", archive(ann, "payments", false), fault.InUse, "permanent", ""},
		{"two variants", archive(ann, "checkout", false), fault.InUse, `environment "production" (off, on)`, ""},
		{"stale", archive(stale, "payments", true), fault.Stale, "last changed at", ""},
		{"none", archive(ann, "none", true), fault.NotFound, `"none"`, ""},
		{"new flag that is archived", func(ctx context.Context, f *fixture) error {
			d := boolean("new")
			d.Archived = true
			_, err := f.CreateFlag(ctx, ann, "shop", d)
			return err
		}, fault.Invalid, "archive it then", "archived"},
		{"patch", func(ctx context.Context, f *fixture) error {
			_, err := f.PatchDefinition(ctx, ann, "shop", "payments", []byte(`{"archived":true}`))
			return err
		}, fault.Invalid, "archive the flag instead", "archived"},
		{"patch of a configuration", func(ctx context.Context, f *fixture) error {
			_, err := f.PatchFlag(ctx, ann, "shop", "staging", "payments", []byte(`{"archived":true}`))
			return err
		}, fault.Invalid, "belongs to the flag's definition", "archived"},
	})
	must(t)(f.ArchiveFlag(ctx, ann, "shop", "payments", true))
	must(t)(f.ArchiveFlag(ctx, ann, "shop", "checkout", true))
}

// TestWhatServesOneVariant can be archived, however many variants it has.
func TestWhatServesOneVariant(t *testing.T) {
	for name, test := range map[string]struct {
		patch string
		one   bool
	}{
		"disabled":                   {`{"rules":[{"when":{"segment":"beta"},"serve":{"variant":"off"}}]}`, true},
		"enabled":                    {`{"state":"ENABLED"}`, true},
		"all rules the same":         {`{"state":"ENABLED","rules":[{"when":{"segment":"beta"},"serve":{"variant":"on"}}]}`, true},
		"override":                   {`{"state":"ENABLED","overrides":[{"variant":"off","targetingKeys":["u"]}]}`, false},
		"prerequisite":               {`{"state":"ENABLED","prerequisites":[{"flag":"payments","variants":["on"]}]}`, false},
		"prerequisite, off the same": {`{"state":"ENABLED","offVariant":"on","prerequisites":[{"flag":"payments","variants":["on"]}]}`, true},
		"split":                      {`{"state":"ENABLED","default":{"split":{"weights":[["on",50000],["off",50000]]}}}`, false},
		"split all to one":           {`{"state":"ENABLED","default":{"split":{"weights":[["on",100000],["off",0]]}}}`, false},
		"split all to off":           {`{"state":"ENABLED","default":{"split":{"weights":[["on",0],["off",100000]]}}}`, true},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			must(t)(f.PatchFlag(t.Context(), ann, "shop", "production", "checkout", []byte(test.patch)))
			_, err := f.ArchiveFlag(t.Context(), ann, "shop", "checkout", false)
			if test.one != (err == nil) || !test.one && !fault.Is(err, fault.InUse) {
				t.Errorf("archiving: %v", err)
			}
		})
	}
}

// TestWhatCannotBeRestored names what is there no more.
func TestWhatCannotBeRestored(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	must(t)(f.PatchFlag(ctx, ann, "shop", "production", "checkout", []byte(`{
		"prerequisites":[{"flag":"payments","variants":["on"]},{"flag":"color","variants":["blue"]}],
		"rules":[{"id":"r","when":{"segment":"beta"},"serve":{"variant":"off"}}]}`)))
	must(t)(f.ArchiveFlag(ctx, ann, "shop", "checkout", false))
	must(t)(f.ArchiveFlag(ctx, ann, "shop", "payments", false))
	// Its off variant is the last, which is to go.
	for _, environment := range []string{"production", "staging"} {
		must(t)(f.PatchFlag(ctx, ann, "shop", environment, "color", []byte(`{"offVariant":"red"}`)))
	}
	must(t)(f.PatchDefinition(ctx, ann, "shop", "color", []byte(`{"variants":{"blue":null}}`)))
	must(t)(f.DeleteSegment(ctx, ann, "shop", "production", "beta"))
	restore := func(ctx context.Context, f *fixture) error {
		_, err := f.RestoreFlag(ctx, ann, "shop", "checkout")
		return err
	}
	for _, says := range []string{`environment "production"`, "payments", "blue", `"beta"`} {
		f.refuses(t, []refusal{{says, restore, fault.Conflict, says, ""}})
	}
	f.refuses(t, []refusal{
		{"changed", func(ctx context.Context, f *fixture) error {
			_, err := f.PatchDefinition(ctx, ann, "shop", "checkout", []byte(`{"owner":"x"}`))
			return err
		}, fault.Conflict, "is archived and takes no changes", ""},
		{"made again", func(ctx context.Context, f *fixture) error {
			_, err := f.CreateFlag(ctx, ann, "shop", boolean("checkout"))
			return err
		}, fault.Conflict, "archived flag", ""},
		{"deleted before what needs it", func(ctx context.Context, f *fixture) error {
			_, err := f.DeleteFlag(ctx, ann, "shop", "payments")
			return err
		}, fault.InUse, `archived flag "checkout" in environment "production"`, ""},
	})
	must(t)(f.DeleteFlag(ctx, ann, "shop", "checkout"))
	must(t)(f.DeleteFlag(ctx, ann, "shop", "payments"))
	if kept, err := f.store.Items(ctx, store.SetID{Project: "shop"}, store.KindArchived); err != nil || len(kept) != 0 {
		t.Errorf("left behind: %v, %v", kept, err)
	}
	must(t)(f.CreateFlag(ctx, ann, "shop", boolean("checkout")))
}
