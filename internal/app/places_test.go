package app_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/wigwag/wigwag/internal/app"
	"github.com/wigwag/wigwag/internal/control"
	"github.com/wigwag/wigwag/internal/sse"
)

// answers returns the status that a path answers a key with.
func answers(t *testing.T, server *app.Server, path, key string) int {
	t.Helper()
	response := ask(t, server, path, key)
	_ = response.Body.Close()
	return response.StatusCode
}

func ask(t *testing.T, server *app.Server, path, key string) *http.Response {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL()+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+key)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	return response
}

// eventually asks until a path answers a key with a status.
func eventually(t *testing.T, server *app.Server, path, key string, status int) {
	t.Helper()
	for begin := time.Now(); ; {
		got := answers(t, server, path, key)
		if got == status {
			return
		}
		if time.Since(begin) > long {
			t.Fatalf("%s answers %d, want %d", path, got, status)
		}
	}
}

// Users would miss: that a program which reads an environment learns at once that
// it was closed or deleted, and is never given what comes after it.
func TestReadersOfAClosedEnvironmentAreEnded(t *testing.T) {
	server := demo(t)
	defer http.DefaultClient.CloseIdleConnections()
	ctx, c := t.Context(), server.Control()
	const key, project, environment = app.DevServerKey, "default", "development"
	archive := func() error { _, err := c.ArchiveEnvironment(ctx, operator, project, environment); return err }
	restore := func() error { _, err := c.RestoreEnvironment(ctx, operator, project, environment); return err }
	streaming := func(patch string) func() error {
		return func() error {
			_, err := c.PatchEnvironment(ctx, operator, project, environment, []byte(patch))
			return err
		}
	}
	wait := func(status int) {
		t.Helper()
		eventually(t, server, "/sdk/v1/stream", key, status)
	}
	for _, step := range []struct {
		reasons          []string
		end              func() error
		snapshot, stream int
		mend             func() error
	}{
		{[]string{"streaming-off"}, streaming(`{"streaming":false}`), 200, 409, streaming(`{"streaming":null}`)},
		{
			[]string{"archived"},
			func() error { _, err := c.ArchiveProject(ctx, operator, project); return err }, 403, 403,
			func() error { _, err := c.RestoreProject(ctx, operator, project); return err },
		},
		{[]string{"archived"}, archive, 403, 403, restore},
		// Its keys go with it: which of both is noticed first does not matter.
		{[]string{"archived", "deleted", "key-revoked"}, func() error {
			if err := archive(); err != nil {
				return err
			}
			_, err := c.DeleteEnvironment(ctx, operator, project, environment, environment)
			return err
		}, 401, 401, nil},
	} {
		response := ask(t, server, "/sdk/v1/stream", key)
		if response.StatusCode != http.StatusOK {
			t.Fatalf("the stream answers %s", response.Status)
		}
		events := sse.NewReader(response.Body, 0, 0)
		first, ended := false, ""
		for {
			event, err := events.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if event.Kind != sse.KindEvent {
				continue
			}
			if !first {
				first = true
				if err := step.end(); err != nil {
					t.Fatal(err)
				}
				continue
			}
			if event.Name != "goodbye" {
				t.Fatalf("after %v comes %s", step.reasons, event.Name)
			}
			var goodbye struct{ Reason string }
			if err := json.Unmarshal(event.Data, &goodbye); err != nil {
				t.Fatal(err)
			}
			ended = goodbye.Reason
		}
		_ = response.Body.Close()
		if !slices.Contains(step.reasons, ended) {
			t.Errorf("it ended with %q, want one of %q", ended, step.reasons)
		}
		wait(step.stream)
		if got := answers(t, server, "/sdk/v1/snapshot", key); got != step.snapshot {
			t.Errorf("after %s the snapshot answers %d, want %d", ended, got, step.snapshot)
		}
		if step.mend != nil {
			if err := step.mend(); err != nil {
				t.Fatal(err)
			}
			wait(http.StatusOK)
		}
	}
	// An environment of the same key has other keys.
	if _, err := c.CreateEnvironment(ctx, operator, project, control.Environment{Key: environment}); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/sdk/v1/snapshot", "/sdk/v1/stream"} {
		if got := answers(t, server, path, key); got != http.StatusUnauthorized {
			t.Errorf("%s of the new environment answers a key of the old one with %d", path, got)
		}
	}
}
