package control

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/fault"
	"github.com/wigwag/wigwag/internal/store"
	"github.com/wigwag/wigwag/internal/store/memory"
	"github.com/wigwag/wigwag/internal/store/sqlite"
	"github.com/wigwag/wigwag/snapshot"
)

func keysOf(flags []*feature.Flag) string {
	keys := make([]string, len(flags))
	for i, f := range flags {
		keys[i] = f.Key
	}
	return strings.Join(keys, " ")
}

func first(limit int) Query { return Query{Limit: limit} }

func TestFlagFilters(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	note := func(flag, patch string) {
		t.Helper()
		must(t)(f.PatchDefinition(ctx, ann, "shop", flag, []byte(patch)))
	}
	note("checkout", `{"owner":"web","tags":["a","b"],"description":"One page for Größe","clientVisible":true}`)
	note("payments", `{"owner":"pay","tags":["b"]}`)
	must(t)(f.PatchFlag(ctx, ann, "shop", "production", "payments", []byte(`{"state":"ENABLED"}`)))
	yes, no := true, false
	for _, test := range []struct {
		name  string
		query FlagQuery
		want  string
	}{
		{"all", FlagQuery{}, "checkout color payments"},
		{"tag", FlagQuery{Tags: []string{"b"}}, "checkout payments"},
		{"tags, all of them", FlagQuery{Tags: []string{"b", "a"}}, "checkout"},
		{"tag of nobody", FlagQuery{Tags: []string{"c"}}, ""},
		{"owner", FlagQuery{Owner: "pay"}, "payments"},
		{"part of an owner", FlagQuery{Owner: "pa"}, ""},
		{"type", FlagQuery{Type: feature.TypeString}, "color"},
		{"state", FlagQuery{State: feature.StateEnabled}, "payments"},
		{"other state", FlagQuery{State: feature.StateDisabled}, "checkout color"},
		{"client visible", FlagQuery{ClientVisible: &yes}, "checkout"},
		{"not client visible", FlagQuery{ClientVisible: &no}, "color payments"},
		{"text in the key", FlagQuery{Query: Query{Text: "COLO"}}, "color"},
		{"text in the description", FlagQuery{Query: Query{Text: "größe"}}, "checkout"},
		{"notes and state", FlagQuery{Tags: []string{"b"}, State: feature.StateDisabled}, "checkout"},
		{"notes and type", FlagQuery{Owner: "web", Type: feature.TypeString}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.query.Limit = 10
			page, err := f.FlagPage(ctx, "shop", "production", test.query)
			if err != nil {
				t.Fatal(err)
			}
			if got := keysOf(page.Items); got != test.want || page.Next != "" {
				t.Errorf("flags are %q, next %q; want %q", got, page.Next, test.want)
			}
			if page.Position != f.position(t, "production") {
				t.Errorf("position is %s", page.Position)
			}
			if test.query.State != "" {
				return // definitions have none
			}
			definitions, err := f.DefinitionPage(ctx, "shop", test.query)
			if err != nil {
				t.Fatal(err)
			}
			var keys []string
			for i := range definitions.Items {
				keys = append(keys, definitions.Items[i].Key)
			}
			if got := strings.Join(keys, " "); got != test.want {
				t.Errorf("definitions are %q, want %q", got, test.want)
			}
		})
	}
	for field, q := range map[string]FlagQuery{"type": {Type: "text"}, "state": {State: "on"}} {
		q.Limit = 1
		_, err := f.FlagPage(ctx, "shop", "production", q)
		if !fault.Is(err, fault.Invalid) || !contains(err, field) {
			t.Errorf("%s is refused with %v", field, err)
		}
	}
}

