package control

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/fault"
	"github.com/wigwag/wigwag/internal/store"
	"github.com/wigwag/wigwag/snapshot"
)

var production = store.SetID{Project: "shop", Environment: "production"}

// segment reads a segment whole and checks how it is stored.
func (f *fixture) segment(t testing.TB, key string) Read[*feature.Segment] {
	t.Helper()
	whole, err := f.Segment(t.Context(), "shop", "production", key)
	if err != nil {
		t.Fatal(err)
	}
	if whole.Value.Shards != (feature.Shards{}) || !slices.IsSorted(whole.Value.Included) || !slices.IsSorted(whole.Value.Excluded) {
		t.Fatalf("segment %s is not whole and sorted", key)
	}
	return whole
}

// checkShards checks that exactly the shards are stored that the segments speak
// of, each with its own keys.
func (f *fixture) checkShards(t testing.TB) {
	t.Helper()
	items, err := f.store.Items(t.Context(), production)
	if err != nil {
		t.Fatal(err)
	}
	expected, found := map[snapshot.Ref]int{}, map[snapshot.Ref]bool{}
	for i := range items {
		item, err := snapshot.NewItem(items[i].Ref, items[i].Body)
		if err != nil {
			t.Fatal(err)
		}
		if s := item.Segment(); s != nil {
			if err := s.Validate(); err != nil {
				t.Errorf("stored segment: %v", err)
			}
			for _, name := range listNames {
				inline, shards := listOf(s, name)
				if len(*inline) > feature.MaxInlineKeys {
					t.Errorf("%s has %d keys inline", s.Key, len(*inline))
				}
				for shard := range *shards {
					expected[snapshot.KeysRef(s.Key, name, shard)] = *shards
				}
			}
		}
		if item.Keys() != nil {
			found[item.Ref] = true
		}
	}
	for i := range items {
		item, _ := snapshot.NewItem(items[i].Ref, items[i].Body)
		if keys := item.Keys(); keys != nil {
			n := expected[item.Ref]
			delete(expected, item.Ref)
			if n == 0 || len(keys.Keys) > maxShard || !slices.IsSorted(keys.Keys) ||
				slices.ContainsFunc(keys.Keys, func(key string) bool { return feature.ShardOf(key, n) != keys.Shard }) {
				t.Errorf("shard %s, one of %d, has %d keys, or wrong ones", item.Ref, n, len(keys.Keys))
			}
		}
	}
	for ref := range expected {
		t.Errorf("shard %s is missing", ref)
	}
}

func TestCreateSegment(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	written, err := f.CreateSegment(ctx, ann, "shop", "production", feature.Segment{
		Key: "eu", Name: "Europe", Included: []string{"b", "a"}, When: &feature.Condition{Segment: "beta"},
	})
	if err != nil || written.Position != f.position(t, "production") || written.Environments["production"] != written.Position {
		t.Fatalf("%+v, %v", written, err)
	}
	read := f.segment(t, "eu")
	if got := text(read.Value); got != `{"key":"eu","name":"Europe","included":["a","b"],"when":{"segment":"beta"}}` || got != text(written.Value) {
		t.Errorf("the segment is %s", got)
	}
	if read.ChangedAt != written.Position {
		t.Errorf("it changed at %s", read.ChangedAt)
	}
	segments, err := f.Segments(ctx, "shop", "production")
	if err != nil || len(segments) != 2 || segments[1].Value.Key != "eu" || segments[1].ChangedAt != written.Position {
		t.Errorf("%+v, %v", segments, err)
	}
}

