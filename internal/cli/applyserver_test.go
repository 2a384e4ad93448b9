package cli

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wigwag/wigwag/internal/auth"
	"github.com/wigwag/wigwag/internal/control"
	"github.com/wigwag/wigwag/internal/httpapi"
	"github.com/wigwag/wigwag/internal/store"
	"github.com/wigwag/wigwag/internal/store/sqlite"
	"github.com/wigwag/wigwag/snapshot"
)

// codeServer is a server with a project of some environments, for commands that
// take its address.
type codeServer struct {
	t       *testing.T
	url     string
	store   store.Store
	control *control.Control
	// before, unless nil, is called before a request is handled.
	before func(r *http.Request)
}

const codeProject = "shop"

func startCodeServer(t *testing.T, environments ...string) *codeServer {
	t.Helper()
	home := t.TempDir() // contexts of whoever runs the tests do not count
	t.Setenv("HOME", home)
	t.Setenv("XDG_CONFIG_HOME", home)
	t.Setenv("WIGWAG_TOKEN", "tk_test")
	st, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "wigwag.db"))
	if err != nil {
		t.Fatal(err)
	}
	s := &codeServer{t: t, store: st, control: control.New(st)}
	handler := httpapi.New(s.control, func(*http.Request) (auth.Caller, error) {
		return auth.Caller{Actor: "test", Scope: auth.ScopeAdmin}, nil
	})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.before != nil {
			s.before(r)
		}
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		server.Close()
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	s.url = server.URL
	if _, err := s.control.CreateProject(t.Context(), control.Write{}, control.Project{Key: codeProject}); err != nil {
		t.Fatal(err)
	}
	for _, key := range environments {
		if _, err := s.control.CreateEnvironment(t.Context(), control.Write{}, codeProject, control.Environment{Key: key}); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// run runs a command against the server and returns what it prints.
func (s *codeServer) run(arguments ...string) (out, problems string, code int) {
	s.t.Helper()
	var stdout, stderr bytes.Buffer
	code = Main(append(append([]string{"wigwag"}, arguments...), "--url", s.url, "--project", codeProject), &stdout, &stderr)
	return stdout.String(), stderr.String(), code
}

// must runs a command that succeeds.
func (s *codeServer) must(arguments ...string) string {
	s.t.Helper()
	out, problems, code := s.run(arguments...)
	if code != exitOK {
		s.t.Fatalf("wigwag %s: exit code %d\n%s%s", strings.Join(arguments, " "), code, out, problems)
	}
	return out
}

// refused runs a command that fails, and returns what it says of that.
func (s *codeServer) refused(arguments ...string) string {
	s.t.Helper()
	out, problems, code := s.run(arguments...)
	if code != exitFailure {
		s.t.Fatalf("wigwag %s: exit code %d\n%s%s", strings.Join(arguments, " "), code, out, problems)
	}
	return problems
}

// digests returns the set digest of each environment.
func (s *codeServer) digests() map[string]snapshot.Digest {
	s.t.Helper()
	digests := map[string]snapshot.Digest{}
	for id := range s.versions() {
		if id.IsCatalogue() {
			continue
		}
		stored, err := s.store.Items(s.t.Context(), id, snapshot.KindFlag, snapshot.KindSegment, snapshot.KindKeys)
		if err != nil {
			s.t.Fatal(err)
		}
		items := make([]*snapshot.Item, len(stored))
		for i := range stored {
			if items[i], err = snapshot.NewItem(stored[i].Ref, stored[i].Body); err != nil {
				s.t.Fatal(err)
			}
		}
		digests[id.Environment] = snapshot.New(snapshot.Header{}, snapshot.Position{}, time.Time{}, items).Digest
	}
	return digests
}

// versions returns the version of each set.
func (s *codeServer) versions() map[store.SetID]uint64 {
	s.t.Helper()
	sets, err := s.store.Sets(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	versions := map[store.SetID]uint64{}
	for _, set := range sets {
		versions[set.ID] = set.Position.Version
	}
	return versions
}

// file writes a flags file and returns its name.
func (s *codeServer) file(name, text string) string {
	s.t.Helper()
	path := filepath.Join(s.t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return path
}

// manyFlags returns a file of so many flags, each other one with rules, splits,
// prerequisites and segments, in some environments.
func manyFlags(n int, environments ...string) string {
	var b strings.Builder
	b.WriteString("flags:\n")
	for i := range n {
		fmt.Fprintf(&b, "  flag-%05d:\n    type: boolean\n    description: The %dth flag.\n    owner: team-%d\n    environments:\n", i, i, i%7)
		for _, environment := range environments {
			fmt.Fprintf(&b, "      %s:\n        state: ENABLED\n", environment)
			if i%2 == 0 {
				continue
			}
			fmt.Fprintf(&b, "        prerequisites: [{flag: flag-%05d, variants: [on]}]\n", i-1)
			fmt.Fprintf(&b, "        overrides: [{variant: on, targetingKeys: [user-%d, user-%d]}]\n", i, i+1)
			b.WriteString("        rules:\n          - when: {segment: beta}\n            serve: {variant: on}\n")
			b.WriteString("          - when: {attribute: plan, op: in, values: [pro]}\n            serve: {split: {weights: [[on, 25000], [off, 75000]]}}\n")
			b.WriteString("        default: {variant: off}\n")
		}
	}
	b.WriteString("segments:\n  beta:\n    environments:\n")
	for _, environment := range environments {
		fmt.Fprintf(&b, "      %s:\n        included:\n", environment)
		for i := range 1500 { // kept in shards
			fmt.Fprintf(&b, "          - tester-%d\n", i)
		}
	}
	return b.String()
}

// beforeWrite runs something once, before the next request that writes.
func (s *codeServer) beforeWrite(something func()) {
	done := false
	s.before = func(r *http.Request) {
		if r.Method != http.MethodGet && !done {
			done = true
			something()
		}
	}
}