func TestListsByText(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	must(t)(f.CreateProject(ctx, ann, Project{Key: "app", Name: "The App"}))
	must(t)(f.CreateProject(ctx, ann, Project{Key: "secret"}))
	must(t)(f.CreateSegment(ctx, ann, "shop", "production", feature.Segment{Key: "alpha", Name: "First testers"}))
	visible := func(project string) bool { return project != "secret" }

	projects, err := f.ProjectPage(ctx, first(1), visible)
	if err != nil || len(projects.Items) != 1 || projects.Items[0].Key != "app" || projects.Next != "app" {
		t.Errorf("first page of projects is %+v, %v", projects, err)
	}
	projects, err = f.ProjectPage(ctx, Query{Limit: 1, After: "app"}, visible)
	if err != nil || len(projects.Items) != 1 || projects.Items[0].Key != "shop" || projects.Next != "" {
		t.Errorf("second page of projects is %+v, %v", projects, err)
	}
	projects, err = f.ProjectPage(ctx, Query{Limit: 5, Text: "the a"}, visible)
	if err != nil || len(projects.Items) != 1 || projects.Items[0].Key != "app" {
		t.Errorf("projects by name are %+v, %v", projects, err)
	}
	environments, err := f.EnvironmentPage(ctx, "shop", Query{Limit: 5, Text: "STAG"})
	if err != nil || len(environments.Items) != 1 || environments.Items[0].Key != "staging" || environments.Position != f.position(t, "") {
		t.Errorf("environments are %+v, %v", environments, err)
	}
	segments, err := f.SegmentPage(ctx, "shop", "production", Query{Limit: 5, Text: "testers"})
	if err != nil || len(segments.Items) != 1 || segments.Items[0].Key != "alpha" {
		t.Errorf("segments are %+v, %v", segments, err)
	}
	none, err := f.SegmentPage(ctx, "shop", "staging", first(5))
	if err != nil || len(none.Items) != 0 || none.Position != f.position(t, "staging") {
		t.Errorf("segments of an environment without are %+v, %v", none, err)
	}
}

// Pages, however they are cut and filtered, make up the list that is there all the
// while, whatever is created and deleted between them.
func TestPagesAreStable(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		f := newFixture(t)
		ctx := t.Context()
		stays := map[string]bool{}
		create := func(key string) {
			d := boolean(key)
			d.Tags = []string{"even"}
			must(t)(f.CreateFlag(ctx, ann, "shop", d))
		}
		for _, key := range rapid.SliceOfNDistinct(rapid.StringMatching(`[a-z]{1,3}`), 0, 40, rapid.ID).Draw(rt, "keys") {
			create("k" + key)
			stays["k"+key] = true
		}
		query := FlagQuery{Query: first(rapid.IntRange(1, 7).Draw(rt, "limit"))}
		if rapid.Bool().Draw(rt, "filtered") {
			query.Tags = []string{"even"}
		} else {
			stays["checkout"], stays["color"], stays["payments"] = true, true, true
		}
		remove := func(key string) {
			must(t)(nil, f.store.Store.Update(ctx, func(tx store.Tx) error {
				if _, err := tx.Commit(ctx, store.SetID{Project: "shop"}, store.Commit{Delete: []snapshot.Ref{definitionRef(key)}}); err != nil {
					return err
				}
				_, err := tx.Commit(ctx, store.SetID{Project: "shop", Environment: "production"}, store.Commit{Delete: []snapshot.Ref{flagRef(key)}})
				return err
			}))
		}
		var seen []string
		for n := 0; ; n++ {
			page, err := f.FlagPage(ctx, "shop", "production", query)
			if err != nil {
				rt.Fatal(err)
			}
			if len(page.Items) > query.Limit {
				rt.Fatalf("a page of %d has %d flags", query.Limit, len(page.Items))
			}
			for _, flag := range page.Items {
				seen = append(seen, flag.Key)
			}
			if page.Next == "" {
				break
			}
			query.After = page.Next
			fresh := fmt.Sprintf("%s-%d", rapid.StringMatching(`[a-z]{1,3}`).Draw(rt, "fresh"), n)
			create(fresh)
			if len(seen) > 0 && rapid.Bool().Draw(rt, "delete") {
				gone := seen[len(seen)-1] // the cursor may name it
				remove(gone)
				delete(stays, gone)
			}
		}
		if !slices.IsSorted(seen) || len(slices.Compact(slices.Clone(seen))) != len(seen) {
			rt.Fatalf("not in order, or twice: %q", seen)
		}
		for key := range stays {
			if !slices.Contains(seen, key) {
				rt.Fatalf("%s was left out of %q", key, seen)
			}
		}
	})
}

// readCounter counts what reading outside of transactions gives.
type readCounter struct {
	store.Store
	items atomic.Int64
}

func (s *readCounter) Items(ctx context.Context, id store.SetID, kinds ...snapshot.Kind) ([]store.Item, error) {
	items, err := s.Store.Items(ctx, id, kinds...)
	s.items.Add(int64(len(items)))
	return items, err
}

func (s *readCounter) ItemsAfter(ctx context.Context, id store.SetID, kind snapshot.Kind, after string, limit int) ([]store.Item, error) {
	items, err := s.Store.ItemsAfter(ctx, id, kind, after, limit)
	s.items.Add(int64(len(items)))
	return items, err
}

func (s *readCounter) Item(ctx context.Context, id store.SetID, ref snapshot.Ref) (store.Item, error) {
	s.items.Add(1)
	return s.Store.Item(ctx, id, ref)
}

