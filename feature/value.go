package feature

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// ValueKind says what a [Value] holds. The zero kind is null.
type ValueKind uint8

// The kinds of a value, as in JSON.
const (
	KindNull ValueKind = iota
	KindBool
	KindNumber
	KindString
	KindList
	KindObject
)

// String returns the kind's JSON name.
func (k ValueKind) String() string {
	switch k {
	case KindBool:
		return "boolean"
	case KindNumber:
		return "number"
	case KindString:
		return "string"
	case KindList:
		return "list"
	case KindObject:
		return "object"
	default:
		return "null"
	}
}

// Value is an immutable JSON value: of a variant, of a condition, or of an
// attribute. The zero Value is null. Numbers are IEEE 754 doubles, as they are
// for every language that reads JSON through JavaScript's eyes; NaN and the
// infinities have no JSON form and are null.
//
// A Value is safe for concurrent use.
type Value struct {
	kind     ValueKind
	number   float64 // the number, or 1 for true
	text     string
	compound *compound
}

// compound keeps the rare kinds out of line, so that a Value stays small enough
// to sit in an attribute list on the caller's stack.
type compound struct {
	list   []Value
	fields []Attribute
}

// Attribute is a named value: one entry of an evaluation context, or one field
// of an object.
type Attribute struct {
	Name  string
	Value Value
}

// BoolValue returns the value of a boolean.
func BoolValue(b bool) Value {
	v := Value{kind: KindBool}
	if b {
		v.number = 1
	}
	return v
}

// NumberValue returns the value of a number; NaN and infinities give null.
func NumberValue(f float64) Value {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return Value{}
	}
	return Value{kind: KindNumber, number: f}
}

// StringValue returns the value of a string.
func StringValue(s string) Value { return Value{kind: KindString, text: s} }

// ListValue returns the value of a list. It keeps the slice.
func ListValue(list ...Value) Value {
	return Value{kind: KindList, compound: &compound{list: list}}
}

// ObjectValue returns the value of an object. It keeps the slice; of two fields
// of one name the later counts.
func ObjectValue(fields ...Attribute) Value {
	return Value{kind: KindObject, compound: &compound{fields: fields}}
}

// Kind reports what the value holds.
func (v *Value) Kind() ValueKind { return v.kind }

// IsNull reports whether the value is null.
func (v *Value) IsNull() bool { return v.kind == KindNull }

// Bool returns the boolean, and whether the value is one.
func (v *Value) Bool() (b, ok bool) { return v.number != 0, v.kind == KindBool }

// Number returns the number, and whether the value is one.
func (v *Value) Number() (float64, bool) { return v.number, v.kind == KindNumber }

// Text returns the string, and whether the value is one.
func (v *Value) Text() (string, bool) { return v.text, v.kind == KindString }

// List returns the elements, and whether the value is a list. The caller must
// not change them.
func (v *Value) List() ([]Value, bool) {
	if v.kind != KindList {
		return nil, false
	}
	return v.compound.list, true
}

// Fields returns the fields in their order, and whether the value is an object.
// The caller must not change them.
func (v *Value) Fields() ([]Attribute, bool) {
	if v.kind != KindObject {
		return nil, false
	}
	return v.compound.fields, true
}

// Field returns the value of an object's field; nil if the value is no object
// or has no such field.
func (v *Value) Field(name string) *Value {
	if v.kind != KindObject {
		return nil
	}
	return find(v.compound.fields, name)
}

// find returns the last attribute of that name, so that a list may be extended
// by appending and a later entry overrides an earlier one.
func find(fields []Attribute, name string) *Value {
	for i := len(fields) - 1; i >= 0; i-- {
		if fields[i].Name == name {
			return &fields[i].Value
		}
	}
	return nil
}

// Equal reports whether two values are the same JSON value. The order of an
// object's fields does not matter.
func (v *Value) Equal(w *Value) bool {
	if v.kind != w.kind {
		return false
	}
	switch v.kind {
	case KindBool, KindNumber:
		return v.number == w.number
	case KindString:
		return v.text == w.text
	case KindList:
		if len(v.compound.list) != len(w.compound.list) {
			return false
		}
		for i := range v.compound.list {
			if !v.compound.list[i].Equal(&w.compound.list[i]) {
				return false
			}
		}
	case KindObject:
		if len(v.compound.fields) != len(w.compound.fields) {
			return false
		}
		for i := range v.compound.fields {
			f := w.Field(v.compound.fields[i].Name)
			if f == nil || !f.Equal(&v.compound.fields[i].Value) {
				return false
			}
		}
	}
	return true
}

