package flagfile

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/wigwag/wigwag/feature"
)

// node is a value as a file has it, whether it was written in YAML or JSON.
type node struct {
	at   Place
	kind feature.ValueKind
	// text is a string's text; of a boolean and a number, the JSON.
	text   string
	list   []*node
	fields []field
}

// field is one field of an object.
type field struct {
	name  string
	at    Place
	value *node
}

// field returns the value of a field, nil where the node has none.
func (n *node) field(name string) *node {
	for i := range n.fields {
		if n.fields[i].name == name {
			return n.fields[i].value
		}
	}
	return nil
}

// appendJSON appends the value as JSON.
func (n *node) appendJSON(b []byte) []byte {
	switch n.kind {
	case feature.KindString:
		return feature.AppendJSONString(b, n.text)
	case feature.KindBool, feature.KindNumber:
		return append(b, n.text...)
	case feature.KindList:
		b = append(b, '[')
		for i, element := range n.list {
			if i > 0 {
				b = append(b, ',')
			}
			b = element.appendJSON(b)
		}
		return append(b, ']')
	case feature.KindObject:
		return appendObject(b, n.fields)
	default:
		return append(b, "null"...)
	}
}

func appendObject(b []byte, fields []field) []byte {
	b = append(b, '{')
	for i := range fields {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(feature.AppendJSONString(b, fields[i].name), ':')
		b = fields[i].value.appendJSON(b)
	}
	return append(b, '}')
}

// find returns the place of what a path of package feature names, or of the
// nearest thing around it that is there.
func find(fields []field, path string) (Place, bool) {
	places := map[string]Place{}
	indexFields(places, "", fields)
	for path != "" {
		if at, ok := places[path]; ok {
			return at, true
		}
		path = path[:max(strings.LastIndexAny(path, ".["), 0)]
	}
	return Place{}, false
}

// indexFields collects the places of everything in an object by its path. A field
// is where its name is.
func indexFields(places map[string]Place, path string, fields []field) {
	for i := range fields {
		below := fieldPath(path, fields[i].name)
		places[below] = fields[i].at
		indexNode(places, below, fields[i].value)
	}
}

func indexNode(places map[string]Place, path string, n *node) {
	indexFields(places, path, n.fields)
	for i, element := range n.list {
		below := path + "[" + strconv.Itoa(i) + "]"
		places[below] = element.at
		indexNode(places, below, element)
	}
}

// fieldPath appends a field's name as package feature does, quoted where it could
// be misread as a path.
func fieldPath(path, name string) string {
	plain := name != "" && !strings.ContainsFunc(name, func(r rune) bool {
		return !('0' <= r && r <= '9' || 'A' <= r && r <= 'Z' || 'a' <= r && r <= 'z' || r == '_' || r == '-')
	})
	switch {
	case !plain:
		return path + fmt.Sprintf("[%.60q]", name)
	case path == "":
		return name
	default:
		return path + "." + name
	}
}
