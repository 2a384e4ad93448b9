package cli

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

// completed is what words are completed to, by a server that has the given keys;
// asked is what the server was asked for.
func completed(t *testing.T, words ...string) (texts, asked string) {
	t.Helper()
	parser, _, err := model()
	if err != nil {
		t.Fatal(err)
	}
	keys := map[string][]suggestion{
		flagKeys:     {{"new-checkout", "One page."}, {"new-search", ""}, {"theme", ""}},
		environments: {{"development", ""}, {"production", ""}},
		projects:     {{"default", ""}, {"shop", ""}},
		sdkKeys:      {{"sk-one", ""}},
		tokens:       {{"tk-one", ""}},
		saved:        {{"local", ""}},
	}
	got := complete(parser.Model, words, func(what string, given map[string]string) []suggestion {
		asked = what
		for _, name := range slices.Sorted(maps.Keys(given)) {
			asked += " " + name + "=" + given[name]
		}
		return keys[what]
	})
	list := make([]string, len(got.list))
	for i, one := range got.list {
		list[i] = one.text
	}
	if got.files {
		list = append(list, ":files")
	}
	return strings.Join(list, " "), asked
}

func TestComplete(t *testing.T) {
	tests := map[string]struct {
		words       []string
		want, asked string
	}{
		"a command":                {[]string{"ser"}, "serve", ""},
		"nothing like it":          {[]string{"zz"}, "", ""},
		"a hidden command":         {[]string{"complete"}, "", ""},
		"an inner command":         {[]string{"flags", "en"}, "enable", ""},
		"an option":                {[]string{"flags", "create", "x", "--des"}, "--description", ""},
		"an option that is given":  {[]string{"flags", "create", "x", "--owner", "me", "--ow"}, "", ""},
		"an option that repeats":   {[]string{"flags", "create", "x", "--tag", "a", "--ta"}, "--tag", ""},
		"values of an option":      {[]string{"flags", "create", "--type", ""}, "boolean string number object", ""},
		"values behind =":          {[]string{"flags", "create", "--type=n"}, "--type=number", ""},
		"values of a short option": {[]string{"serve", "--log-level", "w"}, "warn", ""},
		"values of an argument":    {[]string{"completion", "z"}, "zsh", ""},
		"a flag":                   {[]string{"flags", "enable", "new"}, "new-checkout new-search", "flags"},

		"a flag of a project":         {[]string{"flags", "get", "--project=shop", "--url", "http://x", "th"}, "theme", "flags project=shop url=http://x"},
		"a second flag":               {[]string{"flags", "enable", "theme", ""}, "", ""},
		"the key of a new flag":       {[]string{"flags", "create", ""}, "", ""},
		"a flag of evaluate":          {[]string{"evaluate", "the"}, "theme", "flags"},
		"an environment":              {[]string{"flags", "list", "-e", "p"}, "production", "environments"},
		"an environment behind =":     {[]string{"flags", "list", "--env="}, "--env=development --env=production", "environments"},
		"a project":                   {[]string{"flags", "list", "--project", "s"}, "shop", "projects"},
		"files of an option":          {[]string{"serve", "--config", "w"}, ":files", ""},
		"files of an argument":        {[]string{"config", "check", ""}, ":files", ""},
		"files, many":                 {[]string{"validate", "a.yaml", "b"}, ":files", ""},
		"a flag in the history":       {[]string{"history", "flag", "th"}, "theme", "flags"},
		"options of a default":        {[]string{"history", "--lim"}, "--limit", ""},
		"a segment's flag key":        {[]string{"segments", "keys", "get", "eu", "us"}, "", ""},
		"an SDK key":                  {[]string{"keys", "revoke", "--env", "production", "sk"}, "sk-one", "keys env=production"},
		"a token":                     {[]string{"tokens", "rotate", "tk"}, "tk-one", "tokens"},
		"a context":                   {[]string{"context", "use", "l"}, "local", "contexts"},
		"a context of an option":      {[]string{"flags", "list", "--on", ""}, "local", "contexts"},
		"both forms of a boolean":     {[]string{"environments", "create", "x", "--no-s"}, "--no-streaming", ""},
		"free text":                   {[]string{"flags", "enable", "theme", "--comment", "t"}, "", ""},
		"a boolean behind =":          {[]string{"evaluate", "x", "--explain="}, "--explain=true --explain=false", ""},
		"a boolean takes no word":     {[]string{"evaluate", "--explain", "th"}, "theme", "flags explain=true"},
		"behind --":                   {[]string{"flags", "get", "--", "th"}, "theme", "flags"},
		"no option behind --":         {[]string{"flags", "get", "--", "--o"}, "", "flags"},
		"an option that there is not": {[]string{"flags", "get", "--nope=", "th"}, "theme", "flags"},
		"values of none":              {[]string{"flags", "get", "--nope="}, "", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, asked := completed(t, test.words...)
			if got != test.want {
				t.Errorf("%q became %q, want %q", test.words, got, test.want)
			}
			if asked != test.asked {
				t.Errorf("asked for %q, want %q", asked, test.asked)
			}
		})
	}
}

// TestCompleteEverything: of every command each option, and of each option with a
// set of values each value, is suggested.
func TestCompleteEverything(t *testing.T) {
	parser, _, err := model()
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range commands(parser.Model.Node) {
		words := strings.Fields(n.FullPath())[1:]
		suggested := strings.Fields(suggestedFor(completed(t, append(words, "--")...)))
		for _, option := range options(n) {
			if !slices.Contains(suggested, "--"+option.Name) {
				t.Errorf("%s: --%s is not suggested", n.FullPath(), option.Name)
			}
			if option.Enum == "" {
				continue
			}
			values := strings.Fields(suggestedFor(completed(t, append(words, "--"+option.Name, "")...)))
			if want := slices.DeleteFunc(option.EnumSlice(), func(v string) bool { return v == "" }); !slices.Equal(values, want) {
				t.Errorf("%s --%s: %q is suggested, want %q", n.FullPath(), option.Name, values, want)
			}
		}
		for _, child := range visible(n.Children) {
			if got := strings.Fields(suggestedFor(completed(t, append(words, child.Name)...))); !slices.Contains(got, child.Name) {
				t.Errorf("%s: %s is not suggested", n.FullPath(), child.Name)
			}
		}
	}
}

func suggestedFor(text, _ string) string { return text }

func FuzzComplete(f *testing.F) {
	for _, seed := range []string{"flags\nget\n--env=", "-", "--", "-o", "-=\n", "serve\n--config\n", "\x00", "evaluate\n--\n-x"} {
		f.Add(seed)
	}
	parser, _, err := model()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, line string) {
		words := strings.Split(line, "\n")
		got := complete(parser.Model, words, func(string, map[string]string) []suggestion { return []suggestion{{"key", ""}} })
		for _, one := range got.list {
			if !strings.HasPrefix(one.text, words[len(words)-1]) {
				t.Errorf("%q is suggested for %q", one.text, words[len(words)-1])
			}
		}
	})
}
