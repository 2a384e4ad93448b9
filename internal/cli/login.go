package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/wigwag/wigwag/internal/gen"
)

// loginCmd saves a server and a token as a context.
type loginCmd struct {
	URL       string `name:"url" default:"http://127.0.0.1:8080" placeholder:"URL" env:"WIGWAG_URL" help:"Address of the server. Default ${default}."`
	Name      string `placeholder:"NAME" help:"What to call the context. Default the server's host."`
	Token     string `placeholder:"TOKEN" env:"WIGWAG_TOKEN" help:"API token. Where there is none it is asked for, or read from the standard input."`
	TokenFile string `placeholder:"FILE" env:"WIGWAG_TOKEN_FILE" help:"File with the API token."`
	Output    `embed:""`
}

// Run checks the token against the server, keeps both, and uses them.
func (c *loginCmd) Run(ctx context.Context, s *screen) error {
	server, err := parseAddress(c.URL)
	if err != nil {
		return err
	}
	name := c.Name
	if name == "" {
		name = server.Host
	}
	if !contextName.MatchString(name) {
		return misused("%.80q is no name of a context; give one of up to 64 letters, digits, dots, hyphens and underscores as --name", name)
	}
	saved, err := readContexts()
	if err != nil {
		return err
	}
	token, err := secret("token", c.Token, c.TokenFile)
	if err == nil && token == "" {
		token, err = askToken(os.Stdin, s.err)
	}
	if err != nil {
		return err
	}
	if plain(token) != token || strings.Contains(token, " ") {
		return misused("the API token has spaces or line breaks; give it alone")
	}
	var me gen.Token
	remote := Remote{Target: Target{Address: Address{URL: server.String()}, Token: token}, Output: c.Output}
	body, err := remote.call(ctx, &me, func(client *gen.Client) (*http.Response, error) { return client.Whoami(ctx) })
	if err != nil {
		return fmt.Errorf("nothing was saved: %w", err)
	}
	saved.keep(savedContext{Name: name, URL: server.String(), Token: token})
	if err := saved.save(); err != nil {
		return err
	}
	if c.json() {
		s.json(body)
		return nil
	}
	s.line("The context %s is in use: %s as %s.", s.paint(strong, name), server, s.paint(neutral, me.Name+" ("+me.ID+")"))
	s.fields(describeToken(s, &me)...)
	return nil
}

// askToken reads a token, from a terminal without showing it.
func askToken(in *os.File, out io.Writer) (string, error) {
	if term.IsTerminal(int(in.Fd())) {
		fmt.Fprint(out, "API token (not shown): ")
		typed, err := term.ReadPassword(int(in.Fd()))
		fmt.Fprintln(out)
		return given(string(typed), err)
	}
	return given(bufio.NewReader(io.LimitReader(in, largestSecret)).ReadString('\n'))
}

func given(line string, err error) (string, error) {
	token := strings.TrimSpace(line)
	switch {
	case err != nil && !errors.Is(err, io.EOF):
		return "", fmt.Errorf("reading the API token: %w", err)
	case token == "":
		return "", misused("no API token is given; type it, or set %s or %s_FILE", variable("token"), variable("token"))
	default:
		return token, nil
	}
}

// whoamiCmd shows what the token in use may do.
type whoamiCmd struct {
	Remote `embed:""`
}

// Run prints it.
func (c *whoamiCmd) Run(ctx context.Context, s *screen) error {
	var me gen.Token
	body, err := c.call(ctx, &me, func(client *gen.Client) (*http.Response, error) { return client.Whoami(ctx) })
	if err != nil {
		return err
	}
	if c.json() {
		s.json(body)
		return nil
	}
	server, err := c.check()
	if err != nil {
		return err
	}
	s.fields(append([][]string{{"server", s.paint(neutral, server.String())}}, describeToken(s, &me)...)...)
	return nil
}
