package control

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/fault"
	"github.com/wigwag/wigwag/internal/store"
)

func TestPatchEnvironment(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	production := f.position(t, "production")
	written, err := f.PatchEnvironment(ctx, ann, "shop", "production",
		[]byte(`{"name":"Production","colour":"#cf222e","critical":true,"streaming":false,"hashVersion":3}`))
	if err != nil || written.Position != f.position(t, "") {
		t.Fatalf("%+v, %v", written, err)
	}
	want := Environment{Key: "production", Name: "Production", Colour: "#cf222e", Critical: true, Streaming: new(false), HashVersion: 3}
	read, err := f.Environment(ctx, "shop", "production")
	if diff := cmp.Diff(want, read.Value); err != nil || diff != "" || read.ChangedAt != written.Position {
		t.Errorf("%v\n%s", err, diff)
	}
	if f.position(t, "production") != production {
		t.Error("SDKs would be told of a setting")
	}
	// Null takes a field back to its default.
	if _, err := f.PatchEnvironment(ctx, ann, "shop", "production", []byte(`{"colour":null,"streaming":null,"hashVersion":null}`)); err != nil {
		t.Fatal(err)
	}
	want.Colour, want.Streaming, want.HashVersion = "", new(true), 2
	read, err = f.Environment(ctx, "shop", "production")
	if diff := cmp.Diff(want, read.Value); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	f.leavesAsIs(t, func() error {
		_, err := f.PatchEnvironment(ctx, ann, "shop", "production", []byte(`{"critical":true}`))
		return err
	})
}

func TestPatchProject(t *testing.T) {
	f := newFixture(t)
	written, err := f.PatchProject(t.Context(), ann, "shop", []byte(`{"name":"Web shop"}`))
	if err != nil || written.Position != f.position(t, "") {
		t.Fatalf("%+v, %v", written, err)
	}
	read, err := f.Project(t.Context(), "shop")
	if err != nil || read.Value != (Project{Key: "shop", Name: "Web shop"}) || read.ChangedAt != written.Position {
		t.Errorf("%+v, %v", read, err)
	}
}

func TestRefusedPlaces(t *testing.T) {
	f := newFixture(t)
	stale := Write{IfMatch: f.position(t, "")}
	must(t)(f.PatchProject(t.Context(), ann, "shop", []byte(`{"name":"Web shop"}`)))
	must(t)(f.PatchEnvironment(t.Context(), ann, "shop", "staging", []byte(`{"name":"Staging"}`)))
	project := func(w Write, patch string) func(context.Context, *fixture) error {
		return func(ctx context.Context, f *fixture) error {
			_, err := f.PatchProject(ctx, w, "shop", []byte(patch))
			return err
		}
	}
	environment := func(w Write, patch string) func(context.Context, *fixture) error {
		return func(ctx context.Context, f *fixture) error {
			_, err := f.PatchEnvironment(ctx, w, "shop", "staging", []byte(patch))
			return err
		}
	}
	create := func(e Environment) func(context.Context, *fixture) error {
		return func(ctx context.Context, f *fixture) error {
			_, err := f.CreateEnvironment(ctx, ann, "shop", e)
			return err
		}
	}
	f.refuses(t, []refusal{
		{"project's key", project(ann, `{"key":"other"}`), fault.Invalid, "cannot change", "key"},
		{"project archived by a patch", project(ann, `{"archived":true}`), fault.Invalid, "archive the project instead", "archived"},
		{"project's unknown field", project(ann, `{"colour":"#000000"}`), fault.Invalid, "colour", "colour"},
		{"stale project", project(stale, `{"name":"x"}`), fault.Stale, "last changed at", ""},
		{"environment's key", environment(ann, `{"key":null}`), fault.Invalid, "cannot change", "key"},
		{"environment archived by a patch", environment(ann, `{"archived":true}`), fault.Invalid, "archive the environment instead", "archived"},
		{"short colour", environment(ann, `{"colour":"#fff"}`), fault.Invalid, "#1f883d", "colour"},
		{"colour in capitals", environment(ann, `{"colour":"#FFFFFF"}`), fault.Invalid, "lower case", "colour"},
		{"hash of the past", environment(ann, `{"hashVersion":1}`), fault.Invalid, "use 2 or 3", "hashVersion"},
		{"streaming as a text", environment(ann, `{"streaming":"off"}`), fault.Invalid, "streaming", "streaming"},
		{"stale environment", environment(stale, `{"name":"x"}`), fault.Stale, "last changed at", ""},
		{"new environment of a hash of the future", create(Environment{Key: "a", HashVersion: 4}), fault.Invalid, "use 2 or 3", "hashVersion"},
		{"new environment of a colour", create(Environment{Key: "a", Colour: "red"}), fault.Invalid, "no colour", "colour"},
		{"new environment that is archived", create(Environment{Key: "a", Archived: true}), fault.Invalid, "archive it then", "archived"},
		{"new project that is archived", func(ctx context.Context, f *fixture) error {
			_, err := f.CreateProject(ctx, ann, Project{Key: "a", Archived: true})
			return err
		}, fault.Invalid, "archive it then", "archived"},
		{"deletion of an open project", func(ctx context.Context, f *fixture) error {
			_, err := f.DeleteProject(ctx, ann, "shop", "shop")
			return err
		}, fault.Conflict, "archive it first", ""},
		{"deletion of an open environment", func(ctx context.Context, f *fixture) error {
			_, err := f.DeleteEnvironment(ctx, ann, "shop", "staging", "staging")
			return err
		}, fault.Conflict, "archive it first", ""},
	})
}