func TestLongListsAreCut(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	included, excluded := numbered("in", 5_000), numbered("out", 1_001)
	written, err := f.CreateSegment(ctx, ann, "shop", "production", feature.Segment{Key: "many", Included: included, Excluded: excluded})
	if err != nil {
		t.Fatal(err)
	}
	if s := written.Value; s.Shards != (feature.Shards{Included: 8, Excluded: 2}) || len(s.Included)+len(s.Excluded) > 0 {
		t.Errorf("stored as %+v", s.Shards)
	}
	f.checkShards(t)
	if whole := f.segment(t, "many"); !slices.Equal(whole.Value.Included, included) || !slices.Equal(whole.Value.Excluded, excluded) {
		t.Errorf("read back %d and %d keys", len(whole.Value.Included), len(whole.Value.Excluded))
	}

	t.Run("a name changes no keys", func(t *testing.T) {
		f.store.reset()
		written, err := f.PatchSegment(ctx, ann, "shop", "production", "many", []byte(`{"name":"Many"}`))
		if err != nil || written.Value.Name != "Many" || written.Value.Shards.Included != 8 {
			t.Errorf("%+v, %v", written, err)
		}
		if reads, puts := f.store.reads.Load(), f.store.puts.Load(); reads != 3 || puts != 1 {
			t.Errorf("it read %d items and wrote %d", reads, puts)
		}
		f.checkShards(t)
	})
	t.Run("one list is replaced", func(t *testing.T) {
		written, err := f.PatchSegment(ctx, ann, "shop", "production", "many", []byte(`{"included":["z","y"]}`))
		if err != nil || text(written.Value) != `{"key":"many","name":"Many","included":["y","z"],"shards":{"excluded":2}}` {
			t.Errorf("%s, %v", text(written.Value), err)
		}
		f.checkShards(t)
		if whole := f.segment(t, "many"); !slices.Equal(whole.Value.Excluded, excluded) || whole.Value.Name != "Many" {
			t.Errorf("the other list has %d keys", len(whole.Value.Excluded))
		}
	})
	t.Run("and removed", func(t *testing.T) {
		must(t)(f.PatchSegment(ctx, ann, "shop", "production", "many", []byte(`{"excluded":null}`)))
		f.checkShards(t)
		if whole := f.segment(t, "many"); len(whole.Value.Excluded) != 0 || len(whole.Value.Included) != 2 {
			t.Errorf("%s", text(whole.Value))
		}
	})
	t.Run("all goes with the segment", func(t *testing.T) {
		must(t)(f.PatchSegment(ctx, ann, "shop", "production", "many", []byte(`{"included":`+text(included)+`}`)))
		f.checkShards(t)
		written, err := f.DeleteSegment(ctx, ann, "shop", "production", "many")
		if err != nil || written.Position != f.position(t, "production") || written.Value.Key != "many" {
			t.Errorf("%+v, %v", written, err)
		}
		f.checkShards(t)
	})
}

