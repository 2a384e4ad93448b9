package control

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/fault"
)

func TestProjectsAndEnvironments(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	written, err := f.CreateProject(ctx, ann, Project{Key: "app"})
	if err != nil || written.Position.Version != 1 || len(written.Environments) != 0 {
		t.Fatalf("%+v, %v", written, err)
	}
	projects, err := f.Projects(ctx)
	if diff := cmp.Diff([]Project{{Key: "app"}, {Key: "shop", Name: "Shop"}}, projects); err != nil || diff != "" {
		t.Errorf("projects: %v\n%s", err, diff)
	}
	environments, err := f.Environments(ctx, "shop")
	if diff := cmp.Diff([]Environment{Environment{Key: "production"}.whole(), Environment{Key: "staging"}.whole()}, environments); err != nil || diff != "" {
		t.Errorf("environments: %v\n%s", err, diff)
	}
	if none, err := f.Environments(ctx, "app"); err != nil || none == nil || len(none) != 0 {
		t.Errorf("environments of a new project: %v, %v", none, err)
	}
}

func TestNewEnvironmentHasEveryFlag(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	must(t)(f.PatchFlag(ctx, ann, "shop", "production", "checkout", []byte(`{"state":"ENABLED"}`)))
	production := f.position(t, "production")
	written, err := f.CreateEnvironment(ctx, ann, "shop", Environment{Key: "dev", Name: "Development"})
	if err != nil {
		t.Fatal(err)
	}
	if written.Position != f.position(t, "") || written.Environments["dev"] != f.position(t, "dev") || len(written.Environments) != 1 {
		t.Errorf("positions: %+v", written)
	}
	if f.position(t, "production") != production {
		t.Error("another environment was touched")
	}
	flags, err := f.Flags(ctx, "shop", "dev")
	if err != nil || len(flags) != 3 {
		t.Fatalf("%d flags, %v", len(flags), err)
	}
	for i, key := range []string{"checkout", "color", "payments"} {
		if flag := flags[i].Value; flag.Key != key || flag.State != feature.StateDisabled {
			t.Errorf("flag %d is %s, %s", i, flag.Key, flag.State)
		}
	}
}

func TestRefusedProjectsAndEnvironments(t *testing.T) {
	f := newFixture(t)
	project := func(p Project) func(context.Context, *fixture) error {
		return func(ctx context.Context, f *fixture) error { _, err := f.CreateProject(ctx, ann, p); return err }
	}
	environment := func(in string, e Environment) func(context.Context, *fixture) error {
		return func(ctx context.Context, f *fixture) error {
			_, err := f.CreateEnvironment(ctx, ann, in, e)
			return err
		}
	}
	f.refuses(t, []refusal{
		{"project taken", project(Project{Key: "shop"}), fault.Conflict, `a project "shop" already`, ""},
		{"project without key", project(Project{}), fault.Invalid, "lower-case letters", "key"},
		{"project with capitals", project(Project{Key: "Shop"}), fault.Invalid, "lower-case letters", "key"},
		{"project with a hyphen first", project(Project{Key: "-a"}), fault.Invalid, "lower-case letters", "key"},
		{"project with a line break", project(Project{Key: "a\n"}), fault.Invalid, "lower-case letters", "key"},
		{"project with a long key", project(Project{Key: strings.Repeat("a", 65)}), fault.Invalid, "1 to 64", "key"},
		{"project with a long name", project(Project{Key: "a", Name: strings.Repeat("a", 257)}), fault.Invalid, "at most 256", "name"},
		{"environment taken", environment("shop", Environment{Key: "staging"}), fault.Conflict, `an environment "staging" already`, ""},
		{"environment without key", environment("shop", Environment{}), fault.Invalid, "lower-case letters", "key"},
		{"environment of no project", environment("none", Environment{Key: "a"}), fault.NotFound, `no project "none"`, ""},
		{"long comment", func(ctx context.Context, f *fixture) error {
			_, err := f.CreateProject(ctx, Write{Comment: strings.Repeat("a", maxComment+1)}, Project{Key: "a"})
			return err
		}, fault.Invalid, "shorten it", "comment"},
	})
}

