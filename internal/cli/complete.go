package cli

import (
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// suggestion is what a word may become.
type suggestion struct{ text, help string }

// suggestions are what may come next on a command line.
type suggestions struct {
	list  []suggestion
	files bool // names of files may come too
}

// asker returns the keys of some sort that a server has. It is told the options
// that are already given, by their names.
type asker func(what string, given map[string]string) []suggestion

// complete suggests what the last of some words may become. The words are those
// behind the program's name; the last may be empty.
func complete(app *kong.Application, words []string, ask asker) suggestions {
	if len(words) == 0 {
		words = []string{""}
	}
	typed := typed{command: app.Node, given: map[string]string{}}
	for _, word := range words[:len(words)-1] {
		typed.read(word)
	}
	return typed.suggest(words[len(words)-1], ask)
}

// typed is what a command line says so far.
type typed struct {
	command     *kong.Node
	positionals int
	given       map[string]string // options and their values
	pending     *kong.Flag        // an option whose value comes next
	literal     bool              // behind --, where nothing is an option
}

// read takes the next word in.
func (t *typed) read(word string) {
	switch {
	case t.pending != nil:
		t.given[t.pending.Name] = word
		t.pending = nil
	case t.literal:
		t.positionals++
	case word == "--":
		t.literal = true
	case strings.HasPrefix(word, "--"):
		name, value, valued := strings.Cut(word[2:], "=")
		t.option(t.long(name), value, valued)
	case strings.HasPrefix(word, "-") && len(word) > 1:
		value := word[2:]
		t.option(t.short(rune(word[1])), strings.TrimPrefix(value, "="), value != "")
	default:
		if next := child(t.command, word); next != nil && t.positionals == 0 {
			t.command = next
		} else {
			t.positionals++
		}
	}
}

func (t *typed) option(flag *kong.Flag, value string, valued bool) {
	switch {
	case flag == nil:
	case valued:
		t.given[flag.Name] = value
	case flag.IsBool() || flag.IsCounter():
		t.given[flag.Name] = "true"
	default:
		t.pending = flag
	}
}

// flags are the options of the command, and of the one that it stands for where no
// other is named.
func (t *typed) flags() []*kong.Flag {
	command := t.command
	if command.DefaultCmd != nil {
		command = command.DefaultCmd
	}
	return slices.Concat(command.AllFlags(true)...)
}

func (t *typed) long(name string) *kong.Flag {
	for _, flag := range t.flags() {
		if flag.Name == name || slices.Contains(flag.Aliases, name) || negation(flag) == name {
			return flag
		}
	}
	return nil
}

// negation is the name by which a boolean option is switched off, empty where it
// has none.
func negation(flag *kong.Flag) string {
	if flag.Tag.Negatable == "_" { // kong's mark for the usual name
		return "no-" + flag.Name
	}
	return flag.Tag.Negatable
}

func (t *typed) short(name rune) *kong.Flag {
	for _, flag := range t.flags() {
		if flag.Short == name {
			return flag
		}
	}
	return nil
}

func child(n *kong.Node, name string) *kong.Node {
	for _, c := range n.Children {
		if c.Name == name || slices.Contains(c.Aliases, name) {
			return c
		}
	}
	return nil
}

// suggest says what the word that is being typed may become.
func (t *typed) suggest(word string, ask asker) suggestions {
	name, _, valued := strings.Cut(word, "=")
	switch {
	case t.pending != nil:
		return t.values(t.pending.Value, word, "", ask)
	case !t.literal && valued && strings.HasPrefix(name, "--"):
		if flag := t.long(name[2:]); flag != nil {
			return t.values(flag.Value, word, name+"=", ask)
		}
		return suggestions{}
	case !t.literal && strings.HasPrefix(word, "-"):
		return suggestions{list: t.options(word)}
	case len(t.command.Children) > 0:
		var list []suggestion
		for _, c := range visible(t.command.Children) {
			list = append(list, suggestion{c.Name, c.Help})
		}
		return suggestions{list: beginning(list, word)}
	}
	positionals := t.command.Positional
	if len(positionals) == 0 {
		return suggestions{}
	}
	last := len(positionals) - 1
	if t.positionals > last && !positionals[last].IsCumulative() {
		return suggestions{}
	}
	return t.values(positionals[min(t.positionals, last)], word, "", ask)
}

// options are those that can still be given.
func (t *typed) options(word string) []suggestion {
	var list []suggestion
	for _, flag := range t.flags() {
		if _, given := t.given[flag.Name]; !given || flag.IsCumulative() {
			list = append(list, suggestion{"--" + flag.Name, flag.Help})
			if no := negation(flag); no != "" {
				list = append(list, suggestion{"--" + no, flag.Help})
			}
		}
	}
	return beginning(list, word)
}

// values are those that an option or an argument can have; before is what of the
// word stands before the value.
func (t *typed) values(v *kong.Value, word, before string, ask asker) suggestions {
	var list []suggestion
	switch what := named(t.command, v); {
	case v.Enum != "":
		for _, value := range v.EnumSlice() {
			if value != "" {
				list = append(list, suggestion{value, ""})
			}
		}
	case v.IsBool():
		list = []suggestion{{"true", ""}, {"false", ""}}
	case what == files:
		return suggestions{files: true}
	case what != "":
		list = ask(what, t.given)
	}
	for i := range list {
		list[i].text = before + list[i].text
	}
	return suggestions{list: beginning(list, word)}
}

func beginning(list []suggestion, word string) []suggestion {
	return slices.DeleteFunc(list, func(s suggestion) bool { return !strings.HasPrefix(s.text, word) })
}

// What values can name.
const (
	files        = "files"
	projects     = "projects"
	environments = "environments"
	flagKeys     = "flags"
	segmentKeys  = "segments"
	sdkKeys      = "keys"
	tokens       = "tokens"
	saved        = "contexts" // not of the server, but of this machine
)

// named says what the values of an option or an argument name, empty where nothing
// that can be listed. The tag complete says it where the name does not.
func named(command *kong.Node, v *kong.Value) string {
	if what := v.Tag.Get("complete"); what != "" {
		return what
	}
	holder := v.Name
	if v.Flag != nil {
		holder = v.Flag.PlaceHolder
	}
	switch strings.ToUpper(strings.TrimSuffix(holder, "...")) {
	case "FILE", "DIR", "FOLDER", "FILE|DIR", "PATH":
		return files
	case "CONTEXT":
		return saved
	}
	parent := parentCommand(command)
	switch v.Name {
	case "project":
		return projects
	case "env", "environment":
		return environments
	case "flag":
		return flagKeys
	case "segment":
		return segmentKeys
	case "name":
		if parent != nil && parent.Name == "context" {
			return saved
		}
	case "id":
		if parent != nil && v.Flag == nil {
			return parent.Name
		}
	case "key":
		if v.Flag == nil {
			return keysFor(command, parent)
		}
	}
	return ""
}

// keysFor says of which sort the key is that a command takes: wigwag flags enable
// takes that of a flag, and so does wigwag history flag.
func keysFor(command, parent *kong.Node) string {
	switch command.Name {
	case "flag":
		return flagKeys
	case "segment":
		return segmentKeys
	case "create":
		return "" // one that there is not yet
	}
	if parent == nil || parent.Depth() > 0 { // the keys of a segment are not listed
		return ""
	}
	return parent.Name
}
