package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/wigwag/wigwag/internal/flagfile"
	"github.com/wigwag/wigwag/internal/flagplan"
	"github.com/wigwag/wigwag/internal/gen"
)

// applyCmd makes a server have what flags files say.
type applyCmd struct {
	File    []string `short:"f" required:"" sep:"none" placeholder:"FILE" help:"File in YAML or JSON, or folder of them; all that are given are read as one. - is the standard input."`
	Env     []string `short:"e" sep:"none" placeholder:"KEY" help:"Change only this environment, and definitions; once for each. Default all that the files name."`
	DryRun  bool     `help:"Show the plan, let the server check it, and change nothing."`
	Prune   bool     `help:"Delete what the files do not have: flags of the project, unless --env is given, and segments of the environments."`
	Yes     bool     `short:"y" help:"Do not ask. It is asked only on a terminal."`
	Wait    bool     `help:"Wait until the server serves the changes to SDKs."`
	Remote  `embed:""`
	Comment `embed:""`
}

// Run plans, shows the plan, and carries it out.
func (c *applyCmd) Run(ctx context.Context, s *screen) error {
	document, _, err := readFiles(c.File)
	if err != nil {
		return notApplied(faulty(err, s.problem))
	}
	a := applying{applyCmd: c, screen: s, document: document}
	if err := a.plan(ctx); err != nil {
		return notApplied(faulty(err, s.problem))
	}
	if a.Empty() {
		return a.report(nil)
	}
	a.show()
	if !c.DryRun && !c.Yes {
		agreed, err := a.agreed(ctx)
		if err != nil {
			return err
		}
		if !agreed {
			return errors.New("nothing was changed")
		}
	}
	written, err := a.send(ctx)
	if err != nil {
		return notApplied(a.explain(err))
	}
	return a.report(written)
}

func notApplied(err error) error {
	var misuse *usageError
	if errors.As(err, &misuse) {
		return err
	}
	return fmt.Errorf("nothing was changed: %w", err)
}

// applying is one run of the command.
type applying struct {
	*applyCmd
	*flagplan.Plan
	screen     *screen
	document   *flagfile.Document
	state      *flagplan.State
	operations []flagplan.Operation
}

// plan reads what the server has and compares.
func (a *applying) plan(ctx context.Context) error {
	options := flagplan.Options{Environments: a.Env, Prune: a.applyCmd.Prune}
	reader := newStateReader(&a.Target, a.screen)
	scope := flagplan.Scope(a.document, options)
	all, err := reader.known(ctx, nil)
	if err != nil {
		return err
	}
	for _, name := range scope {
		if !slices.Contains(all, name) {
			_, err := reader.known(ctx, []string{name})
			return err
		}
	}
	if options.Prune {
		scope = all // what depends on what is found out over all of them
	}
	if a.state, err = reader.state(ctx, scope); err != nil {
		return err
	}
	if a.Plan, err = flagplan.Make(a.document, a.state, options); err != nil {
		return err
	}
	a.operations = a.Operations(a.state)
	return nil
}

// show prints the plan.
func (a *applying) show() {
	if a.json() {
		return
	}
	tones := map[flagplan.Sign]tone{flagplan.Added: good, flagplan.Removed: bad, flagplan.Changed: strong}
	for _, line := range a.Lines() {
		a.screen.line("%s%s", strings.Repeat("  ", line.Level), a.screen.paint(tones[line.Sign], string(line.Sign)+" "+line.Text))
	}
	a.keeps()
	a.screen.line("Plan: %s", plain(a.Summary()))
}

// keeps names what is not pruned.
func (a *applying) keeps() {
	for _, key := range a.Kept {
		a.screen.line("%s", a.screen.paint(faint, "  flag "+key+" is not in the files; it stays, because --env is given"))
	}
}

// agreed asks a person on a terminal whether to go on; elsewhere nobody is asked.
func (a *applying) agreed(ctx context.Context) (bool, error) {
	if slices.Contains(a.File, flagfile.Standard) || !term.IsTerminal(int(os.Stdin.Fd())) {
		return true, nil
	}
	server, err := a.Address.check()
	if err != nil {
		return false, err
	}
	fmt.Fprintf(a.screen.err, "Apply this to project %s of %s? [y/N] ", plain(a.Project), server)
	answer := make(chan string, 1)
	go func() {
		// Nothing interrupts a read of a terminal: where the command is interrupted
		// first, the program ends with it.
		var line string
		_, _ = fmt.Fscanln(os.Stdin, &line) // an empty line is no
		answer <- line
	}()
	select {
	case line := <-answer:
		line = strings.ToLower(line)
		return line == "y" || line == "yes", nil
	case <-ctx.Done():
		fmt.Fprintln(a.screen.err)
		return false, errors.New("interrupted; nothing was changed")
	}
}

