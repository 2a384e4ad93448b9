package httpapi

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/wigwag/wigwag/internal/fault"
)

func TestParseComment(t *testing.T) {
	for given, want := range map[string]string{
		"plain":                      "plain",
		"100% of Zürich":             "100% of Zürich",
		"UTF-8''100%25%20%e2%82%ac+": "100% €+",
		"utf-8''a":                   "a",
		"UTF-8'":                     "UTF-8'",
		strings.Repeat("é", 500):     strings.Repeat("é", 500),
	} {
		if got, err := parseComment(given); got != want || err != nil {
			t.Errorf("%.40q gives %.40q, %v; want %.40q", given, got, err, want)
		}
	}
}

func FuzzParseComment(f *testing.F) {
	for _, seed := range []string{"why", "UTF-8''%e2%82%ac", "UTF-8''%0a", "caf\xe9", "UTF-8''%", "\u0085"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		comment, err := parseComment(value)
		if err != nil {
			if e := fault.From(err); e.Kind != fault.Invalid || len(e.Fields) != 1 || e.Fields[0].Path != "Wigwag-Comment" {
				t.Errorf("%q is refused with %+v", value, e)
			}
			return
		}
		if !utf8.ValidString(comment) || utf8.RuneCountInString(comment) > maxComment || strings.ContainsFunc(comment, unicode.IsControl) {
			t.Errorf("%q gives %q", value, comment)
		}
	})
}

func FuzzParseIfMatch(f *testing.F) {
	for _, seed := range []string{"*", `"0197-a:42"`, `W/"0197-a:42"`, `"a:1", "a:2"`, `"`, `""`, "a:1", `"a:01"`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		position, err := parseIfMatch(value)
		if err != nil {
			if e := fault.From(err); e.Kind != fault.Invalid || len(e.Fields) != 1 || e.Fields[0].Path != "If-Match" {
				t.Errorf("%q is refused with %+v", value, e)
			}
			return
		}
		// A condition is never dropped in silence: only the star is none.
		if want := strings.TrimSpace(value); position.IsZero() != (want == "*") || !position.IsZero() && `"`+position.String()+`"` != want {
			t.Errorf("%q gives %q", value, position)
		}
	})
}
