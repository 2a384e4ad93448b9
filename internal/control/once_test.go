package control

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/fault"
	"github.com/wigwag/wigwag/internal/store"
	"github.com/wigwag/wigwag/internal/store/memory"
)

// once is a write under a key; the request is the first byte of its hash.
func once(owner, key string, request byte) Write {
	return Write{Actor: "ann", Once: &Once{Owner: owner, Key: key, Request: func() [32]byte { return [32]byte{request} }}}
}

func (f *fixture) toggle(ctx context.Context, w Write, state feature.State) (Written[*feature.Flag], error) {
	return f.PatchFlag(ctx, w, "shop", "production", "checkout", []byte(`{"state":"`+string(state)+`"}`))
}

func TestRepeatedWriteIsAnsweredAlike(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	first := once("tk-1", "k", 1)
	written, err := f.toggle(ctx, first, feature.StateEnabled)
	if err != nil || first.Once.Replayed {
		t.Fatalf("replayed: %t, %v", first.Once.Replayed, err)
	}
	must(t)(f.toggle(ctx, ann, feature.StateDisabled)) // somebody else, meanwhile
	before := f.state(t)
	again := once("tk-1", "k", 1)
	replayed, err := f.toggle(ctx, again, feature.StateEnabled)
	if err != nil || !again.Once.Replayed {
		t.Fatalf("replayed: %t, %v", again.Once.Replayed, err)
	}
	if diff := cmp.Diff(before, f.state(t)); diff != "" {
		t.Errorf("the repetition wrote:\n%s", diff)
	}
	if diff := cmp.Diff(written, replayed,
		cmpopts.IgnoreFields(ItemChange{}, "Before", "After"), cmp.Comparer(func(a, b *feature.Flag) bool { return text(a) == text(b) })); diff != "" {
		t.Errorf("the repetition is answered otherwise:\n%s", diff)
	}

	other := once("tk-1", "k", 2)
	if _, err := f.toggle(ctx, other, feature.StateEnabled); !fault.Is(err, fault.KeyReused) || other.Once.Replayed {
		t.Errorf("another request under the key: %v", err)
	}
	for _, w := range []Write{once("tk-2", "k", 2), once("tk-1", "k2", 2)} {
		if _, err := f.toggle(ctx, w, feature.StateEnabled); err != nil || w.Once.Replayed {
			t.Errorf("another owner or key: replayed %t, %v", w.Once.Replayed, err)
		}
	}
	try := once("tk-1", "k", 1)
	try.DryRun = true
	if _, err := f.toggle(ctx, try, feature.StateEnabled); err != nil || try.Once.Replayed {
		t.Errorf("a dry run: replayed %t, %v", try.Once.Replayed, err)
	}
}

func TestRefusalIsKept(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	create := func(w Write) error { _, err := f.CreateFlag(ctx, w, "shop", boolean("checkout")); return err }
	first := create(once("o", "k", 1))
	if !fault.Is(first, fault.Conflict) {
		t.Fatal(first)
	}
	if _, err := f.ArchiveFlag(ctx, ann, "shop", "checkout", true); err != nil {
		t.Fatal(err)
	}
	if _, err := f.DeleteFlag(ctx, ann, "shop", "checkout"); err != nil {
		t.Fatal(err)
	}
	again := once("o", "k", 1)
	if err := create(again); !fault.Is(err, fault.Conflict) || err.Error() != first.Error() || !again.Once.Replayed {
		t.Errorf("the repetition: %v", err)
	}
	base := f.position(t, "production")
	must(t)(f.PatchFlag(ctx, ann, "shop", "production", "color", []byte(`{"state":"ENABLED"}`)))
	stale := func() *fault.Error {
		w := once("o", "stale", 1)
		w.IfMatch = base
		w.IfMatch.Version--
		_, err := f.PatchFlag(ctx, w, "shop", "production", "color", []byte(`{"state":"DISABLED"}`))
		var known *fault.Error
		if !errors.As(err, &known) || known.Kind != fault.Stale {
			t.Fatal(err)
		}
		return known
	}
	if diff := cmp.Diff(stale().Current, stale().Current); diff != "" {
		t.Errorf("the repetition tells another state:\n%s", diff)
	}
}

