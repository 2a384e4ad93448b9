package cli

import (
	"context"
	"net/http"
	"strconv"

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
}

// listCmd lists flags.
type listCmd struct {
	Remote `embed:""`
	Scope  `embed:""`
}

// Run prints them.
func (c *listCmd) Run(ctx context.Context, s *screen) error {
	if err := c.Scope.check(); err != nil {
		return err
	}
	var list gen.FlagList
	body, err := c.call(ctx, &list, func(client *gen.Client) (*http.Response, error) {
		return client.ListFlags(ctx, c.Project, c.Env)
	})
	if err != nil {
		return err
	}
	if c.json() {
		s.json(body)
		return nil
	}
	if len(list.Items) == 0 {
		s.line("%s/%s has no flags yet. Create one with: wigwag flags create KEY", c.Project, c.Env)
		return nil
	}
	rows := make([][]string, len(list.Items))
	for i := range list.Items {
		f := &list.Items[i]
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
	Key    string `arg:"" help:"Key of the flag."`
	Remote `embed:""`
	Scope  `embed:""`
}

// Run prints it.
func (c *getCmd) Run(ctx context.Context, s *screen) error {
	if err := c.Scope.check(); err != nil {
		return err
	}
	var flag gen.Flag
	body, err := c.call(ctx, &flag, func(client *gen.Client) (*http.Response, error) {
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

// Switch is what enable and disable are told.
type Switch struct {
	Key     string `arg:"" help:"Key of the flag."`
	Remote  `embed:""`
	Scope   `embed:""`
	Comment `embed:""`
}

// enableCmd enables a flag.
type enableCmd struct {
	Switch `embed:""`
}

// Run enables it.
func (c *enableCmd) Run(ctx context.Context, s *screen) error {
	return c.set(ctx, s, feature.StateEnabled)
}

// disableCmd disables a flag.
type disableCmd struct {
	Switch `embed:""`
}

// Run disables it.
func (c *disableCmd) Run(ctx context.Context, s *screen) error {
	return c.set(ctx, s, feature.StateDisabled)
}

func (c *Switch) set(ctx context.Context, s *screen, state feature.State) error {
	if err := c.Scope.check(); err != nil {
		return err
	}
	var written gen.FlagWritten
	body, err := c.call(ctx, &written, func(client *gen.Client) (*http.Response, error) {
		patch := []byte(`{"state":"` + string(state) + `"}`)
		return client.PatchFlagWithApplicationMergePatchPlusJSONBody(ctx, c.Project, c.Env, c.Key,
			&gen.PatchFlagParams{WigwagComment: c.header()}, patch)
	})
	if err != nil {
		return err
	}
	if c.json() {
		s.json(body)
		return nil
	}
	s.fields(
		[]string{"flag", s.paint(strong, written.Item.Key)},
		[]string{"environment", s.paint(neutral, c.Project+"/"+c.Env)},
		[]string{"state", s.state(string(written.Item.State))},
		[]string{"serves", s.paint(neutral, outcome(&written.Item))},
		[]string{"position", s.paint(neutral, written.Position.String())},
	)
	return nil
}
