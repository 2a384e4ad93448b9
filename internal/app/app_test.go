package app_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/wigwag/wigwag/internal/app"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start runs a server on free ports and returns it with what stops it.
func start(t *testing.T, config app.Config) (server *app.Server, stop func()) {
	t.Helper()
	config.Addr, config.OpsAddr = "127.0.0.1:0", "127.0.0.1:0"
	server, err := app.Open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- server.Run(ctx) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(stop)
	select {
	case <-server.Ready():
	case <-time.After(30 * time.Second):
		t.Fatal("the server is not ready after 30 s")
	}
	return server, stop
}

func call(t *testing.T, method, url, token, body string) (int, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	http.DefaultClient.CloseIdleConnections()
	return response.StatusCode, string(answer)
}

func TestTheDemoShowsEveryReason(t *testing.T) {
	server, _ := start(t, app.Config{Database: "memory:"})
	if err := server.AddDemo(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := server.AddDemo(t.Context()); err != nil {
		t.Fatalf("a second time: %v", err)
	}
	for _, environment := range []string{"development", "production"} {
		status, answer := call(t, http.MethodPost, server.URL()+"/api/v1/projects/default/environments/"+environment+"/evaluate", app.DevToken,
			`{"context":{"targetingKey":"ada","plan":"pro","country":"DE","org":{"id":"acme","seats":120},"ip":"10.1.2.3","app":{"version":"2.1.0"}}}`)
		var evaluated struct {
			Results []struct {
				Flag, Variant, Reason, ErrorCode string
			}
		}
		if err := json.Unmarshal([]byte(answer), &evaluated); err != nil || status != 200 {
			t.Fatalf("%d %s: %v", status, answer, err)
		}
		if len(evaluated.Results) != 12 {
			t.Errorf("%d flags", len(evaluated.Results))
		}
		reasons := map[string]bool{}
		for _, r := range evaluated.Results {
			reasons[r.Reason] = true
			if r.ErrorCode != "" {
				t.Errorf("%s: %s", r.Flag, r.ErrorCode)
			}
		}
		for _, reason := range []string{"STATIC", "DEFAULT", "TARGETING_MATCH", "SPLIT", "DISABLED"} {
			if !reasons[reason] {
				t.Errorf("no flag of the demo is resolved with %s", reason)
			}
		}
	}
}

func TestBootstrap(t *testing.T) {
	path := "sqlite:" + t.TempDir() + "/data/wigwag.db"
	var out strings.Builder
	first, stop := start(t, app.Config{Database: path, Out: &out, BootstrapServerKey: "sk_chosen_by_the_operator"})
	_, token, _ := strings.Cut(out.String(), "tk_")
	token, _, _ = strings.Cut("tk_"+token, "\n")
	if status, answer := call(t, http.MethodGet, first.URL()+"/api/v1/projects/default/environments", token, ""); status != 200 ||
		!strings.Contains(answer, "development") || !strings.Contains(answer, "production") {
		t.Errorf("the token that was shown: %d %s", status, answer)
	}
	if status, answer := call(t, http.MethodGet, first.URL()+"/sdk/v1/snapshot", "sk_chosen_by_the_operator", ""); status != 200 ||
		!strings.Contains(answer, `"environment":"production"`) {
		t.Errorf("the key that was chosen: %d %s", status, answer)
	}
	stop()
	out.Reset()
	second, _ := start(t, app.Config{Database: path, Out: &out})
	if out.Len() > 0 {
		t.Errorf("a database that is not empty is prepared again: %s", out.String())
	}
	if status, _ := call(t, http.MethodGet, second.URL()+"/api/v1/projects", token, ""); status != 200 {
		t.Errorf("after a restart the token is answered %d", status)
	}
}

func TestBootstrapRefusesWeakSecrets(t *testing.T) {
	for _, config := range []app.Config{
		{BootstrapToken: "tk_short"},
		{BootstrapToken: "sk_of_the_wrong_kind_0123456789"},
		{BootstrapServerKey: "no_prefix_0123456789012345"},
	} {
		config.Database, config.Addr, config.OpsAddr = "memory:", "127.0.0.1:0", "off"
		_, err := app.Open(t.Context(), config)
		if err == nil || strings.Contains(err.Error(), "short") || strings.Contains(err.Error(), "0123456789") {
			t.Errorf("%v", err)
		}
	}
}

func TestHealthAndStatus(t *testing.T) {
	server, _ := start(t, app.Config{Database: "memory:", BootstrapToken: "tk_0123456789abcdefghijk", Version: "1.2.3"})
	if err := server.AddDemo(t.Context()); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{"/healthz": "ok", "/readyz": "ready", "/status": `"version": "1.2.3"`} {
		status, answer := call(t, http.MethodGet, server.URL()+path, "", "")
		if status != 200 || !strings.Contains(answer, want) {
			t.Errorf("%s: %d %s", path, status, answer)
		}
		if strings.Contains(answer, "_dev") || strings.Contains(answer, "0123456789abcdef") {
			t.Errorf("%s holds a secret: %s", path, answer)
		}
	}
	status, answer := call(t, http.MethodGet, "http://"+server.OpsAddr()+"/metrics", "", "")
	if status != 200 || !strings.Contains(answer, "wigwag_streams 0") {
		t.Errorf("/metrics: %d", status)
	}
}
