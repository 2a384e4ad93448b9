package control

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/fault"
	"github.com/wigwag/wigwag/snapshot"
)

func TestCreateFlag(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	d := boolean("search")
	d.Description, d.Tags = "The new search.", []string{"search", "team-x"}
	written, err := f.CreateFlag(ctx, ann, "shop", d)
	if err != nil {
		t.Fatal(err)
	}
	if got := text(written.Value.Variants); got != `{"on":true,"off":false}` {
		t.Errorf("variants are %s", got)
	}
	want := map[string]snapshot.Position{"production": f.position(t, "production"), "staging": f.position(t, "staging")}
	if diff := cmp.Diff(want, written.Environments); diff != "" || written.Position != f.position(t, "") {
		t.Errorf("positions:\n%s", diff)
	}
	read, err := f.Definition(ctx, "shop", "search")
	if err != nil || read.ChangedAt != written.Position || read.Value.Description != d.Description || len(read.Value.Tags) != 2 {
		t.Errorf("%+v, %v", read, err)
	}
	flag, err := f.Flag(ctx, "shop", "staging", "search")
	if err != nil || flag.Value.State != feature.StateDisabled || flag.Value.OffVariant != "off" || flag.Value.Default.Variant != "on" {
		t.Errorf("%+v, %v", flag.Value, err)
	}
	definitions, err := f.Definitions(ctx, "shop")
	if err != nil || len(definitions) != 4 || definitions[3].Value.Key != "search" || definitions[3].ChangedAt != written.Position {
		t.Errorf("%+v, %v", definitions, err)
	}
}

func TestPatchDefinition(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	must(t)(f.PatchFlag(ctx, ann, "shop", "production", "color", []byte(`{"state":"ENABLED"}`)))
	must(t)(f.CreateFlag(ctx, ann, "shop", boolean("other")))

	t.Run("for people only", func(t *testing.T) {
		production, staging, catalogue := f.position(t, "production"), f.position(t, "staging"), f.position(t, "")
		written, err := f.PatchDefinition(ctx, ann, "shop", "color", []byte(`{"description":"Of the button.","owner":"ui","tags":["ui"]}`))
		if err != nil || written.Value.Owner != "ui" || len(written.Environments) != 0 {
			t.Errorf("%+v, %v", written, err)
		}
		if f.position(t, "production") != production || f.position(t, "staging") != staging {
			t.Error("SDKs would be told of a description")
		}
		if got := f.position(t, ""); got.Version != catalogue.Version+1 || written.Position != got {
			t.Errorf("the catalogue is at %s, was at %s", got, catalogue)
		}
	})
	t.Run("for SDKs", func(t *testing.T) {
		written, err := f.PatchDefinition(ctx, ann, "shop", "color",
			[]byte(`{"variants":{"pink":"#f0f","green":null,"red":"#e00"},"clientVisible":true,"metadata":{"team":"ui"}}`))
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]snapshot.Position{"production": f.position(t, "production"), "staging": f.position(t, "staging")}
		if diff := cmp.Diff(want, written.Environments); diff != "" {
			t.Error(diff)
		}
		flag, err := f.Flag(ctx, "shop", "production", "color")
		if err != nil || flag.ChangedAt != written.Environments["production"] {
			t.Fatalf("%+v, %v", flag, err)
		}
		if got := text(flag.Value.Variants); got != `{"red":"#e00","blue":"#00f","pink":"#f0f"}` {
			t.Errorf("variants are %s", got)
		}
		if flag.Value.State != feature.StateEnabled || !flag.Value.ClientVisible || flag.Value.Metadata.Get("team") == nil {
			t.Errorf("the flag is %+v", flag.Value)
		}
	})
	t.Run("nothing", func(t *testing.T) {
		f.leavesAsIs(t, func() error {
			written, err := f.PatchDefinition(ctx, ann, "shop", "color", []byte(`{"key":"color","type":"string","owner":"ui"}`))
			if written.Position != f.position(t, "") {
				t.Errorf("the position is %s", written.Position)
			}
			return err
		})
	})
}

func TestDeleteFlag(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	must(t)(f.ArchiveFlag(ctx, ann, "shop", "color", false))
	written, err := f.DeleteFlag(ctx, ann, "shop", "color")
	if err != nil || written.Value.Key != "color" || written.Position != f.position(t, "") || len(written.Environments) != 0 {
		t.Fatalf("%+v, %v", written, err)
	}
	if _, err := f.Flag(ctx, "shop", "staging", "color"); !fault.Is(err, fault.NotFound) {
		t.Errorf("the flag is still there: %v", err)
	}
	if _, err := f.Definition(ctx, "shop", "color"); !fault.Is(err, fault.NotFound) {
		t.Errorf("the definition is still there: %v", err)
	}
}

