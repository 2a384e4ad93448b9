package cli

import "github.com/alecthomas/kong"

// model returns a parser of every command without a call to parse, for commands
// that speak of the others, and the values that it parses into.
func model() (*kong.Kong, *grammar, error) {
	g := &grammar{}
	parser, err := kong.New(g, kong.Name("wigwag"), kong.Description(description))
	return parser, g, err
}

// parentCommand is the command that a node is a command of, nil of the program.
func parentCommand(n *kong.Node) *kong.Node {
	if n == nil || n.Parent == nil || n.Parent.Type == kong.ApplicationNode {
		return nil
	}
	return n.Parent
}

// visible are the nodes that help shows.
func visible(nodes []*kong.Node) []*kong.Node {
	var shown []*kong.Node
	for _, n := range nodes {
		if !n.Hidden {
			shown = append(shown, n)
		}
	}
	return shown
}

// options are the flags of a node that help shows, its own and those of the
// commands around it, without --help.
func options(n *kong.Node) []*kong.Flag {
	var shown []*kong.Flag
	for _, group := range n.AllFlags(true) {
		for _, flag := range group {
			if flag.Name != "help" {
				shown = append(shown, flag)
			}
		}
	}
	return shown
}
