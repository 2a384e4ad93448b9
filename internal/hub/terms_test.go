package hub_test

import (
	"testing"

	"github.com/wigwag/wigwag/internal/hub"
	"github.com/wigwag/wigwag/snapshot"
)

func TestTermsReachReaders(t *testing.T) {
	l := newLog(flag(t, "a", "on", true))
	server, client := l.hub.Join(set, snapshot.ProjectionServer), l.hub.Join(set, snapshot.ProjectionClient)
	defer server.Leave()
	defer client.Leave()
	if terms := server.Terms(); terms != (hub.Terms{}) {
		t.Errorf("at first they are %+v", terms)
	}
	for _, terms := range []hub.Terms{{NoStreams: true}, {Archived: "environment"}, {}} {
		l.hub.SetTerms(set, terms)
		for name, r := range map[string]*hub.Reader{"server": server, "client": client} {
			if !woken(r) || r.Terms() != terms {
				t.Errorf("the %s reader has %+v, want %+v", name, r.Terms(), terms)
			}
		}
		if l.hub.Terms(set) != terms {
			t.Errorf("the hub says %+v, want %+v", l.hub.Terms(set), terms)
		}
	}
	l.hub.SetTerms(set, hub.Terms{})
	if woken(server) {
		t.Error("woken for terms that are not new")
	}
}

func TestTermsAreKeptForASetThatComesLater(t *testing.T) {
	h := hub.New()
	h.SetTerms(set, hub.Terms{NoStreams: true})
	h.Publish(hub.Step{Snapshot: newLog().current})
	r := h.Join(set, snapshot.ProjectionServer)
	defer r.Leave()
	if !r.Terms().NoStreams {
		t.Errorf("they are %+v", r.Terms())
	}
}

func TestARemovedSetIsServedToNobody(t *testing.T) {
	l := newLog(flag(t, "a", "on", true))
	r := l.hub.Join(set, snapshot.ProjectionClient)
	defer r.Leave()
	l.hub.Remove(set)
	if !woken(r) || !r.Terms().Removed {
		t.Errorf("its reader has %+v", r.Terms())
	}
	if l.hub.Join(set, snapshot.ProjectionServer) != nil || l.hub.Current(set, snapshot.ProjectionServer) != nil || !l.hub.Position(set).IsZero() {
		t.Error("it is still served")
	}
	if _, served := l.hub.Since(set, snapshot.ProjectionServer, at(1)); served {
		t.Error("it is still served")
	}
	// One that is published later has nothing of the old readers.
	l.hub.Publish(hub.Step{Snapshot: l.current})
	l.commit(flag(t, "a", "off", true))
	if woken(r) || !r.Terms().Removed {
		t.Error("a reader of the removed set follows the new one")
	}
	if n := l.hub.Readers(); n != 0 {
		t.Errorf("%d readers", n)
	}
}
