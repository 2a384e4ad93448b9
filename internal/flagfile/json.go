package flagfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/wigwag/wigwag/feature"
)

// jsonTree reads a file of one JSON document.
func (f *faults) jsonTree(source Source) *node {
	if len(bytes.TrimSpace(source.Text)) == 0 {
		return nil
	}
	if bytes.HasPrefix(source.Text, []byte("\uFEFF")) {
		f.cannotRead(Place{source.Name, 1, 1}, "the file begins with a byte order mark; save it as UTF-8 without one")
		return nil
	}
	var text json.RawMessage
	if err := json.Unmarshal(source.Text, &text); err != nil {
		at := len(source.Text)
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) && !strings.HasPrefix(err.Error(), "unexpected end") {
			at = max(int(syntax.Offset)-1, 0) // the offset is after the character at fault
		}
		f.cannotRead(placeOf(source, at), "this is not JSON: %s", err)
		return nil
	}
	walk := jsonWalk{faults: f, source: source, decoder: json.NewDecoder(bytes.NewReader(source.Text)), line: 1, column: 1}
	walk.decoder.UseNumber()
	return walk.node(1)
}

// jsonWalk makes nodes of a well-formed text.
type jsonWalk struct {
	*faults
	source  Source
	decoder *json.Decoder
	// line and column are those of offset, up to which they were counted.
	offset, line, column int
	tooDeep              bool
}

// next returns the next token and its place.
func (w *jsonWalk) next() (json.Token, Place) {
	start := int(w.decoder.InputOffset())
	for start < len(w.source.Text) && strings.IndexByte(" \t\r\n:,", w.source.Text[start]) >= 0 {
		start++
	}
	passed := w.source.Text[w.offset:start]
	if last := bytes.LastIndexByte(passed, '\n'); last >= 0 {
		w.line += bytes.Count(passed, []byte("\n"))
		w.column = 1
		passed = passed[last+1:]
	}
	w.column += utf8.RuneCount(passed)
	w.offset = start
	at := Place{w.source.Name, w.line, w.column}
	token, err := w.decoder.Token()
	if err != nil { // not reached: the text is well-formed
		w.cannotRead(at, "this is not JSON: %s", err)
		w.tooDeep = true
	}
	if text, ok := token.(string); ok {
		w.whole(text, at, start)
	}
	return token, at
}

// whole refuses a string with half of a surrogate pair, which was read as U+FFFD.
func (w *jsonWalk) whole(text string, at Place, start int) {
	replaced := strings.Count(text, "\uFFFD")
	if replaced == 0 {
		return
	}
	raw := bytes.ToLower(w.source.Text[start:w.decoder.InputOffset()])
	if replaced > bytes.Count(raw, []byte("\uFFFD"))+bytes.Count(raw, []byte(`\ufffd`)) {
		w.add(at, `an escape such as \ud83d is half a character; give both halves, or the character itself`)
	}
}

func (w *jsonWalk) node(depth int) *node {
	token, at := w.next()
	made := &node{at: at}
	switch token := token.(type) {
	case bool:
		made.kind, made.text = feature.KindBool, "false"
		if token {
			made.text = "true"
		}
	case string:
		made.kind, made.text = feature.KindString, token
	case json.Number:
		made.kind, made.text = feature.KindNumber, token.String()
	case json.Delim:
		if depth > maxNesting {
			w.cannotRead(at, "values are nested more than %d levels deep", maxNesting)
			w.tooDeep = true
			return made
		}
		if token == '[' {
			made.kind = feature.KindList
			w.elements(made, depth)
		} else {
			made.kind = feature.KindObject
			w.object(made, depth)
		}
	}
	return made
}

func (w *jsonWalk) elements(made *node, depth int) {
	for !w.tooDeep && w.decoder.More() {
		made.list = append(made.list, w.node(depth+1))
	}
	if !w.tooDeep {
		w.next() // the bracket
	}
}

func (w *jsonWalk) object(made *node, depth int) {
	seen := map[string]Place{}
	for !w.tooDeep && w.decoder.More() {
		token, at := w.next()
		name, _ := token.(string)
		below := w.node(depth + 1)
		if w.once(seen, name, at) {
			made.fields = append(made.fields, field{name, at, below})
		}
	}
	if !w.tooDeep {
		w.next() // the brace
	}
}
