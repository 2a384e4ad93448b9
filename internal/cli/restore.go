package cli

import (
	"context"
	"net/http"
	pathlib "path"

	"github.com/wigwag/wigwag/internal/gen"
)

// restoreCmd is the commands that go back to a version.
type restoreCmd struct {
	Flag        restoreFlagCmd        `cmd:"" help:"Put back a flag's configuration in an environment."`
	Segment     restoreSegmentCmd     `cmd:"" help:"Put back a segment with all its keys."`
	Environment restoreEnvironmentCmd `cmd:"" help:"Put back everything in an environment."`
}

// Back is how far to go back, and whether.
type Back struct {
	Version uint64 `required:"" placeholder:"N" help:"Number of the version to go back to; see wigwag history."`
	Remote  `embed:""`
	Scope   `embed:""`
	Attempt `embed:""`
}

// restoreFlagCmd restores a flag.
type restoreFlagCmd struct {
	Key  string `arg:"" help:"Key of the flag."`
	Back `embed:""`
}

// Run restores it.
func (c *restoreFlagCmd) Run(ctx context.Context, s *screen) error {
	return c.restore(ctx, s, gen.Restoration{Flag: c.Key})
}

// restoreSegmentCmd restores a segment.
type restoreSegmentCmd struct {
	Key  string `arg:"" help:"Key of the segment."`
	Back `embed:""`
}

// Run restores it.
func (c *restoreSegmentCmd) Run(ctx context.Context, s *screen) error {
	return c.restore(ctx, s, gen.Restoration{Segment: c.Key})
}

// restoreEnvironmentCmd restores an environment.
type restoreEnvironmentCmd struct {
	Back `embed:""`
}

// Run restores it.
func (c *restoreEnvironmentCmd) Run(ctx context.Context, s *screen) error {
	return c.restore(ctx, s, gen.Restoration{})
}

func (c *Back) restore(ctx context.Context, s *screen, what gen.Restoration) error {
	if err := c.Scope.check(); err != nil {
		return err
	}
	what.Version = c.Version
	params := &gen.RestoreVersionParams{WigwagComment: c.header(), DryRun: c.dryRun()}
	var written struct {
		Position string           `json:"position"`
		Changes  []documentChange `json:"changes"`
	}
	body, err := c.call(ctx, &written, func(client *gen.Client) (*http.Response, error) {
		return client.RestoreVersion(ctx, c.Project, c.Env, params, what)
	})
	if err != nil {
		return err
	}
	if c.json() {
		s.json(body)
		return nil
	}
	switch {
	case len(written.Changes) == 0:
		s.line("Nothing to restore: it is as it was at version %d.", c.Version)
		return nil
	case c.DryRun:
		s.line("Version %d would be restored like this:\n", c.Version)
	}
	s.differences(wholeLists(written.Changes))
	if !c.DryRun {
		s.line("\nRestored to version %d; the environment is at %s.", c.Version, plain(written.Position))
	}
	return nil
}

// wholeLists names each list of a segment once, in place of the parts of it that
// changed.
func wholeLists(changes []documentChange) []documentChange {
	whole := make([]documentChange, 0, len(changes))
	for _, c := range changes {
		if c.Kind == "keys" {
			c.Key, c.Action = pathlib.Dir(c.Key), "update"
			if n := len(whole); n > 0 && whole[n-1].Kind == c.Kind && whole[n-1].Key == c.Key {
				continue
			}
		}
		whole = append(whole, c)
	}
	return whole
}
