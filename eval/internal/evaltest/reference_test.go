package evaltest_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"reflect"
	"testing"

	"github.com/wigwag/wigwag/eval/internal/evaltest"
	"github.com/wigwag/wigwag/vectors"
)

// The reference is trusted only as far as it passes the same cases.
func TestReference(t *testing.T) {
	files, err := vectors.Files()
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		t.Run(file.Topic, func(t *testing.T) {
			references := map[string]*evaltest.Reference{}
			for name, set := range file.FlagSets {
				references[name] = evaltest.NewReference(decode(t, set.Flags), decode(t, set.Segments), decode(t, set.Keys))
			}
			for _, c := range file.Cases {
				t.Run(c.Name, func(t *testing.T) {
					var context evaltest.Object
					unmarshal(t, c.Context, &context)
					got := references[c.FlagSet].Resolve(c.Flag, context)
					want := evaltest.Result{
						Variant: c.Expect.Variant, Reason: c.Expect.Reason, Rule: c.Expect.Rule, ErrorCode: c.Expect.ErrorCode,
						Trace: got.Trace,
					}
					if c.Expect.Value != nil {
						unmarshal(t, c.Expect.Value, &want.Value)
					}
					if c.Expect.Trace != nil {
						want.Trace = nil
						unmarshal(t, c.Expect.Trace, &want.Trace)
					}
					if !reflect.DeepEqual(got, want) {
						t.Errorf("got  %s\nwant %s", text(t, got), text(t, want))
					}
				})
			}
		})
	}
}

var full = flag.Bool("full", false, "interpret all accumulated cases, as when their hash is made anew")

// In every run package eval is compared with the hash of all cases; this only
// says whose hash it is.
func TestReferenceAccumulated(t *testing.T) {
	accumulated, err := vectors.ReadAccumulated()
	if err != nil {
		t.Fatal(err)
	}
	if !*full {
		accumulated.Hashes = accumulated.Hashes[:2]
	}
	generator, sum, n := accumulated.Generator(), sha256.New(), 0
	reasons := map[string]int{}
	for len(accumulated.Hashes) > 0 {
		round := generator.Round()
		reference := evaltest.NewReference(round.Flags, round.Segments, round.Keys)
		for _, context := range round.Contexts {
			for _, document := range round.Flags {
				key := document["key"].(string)
				result := reference.Resolve(key, context)
				line, err := evaltest.AppendLine(nil, key, &result)
				if err != nil {
					t.Fatal(err)
				}
				sum.Write(line)
				reasons[result.Reason]++
				n++
				want := accumulated.Hashes[0]
				if n < want.Cases {
					continue
				}
				if got := hex.EncodeToString(sum.Sum(nil)); got != want.SHA256 {
					t.Errorf("after %d cases the hash is %s, not %s", n, got, want.SHA256)
				}
				if accumulated.Hashes = accumulated.Hashes[1:]; len(accumulated.Hashes) == 0 {
					t.Logf("reasons: %v", reasons)
					return
				}
			}
		}
	}
}

func decode(t *testing.T, documents []json.RawMessage) []evaltest.Object {
	t.Helper()
	objects := make([]evaltest.Object, len(documents))
	for i := range documents {
		unmarshal(t, documents[i], &objects[i])
	}
	return objects
}

func unmarshal(t *testing.T, data []byte, target any) {
	t.Helper()
	if err := json.Unmarshal(data, target); err != nil {
		t.Fatal(err)
	}
}

func text(t *testing.T, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
