package cli

import (
	"context"
	"net/http"
	"strconv"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/gen"
)

// segmentKeysCmd is the commands on the targeting keys of a segment.
type segmentKeysCmd struct {
	Add    segmentKeysAddCmd    `cmd:"" help:"Add targeting keys to a list of a segment."`
	Remove segmentKeysRemoveCmd `cmd:"" help:"Remove targeting keys from a list of a segment."`
	Get    segmentKeysGetCmd    `cmd:"" help:"Say which list of a segment holds a targeting key."`
	List   segmentKeysListCmd   `cmd:"" help:"List the targeting keys of a segment."`
	Import segmentKeysImportCmd `cmd:"" help:"Make a list of a segment hold the targeting keys of a file, and no others."`
	Export segmentKeysExportCmd `cmd:"" help:"Write all targeting keys of a list of a segment to a file."`
}

// KeyList is one of the lists of a segment.
type KeyList struct {
	Segment string `arg:"" help:"Key of the segment."`
	List    string `default:"included" enum:"included,excluded" placeholder:"LIST" help:"Which of its lists: included or excluded. Default ${default}."`
	Remote  `embed:""`
	Scope   `embed:""`
}

func (k *KeyList) name() feature.ListName { return feature.ListName(k.List) }

// segmentKeysAddCmd adds keys.
type segmentKeysAddCmd struct {
	KeyList `embed:""`
	Keys    []string `arg:"" name:"key" sep:"none" help:"Targeting keys."`
	Attempt `embed:""`
}

// Run adds them.
func (c *segmentKeysAddCmd) Run(ctx context.Context, s *screen) error {
	return c.update(ctx, s, &c.Attempt, gen.SegmentKeysUpdate{List: c.name(), Add: c.Keys})
}

// segmentKeysRemoveCmd removes keys.
type segmentKeysRemoveCmd struct {
	KeyList `embed:""`
	Keys    []string `arg:"" name:"key" sep:"none" help:"Targeting keys."`
	Attempt `embed:""`
}

// Run removes them.
func (c *segmentKeysRemoveCmd) Run(ctx context.Context, s *screen) error {
	return c.update(ctx, s, &c.Attempt, gen.SegmentKeysUpdate{List: c.name(), Remove: c.Keys})
}

func (k *KeyList) update(ctx context.Context, s *screen, a *Attempt, update gen.SegmentKeysUpdate) error {
	if err := k.Scope.check(); err != nil {
		return err
	}
	var written gen.Written
	body, err := k.call(ctx, &written, func(client *gen.Client) (*http.Response, error) {
		return client.UpdateSegmentKeys(ctx, k.Project, k.Env, k.Segment, &gen.UpdateSegmentKeysParams{WigwagComment: a.header(), DryRun: a.dryRun()}, update)
	})
	if err != nil {
		return err
	}
	if k.json() {
		s.json(body)
		return nil
	}
	if a.DryRun {
		a.printChanges(s, written.Changes)
		return nil
	}
	changed := "nothing, it was so already"
	if len(written.Changes) > 0 {
		changed = "list " + k.List
	}
	s.fields(
		[]string{"segment", s.paint(strong, k.Segment)},
		[]string{"environment", s.paint(neutral, k.Project+"/"+k.Env)},
		[]string{"changed", changed},
		[]string{"position", s.paint(neutral, written.Position.String())},
	)
	return nil
}

// segmentKeysGetCmd asks for one key.
type segmentKeysGetCmd struct {
	Segment string `arg:"" help:"Key of the segment."`
	Key     string `arg:"" help:"The targeting key."`
	Remote  `embed:""`
	Scope   `embed:""`
}

// Run prints where the key is.
func (c *segmentKeysGetCmd) Run(ctx context.Context, s *screen) error {
	if err := c.Scope.check(); err != nil {
		return err
	}
	var found gen.SegmentKey
	body, err := c.call(ctx, &found, func(client *gen.Client) (*http.Response, error) {
		return client.GetSegmentKey(ctx, c.Project, c.Env, c.Segment, c.Key)
	})
	if err != nil {
		return err
	}
	if c.json() {
		s.json(body)
		return nil
	}
	list := string(found.List)
	if list == "" {
		list = "none; the condition of the segment decides"
	}
	s.fields(
		[]string{"key", s.paint(strong, found.Key)},
		[]string{"list", s.paint(neutral, list)},
		[]string{"position", s.paint(neutral, found.Position.String())},
	)
	return nil
}

// segmentKeysImportCmd replaces a list.
type segmentKeysImportCmd struct {
	KeyList `embed:""`
	File    string `arg:"" help:"File with one targeting key a line, - for standard input."`
	Attempt `embed:""`
}

// Run sends the file.
func (c *segmentKeysImportCmd) Run(ctx context.Context, s *screen) error {
	if err := c.Scope.check(); err != nil {
		return err
	}
	file, size, err := openKeys(c.File)
	if err != nil {
		return err
	}
	defer file.Close() //nolint:errcheck // it was only read
	var written gen.SegmentKeysReplaced
	body, err := c.upload(ctx, s, file, size, &written, func(ctx context.Context, client *gen.Client, body *upload) (*http.Response, error) {
		return client.ReplaceSegmentKeysWithBody(ctx, c.Project, c.Env, c.Segment,
			&gen.ReplaceSegmentKeysParams{List: c.name(), WigwagComment: c.header(), DryRun: c.dryRun()}, "text/plain; charset=utf-8", body)
	})
	if err != nil {
		return err
	}
	if c.json() {
		s.json(body)
		return nil
	}
	if c.DryRun {
		s.line("This is a dry run; nothing was changed.")
	}
	rows := [][]string{
		{"segment", s.paint(strong, c.Segment)},
		{"environment", s.paint(neutral, c.Project+"/"+c.Env)},
		{"list", s.paint(neutral, string(written.List))},
		{"keys", strconv.Itoa(written.Keys)},
		{"added", strconv.Itoa(written.Added)},
		{"removed", strconv.Itoa(written.Removed)},
	}
	if written.Duplicates > 0 {
		rows = append(rows, []string{"duplicates", strconv.Itoa(written.Duplicates) + " lines, left out"})
	}
	if written.Blank > 0 {
		rows = append(rows, []string{"blank", strconv.Itoa(written.Blank) + " lines, left out"})
	}
	s.fields(append(rows, []string{"position", s.paint(neutral, written.Position.String())})...)
	return nil
}
