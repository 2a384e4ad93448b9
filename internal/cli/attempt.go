package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"

	"github.com/alecthomas/kong"
	"golang.org/x/term"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/gen"
)

// Attempt is how something is changed: why, whether only to try, on what
// condition, and what to wait for. All but the first two are seen to by
// [Remote.ask], for every command alike.
type Attempt struct {
	Comment        `embed:""`
	DryRun         bool   `help:"Change nothing, only say what would be changed."`
	IfMatch        string `placeholder:"POSITION" help:"Only if it has not changed since this position, such as that of an earlier answer."`
	IdempotencyKey string `placeholder:"KEY" help:"Name this one change, so that the same command can be repeated safely for 24 hours."`
	Wait           bool   `help:"Wait until the server serves the change to SDKs."`
	Quiet          bool   `short:"q" help:"Print nothing but errors."`
}

type attemptKey struct{}

// AfterApply makes the options count for the requests that the command will make.
func (a *Attempt) AfterApply(ctx context.Context, s *screen, command *kong.Context) error {
	if a.IfMatch != "" {
		var position gen.Position
		if err := position.UnmarshalText([]byte(strings.Trim(a.IfMatch, `"`))); err != nil || position.IsZero() {
			return misused("--if-match %q is no position; give one as it was printed, such as 0197f3c2-9c01:42", a.IfMatch)
		}
		a.IfMatch = position.String()
	}
	if a.Quiet {
		s.out = io.Discard
	}
	command.BindTo(context.WithValue(ctx, attemptKey{}, a), (*context.Context)(nil))
	return nil
}

// attemptOf returns how the command under way changes something, nil where it does
// not.
func attemptOf(ctx context.Context) *Attempt {
	a, _ := ctx.Value(attemptKey{}).(*Attempt)
	return a
}

// prepare adds the condition and the name of the change to a request that writes.
func (a *Attempt) prepare(_ context.Context, request *http.Request) error {
	if a == nil || request.Method == http.MethodGet || request.Method == http.MethodHead {
		return nil
	}
	if a.IfMatch != "" {
		request.Header.Set("If-Match", strconv.Quote(a.IfMatch))
	}
	if a.IdempotencyKey != "" {
		request.Header.Set("Idempotency-Key", a.IdempotencyKey)
	}
	return nil
}

// dryRun is the parameter of the API, nil where it is not asked for.
func (a *Attempt) dryRun() *bool {
	if !a.DryRun {
		return nil
	}
	return &a.DryRun
}

// printChanges says what a write changed, or would change.
func (a *Attempt) printChanges(s *screen, changes gen.ItemChanges) {
	would := ""
	if a.DryRun {
		would = "would "
		s.line("This is a dry run; nothing was changed.")
	}
	if len(changes) == 0 {
		s.line("Everything is so already.")
	}
	for _, c := range changes {
		where := ""
		if c.Environment != "" {
			where = " in " + c.Environment
		}
		s.line("%s%s %s %s%s", would, string(c.Action), plain(c.Kind), plain(c.Key), plain(where))
		s.fieldChanges(c.Before, c.After)
	}
}

// fieldChanges prints the fields in which a document that was changed differs from
// what it was; nothing where one of the two is not known.
func (s *screen) fieldChanges(before, after json.RawMessage) {
	if before == nil || after == nil {
		return
	}
	var was, is feature.Value
	if json.Unmarshal(before, &was) != nil || json.Unmarshal(after, &is) != nil {
		return
	}
	for _, d := range compareDocuments(&was, &is) {
		s.line("  %s", s.paint(signTones[d.sign], string(d.sign)+" "+d.path+": "+d.text))
	}
}

// Confirmation is asked for where something cannot be undone.
type Confirmation struct {
	Yes bool `help:"Do not ask; needed where nobody can be asked."`
}

// confirm asks on a terminal whether to delete, and elsewhere wants --yes.
func (c *Confirmation) confirm(s *screen, what, key string) error {
	if c.Yes {
		return nil
	}
	if !term.IsTerminal(int(os.Stdin.Fd())) {
		return misused("deleting %s %s cannot be undone; say --yes to do it", what, key)
	}
	return askFor(os.Stdin, s.err, what, key)
}

// askFor wants the key to be typed.
func askFor(in io.Reader, out io.Writer, what, key string) error {
	fmt.Fprintf(out, "Deleting %s %s cannot be undone. Type its key to go on: ", what, plain(key))
	line, err := bufio.NewReader(in).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if strings.TrimSpace(line) != key {
		return errors.New("that is not its key; nothing was deleted")
	}
	return nil
}
