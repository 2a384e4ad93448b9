package cli

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"
	"pgregory.net/rapid"
)

func TestToYAML(t *testing.T) {
	for _, test := range []struct{ name, json, want string }{
		{"order", `{"b":1,"a":{"z":null,"w":[true,"x"]}}`, "b: 1\na:\n  z: null\n  w:\n    - true\n    - x\n"},
		{"empty", `{"a":[],"b":{},"c":""}`, "a: []\nb: {}\nc: \"\"\n"},
		{
			"what looks like something else", `["1","true","null","~","1.5","2026-03-02"," a","- a","a: b","#"]`,
			"- \"1\"\n- \"true\"\n- \"null\"\n- \"~\"\n- \"1.5\"\n- \"2026-03-02\"\n- ' a'\n- '- a'\n- 'a: b'\n- '#'\n",
		},
		{"what older readers take for a boolean", `{"on":true,"off":false,"Yes":"n"}`, "\"on\": true\n\"off\": false\n\"Yes\": \"n\"\n"},
		{"what older readers take for a number", `["1:30","-0:05:59.5","010","0o7"]`, "- \"1:30\"\n- \"-0:05:59.5\"\n- \"010\"\n- \"0o7\"\n"},
		{"numbers", `[1e6,-0.25,12345678901234567890,1E+2]`, "- 1e6\n- -0.25\n- 12345678901234567890\n- 1E+2\n"},
		{"escapes", `"😀 \/ \u0000 \n"`, "\"\\U0001F600 / \\0 \\n\"\n"},
		{"scalar", `"a"`, "a\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := toYAML([]byte(test.json))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, string(got)); diff != "" {
				t.Error(diff)
			}
		})
	}
	for _, bad := range []string{``, `{"a":`, `[1,]`, `{"a" 1}`} {
		if got, err := toYAML([]byte(bad)); err == nil {
			t.Errorf("%s became %q", bad, got)
		}
	}
}

// A reader of YAML gets from it what a reader of JSON gets from the document.
func TestYAMLHasWhatJSONHas(t *testing.T) {
	text := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"on", "yes", "~", "1e3", "<<", "=", "? a", "&a", "*a", "!a", "%", "@", "`", "a\nb", "\t", "\u2028", "\uFEFF", "0x1F", ".inf", "12_000"}))
	document := rapid.Custom(func(t *rapid.T) any {
		var value func(depth int) any
		value = func(depth int) any {
			switch kind := rapid.IntRange(0, 5).Draw(t, "kind"); {
			case kind == 0 && depth < 4:
				list := []any{}
				for range rapid.IntRange(0, 3).Draw(t, "length") {
					list = append(list, value(depth+1))
				}
				return list
			case kind == 1 && depth < 4:
				object := map[string]any{}
				for range rapid.IntRange(0, 3).Draw(t, "length") {
					object[text.Draw(t, "name")] = value(depth + 1)
				}
				return object
			case kind == 2:
				return rapid.Bool().Draw(t, "bool")
			case kind == 3:
				return rapid.Float64Range(-1e9, 1e9).Draw(t, "number")
			case kind == 4:
				return nil
			default:
				return text.Draw(t, "text")
			}
		}
		return value(0)
	})
	rapid.Check(t, func(t *rapid.T) {
		source, err := json.Marshal(document.Draw(t, "document"))
		if err != nil {
			t.Fatal(err)
		}
		written, err := toYAML(source)
		if err != nil {
			t.Fatal(err)
		}
		var fromYAML, fromJSON any
		if err := yaml.Unmarshal(written, &fromYAML); err != nil {
			t.Fatalf("%v in\n%s", err, written)
		}
		if err := json.Unmarshal(source, &fromJSON); err != nil {
			t.Fatal(err)
		}
		back, err := json.Marshal(fromYAML)
		if err != nil {
			t.Fatal(err)
		}
		var again any
		if err := json.NewDecoder(strings.NewReader(string(back))).Decode(&again); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(fromJSON, again); diff != "" {
			t.Fatalf("%s\n%s", diff, written)
		}
	})
}
