package apidoc

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
)

func TestProse(t *testing.T) {
	for text, want := range map[string]string{
		"":                               "",
		"One\nline.":                     "<p>One line.</p>",
		"Two.\n\n Paragraphs.\n":         "<p>Two.</p><p>Paragraphs.</p>",
		"**Strong** and *soft* `**code`": "<p><strong>Strong</strong> and <em>soft</em> <code>**code</code></p>",
		"`If-Match: *` is *one*":         "<p><code>If-Match: *</code> is <em>one</em></p>",
		"2 * 3 * 4":                      "<p>2 * 3 * 4</p>",
		"a < b & `<c>`":                  "<p>a &lt; b &amp; <code>&lt;c&gt;</code></p>",
		"- one\n- two\n  goes on":        "<ul><li>one</li><li>two goes on</li></ul>",
		"text\n- no list":                "<p>text - no list</p>",
	} {
		if got := string(prose(text)); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

// FuzzProse: whatever the text, only the tags of the few forms come out, and each
// that is opened is closed.
func FuzzProse(f *testing.F) {
	for _, seed := range []string{"**a** *b* `c`", "- x\n- <y>", "<script>", "`*`**`*", "&lt;", "**`a`**"} {
		f.Add(seed)
	}
	tags := regexp.MustCompile(`</?(p|ul|li|code|strong|em)>`)
	f.Fuzz(func(t *testing.T, text string) {
		out := string(prose(text))
		if strings.ContainsAny(tags.ReplaceAllString(out, ""), "<>") {
			t.Errorf("%q became %q", text, out)
		}
		var open []string
		for _, tag := range tags.FindAllString(out, -1) {
			if name, closes := strings.CutPrefix(tag, "</"); !closes {
				open = append(open, strings.TrimPrefix(tag, "<"))
			} else if len(open) == 0 || open[len(open)-1] != name {
				t.Fatalf("%q became %q", text, out)
			} else {
				open = open[:len(open)-1]
			}
		}
	})
}

func TestExamplesAreJSON(t *testing.T) {
	const text = `
paths:
  /x:
    get:
      responses:
        "200":
          description: d
          content:
            application/json:
              example:
                { "on": true, n: 12, f: 1.50, s: "12", octal: 0o17, hex: 0x1F, nothing: ~, day: 2026-01-02, "no": no, empty: {}, none: [],
                  deep: [{ a: [1, 2, 3], b: a text that is long enough to be put on a line of its own as it would not fit }] }
`
	c, err := parse(text)
	if err != nil {
		t.Fatal(err)
	}
	got := c.Tags[0].Operations[0].Answers[0].Media[0].Examples[0].Text
	const want = `{
  "on": true,
  "n": 12,
  "f": 1.50,
  "s": "12",
  "octal": "0o17",
  "hex": "0x1F",
  "nothing": null,
  "day": "2026-01-02",
  "no": "no",
  "empty": {},
  "none": [],
  "deep": [
    {
      "a": [1, 2, 3],
      "b": "a text that is long enough to be put on a line of its own as it would not fit"
    }
  ]
}`
	if got != want || !json.Valid([]byte(got)) {
		t.Errorf("got\n%s", got)
	}
}
