package cli

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"strconv"
	"strings"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/gen"
)

// segmentsCmd is the commands on segments.
type segmentsCmd struct {
	List   segmentsListCmd   `cmd:"" help:"List the segments of an environment."`
	Get    segmentsGetCmd    `cmd:"" help:"Show a segment."`
	Create segmentsCreateCmd `cmd:"" help:"Create a segment."`
	Update segmentsUpdateCmd `cmd:"" help:"Change the name or the condition of a segment."`
	Delete segmentsDeleteCmd `cmd:"" help:"Delete a segment that nothing mentions."`
	Keys   segmentKeysCmd    `cmd:"" help:"Add, remove, list, import and export the targeting keys of a segment."`
}

// segmentsListCmd lists segments.
type segmentsListCmd struct {
	Past   `embed:""`
	Remote `embed:""`
	Scope  `embed:""`
	Pages  `embed:""`
}

// Run prints them.
func (c *segmentsListCmd) Run(ctx context.Context, s *screen) error {
	if err := c.Scope.check(); err != nil {
		return err
	}
	if c.At > 0 && (c.Search != "" || c.Limit > 0 || len(c.Fields) > 0) {
		return misused("--at lists all segments of then; leave out what narrows the list")
	}
	var segments []gen.Segment
	body, err := c.Pages.list(ctx, &c.Remote, &segments, func(client *gen.Client, limit int, cursor string) (*http.Response, error) {
		if c.At > 0 {
			return client.ListSegmentsAt(ctx, c.Project, c.Env, c.At)
		}
		return client.ListSegments(ctx, c.Project, c.Env, &gen.ListSegmentsParams{Limit: &limit, Cursor: optional(cursor), Q: optional(c.Search), Fields: c.Fields})
	})
	if err != nil {
		return err
	}
	if c.json() {
		s.json(body)
		return nil
	}
	if len(segments) == 0 {
		s.line("%s/%s has no such segments. Create one with: wigwag segments create KEY", c.Project, c.Env)
		return nil
	}
	rows := make([][]string, len(segments))
	for i := range segments {
		g := &segments[i]
		rows[i] = []string{
			s.paint(strong, g.Key), s.paint(neutral, g.Name),
			howMany(g.Included, g.Shards.Included), howMany(g.Excluded, g.Shards.Excluded), s.paint(neutral, conditionOf(g)),
		}
	}
	s.table([]string{"KEY", "NAME", "INCLUDED", "EXCLUDED", "CONDITION"}, rows)
	return nil
}

// howMany is the length of a list, as far as a list of segments tells it.
func howMany(keys []string, shards int) string {
	if shards > 0 {
		return "in " + strconv.Itoa(shards) + " parts"
	}
	return strconv.Itoa(len(keys))
}

func conditionOf(g *gen.Segment) string {
	if g.When == nil {
		return "none"
	}
	return describeCondition(g.When, false)
}

// segmentsGetCmd shows a segment.
type segmentsGetCmd struct {
	Key    string `arg:"" help:"Key of the segment."`
	Past   `embed:""`
	Remote `embed:""`
	Scope  `embed:""`
}

// Run prints it.
func (c *segmentsGetCmd) Run(ctx context.Context, s *screen) error {
	if err := c.Scope.check(); err != nil {
		return err
	}
	var segment gen.Segment
	body, err := c.call(ctx, &segment, func(client *gen.Client) (*http.Response, error) {
		if c.At > 0 {
			return client.GetSegmentAt(ctx, c.Project, c.Env, c.At, c.Key)
		}
		return client.GetSegment(ctx, c.Project, c.Env, c.Key)
	})
	if err != nil {
		return err
	}
	if c.json() {
		s.json(body)
		return nil
	}
	s.fields(describeSegment(s, &segment)...)
	return nil
}

// describeSegment is a segment in rows of names and painted texts.
func describeSegment(s *screen, g *gen.Segment) [][]string {
	list := func(keys []string, shards int) string {
		if shards > 0 || len(keys) == 0 {
			return howMany(keys, shards)
		}
		return s.paint(neutral, strconv.Itoa(len(keys))+": "+someKeys(keys))
	}
	rows := [][]string{{"segment", s.paint(strong, g.Key)}}
	if g.Name != "" {
		rows = append(rows, []string{"name", s.paint(neutral, g.Name)})
	}
	return append(rows,
		[]string{"included", list(g.Included, g.Shards.Included)},
		[]string{"excluded", list(g.Excluded, g.Shards.Excluded)},
		[]string{"condition", s.paint(neutral, conditionOf(g))})
}

// readCondition reads a condition: JSON, or @FILE with it.
func readCondition(argument string) (json.RawMessage, error) {
	text := []byte(argument)
	if name, ok := strings.CutPrefix(argument, "@"); ok {
		var err error
		if text, err = os.ReadFile(name); err != nil {
			return nil, err
		}
	}
	if !json.Valid(text) {
		return nil, misused(`--when is no JSON; write such as '{"attribute":"country","op":"in","values":["FR"]}'`)
	}
	return text, nil
}

