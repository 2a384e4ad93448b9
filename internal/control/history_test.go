package control

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/fault"
	"github.com/wigwag/wigwag/internal/store"
	"github.com/wigwag/wigwag/snapshot"
)

func TestChanges(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	start := f.position(t, "production")
	must(t)(f.PatchFlag(ctx, Write{Actor: "bob", Comment: "launch"}, "shop", "production", "checkout", []byte(`{"state":"ENABLED"}`)))
	must(t)(f.UpdateSegmentKeys(ctx, ann, "shop", "production", "beta", feature.ListIncluded, numbered("u", 3_000), nil))
	must(t)(f.UpdateSegmentKeys(ctx, ann, "shop", "production", "beta", feature.ListIncluded, []string{"one more"}, nil))
	must(t)(f.ArchiveFlag(ctx, ann, "shop", "color", false))
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
	for _, c := range []struct {
		name  string
		query HistoryQuery
		want  []Change
		next  snapshot.Position
	}{
		{"from a position", HistoryQuery{After: start}, want, at(5)},
		{"a page", HistoryQuery{After: at(1), Limit: 2}, want[1:3], at(3)},
		{"the end", HistoryQuery{After: at(5)}, nil, at(5)},
		{"newest first", HistoryQuery{Newest: true, Limit: 2}, []Change{want[4], want[3]}, at(4)},
		{"newest first, the next page", HistoryQuery{Newest: true, After: at(4), Limit: 2}, []Change{want[2], want[1]}, at(2)},
		{"a flag", HistoryQuery{After: start, Flag: "checkout"}, want[:1], at(5)},
		{"a segment and its keys", HistoryQuery{After: start, Segment: "beta", Limit: 3}, []Change{want[1], want[2], want[4]}, at(5)},
		{"a flag or a segment", HistoryQuery{After: at(1), Flag: "color", Segment: "beta", Limit: 3}, want[1:4], at(4)},
		{"what never was", HistoryQuery{Newest: true, Flag: "nope"}, nil, snapshot.Position{}},
	} {
		got, err := f.Changes(ctx, "shop", "production", c.query)
		if diff := cmp.Diff(c.want, got.Changes, cmpopts.IgnoreFields(Change{}, "At"), cmpopts.EquateEmpty()); err != nil || diff != "" {
			t.Errorf("%s: %v\n%s", c.name, err, diff)
		}
		if got.Next != c.next {
			t.Errorf("%s: next is %s, want %s", c.name, got.Next, c.next)
		}
		for i, change := range got.Changes {
			if time.Since(change.At) > time.Hour || i > 0 && !c.query.Newest && change.At.Before(got.Changes[i-1].At) {
				t.Errorf("%s: change %d was at %s", c.name, i, change.At)
			}
		}
	}
	f.refuses(t, []refusal{
		{"negative limit", func(ctx context.Context, f *fixture) error {
			_, err := f.Changes(ctx, "shop", "production", HistoryQuery{Limit: -1})
			return err
		}, fault.Invalid, "-1", "limit"},
		{"another history", func(ctx context.Context, f *fixture) error {
			_, err := f.Changes(ctx, "shop", "production", HistoryQuery{After: snapshot.Position{Epoch: "x", Version: 1}})
			return err
		}, fault.Invalid, start.Epoch, "after"},
	})
}

func TestProjectChanges(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	must(t)(f.PatchDefinition(ctx, Write{Actor: "bob"}, "shop", "color", []byte(`{"owner":"design"}`)))
	got, err := f.ProjectChanges(ctx, "shop", HistoryQuery{Flag: "color"})
	if err != nil || len(got.Changes) != 2 || got.Changes[1].Actor != "bob" || got.Changes[1].Flags[0] != "color" {
		t.Fatalf("%+v, %v", got, err)
	}
	all, err := f.ProjectChanges(ctx, "shop", HistoryQuery{})
	if err != nil || len(all.Changes) != 7 {
		t.Fatalf("%+v, %v", all, err)
	}
	if diff := cmp.Diff([]string{"production"}, all.Changes[1].Environments); diff != "" {
		t.Error(diff)
	}
	version, err := f.ProjectVersion(ctx, "shop", got.Changes[1].Position.Version)
	if err != nil || len(version.Differences) != 1 || version.Actor != "bob" {
		t.Fatalf("%+v, %v", version, err)
	}
	if d := version.Differences[0]; d.Ref != definitionRef("color") || string(d.Before) == string(d.After) ||
		string(d.After) != string(raw(t, f, "", definitionRef("color"))) {
		t.Errorf("%s before is %s, after %s", d.Ref, d.Before, d.After)
	}
	diff, err := f.ProjectDiff(ctx, "shop", 0, 0, "color")
	if err != nil || len(diff.Differences) != 1 || diff.Differences[0].Before != nil || diff.To != f.position(t, "") {
		t.Errorf("%+v, %v", diff, err)
	}
}

