package feed_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/wigwag/wigwag/internal/feed"
	"github.com/wigwag/wigwag/internal/hub"
	"github.com/wigwag/wigwag/internal/store"
	"github.com/wigwag/wigwag/snapshot"
)

var catalogue = store.SetID{Project: id.Project}

// document commits an item to the catalogue, which is made where it is not there.
func document(t *testing.T, st store.Store, kind snapshot.Kind, key, body string) {
	t.Helper()
	err := st.Update(t.Context(), func(tx store.Tx) error {
		if _, err := tx.Set(t.Context(), catalogue); err != nil {
			if err := tx.CreateSet(t.Context(), catalogue); err != nil {
				return err
			}
		}
		_, err := tx.Commit(t.Context(), catalogue, store.Commit{Put: []store.Item{{Ref: snapshot.Ref{Kind: kind, Key: key}, Body: []byte(body)}}})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
}

func TestTermsFollowTheDocuments(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := open(t)
		document(t, st, store.KindProject, id.Project, `{"key":"default"}`)
		document(t, st, store.KindEnvironment, id.Environment, `{"key":"test","streaming":false}`)
		_, h := start(t, st)
		for _, step := range []struct {
			kind      snapshot.Kind
			key, body string
			want      hub.Terms
		}{
			{store.KindEnvironment, "other", `{"key":"other","archived":true}`, hub.Terms{NoStreams: true}},
			{store.KindEnvironment, id.Environment, `{"key":"test","streaming":true}`, hub.Terms{}},
			{store.KindEnvironment, id.Environment, `{"key":"test","archived":true}`, hub.Terms{Archived: "environment"}},
			{store.KindProject, id.Project, `{"key":"default","archived":true}`, hub.Terms{Archived: "project"}},
			{store.KindProject, id.Project, `{"key":"default"}`, hub.Terms{Archived: "environment"}},
			{store.KindEnvironment, id.Environment, `{"key":"test"}`, hub.Terms{}},
		} {
			document(t, st, step.kind, step.key, step.body)
			if got := h.Terms(set); got != step.want {
				t.Errorf("after %s they are %+v, want %+v", step.body, got, step.want)
			}
		}
	})
}

// TestTermsAreKnownBeforeTheFirstReader: a restart gives nobody a moment in which
// an archived environment is served.
func TestTermsAreKnownBeforeTheFirstReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := open(t)
		document(t, st, store.KindEnvironment, id.Environment, `{"key":"test","archived":true}`)
		st.deaf = true
		_, h := start(t, st)
		if h.Position(set).IsZero() || h.Terms(set).Archived == "" {
			t.Errorf("at %s they are %+v", h.Position(set), h.Terms(set))
		}
		document(t, st, store.KindEnvironment, id.Environment, `{"key":"test"}`)
		time.Sleep(feed.DefaultInterval) // the hint is lost
		synctest.Wait()
		if h.Terms(set) != (hub.Terms{}) {
			t.Errorf("they are still %+v", h.Terms(set))
		}
	})
}

func TestADeletedSetIsDropped(t *testing.T) {
	for name, deaf := range map[string]bool{"hinted": false, "hint lost": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				st := open(t)
				st.deaf = deaf
				commit(t, st, "f", "on")
				f, h := start(t, st)
				r := h.Join(set, snapshot.ProjectionServer)
				defer r.Leave()
				err := st.Update(t.Context(), func(tx store.Tx) error { return tx.DeleteSet(t.Context(), id) })
				if err != nil {
					t.Fatal(err)
				}
				if deaf {
					time.Sleep(feed.DefaultInterval)
				}
				synctest.Wait()
				if !r.Terms().Removed || !h.Position(set).IsZero() || f.Status().Err != nil {
					t.Errorf("the reader has %+v; the hub is at %s; %v", r.Terms(), h.Position(set), f.Status().Err)
				}
			})
		})
	}
}

// TestAReaderOfADeletedSetSeesNothingOfItsSuccessor, whose keys are others.
func TestAReaderOfADeletedSetSeesNothingOfItsSuccessor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := open(t)
		commit(t, st, "f", "on")
		_, h := start(t, st)
		r := h.Join(set, snapshot.ProjectionServer)
		defer r.Leave()
		held := h.Position(set)
		err := st.Update(t.Context(), func(tx store.Tx) error {
			if err := tx.DeleteSet(t.Context(), id); err != nil {
				return err
			}
			return tx.CreateSet(t.Context(), id)
		})
		if err != nil {
			t.Fatal(err)
		}
		now := commit(t, st, "secret", "on")
		synctest.Wait()
		if !r.Terms().Removed || h.Position(set) != now || now.Epoch == held.Epoch {
			t.Errorf("the reader has %+v; the hub is at %s", r.Terms(), h.Position(set))
		}
	})
}