// inEnvironment are all writes to one environment.
var inEnvironment = map[string]func(ctx context.Context, f *fixture) error{
	"settings": func(ctx context.Context, f *fixture) error {
		_, err := f.PatchEnvironment(ctx, ann, "shop", "production", []byte(`{"name":"x"}`))
		return err
	},
	"flag": func(ctx context.Context, f *fixture) error {
		_, err := f.PatchFlag(ctx, ann, "shop", "production", "checkout", []byte(`{"state":"ENABLED"}`))
		return err
	},
	"new segment": func(ctx context.Context, f *fixture) error {
		_, err := f.CreateSegment(ctx, ann, "shop", "production", feature.Segment{Key: "new"})
		return err
	},
	"segment": func(ctx context.Context, f *fixture) error {
		_, err := f.PatchSegment(ctx, ann, "shop", "production", "beta", []byte(`{"name":"x"}`))
		return err
	},
	"segment's keys": func(ctx context.Context, f *fixture) error {
		_, err := f.UpdateSegmentKeys(ctx, ann, "shop", "production", "beta", feature.ListIncluded, []string{"u3"}, nil)
		return err
	},
	"deleted segment": func(ctx context.Context, f *fixture) error {
		_, err := f.DeleteSegment(ctx, ann, "shop", "production", "beta")
		return err
	},
	"copy": func(ctx context.Context, f *fixture) error {
		_, err := f.CopyEnvironment(ctx, ann, "shop", "production", Copy{From: "staging", All: true})
		return err
	},
}

// inProject are all writes to a project as a whole.
var inProject = map[string]func(ctx context.Context, f *fixture) error{
	"name": func(ctx context.Context, f *fixture) error {
		_, err := f.PatchProject(ctx, ann, "shop", []byte(`{"name":"x"}`))
		return err
	},
	"new environment": func(ctx context.Context, f *fixture) error {
		_, err := f.CreateEnvironment(ctx, ann, "shop", Environment{Key: "new"})
		return err
	},
	"archived environment": func(ctx context.Context, f *fixture) error {
		_, err := f.ArchiveEnvironment(ctx, ann, "shop", "staging")
		return err
	},
	"new flag": func(ctx context.Context, f *fixture) error {
		_, err := f.CreateFlag(ctx, ann, "shop", boolean("new"))
		return err
	},
	"definition": func(ctx context.Context, f *fixture) error {
		_, err := f.PatchDefinition(ctx, ann, "shop", "checkout", []byte(`{"owner":"x"}`))
		return err
	},
	"archived flag": func(ctx context.Context, f *fixture) error {
		_, err := f.ArchiveFlag(ctx, ann, "shop", "checkout", false)
		return err
	},
	"restored flag": func(ctx context.Context, f *fixture) error {
		_, err := f.RestoreFlag(ctx, ann, "shop", "payments")
		return err
	},
	"deleted flag": func(ctx context.Context, f *fixture) error {
		_, err := f.DeleteFlag(ctx, ann, "shop", "payments")
		return err
	},
}

