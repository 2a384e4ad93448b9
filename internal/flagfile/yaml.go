package flagfile

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/wigwag/wigwag/feature"
)

// yamlTree reads a file of one YAML document.
func (f *faults) yamlTree(source Source) *node {
	loader, err := yaml.NewLoader(bytes.NewReader(source.Text))
	if err != nil {
		f.cannotRead(Place{File: source.Name}, "%s", err)
		return nil
	}
	var document, more yaml.Node
	if err := loader.Load(&document); errors.Is(err, io.EOF) {
		return nil
	} else if err != nil {
		f.syntax(source, err)
		return nil
	}
	if err := loader.Load(&more); err == nil {
		f.cannotRead(Place{source.Name, more.Line, more.Column}, "a second document begins here; write one document a file")
		return nil
	} else if !errors.Is(err, io.EOF) {
		f.syntax(source, err)
		return nil
	}
	if len(document.Content) != 1 {
		return nil
	}
	walk := yamlWalk{faults: f, file: source.Name, open: map[*yaml.Node]bool{}}
	return walk.node(document.Content[0], 1)
}

// syntax reports what the YAML library says.
func (f *faults) syntax(source Source, err error) {
	at, message := Place{File: source.Name}, err.Error()
	var wrong *yaml.LoadError
	if errors.As(err, &wrong) {
		message = wrong.Message
		if wrong.ContextMsg != "" {
			message = wrong.ContextMsg + ": " + message
		}
		if wrong.Mark.Line > 0 {
			at.Line, at.Column = wrong.Mark.Line, wrong.Mark.Column
		} else if bad := bytes.IndexFunc(source.Text, unprintable); bad >= 0 {
			at = placeOf(source, bad) // the library does not say where
		}
	}
	f.cannotRead(at, "this is not YAML: %s", message)
}

// unprintable reports what YAML does not let stand in a file.
func unprintable(r rune) bool {
	return r < ' ' && r != '\n' && r != '\r' && r != '\t' || 0x7f <= r && r <= 0x9f && r != 0x85 || r == 0xfffe || r == 0xffff
}

// yamlWalk makes nodes of YAML's nodes.
type yamlWalk struct {
	*faults
	file string
	// open are the nodes on the way to the present one, so that an alias inside of
	// what it names is noticed.
	open    map[*yaml.Node]bool
	aliased int // values repeated by aliases
	within  int // aliases on the way to the present node
}

func (w *yamlWalk) node(n *yaml.Node, depth int) *node {
	at := Place{w.file, n.Line, n.Column}
	made := &node{at: at}
	if w.within > 0 {
		if w.aliased++; w.aliased > maxAliased {
			if w.aliased == maxAliased+1 {
				w.cannotRead(at, "aliases repeat more than %d values; write less of it by aliases", maxAliased)
			}
			return made
		}
	}
	if depth > maxNesting {
		w.cannotRead(at, "values are nested more than %d levels deep", maxNesting)
		return made
	}
	switch n.Kind {
	case yaml.AliasNode:
		if n.Alias == nil || w.open[n.Alias] {
			w.cannotRead(at, "the alias *%.80s is inside of what it stands for", n.Value)
			return made
		}
		w.within++
		made = w.node(n.Alias, depth)
		w.within--
	case yaml.ScalarNode:
		w.scalar(made, n)
	case yaml.SequenceNode:
		made.kind = feature.KindList
		w.tag(n, "!!seq")
		w.open[n] = true
		made.list = make([]*node, len(n.Content))
		for i, element := range n.Content {
			made.list[i] = w.node(element, depth+1)
		}
		delete(w.open, n)
	case yaml.MappingNode:
		made.kind = feature.KindObject
		w.tag(n, "!!map")
		w.open[n] = true
		w.mapping(made, n, depth)
		delete(w.open, n)
	default:
		w.add(at, "this is no value")
	}
	return made
}

func (w *yamlWalk) tag(n *yaml.Node, want string) {
	if tag := n.ShortTag(); tag != want {
		w.add(Place{w.file, n.Line, n.Column}, "the tag %.80s means nothing here; leave it out", tag)
	}
}

func (w *yamlWalk) mapping(made *node, n *yaml.Node, depth int) {
	seen := make(map[string]Place, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		at := Place{w.file, key.Line, key.Column}
		switch {
		case key.Kind != yaml.ScalarNode:
			w.add(at, "a name must be a text")
			continue
		case key.ShortTag() == "!!merge":
			w.add(at, "<< means nothing here; write the fields, or use an alias for a whole value")
			continue
		case key.ShortTag() != "!!str":
			w.add(at, "the name %.80s is no text in YAML; write it in quotes: %.80q", key.Value, key.Value)
			continue
		}
		below := w.node(value, depth+1)
		if w.once(seen, key.Value, at) {
			made.fields = append(made.fields, field{key.Value, at, below})
		}
	}
}

// decimal is how JSON writes numbers.
var decimal = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)

func (w *yamlWalk) scalar(made *node, n *yaml.Node) {
	switch tag := n.ShortTag(); tag {
	case "!!str", "!!timestamp": // what looks like a time is the text of it
		made.kind, made.text = feature.KindString, n.Value
	case "!!bool":
		made.kind, made.text = feature.KindBool, strings.ToLower(n.Value)
		if made.text != "true" && made.text != "false" {
			w.add(made.at, "write true or false, not %.80s", n.Value)
			made.text = "false"
		}
	case "!!null":
	case "!!int", "!!float":
		made.kind, made.text = feature.KindNumber, n.Value
		if !decimal.MatchString(n.Value) {
			w.add(made.at, "write %.80s as a decimal number, such as 25 or 0.5, or in quotes where it is a text", n.Value)
			made.text = "0"
		}
	default:
		made.kind, made.text = feature.KindString, n.Value
		w.add(made.at, "the tag %.80s means nothing here; leave it out", tag)
	}
}
