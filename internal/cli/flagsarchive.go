package cli

import (
	"context"
	"maps"
	"net/http"
	"slices"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/gen"
)

// flagsArchiveCmd archives a flag.
type flagsArchiveCmd struct {
	Key     string `arg:"" help:"Key of the flag."`
	Force   bool   `help:"Also where it is permanent, or serves more than one variant."`
	Remote  `embed:""`
	Attempt `embed:""`
}

// Run archives it.
func (c *flagsArchiveCmd) Run(ctx context.Context, s *screen) error {
	params := &gen.ArchiveFlagParams{WigwagComment: c.header(), DryRun: c.dryRun()}
	if c.Force {
		params.Force = &c.Force
	}
	return writeDefinition(ctx, s, &c.Remote, &c.Attempt, func(client *gen.Client) (*http.Response, error) {
		return client.ArchiveFlag(ctx, c.Project, c.Key, params)
	})
}

// flagsRestoreCmd restores a flag.
type flagsRestoreCmd struct {
	Key     string `arg:"" help:"Key of the flag."`
	Remote  `embed:""`
	Attempt `embed:""`
}

// Run restores it.
func (c *flagsRestoreCmd) Run(ctx context.Context, s *screen) error {
	return writeDefinition(ctx, s, &c.Remote, &c.Attempt, func(client *gen.Client) (*http.Response, error) {
		return client.UnarchiveFlag(ctx, c.Project, c.Key, &gen.UnarchiveFlagParams{WigwagComment: c.header(), DryRun: c.dryRun()})
	})
}

// flagsDeleteCmd deletes a flag.
type flagsDeleteCmd struct {
	Key          string `arg:"" help:"Key of the flag."`
	Remote       `embed:""`
	Attempt      `embed:""`
	Confirmation `embed:""`
}

// Run deletes it.
func (c *flagsDeleteCmd) Run(ctx context.Context, s *screen) error {
	if !c.DryRun {
		if err := c.confirm(s, "flag", c.Key); err != nil {
			return err
		}
	}
	return writeDefinition(ctx, s, &c.Remote, &c.Attempt, func(client *gen.Client) (*http.Response, error) {
		return client.DeleteFlag(ctx, c.Project, c.Key, &gen.DeleteFlagParams{WigwagComment: c.header(), DryRun: c.dryRun()})
	})
}

// writeDefinition makes a write to a flag of a project and prints its outcome.
func writeDefinition(ctx context.Context, s *screen, r *Remote, a *Attempt, request func(*gen.Client) (*http.Response, error)) error {
	var written gen.DefinitionWritten
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
	rows := [][]string{
		{"flag", s.paint(strong, written.Item.Key)},
		{"state", s.paint(neutral, openOrArchived(written.Item.Archived))},
		{"position", s.paint(neutral, written.Position.String())},
	}
	for _, name := range slices.Sorted(maps.Keys(written.Environments)) {
		rows = append(rows, []string{s.paint(neutral, "in "+name), "position " + written.Environments[name].String()})
	}
	s.fields(rows...)
	return nil
}

// listArchived prints the archived flags of the project.
func (c *listCmd) listArchived(ctx context.Context, s *screen) error {
	if c.State != "" {
		return misused("archived flags have no state; leave --state out")
	}
	var definitions []gen.Definition
	archived := true
	body, err := c.Pages.list(ctx, &c.Remote, &definitions, func(client *gen.Client, limit int, cursor string) (*http.Response, error) {
		return client.ListDefinitions(ctx, c.Project, &gen.ListDefinitionsParams{
			Limit: &limit, Cursor: optional(cursor), Q: optional(c.Search), Fields: c.Fields, Tag: c.Tag, Owner: optional(c.Owner),
			Type: optional(feature.Type(c.Type)), ClientVisible: c.ClientVisible, Archived: &archived,
		})
	})
	if err != nil {
		return err
	}
	if c.json() {
		s.json(body)
		return nil
	}
	if len(definitions) == 0 {
		s.line("Project %s has no such archived flags.", c.Project)
		return nil
	}
	rows := make([][]string, len(definitions))
	for i := range definitions {
		d := &definitions[i]
		rows[i] = []string{s.paint(strong, d.Key), s.paint(neutral, string(d.Type)), s.paint(neutral, d.Owner), s.paint(neutral, d.Description)}
	}
	s.table([]string{"KEY", "TYPE", "OWNER", "DESCRIPTION"}, rows)
	return nil
}
