package httpapi_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wigwag/wigwag/internal/httpapi"
)

// listAnswer is any list.
type listAnswer struct {
	Position string
	Items    []map[string]any
	Next     string
}

func (l *listAnswer) keys() string {
	var keys []string
	for _, item := range l.Items {
		keys = append(keys, fmt.Sprint(item["key"]))
	}
	return strings.Join(keys, " ")
}

func (s *service) list(path string) (listAnswer, http.Header) {
	s.t.Helper()
	resp := s.must("GET", path, "")
	var answer listAnswer
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		s.t.Fatal(err)
	}
	return answer, resp.Header
}

// Every list is read page by page, by its cursor and by its links alike.
func TestPages(t *testing.T) {
	s := shop(t)
	for _, key := range []string{"a", "b.c", "d-e"} {
		s.must("POST", "/projects", `{"key":"p`+key[:1]+`"}`)
		s.must("POST", "/projects/shop/environments", `{"key":"e`+key[:1]+`"}`)
		s.must("POST", "/projects/shop/flags", `{"key":"`+key+`","type":"boolean"}`)
		s.must("POST", production+"/segments", `{"key":"`+key+`"}`)
	}
	for path, want := range map[string]string{
		"/projects":                   "pa pb pd shop",
		"/projects/shop/flags":        "a b.c d-e new-checkout payments-v2",
		production + "/flags":         "a b.c d-e new-checkout payments-v2",
		production + "/segments":      "a b.c d-e eu-beta",
		"/projects/shop/environments": "ea eb ed production staging",
	} {
		t.Run(path, func(t *testing.T) {
			whole, header := s.list(path)
			if whole.keys() != want || whole.Next != "" || header.Get("Link") != "" {
				t.Errorf("%q, next %q, link %q; want %q", whole.keys(), whole.Next, header.Get("Link"), want)
			}
			if (whole.Position == "") != (path == "/projects") {
				t.Errorf("position is %q", whole.Position)
			}
			var byCursor, byLink []map[string]any
			for next := path + "?limit=2"; next != ""; {
				page, header := s.list(next)
				byCursor = append(byCursor, page.Items...)
				if len(page.Items) > 2 || page.Position != whole.Position {
					t.Fatalf("page %+v", page)
				}
				link := header.Get("Link")
				if (page.Next == "") != (link == "") {
					t.Fatalf("next is %q and the link %q", page.Next, link)
				}
				next = ""
				if page.Next != "" {
					next = path + "?limit=2&cursor=" + page.Next
				}
			}
			for next := path + "?x=1&limit=2"; next != ""; {
				page, header := s.list(next)
				byLink = append(byLink, page.Items...)
				link := header.Get("Link")
				address, _, _ := strings.Cut(strings.TrimPrefix(link, "<"+httpapi.Base), ">")
				if next = address; link != "" && !strings.HasSuffix(link, `>; rel="next"`) {
					t.Fatalf("link is %q", link)
				}
			}
			if diff := cmp.Diff(whole.Items, byCursor) + cmp.Diff(whole.Items, byLink); diff != "" {
				t.Errorf("pages are not the whole:\n%s", diff)
			}
		})
	}
}

func TestFilters(t *testing.T) {
	s := shop(t)
	s.must("PATCH", "/projects/shop/flags/payments-v2", `{"owner":"pay & co","tags":["web","old one"],"description":"Cards"}`)
	s.must("PATCH", "/projects/shop/flags/new-checkout", `{"tags":["web"],"clientVisible":true}`)
	for query, want := range map[string]string{
		"?tag=web":                 "new-checkout payments-v2",
		"?tag=web&tag=old+one":     "payments-v2",
		"?owner=pay+%26+co":        "payments-v2",
		"?q=CARD":                  "payments-v2",
		"?type=string":             "",
		"?type=boolean":            "new-checkout payments-v2",
		"?clientVisible=true":      "new-checkout",
		"?clientVisible=false":     "payments-v2",
		"?clientVisible=false&q=c": "payments-v2",
	} {
		for _, path := range []string{"/projects/shop/flags", production + "/flags"} {
			if list, _ := s.list(path + query); list.keys() != want || list.Position == "" {
				t.Errorf("%s%s: %q at %q, want %q", path, query, list.keys(), list.Position, want)
			}
		}
	}
	if list, _ := s.list(production + "/flags?state=ENABLED"); list.keys() != "new-checkout" {
		t.Errorf("enabled are %q", list.keys())
	}
	if list, _ := s.list("/projects?q=WEB"); list.keys() != "shop" {
		t.Errorf("projects are %q", list.keys())
	}
	if list, _ := s.list("/projects/shop/environments?q=ing"); list.keys() != "staging" {
		t.Errorf("environments are %q", list.keys())
	}
	if list, _ := s.list(production + "/segments?q=beta"); list.keys() != "eu-beta" {
		t.Errorf("segments are %q", list.keys())
	}
	// A page of a filtered list goes on with the filter.
	page, header := s.list(production + "/flags?tag=web&limit=1")
	if page.keys() != "new-checkout" || !strings.Contains(header.Get("Link"), "tag=web") {
		t.Errorf("%q, %q", page.keys(), header.Get("Link"))
	}
	if page, _ = s.list(production + "/flags?tag=web&limit=1&cursor=" + page.Next); page.keys() != "payments-v2" {
		t.Errorf("second page is %q", page.keys())
	}
}

