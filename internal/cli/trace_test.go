package cli

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/wigwag/wigwag/eval"
)

func TestTree(t *testing.T) {
	// Every form of step and node that api/evaluation.md has.
	const document = `{"flag":"k","steps":[
	  {"step":"state","state":"ENABLED"},
	  {"step":"prerequisite","flag":"p","variants":["on","auto"],"variant":"on","holds":true,"trace":{"flag":"p","steps":[{"step":"state","state":"DISABLED"}]}},
	  {"step":"prerequisite","flag":"gone","holds":false},
	  {"step":"override","variant":"on","holds":false},
	  {"step":"rule","rule":"r1","name":"a name","holds":false,"when":{"all":[
	    {"not":{"attribute":"n","op":"exists","value":7,"holds":true},"holds":false}],"holds":false}},
	  {"step":"rule","rule":"r2","holds":false,"when":{"any":[],"holds":false}},
	  {"step":"rule","rule":"r3","holds":true,"when":{"any":[
	    {"segment":"s","holds":false,"by":"when","when":{"attribute":"plan","op":"in","values":["a",1],"holds":false}},
	    {"segment":"none","holds":false,"by":"none"},{"segment":"out","holds":false,"by":"excluded"},
	    {"segment":"in","holds":true,"by":"included"}],"holds":true}},
	  {"step":"default"},
	  {"step":"split","by":"targetingKey","value":"u1","salt":"k.","hash":1944616739,"bucket":45276,"boundaries":[["a",0],["on",25000],["off",100000]],"variant":"off"},
	  {"step":"split","by":"org.id","salt":"k.","boundaries":[["on",100000]],"variant":"off"},
	  {"step":"of tomorrow"}]}`
	const want = `k
├─ ✓ state: ENABLED
├─ ✓ prerequisite: p must be on or auto, is on
│  └─ ✗ state: DISABLED
├─ ✗ prerequisite: gone must be something it never is, but it has none
├─ ✗ override: the targeting key is listed for on
├─ ✗ rule: r1 (a name)
│  └─ ✗ all of
│     └─ ✗ not
│        └─ ✓ n exists: it is 7
├─ ✗ rule: r2
│  └─ ✗ any of
├─ ✓ rule: r3
│  └─ ✓ any of
│     ├─ ✗ in segment s: by its condition
│     │  └─ ✗ plan in "a", 1: there is no plan
│     ├─ ✗ in segment none: not included, and it has no condition
│     ├─ ✗ in segment out: the targeting key is excluded
│     └─ ✓ in segment in: the targeting key is included
├─ default: nothing above decided
├─ split by targetingKey: "u1" with the salt "k." hashes to 1944616739, bucket 45276 of 100000: off
│  ├─ ✗ a: no bucket
│  ├─ ✗ on: buckets 0 to 24999
│  └─ ✓ off: buckets 25000 to 99999
├─ split by org.id: nothing to split by, so the off variant off
│  └─ on: buckets 0 to 99999
└─ of tomorrow
`
	var read eval.Trace
	if err := json.Unmarshal([]byte(document), &read); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	(&screen{out: &out}).tree(traceBranch(&read))
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}
