package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "write what is printed into the scripts that compare it")

// TestScripts runs testdata/*.txtar. Besides testscript's own commands they have:
//
//	start NAME ARG…            runs wigwag in the background
//	await NAME PATTERN [VAR]   waits until it prints a match; VAR is set to the first group
//	end NAME SIGNAL CODE       sends TERM, INT or KILL, and wants that exit code
//	                           (-1 is the signal); what it printed is NAME.out and NAME.err
//	exits CODE PROGRAM ARG…    is exec, and wants that exit code
//	json PATH VALUE            wants a field of the last output, such as item.state
//	take PATH VAR              sets VAR to a field of the last output
//	mode FILE MODE             wants a file to have a mode, such as 600
//	fetch PATH KEY FILE        writes what a GET of $WIGWAG_URL answers, and a line break
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		UpdateScripts:       *update,
		Setup: func(e *testscript.Env) error {
			e.Values[running{}] = map[string]*process{}
			// Programs with the race detector sleep a second when they end, for reports
			// that are late; the scripts end hundreds of them.
			e.Setenv("GORACE", "atexit_sleep_ms=0")
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"start": scriptStart,
			"await": scriptAwait,
			"end":   scriptEnd,
			"exits": scriptExits,
			"json":  scriptJSON,
			"take":  scriptTake,
			"mode":  scriptMode,
			"fetch": scriptFetch,
		},
	})
}

// running is the key of a script's processes by name.
type running struct{}

func named(ts *testscript.TestScript, name string) *process {
	p := ts.Value(running{}).(map[string]*process)[name]
	if p == nil {
		ts.Fatalf("nothing named %s was started", name)
	}
	return p
}

func wants(ts *testscript.TestScript, neg bool, ok bool, usage string) {
	if neg || !ok {
		ts.Fatalf("usage: %s", usage)
	}
}

func scriptStart(ts *testscript.TestScript, neg bool, args []string) {
	wants(ts, neg, len(args) >= 2, "start NAME ARG…")
	env := []string{"HOME=" + ts.Getenv("HOME"), "PATH=" + ts.Getenv("PATH"), "TMPDIR=" + ts.Getenv("TMPDIR"), "GORACE=" + ts.Getenv("GORACE")}
	for _, name := range wigwagVariables {
		if value := ts.Getenv(name); value != "" {
			env = append(env, name+"="+value)
		}
	}
	p, err := start(ts.MkAbs("."), env, args[1:]...)
	ts.Check(err)
	ts.Value(running{}).(map[string]*process)[args[0]] = p
	ts.Defer(p.kill)
}

// wigwagVariables are passed on to what a script starts.
var wigwagVariables = []string{
	"WIGWAG_URL", "WIGWAG_KEY", "WIGWAG_CONFIG", "WIGWAG_ADDR", "WIGWAG_OPS_ADDR", "WIGWAG_DATABASE", "WIGWAG_LOG_FORMAT",
	"WIGWAG_BOOTSTRAP_TOKEN", "WIGWAG_BOOTSTRAP_TOKEN_FILE", "WIGWAG_BOOTSTRAP_SERVER_KEY", "WIGWAG_BOOTSTRAP_SERVER_KEY_FILE",
	"WIGWAG_BOOTSTRAP_CLIENT_KEY", "WIGWAG_BOOTSTRAP_CLIENT_KEY_FILE",
}

func scriptAwait(ts *testscript.TestScript, neg bool, args []string) {
	wants(ts, neg, len(args) == 2 || len(args) == 3, "await NAME PATTERN [VAR]")
	pattern, err := regexp.Compile("(?m)" + args[1])
	ts.Check(err)
	found, err := named(ts, args[0]).await(pattern)
	ts.Check(err)
	if len(args) == 3 {
		ts.Setenv(args[2], found[1])
	}
}

func scriptEnd(ts *testscript.TestScript, neg bool, args []string) {
	wants(ts, neg, len(args) == 3, "end NAME SIGNAL CODE")
	signals := map[string]os.Signal{"TERM": syscall.SIGTERM, "INT": syscall.SIGINT, "KILL": syscall.SIGKILL}
	p := named(ts, args[0])
	ts.Check(p.stop(signals[args[1]]))
	out, problems, _ := p.output()
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".out"), []byte(out), 0o600))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".err"), []byte(problems), 0o600))
	if code := strconv.Itoa(p.state.ExitCode()); code != args[2] {
		ts.Fatalf("%s ended with %s\n%s%s", args[0], p.state, out, problems)
	}
}

func scriptExits(ts *testscript.TestScript, neg bool, args []string) {
	wants(ts, neg, len(args) >= 2, "exits CODE PROGRAM ARG…")
	code := "0"
	var exit *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &exit) {
		code = strconv.Itoa(exit.ExitCode())
	} else {
		ts.Check(err)
	}
	if code != args[0] {
		ts.Fatalf("it exited with %s", code)
	}
}

func scriptJSON(ts *testscript.TestScript, neg bool, args []string) {
	wants(ts, neg, len(args) == 2, "json PATH VALUE")
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
		default:
			ts.Fatalf("no %s in %v", name, value)
		}
	}
	if got := fmt.Sprint(value); got != args[1] {
		ts.Fatalf("%s is %s, not %s", args[0], got, args[1])
	}
}

func scriptFetch(ts *testscript.TestScript, neg bool, args []string) {
	wants(ts, neg, len(args) == 3, "fetch PATH KEY FILE")
	request, err := http.NewRequest(http.MethodGet, ts.Getenv("WIGWAG_URL")+args[0], nil)
	ts.Check(err)
	request.Header.Set("Authorization", "Bearer "+args[1])
	client := &http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	ts.Check(err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), append(body, '\n'), 0o600))
}
