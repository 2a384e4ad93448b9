package wigwag

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/snapshot"
)

// A status that no event leads out of, or into, would mislead whoever watches it.
func TestEveryStatusAnswersEveryEvent(t *testing.T) {
	const notReady, ready, stale, failing = StatusNotReady, StatusReady, StatusStale, StatusError
	table := map[Status]map[event]Status{
		notReady: {eventBootstrapped: stale, eventConfirmed: ready, eventExpired: notReady, eventRefused: failing, eventFailed: notReady},
		ready:    {eventBootstrapped: ready, eventConfirmed: ready, eventExpired: stale, eventRefused: failing, eventFailed: ready},
		stale:    {eventBootstrapped: stale, eventConfirmed: ready, eventExpired: stale, eventRefused: failing, eventFailed: stale},
		failing:  {eventBootstrapped: failing, eventConfirmed: ready, eventExpired: failing, eventRefused: failing, eventFailed: failing},
	}
	for from := range Status(statusCount) {
		for e := range event(eventCount) {
			want, stated := table[from][e]
			if !stated {
				t.Errorf("%v × %d: the table does not say", from, e)
			}
			if got := from.after(e); got != want {
				t.Errorf("%v × %d: %v, want %v", from, e, got, want)
			}
		}
	}
	if got := fmt.Sprint(notReady, ready, stale, failing, Status(9)); got != "NOT_READY READY STALE ERROR Status(9)" {
		t.Errorf("they are called %s", got)
	}
}

// Clients that come back in step bring down what they come back to.
func TestBackoffIsSpreadOverItsWholeLimit(t *testing.T) {
	const clients = 20_000
	limits := []time.Duration{1, 2, 4, 8, 16, 30, 30}
	gaps := make([]backoff, clients)
	for round, seconds := range limits {
		limit := seconds * time.Second
		var buckets [10]int
		for i := range gaps {
			gap := gaps[i].next()
			if gap < backoffLeast || gap > limit {
				t.Fatalf("gap %v in round %d, want within %v", gap, round, limit)
			}
			buckets[min(9, gap*10/limit)]++
		}
		// The least gap moves what lies below it: a tenth of the first limit.
		for i, n := range buckets {
			share := float64(n) / clients
			if i == 0 && round == 0 || i == 1 && round == 0 {
				continue
			}
			if i > 1 && (share < 0.085 || share > 0.115) {
				t.Errorf("round %d: %.3f of the gaps are in tenth %d of %v", round, share, i, limit)
			}
		}
	}
	gaps[0].reset()
	if gap := gaps[0].next(); gap > time.Second {
		t.Errorf("gap %v after a reset", gap)
	}
}

func TestTheServersWishesGoBeforeTheBackoff(t *testing.T) {
	tests := []struct {
		name        string
		err         error
		least, most time.Duration
		imposed     bool
	}{
		{"any failure", errors.New("x"), backoffLeast, time.Second, false},
		{"refused", &responseError{status: http.StatusForbidden}, refusedRetry, refusedRetry, true},
		{"refused, wrapped", fmt.Errorf("x: %w", &responseError{status: http.StatusUnauthorized, retryAfter: time.Second}), refusedRetry, refusedRetry, true},
		{"overloaded", &responseError{status: http.StatusServiceUnavailable, retryAfter: time.Minute}, time.Minute + backoffLeast, time.Minute + time.Second, true},
		{"overloaded, no wish", &responseError{status: http.StatusServiceUnavailable}, backoffLeast, time.Second, false},
		{"goodbye", &goodbye{retryAfter: 7 * time.Second}, 7 * time.Second, 7 * time.Second, false},
		{"goodbye at once", &goodbye{}, backoffLeast, time.Second, false},
	}
	for _, test := range tests {
		for range 100 {
			if gap := gapAfter(test.err, new(backoff)); gap < test.least || gap > test.most {
				t.Errorf("%s: gap %v", test.name, gap)
			}
		}
		if isImposed(test.err) != test.imposed {
			t.Errorf("%s: imposed %v", test.name, !test.imposed)
		}
	}
}

func TestRetryAfterHeader(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for header, want := range map[string]time.Duration{
		"": 0, "0": 0, "7": 7 * time.Second, "-7": 0, "1.5": 0, "soon": 0,
		"99999999": retryAfterMax, "99999999999999999999999": 0,
		"Fri, 02 Jan 2026 03:05:05 GMT": time.Minute, "Fri, 02 Jan 2026 03:00:05 GMT": 0,
		"Fri, 02 Jan 2099 03:05:05 GMT": retryAfterMax,
	} {
		if got := retryAfter(header, now); got != want {
			t.Errorf("%q: %v, want %v", header, got, want)
		}
	}
}

// propertyItem returns a flag, or a segment, whose content is a number.
func propertyItem(name, content int) *snapshot.Item {
	document := any(&feature.Segment{Key: fmt.Sprint("segment", name), Included: []string{fmt.Sprint(content)}})
	if name%3 != 0 {
		document = &feature.Flag{
			Definition: feature.Definition{
				Key: fmt.Sprint("flag", name), Type: feature.TypeNumber,
				Variants: feature.Variants{{Key: "a", Value: feature.NumberValue(float64(content))}},
			},
			Configuration: feature.Configuration{State: feature.StateEnabled, OffVariant: "a", Default: feature.Serve{Variant: "a"}},
		}
	}
	item, err := snapshot.EncodeItem(document)
	if err != nil {
		panic(err)
	}
	return item
}

