package app_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wigwag/wigwag"
	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/app"
	"github.com/wigwag/wigwag/internal/control"
	"github.com/wigwag/wigwag/internal/sse"
	"github.com/wigwag/wigwag/snapshot"
)

// long bounds every wait of these tests; nothing waits that long unless it fails.
const long = 30 * time.Second

var operator = control.Write{Actor: "test"}

// demo is a server with the demo data.
func demo(t *testing.T) *app.Server {
	t.Helper()
	server, _ := start(t, app.Config{Database: "sqlite:" + t.TempDir() + "/wigwag.db"})
	if err := server.AddDemo(t.Context()); err != nil {
		t.Fatal(err)
	}
	return server
}

// sdk is a client that is ready, with a channel of what changed.
func sdk(t *testing.T, server *app.Server, key string) (*wigwag.Client, <-chan wigwag.Change) {
	t.Helper()
	client, err := wigwag.New(key, wigwag.WithURL(server.URL()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	changes := make(chan wigwag.Change, 10_000)
	client.OnChange(func(c wigwag.Change) { changes <- c })
	if err := client.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), long)
	defer cancel()
	if err := client.WaitReady(ctx); err != nil {
		t.Fatal(err)
	}
	return client, changes
}

// until takes changes until one brings the client to a position, and returns the
// flags that they named.
func until(t *testing.T, changes <-chan wigwag.Change, position snapshot.Position) map[string]bool {
	t.Helper()
	flags := map[string]bool{}
	deadline := time.After(long)
	for {
		select {
		case c := <-changes:
			for _, key := range c.Keys {
				flags[key] = true
			}
			if !c.To.Before(position) {
				return flags
			}
		case <-deadline:
			t.Fatalf("the client does not come to %s", position)
		}
	}
}

func patch(t *testing.T, server *app.Server, flag, document string) snapshot.Position {
	t.Helper()
	written, err := server.Control().PatchFlag(t.Context(), operator, "default", "development", flag, []byte(document))
	if err != nil {
		t.Fatal(err)
	}
	return written.Position
}

// Users would miss: the change itself, without any call of the application.
func TestAToggleReachesARunningProgram(t *testing.T) {
	server := demo(t)
	client, changes := sdk(t, server, app.DevServerKey)
	ada := wigwag.NewContext("ada", feature.String("plan", "pro"), feature.String("country", "DE"))
	if d := client.BoolDetails("new-checkout", false, ada); d.Value || d.Reason != feature.ReasonDisabled {
		t.Fatalf("before: %+v", d)
	}
	position := patch(t, server, "new-checkout", `{"state":"ENABLED"}`)
	if flags := until(t, changes, position); !flags["new-checkout"] {
		t.Errorf("the change names %v", flags)
	}
	if d := client.BoolDetails("new-checkout", false, ada); !d.Value || d.RuleID != "europe-pro" || d.Position() != position {
		t.Errorf("after: %+v", d)
	}
}

