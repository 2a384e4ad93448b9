package control

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/fault"
	"github.com/wigwag/wigwag/internal/store"
	"github.com/wigwag/wigwag/internal/store/memory"
	"github.com/wigwag/wigwag/snapshot"
)

func TestRestoreFlag(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	must(t)(f.PatchFlag(ctx, ann, "shop", "production", "checkout", []byte(
		`{"state":"ENABLED","rules":[{"id":"r1","when":{"segment":"beta"},"serve":{"variant":"on"}}]}`)))
	version := f.position(t, "production").Version
	then := raw(t, f, "production", flagRef("checkout"))
	must(t)(f.PatchFlag(ctx, ann, "shop", "production", "checkout", []byte(`{"state":"DISABLED","rules":null}`)))
	must(t)(f.PatchFlag(ctx, ann, "shop", "production", "payments", []byte(`{"state":"ENABLED"}`)))
	position := f.position(t, "production")

	written, err := f.Restore(ctx, Write{Actor: "bob", Comment: "back"}, "shop", "production", Restoration{Version: version, Flag: "checkout"})
	if err != nil || written.Position.Version != position.Version+1 || written.Position != f.position(t, "production") {
		t.Fatalf("%+v, %v", written, err)
	}
	if len(written.Changes) != 1 || written.Changes[0].Ref != flagRef("checkout") {
		t.Errorf("changes are %+v", written.Changes)
	}
	if now := raw(t, f, "production", flagRef("checkout")); string(now) != string(then) {
		t.Errorf("restored to %s, was %s", now, then)
	}
	if flag, err := f.Flag(ctx, "shop", "production", "payments"); err != nil || flag.Value.State != feature.StateEnabled {
		t.Errorf("another flag was restored too: %+v, %v", flag, err)
	}
	entry, err := f.Changes(ctx, "shop", "production", HistoryQuery{Newest: true, Limit: 1})
	if err != nil || entry.Changes[0].Actor != "bob" || entry.Changes[0].Comment != "back" {
		t.Errorf("%+v, %v", entry, err)
	}
	f.leavesAsIs(t, func() error {
		_, err := f.Restore(ctx, ann, "shop", "production", Restoration{Version: version, Flag: "checkout"})
		return err
	})

	// The definition is that of today.
	must(t)(f.PatchDefinition(ctx, ann, "shop", "checkout", []byte(`{"variants":{"maybe":true},"metadata":{"team":7}}`)))
	must(t)(f.PatchFlag(ctx, ann, "shop", "production", "checkout", []byte(`{"state":"DISABLED","rules":null}`)))
	must(t)(f.Restore(ctx, ann, "shop", "production", Restoration{Version: version, Flag: "checkout"}))
	flag, err := f.Flag(ctx, "shop", "production", "checkout")
	if err != nil || len(flag.Value.Variants) != 3 || flag.Value.State != feature.StateEnabled || len(flag.Value.Rules) != 1 {
		t.Errorf("%+v, %v", flag.Value, err)
	}
}

func TestRestoreSegment(t *testing.T) {
	for _, count := range []int{3, 3_000} {
		t.Run(fmt.Sprint(count, " keys"), func(t *testing.T) {
			f := newFixture(t)
			ctx := t.Context()
			keys := func() (included, excluded []string) {
				t.Helper()
				s, err := f.Segment(ctx, "shop", "production", "beta")
				if err != nil {
					t.Fatal(err)
				}
				return s.Value.Included, s.Value.Excluded
			}
			must(t)(f.UpdateSegmentKeys(ctx, ann, "shop", "production", "beta", feature.ListIncluded, numbered("k", count), nil))
			version := f.position(t, "production").Version
			wantIn, wantOut := keys()
			must(t)(f.UpdateSegmentKeys(ctx, ann, "shop", "production", "beta", feature.ListIncluded, numbered("more", 9_000), nil))
			must(t)(f.UpdateSegmentKeys(ctx, ann, "shop", "production", "beta", feature.ListExcluded, numbered("x", 3_000), nil))
			f.restoresSegment(t, version)
			if in, out := keys(); !slices.Equal(in, wantIn) || !slices.Equal(out, wantOut) {
				t.Errorf("%d included and %d excluded, want %d and %d", len(in), len(out), len(wantIn), len(wantOut))
			}
			f.holdsNoStrayShards(t)

			must(t)(f.DeleteSegment(ctx, ann, "shop", "production", "beta"))
			f.restoresSegment(t, version)
			if in, _ := keys(); !slices.Equal(in, wantIn) {
				t.Errorf("%d keys came back with the segment, want %d", len(in), len(wantIn))
			}
		})
	}
}

