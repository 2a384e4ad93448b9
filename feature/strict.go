package feature

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"
)

// DecodeStrict decodes a JSON document that a person or a program wrote to be
// stored, into a zero target. Unlike [json.Unmarshal], which SDKs use, it refuses
// what would be lost or read in two ways: invalid UTF-8, a name twice in an
// object, an unknown field (names are compared exactly), nesting deeper than
// [MaxDepth], data after the document, and numbers that a double cannot hold:
// those beyond ±2^53, unless written with an exponent and at least 1e21, and
// those out of a double's range. A list, an object or a pointer may be null,
// which leaves it out.
//
// What is wrong with the document is a [*ValidationError], and the target is then
// unchanged. Any other error is a fault of the target.
func DecodeStrict(data []byte, target any) error {
	var w strictWalk
	if problem := malformed(data); problem != "" {
		w.add("", "%s", problem)
		return w.err()
	}
	w.data = data
	w.decoder = json.NewDecoder(bytes.NewReader(data))
	w.decoder.UseNumber()
	w.structs = map[reflect.Type]*structFields{}
	want := reflect.TypeOf(target)
	if want != nil && want.Kind() == reflect.Pointer {
		want = want.Elem()
	}
	w.value("", want, 1)
	if err := w.err(); err != nil {
		return err
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(target)
	var wrongType *json.UnmarshalTypeError
	if errors.As(err, &wrongType) {
		w.add(wrongType.Field, "must be of type %s, not %s", wrongType.Type, wrongType.Value)
		return w.err()
	}
	return err
}

// malformed says why data is no JSON text; it is empty where data is one.
func malformed(data []byte) string {
	if len(bytes.TrimSpace(data)) == 0 {
		return "the document is empty"
	}
	if bytes.HasPrefix(data, []byte("\uFEFF")) {
		return "the document begins with a byte order mark; save it as UTF-8 without one"
	}
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && size == 1 {
			return "invalid UTF-8 at " + position(data, i)
		}
		i += size
	}
	var text json.RawMessage
	err := json.Unmarshal(data, &text)
	if err == nil {
		return ""
	}
	at := len(data)
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) && syntax.Offset > 0 && !strings.HasPrefix(err.Error(), "unexpected end") {
		at = int(syntax.Offset) - 1 // the offset is after the character at fault
	}
	if json.Valid(data[:at]) && at < len(data) {
		return "there is more after the end of the document, at " + position(data, at)
	}
	return err.Error() + " at " + position(data, at)
}

// position words an offset as people count: both from 1, columns in characters.
func position(data []byte, offset int) string {
	before := data[:offset]
	line := bytes.Count(before, []byte("\n")) + 1
	column := utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:]) + 1
	return fmt.Sprintf("line %d, column %d", line, column)
}

// strictWalk compares a well-formed text with the Go type that it is for.
type strictWalk struct {
	problems
	data    []byte
	decoder *json.Decoder
	structs map[reflect.Type]*structFields
	tooDeep bool // the rest is not read
}

// value walks the next value. A nil type is any JSON.
func (w *strictWalk) value(path string, t reflect.Type, depth int) {
	before := len(w.found)
	start := w.decoder.InputOffset()
	token, err := w.decoder.Token()
	if err != nil {
		w.add(path, "%s", err) // not reached: the text is well-formed
		w.tooDeep = true
		return
	}
	shape, t, nullable := shapeOf(t)
	switch token := token.(type) {
	case nil:
		if !nullable {
			w.add(path, "must be %s, not null", shape)
		}
	case bool:
		w.expect(path, shape, shapeBool, "true or false")
	case string:
		if shape != shapeText {
			w.expect(path, shape, shapeString, "a string")
		}
		w.text(path, token, start)
	case json.Number:
		w.number(path, token.String(), shape, t)
	case json.Delim:
		if depth > MaxDepth {
			w.add(path, "objects and lists are nested more than %d levels deep", MaxDepth)
			w.tooDeep = true
			return
		}
		if token == '[' {
			w.list(path, shape, t, depth)
		} else {
			w.object(path, shape, t, depth)
		}
	}
	if !w.tooDeep && len(w.found) == before && !w.full() {
		w.custom(path, shape, t, bytes.Trim(w.data[start:w.decoder.InputOffset()], " \t\r\n:,"))
	}
}

// expect reports whether a type takes a value that is there.
func (w *strictWalk) expect(path string, want, found shape, name string) bool {
	if want == found || want == shapeAny || want == shapeCustom {
		return true
	}
	w.add(path, "must be %s, not %s", want, name)
	return false
}

