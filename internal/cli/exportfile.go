package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/wigwag/wigwag/internal/flagfile"
)

// exportCmd writes what a server has as flags files.
type exportCmd struct {
	Env    []string `short:"e" sep:"none" placeholder:"KEY" help:"Only this environment; once for each. Default all."`
	Out    string   `short:"o" xor:"to" placeholder:"FILE" help:"Write one file. Default the standard output."`
	Dir    string   `xor:"to" placeholder:"DIR" help:"Write a folder, one file for each flag and segment."`
	Prune  bool     `help:"With --dir: delete the files in it of flags and segments that the server does not have."`
	Format string   `placeholder:"FORMAT" enum:"yaml,json," default:"" help:"yaml or json. Default that of FILE's name, else yaml."`
	Target `embed:""`
}

// Run writes them.
func (c *exportCmd) Run(ctx context.Context, s *screen) error {
	if c.Prune && c.Dir == "" {
		return misused("--prune is for --dir")
	}
	reader := newStateReader(&c.Target, s)
	environments, err := reader.known(ctx, c.Env)
	if err != nil {
		return err
	}
	state, err := reader.state(ctx, environments)
	if err != nil {
		return err
	}
	document := state.Document()
	what := fmt.Sprintf("%s, %s", counted(len(document.Flags), "flag"), counted(len(document.Segments), "segment"))
	if len(environments) > 0 {
		what += ", of " + strings.Join(environments, ", ")
	}
	switch {
	case c.Dir != "":
		written, err := c.folder(document)
		if err != nil {
			return err
		}
		s.line("Wrote %s into %s: %s", counted(written, "file"), plain(c.Dir), what)
	case c.Out != "":
		if err := writeFile(c.Out, flagfile.Encode(document, c.format(c.Out))); err != nil {
			return err
		}
		s.line("Wrote %s: %s", plain(c.Out), what)
	default:
		_, err = s.out.Write(flagfile.Encode(document, c.format("")))
	}
	return err
}

func (c *exportCmd) format(name string) flagfile.Format {
	switch {
	case c.Format != "":
		return flagfile.Format(c.Format)
	case strings.EqualFold(filepath.Ext(name), ".json"):
		return flagfile.JSON
	default:
		return flagfile.YAML
	}
}

// folder writes one file for each flag and segment. Other files that would be read
// with them are an error, or deleted where they are of what the server does not
// have: what is read from the folder is then what the server has.
func (c *exportCmd) folder(document *flagfile.Document) (int, error) {
	files := flagfile.Split(document, c.format(""))
	keep := map[string]bool{}
	for i := range files {
		files[i].Name = filepath.Join(c.Dir, filepath.FromSlash(files[i].Name))
		keep[files[i].Name] = true
	}
	strays, err := flagfile.Files(c.Dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, err
	}
	strays = slices.DeleteFunc(strays, func(name string) bool { return keep[name] })
	for _, stray := range strays {
		within, err := filepath.Rel(c.Dir, stray)
		if err != nil {
			return 0, err
		}
		folder := filepath.Dir(within)
		if !c.Prune || folder != "flags" && folder != "segments" {
			return 0, fmt.Errorf("%s is not of what the server has; delete it, or choose another folder%s", stray, pruneHint(folder))
		}
	}
	for i := range files {
		if err := os.MkdirAll(filepath.Dir(files[i].Name), 0o755); err != nil {
			return 0, err
		}
		if err := writeFile(files[i].Name, files[i].Text); err != nil {
			return 0, err
		}
	}
	for _, stray := range strays {
		if err := os.Remove(stray); err != nil {
			return 0, err
		}
	}
	return len(files), nil
}

func pruneHint(folder string) string {
	if folder == "flags" || folder == "segments" {
		return ", or give --prune"
	}
	return ""
}

// writeFile writes a file whole or not at all.
func writeFile(name string, text []byte) error {
	return replaceFile(name, func(file io.Writer) error {
		_, err := file.Write(text)
		return err
	})
}
