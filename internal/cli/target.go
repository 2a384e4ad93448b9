package cli

import (
	"net/url"
	"os"
	"strings"

	"github.com/wigwag/wigwag/internal/app"
)

// place is the server that a command speaks to.
type place struct {
	url *url.URL
	// token is that of the context whose server it is, empty where there is none.
	token string
	// chosen says that the context was named on the command line, so that its
	// token comes before that of the environment.
	chosen bool
}

// place finds the server: by the command line, else by the environment, else by
// the context in use. The token of a context goes to its own server only.
func (a *Address) place() (place, error) {
	address, on := a.URL, a.On
	if address != "" && on != "" {
		// What is not of the environment is of the command line, and comes first.
		urlByHand, onByHand := address != os.Getenv(variable("url")), on != os.Getenv(variable("context"))
		switch {
		case urlByHand && !onByHand:
			on = ""
		case onByHand && !urlByHand:
			address = ""
		default:
			return place{}, misused("an address and a context are both given; leave one out of --url and --on, or of %s and %s",
				variable("url"), variable("context"))
		}
	}
	saved, err := readContexts()
	if err != nil {
		return place{}, err
	}
	var context *savedContext
	switch {
	case on != "":
		if context, err = saved.named(on); err != nil {
			return place{}, err
		}
	case address != "":
		if parsed, err := parseAddress(address); err == nil {
			context = saved.at(parsed.String())
		}
	default:
		context = saved.find(saved.Current)
	}
	found := place{chosen: on != "" && on != os.Getenv(variable("context"))}
	if context != nil {
		address, found.token = context.URL, context.Token
	}
	if address == "" {
		address = defaultURL
	}
	found.url, err = parseAddress(address)
	return found, err
}

// check returns the address without a slash at its end.
func (a *Address) check() (*url.URL, error) {
	found, err := a.place()
	return found.url, err
}

// parseAddress reads an address and takes the slash off its end.
func parseAddress(address string) (*url.URL, error) {
	parsed, err := url.Parse(strings.TrimRight(address, "/"))
	if err != nil || parsed.Scheme != "http" && parsed.Scheme != "https" || parsed.Host == "" ||
		parsed.User != nil || parsed.RawQuery != "" || parsed.Fragment != "" {
		// Not repeated: somebody will put a password there.
		return nil, misused("--url must be such as %s, and nothing besides", defaultURL)
	}
	return parsed, nil
}

// tokenFor returns the token for a server: by the command line, else by the
// environment, else by the context, else that of wigwag dev on this machine.
func tokenFor(at *place, token, file string) (given string, assumed bool, err error) {
	byHand := token != "" && token != os.Getenv(variable("token")) || file != "" && file != os.Getenv(variable("token-file"))
	if at.token != "" && (at.chosen && !byHand || token == "" && file == "") {
		return at.token, false, nil
	}
	return credential("token", "API token", token, file, app.DevToken, at.url)
}
