package cli

import (
	"encoding/json"
	"fmt"
)

// contextCmd is the commands on contexts.
type contextCmd struct {
	List   contextListCmd   `cmd:"" help:"List the servers that wigwag login was given."`
	Use    contextUseCmd    `cmd:"" help:"Use another server from now on."`
	Remove contextRemoveCmd `cmd:"" help:"Forget a server and the token for it. The token itself is not revoked."`
}

// contextListCmd lists contexts.
type contextListCmd struct {
	Output `embed:""`
}

// shownContext is a context without its token.
type shownContext struct {
	Name    string `json:"name"`
	URL     string `json:"url"`
	Current bool   `json:"current"`
}

// Run prints them, without tokens.
func (c *contextListCmd) Run(s *screen) error {
	saved, err := readContexts()
	if err != nil {
		return err
	}
	shown := make([]shownContext, len(saved.Saved))
	for i, context := range saved.Saved {
		shown[i] = shownContext{context.Name, context.URL, context.Name == saved.Current}
	}
	if c.json() {
		body, err := json.Marshal(shown)
		if err != nil {
			return err
		}
		if body, err = c.form(body); err != nil {
			return err
		}
		s.json(body)
		return nil
	}
	if len(shown) == 0 {
		s.line("There are no contexts. Make one with: wigwag login --url URL")
		return nil
	}
	rows := make([][]string, len(shown))
	for i, context := range shown {
		rows[i] = []string{s.paint(strong, context.Name), s.paint(neutral, context.URL), yesNo(context.Current)}
	}
	s.table([]string{"NAME", "SERVER", "IN USE"}, rows)
	return nil
}

// contextUseCmd uses a context.
type contextUseCmd struct {
	Name string `arg:"" help:"Name of the context."`
}

// Run keeps that it is in use.
func (c *contextUseCmd) Run(s *screen) error {
	saved, err := readContexts()
	if err != nil {
		return err
	}
	context, err := saved.named(c.Name)
	if err != nil {
		return err
	}
	saved.Current = context.Name
	if err := saved.save(); err != nil {
		return err
	}
	s.line("The context %s is in use: %s", s.paint(strong, context.Name), s.paint(neutral, context.URL))
	return nil
}

// contextRemoveCmd removes a context.
type contextRemoveCmd struct {
	Name string `arg:"" help:"Name of the context."`
}

// Run removes it.
func (c *contextRemoveCmd) Run(s *screen) error {
	saved, err := readContexts()
	if err != nil {
		return err
	}
	if _, err := saved.named(c.Name); err != nil {
		return err
	}
	used := saved.Current == c.Name
	saved.remove(c.Name)
	if err := saved.save(); err != nil {
		return err
	}
	s.line("The context %s was removed.", s.paint(strong, c.Name))
	if used && len(saved.Saved) > 0 {
		fmt.Fprintln(s.err, "wigwag: no context is in use now; choose one with wigwag context use NAME")
	}
	return nil
}