func TestOutcomesExpire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		ctx := t.Context()
		must(t)(f.toggle(ctx, once("o", "k", 1), feature.StateEnabled))
		time.Sleep(OutcomeLife - time.Nanosecond)
		late := once("o", "k", 1)
		must(t)(f.toggle(ctx, late, feature.StateEnabled))
		time.Sleep(time.Microsecond)
		after := once("o", "k", 2)
		must(t)(f.toggle(ctx, after, feature.StateDisabled))
		if !late.Once.Replayed || after.Once.Replayed {
			t.Errorf("replayed before the end: %t, after: %t", late.Once.Replayed, after.Once.Replayed)
		}
	})
}

func TestOneOfManyAtOnceWrites(t *testing.T) {
	f := newFixture(t)
	version := f.position(t, "").Version
	var executed atomic.Int64
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			w := once("o", "k", 1)
			written, err := f.CreateFlag(t.Context(), w, "shop", boolean("new"))
			if err != nil || written.Position.Version != version+1 {
				t.Errorf("%+v, %v", written, err)
			}
			if !w.Once.Replayed {
				executed.Add(1)
			}
		})
	}
	all.Wait()
	if executed.Load() != 1 || f.position(t, "").Version != version+1 {
		t.Errorf("%d wrote, the project is at %d", executed.Load(), f.position(t, "").Version)
	}
}

// faultyStore fails the next update, before its commit or after it.
type faultyStore struct {
	store.Store
	before, after bool
}

var errFault = errors.New("fault")

func (s *faultyStore) Update(ctx context.Context, fn func(store.Tx) error) error {
	before, after := s.before, s.after
	s.before, s.after = false, false
	err := s.Store.Update(ctx, func(tx store.Tx) error {
		if err := fn(tx); err != nil || !before {
			return err
		}
		return errFault
	})
	if err == nil && after {
		return errFault
	}
	return err
}

// A write whose answer was lost is sent again: it must have happened once, whether
// the first attempt failed or failed but happened.
func TestRepetitionAfterAFault(t *testing.T) {
	for _, test := range []struct {
		name     string
		faulty   faultyStore
		replayed bool
	}{
		{"failed", faultyStore{before: true}, false},
		{"failed but happened", faultyStore{after: true}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			faulty := &faultyStore{Store: memory.New()}
			defer faulty.Close() //nolint:errcheck // it is in memory
			c := New(faulty)
			ctx := t.Context()
			must(t)(c.CreateProject(ctx, ann, Project{Key: "shop"}))
			faulty.before, faulty.after = test.faulty.before, test.faulty.after
			_, err := c.CreateFlag(ctx, once("o", "k", 1), "shop", boolean("new"))
			if !errors.Is(err, errFault) || fault.From(err).Kind != fault.Internal {
				t.Fatalf("the fault is %v", err)
			}
			again := once("o", "k", 1)
			written, err := c.CreateFlag(ctx, again, "shop", boolean("new"))
			if err != nil || again.Once.Replayed != test.replayed || written.Value.Key != "new" || written.Position.Version != 2 {
				t.Errorf("the repetition: replayed %t, %+v, %v", again.Once.Replayed, written, err)
			}
			// A refusal that could not be kept is told all the same.
			faulty.before, faulty.after = test.faulty.before, test.faulty.after
			refused := &refusingOnce{faultyStore: faulty}
			if _, err := New(refused).CreateFlag(ctx, once("o", "other", 1), "shop", boolean("new")); !fault.Is(err, fault.Conflict) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// refusingOnce passes the first update by the fault: it is the second that keeps
// the refusal.
type refusingOnce struct {
	*faultyStore
	updates int
}

func (s *refusingOnce) Update(ctx context.Context, fn func(store.Tx) error) error {
	if s.updates++; s.updates == 1 {
		return s.Store.Update(ctx, fn)
	}
	return s.faultyStore.Update(ctx, fn)
}
