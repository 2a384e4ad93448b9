package httpapi_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"

	"github.com/wigwag/wigwag/internal/httpapi"
	"github.com/wigwag/wigwag/internal/web"
)

func init() {
	// The contract says of lines of JSON only that they are text.
	openapi3filter.RegisterBodyDecoder("application/x-ndjson",
		func(body io.Reader, _ http.Header, _ *openapi3.SchemaRef, _ openapi3filter.EncodingFn) (any, error) {
			text, err := io.ReadAll(body)
			return string(text), err
		})
}

const (
	betaKeys  = production + "/segments/eu-beta/keys"
	plainText = "text/plain; charset=utf-8"
)

func textOf(t *testing.T, resp *http.Response) string {
	t.Helper()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestImportAndExport(t *testing.T) {
	s := shop(t)
	keys := make([]string, 100_000)
	for i := range keys {
		keys[i] = fmt.Sprintf("user %06d", i)
	}
	var imported struct {
		Position, List                          string
		Keys, Added, Removed, Duplicates, Blank int
	}
	resp := s.must("PUT", betaKeys+"?list=included", "\uFEFF"+strings.Join(keys, "\r\n")+"\n\n"+keys[7]+"\n", "Content-Type", plainText)
	if err := json.NewDecoder(resp.Body).Decode(&imported); err != nil {
		t.Fatal(err)
	}
	position := imported.Position
	imported.Position = ""
	want := imported
	want.List, want.Keys, want.Added, want.Removed, want.Duplicates, want.Blank = "included", 100_000, 100_000, 1, 1, 1
	if imported != want || resp.Header.Get("ETag") != `"`+position+`"` {
		t.Errorf("the import says %+v, ETag %s at %s", imported, resp.Header.Get("ETag"), position)
	}

	resp = s.must("GET", betaKeys+"?list=included", "")
	if resp.Header.Get("Content-Type") != plainText || resp.Header.Get("ETag") != `"`+position+`"` {
		t.Errorf("the export comes with %v", resp.Header)
	}
	lines := strings.Split(strings.TrimSuffix(textOf(t, resp), "\n"), "\n")
	slices.Sort(lines)
	if !slices.Equal(lines, keys) {
		t.Errorf("%d keys come back", len(lines))
	}
	resp = s.must("GET", betaKeys+"?list=included", "", "Accept", "application/x-ndjson;q=0.9, text/plain;q=0.1")
	if resp.Header.Get("Content-Type") != "application/x-ndjson" {
		t.Errorf("the export comes as %s", resp.Header.Get("Content-Type"))
	}
	lines = nil
	for decoder := json.NewDecoder(resp.Body); decoder.More(); {
		var line string
		if err := decoder.Decode(&line); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, line)
	}
	slices.Sort(lines)
	if !slices.Equal(lines, keys) {
		t.Errorf("%d keys come back as JSON", len(lines))
	}
	if text := textOf(t, s.must("GET", betaKeys+"?list=excluded", "")); text != "" {
		t.Errorf("the other list is %q", text)
	}
	// What was read is a condition.
	s.must("POST", betaKeys, `{"list":"included","add":["user-1"]}`)
	resp = s.send(context.Background(), "PUT", betaKeys+"?list=included", "a\n", "Content-Type", plainText, "If-Match", `"`+position+`"`)
	if resp.StatusCode != http.StatusPreconditionFailed {
		t.Errorf("a stale import: %d", resp.StatusCode)
	}
}

func TestOneKey(t *testing.T) {
	s := shop(t)
	strange := "ü/ %?#+.."
	s.must("PUT", betaKeys+"?list=excluded", strange, "Content-Type", "text/plain")
	for path, want := range map[string]string{
		"user-42":                  `"key":"user-42","list":"included",`,
		"nobody":                   `"key":"nobody","position":`,
		"%C3%BC%2F%20%25%3F%23+..": `"key":"ü/ %?#+..","list":"excluded",`,
	} {
		if text := textOf(t, s.must("GET", betaKeys+"/"+path, "")); !strings.Contains(text, want) {
			t.Errorf("%s: %s, want %s", path, text, want)
		}
	}
	for path, want := range map[string]int{
		betaKeys + "/" + strings.Repeat("a", 513):               http.StatusBadRequest,
		betaKeys + "/%00":                                       http.StatusBadRequest,
		production + "/segments/nobody/keys/user-42":            http.StatusNotFound,
		"/projects/shop/environments/x/segments/eu-beta/keys/a": http.StatusNotFound,
	} {
		ctx := context.WithValue(context.Background(), wrongOnPurpose{}, true)
		if resp := s.send(ctx, "GET", path, ""); resp.StatusCode != want {
			t.Errorf("%.60s: status %d, want %d", path, resp.StatusCode, want)
		}
	}
}

