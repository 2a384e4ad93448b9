package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"strings"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/gen"
)

// readContext builds an evaluation context from arguments, of which later ones
// count: NAME=VALUE, where dots in the name make objects, and @FILE with a JSON
// object. A value that is JSON (true, 12, "12", null, [1], {…}) is that; any other is the
// string that it looks like. The targeting key is always a string.
func readContext(arguments []string) (gen.EvaluationContext, error) {
	attributes := map[string]any{}
	for _, argument := range arguments {
		if file, ok := strings.CutPrefix(argument, "@"); ok {
			if err := readContextFile(file, attributes); err != nil {
				return gen.EvaluationContext{}, err
			}
			continue
		}
		name, text, ok := strings.Cut(argument, "=")
		if !ok || name == "" || strings.Contains("."+name+".", "..") {
			return gen.EvaluationContext{}, misused("--context %q is not of the form NAME=VALUE, such as plan=pro", argument)
		}
		if err := set(attributes, name, attributeValue(name, text)); err != nil {
			return gen.EvaluationContext{}, err
		}
	}
	document, err := json.Marshal(attributes)
	if err != nil {
		return gen.EvaluationContext{}, err
	}
	var read gen.EvaluationContext
	if err := json.Unmarshal(document, &read); err != nil {
		return gen.EvaluationContext{}, misused("--context: %s", err)
	}
	return read, nil
}

func attributeValue(name, text string) any {
	if name == feature.TargetingKeyAttribute {
		return text
	}
	if value, err := decodeOne([]byte(text)); err == nil {
		return value
	}
	return text
}

// decodeOne reads one JSON value and keeps its numbers as they are written.
func decodeOne(text []byte) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the JSON value")
	}
	return value, nil
}

// set puts a value where a dotted path leads, and makes the objects on the way.
func set(attributes map[string]any, path string, value any) error {
	name, rest, nested := strings.Cut(path, ".")
	if !nested {
		attributes[name] = value
		return nil
	}
	inner, ok := attributes[name].(map[string]any)
	if !ok {
		if _, taken := attributes[name]; taken {
			return misused("--context: %s is given a value, and %s a part of it; leave one out", name, path)
		}
		inner = map[string]any{}
		attributes[name] = inner
	}
	return set(inner, rest, value)
}

func readContextFile(file string, attributes map[string]any) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return misused("--context: %s", err)
	}
	value, err := decodeOne(text)
	if err != nil {
		return misused("--context @%s: not JSON: %s", file, err)
	}
	object, ok := value.(map[string]any)
	if !ok {
		return misused("--context @%s: the file must hold a JSON object", file)
	}
	for name, value := range object {
		attributes[name] = value
	}
	return nil
}
