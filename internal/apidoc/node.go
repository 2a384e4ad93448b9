package apidoc

import (
	"encoding/json"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// node is a part of a YAML document, in the order of the document. A nil node is
// one that is not there, and everything can be asked of it.
type node struct{ yaml *yaml.Node }

func wrap(n *yaml.Node) node {
	for n != nil && n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return node{n}
}

func (n node) exists() bool { return n.yaml != nil }

// text is a scalar, empty where there is none.
func (n node) text() string {
	if n.yaml == nil || n.yaml.Kind != yaml.ScalarNode {
		return ""
	}
	return n.yaml.Value
}

func (n node) isTrue() bool { return n.text() == "true" }

// entry is a name and what it stands for.
type entry struct {
	name  string
	value node
}

// entries are those of a mapping.
func (n node) entries() []entry {
	if n.yaml == nil || n.yaml.Kind != yaml.MappingNode {
		return nil
	}
	list := make([]entry, 0, len(n.yaml.Content)/2)
	for i := 0; i+1 < len(n.yaml.Content); i += 2 {
		list = append(list, entry{n.yaml.Content[i].Value, wrap(n.yaml.Content[i+1])})
	}
	return list
}

// items are those of a sequence.
func (n node) items() []node {
	if n.yaml == nil || n.yaml.Kind != yaml.SequenceNode {
		return nil
	}
	list := make([]node, len(n.yaml.Content))
	for i, item := range n.yaml.Content {
		list[i] = wrap(item)
	}
	return list
}

// at follows names into mappings.
func (n node) at(names ...string) node {
	for _, name := range names {
		found := node{}
		for _, e := range n.entries() {
			if e.name == name {
				found = e.value
			}
		}
		n = found
	}
	return n
}

// texts are the scalars of a sequence.
func (n node) texts() []string {
	var list []string
	for _, item := range n.items() {
		list = append(list, item.text())
	}
	return list
}

// lineWidth is how long a line of JSON may be before it is broken, in characters.
const lineWidth = 72

// json is the node as JSON for people: what fits on a line is on one.
func (n node) json() string {
	var out strings.Builder
	n.writeJSON(&out, "")
	return out.String()
}

func (n node) writeJSON(out *strings.Builder, indent string) {
	if line := n.compact(); utf8.RuneCountInString(line)+len(indent) <= lineWidth {
		out.WriteString(line)
		return
	}
	deeper := indent + "  "
	separator := "\n"
	switch entries, items := n.entries(), n.items(); {
	case len(entries) > 0:
		out.WriteString("{")
		for _, e := range entries {
			out.WriteString(separator + deeper + quoted(e.name) + ": ")
			e.value.writeJSON(out, deeper)
			separator = ",\n"
		}
		out.WriteString("\n" + indent + "}")
	case len(items) > 0:
		out.WriteString("[")
		for _, item := range items {
			out.WriteString(separator + deeper)
			item.writeJSON(out, deeper)
			separator = ",\n"
		}
		out.WriteString("\n" + indent + "]")
	default:
		out.WriteString(n.compact())
	}
}

// compact is the node as one line of JSON.
func (n node) compact() string {
	switch {
	case n.yaml == nil:
		return "null"
	case n.yaml.Kind == yaml.MappingNode:
		var parts []string
		for _, e := range n.entries() {
			parts = append(parts, quoted(e.name)+": "+e.value.compact())
		}
		if len(parts) == 0 {
			return "{}"
		}
		return "{ " + strings.Join(parts, ", ") + " }"
	case n.yaml.Kind == yaml.SequenceNode:
		var parts []string
		for _, item := range n.items() {
			parts = append(parts, item.compact())
		}
		return "[" + strings.Join(parts, ", ") + "]"
	default:
		return n.scalar()
	}
}

// scalar is a scalar as JSON; what JSON has no form for is a string.
func (n node) scalar() string {
	switch n.yaml.ShortTag() {
	case "!!null":
		return "null"
	case "!!bool", "!!int", "!!float":
		if json.Valid([]byte(n.yaml.Value)) {
			return n.yaml.Value
		}
	}
	return quoted(n.yaml.Value)
}

func quoted(text string) string {
	var out strings.Builder
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(text) // a string always encodes
	return strings.TrimSuffix(out.String(), "\n")
}
