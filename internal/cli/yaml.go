package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v4"
)

// olderMeaning are the texts that readers of YAML 1.1 take for a boolean or a
// number, and writers of 1.2 leave without quotes. "on" and "off" are common names
// of variants.
var olderMeaning = regexp.MustCompile(`^(?i:y|n|yes|no|on|off)$|^[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?$`)

// toYAML writes a JSON document as YAML: the same values in the same order.
func toYAML(document []byte) ([]byte, error) {
	decoder := json.NewDecoder(bytes.NewReader(document))
	decoder.UseNumber()
	node, err := yamlNode(decoder)
	if err != nil {
		return nil, fmt.Errorf("write the answer as YAML: %w", err)
	}
	var text bytes.Buffer
	encoder := yaml.NewEncoder(&text)
	encoder.SetIndent(2)
	if err := encoder.Encode(node); err != nil {
		return nil, fmt.Errorf("write the answer as YAML: %w", err)
	}
	if err := encoder.Close(); err != nil {
		return nil, fmt.Errorf("write the answer as YAML: %w", err)
	}
	return text.Bytes(), nil
}

// yamlNode reads one value. Maps of Go would lose the order of names.
func yamlNode(decoder *json.Decoder) (*yaml.Node, error) {
	token, err := decoder.Token()
	if err != nil {
		return nil, err
	}
	scalar := func(tag, value string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: value} }
	switch value := token.(type) {
	case json.Delim:
		node := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
		if value == '{' {
			node = &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
		}
		for decoder.More() {
			inner, err := yamlNode(decoder) // the name and the value of a member alike
			if err != nil {
				return nil, err
			}
			node.Content = append(node.Content, inner)
		}
		_, err := decoder.Token() // its end
		return node, err
	case string:
		node := scalar("!!str", value)
		if olderMeaning.MatchString(value) {
			node.Style = yaml.DoubleQuotedStyle
		}
		return node, nil
	case json.Number:
		if strings.ContainsAny(value.String(), ".eE") {
			return scalar("!!float", value.String()), nil
		}
		return scalar("!!int", value.String()), nil
	case bool:
		return scalar("!!bool", fmt.Sprint(value)), nil
	default:
		return scalar("!!null", "null"), nil
	}
}
