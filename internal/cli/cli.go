// Package cli is the command line: it starts a server, or speaks to one by its
// API. Commands write their result to standard output; what went wrong is one
// line on standard error, and the exit code says of what sort it was.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/alecthomas/kong"
)

// The exit codes.
const (
	exitOK      = 0
	exitFailure = 1
	exitUsage   = 2
)

const description = "Feature flags in real time: a server, and the commands that manage its flags."

// grammar is every command; the tags are kong's.
type grammar struct {
	Serve serveCmd `cmd:"" help:"Run a server."`
	Dev   devCmd   `cmd:"" help:"Run a server on this machine with a project to try."`
	Flags flagsCmd `cmd:"" help:"List, create, enable and disable flags."`

	Projects     projectsCmd     `cmd:"" help:"List, create, change, archive and delete projects."`
	Environments environmentsCmd `cmd:"" help:"List, create, change, archive, delete, copy and compare environments."`

	Rules    rulesCmd    `cmd:"" help:"List, add, change, remove and move the rules of a flag."`
	Segments segmentsCmd `cmd:"" help:"List, create, change and delete segments."`
	Validate validateCmd `cmd:"" help:"Check flags files without a server."`
	Apply    applyCmd    `cmd:"" help:"Make a project be as flags files say."`
	Export   exportCmd   `cmd:"" help:"Write a project as flags files."`
	Generate generateCmd `cmd:"" help:"Generate files for other tools."`
	Evaluate evaluateCmd `cmd:"" help:"Resolve a flag for a context, as an SDK would."`
	History  historyCmd  `cmd:"" help:"Show who changed what, when and why."`
	Diff     diffCmd     `cmd:"" help:"Compare two versions of an environment, field by field."`
	Restore  restoreCmd  `cmd:"" help:"Put back a flag, a segment or an environment to an earlier version."`

	Keys    sdkKeysCmd `cmd:"" help:"List, create, rotate and revoke the keys that SDKs use."`
	Tokens  tokensCmd  `cmd:"" help:"List, create, rotate and revoke API tokens."`
	Login   loginCmd   `cmd:"" help:"Save a server and an API token for it, and use them from now on."`
	Whoami  whoamiCmd  `cmd:"" help:"Show the server and the API token in use."`
	Context contextCmd `cmd:"" help:"List, use and forget the servers of wigwag login."`

	Tail    tailCmd    `cmd:"" help:"Follow the changes of an environment as they happen."`
	Health  healthCmd  `cmd:"" help:"Ask whether the server runs."`
	Ready   readyCmd   `cmd:"" help:"Ask whether the server is ready to serve flags."`
	Config  configCmd  `cmd:"" help:"Check the configuration of a server."`
	Version versionCmd `cmd:"" help:"Print the version."`

	Completion completionCmd `cmd:"" help:"Print what teaches a shell to complete commands."`
	Docs       docsCmd       `cmd:"" help:"Write manual pages and the reference of all commands."`
	Complete   completeCmd   `cmd:"" hidden:""`
}

// Main runs the program with its arguments, the name it was called by first, and
// returns the exit code: 0, 1 for a failure, 2 for a mistake in the call. An
// interrupt or SIGTERM asks it to end; a second one ends it at once.
func Main(args []string, stdout, stderr io.Writer) int {
	ctx, stop := interruptible()
	defer stop()

	err := run(ctx, args, newScreen(stdout, stderr))
	var usage *usageError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &usage):
		fmt.Fprintln(stderr, "wigwag: "+plain(err.Error()))
		return exitUsage
	default:
		fmt.Fprintln(stderr, "wigwag: "+plain(err.Error()))
		return exitFailure
	}
}

func run(ctx context.Context, args []string, s *screen) error {
	helped := false
	parser, err := kong.New(&grammar{},
		kong.Name("wigwag"),
		kong.Description(description),
		kong.Writers(s.out, s.err),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true}),
		kong.Exit(func(int) { helped = true }), // only --help asks to exit
		kong.Bind(s, invocation(args)),
		kong.BindTo(ctx, (*context.Context)(nil)),
	)
	if err != nil {
		return err
	}
	arguments := args[min(1, len(args)):]
	if len(arguments) == 0 {
		arguments = []string{"--help"}
	}
	command, err := parser.Parse(arguments)
	if helped {
		return nil // parsing went on behind the help and may have failed
	}
	var mistake *kong.ParseError
	if errors.As(err, &mistake) {
		return &usageError{mistake.Unwrap().Error() + "; see " + path(mistake.Context) + " --help"}
	}
	if err != nil {
		return err
	}
	return command.Run()
}

// path is the command that was meant, as far as it was understood.
func path(c *kong.Context) string {
	if c == nil || c.Selected() == nil {
		return "wigwag"
	}
	return "wigwag " + c.Selected().Path()
}
