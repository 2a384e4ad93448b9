package feed_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/feed"
	"github.com/wigwag/wigwag/internal/hub"
	"github.com/wigwag/wigwag/internal/store"
	"github.com/wigwag/wigwag/internal/store/memory"
	"github.com/wigwag/wigwag/snapshot"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	id  = store.SetID{Project: "default", Environment: "test"}
	set = hub.Set{Project: id.Project, Environment: id.Environment}
)

// faulty is a store whose hints or reads can be made to fail.
type faulty struct {
	store.Store
	deaf      bool        // hints are lost
	broken    atomic.Bool // reads fail
	onChanges func()      // called once before the changes are read
}

func (f *faulty) Watch(fn func(store.Hint)) func() {
	if f.deaf {
		return func() {}
	}
	return f.Store.Watch(fn)
}

var errBroken = errors.New("the database is away")

func (f *faulty) Sets(ctx context.Context) ([]store.Set, error) {
	if f.broken.Load() {
		return nil, errBroken
	}
	return f.Store.Sets(ctx)
}

func (f *faulty) Set(ctx context.Context, id store.SetID) (store.Set, error) {
	if f.broken.Load() {
		return store.Set{}, errBroken
	}
	return f.Store.Set(ctx, id)
}

func (f *faulty) Changes(ctx context.Context, id store.SetID, after uint64, limit int) ([]store.Change, error) {
	if f.onChanges != nil {
		f.onChanges()
		f.onChanges = nil
	}
	return f.Store.Changes(ctx, id, after, limit)
}

func open(t *testing.T) *faulty {
	st := &faulty{Store: memory.New()}
	t.Cleanup(func() { _ = st.Close() })
	err := st.Update(t.Context(), func(tx store.Tx) error { return tx.CreateSet(t.Context(), id) })
	if err != nil {
		t.Fatal(err)
	}
	return st
}

func commit(t *testing.T, st store.Store, key, off string) snapshot.Position {
	t.Helper()
	item, err := snapshot.EncodeItem(&feature.Flag{
		Definition: feature.Definition{Key: key, Type: feature.TypeBoolean, Variants: feature.Variants{
			{Key: "on", Value: feature.BoolValue(true)}, {Key: "off", Value: feature.BoolValue(false)},
		}},
		Configuration: feature.Configuration{State: feature.StateEnabled, OffVariant: off, Default: feature.Serve{Variant: "on"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	var position snapshot.Position
	err = st.Update(t.Context(), func(tx store.Tx) error {
		var err error
		position, err = tx.Commit(t.Context(), id, store.Commit{Actor: "test", Put: []store.Item{{Ref: item.Ref, Body: item.Body}}})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return position
}

// start runs a feed in a synctest bubble and returns its hub.
func start(t *testing.T, st store.Store) (*feed.Feed, *hub.Hub) {
	h := hub.New()
	f := feed.New(st, h, slog.New(slog.DiscardHandler), 0)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- f.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	synctest.Wait()
	return f, h
}

func TestAChangeIsPublishedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := open(t)
		_, h := start(t, st)
		begin := time.Now()
		for i := range 10 {
			position := commit(t, st, "f", []string{"on", "off"}[i%2])
			synctest.Wait()
			if h.Position(set) != position {
				t.Fatalf("published up to %s, committed %s", h.Position(set), position)
			}
		}
		if waited := time.Since(begin); waited != 0 {
			t.Errorf("it took %s of waiting", waited)
		}
	})
}

// TestALostHintCostsOneInterval: nobody is told of the change, and it arrives.
func TestALostHintCostsOneInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := open(t)
		st.deaf = true
		_, h := start(t, st)
		position := commit(t, st, "f", "on")
		time.Sleep(feed.DefaultInterval)
		synctest.Wait()
		if h.Position(set) != position {
			t.Errorf("published up to %s, committed %s", h.Position(set), position)
		}
	})
}

// TestAChangeDuringTheLoadIsNotLost: what is committed while a set is being read
// is neither missed nor pinned at what was read before it.
func TestAChangeDuringTheLoadIsNotLost(t *testing.T) {
	for _, deaf := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			st := open(t)
			st.deaf = deaf
			commit(t, st, "f", "on")
			var position snapshot.Position
			st.onChanges = func() { position = commit(t, st, "f", "off") }
			_, h := start(t, st)
			if h.Position(set) != position {
				t.Errorf("deaf %v: published up to %s, committed %s", deaf, h.Position(set), position)
			}
		})
	}
}

