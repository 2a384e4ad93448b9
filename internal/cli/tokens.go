package cli

import (
	"context"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/wigwag/wigwag/internal/gen"
)

// tokensCmd is the commands on API tokens.
type tokensCmd struct {
	List   tokensListCmd   `cmd:"" help:"List the API tokens, without their secrets."`
	Create tokensCreateCmd `cmd:"" help:"Create an API token; its secret is shown once."`
	Rotate tokensRotateCmd `cmd:"" help:"Replace an API token by a new one; both are honoured for some time."`
	Revoke tokensRevokeCmd `cmd:"" help:"Refuse an API token from now on."`
}

func describeToken(s *screen, t *gen.Token) [][]string {
	return [][]string{
		{"token", s.paint(strong, t.ID)},
		{"name", s.paint(neutral, t.Name)},
		{"scope", s.paint(neutral, string(t.Scope))},
		{"projects", s.paint(neutral, projectsOf(t))},
		{"expires", s.paint(neutral, expiryOf(t.ExpiresAt, t.ReplacedBy, time.Now()))},
	}
}

func projectsOf(t *gen.Token) string {
	if len(t.Projects) == 0 {
		return "all"
	}
	return strings.Join(t.Projects, ", ")
}

var credentialID = regexp.MustCompile(`^[a-z0-9-]+$`)

// checkID refuses what is no id before it gets into an address, which logs keep:
// somebody will take the secret for it.
func checkID(id string) error {
	if !credentialID.MatchString(id) {
		return misused("that is no id, such as sk-x4p7m2qa; list the keys or tokens to find it, and do not give the secret")
	}
	return nil
}

// tokensListCmd lists tokens.
type tokensListCmd struct {
	Remote `embed:""`
}

// Run prints them.
func (c *tokensListCmd) Run(ctx context.Context, s *screen) error {
	var list gen.TokenList
	body, err := c.call(ctx, &list, func(client *gen.Client) (*http.Response, error) { return client.ListTokens(ctx) })
	if err != nil {
		return err
	}
	if c.json() {
		s.json(body)
		return nil
	}
	rows := make([][]string, len(list.Items))
	for i := range list.Items {
		t := &list.Items[i]
		rows[i] = []string{
			s.paint(strong, t.ID), s.paint(neutral, t.Name), s.paint(neutral, string(t.Scope)), s.paint(neutral, projectsOf(t)),
			s.paint(neutral, t.CreatedBy), s.paint(neutral, expiryOf(t.ExpiresAt, t.ReplacedBy, time.Now())),
			s.paint(neutral, moment(t.LastUsedAt, "never")),
		}
	}
	s.table([]string{"ID", "NAME", "SCOPE", "PROJECTS", "CREATED BY", "EXPIRES", "LAST USED"}, rows)
	return nil
}

// tokensCreateCmd creates a token.
type tokensCreateCmd struct {
	Name   string   `arg:"" help:"What it is for, such as deploy; histories have it."`
	Scope  string   `required:"" enum:"read,write,admin" placeholder:"SCOPE" help:"How much it may do: read, write flags and segments, or admin, which also deletes and manages projects, environments, keys and tokens."`
	Only   []string `sep:"none" placeholder:"PROJECT" help:"A project that it is limited to; once for each. Default all."`
	Expiry `embed:"" set:"expiry=never"`
	Remote `embed:""`
	Trial  `embed:""`
}

// Run creates it.
func (c *tokensCreateCmd) Run(ctx context.Context, s *screen) error {
	expires, err := c.at(time.Now())
	if err != nil {
		return err
	}
	return issueToken(ctx, s, &c.Remote, &c.Trial, func(client *gen.Client) (*http.Response, error) {
		return client.CreateToken(ctx, &gen.CreateTokenParams{DryRun: c.dryRun()},
			gen.NewToken{Name: c.Name, Scope: gen.TokenScope(c.Scope), Projects: c.Only, ExpiresAt: expires})
	})
}

// issueToken makes a token and prints it, with its secret.
func issueToken(ctx context.Context, s *screen, r *Remote, t *Trial, request func(*gen.Client) (*http.Response, error)) error {
	var issued gen.TokenIssued
	body, err := r.call(ctx, &issued, request)
	if err != nil {
		return err
	}
	if r.json() {
		s.json(body)
		return nil
	}
	t.note(s)
	s.fields(describeToken(s, &issued.Item)...)
	if issued.Replaced != nil {
		s.line("\nThe old token:\n")
		s.fields(describeToken(s, issued.Replaced)...)
	}
	showSecret(s, issued.Secret, "token")
	return nil
}

// tokensRotateCmd rotates a token.
type tokensRotateCmd struct {
	ID      string `arg:"" name:"id" help:"Id of the token, such as tk-m3k9r5tz; not its secret."`
	Overlap `embed:""`
	Expiry  `embed:"" set:"expiry=as long from now as the old one was given"`
	Remote  `embed:""`
	Trial   `embed:""`
}

// Run rotates it.
func (c *tokensRotateCmd) Run(ctx context.Context, s *screen) error {
	rotation, err := rotationOf(&c.Overlap, &c.Expiry)
	if err != nil {
		return err
	}
	if err := checkID(c.ID); err != nil {
		return err
	}
	return issueToken(ctx, s, &c.Remote, &c.Trial, func(client *gen.Client) (*http.Response, error) {
		return client.RotateToken(ctx, c.ID, &gen.RotateTokenParams{DryRun: c.dryRun()}, rotation)
	})
}

// tokensRevokeCmd revokes a token.
type tokensRevokeCmd struct {
	ID     string `arg:"" name:"id" help:"Id of the token, such as tk-m3k9r5tz; not its secret."`
	Remote `embed:""`
	Trial  `embed:""`
}

// Run revokes it.
func (c *tokensRevokeCmd) Run(ctx context.Context, s *screen) error {
	if err := checkID(c.ID); err != nil {
		return err
	}
	var revoked gen.TokenRevoked
	body, err := c.call(ctx, &revoked, func(client *gen.Client) (*http.Response, error) {
		return client.RevokeToken(ctx, c.ID, &gen.RevokeTokenParams{DryRun: c.dryRun()})
	})
	if err != nil {
		return err
	}
	if c.json() {
		s.json(body)
		return nil
	}
	c.note(s)
	if !c.DryRun {
		s.line("The token %s (%s) is revoked.", s.paint(strong, revoked.Item.ID), s.paint(neutral, revoked.Item.Name))
	}
	return nil
}
