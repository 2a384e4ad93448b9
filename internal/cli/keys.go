package cli

import (
	"context"
	"net/http"
	"time"

	"github.com/wigwag/wigwag/internal/gen"
)

// sdkKeysCmd is the commands on server and client keys.
type sdkKeysCmd struct {
	List   sdkKeysListCmd   `cmd:"" help:"List the keys of an environment, without their secrets."`
	Create sdkKeysCreateCmd `cmd:"" help:"Create a key; its secret is shown once."`
	Rotate sdkKeysRotateCmd `cmd:"" help:"Replace a key by a new one; both are honoured for some time."`
	Revoke sdkKeysRevokeCmd `cmd:"" help:"Refuse a key from now on, and end the streams that are open with it."`
}

// Trial is whether only to try.
type Trial struct {
	DryRun bool `help:"Change nothing, only say whether it could be done."`
}

// dryRun is the parameter of the API, nil where it is not asked for.
func (t *Trial) dryRun() *bool {
	if !t.DryRun {
		return nil
	}
	return &t.DryRun
}

// note says that nothing was changed, where that is so.
func (t *Trial) note(s *screen) {
	if t.DryRun {
		s.line("This is a dry run; nothing was changed.")
	}
}

func describeKey(s *screen, k *gen.SDKKey) [][]string {
	rows := [][]string{
		{"key", s.paint(strong, k.ID)},
		{"name", s.paint(neutral, k.Name)},
		{"kind", s.paint(neutral, string(k.Kind))},
		{"expires", s.paint(neutral, expiryOf(k.ExpiresAt, k.ReplacedBy, time.Now()))},
	}
	return rows
}

// sdkKeysListCmd lists keys.
type sdkKeysListCmd struct {
	Remote `embed:""`
	Scope  `embed:""`
}

// Run prints them.
func (c *sdkKeysListCmd) Run(ctx context.Context, s *screen) error {
	if err := c.Scope.check(); err != nil {
		return err
	}
	var list gen.SDKKeyList
	body, err := c.call(ctx, &list, func(client *gen.Client) (*http.Response, error) {
		return client.ListKeys(ctx, c.Project, c.Env)
	})
	if err != nil {
		return err
	}
	if c.json() {
		s.json(body)
		return nil
	}
	if len(list.Items) == 0 {
		s.line("%s/%s has no keys yet. Create one with: wigwag keys create NAME --kind server --env %s", c.Project, c.Env, c.Env)
		return nil
	}
	rows := make([][]string, len(list.Items))
	for i := range list.Items {
		k := &list.Items[i]
		rows[i] = []string{
			s.paint(strong, k.ID), s.paint(neutral, string(k.Kind)), s.paint(neutral, k.Name), s.paint(neutral, k.CreatedBy),
			s.paint(neutral, expiryOf(k.ExpiresAt, k.ReplacedBy, time.Now())), s.paint(neutral, moment(k.LastUsedAt, "never")),
		}
	}
	s.table([]string{"ID", "KIND", "NAME", "CREATED BY", "EXPIRES", "LAST USED"}, rows)
	return nil
}

// sdkKeysCreateCmd creates a key.
type sdkKeysCreateCmd struct {
	Name   string `arg:"" help:"What it is for, such as checkout-service."`
	Kind   string `required:"" enum:"server,client" placeholder:"KIND" help:"server reads everything of the environment; client, which anybody can read out of an application, what clients may see."`
	Expiry `embed:"" set:"expiry=never"`
	Remote `embed:""`
	Scope  `embed:""`
	Trial  `embed:""`
}

// Run creates it.
func (c *sdkKeysCreateCmd) Run(ctx context.Context, s *screen) error {
	if err := c.Scope.check(); err != nil {
		return err
	}
	expires, err := c.at(time.Now())
	if err != nil {
		return err
	}
	return issueKey(ctx, s, &c.Remote, &c.Trial, func(client *gen.Client) (*http.Response, error) {
		return client.CreateKey(ctx, c.Project, c.Env, &gen.CreateKeyParams{DryRun: c.dryRun()},
			gen.NewSDKKey{Kind: gen.SDKKeyKind(c.Kind), Name: c.Name, ExpiresAt: expires})
	})
}

// issueKey makes a key and prints it, with its secret.
func issueKey(ctx context.Context, s *screen, r *Remote, t *Trial, request func(*gen.Client) (*http.Response, error)) error {
	var issued gen.SDKKeyIssued
	body, err := r.call(ctx, &issued, request)
	if err != nil {
		return err
	}
	if r.json() {
		s.json(body)
		return nil
	}
	t.note(s)
	s.fields(describeKey(s, &issued.Item)...)
	if issued.Replaced != nil {
		s.line("\nThe old key:\n")
		s.fields(describeKey(s, issued.Replaced)...)
	}
	showSecret(s, issued.Secret, "key")
	return nil
}

// showSecret prints a secret, where there is one.
func showSecret(s *screen, secret, what string) {
	if secret != "" {
		s.line("\nThe secret of the %s, shown this once:\n\n    %s\n\nKeep it safe; it cannot be shown again.", what, s.paint(strong, secret))
	}
}

// sdkKeysRotateCmd rotates a key.
type sdkKeysRotateCmd struct {
	ID      string `arg:"" name:"id" help:"Id of the key, such as sk-x4p7m2qa; not its secret."`
	Overlap `embed:""`
	Expiry  `embed:"" set:"expiry=as long from now as the old one was given"`
	Remote  `embed:""`
	Scope   `embed:""`
	Trial   `embed:""`
}

// Run rotates it.
func (c *sdkKeysRotateCmd) Run(ctx context.Context, s *screen) error {
	if err := c.Scope.check(); err != nil {
		return err
	}
	rotation, err := rotationOf(&c.Overlap, &c.Expiry)
	if err != nil {
		return err
	}
	if err := checkID(c.ID); err != nil {
		return err
	}
	return issueKey(ctx, s, &c.Remote, &c.Trial, func(client *gen.Client) (*http.Response, error) {
		return client.RotateKey(ctx, c.Project, c.Env, c.ID, &gen.RotateKeyParams{DryRun: c.dryRun()}, rotation)
	})
}

func rotationOf(o *Overlap, e *Expiry) (gen.Rotation, error) {
	overlap, err := o.text()
	if err != nil {
		return gen.Rotation{}, err
	}
	expires, err := e.at(time.Now())
	return gen.Rotation{Overlap: overlap, ExpiresAt: expires}, err
}

// sdkKeysRevokeCmd revokes a key.
type sdkKeysRevokeCmd struct {
	ID     string `arg:"" name:"id" help:"Id of the key, such as sk-x4p7m2qa; not its secret."`
	Remote `embed:""`
	Scope  `embed:""`
	Trial  `embed:""`
}

// Run revokes it.
func (c *sdkKeysRevokeCmd) Run(ctx context.Context, s *screen) error {
	if err := c.Scope.check(); err != nil {
		return err
	}
	if err := checkID(c.ID); err != nil {
		return err
	}
	var revoked gen.SDKKeyRevoked
	body, err := c.call(ctx, &revoked, func(client *gen.Client) (*http.Response, error) {
		return client.RevokeKey(ctx, c.Project, c.Env, c.ID, &gen.RevokeKeyParams{DryRun: c.dryRun()})
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
		s.line("The key %s (%s) is revoked.", s.paint(strong, revoked.Item.ID), s.paint(neutral, revoked.Item.Name))
	}
	return nil
}
