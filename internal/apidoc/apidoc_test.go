package apidoc_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"errors"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/wigwag/wigwag/internal/apidoc"
	"github.com/wigwag/wigwag/internal/web"
)

func get(t *testing.T, h http.Handler, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	web.Observe(slog.New(slog.DiscardHandler), h).ServeHTTP(w, r)
	return w
}

func contract(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../api/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestDocumentIsServedAsItIs(t *testing.T) {
	text := contract(t)
	w := get(t, apidoc.Document(text))
	if w.Code != http.StatusOK || w.Body.String() != text || w.Header().Get("Content-Type") != apidoc.DocumentType {
		t.Errorf("%d, %s, %d bytes", w.Code, w.Header().Get("Content-Type"), w.Body.Len())
	}
}

func TestCachesAreToldWhenNothingChanged(t *testing.T) {
	for name, make := range map[string]func(string) http.Handler{"document": apidoc.Document, "page": apidoc.Page} {
		text := contract(t)
		handler := make(text)
		tag := get(t, handler).Header().Get("ETag")
		if w := get(t, handler, "If-None-Match", tag); w.Code != http.StatusNotModified || w.Body.Len() != 0 {
			t.Errorf("%s: %d with %d bytes for the tag that it has", name, w.Code, w.Body.Len())
		}
		if w := get(t, handler, "If-None-Match", `"other"`); w.Code != http.StatusOK {
			t.Errorf("%s: %d for another tag", name, w.Code)
		}
		other := make(strings.Replace(text, "Wigwag management API", "Another API", 1))
		if w := get(t, other, "If-None-Match", tag); w.Code != http.StatusOK {
			t.Errorf("%s: %d for the tag of another document", name, w.Code)
		}
	}
}

// TestPageShowsTheWholeContract compares the page with what another library reads
// in the contract.
func TestPageShowsTheWholeContract(t *testing.T) {
	text := contract(t)
	document, err := openapi3.NewLoader().LoadFromData([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	page := html.UnescapeString(get(t, apidoc.Page(text)).Body.String())
	shows := func(of, what string) {
		t.Helper()
		if !strings.Contains(page, what) {
			t.Errorf("of %s, the page does not have %s", of, what)
		}
	}
	for path, item := range document.Paths.Map() {
		for method, operation := range item.Operations() {
			id := operation.OperationID
			start := strings.Index(page, `<article aria-labelledby="`+id+`">`)
			if start < 0 {
				t.Errorf("%s is not on the page", id)
				continue
			}
			article := page[start : start+strings.Index(page[start:], "</article>")]
			has := func(what string) {
				t.Helper()
				if !strings.Contains(article, what) {
					t.Errorf("%s: its part of the page does not have %s", id, what)
				}
			}
			has(">" + method + "</span>")
			has("<code>/api/v1" + path + "</code>")
			for _, p := range append(item.Parameters, operation.Parameters...) {
				has("<dt><code>" + p.Value.Name + `</code> <span class="in">` + p.Value.In + "</span>")
			}
			for status := range operation.Responses.Map() {
				has(`">` + status + "</span>")
			}
			if operation.RequestBody != nil {
				has("<h4>Body")
				for media := range operation.RequestBody.Value.Content {
					has("<code>" + media + "</code>")
				}
			}
		}
	}
	for name, schema := range document.Components.Schemas {
		shows("the schemas", `<h3 id="schema-`+name+`">`)
		for property := range schema.Value.Properties {
			shows("schema "+name, "<dt><code>"+property+"</code>")
		}
	}
}

// TestPageIsWellFormed reads the page as XML, which HTML of this plain sort is but
// for its void elements, and wants that each link leads somewhere.
func TestPageIsWellFormed(t *testing.T) {
	page := get(t, apidoc.Page(contract(t))).Body.String()
	void := regexp.MustCompile(`<(meta|link)( [^>]*)>`)
	page = strings.Replace(void.ReplaceAllString(page, "<$1$2/>"), "<!doctype html>", "", 1)
	decoder := xml.NewDecoder(strings.NewReader(strings.ReplaceAll(page, "<details open>", "<details>")))
	decoder.Entity = xml.HTMLEntity
	ids, links := map[string]int{}, map[string]bool{}
	forbidden := map[string]bool{"script": true, "iframe": true, "object": true, "img": true, "form": true}
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		element, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		if forbidden[element.Name.Local] {
			t.Errorf("the page has a %s", element.Name.Local)
		}
		for _, a := range element.Attr {
			switch name := a.Name.Local; {
			case name == "id":
				ids[a.Value]++
			case name == "href":
				links[a.Value] = true
			case name == "src" || name == "style" || strings.HasPrefix(name, "on"):
				t.Errorf("the page has %s=%q", name, a.Value)
			}
		}
	}
	for id, n := range ids {
		if n > 1 {
			t.Errorf("%d elements have the id %s", n, id)
		}
	}
	for link := range links {
		id, inside := strings.CutPrefix(link, "#")
		if inside && ids[id] == 0 {
			t.Errorf("the link %s leads nowhere", link)
		}
		if !inside && link != "openapi.yaml" && link != "data:," {
			t.Errorf("the page leads away, to %s", link)
		}
	}
	if len(links) < 20 {
		t.Errorf("%d links were found", len(links))
	}
}

func TestPolicyAllowsTheStyleAlone(t *testing.T) {
	w := get(t, apidoc.Page(contract(t)))
	found := regexp.MustCompile(`(?s)<style>(.*?)</style>`).FindStringSubmatch(w.Body.String())
	if found == nil {
		t.Fatal("no style")
	}
	sum := sha256.Sum256([]byte(found[1]))
	policy := w.Header().Get("Content-Security-Policy")
	for _, want := range []string{
		"default-src 'none'", "style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'",
		"base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
	} {
		if !strings.Contains(policy, want) {
			t.Errorf("%q does not have %q", policy, want)
		}
	}
	if strings.Contains(policy, "unsafe") || strings.Contains(policy, "script-src") {
		t.Errorf("%q allows too much", policy)
	}
	if strings.Contains(found[1], "url(") || strings.Contains(found[1], "@import") {
		t.Error("the style asks for other files")
	}
}

func TestTextIsText(t *testing.T) {
	const hostile = `<script>alert(1)</script>`
	text := `{"info":{"title":` + quote(hostile) + `,"description":` + quote("**"+hostile+"** `"+hostile+"`") + `},
	"tags":[{"name":"a","description":` + quote(hostile) + `}],
	"paths":{` + quote("/"+hostile) + `:{"get":{"operationId":` + quote(`x" onclick="y`) + `,"tags":["a"],"summary":` + quote(hostile) + `,
	"parameters":[{"name":` + quote(hostile) + `,"in":"query","schema":{"type":` + quote(hostile) + `,"enum":[` + quote(hostile) + `]},"example":` + quote(hostile) + `}],
	"responses":{"200":{"description":` + quote("- "+hostile) + `,"content":{"application/json":{"example":{"a":` + quote(hostile) + `}}}}}}}},
	"components":{"schemas":{` + quote(hostile) + `:{"type":"object","properties":{"a":{"$ref":` + quote("#/components/schemas/"+hostile) + `}}}}}}`
	w := get(t, apidoc.Page(text))
	if w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if page := w.Body.String(); strings.Contains(page, "<script") || strings.Contains(page, `x" onclick`) {
		t.Errorf("text became HTML:\n%s", page)
	}
}

func quote(text string) string {
	quoted, _ := json.Marshal(text) // a string
	return string(quoted)
}

func TestContractsThatCannotBeRead(t *testing.T) {
	for name, text := range map[string]string{
		"empty":         "",
		"no YAML":       "a: [",
		"no operations": "info: { title: x }",
	} {
		if w := get(t, apidoc.Page(text)); w.Code != http.StatusInternalServerError {
			t.Errorf("%s: %d", name, w.Code)
		}
	}
}

func TestReferencesInACircleEnd(t *testing.T) {
	w := get(t, apidoc.Page(`{"paths":{"/x":{"get":{"parameters":[{"$ref":"#/a"}],
		"responses":{"200":{"content":{"a/b":{"schema":{"$ref":"#/a"}}}}}}}},"a":{"$ref":"#/a"}}`))
	if w.Code != http.StatusOK {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