// manyFlags fills a store with a project of so many flags and segments, of which
// the last has the owner rare.
func manyFlags(t testing.TB, st store.Store, count int) {
	t.Helper()
	err := st.Update(t.Context(), func(tx store.Tx) error {
		catalogue, production := store.SetID{Project: "shop"}, store.SetID{Project: "shop", Environment: "production"}
		for _, id := range []store.SetID{catalogue, production} {
			if err := tx.CreateSet(t.Context(), id); err != nil {
				return err
			}
		}
		var definitions, served []store.Item
		for i := range count {
			d := boolean(fmt.Sprintf("flag-%05d", i))
			d.Variants, d.Owner = onOff(), "many"
			if i == count-1 {
				d.Owner = "rare"
			}
			body, err := json.Marshal(d)
			if err != nil {
				return err
			}
			definitions = append(definitions, store.Item{Ref: definitionRef(d.Key), Body: body})
			flag, err := encodeItem(initialFlag(d.Definition))
			if err != nil {
				return err
			}
			segment, err := encodeItem(&feature.Segment{Key: d.Key})
			if err != nil {
				return err
			}
			served = append(served, flag, segment)
		}
		if _, err := tx.Commit(t.Context(), catalogue, store.Commit{Put: definitions}); err != nil {
			return err
		}
		_, err := tx.Commit(t.Context(), production, store.Commit{Put: served})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A page costs what it shows, not what there is; a filter costs at most the bound.
func TestPagesReadWhatTheyShow(t *testing.T) {
	const many = 10_000
	st := &readCounter{Store: memory.New()}
	t.Cleanup(func() { st.Close() })
	manyFlags(t, st, many)
	c := New(st)
	ctx := t.Context()
	for _, test := range []struct {
		name string
		most int64
		page func() (int, string, error)
	}{
		{"flags", 11, func() (int, string, error) {
			page, err := c.FlagPage(ctx, "shop", "production", FlagQuery{Query: first(10)})
			return len(page.Items), page.Next, err
		}},
		{"flags from the middle", 11, func() (int, string, error) {
			page, err := c.FlagPage(ctx, "shop", "production", FlagQuery{Query: Query{Limit: 10, After: "flag-05000"}})
			return len(page.Items), page.Next, err
		}},
		{"definitions", 11, func() (int, string, error) {
			page, err := c.DefinitionPage(ctx, "shop", FlagQuery{Query: first(10)})
			return len(page.Items), page.Next, err
		}},
		{"segments", 11, func() (int, string, error) {
			page, err := c.SegmentPage(ctx, "shop", "production", first(10))
			return len(page.Items), page.Next, err
		}},
		{"a filter that all pass", walkStep + 11, func() (int, string, error) {
			page, err := c.FlagPage(ctx, "shop", "production", FlagQuery{Query: first(10), Owner: "many"})
			return len(page.Items), page.Next, err
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			st.items.Store(0)
			shown, next, err := test.page()
			if err != nil || shown != 10 || next == "" {
				t.Fatalf("a page of %d, next %q, %v", shown, next, err)
			}
			if read := st.items.Load(); read > test.most {
				t.Errorf("%d items were read for 10", read)
			}
		})
	}

	t.Run("a filter that few pass", func(t *testing.T) {
		query := FlagQuery{Query: first(10), Owner: "rare"}
		found, pages := "", 0
		for ; ; pages++ {
			st.items.Store(0)
			page, err := c.FlagPage(ctx, "shop", "production", query)
			if err != nil {
				t.Fatal(err)
			}
			if read := st.items.Load(); read > maxWalk+1 {
				t.Fatalf("%d items were read for one page", read)
			}
			if found += keysOf(page.Items); page.Next == "" {
				break
			}
			query.After = page.Next
		}
		if found != "flag-09999" || pages > many/maxWalk {
			t.Errorf("found %q in %d pages", found, pages)
		}
	})
}

func BenchmarkFirstPage(b *testing.B) {
	for _, count := range []int{10, 10_000} {
		b.Run(fmt.Sprintf("of=%d", count), func(b *testing.B) {
			st, err := sqlite.Open(b.Context(), b.TempDir()+"/wigwag.db")
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() { st.Close() })
			manyFlags(b, st, count)
			c := New(st)
			b.ReportAllocs()
			for b.Loop() {
				page, err := c.FlagPage(b.Context(), "shop", "production", FlagQuery{Query: first(10)})
				if err != nil || len(page.Items) != 10 {
					b.Fatal(len(page.Items), err)
				}
			}
		})
	}
}