// printSegment prints what a write left.
func printSegment(s *screen, written *gen.SegmentWritten) {
	rows := describeSegment(s, &written.Item)
	s.fields(append(rows, []string{"position", s.paint(neutral, written.Position.String())})...)
}

// segmentsCreateCmd creates a segment.
type segmentsCreateCmd struct {
	Key      string   `arg:"" help:"Key of the segment."`
	Name     string   `placeholder:"TEXT" help:"What people call it."`
	Included []string `sep:"none" placeholder:"KEY" help:"A targeting key in the segment; once for each. For many, see segments keys import."`
	Excluded []string `sep:"none" placeholder:"KEY" help:"A targeting key not in the segment; once for each."`
	When     string   `placeholder:"JSON" help:"The condition for all others, as the API has it, or @FILE."`
	Remote   `embed:""`
	Scope    `embed:""`
	Attempt  `embed:""`
}

// Run creates it.
func (c *segmentsCreateCmd) Run(ctx context.Context, s *screen) error {
	if err := c.Scope.check(); err != nil {
		return err
	}
	segment := gen.Segment{Key: c.Key, Name: c.Name, Included: c.Included, Excluded: c.Excluded}
	if c.When != "" {
		text, err := readCondition(c.When)
		if err != nil {
			return err
		}
		segment.When = new(feature.Condition)
		if err := feature.DecodeStrict(text, segment.When); err != nil {
			return misused("--when: %s", err)
		}
	}
	var written gen.SegmentWritten
	body, err := c.call(ctx, &written, func(client *gen.Client) (*http.Response, error) {
		return client.CreateSegment(ctx, c.Project, c.Env, &gen.CreateSegmentParams{WigwagComment: c.header(), DryRun: c.dryRun()}, segment)
	})
	if err != nil {
		return err
	}
	if c.json() {
		s.json(body)
		return nil
	}
	if c.DryRun {
		c.printChanges(s, written.Changes)
		return nil
	}
	printSegment(s, &written)
	return nil
}

// segmentsUpdateCmd changes a segment.
type segmentsUpdateCmd struct {
	Key     string  `arg:"" help:"Key of the segment."`
	Name    *string `placeholder:"TEXT" help:"What people call it; empty for nothing."`
	When    string  `placeholder:"JSON" help:"The condition for keys in neither list, as the API has it, or @FILE; null for none."`
	Remote  `embed:""`
	Scope   `embed:""`
	Attempt `embed:""`
}

// Run changes it.
func (c *segmentsUpdateCmd) Run(ctx context.Context, s *screen) error {
	if err := c.Scope.check(); err != nil {
		return err
	}
	patch := map[string]any{}
	if c.Name != nil {
		patch["name"] = *c.Name
		if *c.Name == "" {
			patch["name"] = nil
		}
	}
	if c.When != "" {
		condition, err := readCondition(c.When)
		if err != nil {
			return err
		}
		patch["when"] = condition
	}
	if len(patch) == 0 {
		return misused("what is to change? Give --name or --when; for its keys see wigwag segments keys --help")
	}
	text, err := encodeAsIs(patch)
	if err != nil {
		return err
	}
	var written gen.SegmentWritten
	body, err := c.call(ctx, &written, func(client *gen.Client) (*http.Response, error) {
		return client.PatchSegmentWithApplicationMergePatchPlusJSONBody(ctx, c.Project, c.Env, c.Key,
			&gen.PatchSegmentParams{WigwagComment: c.header(), DryRun: c.dryRun()}, text)
	})
	if err != nil {
		return err
	}
	if c.json() {
		s.json(body)
		return nil
	}
	if c.DryRun {
		c.printChanges(s, written.Changes)
		return nil
	}
	printSegment(s, &written)
	return nil
}

// segmentsDeleteCmd deletes a segment.
type segmentsDeleteCmd struct {
	Key     string `arg:"" help:"Key of the segment."`
	Remote  `embed:""`
	Scope   `embed:""`
	Attempt `embed:""`
}

// Run deletes it.
func (c *segmentsDeleteCmd) Run(ctx context.Context, s *screen) error {
	if err := c.Scope.check(); err != nil {
		return err
	}
	var written gen.Written
	body, err := c.call(ctx, &written, func(client *gen.Client) (*http.Response, error) {
		return client.DeleteSegment(ctx, c.Project, c.Env, c.Key, &gen.DeleteSegmentParams{WigwagComment: c.header(), DryRun: c.dryRun()})
	})
	if err != nil {
		return err
	}
	if c.json() {
		s.json(body)
		return nil
	}
	if c.DryRun {
		c.printChanges(s, written.Changes)
		return nil
	}
	s.fields(
		[]string{"segment", s.paint(strong, c.Key)},
		[]string{"environment", s.paint(neutral, c.Project+"/"+c.Env)},
		[]string{"state", s.paint(neutral, "deleted")},
		[]string{"position", s.paint(neutral, written.Position.String())},
	)
	return nil
}
