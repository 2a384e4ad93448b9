package control

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/fault"
	"github.com/wigwag/wigwag/snapshot"
)

// changeNames are changes in short.
func changeNames(changes []ItemChange) []string {
	names := make([]string, len(changes))
	for i, c := range changes {
		names[i] = string(c.Action) + " " + c.Set.Environment + " " + c.Ref.String()
	}
	return names
}

// A dry run answers what the write then does, and does nothing.
func TestDryRun(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	try := Write{Actor: "ann", DryRun: true}
	for _, write := range []struct {
		name    string
		changes []string
		do      func(w Write) ([]ItemChange, map[string]snapshot.Position, error)
	}{
		{
			"create a flag",
			[]string{"create  definition/new", "create production flag/new", "create staging flag/new"},
			func(w Write) ([]ItemChange, map[string]snapshot.Position, error) {
				written, err := f.CreateFlag(ctx, w, "shop", boolean("new"))
				return written.Changes, written.Environments, err
			},
		},
		{
			"patch a flag",
			[]string{"update production flag/new"},
			func(w Write) ([]ItemChange, map[string]snapshot.Position, error) {
				written, err := f.PatchFlag(ctx, w, "shop", "production", "new", []byte(`{"state":"ENABLED"}`))
				return written.Changes, written.Environments, err
			},
		},
		{
			"nothing",
			[]string{},
			func(w Write) ([]ItemChange, map[string]snapshot.Position, error) {
				written, err := f.PatchFlag(ctx, w, "shop", "production", "new", []byte(`{"state":"ENABLED"}`))
				return written.Changes, written.Environments, err
			},
		},
		{
			"a note for people",
			[]string{"update  definition/new"},
			func(w Write) ([]ItemChange, map[string]snapshot.Position, error) {
				written, err := f.PatchDefinition(ctx, w, "shop", "new", []byte(`{"owner":"ann"}`))
				return written.Changes, written.Environments, err
			},
		},
		{
			"delete a segment",
			[]string{"delete production segment/beta"},
			func(w Write) ([]ItemChange, map[string]snapshot.Position, error) {
				written, err := f.DeleteSegment(ctx, w, "shop", "production", "beta")
				return written.Changes, written.Environments, err
			},
		},
		{"create an environment", []string{
			"create  environment/dev", "create dev flag/checkout", "create dev flag/color", "create dev flag/new", "create dev flag/payments",
		}, func(w Write) ([]ItemChange, map[string]snapshot.Position, error) {
			written, err := f.CreateEnvironment(ctx, w, "shop", Environment{Key: "dev"})
			return written.Changes, written.Environments, err
		}},
	} {
		t.Run(write.name, func(t *testing.T) {
			before := f.state(t)
			tried, positions, err := write.do(try)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(before, f.state(t)); diff != "" {
				t.Fatalf("the dry run left its mark:\n%s", diff)
			}
			for environment, position := range positions {
				if position != f.position(t, environment) {
					t.Errorf("%s is told to be at %s", environment, position)
				}
			}
			done, _, err := write.do(ann)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(write.changes, changeNames(done)); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(done, tried); diff != "" {
				t.Errorf("the write changed something else than the dry run said:\n%s", diff)
			}
			for _, c := range done {
				if (c.Before == nil) != (c.Action == ActionCreate) || (c.After == nil) != (c.Action == ActionDelete) {
					t.Errorf("%s has before %s and after %s", c.Action, c.Before, c.After)
				}
			}
		})
	}
	f.refuses(t, []refusal{{"as the write", func(ctx context.Context, f *fixture) error {
		_, err := f.PatchFlag(ctx, try, "shop", "production", "new", []byte(`{"default":{"variant":"x"}}`))
		return err
	}, fault.Invalid, "unknown variant", "default.variant"}})
	project, err := f.CreateProject(ctx, try, Project{Key: "other"})
	if err != nil || !project.Position.IsZero() || len(project.Changes) != 1 {
		t.Errorf("a project that is not made: %+v, %v", project, err)
	}
}