func TestFields(t *testing.T) {
	s := shop(t)
	raw := func(path string) string {
		t.Helper()
		text, err := io.ReadAll(s.must("GET", path, "").Body)
		if err != nil {
			t.Fatal(err)
		}
		_, items, _ := strings.Cut(string(text), `"items":`)
		return items
	}
	if got := raw(production + "/flags?fields=state,type"); got != `[{"key":"new-checkout","state":"ENABLED","type":"boolean"},{"key":"payments-v2","state":"DISABLED","type":"boolean"}]}` {
		t.Error(got)
	}
	if got := raw(production + "/flags?fields=key&limit=1"); !strings.HasPrefix(got, `[{"key":"new-checkout"}],"next":"`) {
		t.Error(got)
	}
	if got := raw("/projects/shop/flags?fields=variants,variants,key"); got != `[{"key":"new-checkout","variants":{"on":true,"off":false}},{"key":"payments-v2","variants":{"on":true,"off":false}}]}` {
		t.Error(got)
	}
	if got := raw("/projects?fields=name"); got != `[{"key":"shop","name":"Web shop"}]}` {
		t.Error(got)
	}
	if got := raw("/projects/shop/environments?fields=name"); got != `[{"key":"production"},{"key":"staging","name":"Staging"}]}` {
		t.Error(got) // what is not there is left out
	}
	if got := raw(production + "/segments?fields=included"); got != `[{"key":"eu-beta","included":["user-42"]}]}` {
		t.Error(got)
	}
	// Without fields, what is listed is what is read.
	for _, path := range []string{"/projects/shop/flags", production + "/flags", production + "/segments"} {
		list, _ := s.list(path)
		for _, item := range list.Items {
			var one map[string]any
			if err := json.NewDecoder(s.must("GET", path+"/"+fmt.Sprint(item["key"]), "").Body).Decode(&one); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(one, item); diff != "" {
				t.Errorf("%s lists another %s than it has:\n%s", path, item["key"], diff)
			}
		}
	}
}

func TestListRefusals(t *testing.T) {
	s := shop(t)
	for query, field := range map[string]string{
		"?limit=0":               "limit",
		"?limit=1001":            "limit",
		"?limit=many":            "limit",
		"?cursor=%21":            "cursor",
		"?cursor=MW5l%3D":        "cursor",
		"?cursor=bm8":            "cursor", // of no known form
		"?cursor=MS4uL2E":        "cursor", // of no key
		"?fields=colour":         "fields",
		"?fields=state,%22":      "fields",
		"?clientVisible=maybe":   "clientVisible",
		"?type=text":             "type",
		"?state=on":              "state",
		"?limit=1&limit=2":       "limit",
		"?cursor=MWE&cursor=MWI": "cursor",
	} {
		ctx := context.WithValue(context.Background(), wrongOnPurpose{}, true)
		resp := s.send(ctx, "GET", production+"/flags"+query, "")
		var problem struct{ Errors []struct{ Field string } }
		if err := json.NewDecoder(resp.Body).Decode(&problem); err != nil {
			t.Fatal(err)
		}
		named := slices.ContainsFunc(problem.Errors, func(e struct{ Field string }) bool { return e.Field == field })
		if resp.StatusCode != http.StatusBadRequest || !named {
			t.Errorf("%s: status %d, %+v; want %s", query, resp.StatusCode, problem, field)
		}
	}
}