func (w *strictWalk) list(path string, shape shape, t reflect.Type, depth int) {
	var element reflect.Type
	if w.expect(path, shape, shapeList, "a list") && shape == shapeList {
		element = t.Elem()
	}
	for i := 0; !w.tooDeep && w.decoder.More(); i++ {
		w.value(indexPath(path, i), element, depth+1)
	}
	if !w.tooDeep {
		_, _ = w.decoder.Token() // the bracket
	}
}

func (w *strictWalk) object(path string, shape shape, t reflect.Type, depth int) {
	var fields *structFields
	var element reflect.Type
	switch {
	case shape == shapeStruct:
		fields = w.fieldsOf(t)
	case shape == shapeMap:
		element = t.Elem()
	case shape != shapeCustomObject:
		w.expect(path, shape, shapeStruct, "an object")
	}
	seen := map[string]bool{}
	for !w.tooDeep && w.decoder.More() {
		start := w.decoder.InputOffset()
		token, _ := w.decoder.Token()
		name, _ := token.(string)
		below := fieldPath(path, name)
		w.text(below, name, start)
		if seen[name] {
			w.add(below, "is given twice in one object; keep one of them")
		}
		seen[name] = true
		if fields != nil {
			var known bool
			if element, known = fields.types[name]; !known {
				w.add(below, "unknown field; the fields here are %s", strings.Join(fields.names, ", "))
			}
		}
		w.value(below, element, depth+1)
	}
	if !w.tooDeep {
		_, _ = w.decoder.Token() // the brace
	}
}

// text refuses a string with half of a surrogate pair, which was read as U+FFFD.
func (w *strictWalk) text(path, s string, start int64) {
	replaced := strings.Count(s, "\uFFFD")
	if replaced == 0 {
		return
	}
	raw := bytes.ToLower(w.data[start:w.decoder.InputOffset()])
	if replaced > bytes.Count(raw, []byte("\uFFFD"))+bytes.Count(raw, []byte(`\ufffd`)) {
		w.add(path, `holds an escape such as \ud83d that is half a character; give both halves, or the character itself`)
	}
}

func (w *strictWalk) number(path, literal string, shape shape, t reflect.Type) {
	f, err := strconv.ParseFloat(literal, 64)
	mantissa, _, exponent := strings.Cut(strings.ToLower(literal), "e")
	magnitude := math.Abs(f)
	switch {
	case shape == shapeInt:
		w.integer(path, literal, t)
	case !w.expect(path, shape, shapeNumber, "a number"):
	case err != nil, f == 0 && strings.ContainsAny(mantissa, "123456789"):
		w.add(path, "%.40s is out of the range of numbers (IEEE 754 double)", literal)
	case magnitude >= 1e21 && exponent:
	case magnitude > 1<<53, magnitude == 1<<53 && strings.TrimPrefix(literal, "-") != "9007199254740992":
		w.add(path, "%.40s is beyond 2^53, where numbers lose digits; give it as a string", literal)
	}
}

func (w *strictWalk) integer(path, literal string, t reflect.Type) {
	var err error
	least := ""
	if t.Kind() >= reflect.Uint && t.Kind() <= reflect.Uintptr {
		_, err = strconv.ParseUint(literal, 10, t.Bits())
		least = " of at least 0"
	} else {
		_, err = strconv.ParseInt(literal, 10, t.Bits())
	}
	switch {
	case errors.Is(err, strconv.ErrRange):
		w.add(path, "%.40s is too large", literal)
	case err != nil:
		w.add(path, "must be a whole number%s, written without fraction or exponent, not %.40s", least, literal)
	}
}

// custom lets a type that decodes itself say what is wrong, where it is known by
// its path.
func (w *strictWalk) custom(path string, shape shape, t reflect.Type, raw []byte) {
	var err error
	switch shape {
	case shapeCustom, shapeCustomObject:
		if decoder, ok := reflect.New(t).Interface().(json.Unmarshaler); ok {
			err = decoder.UnmarshalJSON(raw)
		}
	case shapeText:
		var text *string
		if err = json.Unmarshal(raw, &text); err != nil || text == nil {
			break
		}
		if decoder, ok := reflect.New(t).Interface().(encoding.TextUnmarshaler); ok {
			err = decoder.UnmarshalText([]byte(*text))
		}
	}
	if err != nil {
		w.addError(path, err)
	}
}