// Any returns the value as encoding/json would decode it into an any: a fresh
// copy that the caller owns.
func (v *Value) Any() any {
	switch v.kind {
	case KindBool:
		return v.number != 0
	case KindNumber:
		return v.number
	case KindString:
		return v.text
	case KindList:
		list := make([]any, len(v.compound.list))
		for i := range v.compound.list {
			list[i] = v.compound.list[i].Any()
		}
		return list
	case KindObject:
		object := make(map[string]any, len(v.compound.fields))
		for i := range v.compound.fields {
			object[v.compound.fields[i].Name] = v.compound.fields[i].Value.Any()
		}
		return object
	default:
		return nil
	}
}

// Decode stores the value in what target points to, by the rules of
// [json.Unmarshal].
func (v *Value) Decode(target any) error { return json.Unmarshal(v.AppendJSON(nil), target) }

// String returns the value as JSON.
func (v Value) String() string { return string(v.AppendJSON(nil)) }

// MarshalJSON returns the value as JSON.
func (v Value) MarshalJSON() ([]byte, error) { return v.AppendJSON(nil), nil }

// AppendJSON appends the value as compact JSON. Numbers are written as
// JavaScript writes them, strings with only the escapes that JSON demands, so
// that JSON.stringify of the parsed text gives the same bytes.
func (v *Value) AppendJSON(b []byte) []byte {
	switch v.kind {
	case KindBool:
		return strconv.AppendBool(b, v.number != 0)
	case KindNumber:
		return appendNumber(b, v.number)
	case KindString:
		return AppendJSONString(b, v.text)
	case KindList:
		b = append(b, '[')
		for i := range v.compound.list {
			if i > 0 {
				b = append(b, ',')
			}
			b = v.compound.list[i].AppendJSON(b)
		}
		return append(b, ']')
	case KindObject:
		return appendFields(b, v.compound.fields)
	default:
		return append(b, "null"...)
	}
}

func appendFields(b []byte, fields []Attribute) []byte {
	b = append(b, '{')
	for i := range fields {
		if i > 0 {
			b = append(b, ',')
		}
		b = AppendJSONString(b, fields[i].Name)
		b = append(b, ':')
		b = fields[i].Value.AppendJSON(b)
	}
	return append(b, '}')
}

// appendNumber writes a double as ECMAScript's Number::toString does.
func appendNumber(b []byte, f float64) []byte {
	if f == 0 {
		return append(b, '0') // also for -0, as in JSON.stringify
	}
	abs := math.Abs(f)
	if abs >= 1e-6 && abs < 1e21 {
		return strconv.AppendFloat(b, f, 'f', -1, 64)
	}
	start := len(b)
	b = strconv.AppendFloat(b, f, 'e', -1, 64)
	// Go writes e-07, JavaScript e-7.
	if n := len(b); n-start >= 4 && b[n-4] == 'e' && b[n-2] == '0' {
		b[n-2] = b[n-1]
		b = b[:n-1]
	}
	return b
}

const hexDigits = "0123456789abcdef"

// AppendJSONString appends a string as JSON with only the escapes that JSON
// demands; invalid UTF-8 becomes U+FFFD.
func AppendJSONString(b []byte, s string) []byte {
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && size == 1 {
				b = append(b, s[start:i]...)
				b = utf8.AppendRune(b, utf8.RuneError)
				start = i + 1
			}
			i += size
			continue
		}
		if c >= ' ' && c != '"' && c != '\\' {
			i++
			continue
		}
		b = append(b, s[start:i]...)
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\b':
			b = append(b, '\\', 'b')
		case '\f':
			b = append(b, '\\', 'f')
		case '\n':
			b = append(b, '\\', 'n')
		case '\r':
			b = append(b, '\\', 'r')
		case '\t':
			b = append(b, '\\', 't')
		default:
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
		i++
		start = i
	}
	b = append(b, s[start:]...)
	return append(b, '"')
}

