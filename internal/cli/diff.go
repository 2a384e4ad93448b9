package cli

import (
	"context"
	"net/http"

	"github.com/wigwag/wigwag/internal/gen"
)

// diffCmd compares two versions.
type diffCmd struct {
	From    uint64 `arg:"" help:"Number of a version; 0 is the empty beginning."`
	To      uint64 `arg:"" optional:"" help:"Number of another; the current one where it is left out."`
	Flag    string `placeholder:"KEY" help:"Compare this flag only."`
	Segment string `placeholder:"KEY" help:"Compare this segment only."`
	Remote  `embed:""`
	Set     `embed:""`
}

// Run prints what differs.
func (c *diffCmd) Run(ctx context.Context, s *screen) error {
	if err := c.Set.check(); err != nil {
		return err
	}
	if c.Definitions && c.Segment != "" {
		return misused("segments are not in the project's own history; leave out --segment or --definitions")
	}
	var compared struct {
		From  string           `json:"from"`
		To    string           `json:"to"`
		Items []documentChange `json:"items"`
	}
	body, err := c.call(ctx, &compared, func(client *gen.Client) (*http.Response, error) {
		if c.Definitions {
			return client.DiffProjectVersions(ctx, c.Project, &gen.DiffProjectVersionsParams{From: c.From, To: c.To, Flag: optional(c.Flag)})
		}
		return client.DiffVersions(ctx, c.Project, c.Env, &gen.DiffVersionsParams{From: c.From, To: c.To, Flag: optional(c.Flag), Segment: optional(c.Segment)})
	})
	if err != nil {
		return err
	}
	switch {
	case c.json():
		s.json(body)
	case len(compared.Items) == 0:
		s.line("No differences between %s and %s.", plain(compared.From), plain(compared.To))
	default:
		s.differences(compared.Items)
	}
	return nil
}
