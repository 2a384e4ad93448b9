package cli

import (
	"context"
	"errors"
)

// healthCmd asks whether the server runs.
type healthCmd struct {
	Address `embed:""`
}

// Run prints the answer; a server that does not run is a failure.
func (c *healthCmd) Run(ctx context.Context, s *screen) error {
	return c.probe(ctx, s, "/healthz")
}

// readyCmd asks whether the server is ready.
type readyCmd struct {
	Address `embed:""`
}

// Run prints the answer; a server that is not ready is a failure.
func (c *readyCmd) Run(ctx context.Context, s *screen) error {
	return c.probe(ctx, s, "/readyz")
}

func (a *Address) probe(ctx context.Context, s *screen, path string) error {
	text, err := a.get(ctx, path)
	var answer *answerError
	if errors.As(err, &answer) && answer.status == 503 && text != "" && len(text) < 200 {
		server, err := a.check()
		if err != nil {
			return err
		}
		return errors.New(server.String() + " is not ready: " + text)
	}
	if err != nil {
		return err
	}
	s.line("%s", plain(text))
	return nil
}