func (f *fixture) restoresSegment(t *testing.T, version uint64) {
	t.Helper()
	before := f.position(t, "production").Version
	must(t)(f.Restore(t.Context(), ann, "shop", "production", Restoration{Version: version, Segment: "beta"}))
	if moved := f.position(t, "production").Version - before; moved != 1 {
		t.Errorf("the restoration took %d commits", moved)
	}
}

func (f *fixture) holdsNoStrayShards(t *testing.T) {
	t.Helper()
	id := store.SetID{Project: "shop", Environment: "production"}
	shards, err := f.store.Items(t.Context(), id, snapshot.KindKeys)
	if err != nil {
		t.Fatal(err)
	}
	segment, err := f.Segments(t.Context(), "shop", "production")
	if err != nil {
		t.Fatal(err)
	}
	if want := segment[0].Value.Shards; len(shards) != want.Included+want.Excluded {
		t.Errorf("%d shards are stored, the segment has %+v", len(shards), want)
	}
}

func TestRestoreEnvironment(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	must(t)(f.PatchFlag(ctx, ann, "shop", "production", "checkout", []byte(
		`{"state":"ENABLED","prerequisites":[{"flag":"payments","variants":["on"]}],"rules":[{"id":"r1","when":{"segment":"beta"},"serve":{"variant":"on"}}]}`)))
	position := f.position(t, "production")
	past, err := f.FlagsAt(ctx, "shop", "production", position.Version)
	if err != nil || past.Position != position {
		t.Fatalf("%+v, %v", past, err)
	}
	then := past.Values
	must(t)(f.PatchFlag(ctx, ann, "shop", "production", "checkout", []byte(`{"prerequisites":null,"rules":null}`)))
	must(t)(f.DeleteSegment(ctx, ann, "shop", "production", "beta"))
	must(t)(f.CreateSegment(ctx, ann, "shop", "production", feature.Segment{Key: "gamma"}))
	must(t)(f.CreateFlag(ctx, ann, "shop", boolean("since")))
	must(t)(f.PatchFlag(ctx, ann, "shop", "production", "since", []byte(
		`{"state":"ENABLED","rules":[{"id":"r1","when":{"segment":"gamma"},"serve":{"variant":"on"}}]}`)))

	before := f.position(t, "production").Version
	must(t)(f.Restore(ctx, ann, "shop", "production", Restoration{Version: position.Version}))
	if moved := f.position(t, "production").Version - before; moved != 1 {
		t.Errorf("the restoration took %d commits", moved)
	}
	now, err := f.Flags(ctx, "shop", "production")
	if err != nil || len(now) != len(then)+1 {
		t.Fatalf("%d flags, %v", len(now), err)
	}
	for _, flag := range now {
		if flag.Value.Key == "since" {
			if flag.Value.State != feature.StateDisabled || len(flag.Value.Rules) != 0 {
				t.Errorf("a flag that was made since is still %s", text(flag.Value))
			}
			continue
		}
		i := slices.IndexFunc(then, func(r Read[*feature.Flag]) bool { return r.Value.Key == flag.Value.Key })
		if text(flag.Value) != text(then[i].Value) {
			t.Errorf("%s, was %s", text(flag.Value), text(then[i].Value))
		}
	}
	segments, err := f.Segments(ctx, "shop", "production")
	if err != nil || len(segments) != 1 || segments[0].Value.Key != "beta" {
		t.Errorf("segments are %+v, %v", segments, err)
	}
}

