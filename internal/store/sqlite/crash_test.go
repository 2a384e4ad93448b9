package sqlite

import (
	"bufio"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/wigwag/wigwag/internal/store"
	"github.com/wigwag/wigwag/snapshot"
)

// crashEnv names the database that the test binary writes to, when it runs as the
// process that is to be killed.
const crashEnv = "WIGWAG_TEST_CRASH_DATABASE"

var crashSets = []store.SetID{{Project: "p", Environment: "a"}, {Project: "p", Environment: "b"}}

// writeUntilKilled commits without end and prints every commit that was
// acknowledged: the set's number, its version, and the digest of the item that
// every commit puts.
func writeUntilKilled(path string) int {
	ctx := context.Background()
	st, err := Open(ctx, path)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	for {
		var acknowledged string
		err := st.Update(ctx, func(tx store.Tx) (err error) {
			acknowledged, err = randomCommits(ctx, tx)
			return err
		})
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		if _, err := os.Stdout.WriteString(acknowledged); err != nil {
			return 1 // the parent is gone
		}
	}
}

// randomCommits writes to one of the sets or to both.
func randomCommits(ctx context.Context, tx store.Tx) (acknowledged string, err error) {
	which := rand.IntN(3)
	for i, id := range crashSets {
		if which == 1-i {
			continue
		}
		marker := store.Item{Ref: snapshot.Ref{Kind: "flag", Key: "marker"}, Body: fmt.Appendf(nil, `{"n":%d}`, rand.Uint64())}
		c := store.Commit{Actor: "writer", Put: []store.Item{marker}}
		for _, key := range rand.Perm(20)[:rand.IntN(3)] {
			ref := snapshot.Ref{Kind: "flag", Key: fmt.Sprint(key)}
			switch rand.IntN(4) {
			case 0:
				c.Delete = append(c.Delete, ref)
			case 1: // a body of several pages
				c.Put = append(c.Put, store.Item{Ref: ref, Body: fmt.Appendf(nil, "%0*d", 4000+rand.IntN(9000), rand.Uint64())})
			default:
				c.Put = append(c.Put, store.Item{Ref: ref, Body: fmt.Append(nil, rand.Uint64())})
			}
		}
		position, err := tx.Commit(ctx, id, c)
		if err != nil {
			return "", err
		}
		written, err := tx.Item(ctx, id, marker.Ref)
		if err != nil {
			return "", err
		}
		acknowledged += fmt.Sprintf("%d %d %s\n", i, position.Version, written.Digest)
	}
	return acknowledged, nil
}

// TestCrash kills a process that commits, again and again, and checks each time
// that the database holds all that was acknowledged, and nothing by halves.
func TestCrash(t *testing.T) {
	path := filepath.Join(t.TempDir(), "wigwag.db")
	func() {
		st, err := Open(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		defer st.Close() //nolint:errcheck // what follows would fail
		err = st.Update(t.Context(), func(tx store.Tx) error {
			for _, id := range crashSets {
				if err := tx.CreateSet(t.Context(), id); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}()

	acknowledged := make([]map[uint64]string, len(crashSets))
	for i := range acknowledged {
		acknowledged[i] = make(map[uint64]string)
	}
	budget := 8 * time.Second
	if testing.Short() {
		budget = 2 * time.Second
	}
	begin, rounds := time.Now(), 0
	for ; rounds < 3 || time.Since(begin) < budget; rounds++ {
		writeAndKill(t, path, acknowledged)
		checkAfterCrash(t, path, acknowledged)
	}
	t.Logf("%d rounds, %d commits acknowledged", rounds, len(acknowledged[0])+len(acknowledged[1]))
}

func writeAndKill(t *testing.T, path string, acknowledged []map[uint64]string) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), crashEnv+"="+path)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	// The moment is counted from the first commit, wherever in the next it falls.
	var kill *time.Timer
	count := 0
	for lines := bufio.NewScanner(out); lines.Scan(); count++ {
		if kill == nil {
			kill = time.AfterFunc(time.Duration(rand.Int64N(int64(time.Second))), func() {
				_ = cmd.Process.Kill() // fails only where the process has ended by itself, which Wait tells
			})
		}
		var set int
		var version uint64
		var sum string
		if n, err := fmt.Sscanf(lines.Text(), "%d %d %64s", &set, &version, &sum); n != 3 {
			t.Fatalf("the writer printed %q: %v", lines.Text(), err)
		}
		if was, twice := acknowledged[set][version]; twice {
			t.Errorf("version %d was acknowledged twice, as %s and %s", version, was, sum)
		}
		acknowledged[set][version] = sum
	}
	err = cmd.Wait()
	if count == 0 || cmd.ProcessState.Exited() {
		t.Fatalf("the writer ended by itself after %d lines: %v", count, err)
	}
}

// checkAfterCrash opens the database and checks it against itself and against
// what was acknowledged.
func checkAfterCrash(t *testing.T, path string, acknowledged []map[uint64]string) {
	t.Helper()
	ctx := t.Context()
	st, err := Open(ctx, path)
	if err != nil {
		t.Fatalf("open after a crash: %v", err)
	}
	defer func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	}()
	var verdict string
	if err := st.pool.QueryRowContext(ctx, "PRAGMA integrity_check").Scan(&verdict); err != nil || verdict != "ok" {
		t.Fatalf("integrity check: %s, %v", verdict, err)
	}
	for i, id := range crashSets {
		set, err := st.Set(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		changes, err := st.Changes(ctx, id, 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		if uint64(len(changes)) != set.Position.Version {
			t.Fatalf("%s is at %d with %d changes", id, set.Position.Version, len(changes))
		}
		items := map[snapshot.Ref]store.Item{}
		for n, change := range changes {
			version := uint64(n + 1)
			at := slices.IndexFunc(change.Put, func(item store.Item) bool { return item.Key == "marker" })
			if change.Version != version || at < 0 {
				t.Fatalf("%s: change %d is %d, marker at %d", id, version, change.Version, at)
			}
			if sum, ok := acknowledged[i][version]; ok && sum != change.Put[at].Digest.String() {
				t.Fatalf("%s: version %d was acknowledged as %s, is %s", id, version, sum, change.Put[at].Digest)
			}
			for _, item := range change.Put {
				items[item.Ref] = item
			}
			for _, ref := range change.Delete {
				delete(items, ref)
			}
		}
		if n := len(acknowledged[i]); n > 0 {
			if last := slices.Max(slices.Collect(maps.Keys(acknowledged[i]))); last > set.Position.Version {
				t.Fatalf("%s is at %d, though %d was acknowledged", id, set.Position.Version, last)
			}
		}
		got, err := st.Items(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != len(items) {
			t.Fatalf("%s holds %d items, its history leads to %d", id, len(got), len(items))
		}
		for _, item := range got {
			want := items[item.Ref]
			if item.Version != want.Version || item.Digest != want.Digest || string(item.Body) != string(want.Body) {
				t.Fatalf("%s: item %s is not what its history leads to", id, item.Ref)
			}
		}
	}
}