// TestAnArchivedEnvironmentTakesNoChanges and is as it was once it is restored.
func TestAnArchivedEnvironmentTakesNoChanges(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	must(t)(f.PatchFlag(ctx, ann, "shop", "staging", "checkout", []byte(`{"state":"ENABLED"}`)))
	before := f.state(t)
	written, err := f.ArchiveEnvironment(ctx, ann, "shop", "production")
	if err != nil || !written.Value.Archived || written.Position != f.position(t, "") {
		t.Fatalf("%+v, %v", written, err)
	}
	f.leavesAsIs(t, func() error { _, err := f.ArchiveEnvironment(ctx, ann, "shop", "production"); return err })
	for name, write := range inEnvironment {
		f.refuses(t, []refusal{{name, write, fault.Conflict, `Environment "production" of project "shop" is archived`, ""}})
	}
	// It can be read, and copied from.
	if _, err := f.Flag(ctx, "shop", "production", "checkout"); err != nil {
		t.Error(err)
	}
	if _, err := f.CompareEnvironments(ctx, "shop", "staging", "production"); err != nil {
		t.Error(err)
	}
	must(t)(f.RestoreEnvironment(ctx, ann, "shop", "production"))
	f.leavesAsIs(t, func() error { _, err := f.RestoreEnvironment(ctx, ann, "shop", "production"); return err })
	if diff := cmp.Diff(before.Items["shop/production"], f.state(t).Items["shop/production"]); diff != "" {
		t.Errorf("it is not as it was:\n%s", diff)
	}
	for name, write := range inEnvironment {
		if name == "segment" || name == "segment's keys" {
			continue // in some orders it was deleted
		}
		if err := write(ctx, f); err != nil {
			t.Errorf("%s of what is restored: %v", name, err)
		}
	}
}

// TestAnArchivedEnvironmentFollowsDefinitions, so that it can be restored.
func TestAnArchivedEnvironmentFollowsDefinitions(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	must(t)(f.ArchiveEnvironment(ctx, ann, "shop", "production"))
	must(t)(f.CreateFlag(ctx, ann, "shop", boolean("new")))
	must(t)(f.PatchDefinition(ctx, ann, "shop", "color", []byte(`{"variants":{"pink":"#f0f"}}`)))
	must(t)(f.ArchiveFlag(ctx, ann, "shop", "payments", false))
	must(t)(f.RestoreEnvironment(ctx, ann, "shop", "production"))
	flags, err := f.Flags(ctx, "shop", "production")
	if err != nil || len(flags) != 3 || flags[1].Value.Variants.Get("pink") == nil || flags[2].Value.Key != "new" {
		t.Errorf("%+v, %v", flags, err)
	}
}

func TestAnArchivedProjectTakesNoChanges(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	must(t)(f.ArchiveFlag(ctx, ann, "shop", "payments", false))
	must(t)(f.ArchiveEnvironment(ctx, ann, "shop", "staging"))
	must(t)(f.RestoreEnvironment(ctx, ann, "shop", "staging"))
	written, err := f.ArchiveProject(ctx, ann, "shop")
	if err != nil || !written.Value.Archived || written.Position != f.position(t, "") {
		t.Fatalf("%+v, %v", written, err)
	}
	f.leavesAsIs(t, func() error { _, err := f.ArchiveProject(ctx, ann, "shop"); return err })
	for _, writes := range []map[string]func(context.Context, *fixture) error{inEnvironment, inProject} {
		for name, write := range writes {
			f.refuses(t, []refusal{{name, write, fault.Conflict, `Project "shop" is archived`, ""}})
		}
	}
	f.refuses(t, []refusal{{"deleted environment", func(ctx context.Context, f *fixture) error {
		_, err := f.DeleteEnvironment(ctx, ann, "shop", "production", "production")
		return err
	}, fault.Conflict, "archive", ""}})
	must(t)(f.RestoreProject(ctx, ann, "shop"))
	for name, write := range inProject {
		if name == "deleted flag" || name == "restored flag" || name == "definition" || name == "archived flag" {
			continue // what is left of them depends on the order
		}
		if err := write(ctx, f); err != nil {
			t.Errorf("%s of what is restored: %v", name, err)
		}
	}
}

