package cli

import (
	"context"
	"net/http"
	"strconv"

	"github.com/wigwag/wigwag/internal/gen"
)

// environmentsCmd is the commands on environments.
type environmentsCmd struct {
	List    environmentsListCmd    `cmd:"" help:"List the environments of a project."`
	Get     environmentsGetCmd     `cmd:"" help:"Show an environment."`
	Create  environmentsCreateCmd  `cmd:"" help:"Create an environment, with every flag disabled."`
	Update  environmentsUpdateCmd  `cmd:"" help:"Change the name and the settings of an environment."`
	Archive environmentsArchiveCmd `cmd:"" help:"Close an environment: it takes no changes and serves no SDKs."`
	Restore environmentsRestoreCmd `cmd:"" help:"Open an archived environment again."`
	Delete  environmentsDeleteCmd  `cmd:"" help:"Delete an archived environment for good, with its keys and its history."`
	Copy    environmentsCopyCmd    `cmd:"" help:"Copy the configurations of all flags from one environment to another."`
	Compare environmentsCompareCmd `cmd:"" help:"Say what differs between two environments."`
}

// environmentsListCmd lists environments.
type environmentsListCmd struct {
	Remote `embed:""`
	Pages  `embed:""`
}

// Run prints them.
func (c *environmentsListCmd) Run(ctx context.Context, s *screen) error {
	var environments []gen.Environment
	body, err := c.Pages.list(ctx, &c.Remote, &environments, func(client *gen.Client, limit int, cursor string) (*http.Response, error) {
		return client.ListEnvironments(ctx, c.Project, &gen.ListEnvironmentsParams{Limit: &limit, Cursor: optional(cursor), Q: optional(c.Search), Fields: c.Fields})
	})
	if err != nil {
		return err
	}
	if c.json() {
		s.json(body)
		return nil
	}
	if len(environments) == 0 {
		s.line("Project %s has no such environments. Create one with: wigwag environments create KEY", c.Project)
		return nil
	}
	rows := make([][]string, len(environments))
	for i := range environments {
		e := &environments[i]
		rows[i] = []string{
			s.paint(strong, e.Key), s.paint(neutral, e.Name), yesNo(e.Critical), yesNo(mayStream(e)),
			s.paint(faint, openOrArchived(e.Archived)),
		}
	}
	s.table([]string{"KEY", "NAME", "CRITICAL", "STREAMING", "STATE"}, rows)
	return nil
}

func mayStream(e *gen.Environment) bool { return e.Streaming == nil || *e.Streaming }

func describeEnvironment(s *screen, e *gen.Environment) [][]string {
	rows := [][]string{{"environment", s.paint(strong, e.Key)}}
	for _, row := range [][2]string{{"name", e.Name}, {"colour", e.Colour}} {
		if row[1] != "" {
			rows = append(rows, []string{row[0], s.paint(neutral, row[1])})
		}
	}
	return append(rows,
		[]string{"critical", yesNo(e.Critical)},
		[]string{"streaming", yesNo(mayStream(e))},
		[]string{"hash version", strconv.Itoa(e.HashVersion)},
		[]string{"state", s.paint(neutral, openOrArchived(e.Archived))})
}

// environmentsGetCmd shows an environment.
type environmentsGetCmd struct {
	Key    string `arg:"" help:"Key of the environment."`
	Remote `embed:""`
}

// Run prints it.
func (c *environmentsGetCmd) Run(ctx context.Context, s *screen) error {
	var environment gen.Environment
	body, err := c.call(ctx, &environment, func(client *gen.Client) (*http.Response, error) {
		return client.GetEnvironment(ctx, c.Project, c.Key)
	})
	if err != nil {
		return err
	}
	if c.json() {
		s.json(body)
		return nil
	}
	s.fields(describeEnvironment(s, &environment)...)
	return nil
}

// writeEnvironment makes a write to an environment and prints its outcome.
func writeEnvironment(ctx context.Context, s *screen, r *Remote, a *Attempt, request func(*gen.Client) (*http.Response, error)) error {
	var written gen.EnvironmentWritten
	body, err := r.call(ctx, &written, request)
	if err != nil {
		return err
	}
	if r.json() {
		s.json(body)
		return nil
	}
	if a.DryRun {
		a.printChanges(s, written.Changes)
		return nil
	}
	s.fields(append(describeEnvironment(s, &written.Item), []string{"position", s.paint(neutral, written.Position.String())})...)
	return nil
}

// Settings are what can be set of an environment; those that are not given stay.
type Settings struct {
	Name        *string `placeholder:"TEXT" help:"What people call it; empty for no name."`
	Colour      *string `placeholder:"#RRGGBB" help:"How it is shown, such as #1f883d; empty for none."`
	Critical    *bool   `negatable:"" help:"Ask people and tools to be careful with changes."`
	Streaming   *bool   `negatable:"" help:"Let SDKs stream; with --no-streaming they are told to poll."`
	HashVersion *int    `placeholder:"N" help:"Version of the hash for translations to flagd: 2 or 3."`
}

