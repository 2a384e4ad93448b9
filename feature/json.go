package feature

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// Variants is a list of variants; in JSON an object that keeps their order.
type Variants []Variant

// Get returns the variant of that key, nil where there is none.
func (vs Variants) Get(key string) *Variant {
	for i := range vs {
		if vs[i].Key == key {
			return &vs[i]
		}
	}
	return nil
}

// MarshalJSON returns an object of variant keys and values.
func (vs Variants) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	for i := range vs {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(AppendJSONString(b, vs[i].Key), ':')
		b = vs[i].Value.AppendJSON(b)
	}
	return append(b, '}'), nil
}

// UnmarshalJSON reads an object of variant keys and values.
func (vs *Variants) UnmarshalJSON(data []byte) error {
	fields, err := unmarshalFields(data, "variants")
	if err != nil {
		return err
	}
	*vs = make(Variants, len(fields))
	for i, f := range fields {
		(*vs)[i] = Variant{Key: f.Name, Value: f.Value}
	}
	return nil
}

// Get returns the value of that name, nil where there is none.
func (m Metadata) Get(name string) *Value { return find(m, name) }

// MarshalJSON returns an object.
func (m Metadata) MarshalJSON() ([]byte, error) { return appendFields(nil, m), nil }

// UnmarshalJSON reads an object.
func (m *Metadata) UnmarshalJSON(data []byte) error {
	fields, err := unmarshalFields(data, "metadata")
	*m = fields
	return err
}

func unmarshalFields(data []byte, what string) ([]Attribute, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	token, err := decoder.Token()
	if err != nil {
		return nil, err
	}
	if token == nil {
		return nil, nil
	}
	if token != json.Delim('{') {
		return nil, fmt.Errorf("%s must be an object", what)
	}
	return decodeFields(decoder)
}

// MarshalJSON returns the pair ["on",25000].
func (w Weight) MarshalJSON() ([]byte, error) {
	b := AppendJSONString([]byte{'['}, w.Variant)
	return fmt.Appendf(b, ",%d]", w.Weight), nil
}

// UnmarshalJSON reads the pair ["on",25000].
func (w *Weight) UnmarshalJSON(data []byte) error {
	pair := []any{&w.Variant, &w.Weight}
	if err := json.Unmarshal(data, &pair); err != nil || len(pair) != 2 || pair[0] == nil || pair[1] == nil {
		return errWeight
	}
	return nil
}

var errWeight = errors.New(`must be a pair such as ["on",25000] of a variant and a whole number`)

// Encode returns the compact JSON of an item of a flag set: the bytes that are
// committed, hashed and served. They hold no line break.
func Encode(item any) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(item); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
