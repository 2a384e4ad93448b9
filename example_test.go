package wigwag_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/wigwag/wigwag"
	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/snapshot"
)

// exampleServer stands in for a Wigwag server with two flags.
func exampleServer() *httptest.Server {
	document := newSnapshot(1,
		`{"key":"checkout-button","type":"object","variants":{"plain":{"label":"Pay","color":"gray"},"bold":{"label":"Buy now","color":"green"}},"state":"ENABLED","offVariant":"plain","default":{"variant":"bold"}}`,
		`{"key":"new-checkout","type":"boolean","variants":{"on":true,"off":false},"state":"ENABLED","offVariant":"off","rules":[{"id":"pro-plans","when":{"attribute":"plan","op":"in","values":["pro","team"]},"serve":{"variant":"on"}}],"default":{"variant":"off"}}`,
	).AppendJSON(nil)
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/sdk/v1/snapshot" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(document)
	}))
}

// startExample returns a client that has its flags.
func startExample() (client *wigwag.Client, end func()) {
	server := exampleServer()
	client, err := wigwag.New("sk_example", wigwag.WithURL(server.URL), wigwag.WithMode(wigwag.ModePolling),
		wigwag.WithLogger(slog.New(slog.DiscardHandler)), wigwag.WithApp("shop", "2.1.0"))
	if err != nil {
		panic(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	if err := client.Start(ctx); err != nil {
		panic(err)
	}
	if err := client.WaitReady(ctx); err != nil {
		panic(err)
	}
	return client, func() {
		_ = client.Close()
		cancel()
		server.Close()
	}
}

func Example() {
	server := exampleServer()
	defer server.Close()
	ctx := context.Background()

	client, err := wigwag.New("sk_example", wigwag.WithURL(server.URL), wigwag.WithMode(wigwag.ModePolling))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()
	if err := client.Start(ctx); err != nil {
		fmt.Println(err)
		return
	}
	waiting, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := client.WaitReady(waiting); err != nil {
		fmt.Println("going on with default values:", err)
	}

	fmt.Println(client.Bool("new-checkout", false, wigwag.NewContext("user-42", wigwag.String("plan", "pro"))))
	fmt.Println(client.Bool("new-checkout", false, wigwag.NewContext("user-43", wigwag.String("plan", "free"))))
	// Output:
	// true
	// false
}

func ExampleClient_BoolDetails() {
	client, end := startExample()
	defer end()

	d := client.BoolDetails("new-checkout", false, wigwag.NewContext("user-42", wigwag.String("plan", "team")))
	fmt.Println(d.Value, d.Variant, d.Reason, d.RuleID)

	d = client.BoolDetails("no-such-flag", true, wigwag.NewContext("user-42"))
	fmt.Println(d.Value, d.Reason, d.ErrorCode == feature.ErrorFlagNotFound)
	// Output:
	// true on TARGETING_MATCH pro-plans
	// true ERROR true
}

func ExampleClient_Object() {
	client, end := startExample()
	defer end()

	button := struct{ Label, Color string }{"Pay", "gray"}
	value := client.Object("checkout-button", wigwag.ValueOf(button), wigwag.NewContext("user-42"))
	if err := value.Decode(&button); err != nil {
		fmt.Println(err)
	}
	fmt.Println(button.Label, button.Color)
	// Output: Buy now green
}

func ExampleClient_At() {
	client, end := startExample()
	defer end()

	handle := func(user string) {
		flags := client.At() // every answer below is of one version
		ec := wigwag.NewContext(user, wigwag.String("plan", "pro"))
		fmt.Println(flags.Bool("new-checkout", false, ec), flags.Object("checkout-button", wigwag.Value{}, ec), flags.Position().Version)
	}
	handle("user-42")
	// Output: true {"label":"Buy now","color":"green"} 1
}

func ExampleClient_OnChange() {
	server := exampleServer()
	defer server.Close()
	client, err := wigwag.New("sk_example", wigwag.WithURL(server.URL), wigwag.WithMode(wigwag.ModePolling))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()

	seen := make(chan wigwag.Change, 1)
	remove := client.OnChange(func(change wigwag.Change) { seen <- change })
	defer remove()
	if err := client.Start(context.Background()); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println((<-seen).Keys)
	// Output: [checkout-button new-checkout]
}

func ExampleWithPollInterval() {
	_, err := wigwag.New("sk_example", wigwag.WithPollInterval(60))
	fmt.Println(err)
	// Output:
	// wigwag: WithPollInterval: 60ns is too short to be meant; a time.Duration counts nanoseconds, so write 60*time.Second, or wigwag.Never to switch it off
}

func ExampleWithBootstrap() {
	saved := newSnapshot(7, `{"key":"new-checkout","type":"boolean","variants":{"on":true,"off":false},"state":"ENABLED","offVariant":"off","default":{"variant":"on"}}`).AppendJSON(nil)

	client, err := wigwag.New("sk_example", wigwag.WithBootstrap(saved))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()
	d := client.BoolDetails("new-checkout", false, wigwag.NewContext("user-42"))
	fmt.Println(d.Value, d.Reason, client.Status())
	// Output: true STALE STALE
}

// newSnapshot returns a snapshot of flags in the form in which servers send them.
func newSnapshot(version uint64, flags ...string) *snapshot.Snapshot {
	items := make([]*snapshot.Item, len(flags))
	for i, body := range flags {
		items[i] = mustItem(body)
	}
	header := snapshot.Header{Project: "default", Environment: "production", Projection: snapshot.ProjectionServer}
	position := snapshot.Position{Epoch: "01995000-0000-7000-8000-000000000000", Version: version}
	created := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC).Add(time.Duration(version) * time.Second)
	return snapshot.New(header, position, created, items)
}