// Users would miss: that a server which starts serves the present, never the past
// that it reads on the way there.
func TestThePastIsNeverServedWhileASetIsLoaded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := open(t)
		for i := range 300 {
			commit(t, st, "f", []string{"on", "off"}[i%2])
		}
		h := hub.New()
		st.onChanges = func() { // the past was read, the changes since were not
			if position := h.Position(set); !position.IsZero() {
				t.Errorf("version %d is served", position.Version)
			}
		}
		f := feed.New(st, h, slog.New(slog.DiscardHandler), 0)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- f.Run(ctx) }()
		<-f.Ready()
		if got := h.Position(set).Version; got != 300 || st.onChanges != nil {
			t.Errorf("version %d is served", got)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestAStoreThatComesBackIsCaughtUpWith(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := open(t)
		f, h := start(t, st)
		held := commit(t, st, "f", "on")
		synctest.Wait()
		st.broken.Store(true)
		position := commit(t, st, "f", "off")
		time.Sleep(time.Minute)
		synctest.Wait()
		if h.Position(set) != held {
			t.Errorf("published %s from a store that cannot be read", h.Position(set))
		}
		if status := f.Status(); status.Err == nil {
			t.Error("the status says nothing of it")
		}
		st.broken.Store(false)
		time.Sleep(feed.DefaultInterval)
		synctest.Wait()
		if status := f.Status(); h.Position(set) != position || status.Err != nil {
			t.Errorf("published up to %s, committed %s; status %+v", h.Position(set), position, status)
		}
	})
}

// TestReadersOfBeforeARestartAreSentDeltas: a new server knows the way from
// positions that it never served.
func TestReadersOfBeforeARestartAreSentDeltas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := open(t)
		var held snapshot.Position
		for i := range 400 {
			position := commit(t, st, fmt.Sprint("f", i%5), []string{"on", "off"}[i/5%2])
			if i == 300 {
				held = position
			}
		}
		_, h := start(t, st)
		document, known := h.Since(set, snapshot.ProjectionServer, held)
		if !known || document == nil || document.Event != hub.EventDelta {
			t.Fatalf("sent %+v", document)
		}
		if document, _ = h.Since(set, snapshot.ProjectionServer, snapshot.Position{Epoch: held.Epoch, Version: 3}); document.Event != hub.EventSnapshot {
			t.Error("a reader from beyond the history is sent a delta")
		}
	})
}

func TestANewFlagSetIsPublished(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := open(t)
		_, h := start(t, st)
		other := store.SetID{Project: "default", Environment: "later"}
		if err := st.Update(t.Context(), func(tx store.Tx) error { return tx.CreateSet(t.Context(), other) }); err != nil {
			t.Fatal(err)
		}
		time.Sleep(feed.DefaultInterval)
		synctest.Wait()
		if h.Position(hub.Set{Project: "default", Environment: "later"}).IsZero() {
			t.Error("it is not served")
		}
	})
}

func TestReadyOnlyAfterTheFirstLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := open(t)
		st.broken.Store(true)
		f, _ := start(t, st)
		if f.Status().Ready {
			t.Error("ready without having read anything")
		}
		st.broken.Store(false)
		time.Sleep(feed.DefaultInterval)
		<-f.Ready()
		if !f.Status().Ready {
			t.Error("not ready after the load")
		}
	})
}

// TestAfterDroppedHistory: what retention drops never stops a set from being
// followed; who was before it is sent the snapshot.
func TestAfterDroppedHistory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := open(t)
		st.deaf = true
		held := commit(t, st, "f", "on")
		f, h := start(t, st)
		for i := range 10 {
			commit(t, st, "f", []string{"off", "on"}[i%2])
		}
		if _, err := st.DropHistory(t.Context(), id, time.Now().Add(time.Hour), 1000); err != nil {
			t.Fatal(err)
		}
		last := commit(t, st, "g", "on")
		time.Sleep(feed.DefaultInterval)
		synctest.Wait()
		if status := f.Status(); h.Position(set) != last || status.Err != nil {
			t.Errorf("published up to %s, committed %s; status %+v", h.Position(set), last, status)
		}
		restarted, h2 := start(t, st)
		for name, hub := range map[string]*hub.Hub{"running": h, "restarted": h2} {
			if document, _ := hub.Since(set, snapshot.ProjectionServer, held); document == nil || document.Event != "snapshot" {
				t.Errorf("%s: a reader from before what was dropped is sent %+v", name, document)
			}
		}
		if !restarted.Status().Ready || h2.Position(set) != last {
			t.Errorf("after a restart it is at %s, committed %s", h2.Position(set), last)
		}
	})
}

// TestHistoryDroppedWhileItIsRead: retention comes between the look at a set and
// the reading of its changes.
func TestHistoryDroppedWhileItIsRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := open(t)
		st.deaf = true
		for range 3 {
			commit(t, st, "f", "on")
			commit(t, st, "f", "off")
		}
		last := commit(t, st, "f", "on")
		st.onChanges = func() {
			if _, err := st.DropHistory(t.Context(), id, time.Now().Add(time.Hour), 1000); err != nil {
				t.Error(err)
			}
		}
		f, h := start(t, st)
		time.Sleep(feed.DefaultInterval)
		synctest.Wait()
		if status := f.Status(); h.Position(set) != last || status.Err != nil {
			t.Errorf("published up to %s, committed %s; status %+v", h.Position(set), last, status)
		}
	})
}
