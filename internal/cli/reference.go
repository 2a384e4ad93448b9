package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

const referenceHead = `<!-- Generated; do not edit. After a change to a command:
     go test ./internal/cli -run TestReference -update -->

# Command-line reference

Every command of ` + "`wigwag`" + `, as ` + "`wigwag docs markdown`" + ` prints it. How the commands are used is in
[the command line](command-line.md).

`

// reference is a document in Markdown of a node and all commands below it.
func reference(root *kong.Node) string {
	var out strings.Builder
	out.WriteString(referenceHead)
	all := commands(root)
	out.WriteString("| Command | |\n|---|---|\n")
	for _, n := range all {
		if n.Leaf() {
			fmt.Fprintf(&out, "| [`%s`](#%s) | %s |\n", n.FullPath(), anchor(n), cell(n.Help))
		}
	}
	shared := sharedOptions(all)
	if len(shared) > 0 {
		out.WriteString("\n## Options of many commands\n\nThe commands that take them say so below.\n\n")
		optionTable(&out, shared)
	}
	for _, n := range all[1:] {
		section(&out, n, shared)
	}
	return out.String()
}

// section describes one command.
func section(out *strings.Builder, n *kong.Node, shared []*kong.Flag) {
	fmt.Fprintf(out, "\n%s %s\n\n%s\n", strings.Repeat("#", min(2+n.Depth(), 6)), n.FullPath(), n.Help)
	if !n.Leaf() { // its commands say the rest
		if n.DefaultCmd != nil {
			fmt.Fprintf(out, "\nAlone it is `%s`.\n", n.DefaultCmd.FullPath())
		}
		return
	}
	fmt.Fprintf(out, "\n    %s\n", usage(n))
	if n.Detail != "" {
		fmt.Fprintf(out, "\n%s\n", n.Detail)
	}
	if len(n.Positional) > 0 {
		out.WriteString("\n| Argument | |\n|---|---|\n")
		for _, p := range n.Positional {
			fmt.Fprintf(out, "| `%s` | %s |\n", p.Summary(), cell(p.Help))
		}
	}
	var own []*kong.Flag
	var others []string
	for _, flag := range options(n) {
		if slices.ContainsFunc(shared, func(s *kong.Flag) bool { return same(s, flag) }) {
			others = append(others, "`--"+flag.Name+"`")
		} else {
			own = append(own, flag)
		}
	}
	if len(own) > 0 {
		out.WriteString("\n")
		optionTable(out, own)
	}
	if len(others) > 0 {
		fmt.Fprintf(out, "\nBesides, [options of many commands](#options-of-many-commands): %s.\n", strings.Join(others, ", "))
	}
}

func optionTable(out *strings.Builder, flags []*kong.Flag) {
	out.WriteString("| Option | Variable | |\n|---|---|---|\n")
	for _, flag := range flags {
		variables := make([]string, len(flag.Envs))
		for i, name := range flag.Envs {
			variables[i] = "`" + name + "`"
		}
		fmt.Fprintf(out, "| `%s` | %s | %s |\n", cell(spelling(flag)), strings.Join(variables, " "), cell(flag.Help))
	}
}

// sharedOptions are those that at least four commands have alike.
func sharedOptions(all []*kong.Node) []*kong.Flag {
	const many = 4
	var kinds []*kong.Flag
	counts := map[*kong.Flag]int{}
	for _, n := range all {
		if !n.Leaf() {
			continue
		}
		for _, flag := range options(n) {
			at := slices.IndexFunc(kinds, func(k *kong.Flag) bool { return same(k, flag) })
			if at < 0 {
				at = len(kinds)
				kinds = append(kinds, flag)
			}
			counts[kinds[at]]++
		}
	}
	return slices.DeleteFunc(kinds, func(k *kong.Flag) bool { return counts[k] < many })
}

func same(a, b *kong.Flag) bool {
	return spelling(a) == spelling(b) && a.Help == b.Help && slices.Equal(a.Envs, b.Envs)
}

// anchor is what a heading of the reference is linked as.
func anchor(n *kong.Node) string { return strings.ReplaceAll(strings.ToLower(n.FullPath()), " ", "-") }

// cell is a text inside of a table.
func cell(text string) string {
	return strings.NewReplacer("|", "\\|", "\n", " ", "<", "&lt;").Replace(text)
}
