package cli

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestReadContext(t *testing.T) {
	file := filepath.Join(t.TempDir(), "context.json")
	if err := os.WriteFile(file, []byte(`{"plan":"free","org":{"id":"acme","seats":12345678901}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		arguments []string
		want      string // empty for a mistake
	}{
		"nothing":                   {nil, `{}`},
		"a string":                  {[]string{"plan=pro"}, `{"plan":"pro"}`},
		"booleans and null":         {[]string{"a=true", "b=false", "c=null"}, `{"a":true,"b":false,"c":null}`},
		"numbers":                   {[]string{"a=12", "b=-1.5e3", "c=1.0"}, `{"a":12,"b":-1500,"c":1}`},
		"no numbers":                {[]string{"a=1.2.3", "b=007", "c=1 2", "d=NaN", "e="}, `{"a":"1.2.3","b":"007","c":"1 2","d":"NaN","e":""}`},
		"JSON":                      {[]string{`a=["x",1]`, `b={"c":2}`, `d="12"`}, `{"a":["x",1],"b":{"c":2},"d":"12"}`},
		"an equals sign":            {[]string{"a=b=c"}, `{"a":"b=c"}`},
		"the targeting key is text": {[]string{"targetingKey=42"}, `{"targetingKey":"42"}`},
		"dots":                      {[]string{"org.seats=120", "org.id=acme", "a.b.c=1"}, `{"a":{"b":{"c":1}},"org":{"id":"acme","seats":120}}`},
		"the later one":             {[]string{"a=1", "a=2"}, `{"a":2}`},
		"a file and what follows":   {[]string{"@" + file, "org.id=other"}, `{"org":{"id":"other","seats":12345678901},"plan":"free"}`},
		"a part of a value":         {[]string{"org=1", "org.id=2"}, ""},
		"no value":                  {[]string{"plan"}, ""},
		"no name":                   {[]string{"=pro"}, ""},
		"an empty part":             {[]string{"a..b=1"}, ""},
		"a dot alone":               {[]string{".=1"}, ""},
		"a file that is missing":    {[]string{"@" + file + "x"}, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			read, err := readContext(test.arguments)
			if test.want == "" {
				var usage *usageError
				if !errors.As(err, &usage) {
					t.Fatalf("error %v, context %v", err, read)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got, err := json.Marshal(read); err != nil || string(got) != test.want {
				t.Errorf("got %s (%v), want %s", got, err, test.want)
			}
		})
	}
}

func FuzzReadContext(f *testing.F) {
	for _, seed := range []string{"plan=pro", "a.b=1", "targetingKey=x", `a={"b":1}`, "a=1e400", "a=\"\\ud800\"", "\xff=\xff", "a={\"b\":{}}"} {
		f.Add(seed, seed)
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		if a != "" && a[0] == '@' || b != "" && b[0] == '@' {
			t.Skip("names a file")
		}
		read, err := readContext([]string{a, b})
		if err != nil {
			var usage *usageError
			if !errors.As(err, &usage) {
				t.Fatalf("%q %q: %v is no mistake of the caller's", a, b, err)
			}
			return
		}
		if out, err := json.Marshal(read); err != nil || !json.Valid(out) {
			t.Fatalf("%q %q: %s %v", a, b, out, err)
		}
	})
}