// TestOneKeyOfManyIsOneItem holds the cost of adding a key to a long list.
func TestOneKeyOfManyIsOneItem(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	must(t)(f.CreateSegment(ctx, ann, "shop", "production", feature.Segment{
		Key: "huge", Included: numbered("in", 100_000), Excluded: numbered("out", 2_000),
	}))
	before := f.segment(t, "huge")
	f.store.reset()
	written, err := f.UpdateSegmentKeys(ctx, Write{Actor: "ann", IfMatch: before.ChangedAt}, "shop", "production", "huge", feature.ListIncluded, []string{"new"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	// The segment, the shard, the shard of the other list that might hold the key, and
	// the documents of project and environment.
	if reads, lists, puts := f.store.reads.Load(), f.store.lists.Load(), f.store.puts.Load(); reads != 5 || lists != 0 || puts != 1 {
		t.Errorf("one key reads %d items and %d lists and writes %d items", reads, lists, puts)
	}
	changes, err := f.store.Changes(ctx, production, written.Position.Version-1, 0)
	if err != nil || len(changes) != 1 || len(changes[0].Put) != 1 || changes[0].Put[0].Kind != snapshot.KindKeys || len(changes[0].Delete) != 0 {
		t.Errorf("committed %d changes, %v", len(changes), err)
	}
	after := f.segment(t, "huge")
	if len(after.Value.Included) != 100_001 || after.ChangedAt != written.Position {
		t.Errorf("the segment has %d keys and changed at %s", len(after.Value.Included), after.ChangedAt)
	}
	listed, err := f.Segments(ctx, "shop", "production")
	if err != nil || listed[1].ChangedAt != after.ChangedAt {
		t.Errorf("in the list it changed at %s, %v", listed[1].ChangedAt, err)
	}
	f.refuses(t, []refusal{
		{"patch based on other keys", func(ctx context.Context, f *fixture) error {
			_, err := f.PatchSegment(ctx, Write{IfMatch: before.ChangedAt}, "shop", "production", "huge", []byte(`{"name":"x"}`))
			return err
		}, fault.Stale, after.ChangedAt.String(), ""},
		{"deletion based on other keys", func(ctx context.Context, f *fixture) error {
			_, err := f.DeleteSegment(ctx, Write{IfMatch: before.ChangedAt}, "shop", "production", "huge")
			return err
		}, fault.Stale, after.ChangedAt.String(), ""},
		{"the same key based on other keys", func(ctx context.Context, f *fixture) error {
			_, err := f.UpdateSegmentKeys(ctx, Write{IfMatch: before.ChangedAt}, "shop", "production", "huge", feature.ListIncluded, nil, []string{"new"})
			return err
		}, fault.Stale, after.ChangedAt.String(), ""},
		{"included though excluded", func(ctx context.Context, f *fixture) error {
			_, err := f.UpdateSegmentKeys(ctx, ann, "shop", "production", "huge", feature.ListIncluded, []string{"ok", "out-000007"}, nil)
			return err
		}, fault.Invalid, `"out-000007" is in the list excluded`, ""},
	})
	f.leavesAsIs(t, func() error {
		again, err := f.UpdateSegmentKeys(ctx, ann, "shop", "production", "huge", feature.ListIncluded, []string{"new", "new"}, []string{"never"})
		if again.Position != written.Position {
			t.Errorf("the position is %s", again.Position)
		}
		return err
	})
}

// TestListGrowsAndShrinks adds and removes keys in batches and looks at how the
// list is stored on the way.
func TestListGrowsAndShrinks(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	must(t)(f.CreateSegment(ctx, ann, "shop", "production", feature.Segment{Key: "wave"}))
	keys := numbered("u", 12_000)
	const batch = 250
	most := 0
	look := func(want int) {
		t.Helper()
		stored, err := readSegment(ctx, f.store, store.Set{ID: production}, "wave")
		if err != nil {
			t.Fatal(err)
		}
		most = max(most, stored.Value.Shards.Included)
		f.checkShards(t)
		if whole := f.segment(t, "wave"); !slices.Equal(whole.Value.Included, keys[:want]) {
			t.Fatalf("the list has %d keys, want %d", len(whole.Value.Included), want)
		}
	}
	for n := 0; n < len(keys); n += batch {
		must(t)(f.UpdateSegmentKeys(ctx, ann, "shop", "production", "wave", feature.ListIncluded, keys[n:n+batch], nil))
		look(n + batch)
	}
	if most != 8 {
		t.Errorf("12,000 keys were in %d shards", most)
	}
	for n := len(keys); n > 0; n -= batch {
		must(t)(f.UpdateSegmentKeys(ctx, ann, "shop", "production", "wave", feature.ListIncluded, nil, keys[n-batch:n]))
		look(n - batch)
	}
	if stored, err := readSegment(ctx, f.store, store.Set{ID: production}, "wave"); err != nil || text(stored.Value) != `{"key":"wave"}` {
		t.Errorf("empty again it is %s, %v", text(stored.Value), err)
	}
}

// TestFullList holds the limit of a list that nobody counts whole.
func TestFullList(t *testing.T) {
	if testing.Short() {
		t.Skip("writes a million keys")
	}
	f := newFixture(t)
	ctx := t.Context()
	must(t)(f.CreateSegment(ctx, ann, "shop", "production", feature.Segment{Key: "full", Included: numbered("u", feature.MaxSegmentKeys-1)}))
	must(t)(f.UpdateSegmentKeys(ctx, ann, "shop", "production", "full", feature.ListIncluded, []string{"last"}, nil))
	f.refuses(t, []refusal{{"one too many", func(ctx context.Context, f *fixture) error {
		_, err := f.UpdateSegmentKeys(ctx, ann, "shop", "production", "full", feature.ListIncluded, []string{"one more"}, nil)
		return err
	}, fault.Invalid, "would have 1000001 keys", "add"}})
	must(t)(f.UpdateSegmentKeys(ctx, ann, "shop", "production", "full", feature.ListIncluded, []string{"one more"}, []string{"last"}))
}

func TestPatchSegment(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	read := f.segment(t, "beta")
	written, err := f.PatchSegment(ctx, Write{IfMatch: read.ChangedAt}, "shop", "production", "beta",
		[]byte(`{"name":"Beta","when":{"attribute":"plan","op":"in","values":["pro"]},"excluded":["u9","u3"]}`))
	want := `{"key":"beta","name":"Beta","included":["u1"],"excluded":["u3","u9"],"when":{"attribute":"plan","op":"in","values":["pro"]}}`
	if err != nil || text(written.Value) != want || text(f.segment(t, "beta").Value) != want {
		t.Errorf("%s, %v", text(written.Value), err)
	}
	f.leavesAsIs(t, func() error {
		_, err := f.PatchSegment(ctx, ann, "shop", "production", "beta", []byte(`{"key":"beta","included":["u1"]}`))
		return err
	})
}

func TestRefusedSegments(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	before := f.segment(t, "beta")
	must(t)(f.UpdateSegmentKeys(ctx, ann, "shop", "production", "beta", feature.ListExcluded, []string{"u4"}, nil))
	must(t)(f.CreateSegment(ctx, ann, "shop", "production", feature.Segment{Key: "eu", When: &feature.Condition{Segment: "beta"}}))
	must(t)(f.PatchFlag(ctx, ann, "shop", "production", "checkout", []byte(`{"rules":[{"when":{"not":{"segment":"beta"}},"serve":{"variant":"on"}}]}`)))

	create := func(s feature.Segment) func(context.Context, *fixture) error {
		return func(ctx context.Context, f *fixture) error {
			_, err := f.CreateSegment(ctx, ann, "shop", "production", s)
			return err
		}
	}
	patch := func(w Write, patch string) func(context.Context, *fixture) error {
		return func(ctx context.Context, f *fixture) error {
			_, err := f.PatchSegment(ctx, w, "shop", "production", "beta", []byte(patch))
			return err
		}
	}
	keys := func(w Write, list feature.ListName, add, remove []string) func(context.Context, *fixture) error {
		return func(ctx context.Context, f *fixture) error {
			_, err := f.UpdateSegmentKeys(ctx, w, "shop", "production", "beta", list, add, remove)
			return err
		}
	}
	many := make([]string, feature.MaxSegmentKeys+1)
	for i := range many {
		many[i] = fmt.Sprint(i)
	}
	f.refuses(t, []refusal{
		{"taken", create(feature.Segment{Key: "beta"}), fault.Conflict, `a segment "beta" already`, ""},
		{"bad key", create(feature.Segment{Key: "a/b"}), fault.Invalid, "letters", "key"},
		{"bad targeting key", create(feature.Segment{Key: "x", Included: []string{"b", ""}}), fault.Invalid, "targeting key", "included[1]"},
		{"in both lists", create(feature.Segment{Key: "x", Included: []string{"a", "b"}, Excluded: []string{"b"}}), fault.Invalid, `"b" is in included already`, "excluded[0]"},
		{"shards given", create(feature.Segment{Key: "x", Shards: feature.Shards{Included: 2}}), fault.Invalid, "leave it out", "shards"},
		{"unknown segment", create(feature.Segment{Key: "x", When: &feature.Condition{Segment: "none"}}), fault.Invalid, `"none"`, "when.segment"},
		{"itself", create(feature.Segment{Key: "x", When: &feature.Condition{Segment: "x"}}), fault.Invalid, "x", "when"},
		{"too many keys", create(feature.Segment{Key: "x", Included: many}), fault.Invalid, "at most 1000000", "included"},

		{"no patch", patch(ann, `null`), fault.Invalid, "JSON object", ""},
		{"another key", patch(ann, `{"key":"x"}`), fault.Invalid, "create a new segment", "key"},
		{"unknown field", patch(ann, `{"keys":["a"]}`), fault.Invalid, "keys", "keys"},
		{"patched shards", patch(ann, `{"shards":null}`), fault.Invalid, "leave it out", "shards"},
		{"patched into both lists", patch(ann, `{"included":["u4"]}`), fault.Invalid, `"u4" is in included already`, "excluded[1]"},
		{"cycle", patch(ann, `{"when":{"segment":"eu"}}`), fault.Invalid, "beta → eu → beta", "when"},
		{"stale", patch(Write{IfMatch: before.ChangedAt}, `{"name":"x"}`), fault.Stale, "last changed at", ""},

		{"no list", keys(ann, "both", nil, nil), fault.Invalid, "included or excluded", "list"},
		{"empty key", keys(ann, feature.ListIncluded, []string{"a", ""}, nil), fault.Invalid, "no targeting key", "add[1]"},
		{"long key", keys(ann, feature.ListIncluded, []string{strings.Repeat("k", 513)}, nil), fault.Invalid, "512 bytes", "add[0]"},
		{"added and removed", keys(ann, feature.ListIncluded, []string{"a", "b"}, []string{"b"}), fault.Invalid, `"b" is both`, ""},
		{"excluded already", keys(ann, feature.ListIncluded, []string{"a", "u4"}, nil), fault.Invalid, `"u4" is in the list excluded`, "included"},
		{"included already", keys(ann, feature.ListExcluded, []string{"u1"}, nil), fault.Invalid, `"u1" is in the list included`, "excluded"},
		{"stale keys", keys(Write{IfMatch: before.ChangedAt}, feature.ListIncluded, []string{"a"}, nil), fault.Stale, "last changed at", ""},
		{"too many more", keys(ann, feature.ListIncluded, many[:feature.MaxSegmentKeys], nil), fault.Invalid, "at most 1000000", "add"},

		{"deleted in use", func(ctx context.Context, f *fixture) error {
			_, err := f.DeleteSegment(ctx, ann, "shop", "production", "beta")
			return err
		}, fault.InUse, `flag "checkout", segment "eu" in environment "production"`, ""},
		{"deleted stale", func(ctx context.Context, f *fixture) error {
			_, err := f.DeleteSegment(ctx, Write{IfMatch: before.ChangedAt}, "shop", "production", "beta")
			return err
		}, fault.Stale, "last changed at", ""},
	})
}

// TestMovingAKey checks that a key can change lists in two steps.
func TestMovingAKey(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	must(t)(f.UpdateSegmentKeys(ctx, ann, "shop", "production", "beta", feature.ListExcluded, nil, []string{"u2"}))
	must(t)(f.UpdateSegmentKeys(ctx, ann, "shop", "production", "beta", feature.ListIncluded, []string{"u2", "u0"}, nil))
	if diff := cmp.Diff([]string{"u0", "u1", "u2"}, f.segment(t, "beta").Value.Included); diff != "" {
		t.Error(diff)
	}
}

// TestSegmentIsReadWhole reads a segment while its list is cut and joined again.
func TestSegmentIsReadWhole(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	few, many := numbered("u", 3), numbered("u", 2_500)
	must(t)(f.CreateSegment(ctx, ann, "shop", "production", feature.Segment{Key: "wave", Included: many}))
	var writer sync.WaitGroup
	writer.Go(func() {
		for range 40 {
			for _, keys := range [][]string{few, many} {
				if _, err := f.PatchSegment(ctx, ann, "shop", "production", "wave", []byte(`{"included":`+text(keys)+`}`)); err != nil {
					t.Error(err)
				}
			}
		}
	})
	defer writer.Wait()
	for range 200 {
		if n := len(f.segment(t, "wave").Value.Included); n != len(few) && n != len(many) {
			t.Fatalf("a list of %d keys was read", n)
		}
	}
}
