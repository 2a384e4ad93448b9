package web_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/wigwag/wigwag/internal/fault"
	"github.com/wigwag/wigwag/internal/web"
)

// broken is a body whose sender goes away.
type broken struct{ io.Reader }

func (b broken) Read(p []byte) (int, error) {
	if n, err := b.Reader.Read(p); err == nil {
		return n, nil
	}
	return 0, errors.New("connection reset")
}

func TestReadJSON(t *testing.T) {
	const limit = 64
	for _, test := range []struct {
		name     string
		body     io.Reader
		header   http.Header
		types    []string
		kind     fault.Kind // empty for success
		field    string
		contains string
	}{
		{name: "plain", body: strings.NewReader(`{"name":"a"}`)},
		{name: "charset", body: strings.NewReader(`{}`), header: http.Header{"Content-Type": {"Application/JSON; charset=UTF-8"}}},
		{name: "identity", body: strings.NewReader(`{}`), header: http.Header{"Content-Encoding": {"identity"}}},
		{name: "of the limit", body: strings.NewReader(`{}` + strings.Repeat(" ", limit-2))},
		{
			name: "another type", body: strings.NewReader(`{}`), header: http.Header{"Content-Type": {"application/merge-patch+json"}},
			types: []string{web.MergePatchType, web.JSONType},
		},
		{
			name: "type not wanted", body: strings.NewReader(`{}`), header: http.Header{"Content-Type": {"text/plain"}},
			kind: fault.UnsupportedType, contains: `application/json, not "text/plain"`,
		},
		{
			name: "type of a longer name", body: strings.NewReader(`{}`), header: http.Header{"Content-Type": {"application/jsonx"}},
			kind: fault.UnsupportedType,
		},
		{
			name: "no type", body: strings.NewReader(`{}`), header: http.Header{"Content-Type": nil},
			kind: fault.UnsupportedType, contains: "application/json",
		},
		{
			name: "malformed type", body: strings.NewReader(`{}`), header: http.Header{"Content-Type": {"application/json; ="}},
			kind: fault.UnsupportedType,
		},
		{
			name: "Latin-1", body: strings.NewReader(`{}`), header: http.Header{"Content-Type": {"application/json; charset=latin1"}},
			kind: fault.UnsupportedType, contains: "UTF-8",
		},
		{
			name: "compressed", body: strings.NewReader(`{}`), header: http.Header{"Content-Encoding": {"gzip"}},
			kind: fault.UnsupportedType, contains: "Content-Encoding",
		},
		{name: "too large", body: strings.NewReader(strings.Repeat(" ", limit+1)), kind: fault.TooLarge, contains: "64 bytes"},
		{
			name: "too large, of unknown length", body: io.MultiReader(strings.NewReader(strings.Repeat(" ", limit+1))),
			kind: fault.TooLarge, contains: "64 bytes",
		},
		{name: "empty", body: strings.NewReader(""), kind: fault.Invalid, contains: "empty"},
		{name: "cut off", body: broken{strings.NewReader(`{"name":`)}, kind: fault.Invalid, contains: "whole"},
		{name: "no JSON", body: strings.NewReader(`{"name":`), kind: fault.Invalid},
		{name: "more after it", body: strings.NewReader(`{} {}`), kind: fault.Invalid},
		{name: "unknown field", body: strings.NewReader(`{"nmae":"a"}`), kind: fault.Invalid, field: "nmae"},
		{name: "field twice", body: strings.NewReader(`{"name":"a","name":"b"}`), kind: fault.Invalid, field: "name"},
		{name: "wrong type", body: strings.NewReader(`{"list":[1,"b"]}`), kind: fault.Invalid, field: "list[1]"},
		{name: "invalid UTF-8", body: strings.NewReader("{\"name\":\"\xff\"}"), kind: fault.Invalid, contains: "UTF-8"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPost, "/", test.body)
			r.Header.Set("Content-Type", "application/json")
			for name, values := range test.header {
				r.Header[name] = values
			}
			var target struct {
				Name string `json:"name"`
				List []int  `json:"list"`
			}
			err := web.ReadJSON(httptest.NewRecorder(), r, limit, &target, test.types...)
			if test.kind == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			var e *fault.Error
			if !errors.As(err, &e) || e.Kind != test.kind || !strings.Contains(e.Message, test.contains) {
				t.Fatalf("error is %v of kind %v, want %s", err, e, test.kind)
			}
			if test.field != "" && (len(e.Fields) != 1 || e.Fields[0].Path != test.field) {
				t.Errorf("fields are %v, want %s", e.Fields, test.field)
			}
		})
	}
}
