package cli

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/wigwag/wigwag/internal/gen"
)

// paged is a server of a list of projects p1, p2 … in pages of at most 1000.
func paged(t *testing.T, count int) (*Remote, *[]string) {
	t.Helper()
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.RawQuery)
		limit, _ := strconv.Atoi(r.URL.Query().Get("limit"))
		from, _ := strconv.Atoi(r.URL.Query().Get("cursor"))
		limit = min(limit, 1000, count-from)
		var items []string
		for i := range limit {
			items = append(items, fmt.Sprintf(`{"key":"p%d","name":"<&>"}`, from+i+1))
		}
		next := ""
		if from+limit < count {
			next = fmt.Sprintf(`,"next":"%d"`, from+limit)
		}
		fmt.Fprintf(w, `{"position":"at:%d","items":[%s]%s}`, from, strings.Join(items, ","), next)
	}))
	t.Cleanup(server.Close)
	return &Remote{Target: Target{Address: Address{URL: server.URL}, Token: "tk_given", Project: "default"}, Output: Output{"json"}}, &asked
}

func TestListsAreReadToTheirEnd(t *testing.T) {
	for _, test := range []struct{ count, limit, items, requests int }{
		{0, 0, 0, 1},
		{3, 0, 3, 1},
		{1000, 0, 1000, 1},
		{2500, 0, 2500, 3},
		{2500, 7, 7, 1},
		{2500, 1000, 1000, 1},
		{2500, 1500, 1500, 2},
		{2500, 9000, 2500, 3},
	} {
		remote, asked := paged(t, test.count)
		var projects []gen.Project
		pages := Pages{Limit: test.limit}
		body, err := pages.list(t.Context(), remote, &projects, func(client *gen.Client, limit int, cursor string) (*http.Response, error) {
			return client.ListProjects(t.Context(), &gen.ListProjectsParams{Limit: &limit, Cursor: optional(cursor)})
		})
		if err != nil {
			t.Fatal(err)
		}
		if len(projects) != test.items || len(*asked) != test.requests {
			t.Errorf("%+v: %d items with %q", test, len(projects), *asked)
		}
		for i := range projects {
			if projects[i].Key != fmt.Sprintf("p%d", i+1) {
				t.Fatalf("%+v: item %d is %s", test, i, projects[i].Key)
			}
		}
		text := string(body)
		if !strings.HasPrefix(text, `{"position":"at:0","items":[`) || strings.Contains(text, `"next"`) != (test.items < test.count) ||
			strings.Count(text, `"<&>"`) != test.items {
			t.Errorf("%+v: prints %.60s…%s", test, text, text[max(0, len(text)-60):])
		}
	}
}

// A server that never ends must not keep a program for ever.
func TestListsThatNeverEnd(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"items":[],"next":"again"}`)
	}))
	t.Cleanup(server.Close)
	remote := &Remote{Target: Target{Address: Address{URL: server.URL}, Token: "tk_given"}}
	var projects []gen.Project
	_, err := new(Pages).list(t.Context(), remote, &projects, func(client *gen.Client, limit int, cursor string) (*http.Response, error) {
		return client.ListProjects(t.Context(), &gen.ListProjectsParams{Cursor: optional(cursor)})
	})
	if err == nil || !strings.Contains(err.Error(), "again and again") {
		t.Errorf("error is %v", err)
	}
}
