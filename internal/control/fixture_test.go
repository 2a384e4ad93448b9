package control

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/fault"
	"github.com/wigwag/wigwag/internal/store"
	"github.com/wigwag/wigwag/internal/store/memory"
	"github.com/wigwag/wigwag/snapshot"
)

var ann = Write{Actor: "ann"}

// fixture is a store with use cases over it.
type fixture struct {
	*Control
	store *countingStore
}

// newFixture has project shop with environments production and staging, the
// boolean flags checkout and payments, the string flag color, and in production
// the segment beta.
func newFixture(t testing.TB) *fixture {
	t.Helper()
	st := &countingStore{Store: memory.New()}
	t.Cleanup(func() { st.Close() })
	f := &fixture{New(st), st}
	ctx := t.Context()
	must(t)(f.CreateProject(ctx, ann, Project{Key: "shop", Name: "Shop"}))
	must(t)(f.CreateEnvironment(ctx, ann, "shop", Environment{Key: "production"}))
	must(t)(f.CreateEnvironment(ctx, ann, "shop", Environment{Key: "staging"}))
	must(t)(f.CreateFlag(ctx, ann, "shop", boolean("checkout")))
	must(t)(f.CreateFlag(ctx, ann, "shop", boolean("payments")))
	must(t)(f.CreateFlag(ctx, ann, "shop", Definition{Definition: feature.Definition{
		Key: "color", Type: feature.TypeString, Variants: feature.Variants{
			{Key: "red", Value: feature.StringValue("#f00")},
			{Key: "green", Value: feature.StringValue("#0f0")},
			{Key: "blue", Value: feature.StringValue("#00f")},
		},
	}}))
	must(t)(f.CreateSegment(ctx, ann, "shop", "production", feature.Segment{Key: "beta", Included: []string{"u1"}, Excluded: []string{"u2"}}))
	return f
}

func boolean(key string) Definition {
	return Definition{Definition: feature.Definition{Key: key, Type: feature.TypeBoolean}}
}

// must returns a function that fails the test on an error of a use case.
func must(t testing.TB) func(_ any, err error) {
	return func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
}

func contains(err error, text string) bool { return err != nil && strings.Contains(err.Error(), text) }

// state is everything a store holds, bodies by their digests.
type state struct {
	Sets  []store.Set
	Items map[string][]storedItem
}

type storedItem struct {
	Ref, Digest string
	Version     uint64
}

func (f *fixture) state(t testing.TB) state {
	t.Helper()
	sets, err := f.store.Sets(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s := state{Sets: sets, Items: map[string][]storedItem{}}
	for _, set := range sets {
		items, err := f.store.Items(t.Context(), set.ID)
		if err != nil {
			t.Fatal(err)
		}
		for i := range items {
			s.Items[set.ID.String()] = append(s.Items[set.ID.String()],
				storedItem{items[i].Ref.String(), items[i].Digest.String(), items[i].Version})
		}
	}
	return s
}

// position returns the position of a set; an empty environment is the catalogue.
func (f *fixture) position(t testing.TB, environment string) snapshot.Position {
	t.Helper()
	set, err := f.store.Set(t.Context(), store.SetID{Project: "shop", Environment: environment})
	if err != nil {
		t.Fatal(err)
	}
	return set.Position
}

// refusal is a write that is to fail, and leave everything as it was.
type refusal struct {
	name  string
	write func(ctx context.Context, f *fixture) error
	kind  fault.Kind
	// says is a part of the message, field that of a field's path.
	says, field string
}

func (f *fixture) refuses(t *testing.T, refusals []refusal) {
	t.Helper()
	for _, r := range refusals {
		t.Run(r.name, func(t *testing.T) {
			before := f.state(t)
			err := r.write(t.Context(), f)
			if !fault.Is(err, r.kind) || !contains(err, r.says) {
				t.Errorf("got %v, want %s: %s", err, r.kind, r.says)
			}
			var known *fault.Error
			if errors.As(err, &known) && r.field != "" && (len(known.Fields) == 0 || known.Fields[0].Path != r.field) {
				t.Errorf("fields are %v, want %s", known.Fields, r.field)
			}
			if diff := cmp.Diff(before, f.state(t)); diff != "" {
				t.Errorf("the refused write left its mark:\n%s", diff)
			}
		})
	}
}

// leavesAsIs fails the test where a write fails or changes anything.
func (f *fixture) leavesAsIs(t *testing.T, write func() error) {
	t.Helper()
	before := f.state(t)
	if err := write(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, f.state(t)); diff != "" {
		t.Errorf("a write that changes nothing changed:\n%s", diff)
	}
}

// countingStore counts the items that transactions read and write, and can fail.
type countingStore struct {
	store.Store
	reads, lists, puts atomic.Int64
	broken             error
}

func (s *countingStore) reset() {
	s.reads.Store(0)
	s.lists.Store(0)
	s.puts.Store(0)
}

func (s *countingStore) Update(ctx context.Context, fn func(store.Tx) error) error {
	return s.Store.Update(ctx, func(tx store.Tx) error { return fn(&countingTx{tx, s}) })
}

func (s *countingStore) Set(ctx context.Context, id store.SetID) (store.Set, error) {
	if s.broken != nil {
		return store.Set{}, s.broken
	}
	return s.Store.Set(ctx, id)
}

type countingTx struct {
	store.Tx
	count *countingStore
}

func (tx *countingTx) Set(ctx context.Context, id store.SetID) (store.Set, error) {
	if tx.count.broken != nil {
		return store.Set{}, tx.count.broken
	}
	return tx.Tx.Set(ctx, id)
}

func (tx *countingTx) Item(ctx context.Context, id store.SetID, ref snapshot.Ref) (store.Item, error) {
	tx.count.reads.Add(1)
	return tx.Tx.Item(ctx, id, ref)
}

func (tx *countingTx) Items(ctx context.Context, id store.SetID, kinds ...snapshot.Kind) ([]store.Item, error) {
	tx.count.lists.Add(1)
	return tx.Tx.Items(ctx, id, kinds...)
}

func (tx *countingTx) Commit(ctx context.Context, id store.SetID, commit store.Commit) (snapshot.Position, error) {
	tx.count.puts.Add(int64(len(commit.Put)))
	return tx.Tx.Commit(ctx, id, commit)
}

// text is the JSON of a part of a document.
func text(part any) string {
	body, err := feature.Encode(part)
	if err != nil {
		return err.Error()
	}
	return string(body)
}
