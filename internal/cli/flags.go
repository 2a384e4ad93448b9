package cli

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/gen"
)

// flagsCmd is the commands on flags.
type flagsCmd struct {
	List    listCmd    `cmd:"" help:"List the flags of an environment."`
	Get     getCmd     `cmd:"" help:"Show a flag as an environment serves it."`
	Create  createCmd  `cmd:"" help:"Create a flag, disabled in every environment."`
	Enable  enableCmd  `cmd:"" help:"Put a flag's targeting in force in an environment."`
	Disable disableCmd `cmd:"" help:"Serve a flag's off variant to everybody in an environment."`
	Update  updateCmd  `cmd:"" help:"Change a flag, or its configuration in an environment."`
	Replace replaceCmd `cmd:"" help:"Replace a flag's configuration in an environment by that of a file."`

	Archive flagsArchiveCmd `cmd:"" help:"Take a flag out of every environment, to be restored or deleted."`
	Restore flagsRestoreCmd `cmd:"" help:"Put an archived flag back as it was."`
	Delete  flagsDeleteCmd  `cmd:"" help:"Delete an archived flag for good."`
	Copy    flagsCopyCmd    `cmd:"" help:"Copy the configurations of flags from another environment."`
	Compare flagsCompareCmd `cmd:"" help:"Say what differs in flags between two environments."`
}

// listCmd lists flags.
type listCmd struct {
	Tag           []string `sep:"none" placeholder:"TAG" help:"Only flags with the tag; given several times, with all of them."`
	Owner         string   `placeholder:"NAME" help:"Only flags of this owner."`
	Type          string   `placeholder:"TYPE" help:"Only flags of this type: boolean, string, number or object."`
	State         string   `placeholder:"STATE" help:"Only flags in this state: ENABLED or DISABLED."`
	ClientVisible *bool    `negatable:"" help:"Only flags that browsers and apps see, or, with --no-client-visible, do not."`
	Archived      bool     `help:"The archived flags of the project instead; they are in no environment."`
	Remote        `embed:""`
	Scope         `embed:""`
	Pages         `embed:""`
	Past          `embed:""`
}

// narrowed reports whether only some flags are asked for.
func (c *listCmd) narrowed() bool {
	return len(c.Tag) > 0 || c.Owner != "" || c.Type != "" || c.State != "" || c.ClientVisible != nil || c.Search != ""
}

// Run prints them.
func (c *listCmd) Run(ctx context.Context, s *screen) error {
	if c.Archived {
		return c.listArchived(ctx, s)
	}
	if err := c.Scope.check(); err != nil {
		return err
	}
	if c.At > 0 && (c.narrowed() || c.Limit > 0 || len(c.Fields) > 0) {
		return misused("--at lists all flags of then; leave out what narrows the list")
	}
	var flags []gen.Flag
	body, err := c.Pages.list(ctx, &c.Remote, &flags, func(client *gen.Client, limit int, cursor string) (*http.Response, error) {
		if c.At > 0 {
			return client.ListFlagsAt(ctx, c.Project, c.Env, c.At)
		}
		return client.ListFlags(ctx, c.Project, c.Env, &gen.ListFlagsParams{
			Limit: &limit, Cursor: optional(cursor), Q: optional(c.Search), Fields: c.Fields, Tag: c.Tag, Owner: optional(c.Owner),
			Type: optional(feature.Type(c.Type)), State: optional(feature.State(strings.ToUpper(c.State))), ClientVisible: c.ClientVisible,
		})
	})
	if err != nil {
		return err
	}
	if c.json() {
		s.json(body)
		return nil
	}
	if len(flags) == 0 && c.narrowed() {
		s.line("%s/%s has no such flags.", c.Project, c.Env)
		return nil
	}
	if len(flags) == 0 {
		s.line("%s/%s has no flags yet. Create one with: wigwag flags create KEY", c.Project, c.Env)
		return nil
	}
	rows := make([][]string, len(flags))
	for i := range flags {
		f := &flags[i]
		rows[i] = []string{
			s.paint(strong, f.Key), s.paint(neutral, string(f.Type)), s.state(string(f.State)),
			s.paint(neutral, outcome(f)), strconv.Itoa(len(f.Rules)), yesNo(f.ClientVisible),
		}
	}
	s.table([]string{"KEY", "TYPE", "STATE", "SERVES", "RULES", "CLIENTS"}, rows)
	return nil
}

// outcome is what a flag serves where no prerequisite, override or rule decides.
func outcome(f *gen.Flag) string {
	if f.State != feature.StateEnabled {
		return f.OffVariant
	}
	return describeServe(&f.Default)
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// getCmd shows a flag.
type getCmd struct {
	Key        string `arg:"" help:"Key of the flag."`
	Definition bool   `help:"What it is in every environment of the project, instead of what one environment serves."`
	Past       `embed:""`
	Remote     `embed:""`
	Scope      `embed:""`
}

// Run prints it.
func (c *getCmd) Run(ctx context.Context, s *screen) error {
	if c.Definition {
		return c.define(ctx, s)
	}
	if err := c.Scope.check(); err != nil {
		return err
	}
	var flag gen.Flag
	body, err := c.call(ctx, &flag, func(client *gen.Client) (*http.Response, error) {
		if c.At > 0 {
			return client.GetFlagAt(ctx, c.Project, c.Env, c.At, c.Key)
		}
		return client.GetFlag(ctx, c.Project, c.Env, c.Key)
	})
	if err != nil {
		return err
	}
	if c.json() {
		s.json(body)
		return nil
	}
	s.fields(describeFlag(s, &flag)...)
	return nil
}

// define prints the definition.
func (c *getCmd) define(ctx context.Context, s *screen) error {
	if c.At > 0 {
		return misused("--at is of an environment; see wigwag history version --definitions")
	}
	var d gen.Definition
	body, err := c.call(ctx, &d, func(client *gen.Client) (*http.Response, error) {
		return client.GetDefinition(ctx, c.Project, c.Key)
	})
	if err != nil {
		return err
	}
	if c.json() {
		s.json(body)
		return nil
	}
	rows := [][]string{
		{"flag", s.paint(strong, d.Key)},
		{"type", s.paint(neutral, string(d.Type))},
		{"variants", s.paint(neutral, describeVariants(d.Variants))},
		{"clients", yesNo(d.ClientVisible)},
		{"permanent", yesNo(d.Permanent)},
		{"state", s.paint(neutral, openOrArchived(d.Archived))},
	}
	for _, row := range [][]string{{"description", d.Description}, {"owner", d.Owner}, {"tags", strings.Join(d.Tags, ", ")}} {
		if row[1] != "" {
			rows = append(rows, []string{row[0], s.paint(neutral, row[1])})
		}
	}
	s.fields(rows...)
	return nil
}

// Switch is what enable and disable are told.
type Switch struct {
	Key       string `arg:"" help:"Key of the flag."`
	Configure `embed:""`
}

// enableCmd enables a flag.
type enableCmd struct {
	Switch `embed:""`
}

// Run enables it.
func (c *enableCmd) Run(ctx context.Context, s *screen) error {
	return c.operate(ctx, s, c.Key, operation{"op": "enable"})
}

// disableCmd disables a flag.
type disableCmd struct {
	Switch `embed:""`
}

// Run disables it.
func (c *disableCmd) Run(ctx context.Context, s *screen) error {
	return c.operate(ctx, s, c.Key, operation{"op": "disable"})
}
