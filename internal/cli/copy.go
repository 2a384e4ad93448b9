package cli

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/wigwag/wigwag/internal/gen"
)

// environmentsCopyCmd copies an environment.
type environmentsCopyCmd struct {
	From    string `arg:"" complete:"environments" help:"Key of the environment to copy from."`
	To      string `arg:"" complete:"environments" help:"Key of the environment to copy to."`
	Remote  `embed:""`
	Attempt `embed:""`
}

// Run copies it.
func (c *environmentsCopyCmd) Run(ctx context.Context, s *screen) error {
	return copyTo(ctx, s, &c.Remote, &c.Attempt, c.To, gen.Copy{From: c.From, All: true, NeededSegments: true})
}

// flagsCopyCmd copies the configurations of flags.
type flagsCopyCmd struct {
	Keys         []string `arg:"" name:"key" help:"Keys of the flags."`
	From         string   `required:"" placeholder:"KEY" complete:"environments" help:"The environment to copy from."`
	Segment      []string `sep:"none" placeholder:"KEY" help:"A segment to copy as well; once for each."`
	WithSegments bool     `help:"Copy the segments too that the flags refer to."`
	Remote       `embed:""`
	Scope        `embed:""`
	Attempt      `embed:""`
}

// Run copies them.
func (c *flagsCopyCmd) Run(ctx context.Context, s *screen) error {
	if err := c.Scope.check(); err != nil {
		return err
	}
	return copyTo(ctx, s, &c.Remote, &c.Attempt, c.Env, gen.Copy{From: c.From, Flags: c.Keys, Segments: c.Segment, NeededSegments: c.WithSegments})
}

func copyTo(ctx context.Context, s *screen, r *Remote, a *Attempt, environment string, request gen.Copy) error {
	var written gen.CopyWritten
	body, err := r.call(ctx, &written, func(client *gen.Client) (*http.Response, error) {
		return client.CopyEnvironment(ctx, r.Project, environment, &gen.CopyEnvironmentParams{WigwagComment: a.header(), DryRun: a.dryRun()}, request)
	})
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
	if len(written.Copied.Flags)+len(written.Copied.Segments) == 0 {
		s.line("Everything is so already.")
		return nil
	}
	var rows [][]string
	for _, row := range []struct {
		name string
		keys []string
	}{{"flags", written.Copied.Flags}, {"segments", written.Copied.Segments}} {
		if len(row.keys) > 0 {
			rows = append(rows, []string{row.name, s.paint(neutral, strings.Join(row.keys, ", "))})
		}
	}
	s.fields(append(rows, []string{"position", s.paint(neutral, written.Position.String())})...)
	return nil
}

// environmentsCompareCmd compares environments.
type environmentsCompareCmd struct {
	Key    string `arg:"" help:"Key of the environment."`
	With   string `arg:"" complete:"environments" help:"Key of the environment to compare with."`
	Remote `embed:""`
}

// Run prints what differs.
func (c *environmentsCompareCmd) Run(ctx context.Context, s *screen) error {
	return compareTo(ctx, s, &c.Remote, c.Key, c.With, nil)
}

// flagsCompareCmd compares flags between environments.
type flagsCompareCmd struct {
	Keys   []string `arg:"" optional:"" name:"key" help:"Keys of the flags; all where none is given."`
	With   string   `required:"" placeholder:"KEY" complete:"environments" help:"The environment to compare with."`
	Remote `embed:""`
	Scope  `embed:""`
}

// Run prints what differs.
func (c *flagsCompareCmd) Run(ctx context.Context, s *screen) error {
	if err := c.Scope.check(); err != nil {
		return err
	}
	return compareTo(ctx, s, &c.Remote, c.Env, c.With, func(kind, key string) bool {
		return kind == "flag" && (len(c.Keys) == 0 || slices.Contains(c.Keys, key))
	})
}

// compareTo prints what differs between two environments, of what is wanted.
func compareTo(ctx context.Context, s *screen, r *Remote, environment, with string, wanted func(kind, key string) bool) error {
	var compared gen.EnvironmentComparison
	body, err := r.call(ctx, &compared, func(client *gen.Client) (*http.Response, error) {
		return client.CompareEnvironments(ctx, r.Project, environment, &gen.CompareEnvironmentsParams{With: with})
	})
	if err != nil {
		return err
	}
	if r.json() {
		s.json(body)
		return nil
	}
	var rows [][]string
	for _, kind := range []struct {
		name  string
		items []gen.ComparedItem
	}{{"flag", compared.Flags}, {"segment", compared.Segments}} {
		for i := range kind.items {
			item := &kind.items[i]
			if item.Likeness == "same" || wanted != nil && !wanted(kind.name, item.Key) {
				continue
			}
			rows = append(rows, comparedRows(s, kind.name, item, environment, with)...)
		}
	}
	if len(rows) == 0 {
		s.line("Nothing differs between %s and %s.", environment, with)
		return nil
	}
	s.table([]string{"KIND", "KEY", "FIELD", strings.ToUpper(environment), strings.ToUpper(with)}, rows)
	return nil
}

// comparedRows are a row for each field that differs.
func comparedRows(s *screen, kind string, item *gen.ComparedItem, environment, with string) [][]string {
	here, there := "there", "there"
	switch item.Likeness {
	case "missing-here":
		here = "missing"
	case "missing-there":
		there = "missing"
	default:
		rows := make([][]string, len(item.Fields))
		for i, field := range item.Fields {
			rows[i] = []string{kind, s.paint(strong, item.Key), s.paint(neutral, field.Field), fieldText(s, field.Here), fieldText(s, field.There)}
		}
		return rows
	}
	return [][]string{{kind, s.paint(strong, item.Key), "", here, there}}
}

// fieldText is the value of a field, cut to what a row holds.
func fieldText(s *screen, value []byte) string {
	const most = 60
	text := string(value)
	if text == "" {
		text = "-"
	}
	if runes := []rune(text); len(runes) > most {
		text = string(runes[:most-1]) + "…"
	}
	return s.paint(neutral, text)
}