// raw is the body of an item as it is now.
func raw(t *testing.T, f *fixture, environment string, ref snapshot.Ref) []byte {
	t.Helper()
	item, err := f.store.Item(t.Context(), store.SetID{Project: "shop", Environment: environment}, ref)
	if err != nil {
		t.Fatal(err)
	}
	return item.Body
}

func TestVersionsAndDiffs(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	start := f.position(t, "production").Version
	before := raw(t, f, "production", flagRef("checkout"))
	must(t)(f.PatchFlag(ctx, ann, "shop", "production", "checkout", []byte(`{"state":"ENABLED"}`)))                            // +1
	must(t)(f.PatchSegment(ctx, ann, "shop", "production", "beta", []byte(`{"name":"Testers"}`)))                              // +2
	must(t)(f.UpdateSegmentKeys(ctx, ann, "shop", "production", "beta", feature.ListIncluded, numbered("k", 3_000), nil))      // +3
	must(t)(f.UpdateSegmentKeys(ctx, ann, "shop", "production", "beta", feature.ListIncluded, []string{"k1"}, []string{"u1"})) // +4
	must(t)(f.UpdateSegmentKeys(ctx, ann, "shop", "production", "beta", feature.ListIncluded, nil, numbered("k", 3_000)))      // +5
	must(t)(f.ArchiveFlag(ctx, ann, "shop", "color", false))                                                                   // +6

	version := func(n uint64) Version {
		t.Helper()
		v, err := f.Version(ctx, "shop", "production", start+n)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	one := version(1)
	if len(one.Differences) != 1 || one.Actor != "ann" || one.Position.Version != start+1 {
		t.Fatalf("%+v", one)
	}
	if d := one.Differences[0]; string(d.Before) != string(before) || string(d.After) != string(raw(t, f, "production", flagRef("checkout"))) {
		t.Errorf("before %s\nafter %s", d.Before, d.After)
	}
	if d := version(2).Differences; len(d) != 1 || string(d[0].Before) != `{"key":"beta","included":["u1"],"excluded":["u2"]}` ||
		string(d[0].After) != `{"key":"beta","name":"Testers","included":["u1"],"excluded":["u2"]}` {
		t.Errorf("%+v", d)
	}
	keys := snapshot.Ref{Kind: snapshot.KindKeys, Key: "beta/included"}
	// The list is cut into shards, which people need not know of.
	if d := version(3).Differences; len(d) != 1 || d[0].Ref != keys || len(d[0].Added) != 3_000 || len(d[0].Removed) != 0 {
		t.Errorf("%d differences, the first of %s adds %d", len(d), d[0].Ref, len(d[0].Added))
	}
	if d := version(4).Differences; len(d) != 1 || !cmp.Equal(d[0].Added, []string{"k1"}) || !cmp.Equal(d[0].Removed, []string{"u1"}) {
		t.Errorf("%+v", d)
	}
	if d := version(5).Differences; len(d) != 1 || len(d[0].Removed) != 3_000 {
		t.Errorf("%d", len(d))
	}
	if d := version(6).Differences; len(d) != 1 || d[0].Ref != flagRef("color") || d[0].After != nil {
		t.Errorf("%+v", d)
	}

	diff := func(from, to uint64, flag, segment string) []Difference {
		t.Helper()
		compared, err := f.Diff(ctx, "shop", "production", from, to, flag, segment)
		if err != nil {
			t.Fatal(err)
		}
		return compared.Differences
	}
	if d := diff(start, 0, "", ""); len(d) != 3 || d[0].Ref.Key != "checkout" || d[1].Ref.Key != "color" || d[2].Ref != segmentRef("beta") {
		t.Errorf("%+v", d)
	}
	if d := diff(start+6, start, "color", ""); len(d) != 1 || d[0].Before != nil || d[0].After == nil {
		t.Errorf("backwards: %+v", d)
	}
	if d := diff(start+2, start+3, "", "beta"); len(d) != 1 || len(d[0].Added) != 3_000 {
		t.Errorf("%d", len(d))
	}
	if d := diff(start, start+6, "payments", ""); len(d) != 0 {
		t.Errorf("%+v", d)
	}
	if d := diff(0, start, "", ""); len(d) != 4 {
		t.Errorf("%d documents were made", len(d))
	}
	f.refuses(t, []refusal{
		{"a version to come", func(ctx context.Context, f *fixture) error {
			_, err := f.Version(ctx, "shop", "production", start+7)
			return err
		}, fault.NotFound, "no version", ""},
		{"version 0", func(ctx context.Context, f *fixture) error {
			_, err := f.Version(ctx, "shop", "production", 0)
			return err
		}, fault.Invalid, "begin at 1", "version"},
		{"diff to what is to come", func(ctx context.Context, f *fixture) error {
			_, err := f.Diff(ctx, "shop", "production", 1, start+7, "", "")
			return err
		}, fault.NotFound, "its newest is", ""},
		{"no such environment", func(ctx context.Context, f *fixture) error {
			_, err := f.Diff(ctx, "shop", "nope", 1, 2, "", "")
			return err
		}, fault.NotFound, `no environment "nope"`, ""},
	})
}

// What retention has dropped is gone, and says so; the rest is as it was.
func TestDroppedHistory(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	must(t)(f.PatchFlag(ctx, ann, "shop", "production", "checkout", []byte(`{"state":"ENABLED"}`)))
	horizon := f.position(t, "production")
	if _, err := f.store.DropHistory(ctx, store.SetID{Project: "shop", Environment: "production"}, time.Now().Add(time.Hour), 1000); err != nil {
		t.Fatal(err)
	}
	must(t)(f.PatchFlag(ctx, ann, "shop", "production", "checkout", []byte(`{"state":"DISABLED"}`)))

	flag, err := f.FlagAt(ctx, "shop", "production", "checkout", horizon.Version)
	if err != nil || flag.Value.State != feature.StateEnabled {
		t.Errorf("%+v, %v", flag, err)
	}
	history, err := f.Changes(ctx, "shop", "production", HistoryQuery{})
	if err != nil || len(history.Changes) != 1 || history.Changes[0].Position.Version != horizon.Version+1 {
		t.Errorf("%+v, %v", history, err)
	}
	if version, err := f.Version(ctx, "shop", "production", horizon.Version+1); err != nil || len(version.Differences) != 1 || version.Differences[0].Before == nil {
		t.Errorf("%+v, %v", version, err)
	}
	old := horizon.Version - 1
	for name, read := range map[string]func() error{
		"flags":     func() error { _, err := f.FlagsAt(ctx, "shop", "production", old); return err },
		"flag":      func() error { _, err := f.FlagAt(ctx, "shop", "production", "checkout", old); return err },
		"segments":  func() error { _, err := f.SegmentsAt(ctx, "shop", "production", old); return err },
		"segment":   func() error { _, err := f.SegmentAt(ctx, "shop", "production", "beta", old); return err },
		"version":   func() error { _, err := f.Version(ctx, "shop", "production", old); return err },
		"the last":  func() error { _, err := f.Version(ctx, "shop", "production", horizon.Version); return err },
		"diff":      func() error { _, err := f.Diff(ctx, "shop", "production", old, 0, "", ""); return err },
		"beginning": func() error { _, err := f.Diff(ctx, "shop", "production", 0, 0, "", ""); return err },
		"restore": func() error {
			_, err := f.Restore(ctx, ann, "shop", "production", Restoration{Version: old})
			return err
		},
		"evaluate": func() error {
			_, _, err := f.Evaluate(ctx, "shop", "production", Evaluation{At: old})
			return err
		},
		"changes": func() error {
			_, err := f.Changes(ctx, "shop", "production", HistoryQuery{After: snapshot.Position{Epoch: horizon.Epoch, Version: old}})
			return err
		},
	} {
		if err := read(); !fault.Is(err, fault.Gone) || !contains(err, "history-retention") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