// Whatever becomes of the messages on their way, a client holds a version of the
// server's at every moment, and the last one in the end.
func TestWhateverArrivesTheClientEndsAtTheServersDigest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		header := snapshot.Header{Project: "p", Environment: "e", Projection: snapshot.ProjectionServer}
		log := []*snapshot.Snapshot{snapshot.New(header, snapshot.Position{Epoch: "e", Version: 1}, time.Unix(1, 0), nil)}
		latest := func() *snapshot.Snapshot { return log[len(log)-1] }
		version := rapid.Custom(func(t *rapid.T) *snapshot.Snapshot { return log[rapid.IntRange(0, len(log)-1).Draw(t, "version")] })
		client, err := New("sk_test", WithLogger(slog.New(slog.DiscardHandler)))
		if err != nil {
			t.Fatal(err)
		}
		damage := func(document []byte) []byte {
			if rapid.IntRange(0, 3).Draw(t, "damage") > 0 {
				return document
			}
			// What stands before names the flag set; a client knows it by the first
			// document that it gets.
			at := rapid.IntRange(bytes.Index(document, []byte(`"projection"`))+len(`"projection":"server",`), len(document)-1).Draw(t, "at")
			document[at] ^= byte(rapid.IntRange(1, 255).Draw(t, "bits"))
			return document[:rapid.IntRange(at, len(document)).Draw(t, "length")]
		}
		t.Repeat(map[string]func(*rapid.T){
			"commit": func(t *rapid.T) {
				before := latest()
				position := snapshot.Position{Epoch: "e", Version: before.Position.Version + 1}
				item := propertyItem(rapid.IntRange(0, 8).Draw(t, "item"), rapid.IntRange(0, 3).Draw(t, "content"))
				var after *snapshot.Snapshot
				if rapid.Bool().Draw(t, "delete") {
					after = before.With(position, time.Unix(1, 0), nil, []snapshot.Ref{item.Ref})
				} else {
					after = before.With(position, time.Unix(1, 0), []*snapshot.Item{item}, nil)
				}
				log = append(log, after)
			},
			"delta": func(t *rapid.T) {
				from, to := version.Draw(t, "from"), version.Draw(t, "to")
				_ = client.applyDelta(damage(snapshot.Diff(from, to).AppendJSON(nil)), to.Position.String())
			},
			"next delta": func(t *rapid.T) {
				if client.current != nil {
					_ = client.applyDelta(damage(snapshot.Diff(log[client.current.Position.Version-1], latest()).AppendJSON(nil)), latest().Position.String())
				}
			},
			"snapshot": func(t *rapid.T) {
				sent := version.Draw(t, "version")
				_ = client.applySnapshot(damage(sent.AppendJSON(nil)), sent.Position.String())
			},
			"": func(t *rapid.T) {
				if client.current == nil {
					return
				}
				held := client.current
				if want := log[held.Position.Version-1]; held.Position.Epoch != "e" || held.Digest != want.Digest {
					t.Fatalf("at %v it holds %v, the server held %v", held.Position, held.Digest, want.Digest)
				}
				if client.At().Position() != held.Position {
					t.Fatalf("evaluations are of %v, held is %v", client.At().Position(), held.Position)
				}
				for i := range held.Items {
					if flag := held.Items[i].Flag(); flag != nil {
						want, _ := flag.Variants[0].Value.Number()
						if got := client.Float(flag.Key, -1, EvaluationContext{}); got != want {
							t.Fatalf("%s is %v, want %v", flag.Key, got, want)
						}
					}
				}
			},
		})
		// The stream of the end: a reader with its cursor gets what it lacks.
		var last error
		if client.current != nil {
			last = client.applyDelta(snapshot.Diff(log[client.current.Position.Version-1], latest()).AppendJSON(nil), latest().Position.String())
		}
		if client.current == nil || last != nil {
			last = client.applySnapshot(latest().AppendJSON(nil), latest().Position.String())
		}
		if last != nil || client.current.Digest != latest().Digest || client.current.Position != latest().Position {
			t.Fatalf("ends at %v with %v (%v), the server at %v", client.current.Position, client.current.Digest, last, latest().Position)
		}
	})
}

// Recompiling what did not change would make a commit cost as much as all flags.
func TestWhatDidNotChangeIsShared(t *testing.T) {
	client, err := New("sk_test", WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	header := snapshot.Header{Project: "p", Environment: "e", Projection: snapshot.ProjectionServer}
	first := snapshot.New(header, snapshot.Position{Epoch: "e", Version: 1}, time.Unix(1, 0), []*snapshot.Item{propertyItem(1, 1), propertyItem(2, 1)})
	second := snapshot.New(header, snapshot.Position{Epoch: "e", Version: 2}, time.Unix(2, 0), []*snapshot.Item{propertyItem(1, 1), propertyItem(2, 2)})
	if err := client.applySnapshot(first.AppendJSON(nil), ""); err != nil {
		t.Fatal(err)
	}
	before := slices.Clone(client.current.FlagSet().Flags)
	if err := client.applySnapshot(second.AppendJSON(nil), ""); err != nil {
		t.Fatal(err)
	}
	after := client.current.FlagSet().Flags
	if before[0] != after[0] || before[1] == after[1] {
		t.Errorf("shared: %v and %v, want the first flag only", before[0] == after[0], before[1] == after[1])
	}
}
