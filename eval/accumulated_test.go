package eval_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"runtime/debug"
	"slices"
	"testing"

	"github.com/wigwag/wigwag/eval"
	"github.com/wigwag/wigwag/eval/internal/evaltest"
	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/vectors"
)

// Of so many generated cases the lines, and the traces, are compared one by one
// with those of the reference, to name the first that differs. The hash speaks
// for the rest.
const (
	comparedLines  = 50_000
	comparedTraces = 10_000
)

func TestAccumulated(t *testing.T) {
	accumulated, err := vectors.ReadAccumulated()
	if err != nil {
		t.Fatal(err)
	}
	if testing.Short() || raceDetector() {
		accumulated.Hashes = accumulated.Hashes[:2]
	}
	run := accumulatedRun{want: accumulated.Hashes}
	sum := sha256.New()
	for generator := accumulated.Generator(); len(run.want) > 0; {
		round := generator.Round()
		program := eval.Compile(flagSet(raw(t, round.Flags), raw(t, round.Segments), raw(t, round.Keys)))
		reference := evaltest.NewReference(round.Flags, round.Segments, round.Keys)
		for _, document := range round.Contexts {
			var context feature.EvaluationContext
			if err := json.Unmarshal(marshal(t, document), &context); err != nil {
				t.Fatal(err)
			}
			for _, flag := range round.Flags {
				key := flag["key"].(string)
				run.line = appendLine(run.line[:0], key, program.Resolve(key, &context))
				if run.n++; run.n <= comparedLines {
					result := reference.Resolve(key, document)
					run.compare(t, program, key, &context, &result)
				}
				sum.Write(run.line)
				if len(run.want) > 0 && run.n == run.want[0].Cases {
					if got := hex.EncodeToString(sum.Sum(nil)); got != run.want[0].SHA256 {
						t.Errorf("after %d cases the hash is %s, not %s", run.n, got, run.want[0].SHA256)
					}
					run.want = run.want[1:]
				}
				if t.Failed() {
					t.Fatalf("case %d: flag %s of\n%s\nwith segments\n%s\nand shards\n%s\nfor\n%s", run.n, key,
						marshal(t, round.Flags), marshal(t, round.Segments), marshal(t, round.Keys), marshal(t, document))
				}
			}
		}
	}
}

// raceDetector reports whether the tests run under it: the full run would take
// minutes there, and has only one goroutine.
func raceDetector() bool {
	info, _ := debug.ReadBuildInfo()
	return info != nil && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}

type accumulatedRun struct {
	n    int
	line []byte
	want []vectors.AccumulatedHash
}

func (r *accumulatedRun) compare(t *testing.T, program *eval.Program, key string, context *feature.EvaluationContext, result *evaltest.Result) {
	t.Helper()
	want, err := evaltest.AppendLine(nil, key, result)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != string(r.line) {
		t.Errorf("got  %swant %s", r.line, want)
	}
	if r.n > comparedTraces {
		return
	}
	_, trace := program.Explain(key, context)
	if got, want := marshal(t, trace), marshal(t, result.Trace); !sameJSON(t, got, want) {
		t.Errorf("got the trace\n%s\nwant\n%s", got, want)
	}
}

func appendLine(b []byte, flag string, d *feature.ResolutionDetails) []byte {
	for _, field := range []string{flag, d.Variant, string(d.Reason), d.RuleID, string(d.ErrorCode)} {
		b = append(append(b, field...), '\t')
	}
	return append(d.Value.AppendJSON(b), '\n')
}

func raw(t *testing.T, documents []map[string]any) []json.RawMessage {
	t.Helper()
	bodies := make([]json.RawMessage, len(documents))
	for i := range documents {
		bodies[i] = marshal(t, documents[i])
	}
	return bodies
}

func marshal(t *testing.T, v any) []byte {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