// TestADeletedEnvironmentIsGone with its keys and its archived flags, and one made
// later of the same key has nothing of it.
func TestADeletedEnvironmentIsGone(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	must(t)(f.ArchiveFlag(ctx, ann, "shop", "payments", false))
	key := store.Credential{ID: "sk-1", Hash: [32]byte{1}, Kind: "sk", Set: production}
	other := store.Credential{ID: "sk-2", Hash: [32]byte{2}, Kind: "sk", Set: store.SetID{Project: "shop", Environment: "staging"}}
	err := f.store.Update(ctx, func(tx store.Tx) error {
		if err := tx.AddCredential(ctx, key); err != nil {
			return err
		}
		return tx.AddCredential(ctx, other)
	})
	if err != nil {
		t.Fatal(err)
	}
	must(t)(f.ArchiveEnvironment(ctx, ann, "shop", "production"))
	epoch := f.position(t, "production").Epoch
	remove := func(w Write, confirm string) func(context.Context, *fixture) error {
		return func(ctx context.Context, f *fixture) error {
			_, err := f.DeleteEnvironment(ctx, w, "shop", "production", confirm)
			return err
		}
	}
	staging, err := f.Environment(ctx, "shop", "staging")
	if err != nil {
		t.Fatal(err)
	}
	f.refuses(t, []refusal{
		{"not confirmed", remove(ann, ""), fault.Invalid, "cannot be undone", "confirm"},
		{"confirmed with another key", remove(ann, "staging"), fault.Invalid, `giving "production"`, "confirm"},
		{"stale", remove(Write{IfMatch: staging.ChangedAt}, "production"), fault.Stale, "last changed at", ""},
	})
	f.leavesAsIs(t, func() error {
		w := ann
		w.DryRun = true
		_, err := f.DeleteEnvironment(ctx, w, "shop", "production", "production")
		return err
	})
	written, err := f.DeleteEnvironment(ctx, ann, "shop", "production", "production")
	if err != nil || written.Value.Key != "production" || written.Position != f.position(t, "") {
		t.Fatalf("%+v, %v", written, err)
	}
	if _, err := f.Flags(ctx, "shop", "production"); !fault.Is(err, fault.NotFound) {
		t.Errorf("its flags are still there: %v", err)
	}
	if kept, err := f.store.Items(ctx, store.SetID{Project: "shop"}, store.KindArchived); err != nil || len(kept) != 1 || kept[0].Key != "staging/payments" {
		t.Errorf("archived flags: %v, %v", kept, err)
	}
	credentials, err := f.store.Credentials(ctx)
	if err != nil || len(credentials) != 1 || credentials[0].ID != other.ID {
		t.Errorf("credentials: %v, %v", credentials, err)
	}
	must(t)(f.CreateEnvironment(ctx, ann, "shop", Environment{Key: "production"}))
	if position := f.position(t, "production"); position.Epoch <= epoch || position.Version != 1 {
		t.Errorf("the new environment is at %s, the old one was of epoch %s", position, epoch)
	}
	// The flag that was archived comes back there as it is initially.
	must(t)(f.RestoreFlag(ctx, ann, "shop", "payments"))
	flag, err := f.Flag(ctx, "shop", "production", "payments")
	if err != nil || flag.Value.State != feature.StateDisabled {
		t.Errorf("%+v, %v", flag, err)
	}
}

func TestADeletedProjectIsGone(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	must(t)(f.CreateProject(ctx, ann, Project{Key: "shop-2"}))
	must(t)(f.CreateEnvironment(ctx, ann, "shop-2", Environment{Key: "production"}))
	must(t)(f.ArchiveProject(ctx, ann, "shop"))
	f.refuses(t, []refusal{{"not confirmed", func(ctx context.Context, f *fixture) error {
		_, err := f.DeleteProject(ctx, ann, "shop", "")
		return err
	}, fault.Invalid, "cannot be undone", "confirm"}})
	written, err := f.DeleteProject(ctx, ann, "shop", "shop")
	if err != nil || written.Value.Key != "shop" || !written.Position.IsZero() {
		t.Fatalf("%+v, %v", written, err)
	}
	sets, err := f.store.Sets(ctx)
	if err != nil || len(sets) != 2 || sets[0].ID.Project != "shop-2" || sets[1].ID.Project != "shop-2" {
		t.Errorf("sets are %v, %v", sets, err)
	}
	if _, err := f.Project(ctx, "shop"); !fault.Is(err, fault.NotFound) {
		t.Errorf("it is still there: %v", err)
	}
}
