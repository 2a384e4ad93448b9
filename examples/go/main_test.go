package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/wigwag/wigwag/internal/sse"
	"github.com/wigwag/wigwag/snapshot"
)

func version(t *testing.T, number uint64, variant string) *snapshot.Snapshot {
	t.Helper()
	body := `{"key":"new-checkout","type":"boolean","variants":{"on":true,"off":false},"state":"ENABLED","offVariant":"off","rules":[{"id":"pro-plans","when":{"attribute":"plan","op":"in","values":["pro"]},"serve":{"variant":"` + variant + `"}}],"default":{"variant":"off"}}`
	item, err := snapshot.NewItem(snapshot.Ref{Kind: snapshot.KindFlag, Key: "new-checkout"}, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	header := snapshot.Header{Project: "default", Environment: "production", Projection: snapshot.ProjectionServer}
	return snapshot.New(header, snapshot.Position{Epoch: "e", Version: number}, time.Unix(1, 0), []*snapshot.Item{item})
}

// The example is what people start from: it must show a change, and survive flags
// that do not exist.
func TestWatchPrintsAndMarksWhatChanged(t *testing.T) {
	first, second := version(t, 1, "on"), version(t, 2, "off")
	change := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/sdk/v1/snapshot" {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write(first.AppendJSON(nil))
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		w.WriteHeader(http.StatusOK)
		_ = http.NewResponseController(w).Flush()
		select {
		case <-change:
		case <-r.Context().Done():
			return
		}
		_, _ = w.Write(sse.AppendEvent(nil, "delta", second.Position.String(), snapshot.Diff(first, second).AppendJSON(nil)))
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}))
	defer server.Close()

	ctx, stop := context.WithTimeout(t.Context(), 30*time.Second)
	defer stop()
	out, printed := io.Pipe()
	result := make(chan error, 1)
	go func() {
		result <- watch(ctx, printed, server.URL, "sk_dev")
		_ = printed.Close()
	}()
	lines := bufio.NewScanner(out)
	find := func(want string) {
		t.Helper()
		for lines.Scan() {
			if strings.HasPrefix(strings.Join(strings.Fields(lines.Text()), " "), want) {
				return
			}
		}
		t.Fatalf("%q was not printed", want)
	}
	find("new-checkout user-42 true on TARGETING_MATCH pro-plans")
	find("checkout-button user-42 Pay - FLAG_NOT_FOUND -")
	find("new-checkout user-43 false off DEFAULT -")
	find("search-ranking user-45 0 - FLAG_NOT_FOUND -")
	close(change)
	find("* new-checkout user-42 false off TARGETING_MATCH pro-plans")
	find("new-checkout user-43 false off DEFAULT -")
	stop()
	find("bye")
	if err := <-result; err != nil {
		t.Error(err)
	}
}
