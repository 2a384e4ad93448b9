package control

import (
	"regexp"
	"strings"
	"testing"

	"github.com/wigwag/wigwag/feature"
)

func TestInitialFlag(t *testing.T) {
	for _, test := range []struct {
		name     string
		kind     feature.Type
		variants string
		def, off string
	}{
		{"boolean", feature.TypeBoolean, `{"on":true,"off":false}`, "on", "off"},
		{"boolean, false first", feature.TypeBoolean, `{"no":false,"yes":true}`, "yes", "no"},
		{"boolean, several of each", feature.TypeBoolean, `{"a":false,"b":true,"c":true,"d":false}`, "b", "a"},
		{"boolean, always true", feature.TypeBoolean, `{"a":true,"b":true}`, "a", "b"},
		{"boolean, always false", feature.TypeBoolean, `{"a":false,"b":false}`, "a", "a"},
		{"string", feature.TypeString, `{"red":"r","green":"g","blue":"b"}`, "red", "blue"},
		{"one variant", feature.TypeNumber, `{"one":1}`, "one", "one"},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := feature.Definition{Key: "f", Type: test.kind}
			if err := d.Variants.UnmarshalJSON([]byte(test.variants)); err != nil {
				t.Fatal(err)
			}
			flag := initialFlag(d)
			if flag.State != feature.StateDisabled || flag.Default.Variant != test.def || flag.OffVariant != test.off {
				t.Errorf("the flag is %s, serves %s and off %s", flag.State, flag.Default.Variant, flag.OffVariant)
			}
			if err := flag.Validate(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestDefaultSalt(t *testing.T) {
	shape := regexp.MustCompile(feature.SaltPattern)
	long := strings.Repeat("k", 63)
	for _, test := range []struct{ flag, want string }{
		{"new-checkout", "new-checkout."},
		{long, long + "."},
		{long + "k", ""},
		{long + "kk", ""},
		{strings.Repeat("k", feature.MaxKeyBytes), ""},
	} {
		salt := defaultSalt(test.flag)
		if test.want != "" && salt != test.want {
			t.Errorf("flag %s has salt %s", test.flag, salt)
		}
		if !shape.MatchString(salt) || !strings.HasSuffix(salt, ".") {
			t.Errorf("flag %s has salt %s", test.flag, salt)
		}
	}
	if defaultSalt(long+"k") == defaultSalt(long+"kk") {
		t.Error("keys that begin alike have the same salt")
	}
	// Salts decide who gets what: this one must stay for good.
	if got, want := defaultSalt(strings.Repeat("k", 64)), strings.Repeat("k", 54)+"-2519b49b."; got != want {
		t.Errorf("a long key has salt %s, want %s", got, want)
	}
}

func TestComplete(t *testing.T) {
	split := func(salt string) feature.Serve { return feature.Serve{Split: &feature.Split{Salt: salt}} }
	before := &feature.Flag{Definition: feature.Definition{Key: "f"}, Configuration: feature.Configuration{
		Rules:   []feature.Rule{{ID: "kept", Serve: split("own:1")}, {ID: "gone", Serve: split("own:2")}},
		Default: split("own:3"),
	}}
	after := &feature.Flag{Definition: feature.Definition{Key: "f"}, Configuration: feature.Configuration{
		Rules:   []feature.Rule{{Serve: split("")}, {ID: "kept", Serve: split("")}, {ID: "new", Serve: split("mine")}, {}},
		Default: split(""),
	}}
	complete(after, before)
	if id := after.Rules[0].ID; !regexp.MustCompile(feature.RuleIDPattern).MatchString(id) || id == after.Rules[3].ID || id == "gone" {
		t.Errorf("ids are %q and %q", id, after.Rules[3].ID)
	}
	for i, want := range []string{"f.", "own:1", "mine"} {
		if got := after.Rules[i].Serve.Split.Salt; got != want {
			t.Errorf("rule %d has salt %q, want %q", i, got, want)
		}
	}
	if got := after.Default.Split.Salt; got != "own:3" {
		t.Errorf("the default has salt %q", got)
	}
}