func TestRestoreRefuses(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	first := f.position(t, "production").Version
	must(t)(f.PatchFlag(ctx, ann, "shop", "production", "color", []byte(`{"default":{"variant":"blue"}}`)))
	blue := f.position(t, "production").Version
	must(t)(f.PatchFlag(ctx, ann, "shop", "production", "color", []byte(`{"default":{"variant":"red"},"offVariant":"red"}`)))
	must(t)(f.PatchFlag(ctx, ann, "shop", "production", "checkout", []byte(`{"rules":[{"id":"r1","when":{"segment":"beta"},"serve":{"variant":"on"}}]}`)))
	segmented := f.position(t, "production")
	must(t)(f.PatchFlag(ctx, ann, "shop", "production", "checkout", []byte(`{"rules":null}`)))
	must(t)(f.DeleteSegment(ctx, ann, "shop", "production", "beta"))
	must(t)(f.PatchFlag(ctx, ann, "shop", "staging", "color", []byte(`{"offVariant":"red"}`)))
	must(t)(f.PatchDefinition(ctx, ann, "shop", "color", []byte(`{"variants":{"blue":null}}`)))
	must(t)(f.CreateFlag(ctx, ann, "shop", boolean("since")))
	restore := func(w Write, r Restoration) func(ctx context.Context, f *fixture) error {
		return func(ctx context.Context, f *fixture) error {
			_, err := f.Restore(ctx, w, "shop", "production", r)
			return err
		}
	}
	f.refuses(t, []refusal{
		{"a variant that is gone", restore(ann, Restoration{Version: blue, Flag: "color"}), fault.Conflict, "blue", "flag color"},
		{"a segment that is gone", restore(ann, Restoration{Version: segmented.Version, Flag: "checkout"}), fault.Conflict, "beta", "flag checkout"},
		{"a flag in the environment that no longer fits", restore(ann, Restoration{Version: blue}), fault.Conflict, "blue", "flag color"},
		{"a flag that was not there", restore(ann, Restoration{Version: first, Flag: "since"}), fault.NotFound, "had no flag \"since\"", ""},
		{"a segment that never was", restore(ann, Restoration{Version: first, Segment: "nope"}), fault.NotFound, "had no segment \"nope\"", ""},
		{"both", restore(ann, Restoration{Version: first, Flag: "color", Segment: "beta"}), fault.Invalid, "", "segment"},
		{"a version to come", restore(ann, Restoration{Version: 1000}), fault.NotFound, "no version 1000", ""},
		{"no version", restore(ann, Restoration{}), fault.Invalid, "", "version"},
		{"stale", restore(Write{IfMatch: segmented}, Restoration{Version: first, Flag: "checkout"}), fault.Stale, "flag checkout", ""},
		{"stale environment", restore(Write{IfMatch: segmented}, Restoration{Version: first}), fault.Stale, "the environment", ""},
	})
	must(t)(f.ArchiveFlag(ctx, ann, "shop", "payments", false))
	f.refuses(t, []refusal{
		{"a flag that was deleted since", restore(ann, Restoration{Version: segmented.Version, Flag: "payments"}), fault.Conflict, "deleted or archived since", "flag payments"},
		{"an environment with it", restore(ann, Restoration{Version: segmented.Version}), fault.Conflict, "deleted or archived since", "flag payments"},
	})
}

func TestEvaluateAtAVersion(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	must(t)(f.PatchFlag(ctx, ann, "shop", "production", "checkout", []byte(`{"state":"ENABLED"}`)))
	enabled := f.position(t, "production")
	must(t)(f.PatchFlag(ctx, ann, "shop", "production", "checkout", []byte(`{"state":"DISABLED"}`)))
	for at, want := range map[uint64]string{0: "off", enabled.Version - 1: "off", enabled.Version: "on", enabled.Version + 1: "off"} {
		answers, position, err := f.Evaluate(ctx, "shop", "production", Evaluation{Flags: []string{"checkout"}, At: at})
		if err != nil || answers[0].Details.Variant != want || at != 0 && position.Version != at {
			t.Errorf("at %d: %+v at %s, %v", at, answers, position, err)
		}
	}
	_, _, err := f.Evaluate(ctx, "shop", "production", Evaluation{At: enabled.Version + 2})
	if !fault.Is(err, fault.NotFound) {
		t.Errorf("a version to come: %v", err)
	}
}