func TestRefusedDefinitions(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	before, err := f.Definition(ctx, "shop", "checkout")
	if err != nil {
		t.Fatal(err)
	}
	must(t)(f.PatchDefinition(ctx, ann, "shop", "checkout", []byte(`{"owner":"me"}`)))
	must(t)(f.PatchFlag(ctx, ann, "shop", "staging", "checkout", []byte(`{"prerequisites":[{"flag":"color","variants":["green"]}]}`)))
	must(t)(f.PatchFlag(ctx, ann, "shop", "production", "color", []byte(`{
		"overrides":[{"variant":"green","targetingKeys":["u"]}],
		"rules":[{"id":"r1","when":{"attribute":"a","op":"exists"},"serve":{"split":{"weights":[["red",50000],["green",50000]]}}}]}`)))

	create := func(d Definition) func(context.Context, *fixture) error {
		return func(ctx context.Context, f *fixture) error { _, err := f.CreateFlag(ctx, ann, "shop", d); return err }
	}
	patch := func(w Write, flag, patch string) func(context.Context, *fixture) error {
		return func(ctx context.Context, f *fixture) error {
			_, err := f.PatchDefinition(ctx, w, "shop", flag, []byte(patch))
			return err
		}
	}
	tagged := boolean("tagged")
	tagged.Tags = []string{"a", "b", "a"}
	crowded := boolean("crowded")
	for i := range maxTags + 1 {
		crowded.Tags = append(crowded.Tags, strings.Repeat("t", i+1))
	}
	foreign := boolean("foreign")
	foreign.Owner = "\xff"
	untyped := Definition{Definition: feature.Definition{Key: "untyped", Variants: onOff()}}
	f.refuses(t, []refusal{
		{"taken", create(boolean("checkout")), fault.Conflict, `a flag "checkout" already`, ""},
		{"bad key", create(boolean("a/b")), fault.Invalid, "key", "key"},
		{"no type", create(untyped), fault.Invalid, "type", "type"},
		{"no variants", create(Definition{Definition: feature.Definition{Key: "a", Type: feature.TypeString}}), fault.Invalid, "at least one variant", "variants"},
		{"wrong value", create(Definition{Definition: feature.Definition{Key: "a", Type: feature.TypeString, Variants: onOff()}}), fault.Invalid, "variants", "variants.on"},
		{"tag twice", create(tagged), fault.Invalid, "twice", "tags[2]"},
		{"empty tag", patch(ann, "checkout", `{"tags":[""]}`), fault.Invalid, "leave it out", "tags[0]"},
		{"many tags", create(crowded), fault.Invalid, "at most 20", "tags"},
		{"no UTF-8", create(foreign), fault.Invalid, "UTF-8", "owner"},
		{"too large", create(Definition{Definition: feature.Definition{Key: "a", Type: feature.TypeString, Variants: feature.Variants{
			{Key: "big", Value: feature.StringValue(strings.Repeat("x", feature.MaxFlagBytes))},
		}}}), fault.Invalid, "bytes as JSON; at most", ""},

		{"no patch", patch(ann, "checkout", `[]`), fault.Invalid, "JSON object", ""},
		{"another key", patch(ann, "checkout", `{"key":"x"}`), fault.Invalid, "create a new flag", "key"},
		{"no key", patch(ann, "checkout", `{"key":null}`), fault.Invalid, "create a new flag", "key"},
		{"another type", patch(ann, "checkout", `{"type":"string"}`), fault.Invalid, "create a new flag", "type"},
		{"no variants left", patch(ann, "checkout", `{"variants":null}`), fault.Invalid, "at least one variant", "variants"},
		{"unknown field", patch(ann, "checkout", `{"colour":1}`), fault.Invalid, "colour", "colour"},
		{"long description", patch(ann, "checkout", `{"description":"`+strings.Repeat("a", maxDescription+1)+`"}`), fault.Invalid, "shorten", "description"},
		{"configuration", patch(ann, "checkout", `{"state":"ENABLED"}`), fault.Invalid, "projects/shop/environments/{environment}/flags/checkout", "state"},
		{"variant that is off", patch(ann, "checkout", `{"variants":{"off":null}}`), fault.InUse, `variant "off" in environment "production" by the off variant`, ""},
		{
			"variant in use", patch(ann, "color", `{"variants":{"green":null}}`), fault.InUse,
			`variant "green" in environment "production" by an override, variant "green" in environment "production" by rule r1, ` +
				`variant "green" in environment "staging" by a prerequisite of flag "checkout"`, "",
		},
		{"stale", patch(Write{IfMatch: before.ChangedAt}, "checkout", `{"owner":"you"}`), fault.Stale, before.Position.Epoch, ""},
		{"stale epoch", patch(Write{IfMatch: snapshot.Position{Epoch: "x", Version: 99}}, "checkout", `{"owner":"you"}`), fault.Stale, "another history", ""},
		{"stale deletion", func(ctx context.Context, f *fixture) error {
			_, err := f.DeleteFlag(ctx, Write{IfMatch: before.ChangedAt}, "shop", "checkout")
			return err
		}, fault.Stale, "last changed at", ""},
		{"deletion of what is in force", func(ctx context.Context, f *fixture) error {
			_, err := f.DeleteFlag(ctx, ann, "shop", "color")
			return err
		}, fault.Conflict, "archive it first", ""},
	})
}
