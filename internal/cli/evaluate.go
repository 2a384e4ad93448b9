package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/wigwag/wigwag/eval"
	"github.com/wigwag/wigwag/internal/gen"
)

// evaluateCmd resolves a flag.
type evaluateCmd struct {
	Flag    string   `arg:"" help:"Key of the flag."`
	Context []string `short:"c" sep:"none" placeholder:"NAME=VALUE" help:"An attribute of the context, such as plan=pro or targetingKey=user-42, or @FILE with a JSON object; as many as needed."`
	Explain bool     `help:"Print every step by which the flag was resolved."`
	At      uint64   `placeholder:"N" help:"As of this version of the environment; see wigwag history."`
	Remote  `embed:""`
	Scope   `embed:""`
}

// evaluation is the API's answer, as far as it is printed.
type evaluation struct {
	Position string   `json:"position"`
	Results  []result `json:"results"`
}

type result struct {
	Flag         string          `json:"flag"`
	Value        json.RawMessage `json:"value"`
	Variant      string          `json:"variant"`
	Reason       string          `json:"reason"`
	Rule         string          `json:"rule"`
	ErrorCode    string          `json:"errorCode"`
	ErrorMessage string          `json:"errorMessage"`
	Trace        *eval.Trace     `json:"trace"`
}

// Run prints what the flag resolves to; an error code is a failure.
func (c *evaluateCmd) Run(ctx context.Context, s *screen) error {
	if err := c.Scope.check(); err != nil {
		return err
	}
	attributes, err := readContext(c.Context)
	if err != nil {
		return err
	}
	var answer evaluation
	body, err := c.call(ctx, &answer, func(client *gen.Client) (*http.Response, error) {
		return client.Evaluate(ctx, c.Project, c.Env, gen.EvaluateRequest{
			Context: attributes, Flags: []string{c.Flag}, Explain: c.Explain, At: c.At,
		})
	})
	if err != nil {
		return err
	}
	if len(answer.Results) != 1 {
		return fmt.Errorf("the server answered with %d results for one flag", len(answer.Results))
	}
	r := &answer.Results[0]
	if c.json() {
		s.json(body)
	} else {
		r.print(s, answer.Position)
	}
	if r.ErrorCode != "" {
		return fmt.Errorf("%s in %s/%s: %s %s", r.Flag, c.Project, c.Env, r.ErrorCode, r.ErrorMessage)
	}
	return nil
}

func (r *result) print(s *screen, position string) {
	rows := [][]string{
		{"flag", s.paint(strong, r.Flag)},
		{"value", s.paint(strong, string(r.Value))},
	}
	for _, row := range [][2]string{
		{"variant", r.Variant}, {"reason", r.Reason}, {"rule", r.Rule}, {"error", r.ErrorCode}, {"position", position},
	} {
		if row[1] != "" {
			rows = append(rows, []string{row[0], s.paint(neutral, row[1])})
		}
	}
	s.fields(rows...)
	if r.Trace != nil {
		s.line("")
		s.tree(traceBranch(r.Trace))
	}
}
