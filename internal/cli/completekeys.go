package cli

import (
	"cmp"
	"context"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/wigwag/wigwag/internal/gen"
)

// keysOf asks the server that a command line means for the keys that it has of
// some sort. Where it gives none, for whatever reason, there are none to suggest.
func keysOf(ctx context.Context, what string, given map[string]string) []suggestion {
	if what == saved {
		return savedNames()
	}
	var line struct {
		Remote `embed:""`
		Scope  `embed:""`
	}
	if !readGiven(&line, given) {
		return nil
	}
	limit := largestPage // more are of no use to a shell
	request := map[string]func(*gen.Client) (*http.Response, error){
		projects: func(c *gen.Client) (*http.Response, error) {
			return c.ListProjects(ctx, &gen.ListProjectsParams{Limit: &limit})
		},
		environments: func(c *gen.Client) (*http.Response, error) {
			return c.ListEnvironments(ctx, line.Project, &gen.ListEnvironmentsParams{Limit: &limit})
		},
		flagKeys: func(c *gen.Client) (*http.Response, error) {
			return c.ListDefinitions(ctx, line.Project, &gen.ListDefinitionsParams{Limit: &limit})
		},
		segmentKeys: func(c *gen.Client) (*http.Response, error) {
			return c.ListSegments(ctx, line.Project, line.Env, &gen.ListSegmentsParams{Limit: &limit})
		},
		sdkKeys: func(c *gen.Client) (*http.Response, error) { return c.ListKeys(ctx, line.Project, line.Env) },
		tokens:  func(c *gen.Client) (*http.Response, error) { return c.ListTokens(ctx) },
	}[what]
	if request == nil {
		return nil
	}
	// What is read besides the keys is not the business of a suggestion.
	var list struct {
		Items []struct{ Key, ID, Name, Description string }
	}
	if _, err := line.call(ctx, &list, request); err != nil {
		return nil
	}
	suggested := make([]suggestion, 0, len(list.Items))
	for _, item := range list.Items {
		key := cmp.Or(item.Key, item.ID)
		if key != "" && !strings.ContainsAny(key, " \t") {
			help, _, _ := strings.Cut(cmp.Or(item.Name, item.Description), "\n")
			suggested = append(suggested, suggestion{key, help})
		}
	}
	return suggested
}

// readGiven reads the options that are given into a grammar, with the environment
// and the defaults for those that are not. Options that the grammar does not have
// are passed over.
func readGiven(into any, given map[string]string) bool {
	parser, err := kong.New(into, kong.Name("wigwag"), kong.Writers(io.Discard, io.Discard), kong.Exit(func(int) {}))
	if err != nil {
		return false
	}
	var words []string
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if slices.ContainsFunc(parser.Model.Flags, func(f *kong.Flag) bool { return f.Name == name && name != "help" }) {
			words = append(words, "--"+name+"="+given[name])
		}
	}
	_, err = parser.Parse(words)
	return err == nil
}

// savedNames are the contexts of wigwag login.
func savedNames() []suggestion {
	known, err := readContexts()
	if err != nil {
		return nil
	}
	suggested := make([]suggestion, len(known.Saved))
	for i, one := range known.Saved {
		suggested[i] = suggestion{one.Name, one.URL}
	}
	return suggested
}