// patch is the merge patch that sets them.
func (c *Settings) patch() map[string]any {
	patch := map[string]any{}
	if c.Name != nil {
		patch["name"] = orNull(*c.Name)
	}
	if c.Colour != nil {
		patch["colour"] = orNull(*c.Colour)
	}
	if c.Critical != nil {
		patch["critical"] = *c.Critical
	}
	if c.Streaming != nil {
		patch["streaming"] = *c.Streaming
	}
	if c.HashVersion != nil {
		patch["hashVersion"] = *c.HashVersion
	}
	return patch
}

// environmentsCreateCmd creates an environment.
type environmentsCreateCmd struct {
	Key      string `arg:"" help:"Key of the environment: lower-case letters, digits and hyphens. It never changes."`
	Settings `embed:""`
	Remote   `embed:""`
	Attempt  `embed:""`
}

// Run creates it.
func (c *environmentsCreateCmd) Run(ctx context.Context, s *screen) error {
	environment := gen.Environment{Key: c.Key, Streaming: c.Streaming}
	if c.Name != nil {
		environment.Name = *c.Name
	}
	if c.Colour != nil {
		environment.Colour = *c.Colour
	}
	if c.Critical != nil {
		environment.Critical = *c.Critical
	}
	if c.HashVersion != nil {
		environment.HashVersion = *c.HashVersion
	}
	return writeEnvironment(ctx, s, &c.Remote, &c.Attempt, func(client *gen.Client) (*http.Response, error) {
		return client.CreateEnvironment(ctx, c.Project, &gen.CreateEnvironmentParams{WigwagComment: c.header(), DryRun: c.dryRun()}, environment)
	})
}

// environmentsUpdateCmd changes an environment.
type environmentsUpdateCmd struct {
	Key      string `arg:"" help:"Key of the environment."`
	Settings `embed:""`
	Remote   `embed:""`
	Attempt  `embed:""`
}

// Run changes it.
func (c *environmentsUpdateCmd) Run(ctx context.Context, s *screen) error {
	body, err := encodePatch(c.patch(), "--name, --colour, --critical, --streaming or --hash-version")
	if err != nil {
		return err
	}
	return writeEnvironment(ctx, s, &c.Remote, &c.Attempt, func(client *gen.Client) (*http.Response, error) {
		return client.PatchEnvironmentWithApplicationMergePatchPlusJSONBody(ctx, c.Project, c.Key,
			&gen.PatchEnvironmentParams{WigwagComment: c.header(), DryRun: c.dryRun()}, body)
	})
}

// environmentsArchiveCmd archives an environment.
type environmentsArchiveCmd struct {
	Key     string `arg:"" help:"Key of the environment."`
	Remote  `embed:""`
	Attempt `embed:""`
}

// Run archives it.
func (c *environmentsArchiveCmd) Run(ctx context.Context, s *screen) error {
	return writeEnvironment(ctx, s, &c.Remote, &c.Attempt, func(client *gen.Client) (*http.Response, error) {
		return client.ArchiveEnvironment(ctx, c.Project, c.Key, &gen.ArchiveEnvironmentParams{WigwagComment: c.header(), DryRun: c.dryRun()})
	})
}

// environmentsRestoreCmd restores an environment.
type environmentsRestoreCmd struct {
	Key     string `arg:"" help:"Key of the environment."`
	Remote  `embed:""`
	Attempt `embed:""`
}

// Run restores it.
func (c *environmentsRestoreCmd) Run(ctx context.Context, s *screen) error {
	return writeEnvironment(ctx, s, &c.Remote, &c.Attempt, func(client *gen.Client) (*http.Response, error) {
		return client.UnarchiveEnvironment(ctx, c.Project, c.Key, &gen.UnarchiveEnvironmentParams{WigwagComment: c.header(), DryRun: c.dryRun()})
	})
}

// environmentsDeleteCmd deletes an environment.
type environmentsDeleteCmd struct {
	Key          string `arg:"" help:"Key of the environment."`
	Remote       `embed:""`
	Attempt      `embed:""`
	Confirmation `embed:""`
}

// Run deletes it.
func (c *environmentsDeleteCmd) Run(ctx context.Context, s *screen) error {
	if !c.DryRun {
		if err := c.confirm(s, "environment", c.Key); err != nil {
			return err
		}
	}
	return writeEnvironment(ctx, s, &c.Remote, &c.Attempt, func(client *gen.Client) (*http.Response, error) {
		return client.DeleteEnvironment(ctx, c.Project, c.Key, &gen.DeleteEnvironmentParams{Confirm: c.Key, WigwagComment: c.header(), DryRun: c.dryRun()})
	})
}
