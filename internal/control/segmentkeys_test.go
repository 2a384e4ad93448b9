package control

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/fault"
	"github.com/wigwag/wigwag/internal/store"
	"github.com/wigwag/wigwag/snapshot"
)

func (f *fixture) replace(t testing.TB, list feature.ListName, keys []string) Written[ReplacedKeys] {
	t.Helper()
	written, err := f.ReplaceSegmentKeys(t.Context(), ann, "shop", "production", "beta", list, keys)
	if err != nil {
		t.Fatal(err)
	}
	return written
}

func (f *fixture) exported(t testing.TB, list feature.ListName) []string {
	t.Helper()
	keys, err := f.ListSegmentKeys(t.Context(), "shop", "production", "beta", list)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for part, err := range keys.Value.Parts() {
		if err != nil {
			t.Fatal(err)
		}
		if !slices.IsSorted(part) {
			t.Fatal("a part is not sorted")
		}
		all = append(all, part...)
	}
	slices.Sort(all)
	return all
}

func TestReplaceSegmentKeys(t *testing.T) {
	f := newFixture(t)
	many := numbered("user", 100_000)
	written := f.replace(t, feature.ListIncluded, many)
	if written.Value != (ReplacedKeys{feature.ListIncluded, 100_000, 100_000, 1}) { // u1 was there
		t.Errorf("outcome is %+v", written.Value)
	}
	if written.Position != f.position(t, "production") {
		t.Errorf("position is %s", written.Position)
	}
	if got := f.exported(t, feature.ListIncluded); !slices.Equal(got, many) {
		t.Errorf("%d keys come back", len(got))
	}
	segment, err := f.Segment(t.Context(), "shop", "production", "beta")
	if err != nil || !slices.Equal(segment.Value.Included, many) || !slices.Equal(segment.Value.Excluded, []string{"u2"}) {
		t.Errorf("the segment has %d and %q, %v", len(segment.Value.Included), segment.Value.Excluded, err)
	}

	// Only what changes is written: two keys are in two shards at most.
	other := slices.Clone(many)
	other[7], other[50_000] = "user-000007x", "user-050000x"
	slices.Sort(other)
	f.store.reset()
	written = f.replace(t, feature.ListIncluded, other)
	if written.Value != (ReplacedKeys{feature.ListIncluded, 100_000, 2, 2}) {
		t.Errorf("outcome is %+v", written.Value)
	}
	if puts := f.store.puts.Load(); puts < 1 || puts > 4 {
		t.Errorf("%d items were written for two keys", puts)
	}
	f.leavesAsIs(t, func() error {
		_, err := f.ReplaceSegmentKeys(t.Context(), ann, "shop", "production", "beta", feature.ListIncluded, other)
		return err
	})

	// Back to an inline list, and to none: no shard is left behind.
	f.replace(t, feature.ListIncluded, []string{"a"})
	shards, err := f.store.Items(t.Context(), store.SetID{Project: "shop", Environment: "production"}, snapshot.KindKeys)
	if err != nil || len(shards) != 0 {
		t.Errorf("%d shards are left, %v", len(shards), err)
	}
	f.replace(t, feature.ListIncluded, nil)
	if got := f.exported(t, feature.ListIncluded); len(got) != 0 {
		t.Errorf("the emptied list has %q", got)
	}
}

func TestReplaceSegmentKeysRefuses(t *testing.T) {
	f := newFixture(t)
	stale := f.position(t, "production")
	must(t)(f.UpdateSegmentKeys(t.Context(), ann, "shop", "production", "beta", feature.ListIncluded, []string{"u9"}, nil))
	replace := func(w Write, environment, segment string, list feature.ListName, keys ...string) func(context.Context, *fixture) error {
		return func(ctx context.Context, f *fixture) error {
			_, err := f.ReplaceSegmentKeys(ctx, w, "shop", environment, segment, list, keys)
			return err
		}
	}
	f.refuses(t, []refusal{
		{"no list", replace(ann, "production", "beta", "some", "a"), fault.Invalid, "included or excluded", "list"},
		{"key of the other list", replace(ann, "production", "beta", feature.ListIncluded, "a", "u2"), fault.Invalid, `"u2" is in the list excluded`, "included"},
		{"no segment", replace(ann, "production", "gamma", feature.ListIncluded, "a"), fault.NotFound, "gamma", ""},
		{"no environment", replace(ann, "test", "beta", feature.ListIncluded, "a"), fault.NotFound, "test", ""},
		{"stale", replace(Write{IfMatch: stale}, "production", "beta", feature.ListIncluded, "a"), fault.Stale, "beta", ""},
	})
	f.leavesAsIs(t, func() error {
		return replace(Write{DryRun: true}, "production", "beta", feature.ListIncluded, "a")(t.Context(), f)
	})
	must(t)(f.ReplaceSegmentKeys(t.Context(), Write{IfMatch: f.position(t, "production")}, "shop", "production", "beta", feature.ListIncluded, []string{"a"}))
}

