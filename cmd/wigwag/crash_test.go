package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

const (
	crashToken   = "tk_crash-test-0123456789"
	crashWriters = 8
	crashFlags   = "/api/v1/projects/default/environments/production/flags/"
)

// acknowledged is a write that the server said it made.
type acknowledged struct {
	position, flag string
}

// TestKilledServerKeepsWhatItAcknowledged kills a server amid writes, several
// times over, and reads its history after each start: every write that was
// acknowledged is there, at its position, and no position is left out.
func TestKilledServerKeepsWhatItAcknowledged(t *testing.T) {
	dir := t.TempDir()
	client := &http.Client{Timeout: patience, Transport: &http.Transport{MaxIdleConnsPerHost: crashWriters}}
	defer client.CloseIdleConnections()
	api := &crashAPI{client: client}

	var writes []acknowledged
	deadline := time.Now().Add(8 * time.Second)
	rounds := 0
	for ; rounds < 10 && (rounds < 3 || time.Now().Before(deadline)); rounds++ {
		server := startCrash(t, dir)
		var err error
		if api.url, err = server.url(); err != nil {
			t.Fatal(err)
		}
		if rounds == 0 {
			for i := range crashWriters {
				body := fmt.Sprintf(`{"key":%q,"type":"boolean"}`, crashFlag(i))
				if _, err := api.do(t.Context(), http.MethodPost, "/api/v1/projects/default/flags", body); err != nil {
					t.Fatal(err)
				}
			}
		}
		api.check(t, writes)
		// Another number each round, so that the kill meets the database in many states.
		writes = append(writes, api.writeUntilKilled(t, server, 150+37*rounds)...)
	}
	last := startCrash(t, dir)
	var err error
	if api.url, err = last.url(); err != nil {
		t.Fatal(err)
	}
	api.check(t, writes)
	if err := last.stop(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d rounds, %d acknowledged writes", rounds, len(writes))
}

func crashFlag(i int) string { return "flag-" + strconv.Itoa(i) }

func startCrash(t *testing.T, dir string) *process {
	t.Helper()
	env := append(os.Environ(), "WIGWAG_BOOTSTRAP_TOKEN="+crashToken)
	p, err := start(dir, env, "serve", "--addr", "127.0.0.1:0", "--ops-addr", "off", "--log-level", "error")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	return p
}

// crashAPI is the API of the server that runs now.
type crashAPI struct {
	client *http.Client
	url    string
}

func (a *crashAPI) do(ctx context.Context, method, path, body string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, a.url+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+crashToken)
	request.Header.Set("Content-Type", "application/json")
	response, err := a.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	if response.StatusCode >= 300 {
		return nil, fmt.Errorf("%s %s: %s\n%s", method, path, response.Status, answer)
	}
	return answer, nil
}

// writeUntilKilled lets every writer toggle a flag of its own, kills the server
// once so many writes were acknowledged, and returns those that were.
func (a *crashAPI) writeUntilKilled(t *testing.T, server *process, kill int) []acknowledged {
	t.Helper()
	var (
		count  atomic.Int64
		reach  = make(chan struct{})
		writes [crashWriters][]acknowledged
		group  sync.WaitGroup
	)
	for i := range crashWriters {
		group.Go(func() {
			for n := 0; ; n++ {
				// Each write changes something, else it would be no commit.
				body := fmt.Sprintf(`{"overrides":[{"variant":"on","targetingKeys":["%d-%d"]}]}`, kill, n)
				answer, err := a.do(t.Context(), http.MethodPatch, crashFlags+crashFlag(i), body)
				if err != nil {
					select {
					case <-reach: // the kill is why
					default:
						t.Error(err)
						server.kill()
					}
					return
				}
				var written struct{ Position string }
				if err := json.Unmarshal(answer, &written); err != nil {
					t.Errorf("%v: %s", err, answer)
					return
				}
				writes[i] = append(writes[i], acknowledged{written.Position, crashFlag(i)})
				if int(count.Add(1)) == kill {
					close(reach)
					_ = server.cmd.Process.Kill() // whether it worked is seen below
				}
			}
		})
	}
	group.Wait()
	<-server.ended
	if t.Failed() {
		t.FailNow()
	}
	if status, ok := server.state.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGKILL {
		t.Fatalf("the server ended by itself: %s", server.state)
	}
	var all []acknowledged
	for i := range writes {
		all = append(all, writes[i]...)
	}
	return all
}

// check reads the whole history and wants every acknowledged write in it.
func (a *crashAPI) check(t *testing.T, writes []acknowledged) {
	t.Helper()
	flags := map[string][]string{}
	for after, version := "", 1; ; {
		path := strings.TrimSuffix(crashFlags, "flags/") + "changes?limit=1000"
		if after != "" {
			path += "&after=" + after
		}
		answer, err := a.do(t.Context(), http.MethodGet, path, "")
		if err != nil {
			t.Fatal(err)
		}
		var page struct {
			Changes []struct {
				Position string
				Flags    []string
			}
			Next string
		}
		if err := json.Unmarshal(answer, &page); err != nil {
			t.Fatal(err)
		}
		if len(page.Changes) == 0 {
			break
		}
		for _, change := range page.Changes {
			if _, number, _ := strings.Cut(change.Position, ":"); number != strconv.Itoa(version) {
				t.Fatalf("position %s stands where version %d should", change.Position, version)
			}
			flags[change.Position] = change.Flags
			version++
		}
		after = page.Next
	}
	seen := map[string]bool{}
	for _, w := range writes {
		if seen[w.position] {
			t.Fatalf("position %s was acknowledged twice", w.position)
		}
		seen[w.position] = true
		if got := flags[w.position]; len(got) != 1 || got[0] != w.flag {
			t.Fatalf("the write of %s at %s was acknowledged; the history has %v there", w.flag, w.position, got)
		}
	}
}
