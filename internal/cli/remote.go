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

	"github.com/wigwag/wigwag/internal/app"
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
	URL string `name:"url" default:"http://127.0.0.1:8080" placeholder:"URL" env:"WIGWAG_URL" help:"Address of the server. Default ${default}."`
}

// check returns the address without a slash at its end.
func (a *Address) check() (*url.URL, error) {
	parsed, err := url.Parse(strings.TrimRight(a.URL, "/"))
	if err != nil || parsed.Scheme != "http" && parsed.Scheme != "https" || parsed.Host == "" ||
		parsed.User != nil || parsed.RawQuery != "" || parsed.Fragment != "" {
		// Not repeated: somebody will put a password there.
		return nil, misused("--url must be such as %s, and nothing besides", defaultURL)
	}
	return parsed, nil
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
	Output string `short:"o" default:"table" enum:"table,json" placeholder:"FORM" help:"table or json; json is the API's answer as it is. Default ${default}."`
}

func (o *Output) json() bool { return o.Output == "json" }

// Remote is what every command of the management API is told.
type Remote struct {
	Address   `embed:""`
	Token     string `placeholder:"TOKEN" env:"WIGWAG_TOKEN" help:"API token; not needed for wigwag dev."`
	TokenFile string `placeholder:"FILE" env:"WIGWAG_TOKEN_FILE" help:"File with the API token."`
	Project   string `default:"default" placeholder:"KEY" env:"WIGWAG_PROJECT" help:"The project. Default ${default}."`
	Output    `embed:""`
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
// its body.
func (r *Remote) call(ctx context.Context, into any, request func(*gen.Client) (*http.Response, error)) ([]byte, error) {
	server, err := r.Address.check()
	if err != nil {
		return nil, err
	}
	token, assumed, err := credential("token", "API token", r.Token, r.TokenFile, app.DevToken, server)
	if err != nil {
		return nil, err
	}
	caller := httpClient()
	defer caller.CloseIdleConnections()
	client, err := gen.NewClient(server.String()+"/api/v1", gen.WithHTTPClient(caller),
		gen.WithRequestEditorFn(func(_ context.Context, request *http.Request) error {
			request.Header.Set("Authorization", "Bearer "+token)
			request.Header.Set("User-Agent", "wigwag/"+version())
			return nil
		}))
	if err != nil {
		return nil, err
	}
	response, err := request(client)
	if err != nil {
		return nil, unreachable(server.String(), err)
	}
	body, err := read(server.String(), response)
	if err != nil && assumed {
		return nil, notDev(err, "token")
	}
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(body, into); err != nil {
		return nil, fmt.Errorf("the answer of %s is not what the API promises; is it a Wigwag server, and not newer than this program? (%w)", server, err)
	}
	return body, nil
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