func TestSegmentKey(t *testing.T) {
	f := newFixture(t)
	f.replace(t, feature.ListIncluded, numbered("user", 3000)) // in shards
	for key, want := range map[string]feature.ListName{"user-000042": feature.ListIncluded, "u2": feature.ListExcluded, "u1": "", "nobody": ""} {
		found, err := f.SegmentKey(t.Context(), "shop", "production", "beta", key)
		if err != nil || found.Value != (Membership{key, want}) {
			t.Errorf("%s is in %+v, %v; want %q", key, found.Value, err, want)
		}
	}
	// Its position is a condition for changing the key.
	found, err := f.SegmentKey(t.Context(), "shop", "production", "beta", "user-000042")
	if err != nil {
		t.Fatal(err)
	}
	must(t)(f.UpdateSegmentKeys(t.Context(), ann, "shop", "production", "beta", feature.ListIncluded, nil, []string{"user-000042"}))
	_, err = f.UpdateSegmentKeys(t.Context(), Write{IfMatch: found.ChangedAt}, "shop", "production", "beta", feature.ListIncluded, []string{"user-000042"}, nil)
	if !fault.Is(err, fault.Stale) {
		t.Errorf("a change since is refused with %v", err)
	}
	if _, err := f.SegmentKey(t.Context(), "shop", "production", "gamma", "a"); !fault.Is(err, fault.NotFound) {
		t.Errorf("no segment: %v", err)
	}
	if _, err := f.ListSegmentKeys(t.Context(), "shop", "production", "gamma", feature.ListIncluded); !fault.Is(err, fault.NotFound) {
		t.Errorf("no segment: %v", err)
	}
	if _, err := f.ListSegmentKeys(t.Context(), "shop", "production", "beta", "both"); !fault.Is(err, fault.Invalid) {
		t.Errorf("no list: %v", err)
	}
}

// recutting is a store in which a list is cut anew each time its segment was read.
type recutting struct {
	store.Store
	recut func()
	times int
}

func (s *recutting) Item(ctx context.Context, id store.SetID, ref snapshot.Ref) (store.Item, error) {
	item, err := s.Store.Item(ctx, id, ref)
	if ref.Kind == snapshot.KindSegment && s.times > 0 {
		s.times--
		s.recut()
	}
	return item, err
}

func TestListSegmentKeysWhileTheListIsCut(t *testing.T) {
	f := newFixture(t)
	size := 3000
	f.replace(t, feature.ListIncluded, numbered("user", size))
	busy := &recutting{Store: f.store.Store, times: 2}
	busy.recut = func() {
		size *= 2
		f.replace(t, feature.ListIncluded, numbered("user", size))
	}
	keys, err := New(busy).ListSegmentKeys(t.Context(), "shop", "production", "beta", feature.ListIncluded)
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for part, err := range keys.Value.Parts() {
		if err != nil {
			t.Fatal(err)
		}
		count += len(part)
	}
	if count != size || size != 12_000 {
		t.Errorf("%d keys of %d", count, size)
	}
	busy.times, busy.recut = 100, func() {
		size += 2000
		f.replace(t, feature.ListIncluded, numbered("user", 3000+size%4000))
		must(t)(f.PatchSegment(t.Context(), ann, "shop", "production", "beta", fmt.Appendf(nil, `{"name":"%d"}`, size)))
	}
	_, err = New(busy).ListSegmentKeys(t.Context(), "shop", "production", "beta", feature.ListIncluded)
	if !fault.Is(err, fault.Unavailable) {
		t.Errorf("a segment that never rests: %v", err)
	}
}

func TestCountCommon(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := rapid.Custom(func(t *rapid.T) []string {
			return sortedKeys(rapid.SliceOf(rapid.StringMatching(`[a-c]{1,2}`)).Draw(t, "keys"))
		})
		a, b := list.Draw(t, "a"), list.Draw(t, "b")
		want := 0
		for _, key := range a {
			if slices.Contains(b, key) {
				want++
			}
		}
		if got := countCommon(a, b); got != want {
			t.Fatalf("%q and %q share %d, not %d", a, b, got, want)
		}
	})
}

func BenchmarkReplaceSegmentKeys(b *testing.B) {
	f := newFixture(b)
	lists := [][]string{numbered("user", 100_000), numbered("user", 100_001)[1:]}
	for i := 0; b.Loop(); i++ {
		f.replace(b, feature.ListIncluded, lists[i%2])
	}
}