func TestPutFlag(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	must(t)(f.PatchFlag(ctx, ann, "shop", "production", "checkout", []byte(
		`{"state":"ENABLED","overrides":[{"variant":"on","targetingKeys":["u"]}],"default":{"split":{"salt":"mine.","weights":[["on",1],["off",99999]]}}}`)))
	read, err := f.Flag(ctx, "shop", "production", "checkout")
	if err != nil {
		t.Fatal(err)
	}
	f.leavesAsIs(t, func() error {
		_, err := f.PutFlag(ctx, ann, "shop", "production", "checkout", []byte(text(read.Value)))
		return err
	})
	written, err := f.PutFlag(ctx, ann, "shop", "production", "checkout",
		[]byte(`{"state":"DISABLED","offVariant":"off","default":{"split":{"weights":[["on",2],["off",99998]]}}}`))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"key":"checkout","type":"boolean","variants":{"on":true,"off":false},"state":"DISABLED","offVariant":"off","default":{"split":{"salt":"mine.","weights":[["on",2],["off",99998]]}}}`
	if got := text(written.Value); got != want {
		t.Errorf("the flag is\n%s, want\n%s", got, want)
	}
	put := func(document string, w Write) func(context.Context, *fixture) error {
		return func(ctx context.Context, f *fixture) error {
			_, err := f.PutFlag(ctx, w, "shop", "production", "checkout", []byte(document))
			return err
		}
	}
	f.refuses(t, []refusal{
		{"list", put(`[]`, ann), fault.Invalid, "send a JSON object", ""},
		{"missing", put(`{"state":"ENABLED"}`, ann), fault.Invalid, "name a variant", "offVariant"},
		{"unknown field", put(`{"states":"ENABLED"}`, ann), fault.Invalid, "unknown", "states"},
		{"another definition", put(`{"key":"x","state":"ENABLED","offVariant":"off","default":{"variant":"on"}}`, ann), fault.Invalid, "leave it out", "key"},
		{"more of the definition", put(`{"owner":"x","state":"ENABLED","offVariant":"off","default":{"variant":"on"}}`, ann), fault.Invalid, "leave it out", "owner"},
		{"stale", put(`{"state":"ENABLED","offVariant":"off","default":{"variant":"on"}}`, Write{IfMatch: read.ChangedAt}), fault.Stale, "last changed", ""},
		{"prerequisite", put(`{"state":"ENABLED","offVariant":"off","prerequisites":[{"flag":"none","variants":["on"]}],"default":{"variant":"on"}}`, ann), fault.Invalid, "none", "prerequisites[0].flag"},
	})
}

// A refused stale write says what it would have overwritten.
func TestStaleWriteTellsWhatDiffers(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	stale := func(write func(w Write) error, base snapshot.Position) *fault.Current {
		t.Helper()
		var known *fault.Error
		if err := write(Write{IfMatch: base}); !errors.As(err, &known) || known.Kind != fault.Stale || known.Current == nil {
			t.Fatalf("got %v", err)
		}
		return known.Current
	}
	patch := func(w Write) error {
		_, err := f.PatchFlag(ctx, w, "shop", "production", "checkout", []byte(`{"offVariant":"on"}`))
		return err
	}
	base, err := f.Flag(ctx, "shop", "production", "checkout")
	if err != nil {
		t.Fatal(err)
	}
	must(t)(f.PatchFlag(ctx, ann, "shop", "production", "checkout", []byte(`{"state":"ENABLED","rules":[{"id":"r","when":{"segment":"beta"},"serve":{"variant":"on"}}]}`)))
	now, err := f.Flag(ctx, "shop", "production", "checkout")
	if err != nil {
		t.Fatal(err)
	}
	current := stale(patch, base.ChangedAt)
	if diff := cmp.Diff([]string{"rules", "state"}, current.Differs); diff != "" {
		t.Error(diff)
	}
	if string(current.Document) != text(now.Value) || current.ChangedAt != now.ChangedAt.String() {
		t.Errorf("current is %s at %s", current.Document, current.ChangedAt)
	}
	foreign := stale(patch, f.position(t, ""))
	if foreign.Differs != nil || string(foreign.Document) != text(now.Value) {
		t.Errorf("of another history: %+v", foreign)
	}

	// Keys that are kept in parts differ too.
	must(t)(f.CreateSegment(ctx, ann, "shop", "production", feature.Segment{Key: "long", Included: numbered("k", 5_000)}))
	segment, err := f.Segment(ctx, "shop", "production", "long")
	if err != nil {
		t.Fatal(err)
	}
	must(t)(f.UpdateSegmentKeys(ctx, ann, "shop", "production", "long", feature.ListIncluded, []string{"one more"}, nil))
	current = stale(func(w Write) error {
		_, err := f.PatchSegment(ctx, w, "shop", "production", "long", []byte(`{"name":"x"}`))
		return err
	}, segment.ChangedAt)
	if diff := cmp.Diff([]string{"included"}, current.Differs); diff != "" {
		t.Error(diff)
	}
}
