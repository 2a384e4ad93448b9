package cli

import (
	"context"
	"net/http"
	"slices"
	"strconv"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/gen"
)

// rulesCmd is the commands on the rules of a flag.
type rulesCmd struct {
	List   rulesListCmd   `cmd:"" help:"List the rules of a flag, in the order in which they are tried."`
	Add    rulesAddCmd    `cmd:"" help:"Add a rule to a flag."`
	Update rulesUpdateCmd `cmd:"" help:"Change a rule of a flag."`
	Remove rulesRemoveCmd `cmd:"" help:"Remove a rule of a flag."`
	Move   rulesMoveCmd   `cmd:"" help:"Try a rule earlier or later."`
}

// rulesListCmd lists rules.
type rulesListCmd struct {
	Flag   string `arg:"" help:"Key of the flag."`
	Remote `embed:""`
	Scope  `embed:""`
}

// Run prints them.
func (c *rulesListCmd) Run(ctx context.Context, s *screen) error {
	if err := c.Scope.check(); err != nil {
		return err
	}
	var flag gen.Flag
	_, err := c.call(ctx, &flag, func(client *gen.Client) (*http.Response, error) {
		return client.GetFlag(ctx, c.Project, c.Env, c.Flag)
	})
	if err != nil {
		return err
	}
	if c.json() {
		rules := flag.Rules
		if rules == nil {
			rules = []feature.Rule{}
		}
		body, err := encodeAsIs(rules)
		if err != nil {
			return err
		}
		if body, err = c.form(body); err != nil {
			return err
		}
		s.json(body)
		return nil
	}
	if len(flag.Rules) == 0 {
		s.line("%s has no rules in %s/%s. Add one with: wigwag rules add %s --when JSON --serve NAME", c.Flag, c.Project, c.Env, c.Flag)
		return nil
	}
	rows := make([][]string, len(flag.Rules))
	for i := range flag.Rules {
		r := &flag.Rules[i]
		rows[i] = []string{
			strconv.Itoa(i), s.paint(strong, r.ID), s.paint(neutral, r.Name),
			s.paint(neutral, describeCondition(&r.When, false)), s.paint(neutral, describeServe(&r.Serve)),
		}
	}
	s.table([]string{"AT", "ID", "NAME", "IF", "SERVES"}, rows)
	return nil
}

// Position is where a rule goes.
type Position struct {
	Before string `placeholder:"ID" help:"Before this rule."`
	After  string `placeholder:"ID" help:"After this rule."`
	At     *int   `placeholder:"N" help:"At this place, from 0."`
}

// put adds the place to an operation, and reports whether there is one.
func (p *Position) put(o operation) bool {
	if p.Before != "" {
		o["before"] = p.Before
	}
	if p.After != "" {
		o["after"] = p.After
	}
	if p.At != nil {
		o["at"] = *p.At
	}
	return p.Before != "" || p.After != "" || p.At != nil
}

// rulesAddCmd adds a rule.
type rulesAddCmd struct {
	Flag      string `arg:"" help:"Key of the flag."`
	When      string `required:"" placeholder:"JSON" help:"The condition, as the API has it, or @FILE."`
	Serve     string `placeholder:"NAME" help:"The variant to serve, unless --split is given."`
	Outcome   `embed:""`
	Name      string `placeholder:"TEXT" help:"What people call it."`
	ID        string `placeholder:"ID" help:"Its id; one is made where none is given."`
	Position  `embed:""`
	Configure `embed:""`
}

// Run adds it.
func (c *rulesAddCmd) Run(ctx context.Context, s *screen) error {
	serve, err := c.serve("--serve", c.Serve)
	if err != nil {
		return err
	}
	if serve == nil {
		return misused("what is to be served? Give --serve or --split")
	}
	when, err := readDocument("--when", c.When)
	if err != nil {
		return err
	}
	rule := map[string]any{"when": when, "serve": serveDocument(serve)}
	if c.Name != "" {
		rule["name"] = c.Name
	}
	if c.ID != "" {
		rule["id"] = c.ID
	}
	o := operation{"op": "insertRule", "rule": rule}
	c.put(o)
	return c.operate(ctx, s, c.Flag, o)
}