// UnmarshalJSON reads a value. Of two fields of one name the later counts; a
// number beyond a double's range is an error.
func (v *Value) UnmarshalJSON(data []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	decoded, err := decodeValue(decoder)
	if err != nil {
		return err
	}
	*v = decoded
	return nil
}

func decodeValue(decoder *json.Decoder) (Value, error) {
	token, err := decoder.Token()
	if err != nil {
		return Value{}, err
	}
	switch t := token.(type) {
	case bool:
		return BoolValue(t), nil
	case string:
		return StringValue(t), nil
	case json.Number:
		f, err := t.Float64()
		if err != nil {
			return Value{}, fmt.Errorf("number %s is out of range", t)
		}
		return NumberValue(f), nil
	case json.Delim:
		if t == '[' {
			list := []Value{}
			for decoder.More() {
				element, err := decodeValue(decoder)
				if err != nil {
					return Value{}, err
				}
				list = append(list, element)
			}
			_, err := decoder.Token()
			return ListValue(list...), err
		}
		fields, err := decodeFields(decoder)
		return Value{kind: KindObject, compound: &compound{fields: fields}}, err
	default:
		return Value{}, nil
	}
}

// decodeFields reads an object's fields after its opening brace.
func decodeFields(decoder *json.Decoder) ([]Attribute, error) {
	read := fieldList{fields: []Attribute{}}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		text, ok := name.(string)
		if !ok {
			return nil, fmt.Errorf("%v is no name of a field", name)
		}
		value, err := decodeValue(decoder)
		if err != nil {
			return nil, err
		}
		read.set(text, value)
	}
	_, err := decoder.Token()
	return read.fields, err
}

// fieldList is a list of fields that holds each name once.
type fieldList struct {
	fields []Attribute
	index  map[string]int // by name, once there are more than a few fields
}

// set appends a field, or replaces the value of the field of that name where it
// stands.
func (l *fieldList) set(name string, value Value) {
	const few = 16
	if l.index == nil && len(l.fields) >= few {
		l.index = make(map[string]int, 2*few)
		for i := range l.fields {
			l.index[l.fields[i].Name] = i
		}
	}
	if l.index != nil {
		if i, ok := l.index[name]; ok {
			l.fields[i].Value = value
			return
		}
		l.index[name] = len(l.fields)
	} else if v := find(l.fields, name); v != nil {
		*v = value
		return
	}
	l.fields = append(l.fields, Attribute{Name: name, Value: value})
}

// ValueOf converts what Go programs hold in an any: nil, booleans, numbers of
// every size, strings, [json.Number], [Value], []any, []string, map[string]any,
// map[string]string, and anything that marshals to JSON. What does not is null.
// The fields of a map are sorted by name.
func ValueOf(a any) Value {
	switch t := a.(type) {
	case nil:
		return Value{}
	case Value:
		return t
	case bool:
		return BoolValue(t)
	case string:
		return StringValue(t)
	case float64:
		return NumberValue(t)
	case float32:
		return NumberValue(float64(t))
	case int:
		return NumberValue(float64(t))
	case int8:
		return NumberValue(float64(t))
	case int16:
		return NumberValue(float64(t))
	case int32:
		return NumberValue(float64(t))
	case int64:
		return NumberValue(float64(t))
	case uint:
		return NumberValue(float64(t))
	case uint8:
		return NumberValue(float64(t))
	case uint16:
		return NumberValue(float64(t))
	case uint32:
		return NumberValue(float64(t))
	case uint64:
		return NumberValue(float64(t))
	case []string:
		list := make([]Value, len(t))
		for i := range t {
			list[i] = StringValue(t[i])
		}
		return ListValue(list...)
	case []any:
		list := make([]Value, len(t))
		for i := range t {
			list[i] = ValueOf(t[i])
		}
		return ListValue(list...)
	case map[string]any:
		fields := make([]Attribute, 0, len(t))
		for name, value := range t {
			fields = append(fields, Attribute{Name: name, Value: ValueOf(value)})
		}
		slices.SortFunc(fields, func(a, b Attribute) int { return strings.Compare(a.Name, b.Name) })
		return ObjectValue(fields...)
	default:
		var v Value
		data, err := json.Marshal(a)
		if err != nil || json.Unmarshal(data, &v) != nil {
			return Value{}
		}
		return v
	}
}
