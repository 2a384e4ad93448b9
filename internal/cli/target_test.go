package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// home gives a test contexts of its own.
func home(t *testing.T, saved contexts) {
	t.Helper()
	folder := t.TempDir()
	t.Setenv("HOME", folder)
	t.Setenv("XDG_CONFIG_HOME", folder)
	c, err := readContexts()
	if err != nil {
		t.Fatal(err)
	}
	saved.file = c.file
	if err := saved.save(); err != nil {
		t.Fatal(err)
	}
}

// TestPlace: the command line comes before the environment, the environment
// before the context in use, and a context's token goes to its own server alone.
func TestPlace(t *testing.T) {
	const (
		staging, live, other = "https://staging.example.org", "https://live.example.org", "https://other.example.org"
	)
	for _, c := range []struct {
		name                 string
		env, context         string // WIGWAG_URL and WIGWAG_CONTEXT
		envToken             string // WIGWAG_TOKEN
		url, on, token       string // as the command line and the environment come to
		want, wantToken, err string
	}{
		{name: "the context in use", want: staging, wantToken: "tk_staging"},
		{name: "a context by hand", on: "live", want: live, wantToken: "tk_live"},
		{name: "a context of the environment", context: "live", on: "live", want: live, wantToken: "tk_live"},
		{name: "an address that a context has", url: live + "/", want: live, wantToken: "tk_live"},
		{name: "an address that none has", url: other, want: other, err: "no API token is given"},
		{name: "an address and a token", url: other, token: "tk_given", want: other, wantToken: "tk_given"},
		{name: "a token for the context in use", token: "tk_given", want: staging, wantToken: "tk_given"},
		{name: "a token of the environment, and a context by hand", envToken: "tk_env", token: "tk_env", on: "live", want: live, wantToken: "tk_live"},
		{name: "a token of the environment, and one of the environment", envToken: "tk_env", token: "tk_env", context: "live", on: "live", want: live, wantToken: "tk_env"},
		{name: "a token and a context by hand", token: "tk_given", on: "live", want: live, wantToken: "tk_given"},
		{name: "a context by hand, an address of the environment", env: other, url: other, on: "live", want: live, wantToken: "tk_live"},
		{name: "an address by hand, a context of the environment", context: "live", on: "live", url: other, token: "tk_given", want: other, wantToken: "tk_given"},
		{name: "both by hand", url: other, on: "live", err: "both given"},
		{name: "both of the environment", env: other, url: other, context: "live", on: "live", err: "both given"},
		{name: "an unknown context", on: "nowhere", err: "no context"},
	} {
		t.Run(c.name, func(t *testing.T) {
			home(t, contexts{Current: "staging", Saved: []savedContext{
				{"staging", staging, "tk_staging"}, {"live", live, "tk_live"},
			}})
			t.Setenv("WIGWAG_URL", c.env)
			t.Setenv("WIGWAG_CONTEXT", c.context)
			t.Setenv("WIGWAG_TOKEN", c.envToken)
			address := Address{URL: c.url, On: c.on}
			at, err := address.place()
			token := ""
			if err == nil {
				if at.url.String() != c.want {
					t.Errorf("it is %s, want %s", at.url, c.want)
				}
				token, _, err = tokenFor(&at, c.token, "")
			}
			switch {
			case c.err == "" && err != nil, c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)):
				t.Errorf("error %v, want %q", err, c.err)
			case token != c.wantToken:
				t.Errorf("token %q, want %q", token, c.wantToken)
			}
		})
	}
}

// What cannot be written leaves the file as it was.
func TestContextsAreReplacedWhole(t *testing.T) {
	home(t, contexts{Current: "one", Saved: []savedContext{{"one", defaultURL, "tk_one"}}})
	c, err := readContexts()
	if err != nil {
		t.Fatal(err)
	}
	c.keep(savedContext{"two", defaultURL, "tk_two"})
	if err := c.save(); err != nil {
		t.Fatal(err)
	}
	left, err := filepath.Glob(filepath.Join(filepath.Dir(c.file), "*"))
	if err != nil || len(left) != 1 {
		t.Errorf("in the folder are %q, %v", left, err)
	}
	info, err := os.Stat(c.file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file has mode %v, %v", info.Mode(), err)
	}
	again, err := readContexts()
	if err != nil || again.Current != "two" || len(again.Saved) != 2 {
		t.Errorf("read again: %+v, %v", again, err)
	}
}