// send makes the one request that carries out the plan. It is given up where
// nothing moves for too long.
func (a *applying) send(ctx context.Context) (written *gen.BatchWritten, err error) {
	body, err := encodeAsIs(map[string]any{"changes": a.operations})
	if err != nil {
		return nil, err
	}
	written = &gen.BatchWritten{}
	return written, patiently(ctx, func(ctx context.Context, watch *time.Timer) error {
		caller := httpClient()
		caller.Timeout = 0
		defer caller.CloseIdleConnections()
		silent := Remote{Target: a.Target}
		l, err := silent.connect(caller)
		if err != nil {
			return err
		}
		from := &changesBody{from: bytes.NewReader(body), watch: watch, screen: a.screen, changes: len(a.operations), size: int64(len(body))}
		defer from.end()
		response, err := l.client.ApplyChangesWithBody(ctx, a.Project,
			&gen.ApplyChangesParams{DryRun: &a.DryRun, WigwagComment: a.header()}, "application/json", from)
		if err != nil {
			return unreachable(l.server, err)
		}
		answer, err := read(l.server, response)
		if err != nil {
			return l.explain(err)
		}
		if err := json.Unmarshal(answer, written); err != nil {
			return unlike(l.server, err)
		}
		if a.Wait && !a.DryRun {
			return awaitServed(ctx, l.server, answer)
		}
		return nil
	})
}

// changesBody is the body of the request: it shows how much of it is sent, and then
// that the server is at work.
type changesBody struct {
	from    *bytes.Reader
	watch   *time.Timer
	screen  *screen
	changes int
	size    int64
	shown   *progress
	working bool
}

func (b *changesBody) Read(p []byte) (int, error) {
	n, err := b.from.Read(p)
	b.watch.Reset(silence)
	switch {
	case b.shown == nil:
		b.shown = newProgress(b.screen, "bytes sent:", b.size)
	case errors.Is(err, io.EOF) && !b.working:
		b.shown.end()
		b.working = true
		b.shown = newProgress(b.screen, "the server makes the changes:", 0)
		b.shown.at(int64(b.changes))
	}
	if !b.working {
		b.shown.at(b.size - int64(b.from.Len()))
	}
	return n, err
}

func (b *changesBody) end() {
	if b.shown != nil {
		b.shown.end()
	}
}

// explain says of a refusal what it means for the files.
func (a *applying) explain(err error) error {
	var answer *answerError
	if !errors.As(err, &answer) {
		return err
	}
	for _, field := range answer.fields {
		operation, path := a.operationAt(field.Path)
		if operation == nil {
			continue
		}
		key, environment, segment := operation.About()
		at := a.document.FlagPlace(key, environment, path)
		if segment {
			at = a.document.SegmentPlace(key, environment, path)
		}
		a.screen.problem("%s", plain(flagfile.Fault{Place: at, Message: field.Message}.String()))
	}
	if answer.status == http.StatusPreconditionFailed {
		return fmt.Errorf("somebody changed the server meanwhile: %w Look at it and apply again", err)
	}
	return err
}

// operationAt returns the operation that a field of the request is of, and the path
// in its document.
func (a *applying) operationAt(field string) (*flagplan.Operation, string) {
	var i int
	if _, err := fmt.Sscanf(field, "changes[%d]", &i); err != nil || i < 0 || i >= len(a.operations) {
		return nil, ""
	}
	_, path, _ := strings.Cut(field, "].")
	for _, body := range []string{"document", "patch"} {
		if rest, ok := strings.CutPrefix(path, body); ok {
			return &a.operations[i], strings.TrimPrefix(rest, ".")
		}
	}
	return &a.operations[i], path
}

// report says what was done.
func (a *applying) report(written *gen.BatchWritten) error {
	if a.json() {
		return a.reportJSON(written)
	}
	s := a.screen
	switch {
	case written == nil:
		a.keeps()
		s.line("Nothing to change: %s is as the files say (%s, %s)", plain(a.Project),
			counted(len(a.document.Flags), "flag"), counted(len(a.document.Segments), "segment"))
	case a.DryRun:
		s.line("Dry run: the server would take this; nothing was changed")
	default:
		rows := [][]string{{"applied", s.paint(good, a.Summary())}}
		for _, name := range slices.Sorted(maps.Keys(written.Environments)) {
			rows = append(rows, []string{s.paint(neutral, "in "+name), "position " + written.Environments[name].String()})
		}
		s.fields(rows...)
	}
	return nil
}

func (a *applying) reportJSON(written *gen.BatchWritten) error {
	outcome := map[string]any{
		"applied": written != nil && !a.DryRun, "changes": []flagplan.Operation{}, "kept": a.Kept, "summary": a.Summary(),
	}
	if a.Kept == nil {
		outcome["kept"] = []string{}
	}
	if written != nil {
		outcome["changes"] = a.operations
		outcome["environments"] = written.Environments
	}
	body, err := json.Marshal(outcome)
	if err != nil {
		return err
	}
	if body, err = a.form(body); err != nil {
		return err
	}
	a.screen.json(body)
	return nil
}
