package cli

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/wigwag/wigwag/internal/gen"
)

// historyCmd is the commands that read a history.
type historyCmd struct {
	All     historyAllCmd     `cmd:"" default:"withargs" help:"Everything that changed; what history does by itself."`
	Flag    historyFlagCmd    `cmd:"" help:"What changed a flag."`
	Segment historySegmentCmd `cmd:"" help:"What changed a segment or its keys."`
	Version historyVersionCmd `cmd:"" help:"What one version changed, field by field."`
}

// Set is which history is meant.
type Set struct {
	Definitions bool   `help:"The history of the project itself: flag definitions and environments."`
	Env         string `short:"e" placeholder:"KEY" env:"WIGWAG_ENV" help:"The environment."`
}

func (s *Set) check() error {
	if s.Definitions {
		return nil
	}
	return (&Scope{Env: s.Env}).check()
}

// Past is an earlier version of an environment.
type Past struct {
	At uint64 `placeholder:"N" help:"As it was right after this version; see wigwag history."`
}

// HistoryPage is how much of a history is wanted.
type HistoryPage struct {
	Limit int    `default:"20" placeholder:"N" help:"List at most so many changes, 1000 at most. Default ${default}."`
	After string `placeholder:"POSITION" help:"Go on behind this position, which the last page told."`
}

// historyAllCmd lists all changes.
type historyAllCmd struct {
	HistoryPage `embed:""`
	Remote      `embed:""`
	Set         `embed:""`
}

// Run prints them.
func (c *historyAllCmd) Run(ctx context.Context, s *screen) error {
	return listHistory(ctx, s, &c.Remote, &c.Set, &c.HistoryPage, "", "")
}

// historyFlagCmd lists the changes of a flag.
type historyFlagCmd struct {
	Key         string `arg:"" help:"Key of the flag."`
	HistoryPage `embed:""`
	Remote      `embed:""`
	Set         `embed:""`
}

// Run prints them.
func (c *historyFlagCmd) Run(ctx context.Context, s *screen) error {
	return listHistory(ctx, s, &c.Remote, &c.Set, &c.HistoryPage, c.Key, "")
}

// historySegmentCmd lists the changes of a segment.
type historySegmentCmd struct {
	Key         string `arg:"" help:"Key of the segment."`
	HistoryPage `embed:""`
	Remote      `embed:""`
	Scope       `embed:""`
}

// Run prints them.
func (c *historySegmentCmd) Run(ctx context.Context, s *screen) error {
	return listHistory(ctx, s, &c.Remote, &Set{Env: c.Env}, &c.HistoryPage, "", c.Key)
}

func listHistory(ctx context.Context, s *screen, r *Remote, set *Set, p *HistoryPage, flag, segment string) error {
	if err := set.check(); err != nil {
		return err
	}
	var after *string
	if p.After != "" {
		after = &p.After
	}
	var history gen.ChangeList
	body, err := r.call(ctx, &history, func(client *gen.Client) (*http.Response, error) {
		if set.Definitions {
			return client.ListProjectChanges(ctx, r.Project, &gen.ListProjectChangesParams{
				Order: optional(gen.ListProjectChangesParamsOrder("desc")), After: after, Limit: &p.Limit, Flag: optional(flag),
			})
		}
		return client.ListChanges(ctx, r.Project, set.Env, &gen.ListChangesParams{
			Order: optional(gen.ListChangesParamsOrder("desc")), After: after, Limit: &p.Limit, Flag: optional(flag), Segment: optional(segment),
		})
	})
	if err != nil {
		return err
	}
	if r.json() {
		s.json(body)
		return nil
	}
	if len(history.Changes) == 0 {
		s.line("No changes.")
		return nil
	}
	rows := make([][]string, len(history.Changes))
	for i := range history.Changes {
		change := &history.Changes[i]
		rows[i] = []string{
			s.paint(strong, strconv.FormatUint(change.Position.Version, 10)), s.paint(faint, localTime(change.At)),
			s.paint(neutral, change.Actor), s.paint(neutral, touched(change)), s.paint(neutral, change.Comment),
		}
	}
	s.table([]string{"VERSION", "TIME", "WHO", "WHAT", "WHY"}, rows)
	if !history.Next.IsZero() {
		s.line("\nOlder changes: --after %s", history.Next)
	}
	return nil
}

func localTime(at time.Time) string { return at.Local().Format("2006-01-02 15:04:05") }

// touched is what a change is about, of much only the first.
func touched(change *gen.Change) string {
	what := append([]string{}, change.Flags...)
	for _, key := range change.Segments {
		what = append(what, "segment "+key)
	}
	for _, key := range change.Environments {
		what = append(what, "environment "+key)
	}
	if len(what) == 0 {
		return "the project"
	}
	const most = 4
	if len(what) > most {
		return strings.Join(what[:most], ", ") + " and " + strconv.Itoa(len(what)-most) + " more"
	}
	return strings.Join(what, ", ")
}

// historyVersionCmd shows what a version changed.
type historyVersionCmd struct {
	Version uint64 `arg:"" help:"Number of the version."`
	Remote  `embed:""`
	Set     `embed:""`
}

// Run prints it.
func (c *historyVersionCmd) Run(ctx context.Context, s *screen) error {
	if err := c.check(); err != nil {
		return err
	}
	var version struct {
		gen.Change
		Items []documentChange `json:"items"`
	}
	body, err := c.call(ctx, &version, func(client *gen.Client) (*http.Response, error) {
		if c.Definitions {
			return client.GetProjectVersion(ctx, c.Project, c.Version)
		}
		return client.GetVersion(ctx, c.Project, c.Env, c.Version)
	})
	if err != nil {
		return err
	}
	if c.json() {
		s.json(body)
		return nil
	}
	rows := [][]string{
		{"position", s.paint(neutral, version.Position.String())},
		{"time", s.paint(neutral, localTime(version.At))},
		{"who", s.paint(neutral, version.Actor)},
	}
	if version.Comment != "" {
		rows = append(rows, []string{"why", s.paint(neutral, version.Comment)})
	}
	s.fields(rows...)
	s.line("")
	s.differences(version.Items)
	return nil
}

func (c *historyVersionCmd) check() error { return c.Set.check() }
