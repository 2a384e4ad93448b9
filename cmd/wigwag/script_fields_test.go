package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// scriptTake sets a variable to a field of the last output.
func scriptTake(ts *testscript.TestScript, neg bool, args []string) {
	wants(ts, neg, len(args) == 2, "take PATH VAR")
	var value any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &value))
	for name := range strings.SplitSeq(args[0], ".") {
		switch inside := value.(type) {
		case map[string]any:
			value = inside[name]
		case []any:
			i, err := strconv.Atoi(name)
			if err != nil || i >= len(inside) {
				ts.Fatalf("no %s in %v", name, inside)
			}
			value = inside[i]
		}
	}
	text, ok := value.(string)
	if !ok {
		ts.Fatalf("%s is no text", args[0])
	}
	ts.Setenv(args[1], text)
}

// scriptMode wants a file to have a mode, in octal.
func scriptMode(ts *testscript.TestScript, neg bool, args []string) {
	wants(ts, neg, len(args) == 2, "mode FILE MODE")
	info, err := os.Stat(ts.MkAbs(args[0]))
	ts.Check(err)
	if mode := fmt.Sprintf("%o", info.Mode().Perm()); mode != args[1] {
		ts.Fatalf("%s has mode %s", args[0], mode)
	}
}