// serveDocument is what is served, a split without the salt that is to be kept.
func serveDocument(serve *feature.Serve) map[string]any {
	if serve.Split == nil {
		return map[string]any{"variant": serve.Variant}
	}
	split := map[string]any{"weights": serve.Split.Weights}
	if serve.Split.By != "" {
		split["by"] = serve.Split.By
	}
	if serve.Split.Salt != "" {
		split["salt"] = serve.Split.Salt
	}
	return map[string]any{"split": split}
}

// rulesUpdateCmd changes a rule.
type rulesUpdateCmd struct {
	Flag      string `arg:"" help:"Key of the flag."`
	ID        string `arg:"" help:"Id of the rule."`
	When      string `placeholder:"JSON" help:"The condition, as the API has it, or @FILE."`
	Serve     string `placeholder:"NAME" help:"The variant to serve."`
	Outcome   `embed:""`
	Name      *string `placeholder:"TEXT" help:"What people call it; empty for nothing."`
	Configure `embed:""`
}

// Run changes it. What is not given stays as it is: the rule is read, and written
// on the condition that nobody changes the flag in between.
func (c *rulesUpdateCmd) Run(ctx context.Context, s *screen) error {
	if err := c.Scope.check(); err != nil {
		return err
	}
	serve, err := c.serve("--serve", c.Serve)
	if err != nil {
		return err
	}
	if serve == nil && c.When == "" && c.Name == nil {
		return misused("what is to change? Give --when, --serve, --split or --name")
	}
	var flag gen.Flag
	var tag string
	_, err = c.call(ctx, &flag, func(client *gen.Client) (*http.Response, error) {
		response, err := client.GetFlag(ctx, c.Project, c.Env, c.Flag)
		if err == nil {
			tag = response.Header.Get("ETag")
		}
		return response, err
	})
	if err != nil {
		return err
	}
	at := slices.IndexFunc(flag.Rules, func(r feature.Rule) bool { return r.ID == c.ID })
	if at < 0 {
		return misused("flag %s has no rule %s in %s/%s; see wigwag rules list", c.Flag, c.ID, c.Project, c.Env)
	}
	before := &flag.Rules[at]
	rule := map[string]any{"when": before.When, "serve": serveDocument(&before.Serve)}
	if serve != nil {
		if serve.Split != nil && before.Serve.Split != nil && serve.Split.By == "" {
			serve.Split.By = before.Serve.Split.By
		}
		rule["serve"] = serveDocument(serve)
	}
	if before.Name != "" {
		rule["name"] = before.Name
	}
	if c.Name != nil {
		rule["name"] = *c.Name
	}
	if c.When != "" {
		if rule["when"], err = readDocument("--when", c.When); err != nil {
			return err
		}
	}
	if c.IfMatch == "" {
		if c.IfMatch, err = strconv.Unquote(tag); err != nil {
			return unlike(c.URL, err)
		}
	}
	return c.operate(ctx, s, c.Flag, operation{"op": "updateRule", "id": c.ID, "rule": rule})
}

// rulesRemoveCmd removes rules.
type rulesRemoveCmd struct {
	Flag      string   `arg:"" help:"Key of the flag."`
	IDs       []string `arg:"" name:"id" help:"Ids of the rules."`
	Configure `embed:""`
}

// Run removes them.
func (c *rulesRemoveCmd) Run(ctx context.Context, s *screen) error {
	list := make([]operation, len(c.IDs))
	for i, id := range c.IDs {
		list[i] = operation{"op": "removeRule", "id": id}
	}
	return c.operate(ctx, s, c.Flag, list...)
}

// rulesMoveCmd moves a rule.
type rulesMoveCmd struct {
	Flag      string `arg:"" help:"Key of the flag."`
	ID        string `arg:"" help:"Id of the rule."`
	Position  `embed:""`
	Configure `embed:""`
}

// Run moves it.
func (c *rulesMoveCmd) Run(ctx context.Context, s *screen) error {
	o := operation{"op": "moveRule", "id": c.ID}
	if !c.put(o) {
		return misused("where to? Give --before or --after with the id of a rule, or --at with a place from 0")
	}
	return c.operate(ctx, s, c.Flag, o)
}