// Whatever is written, every version can be read back as it was served, and an
// environment that is restored has the digest that it had, as long as no flag was
// made, deleted or redefined since.
func TestThePastIsKept(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ctx := t.Context()
		st := memory.New()
		defer st.Close()
		c := New(st)
		id := store.SetID{Project: "p", Environment: "e"}
		must := func(_ any, err error) {
			t.Helper()
			if err != nil && !fault.Is(err, fault.InUse) && !fault.Is(err, fault.Conflict) && !fault.Is(err, fault.NotFound) && !fault.Is(err, fault.Invalid) {
				t.Fatal(err)
			}
		}
		must(c.CreateProject(ctx, ann, Project{Key: "p"}))
		must(c.CreateEnvironment(ctx, ann, "p", Environment{Key: "e"}))
		for _, key := range []string{"a", "b"} {
			must(c.CreateFlag(ctx, ann, "p", boolean(key)))
		}
		must(c.CreateSegment(ctx, ann, "p", "e", feature.Segment{Key: "s", Included: numbered("k", 2_500)}))
		served := map[uint64][]string{} // the texts of flags and segments by version
		digests := map[uint64]snapshot.Digest{}
		look := func() uint64 {
			set, all, err := st.SnapshotAt(ctx, id, 0)
			if err != nil {
				t.Fatal(err)
			}
			served[set.Position.Version] = everything(t, func() ([]Read[*feature.Flag], error) { return c.Flags(ctx, "p", "e") },
				func() ([]Read[*feature.Segment], error) { return c.Segments(ctx, "p", "e") },
				func(key string) (Read[*feature.Segment], error) { return c.Segment(ctx, "p", "e", key) })
			digests[set.Position.Version] = digestOf(t, set, all)
			return set.Position.Version
		}
		look()
		for range rapid.IntRange(6, 16).Draw(t, "writes") {
			flag := rapid.SampledFrom([]string{"a", "b"}).Draw(t, "flag")
			segment := rapid.SampledFrom([]string{"s", "t"}).Draw(t, "segment")
			switch rapid.IntRange(0, 5).Draw(t, "what") {
			case 0:
				must(c.PatchFlag(ctx, ann, "p", "e", flag, []byte(rapid.SampledFrom([]string{
					`{"state":"ENABLED"}`, `{"state":"DISABLED"}`, `{"rules":null}`, `{"default":{"split":{"weights":[["on",50000],["off",50000]]}}}`,
				}).Draw(t, "patch"))))
			case 1:
				must(c.PatchFlag(ctx, ann, "p", "e", flag, fmt.Appendf(nil, `{"rules":[{"when":{"segment":%q},"serve":{"variant":"on"}}]}`, segment)))
			case 2:
				must(c.CreateSegment(ctx, ann, "p", "e", feature.Segment{Key: segment, Included: numbered("k", rapid.SampledFrom([]int{1, 2_500}).Draw(t, "keys"))}))
			case 3:
				from := rapid.IntRange(0, 3_000).Draw(t, "from")
				must(c.UpdateSegmentKeys(ctx, ann, "p", "e", segment, feature.ListIncluded, numbered("k", 5_000)[from:from+1_000], numbered("x", 2)))
			case 4:
				must(c.DeleteSegment(ctx, ann, "p", "e", segment))
			default:
				must(c.Restore(ctx, ann, "p", "e", Restoration{Version: rapid.SampledFrom(slices.Sorted(maps.Keys(served))).Draw(t, "back"), Segment: segment}))
			}
			look()
		}
		for version, want := range served {
			got := everything(t, func() ([]Read[*feature.Flag], error) {
				past, err := c.FlagsAt(ctx, "p", "e", version)
				return past.Values, err
			},
				func() ([]Read[*feature.Segment], error) {
					past, err := c.SegmentsAt(ctx, "p", "e", version)
					return past.Values, err
				},
				func(key string) (Read[*feature.Segment], error) { return c.SegmentAt(ctx, "p", "e", key, version) })
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("version %d:\n%s", version, diff)
			}
		}
		back := rapid.SampledFrom(slices.Sorted(maps.Keys(served))).Draw(t, "restored")
		if _, err := c.Restore(ctx, ann, "p", "e", Restoration{Version: back}); err != nil {
			t.Fatalf("to %d: %v", back, err)
		}
		if now := look(); digests[now] != digests[back] {
			t.Fatalf("restored to %d as %d: the digest differs\n%s", back, now, cmp.Diff(served[back], served[now]))
		}
	})
}

// everything is what an environment serves, with the versions of each part.
func everything(t *rapid.T, flags func() ([]Read[*feature.Flag], error), segments func() ([]Read[*feature.Segment], error),
	segment func(key string) (Read[*feature.Segment], error),
) []string {
	var all []string
	list, err := flags()
	if err != nil {
		t.Fatal(err)
	}
	for _, flag := range list {
		all = append(all, flag.ChangedAt.String()+" "+text(flag.Value))
	}
	groups, err := segments()
	if err != nil {
		t.Fatal(err)
	}
	for _, group := range groups {
		whole, err := segment(group.Value.Key)
		if err != nil || whole.ChangedAt != group.ChangedAt {
			t.Fatalf("%s changed at %s, in the list at %s, %v", group.Value.Key, whole.ChangedAt, group.ChangedAt, err)
		}
		all = append(all, group.ChangedAt.String()+" "+text(group.Value)+" "+text(whole.Value))
	}
	return all
}

func digestOf(t *rapid.T, set store.Set, all []store.Item) snapshot.Digest {
	items := make([]*snapshot.Item, len(all))
	for i := range all {
		var err error
		if items[i], err = snapshot.NewItem(all[i].Ref, all[i].Body); err != nil {
			t.Fatal(err)
		}
	}
	return snapshot.New(snapshot.Header{}, set.Position, set.CommittedAt, items).Digest
}