func TestImportRefusals(t *testing.T) {
	s := shop(t)
	s.must("POST", betaKeys, `{"list":"excluded","add":["user-7"]}`)
	for _, test := range []struct {
		name, query, body, contentType string
		status                         int
		fields                         []string
	}{
		{"bad lines", "?list=included", "a\n\n\tb\nc\nd\x00\n", plainText, 400, []string{"line 3", "line 5"}},
		{"key of the other list", "?list=included", "a\nuser-7\n", plainText, 400, []string{"included"}},
		{"no list", "", "a\n", plainText, 400, []string{"list"}},
		{"unknown list", "?list=some", "a\n", plainText, 400, []string{"list"}},
		{"JSON", "?list=included", `["a"]`, "application/json", 415, nil},
		{"Latin-1", "?list=included", "a", "text/plain; charset=iso-8859-1", 415, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			before := positions(t, s)
			ctx := context.WithValue(context.Background(), wrongOnPurpose{}, true)
			resp := s.send(ctx, "PUT", betaKeys+test.query, test.body, "Content-Type", test.contentType)
			var problem web.Problem
			if err := json.NewDecoder(resp.Body).Decode(&problem); err != nil {
				t.Fatal(err)
			}
			var fields []string
			for _, e := range problem.Errors {
				fields = append(fields, e.Path)
			}
			if resp.StatusCode != test.status || !slices.Equal(fields, test.fields) {
				t.Errorf("status %d, %+v; want %d in %q", resp.StatusCode, problem, test.status, test.fields)
			}
			if after := positions(t, s); !slices.Equal(before, after) {
				t.Error("the refused import left its mark")
			}
		})
	}
	if text := textOf(t, s.must("GET", betaKeys+"?list=included", "")); text != "user-42\n" {
		t.Errorf("the list is %q", text)
	}
}

// endless is a body without end and without line breaks.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

func TestImportTooLarge(t *testing.T) {
	s := shop(t)
	for name, length := range map[string]int64{"said": httpapi.MaxKeysBody + 1, "not said": -1} {
		r := httptest.NewRequest("PUT", httpapi.Base+betaKeys+"?list=included", endless{})
		r.ContentLength = length
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("Content-Type", plainText)
		w := httptest.NewRecorder()
		httpapi.New(s.control, authorise).ServeHTTP(w, r)
		if w.Code != http.StatusRequestEntityTooLarge {
			t.Errorf("%s: status %d, %s", name, w.Code, w.Body)
		}
	}
}

// An import that is refused early still reads what the caller sends, so that the
// caller gets to read the refusal.
func TestRefusedImportIsReadToItsEnd(t *testing.T) {
	s := shop(t)
	server := httptest.NewServer(httpapi.New(s.control, authorise))
	t.Cleanup(server.Close)
	body := "\tno key\n" + strings.Repeat("user-1\n", 3_000_000/7)
	r, err := http.NewRequestWithContext(t.Context(), "PUT", server.URL+httpapi.Base+betaKeys+"?list=included", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", plainText)
	resp, err := server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if text := textOf(t, resp); resp.StatusCode != http.StatusBadRequest || !strings.Contains(text, "line 1") {
		t.Errorf("status %d, %s", resp.StatusCode, text)
	}
}

// An import that is repeated with its key answers as it did, and changes nothing.
func TestImportOnce(t *testing.T) {
	s := shop(t)
	send := func() (string, string) {
		resp := s.must("PUT", betaKeys+"?list=included", "a\nb\n", "Content-Type", plainText, "Idempotency-Key", "import-1")
		return textOf(t, resp), resp.Header.Get("Idempotency-Replayed")
	}
	first, _ := send()
	s.must("POST", betaKeys, `{"list":"included","remove":["a"]}`)
	again, replayed := send()
	if first != again || replayed != "true" || !strings.Contains(first, `"added":2`) {
		t.Errorf("%s, then %s, replayed %q", first, again, replayed)
	}
	if text := textOf(t, s.must("GET", betaKeys+"?list=included", "")); text != "b\n" {
		t.Errorf("the list is %q", text)
	}
}
