package vectors_test

import (
	"encoding/json"
	"testing"

	"github.com/wigwag/wigwag/vectors"
)

// A case that contradicts the format would be skipped or misread by some of the
// evaluators that read it.
func TestFilesKeepTheirFormat(t *testing.T) {
	files, err := vectors.Files()
	if err != nil {
		t.Fatal(err)
	}
	total := 0
	for _, file := range files {
		if file.Description == "" || len(file.Cases) == 0 {
			t.Errorf("%s: no description or no cases", file.Topic)
		}
		total += len(file.Cases)
		for name, set := range file.FlagSets {
			checkKeys(t, file.Topic+": "+name+" flags", set.Flags)
			checkKeys(t, file.Topic+": "+name+" segments", set.Segments)
		}
		names := map[string]bool{}
		for _, c := range file.Cases {
			if c.Name == "" || names[c.Name] {
				t.Errorf("%s: the name %q is empty or used twice", file.Topic, c.Name)
			}
			names[c.Name] = true
			if _, ok := file.FlagSets[c.FlagSet]; !ok {
				t.Errorf("%s: %s: there is no flag set %q", file.Topic, c.Name, c.FlagSet)
			}
			failed := c.Expect.ErrorCode != ""
			if failed != (c.Expect.Reason == "ERROR") || failed == (c.Expect.Value != nil) || failed == (c.Expect.Variant != "") {
				t.Errorf("%s: %s: the expectation is neither of an error nor of a variant", file.Topic, c.Name)
			}
		}
	}
	if total < 1000 {
		t.Errorf("only %d cases were read", total)
	}
}

func checkKeys(t *testing.T, where string, documents []json.RawMessage) {
	t.Helper()
	seen := map[string]bool{}
	for _, document := range documents {
		var named struct {
			Key string `json:"key"`
		}
		if err := json.Unmarshal(document, &named); err != nil || named.Key == "" || seen[named.Key] {
			t.Errorf("%s: the key of %.80s is absent or used twice (%v)", where, document, err)
		}
		seen[named.Key] = true
	}
}

func TestOtherFiles(t *testing.T) {
	if buckets, err := vectors.Bucketing(); err != nil || len(buckets) == 0 {
		t.Errorf("%d buckets: %v", len(buckets), err)
	}
	if calls, err := vectors.TypedCalls(); err != nil || len(calls) == 0 {
		t.Errorf("%d typed calls: %v", len(calls), err)
	}
}

func TestGeneratorIsRepeatable(t *testing.T) {
	accumulated, err := vectors.ReadAccumulated()
	if err != nil {
		t.Fatal(err)
	}
	a, b := accumulated.Generator(), accumulated.Generator()
	for range 3 {
		first, err := json.Marshal(a.Round())
		if err != nil {
			t.Fatal(err)
		}
		second, err := json.Marshal(b.Round())
		if err != nil {
			t.Fatal(err)
		}
		if string(first) != string(second) {
			t.Fatal("two generators of one seed differ")
		}
	}
}
