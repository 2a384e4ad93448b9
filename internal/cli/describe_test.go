package cli

import (
	"encoding/json"
	"testing"

	"github.com/wigwag/wigwag/feature"
)

func TestDescribeCondition(t *testing.T) {
	tests := map[string]string{
		`{"attribute":"plan","op":"in","values":["pro",1,true]}`:                                                      `plan in "pro", 1, true`,
		`{"attribute":"name","op":"exists"}`:                                                                          `name exists`,
		`{"segment":"beta"}`:                                                                                          `in segment beta`,
		`{"not":{"any":[{"segment":"a"},{"segment":"b"}]}}`:                                                           `not (in segment a or in segment b)`,
		`{"all":[{"segment":"a"},{"any":[{"segment":"b"},{"segment":"c"}]}]}`:                                         `in segment a and (in segment b or in segment c)`,
		`{"any":[{"all":[{"segment":"a"}]},{"all":[{"segment":"b"},{"not":{"segment":"c"}}]}]}`:                       `in segment a or (in segment b and not in segment c)`,
		`{"all":[{"attribute":"v","op":"semver_gte","values":["1.2.0"]},{"attribute":"s","op":"lt","values":[1.5]}]}`: `v semver_gte "1.2.0" and s lt 1.5`,
	}
	for document, want := range tests {
		var c feature.Condition
		if err := json.Unmarshal([]byte(document), &c); err != nil {
			t.Fatal(err)
		}
		if got := describeCondition(&c, false); got != want {
			t.Errorf("%s\n got %s\nwant %s", document, got, want)
		}
	}
}

func TestDescribeServe(t *testing.T) {
	tests := map[string]string{
		`{"variant":"on"}`: "on",
		`{"split":{"salt":"s","weights":[["on",25000],["off",75000]]}}`:                        "25% on, 75% off",
		`{"split":{"by":"org.id","salt":"s","weights":[["a",1],["b",33333],["c",66666]]}}`:     "0.001% a, 33.333% b, 66.666% c by org.id",
		`{"split":{"by":"targetingKey","salt":"s","weights":[["on",100000]]}}`:                 "100% on",
		`{"split":{"by":"plan","salt":"s","weights":[["on",50500],["off",49500],["auto",0]]}}`: "50.5% on, 49.5% off, 0% auto by plan",
	}
	for document, want := range tests {
		var serve feature.Serve
		if err := json.Unmarshal([]byte(document), &serve); err != nil {
			t.Fatal(err)
		}
		if got := describeServe(&serve); got != want {
			t.Errorf("%s: %s, want %s", document, got, want)
		}
	}
}
