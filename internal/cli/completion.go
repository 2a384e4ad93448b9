package cli

import (
	"context"
	"embed"
	"fmt"
	"strings"
	"time"
)

// completionCmd prints what teaches a shell to complete commands.
type completionCmd struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"The shell: bash, zsh or fish."`
}

// Help says how to install it.
func (completionCmd) Help() string {
	return strings.TrimSpace(`
Commands, options and their values are completed, and the keys of projects,
environments, flags and segments, for which the server is asked.

For bash, put this into ~/.bashrc:

    source <(wigwag completion bash)

For zsh, put this into ~/.zshrc, behind compinit:

    source <(wigwag completion zsh)

For fish, write the file once:

    wigwag completion fish > ~/.config/fish/completions/wigwag.fish
`)
}

//go:embed completion.bash completion.zsh completion.fish
var completionScripts embed.FS

// Run prints the script.
func (c *completionCmd) Run(s *screen) error {
	script, err := completionScripts.ReadFile("completion." + c.Shell)
	if err != nil {
		return err
	}
	s.line("%s", strings.TrimRight(string(script), "\n"))
	return nil
}

// completeCmd is what the scripts of completion call; people do not.
type completeCmd struct {
	Words []string `arg:"" optional:"" help:"The words behind the program's name, the last one as far as it is typed."`
}

// completionTime bounds how long somebody waits for a suggestion of the server's.
const completionTime = 2 * time.Second

// Run prints a suggestion a line, with a tab and what it is for behind those that
// have a help; a line :files asks for the names of files.
func (c *completeCmd) Run(ctx context.Context, s *screen) error {
	parser, _, err := model()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, completionTime)
	defer cancel()
	suggested := complete(parser.Model, c.Words, func(what string, given map[string]string) []suggestion {
		return keysOf(ctx, what, given)
	})
	for _, one := range suggested.list {
		line := plain(one.text)
		if one.help != "" {
			line += "\t" + plain(one.help)
		}
		fmt.Fprintln(s.out, line)
	}
	if suggested.files {
		fmt.Fprintln(s.out, ":files")
	}
	return nil
}
