package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/wigwag/wigwag/internal/gen"
)

const (
	defaultURL = "http://127.0.0.1:8080"
	// requestTimeout bounds a request with its answer.
	requestTimeout = 30 * time.Second
	// largestAnswer bounds what is read of an answer, in bytes.
	largestAnswer = 256 << 20
)

// Address is where a server is.
type Address struct {
	URL string `name:"url" placeholder:"URL" env:"WIGWAG_URL" help:"Address of the server. Default that of the context in use, else http://127.0.0.1:8080."`
	On  string `placeholder:"CONTEXT" env:"WIGWAG_CONTEXT" help:"The server of a context instead; see wigwag login."`
}

// get asks for a page that needs no token, and returns its text.
func (a *Address) get(ctx context.Context, path string) (string, error) {
	server, err := a.check()
	if err != nil {
		return "", err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, server.String()+path, nil)
	if err != nil {
		return "", err
	}
	client := httpClient()
	defer client.CloseIdleConnections()
	response, err := client.Do(request)
	if err != nil {
		return "", unreachable(server.String(), err)
	}
	body, err := read(server.String(), response)
	return strings.TrimSpace(string(body)), err
}

func httpClient() *http.Client {
	return &http.Client{
		Timeout: requestTimeout,
		// A redirect would turn a write into a read.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// read returns the body of an answer, or the error that the answer is.
func read(server string, response *http.Response) ([]byte, error) {
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, largestAnswer+1))
	switch {
	case err != nil:
		return nil, unreachable(server, err)
	case len(body) > largestAnswer:
		return nil, fmt.Errorf("the answer of %s is larger than %d bytes", server, largestAnswer)
	case response.StatusCode < 200 || response.StatusCode >= 300:
		return body, refused(server, response, body)
	default:
		return body, nil
	}
}

// Output is the form of what a command prints.
type Output struct {
	Output string `short:"o" default:"table" enum:"table,json,yaml" placeholder:"FORM" help:"table, json or yaml; json is the API's answer as it is. Default ${default}."`
}

// json reports whether the API's answer is printed, as JSON or as YAML, rather than
// a text for people.
func (o *Output) json() bool { return o.Output == "json" || o.Output == "yaml" }

// form returns an answer in the form in which it is to be printed.
func (o *Output) form(answer []byte) ([]byte, error) {
	if o.Output == "yaml" {
		return toYAML(answer)
	}
	return answer, nil
}

// Target is the project that a command of the management API speaks of.
type Target struct {
	Address   `embed:""`
	Token     string `placeholder:"TOKEN" env:"WIGWAG_TOKEN" help:"API token; not needed for wigwag dev."`
	TokenFile string `placeholder:"FILE" env:"WIGWAG_TOKEN_FILE" help:"File with the API token."`
	Project   string `default:"default" placeholder:"KEY" env:"WIGWAG_PROJECT" help:"The project. Default ${default}."`
}

// Remote is what every command of the management API is told.
type Remote struct {
	Target `embed:""`
	Output `embed:""`
}

// Scope is an environment of the project.
type Scope struct {
	Env string `short:"e" placeholder:"KEY" env:"WIGWAG_ENV" help:"The environment."`
}

func (s *Scope) check() error {
	if s.Env == "" {
		return misused("which environment? Give --env, such as --env development, or set WIGWAG_ENV")
	}
	return nil
}

// Comment is why something is changed.
type Comment struct {
	Comment string `placeholder:"TEXT" help:"Why, for the history."`
}

// header returns the comment as HTTP can carry it, nil where there is none.
func (c *Comment) header() *gen.Comment {
	if c.Comment == "" {
		return nil
	}
	value := c.Comment
	for _, b := range []byte(value) {
		if b < ' ' || b > '~' || value[0] == ' ' || value[len(value)-1] == ' ' || strings.HasPrefix(value, "UTF-8''") {
			value = "UTF-8''" + url.PathEscape(c.Comment)
			break
		}
	}
	return &value
}

// call makes one request of the management API, decodes the answer, and returns
// its body in the form in which it is to be printed.
func (r *Remote) call(ctx context.Context, into any, request func(*gen.Client) (*http.Response, error)) ([]byte, error) {
	body, err := r.ask(ctx, into, request)
	if err != nil {
		return nil, err
	}
	return r.form(body)
}

// ask is call, but returns the body as it came.
func (r *Remote) ask(ctx context.Context, into any, request func(*gen.Client) (*http.Response, error)) ([]byte, error) {
	caller := httpClient()
	defer caller.CloseIdleConnections()
	l, err := r.connect(caller)
	if err != nil {
		return nil, err
	}
	response, err := request(l.client)
	if err != nil {
		return nil, unreachable(l.server, err)
	}
	body, err := read(l.server, response)
	if err != nil {
		return nil, l.explain(err)
	}
	if err := json.Unmarshal(body, into); err != nil {
		return nil, unlike(l.server, err)
	}
	if attempt := attemptOf(ctx); attempt != nil && attempt.Wait && !attempt.DryRun && response.Request.Method != http.MethodGet {
		return body, awaitServed(ctx, l.server, body)
	}
	return body, nil
}

func unlike(server string, err error) error {
	return fmt.Errorf("the answer of %s is not what the API promises; is it a Wigwag server, and not newer than this program? (%w)", server, err)
}

// line is a client of the management API with the caller's token.
type line struct {
	client *gen.Client
	server string
	// assumed says that the token is that of wigwag dev, which nobody gave.
	assumed bool
}

// explain says of a refusal whether the token was assumed.
func (l *line) explain(err error) error {
	if l.assumed {
		return notDev(err, "token")
	}
	return err
}

// connect returns a client of the API that makes its requests by caller.
func (r *Remote) connect(caller *http.Client) (*line, error) {
	at, err := r.place()
	if err != nil {
		return nil, err
	}
	server := at.url
	token, assumed, err := tokenFor(&at, r.Token, r.TokenFile)
	if err != nil {
		return nil, err
	}
	client, err := gen.NewClient(server.String()+"/api/v1", gen.WithHTTPClient(caller),
		gen.WithRequestEditorFn(func(ctx context.Context, request *http.Request) error {
			request.Header.Set("Authorization", "Bearer "+token)
			request.Header.Set("User-Agent", "wigwag/"+version())
			return attemptOf(ctx).prepare(ctx, request)
		}))
	if err != nil {
		return nil, err
	}
	return &line{client: client, server: server.String(), assumed: assumed}, nil
}

// credential returns the token or key that is given, or assumes the one of wigwag
// dev where the server is on this machine.
func credential(option, what, value, file, dev string, server *url.URL) (given string, assumed bool, err error) {
	given, err = secret(option, value, file)
	switch {
	case err != nil:
		return "", false, err
	case given == "" && isLoopback(server.Hostname()):
		return dev, true, nil
	case given == "":
		return "", false, misused("no %s is given; set %s or %s_FILE", what, variable(option), variable(option))
	case plain(given) != given || strings.Contains(given, " "):
		return "", false, misused("the %s in %s has spaces or line breaks; give it alone", what, variable(option))
	default:
		return given, false, nil
	}
}

// notDev explains why a server refuses a token or key that nobody gave.
func notDev(err error, option string) error {
	var answer *answerError
	if errors.As(err, &answer) && answer.status == http.StatusUnauthorized {
		answer.message = fmt.Sprintf("%s Without a %s, that of wigwag dev was tried; set %s.", answer.message, option, variable(option))
	}
	return err
}
