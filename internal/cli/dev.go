package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/wigwag/wigwag/internal/app"
)

// devCmd runs a server for trying things out. Everybody knows its keys, so it
// listens on loopback only.
type devCmd struct {
	Addr    string `default:"127.0.0.1:8080" placeholder:"ADDR" help:"Where to serve, on loopback only; port 0 takes a free one. Default ${default}."`
	OpsAddr string `default:"127.0.0.1:8081" placeholder:"ADDR" help:"Where metrics and profiles are served, on loopback only, or off. Default ${default}."`
	Dir     string `default:".wigwag-dev" placeholder:"FOLDER" help:"Where the database is kept. Default ${default}."`
	Reset   bool   `help:"Delete the database of that folder first."`
}

const devDatabase = "wigwag.db"

// Run serves until the context is done.
func (c *devCmd) Run(ctx context.Context, s *screen, call invocation) error {
	if err := c.check(); err != nil {
		return err
	}
	file := filepath.Join(c.Dir, devDatabase)
	if c.Reset {
		if err := reset(ctx, c.Addr, file); err != nil {
			return err
		}
	}
	server, err := app.Open(ctx, app.Config{
		Addr: c.Addr, OpsAddr: c.OpsAddr, Database: "sqlite:" + file,
		Log: newLog(s.err, "warn", "text"), Version: version(),
	})
	if err != nil {
		return opening(err)
	}
	if err := server.AddDemo(ctx); err != nil {
		return errors.Join(err, server.Close())
	}
	return serve(ctx, server, func() { announce(s, call.program(), server.URL(), file) })
}

func (c *devCmd) check() error {
	for option, addr := range map[string]string{"--addr": c.Addr, "--ops-addr": c.OpsAddr} {
		host, _, err := net.SplitHostPort(addr)
		switch {
		case option == "--ops-addr" && addr == "off":
		case err != nil:
			return misused("%s %q is no address; write one such as 127.0.0.1:8080", option, addr)
		case !isLoopback(host):
			return misused("%s %q can be reached from elsewhere, and everybody knows the keys of wigwag dev; use 127.0.0.1, or run wigwag serve", option, addr)
		}
	}
	if c.Dir == "" {
		return misused("--dir is empty; name a folder")
	}
	return nil
}

// isLoopback reports whether only this machine reaches a host.
func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// reset deletes a database with the files that SQLite keeps beside it, and
// nothing else of its folder. While an address is taken it does not: the database
// is likely to be that server's.
func reset(ctx context.Context, addr, file string) error {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return opening(fmt.Errorf("nothing was deleted: cannot listen on %s: %w", addr, err))
	}
	_ = l.Close() // the server is to have it
	for _, suffix := range []string{"", "-wal", "-shm", "-journal"} {
		if err := os.Remove(file + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("deleting the database: %w", err)
		}
	}
	return nil
}

func announce(s *screen, program, url, file string) {
	at, env := "", ""
	if url != defaultURL {
		at, env = " --url "+url, "WIGWAG_URL="+url+" "
	}
	s.line("Wigwag is running at %s", s.paint(strong, url))
	s.line("Only this machine can reach it. Stop it with Ctrl-C.\n")
	s.fields(
		[]string{"  API token", app.DevToken},
		[]string{"  server key", app.DevServerKey + ", for SDKs in default/development"},
		[]string{"  client key", app.DevClientKey + ", for browsers and apps in default/development"},
		[]string{"  database", s.paint(neutral, file) + ", deleted by " + program + " dev --reset"},
	)
	s.line("\nSee a change arrive, in three more terminals:\n")
	s.line("  %sgo run ./examples/go", env)
	s.line("  %s tail%s", program, at)
	s.line("  %s flags enable new-checkout --env development%s", program, at)
	s.line("\nAsk why somebody gets what they get:\n")
	s.line("  %s evaluate new-checkout --env development --context targetingKey=ada --context country=FR --explain%s", program, at)
	s.line("\nLook at what SDKs receive:\n")
	s.line("  curl -N -H 'Authorization: Bearer %s' %s/sdk/v1/stream", app.DevServerKey, url)
}

// invocation is how the program was called.
type invocation []string

// program is what to type to call it again: the go command puts what it runs into
// a folder that is gone afterwards.
func (i invocation) program() string {
	if len(i) > 0 && strings.Contains(i[0], "go-build") {
		return "go run ./cmd/wigwag"
	}
	return "wigwag"
}
