package cli

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/alecthomas/kong"
)

// configCmd is the commands on the configuration of a server.
type configCmd struct {
	Check configCheckCmd `cmd:"" help:"Say whether a server would take its configuration, and what is in force."`
}

// configCheckCmd checks what wigwag serve would be told, and starts nothing.
type configCheckCmd struct {
	File string `arg:"" optional:"" placeholder:"FILE" complete:"files" help:"The YAML file of --config; that of WIGWAG_CONFIG where none is given."`
}

// Help says what is looked at.
func (configCheckCmd) Help() string {
	return strings.TrimSpace(`
The file, the environment and the files of secrets are read as wigwag serve reads
them. Nothing is opened, started or changed. Secrets are not shown, only where they
come from. Where something is wrong, the exit code is 2.
`)
}

// Run prints what is in force, or fails with what is wrong.
func (c *configCheckCmd) Run(s *screen) error {
	parser, parsed, err := model()
	if err != nil {
		return err
	}
	arguments := []string{"serve"}
	if c.File != "" {
		arguments = append(arguments, "--config="+c.File)
	}
	command, err := parser.Parse(arguments)
	var mistake *kong.ParseError
	if errors.As(err, &mistake) {
		return &usageError{mistake.Unwrap().Error()}
	}
	if err != nil {
		return err
	}
	serve := &parsed.Serve
	config, err := serve.config(s)
	if err == nil {
		err = config.Check()
	}
	if err != nil {
		return &usageError{strings.ReplaceAll(err.Error(), "\n", "; ")}
	}
	flags := command.Selected().Flags
	var inFile configValues
	if file := string(serve.Config); file != "" {
		if inFile, err = readConfig(file, flags); err != nil {
			return err
		}
	}
	var rows [][]string
	for _, flag := range flags {
		if flag.Name == "help" {
			continue
		}
		from := c.origin(flag, string(serve.Config), inFile)
		value := fmt.Sprint(flag.Target.Interface())
		if value == "" && from == byDefault {
			continue // an option that is not used
		}
		rows = append(rows, []string{s.paint(strong, flag.Name), s.paint(neutral, value), s.paint(faint, from)})
	}
	for _, option := range secretOptions {
		if _, set := os.LookupEnv(variable(option)); set && os.Getenv(variable(option)) != "" {
			rows = append(rows, []string{s.paint(strong, option), "(secret)", s.paint(faint, variable(option))})
		}
	}
	s.table([]string{"OPTION", "VALUE", "FROM"}, rows)
	s.line("\nThe configuration is good.")
	return nil
}

const byDefault = "default"

// origin says where the value of an option comes from, by the order that serve
// keeps: the environment, the file, the default.
func (c *configCheckCmd) origin(flag *kong.Flag, file string, inFile configValues) string {
	if flag.Name == "config" && c.File != "" {
		return "argument"
	}
	for _, name := range flag.Envs {
		if _, ok := os.LookupEnv(name); ok {
			return name
		}
	}
	if _, ok := inFile[flag.Name]; ok {
		return file
	}
	return byDefault
}
