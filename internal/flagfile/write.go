package flagfile

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/wigwag/wigwag/feature"
)

// lineWidth is how long, in characters, a value is that is written in one line.
const lineWidth = 100

// writer writes a value in YAML or JSON: what is short and simple in one line, all
// else with one entry a line.
type writer struct {
	text []byte
	json bool
}

// value writes a value at a level of nesting, after what introduces it.
func (w *writer) value(v feature.Value, level int) {
	if line, ok := w.line(&v, level); ok {
		w.text = append(w.text, line...)
		return
	}
	if fields, ok := v.Fields(); ok {
		w.entries('{', '}', level, len(fields), func(i int) {
			w.text = append(append(w.text, w.string(fields[i].Name)...), ':')
			w.below(fields[i].Value, level)
		})
		return
	}
	list, _ := v.List()
	w.entries('[', ']', level, len(list), func(i int) {
		if w.json {
			w.value(list[i], level+1)
			return
		}
		w.text = append(w.text, "- "...)
		w.value(list[i], level+1)
	})
}

// entries writes the entries of a list or an object, each in a line of its own.
func (w *writer) entries(begin, end byte, level, n int, entry func(i int)) {
	if w.json {
		w.text = append(w.text, begin)
		level++
	}
	for i := range n {
		if i > 0 && w.json {
			w.text = append(w.text, ',')
		}
		if i > 0 || w.json {
			w.newLine(level)
		}
		entry(i)
	}
	if w.json {
		w.newLine(level - 1)
		w.text = append(w.text, end)
	}
}

func (w *writer) newLine(level int) {
	w.text = append(w.text, '\n')
	w.text = append(w.text, strings.Repeat("  ", level)...)
}

// below writes the value of a field.
func (w *writer) below(v feature.Value, level int) {
	if w.json {
		w.text = append(w.text, ' ')
		w.value(v, level+1)
		return
	}
	if text, ok := v.Text(); ok && isProse(text) {
		w.prose(text, level)
		return
	}
	if line, ok := w.line(&v, level+1); ok {
		w.text = append(append(w.text, ' '), line...)
		return
	}
	w.newLine(level + 1)
	w.value(v, level+1)
}

// isProse reports whether a text is best written as a block of lines.
func isProse(text string) bool {
	return strings.Contains(strings.TrimSuffix(text, "\n"), "\n") && !strings.HasPrefix(text, " ") &&
		!strings.HasPrefix(text, "\n") && !strings.HasSuffix(text, "\n\n") &&
		!strings.ContainsFunc(text, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) })
}

func (w *writer) prose(text string, level int) {
	if strings.HasSuffix(text, "\n") {
		w.text = append(w.text, " |"...)
	} else {
		w.text = append(w.text, " |-"...)
	}
	for line := range strings.SplitSeq(strings.TrimSuffix(text, "\n"), "\n") {
		if line == "" {
			w.text = append(w.text, '\n')
			continue
		}
		w.newLine(level + 1)
		w.text = append(w.text, line...)
	}
}

// blockLevels is how many levels of objects are never written in one line: the
// file, its flags or segments, and each of them.
const blockLevels = 3

// line writes a value in one line, where it is simple and short enough for that.
func (w *writer) line(v *feature.Value, level int) ([]byte, bool) {
	collection := (v.Kind() == feature.KindList || v.Kind() == feature.KindObject) && !isEmptyCollection(v)
	if collection && (level < blockLevels || !isSimple(v)) {
		return nil, false
	}
	b := w.inline(nil, v)
	return b, !collection || utf8.RuneCount(b)+2*level <= lineWidth
}

// isSimple reports whether a collection holds no object inside of another
// collection.
func isSimple(v *feature.Value) bool {
	list, _ := v.List()
	fields, _ := v.Fields()
	isObject := func(v *feature.Value) bool { return v.Kind() == feature.KindObject && !isEmptyCollection(v) }
	for i := range list {
		if isObject(&list[i]) || !isSimple(&list[i]) {
			return false
		}
	}
	for i := range fields {
		if isObject(&fields[i].Value) || !isSimple(&fields[i].Value) {
			return false
		}
	}
	return true
}

func isEmptyCollection(v *feature.Value) bool {
	list, isList := v.List()
	fields, isObject := v.Fields()
	return isList && len(list) == 0 || isObject && len(fields) == 0
}

func (w *writer) inline(b []byte, v *feature.Value) []byte {
	if text, ok := v.Text(); ok {
		return append(b, w.string(text)...)
	}
	if list, ok := v.List(); ok {
		b = append(b, '[')
		for i := range list {
			if i > 0 {
				b = append(b, ", "...)
			}
			b = w.inline(b, &list[i])
		}
		return append(b, ']')
	}
	if fields, ok := v.Fields(); ok {
		b = append(b, '{')
		for i := range fields {
			if i > 0 {
				b = append(b, ", "...)
			}
			b = append(append(b, w.string(fields[i].Name)...), ": "...)
			b = w.inline(b, &fields[i].Value)
		}
		return append(b, '}')
	}
	return v.AppendJSON(b)
}

// plainText is a text that YAML reads as itself without quotes, wherever it
// stands, but for the words.
var plainText = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_./@+-]*( [A-Za-z0-9_./@+-]+)*$`)

// words are what some readers of YAML take for something else than a text.
var words = []string{"null", "true", "false", "yes", "no", "on", "off", "y", "n"}

// string writes a text or a name.
func (w *writer) string(text string) []byte {
	if w.json {
		return feature.AppendJSONString(nil, text)
	}
	if plainText.MatchString(text) && !slices.Contains(words, strings.ToLower(text)) {
		return []byte(text)
	}
	var b bytes.Buffer
	b.WriteByte('"')
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case unicode.IsPrint(r):
			b.WriteRune(r)
		case r <= 0xff:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r <= 0xffff:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
	}
	b.WriteByte('"')
	return b.Bytes()
}

// Inline returns a value in one line, as a YAML file would have it.
func Inline(v feature.Value) string {
	var w writer
	return string(w.inline(nil, &v))
}

// Indented returns a value as a JSON file, laid out as [Encode] lays out files.
func Indented(v feature.Value) []byte {
	w := writer{json: true}
	w.value(v, 0)
	return append(w.text, '\n')
}