// TestNothingThere asks every use case for what does not exist.
func TestNothingThere(t *testing.T) {
	f := newFixture(t)
	patch := []byte(`{}`)
	inProject := func(name string, ask func(ctx context.Context, project string) error) []refusal {
		return []refusal{
			{name + " of no project", func(ctx context.Context, _ *fixture) error { return ask(ctx, "none") }, fault.NotFound, `no project "none"`, ""},
			{name + " of no project key", func(ctx context.Context, _ *fixture) error { return ask(ctx, "") }, fault.NotFound, `no project ""`, ""},
		}
	}
	in := func(name string, ask func(ctx context.Context, project, environment string) error) []refusal {
		return append(
			inProject(name, func(ctx context.Context, project string) error { return ask(ctx, project, "production") }),
			refusal{name + " of no environment", func(ctx context.Context, _ *fixture) error { return ask(ctx, "shop", "none") }, fault.NotFound, `no environment "none"`, ""},
			refusal{name + " of the catalogue", func(ctx context.Context, _ *fixture) error { return ask(ctx, "shop", "") }, fault.NotFound, `no environment ""`, ""},
		)
	}
	missing := func(name string, ask func(ctx context.Context) error) refusal {
		return refusal{name, func(ctx context.Context, _ *fixture) error { return ask(ctx) }, fault.NotFound, `"none"`, ""}
	}
	var all []refusal
	all = append(all, inProject("environments", func(ctx context.Context, p string) error { _, err := f.Environments(ctx, p); return err })...)
	all = append(all, inProject("definitions", func(ctx context.Context, p string) error { _, err := f.Definitions(ctx, p); return err })...)
	all = append(all, inProject("definition", func(ctx context.Context, p string) error { _, err := f.Definition(ctx, p, "checkout"); return err })...)
	all = append(all, inProject("new flag", func(ctx context.Context, p string) error {
		_, err := f.CreateFlag(ctx, ann, p, boolean("x"))
		return err
	})...)
	all = append(all, inProject("patched definition", func(ctx context.Context, p string) error {
		_, err := f.PatchDefinition(ctx, ann, p, "checkout", patch)
		return err
	})...)
	all = append(all, inProject("deleted flag", func(ctx context.Context, p string) error { _, err := f.DeleteFlag(ctx, ann, p, "checkout"); return err })...)
	all = append(all, in("flags", func(ctx context.Context, p, e string) error { _, err := f.Flags(ctx, p, e); return err })...)
	all = append(all, in("flag", func(ctx context.Context, p, e string) error { _, err := f.Flag(ctx, p, e, "checkout"); return err })...)
	all = append(all, in("patched flag", func(ctx context.Context, p, e string) error {
		_, err := f.PatchFlag(ctx, ann, p, e, "checkout", patch)
		return err
	})...)
	all = append(all, in("segments", func(ctx context.Context, p, e string) error { _, err := f.Segments(ctx, p, e); return err })...)
	all = append(all, in("segment", func(ctx context.Context, p, e string) error { _, err := f.Segment(ctx, p, e, "beta"); return err })...)
	all = append(all, in("new segment", func(ctx context.Context, p, e string) error {
		_, err := f.CreateSegment(ctx, ann, p, e, feature.Segment{Key: "x"})
		return err
	})...)
	all = append(all, in("patched segment", func(ctx context.Context, p, e string) error {
		_, err := f.PatchSegment(ctx, ann, p, e, "beta", patch)
		return err
	})...)
	all = append(all, in("deleted segment", func(ctx context.Context, p, e string) error {
		_, err := f.DeleteSegment(ctx, ann, p, e, "beta")
		return err
	})...)
	all = append(all, in("segment keys", func(ctx context.Context, p, e string) error {
		_, err := f.UpdateSegmentKeys(ctx, ann, p, e, "beta", feature.ListIncluded, nil, nil)
		return err
	})...)
	all = append(all, in("evaluation", func(ctx context.Context, p, e string) error {
		_, _, err := f.Evaluate(ctx, p, e, Evaluation{})
		return err
	})...)
	all = append(all, in("changes", func(ctx context.Context, p, e string) error {
		_, err := f.Changes(ctx, p, e, HistoryQuery{})
		return err
	})...)
	all = append(all, in("restoration", func(ctx context.Context, p, e string) error {
		_, err := f.Restore(ctx, ann, p, e, Restoration{Version: 1})
		return err
	})...)
	all = append(all, inProject("project", func(ctx context.Context, p string) error { _, err := f.Project(ctx, p); return err })...)
	all = append(all, inProject("patched project", func(ctx context.Context, p string) error { _, err := f.PatchProject(ctx, ann, p, patch); return err })...)
	all = append(all, inProject("archived project", func(ctx context.Context, p string) error { _, err := f.ArchiveProject(ctx, ann, p); return err })...)
	all = append(all, inProject("restored project", func(ctx context.Context, p string) error { _, err := f.RestoreProject(ctx, ann, p); return err })...)
	all = append(all, inProject("deleted project", func(ctx context.Context, p string) error { _, err := f.DeleteProject(ctx, ann, p, p); return err })...)
	all = append(all, inProject("archived flag", func(ctx context.Context, p string) error {
		_, err := f.ArchiveFlag(ctx, ann, p, "checkout", true)
		return err
	})...)
	all = append(all, inProject("restored flag", func(ctx context.Context, p string) error {
		_, err := f.RestoreFlag(ctx, ann, p, "checkout")
		return err
	})...)
	all = append(all, in("environment", func(ctx context.Context, p, e string) error { _, err := f.Environment(ctx, p, e); return err })...)
	all = append(all, in("patched environment", func(ctx context.Context, p, e string) error {
		_, err := f.PatchEnvironment(ctx, ann, p, e, patch)
		return err
	})...)
	all = append(all, in("archived environment", func(ctx context.Context, p, e string) error {
		_, err := f.ArchiveEnvironment(ctx, ann, p, e)
		return err
	})...)
	all = append(all, in("restored environment", func(ctx context.Context, p, e string) error {
		_, err := f.RestoreEnvironment(ctx, ann, p, e)
		return err
	})...)
	all = append(all, in("deleted environment", func(ctx context.Context, p, e string) error {
		_, err := f.DeleteEnvironment(ctx, ann, p, e, e)
		return err
	})...)
	all = append(all, in("copied environment", func(ctx context.Context, p, e string) error {
		_, err := f.CopyEnvironment(ctx, ann, p, e, Copy{From: "staging", All: true})
		return err
	})...)
	all = append(all, in("compared environment", func(ctx context.Context, p, e string) error {
		_, err := f.CompareEnvironments(ctx, p, e, "staging")
		return err
	})...)
	all = append(
		all,
		missing("archived flag", func(ctx context.Context) error { _, err := f.ArchiveFlag(ctx, ann, "shop", "none", true); return err }),
		missing("restored flag", func(ctx context.Context) error { _, err := f.RestoreFlag(ctx, ann, "shop", "none"); return err }),
		missing("definition", func(ctx context.Context) error { _, err := f.Definition(ctx, "shop", "none"); return err }),
		missing("patched definition", func(ctx context.Context) error {
			_, err := f.PatchDefinition(ctx, ann, "shop", "none", patch)
			return err
		}),
		missing("deleted flag", func(ctx context.Context) error { _, err := f.DeleteFlag(ctx, ann, "shop", "none"); return err }),
		missing("flag", func(ctx context.Context) error { _, err := f.Flag(ctx, "shop", "staging", "none"); return err }),
		missing("patched flag", func(ctx context.Context) error {
			_, err := f.PatchFlag(ctx, ann, "shop", "staging", "none", patch)
			return err
		}),
		missing("segment", func(ctx context.Context) error { _, err := f.Segment(ctx, "shop", "staging", "none"); return err }),
		missing("patched segment", func(ctx context.Context) error {
			_, err := f.PatchSegment(ctx, ann, "shop", "staging", "none", patch)
			return err
		}),
		missing("deleted segment", func(ctx context.Context) error {
			_, err := f.DeleteSegment(ctx, ann, "shop", "staging", "none")
			return err
		}),
		missing("segment keys", func(ctx context.Context) error {
			_, err := f.UpdateSegmentKeys(ctx, ann, "shop", "staging", "none", feature.ListExcluded, []string{"a"}, nil)
			return err
		}),
	)
	f.refuses(t, all)
}

func TestBrokenStoreIsInternal(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	f.store.broken = errors.New("disk on fire")
	for name, ask := range map[string]func() error{
		"read":  func() error { _, err := f.Flag(ctx, "shop", "production", "checkout"); return err },
		"write": func() error { _, err := f.DeleteFlag(ctx, ann, "shop", "checkout"); return err },
	} {
		err := ask()
		if !errors.Is(err, f.store.broken) {
			t.Errorf("%s: the cause is lost: %v", name, err)
		}
		if known := fault.From(err); known.Kind != fault.Internal || contains(known, "fire") {
			t.Errorf("%s: callers see %v", name, known)
		}
	}
}
