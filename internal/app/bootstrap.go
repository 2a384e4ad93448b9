package app

import (
	"context"
	"fmt"
	"time"

	"github.com/wigwag/wigwag/internal/auth"
	"github.com/wigwag/wigwag/internal/control"
	"github.com/wigwag/wigwag/internal/fault"
	"github.com/wigwag/wigwag/internal/store"
)

// shortest is the least length of a secret that an operator chooses.
const shortest = 20

const (
	defaultProject = "default"
	development    = "development"
	production     = "production"
)

// bootstrap gives an empty database the project default with its environments,
// an API token, and the keys that the configuration names.
func (s *Server) bootstrap(ctx context.Context) error {
	// The credentials come last, so that a start that was cut off is done again.
	existing, err := s.store.Credentials(ctx)
	if err != nil || len(existing) > 0 {
		return err
	}
	secrets := []struct {
		option, value, kind, name string
		set                       store.SetID
	}{
		{"bootstrap-token", s.config.BootstrapToken, auth.KindToken, "bootstrap", store.SetID{}},
		{"bootstrap-server-key", s.config.BootstrapServerKey, auth.KindServer, "bootstrap", store.SetID{Project: defaultProject, Environment: production}},
		{"bootstrap-client-key", s.config.BootstrapClientKey, auth.KindClient, "bootstrap", store.SetID{Project: defaultProject, Environment: production}},
	}
	var credentials []store.Credential
	now := time.Now()
	var shown auth.Secret
	for _, b := range secrets {
		secret := auth.Secret(b.value)
		switch {
		case b.value == "" && b.kind == auth.KindToken:
			secret = auth.NewSecret(auth.KindToken)
			shown = secret
		case b.value == "":
			continue
		default:
			if err := checkSecret(b.option, secret, b.kind); err != nil {
				return err
			}
		}
		credentials = append(credentials, builtIn(auth.NewCredential(secret, b.name, b.set, now)))
	}
	if err := s.createProject(ctx, credentials); err != nil {
		return fmt.Errorf("preparing an empty database: %w", err)
	}
	if shown != "" {
		fmt.Fprintf(s.config.Out, "\nThe API token of this server, shown this once:\n\n    %s\n\nKeep it safe; the command line takes it as WIGWAG_TOKEN.\n\n", string(shown))
	}
	return nil
}

// builtIn completes a credential that the server makes by itself: its tokens may
// do everything.
func builtIn(c store.Credential) store.Credential {
	c.CreatedBy = "wigwag"
	if c.Kind == auth.KindToken {
		c.Scope = string(auth.ScopeAdmin)
	}
	return c
}

func (s *Server) createProject(ctx context.Context, credentials []store.Credential) error {
	write := control.Write{Actor: "wigwag", Comment: "prepared an empty database"}
	if _, err := s.control.CreateProject(ctx, write, control.Project{Key: defaultProject, Name: "Default"}); err != nil && !fault.Is(err, fault.Conflict) {
		return err
	}
	for _, e := range []control.Environment{{Key: development, Name: "Development"}, {Key: production, Name: "Production"}} {
		if _, err := s.control.CreateEnvironment(ctx, write, defaultProject, e); err != nil && !fault.Is(err, fault.Conflict) {
			return err
		}
	}
	return s.store.Update(ctx, func(tx store.Tx) error {
		for _, c := range credentials {
			if err := tx.AddCredential(ctx, c); err != nil {
				return err
			}
		}
		return nil
	})
}
