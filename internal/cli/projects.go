package cli

import (
	"context"
	"net/http"

	"github.com/wigwag/wigwag/internal/gen"
)

// projectsCmd is the commands on projects.
type projectsCmd struct {
	List    projectsListCmd    `cmd:"" help:"List the projects."`
	Get     projectsGetCmd     `cmd:"" help:"Show a project."`
	Create  projectsCreateCmd  `cmd:"" help:"Create a project, without environments and flags."`
	Update  projectsUpdateCmd  `cmd:"" help:"Change the name of a project."`
	Archive projectsArchiveCmd `cmd:"" help:"Close a project: it takes no changes and serves no SDKs."`
	Restore projectsRestoreCmd `cmd:"" help:"Open an archived project again."`
	Delete  projectsDeleteCmd  `cmd:"" help:"Delete an archived project for good, with all that it has."`
}

// projectsListCmd lists projects.
type projectsListCmd struct {
	Remote `embed:""`
	Pages  `embed:""`
}

// Run prints them.
func (c *projectsListCmd) Run(ctx context.Context, s *screen) error {
	var projects []gen.Project
	body, err := c.Pages.list(ctx, &c.Remote, &projects, func(client *gen.Client, limit int, cursor string) (*http.Response, error) {
		return client.ListProjects(ctx, &gen.ListProjectsParams{Limit: &limit, Cursor: optional(cursor), Q: optional(c.Search), Fields: c.Fields})
	})
	if err != nil {
		return err
	}
	if c.json() {
		s.json(body)
		return nil
	}
	if len(projects) == 0 {
		s.line("There are no such projects. Create one with: wigwag projects create KEY")
		return nil
	}
	rows := make([][]string, len(projects))
	for i, p := range projects {
		rows[i] = []string{s.paint(strong, p.Key), s.paint(neutral, p.Name), s.paint(faint, openOrArchived(p.Archived))}
	}
	s.table([]string{"KEY", "NAME", "STATE"}, rows)
	return nil
}

func openOrArchived(archived bool) string {
	if archived {
		return "archived"
	}
	return "open"
}

func describeProject(s *screen, p *gen.Project) [][]string {
	rows := [][]string{{"project", s.paint(strong, p.Key)}}
	if p.Name != "" {
		rows = append(rows, []string{"name", s.paint(neutral, p.Name)})
	}
	return append(rows, []string{"state", s.paint(neutral, openOrArchived(p.Archived))})
}

// projectsGetCmd shows a project.
type projectsGetCmd struct {
	Key    string `arg:"" help:"Key of the project."`
	Remote `embed:""`
}

// Run prints it.
func (c *projectsGetCmd) Run(ctx context.Context, s *screen) error {
	var project gen.Project
	body, err := c.call(ctx, &project, func(client *gen.Client) (*http.Response, error) {
		return client.GetProject(ctx, c.Key)
	})
	if err != nil {
		return err
	}
	if c.json() {
		s.json(body)
		return nil
	}
	s.fields(describeProject(s, &project)...)
	return nil
}

// writeProject makes a write to a project and prints its outcome.
func writeProject(ctx context.Context, s *screen, r *Remote, a *Attempt, request func(*gen.Client) (*http.Response, error)) error {
	var written gen.ProjectWritten
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
	rows := describeProject(s, &written.Item)
	if !written.Position.IsZero() {
		rows = append(rows, []string{"position", s.paint(neutral, written.Position.String())})
	}
	s.fields(rows...)
	return nil
}

// projectsCreateCmd creates a project.
type projectsCreateCmd struct {
	Key     string `arg:"" help:"Key of the project: lower-case letters, digits and hyphens. It never changes."`
	Name    string `placeholder:"TEXT" help:"What people call it."`
	Remote  `embed:""`
	Attempt `embed:""`
}

// Run creates it.
func (c *projectsCreateCmd) Run(ctx context.Context, s *screen) error {
	return writeProject(ctx, s, &c.Remote, &c.Attempt, func(client *gen.Client) (*http.Response, error) {
		return client.CreateProject(ctx, &gen.CreateProjectParams{WigwagComment: c.header(), DryRun: c.dryRun()}, gen.Project{Key: c.Key, Name: c.Name})
	})
}

// projectsUpdateCmd changes a project.
type projectsUpdateCmd struct {
	Key     string  `arg:"" help:"Key of the project."`
	Name    *string `placeholder:"TEXT" help:"What people call it; empty for no name."`
	Remote  `embed:""`
	Attempt `embed:""`
}

// Run changes it.
func (c *projectsUpdateCmd) Run(ctx context.Context, s *screen) error {
	patch := map[string]any{}
	if c.Name != nil {
		patch["name"] = orNull(*c.Name)
	}
	body, err := encodePatch(patch, "--name")
	if err != nil {
		return err
	}
	return writeProject(ctx, s, &c.Remote, &c.Attempt, func(client *gen.Client) (*http.Response, error) {
		return client.PatchProjectWithApplicationMergePatchPlusJSONBody(ctx, c.Key,
			&gen.PatchProjectParams{WigwagComment: c.header(), DryRun: c.dryRun()}, body)
	})
}

// orNull is what a merge patch has for a text, or to remove it.
func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// encodePatch encodes a merge patch, which must change something.
func encodePatch(patch map[string]any, options string) ([]byte, error) {
	if len(patch) == 0 {
		return nil, misused("nothing is to be changed; give %s", options)
	}
	return encodeAsIs(patch)
}

// projectsArchiveCmd archives a project.
type projectsArchiveCmd struct {
	Key     string `arg:"" help:"Key of the project."`
	Remote  `embed:""`
	Attempt `embed:""`
}

// Run archives it.
func (c *projectsArchiveCmd) Run(ctx context.Context, s *screen) error {
	return writeProject(ctx, s, &c.Remote, &c.Attempt, func(client *gen.Client) (*http.Response, error) {
		return client.ArchiveProject(ctx, c.Key, &gen.ArchiveProjectParams{WigwagComment: c.header(), DryRun: c.dryRun()})
	})
}

// projectsRestoreCmd restores a project.
type projectsRestoreCmd struct {
	Key     string `arg:"" help:"Key of the project."`
	Remote  `embed:""`
	Attempt `embed:""`
}

// Run restores it.
func (c *projectsRestoreCmd) Run(ctx context.Context, s *screen) error {
	return writeProject(ctx, s, &c.Remote, &c.Attempt, func(client *gen.Client) (*http.Response, error) {
		return client.UnarchiveProject(ctx, c.Key, &gen.UnarchiveProjectParams{WigwagComment: c.header(), DryRun: c.dryRun()})
	})
}

// projectsDeleteCmd deletes a project.
type projectsDeleteCmd struct {
	Key          string `arg:"" help:"Key of the project."`
	Remote       `embed:""`
	Attempt      `embed:""`
	Confirmation `embed:""`
}

// Run deletes it.
func (c *projectsDeleteCmd) Run(ctx context.Context, s *screen) error {
	if !c.DryRun {
		if err := c.confirm(s, "project", c.Key); err != nil {
			return err
		}
	}
	return writeProject(ctx, s, &c.Remote, &c.Attempt, func(client *gen.Client) (*http.Response, error) {
		return client.DeleteProject(ctx, c.Key, &gen.DeleteProjectParams{Confirm: c.Key, WigwagComment: c.header(), DryRun: c.dryRun()})
	})
}
