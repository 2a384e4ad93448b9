package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/alecthomas/kong"
)

// docsCmd writes what is known of the commands into documents.
type docsCmd struct {
	Man      manCmd      `cmd:"" help:"Write a manual page for each command into a folder."`
	Markdown markdownCmd `cmd:"" help:"Print the reference of all commands in Markdown."`
}

// manCmd writes manual pages.
type manCmd struct {
	Dir string `arg:"" help:"The folder; it is made where it does not exist."`
}

// Help says what to do with them.
func (manCmd) Help() string {
	return strings.TrimSpace(`
The pages are named wigwag.1, wigwag-flags.1, wigwag-flags-list.1 and so on; those
that are there are replaced. To install them for everybody:

    wigwag docs man /usr/local/share/man/man1
`)
}

// Run writes them.
func (c *manCmd) Run(s *screen) error {
	parser, _, err := model()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(c.Dir, 0o755); err != nil {
		return fmt.Errorf("manual pages: %w", err)
	}
	pages := 0
	for _, n := range commands(parser.Model.Node) {
		file := filepath.Join(c.Dir, manName(n)+".1")
		if err := os.WriteFile(file, []byte(manPage(n)), 0o644); err != nil {
			return fmt.Errorf("manual pages: %w", err)
		}
		pages++
	}
	s.line("Wrote %d pages into %s. Read one with: man -l %s", pages, c.Dir, filepath.Join(c.Dir, "wigwag.1"))
	return nil
}

// markdownCmd prints the reference.
type markdownCmd struct{}

// Run prints it.
func (markdownCmd) Run(s *screen) error {
	parser, _, err := model()
	if err != nil {
		return err
	}
	fmt.Fprint(s.out, reference(parser.Model.Node))
	return nil
}

// commands are a node and what is below it, as help shows them.
func commands(n *kong.Node) []*kong.Node {
	list := []*kong.Node{n}
	for _, child := range visible(n.Children) {
		list = append(list, commands(child)...)
	}
	return list
}

// usage is how a command is called, without its options.
func usage(n *kong.Node) string {
	words := []string{n.FullPath()}
	for _, p := range n.Positional {
		words = append(words, p.Summary())
	}
	if len(n.Children) > 0 {
		words = append(words, "<command>")
	}
	if len(options(n)) > 0 {
		words = append(words, "[flags]")
	}
	return strings.Join(words, " ")
}

// spelling is how an option is written on a command line, in its forms.
func spelling(flag *kong.Flag) string {
	text := "--" + flag.Name
	if !flag.IsBool() {
		text += "=" + flag.FormatPlaceHolder()
	} else if no := negation(flag); no != "" {
		text += ", --" + no
	}
	if flag.Short != 0 {
		text = "-" + string(flag.Short) + ", " + text
	}
	return text
}