// Users would miss: that an edit of a segment, of a definition, of a
// prerequisite, or a deletion, is a change like a toggle.
func TestEveryKindOfEditReachesTheProgram(t *testing.T) {
	server := demo(t)
	c := server.Control()
	client, changes := sdk(t, server, app.DevServerKey)
	grace := wigwag.NewContext("zoe", feature.String("country", "FR"))

	written, err := c.UpdateSegmentKeys(t.Context(), operator, "default", "development", "beta-testers", feature.ListIncluded, []string{"zoe"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if flags := until(t, changes, written.Position); !flags["early-access"] || !client.Bool("early-access", false, grace) {
		t.Errorf("a key of a segment: %v", flags)
	}

	position := patch(t, server, "new-checkout", `{"state":"ENABLED"}`)
	until(t, changes, position)
	position = patch(t, server, "payments-v2", `{"state":"DISABLED"}`)
	if flags := until(t, changes, position); !flags["new-checkout"] {
		t.Errorf("a prerequisite: %v", flags)
	}
	if d := client.BoolDetails("new-checkout", true, grace); d.Reason != feature.ReasonPrerequisiteFailed || d.Value {
		t.Errorf("a prerequisite: %+v", d)
	}

	definition, err := c.PatchDefinition(t.Context(), operator, "default", "checkout-button", []byte(`{"variants":{"classic":"Purchase"}}`))
	if err != nil {
		t.Fatal(err)
	}
	position = definition.Environments["development"]
	until(t, changes, position)
	position = patch(t, server, "checkout-button", `{"default":{"variant":"classic"}}`)
	until(t, changes, position)
	if got := client.String("checkout-button", "", grace); got != "Purchase" {
		t.Errorf("a variant's value: %q", got)
	}

	deleted, err := c.ArchiveFlag(t.Context(), operator, "default", "docs-banner", true)
	if err != nil {
		t.Fatal(err)
	}
	if flags := until(t, changes, deleted.Environments["development"]); !flags["docs-banner"] {
		t.Errorf("a deletion: %v", flags)
	}
	if d := client.StringDetails("docs-banner", "gone", grace); d.ErrorCode != feature.ErrorFlagNotFound || d.Value != "gone" {
		t.Errorf("a deletion: %+v", d)
	}
}

// Users would miss: that all parts of their application see the same flags.
func TestFiftyClientsComeToTheSameVersion(t *testing.T) {
	server := demo(t)
	const clients = 50
	all := make([]*wigwag.Client, clients)
	changes := make([]<-chan wigwag.Change, clients)
	var group sync.WaitGroup
	for i := range all {
		group.Go(func() { all[i], changes[i] = sdk(t, server, []string{app.DevServerKey, app.DevClientKey}[i%2]) })
	}
	group.Wait()
	position := patch(t, server, "new-checkout", `{"state":"ENABLED"}`)
	for i := range all {
		until(t, changes[i], position)
		if got := all[i].At().Position(); got != position {
			t.Errorf("client %d is at %s, not %s", i, got, position)
		}
	}
}

// Users would miss: that one request is answered from one version, however the
// flags change meanwhile.
func TestOneRequestSeesOneVersion(t *testing.T) {
	server := demo(t)
	client, changes := sdk(t, server, app.DevServerKey)
	request := client.At()
	ec := wigwag.NewContext("ada", feature.String("plan", "pro"), feature.String("country", "DE"))
	position := patch(t, server, "new-checkout", `{"state":"ENABLED"}`)
	until(t, changes, position)
	if request.Bool("new-checkout", false, ec) || !client.Bool("new-checkout", false, ec) {
		t.Error("a request in flight sees the change, or a new one does not")
	}
}

// Users would miss: evaluation while the server is away.
func TestEvaluationGoesOnWithoutTheServer(t *testing.T) {
	server, stop := start(t, app.Config{Database: "memory:", Drain: time.Second})
	if err := server.AddDemo(t.Context()); err != nil {
		t.Fatal(err)
	}
	client, changes := sdk(t, server, app.DevServerKey)
	until(t, changes, snapshot.Position{})
	ec := wigwag.NewContext("ada")
	before := client.BoolDetails("early-access", false, ec)
	stop()
	after := client.BoolDetails("early-access", false, ec)
	if !after.Value || after.Variant != before.Variant || after.ErrorCode != "" {
		t.Errorf("with the server stopped: %+v", after)
	}
}

// Users would miss: who changed what, in the frame itself.
func TestEveryFrameNamesProjectEnvironmentAndFlags(t *testing.T) {
	server := demo(t)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL()+"/sdk/v1/stream", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+app.DevServerKey)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer http.DefaultClient.CloseIdleConnections()
	defer response.Body.Close()
	events := sse.NewReader(response.Body, 0, 0)
	next := func() sse.Event {
		for {
			event, err := events.Next()
			if err != nil {
				t.Fatal(err)
			}
			if event.Kind == sse.KindEvent {
				return event
			}
		}
	}
	next()
	for _, state := range []string{"ENABLED", "DISABLED"} {
		position := patch(t, server, "new-checkout", `{"state":"`+state+`"}`)
		event := next()
		var frame struct {
			Project, Environment, To, Digest string
			Put                              struct{ Flags []struct{ Key, State string } }
		}
		if err := json.Unmarshal(event.Data, &frame); err != nil {
			t.Fatal(err)
		}
		if event.Name != "delta" || event.ID != position.String() || frame.To != position.String() || frame.Project != "default" ||
			frame.Environment != "development" || len(frame.Put.Flags) != 1 || frame.Put.Flags[0].Key != "new-checkout" || frame.Put.Flags[0].State != state {
			t.Errorf("frame %s %s %s", event.Name, event.ID, event.Data)
		}
		if len(event.Data) > 1500 {
			t.Errorf("a toggle sends %d bytes", len(event.Data))
		}
	}
}

// Users would miss: a change of a value, of metadata or of a segment, where only
// toggles alter the entity tag.
func TestEveryChangeAltersTheEntityTag(t *testing.T) {
	server := demo(t)
	c := server.Control()
	tag := func() string {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL()+"/sdk/v1/snapshot", nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer "+app.DevServerKey)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer http.DefaultClient.CloseIdleConnections()
		_ = response.Body.Close()
		return strings.Trim(response.Header.Get("ETag"), `"`)
	}
	client, changes := sdk(t, server, app.DevServerKey)
	_ = client
	for name, write := range map[string]func() (snapshot.Position, error){
		"a value": func() (snapshot.Position, error) {
			w, err := c.PatchDefinition(t.Context(), operator, "default", "rate-limit", []byte(`{"variants":{"low":11}}`))
			return w.Environments["development"], err
		},
		"metadata": func() (snapshot.Position, error) {
			w, err := c.PatchDefinition(t.Context(), operator, "default", "rate-limit", []byte(`{"metadata":{"unit":"per minute"}}`))
			return w.Environments["development"], err
		},
		"a segment": func() (snapshot.Position, error) {
			w, err := c.PatchSegment(t.Context(), operator, "default", "development", "office", []byte(`{"included":["me"]}`))
			return w.Position, err
		},
	} {
		before := tag()
		position, err := write()
		if err != nil {
			t.Fatal(err)
		}
		until(t, changes, position)
		if after := tag(); after == before || after != position.String() {
			t.Errorf("%s: the tag goes from %s to %s at %s", name, before, after, position)
		}
	}
}

// Users would miss: being able to add one person to a segment of many without
// sending everybody the segment.
func TestAKeyOfALargeSegmentSendsOneShard(t *testing.T) {
	server := demo(t)
	c := server.Control()
	keys := make([]string, 100_000)
	for i := range keys {
		keys[i] = fmt.Sprintf("customer-%06d", i)
	}
	if _, err := c.CreateSegment(t.Context(), operator, "default", "development", feature.Segment{Key: "customers", Included: keys}); err != nil {
		t.Fatal(err)
	}
	position := patch(t, server, "early-access", `{"rules":[{"id":"testers","when":{"segment":"customers"},"serve":{"variant":"on"}}]}`)
	client, changes := sdk(t, server, app.DevServerKey)
	until(t, changes, position)
	if !client.Bool("early-access", false, wigwag.NewContext("customer-099999")) || client.Bool("early-access", true, wigwag.NewContext("nobody")) {
		t.Fatal("the segment is not evaluated")
	}
	written, err := c.UpdateSegmentKeys(t.Context(), operator, "default", "development", "customers", feature.ListIncluded, []string{"nobody"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if flags := until(t, changes, written.Position); !flags["early-access"] || !client.Bool("early-access", false, wigwag.NewContext("nobody")) {
		t.Errorf("the key does not arrive; the change names %v", flags)
	}
	status, delta := call(t, http.MethodGet, server.URL()+"/sdk/v1/snapshot?since="+position.String(), app.DevServerKey, "")
	if status != 200 || strings.Count(delta, `"shard"`) != 1 || len(delta) > 64<<10 {
		t.Errorf("adding a key sends %d bytes with %d shards", len(delta), strings.Count(delta, `"shard"`))
	}
}
