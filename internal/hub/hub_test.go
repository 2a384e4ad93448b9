package hub_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/hub"
	"github.com/wigwag/wigwag/snapshot"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var set = hub.Set{Project: "default", Environment: "test"}

const epoch = "0192aaaa-0000-7000-8000-000000000000"

func at(version uint64) snapshot.Position { return snapshot.Position{Epoch: epoch, Version: version} }

type fataler interface{ Fatal(...any) }

func flag(t fataler, key, off string, visible bool) *snapshot.Item {
	item, err := snapshot.EncodeItem(&feature.Flag{
		Definition: feature.Definition{Key: key, Type: feature.TypeBoolean, ClientVisible: visible, Variants: feature.Variants{
			{Key: "on", Value: feature.BoolValue(true)}, {Key: "off", Value: feature.BoolValue(false)},
		}},
		Configuration: feature.Configuration{State: feature.StateEnabled, OffVariant: off, Default: feature.Serve{Variant: "on"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return item
}

// log publishes commits one after the other, as a feed does.
type log struct {
	hub     *hub.Hub
	current *snapshot.Snapshot
}

func newLog(items ...*snapshot.Item) *log {
	header := snapshot.Header{Project: set.Project, Environment: set.Environment, Projection: snapshot.ProjectionServer}
	l := &log{hub: hub.New(), current: snapshot.New(header, at(1), time.Now(), items)}
	l.hub.Publish(hub.Step{Snapshot: l.current})
	return l
}

func (l *log) commit(put ...*snapshot.Item) {
	changed := []snapshot.Ref{}
	for _, item := range put {
		changed = append(changed, item.Ref)
	}
	l.current = l.current.With(at(l.current.Position.Version+1), time.Now(), put, nil)
	l.hub.Publish(hub.Step{Snapshot: l.current, Changed: changed})
}

func (l *log) remove(key string) {
	refs := []snapshot.Ref{{Kind: snapshot.KindFlag, Key: key}}
	l.current = l.current.With(at(l.current.Position.Version+1), time.Now(), nil, refs)
	l.hub.Publish(hub.Step{Snapshot: l.current, Changed: refs})
}

func woken(r *hub.Reader) bool {
	select {
	case <-r.Wake():
		return true
	default:
		return false
	}
}

func TestAReaderThatIsBehindIsSentOneDeltaForAll(t *testing.T) {
	l := newLog(flag(t, "a", "on", false), flag(t, "b", "on", false))
	r := l.hub.Join(set, snapshot.ProjectionServer)
	defer r.Leave()
	held := l.current
	for range 3 {
		l.commit(flag(t, "a", "off", false))
		l.commit(flag(t, "a", "on", false))
	}
	l.commit(flag(t, "c", "on", false))
	l.remove("b")
	if !woken(r) || woken(r) {
		t.Error("eight changes must wake once")
	}
	document := r.Since(held.Position)
	if document == nil || document.Event != hub.EventDelta {
		t.Fatalf("sent %s", document.JSON)
	}
	delta, err := snapshot.ParseDelta(document.JSON)
	if err != nil {
		t.Fatal(err)
	}
	got, err := held.Apply(delta)
	if err != nil {
		t.Fatal(err)
	}
	if got.Digest != l.current.Digest || got.Position != l.current.Position {
		t.Errorf("arrived at %s", got.Position)
	}
	if again := r.Since(got.Position); again != nil {
		t.Errorf("a reader that is up to date is sent %s", again.JSON)
	}
}

func TestWhoIsSentTheSnapshot(t *testing.T) {
	l := newLog(flag(t, "a", "on", false))
	l.commit(flag(t, "a", "off", false))
	for name, c := range map[string]struct {
		position snapshot.Position
		event    hub.Event
	}{
		"has nothing":          {snapshot.Position{}, hub.EventSnapshot},
		"an older epoch":       {snapshot.Position{Epoch: "0191", Version: 9}, hub.EventSnapshot},
		"before the log":       {at(0), hub.EventSnapshot},
		"one behind":           {at(1), hub.EventDelta},
		"current":              {at(2), ""},
		"ahead of this server": {at(3), ""},
		"a later epoch":        {snapshot.Position{Epoch: "0193", Version: 1}, hub.EventSnapshot},
	} {
		document, known := l.hub.Since(set, snapshot.ProjectionServer, c.position)
		if !known {
			t.Fatal("the set is not served")
		}
		event := hub.Event("")
		if document != nil {
			event = document.Event
		}
		if event != c.event {
			t.Errorf("%s: sent %q, want %q", name, event, c.event)
		}
	}
}

func TestASumThatOutgrowsTheSnapshotIsSentAsTheSnapshot(t *testing.T) {
	l := newLog()
	for i := range 100 {
		l.commit(flag(t, fmt.Sprint("f", i), "on", false))
	}
	for i := range 90 {
		l.remove(fmt.Sprint("f", i))
	}
	if d, _ := l.hub.Since(set, snapshot.ProjectionServer, at(100)); d.Event != hub.EventDelta {
		t.Error("90 deletions are sent as the snapshot")
	}
	for i := range 100 {
		l.commit(flag(t, fmt.Sprint("f", i), "off", false))
	}
	if d, _ := l.hub.Since(set, snapshot.ProjectionServer, at(191)); d.Event != hub.EventSnapshot {
		t.Error("a delta of every flag is not sent as the snapshot")
	}
}

func TestDocumentsAreEncodedOnce(t *testing.T) {
	l := newLog(flag(t, "a", "on", false))
	l.commit(flag(t, "a", "off", false))
	x, _ := l.hub.Since(set, snapshot.ProjectionServer, at(1))
	y, _ := l.hub.Since(set, snapshot.ProjectionServer, at(1))
	if x != y || &x.Frame()[0] != &y.Frame()[0] {
		t.Error("two readers at one position are sent two documents")
	}
	first, second := l.hub.Current(set, snapshot.ProjectionServer), l.hub.Current(set, snapshot.ProjectionServer)
	if first != second {
		t.Error("the snapshot is encoded twice")
	}
}

func TestClientReadersAreToldOnlyOfWhatTheySee(t *testing.T) {
	l := newLog(flag(t, "visible", "on", true), flag(t, "hidden", "on", false))
	r := l.hub.Join(set, snapshot.ProjectionClient)
	defer r.Leave()
	l.commit(flag(t, "hidden", "off", false))
	if woken(r) {
		t.Error("a change of what they do not see wakes client readers")
	}
	if d := r.Since(at(1)); d != nil {
		t.Errorf("and sends them %s", d.JSON)
	}
	l.commit(flag(t, "visible", "off", true))
	d := r.Since(at(1))
	if !woken(r) || d == nil || strings.Contains(string(d.JSON), "hidden") {
		t.Fatalf("sent %+v", d)
	}
	// A reader that joined between the two gets the very same delta.
	if other := r.Since(at(2)); other != d {
		t.Error("readers of equal content are sent different documents")
	}
	l.commit(flag(t, "hidden", "off", true))
	d = r.Since(at(3))
	if d == nil || !strings.Contains(string(d.JSON), "hidden") {
		t.Error("a flag that becomes client-visible is not sent")
	}
	// And one that is no longer visible is taken away.
	l.commit(flag(t, "visible", "off", false))
	if d = r.Since(at(4)); d == nil || !strings.Contains(string(d.JSON), `"delete":{"flags":["visible"]`) {
		t.Errorf("sent %+v", d)
	}
}

// A set that is read anew from its past does not take its readers back there.
func TestWhatIsServedNeverGoesBack(t *testing.T) {
	l := newLog(flag(t, "a", "on", true))
	past := l.current
	l.commit(flag(t, "a", "off", true))
	l.commit(flag(t, "b", "on", true))
	r := l.hub.Join(set, snapshot.ProjectionServer)
	defer r.Leave()
	next := l.current.With(at(4), time.Now(), []*snapshot.Item{flag(t, "b", "off", true)}, nil)
	l.hub.Publish(hub.Step{Snapshot: past}, hub.Step{Snapshot: next, Changed: []snapshot.Ref{{Kind: snapshot.KindFlag, Key: "b"}}})
	if d := r.Since(at(3)); d == nil || d.Position != at(4) || d.Event != hub.EventSnapshot || !woken(r) {
		t.Errorf("a reader at version 3 is sent %+v", d)
	}
	if got := l.hub.Position(set); got != at(4) {
		t.Errorf("served at %s", got)
	}
}

func TestANewEpochResendsEverything(t *testing.T) {
	l := newLog(flag(t, "a", "on", true))
	r := l.hub.Join(set, snapshot.ProjectionClient)
	defer r.Leave()
	restored := snapshot.New(l.current.Header, snapshot.Position{Epoch: "0193", Version: 1}, time.Now(), []*snapshot.Item{flag(t, "z", "on", true)})
	l.hub.Publish(hub.Step{Snapshot: restored})
	if d := r.Since(at(1)); !woken(r) || d == nil || d.Event != hub.EventSnapshot {
		t.Errorf("sent %+v", d)
	}
}

func TestEncodingsAreOfTheSameDocument(t *testing.T) {
	var items []*snapshot.Item
	for i := range 50 {
		items = append(items, flag(t, fmt.Sprint("flag-", i), "on", false))
	}
	d := newLog(items...).hub.Current(set, snapshot.ProjectionServer)
	decode := map[hub.Encoding]func(io.Reader) (io.Reader, error){
		hub.Gzip:     func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) },
		hub.Brotli:   func(r io.Reader) (io.Reader, error) { return brotli.NewReader(r), nil },
		hub.Zstd:     func(r io.Reader) (io.Reader, error) { return zstd.NewReader(r, zstd.WithDecoderConcurrency(1)) },
		hub.Identity: func(r io.Reader) (io.Reader, error) { return r, nil },
	}
	for encoding, open := range decode {
		body, used := d.Encoded(encoding)
		if used != encoding {
			t.Errorf("%s: encoded as %s", encoding, used)
		}
		r, err := open(bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, d.JSON) {
			t.Errorf("%s: %v", encoding, err)
		}
		if encoding != hub.Identity && len(body) > len(d.JSON)/2 {
			t.Errorf("%s: %d bytes of %d", encoding, len(body), len(d.JSON))
		}
	}
	small := newLog().hub.Current(set, snapshot.ProjectionServer)
	if _, used := small.Encoded(hub.Gzip); used != hub.Identity {
		t.Error("a small document is compressed")
	}
}

// TestManyReadersAtOnce joins, follows and leaves while changes are published:
// every reader ends at the digest of the last change.
func TestManyReadersAtOnce(t *testing.T) {
	l := newLog(flag(t, "a", "on", true))
	const commits, readers = 200, 40
	var group sync.WaitGroup
	for i := range readers {
		projection := snapshot.ProjectionServer
		if i%2 == 0 {
			projection = snapshot.ProjectionClient
		}
		group.Go(func() {
			for round := 0; ; round++ {
				if follow(t, l.hub, projection, commits+1, round) {
					return
				}
			}
		})
	}
	for i := range commits {
		l.commit(flag(t, fmt.Sprint("f", i%7), []string{"on", "off"}[i/7%2], true))
	}
	group.Wait()
	if n := l.hub.Readers(); n != 0 {
		t.Errorf("%d readers are left", n)
	}
}

// follow reads until the last version and reports whether it came to it; early
// rounds leave after a few documents, as clients do whose connection is cut.
func follow(t *testing.T, h *hub.Hub, projection snapshot.Projection, last uint64, round int) bool {
	r := h.Join(set, projection)
	defer r.Leave()
	var held *snapshot.Snapshot
	for n := 0; ; n++ {
		position := snapshot.Position{}
		if held != nil {
			position = held.Position
		}
		if position.Version == last {
			return true
		}
		d := r.Since(position)
		if d == nil {
			<-r.Wake()
			continue
		}
		var err error
		if d.Event == hub.EventSnapshot {
			held, err = snapshot.Parse(d.JSON)
		} else {
			var delta *snapshot.Delta
			if delta, err = snapshot.ParseDelta(d.JSON); err == nil {
				held, err = held.Apply(delta)
			}
		}
		if err != nil {
			t.Error(err)
			return true
		}
		if round < 3 && n == 5 {
			return false
		}
	}
}

// TestAnyReaderEndsAtTheServersDigest: from any position, by any mix of waiting
// and reading, in either projection.
func TestAnyReaderEndsAtTheServersDigest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := newLog()
		type reader struct {
			projection snapshot.Projection
			held       *snapshot.Snapshot
		}
		readers := []*reader{{projection: snapshot.ProjectionServer}, {projection: snapshot.ProjectionClient}}
		read := func(r *reader) {
			position := snapshot.Position{}
			if r.held != nil {
				position = r.held.Position
			}
			d, _ := l.hub.Since(set, r.projection, position)
			if d == nil {
				return
			}
			var err error
			if d.Event == hub.EventSnapshot {
				r.held, err = snapshot.Parse(d.JSON)
			} else {
				var delta *snapshot.Delta
				if delta, err = snapshot.ParseDelta(d.JSON); err == nil {
					r.held, err = r.held.Apply(delta)
				}
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			key := fmt.Sprint("f", rapid.IntRange(0, 4).Draw(t, "key"))
			switch rapid.IntRange(0, 3).Draw(t, "what") {
			case 0:
				l.remove(key)
			case 1:
				read(rapid.SampledFrom(readers).Draw(t, "reader"))
			default:
				l.commit(flag(t, key, rapid.SampledFrom([]string{"on", "off"}).Draw(t, "off"), rapid.Bool().Draw(t, "visible")))
			}
		}
		for _, r := range readers {
			read(r)
			want := l.current
			if r.projection == snapshot.ProjectionClient {
				want = want.Client()
			}
			if r.held.Digest != want.Digest {
				t.Fatalf("%s reader ended at %s", r.projection, r.held.Position)
			}
		}
	})
}
