package cli

import (
	"context"
	"encoding/json"
	"math"
	"net/http"
	"os"
	"strconv"
	"strings"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/gen"
)

// operation is one step of a semantic patch, in the words of the API.
type operation map[string]any

// operationsType is the media type of a semantic patch.
const operationsType = "application/vnd.wigwag.operations+json"

// Configure is what every command is told that changes the configuration of a
// flag.
type Configure struct {
	Remote  `embed:""`
	Scope   `embed:""`
	Attempt `embed:""`
}

// operate applies a semantic patch to a flag and prints the outcome.
func (c *Configure) operate(ctx context.Context, s *screen, flag string, operations ...operation) error {
	if err := c.Scope.check(); err != nil {
		return err
	}
	patch, err := encodeAsIs(map[string]any{"operations": operations})
	if err != nil {
		return err
	}
	return c.write(ctx, s, func(client *gen.Client) (*http.Response, error) {
		return client.PatchFlagWithBody(ctx, c.Project, c.Env, flag,
			&gen.PatchFlagParams{WigwagComment: c.header(), DryRun: c.dryRun()}, operationsType, strings.NewReader(string(patch)))
	})
}

// write makes a write to a flag of an environment and prints its outcome.
func (c *Configure) write(ctx context.Context, s *screen, request func(*gen.Client) (*http.Response, error)) error {
	var written gen.FlagWritten
	body, err := c.call(ctx, &written, request)
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
	rows := [][]string{
		{"flag", s.paint(strong, written.Item.Key)},
		{"environment", s.paint(neutral, c.Project+"/"+c.Env)},
		{"state", s.state(string(written.Item.State))},
		{"serves", s.paint(neutral, outcome(&written.Item))},
	}
	if n := len(written.Item.Rules); n > 0 {
		rows = append(rows, []string{"rules", strconv.Itoa(n)})
	}
	s.fields(append(rows, []string{"position", s.paint(neutral, written.Position.String())})...)
	if len(written.Changes) == 0 {
		s.line("Everything was so already.")
	}
	return nil
}

// Outcome is what a rule or the default serves.
type Outcome struct {
	Split   string `placeholder:"NAME=PERCENT,NAME=PERCENT" help:"Spread over variants, such as on=25,off=75; the percentages sum to 100."`
	SplitBy string `name:"by" placeholder:"ATTRIBUTE" help:"The attribute by which the split spreads. Default targetingKey."`
}

// serve reads a variant or a split; nil where neither is given.
func (o *Outcome) serve(option, variant string) (*feature.Serve, error) {
	switch {
	case variant != "" && o.Split != "":
		return nil, misused("%s and --split are both given; leave one out", option)
	case o.SplitBy != "" && o.Split == "":
		return nil, misused("--by is of a split; give --split too")
	case variant != "":
		return &feature.Serve{Variant: variant}, nil
	case o.Split == "":
		return nil, nil
	}
	weights, err := readWeights(o.Split)
	return &feature.Serve{Split: &feature.Split{By: o.SplitBy, Weights: weights}}, err
}

// readWeights reads percentages of variants, exact to a thousandth.
func readWeights(text string) ([]feature.Weight, error) {
	var weights []feature.Weight
	sum := 0
	for part := range strings.SplitSeq(text, ",") {
		variant, share, ok := strings.Cut(strings.TrimSpace(part), "=")
		number, err := strconv.ParseFloat(strings.TrimSuffix(share, "%"), 64)
		weight := int(math.Round(number * 1000))
		if !ok || variant == "" || err != nil || number < 0 || number > 100 || math.Abs(number*1000-float64(weight)) > 1e-6 {
			return nil, misused("--split %q: write variants and percentages of at most three decimals, such as on=25,off=75", text)
		}
		weights = append(weights, feature.Weight{Variant: variant, Weight: weight})
		sum += weight
	}
	if sum != feature.SplitTotal {
		return nil, misused("--split %q: the percentages sum to %s, not to 100%%", text, percent(sum))
	}
	return weights, nil
}

// readDocument reads a document of JSON, or @FILE with it, for an option.
func readDocument(option, argument string) (json.RawMessage, error) {
	text := []byte(argument)
	if name, ok := strings.CutPrefix(argument, "@"); ok {
		var err error
		if text, err = os.ReadFile(name); err != nil {
			return nil, err
		}
	}
	if !json.Valid(text) {
		return nil, misused("%s is no JSON; write JSON as the API has it, or @FILE", option)
	}
	return text, nil
}
