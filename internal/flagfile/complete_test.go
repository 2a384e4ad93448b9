package flagfile_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/flagfile"
)

func configuration(t *testing.T, text string) feature.Configuration {
	t.Helper()
	var c feature.Configuration
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCompleteKeepsWhatIsThere(t *testing.T) {
	const (
		plan    = `"when":{"attribute":"plan","op":"in","values":["pro"]}`
		country = `"when":{"attribute":"country","op":"in","values":["FR"]}`
		on      = `"serve":{"variant":"on"}`
		off     = `"serve":{"variant":"off"}`
		half    = `"serve":{"split":{"weights":[["on",50000],["off",50000]]}}`
		salted  = `"serve":{"split":{"salt":"kept","weights":[["on",50000],["off",50000]]}}`
	)
	for name, test := range map[string]struct{ before, rules, want string }{
		"new rules are numbered":         {``, `{` + plan + `,` + on + `},{` + country + `,` + on + `}`, "r1 r2"},
		"numbers that are taken":         {`{"id":"r1",` + plan + `,` + on + `}`, `{"id":"r2",` + plan + `,` + off + `},{` + country + `,` + off + `}`, "r2 r3"},
		"the same rule":                  {`{"id":"x",` + plan + `,` + on + `}`, `{` + country + `,` + on + `},{` + plan + `,` + on + `}`, "r1 x"},
		"the same rule but for the salt": {`{"id":"x",` + plan + `,` + salted + `}`, `{` + plan + `,` + half + `}`, "x:kept"},
		"the name":                       {`{"id":"x","name":"N",` + plan + `,` + on + `}`, `{"name":"N",` + country + `,` + off + `}`, "x"},
		"the condition":                  {`{"id":"x",` + plan + `,` + on + `}`, `{` + plan + `,` + off + `}`, "x"},
		"the better match first":         {`{"id":"x",` + plan + `,` + on + `},{"id":"y",` + plan + `,` + off + `}`, `{` + plan + `,` + off + `},{` + plan + `,` + on + `}`, "y x"},
		"twice the same":                 {`{"id":"x",` + plan + `,` + on + `}`, `{` + plan + `,` + on + `},{` + plan + `,` + on + `}`, "x r1"},
		"an id that is given":            {`{"id":"x",` + plan + `,` + on + `}`, `{` + plan + `,` + on + `},{"id":"x",` + country + `,` + on + `}`, "r1 x"},
		"the salt of an id":              {`{"id":"x",` + plan + `,` + salted + `}`, `{"id":"x",` + country + `,` + half + `}`, "x:kept"},
		"a salt that is given":           {`{"id":"x",` + plan + `,` + half + `}`, `{"id":"x",` + plan + `,` + salted + `}`, "x:kept"},
		"a salt of its own":              {`{"id":"x",` + plan + `,` + on + `}`, `{"id":"x",` + plan + `,` + half + `}`, "x:flag."},
	} {
		t.Run(name, func(t *testing.T) {
			before := configuration(t, `{"rules":[`+test.before+`],"default":{"variant":"on"}}`)
			after := configuration(t, `{"rules":[`+test.rules+`],"default":{"variant":"on"}}`)
			got := flagfile.Complete("flag", after, &before)
			var ids []string
			for _, rule := range got.Rules {
				id := rule.ID
				if rule.Serve.Split != nil {
					id += ":" + rule.Serve.Split.Salt
				}
				ids = append(ids, id)
			}
			if got := strings.Join(ids, " "); got != test.want {
				t.Errorf("the rules are %s, not %s", got, test.want)
			}
			if after.Rules[0].ID != "" && !strings.Contains(test.rules, after.Rules[0].ID) {
				t.Error("the argument was changed")
			}
			again := flagfile.Complete("flag", after, &got)
			if string(encode(t, again)) != string(encode(t, got)) {
				t.Errorf("the second time it is\n%s\nnot\n%s", encode(t, again), encode(t, got))
			}
		})
	}
}

func encode(t *testing.T, document any) []byte {
	t.Helper()
	text, err := feature.Encode(document)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestCompleteKeepsTheSaltOfTheDefault(t *testing.T) {
	half := `{"default":{"split":{"weights":[["on",50000],["off",50000]]}}}`
	salted := configuration(t, `{"default":{"split":{"salt":"kept","weights":[["on",1],["off",99999]]}}}`)
	got := flagfile.Complete("flag", configuration(t, half), &salted)
	if got.Default.Split.Salt != "kept" {
		t.Errorf("the salt is %s", got.Default.Split.Salt)
	}
	if got = flagfile.Complete("flag", configuration(t, half), nil); got.Default.Split.Salt != "flag." {
		t.Errorf("the salt is %s", got.Default.Split.Salt)
	}
}
