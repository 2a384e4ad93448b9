package evaltest

import (
	"slices"
	"strings"
)

// text returns a string member, empty where it is absent.
func text(o Object, name string) string {
	s, _ := o[name].(string)
	return s
}

// texts returns a member that is a list of strings; null is the empty string.
func texts(o Object, name string) []string {
	list, _ := o[name].([]any)
	out := make([]string, len(list))
	for i := range list {
		out[i], _ = list[i].(string)
	}
	return out
}

// objects returns a member that is a list of objects; null is the empty object.
func objects(o Object, name string) []Object {
	list, _ := o[name].([]any)
	out := make([]Object, len(list))
	for i := range list {
		out[i], _ = list[i].(Object)
	}
	return out
}

// lookup returns an attribute, nil where it is missing.
func lookup(context Object, name string) any {
	if name == "targetingKey" {
		if key, _ := context[name].(string); key != "" {
			return key
		}
		return nil
	}
	if value, found := context[name]; found {
		return value
	}
	parts := strings.Split(name, ".")
	if parts[0] == "targetingKey" {
		return nil
	}
	var value any = context
	for _, part := range parts {
		object, _ := value.(Object)
		value = object[part]
	}
	return value
}

// valid puts U+FFFD in the place of each byte that is not UTF-8.
func valid(s string) string { return string([]rune(s)) }

// shape says which members a document has and of which JSON type each is.
type shape map[string]func(any) bool

func decodes(o Object, s shape) bool {
	for name, fits := range s {
		if value, found := o[name]; found && value != nil && !fits(value) {
			return false
		}
	}
	return true
}

var (
	splitShape = shape{"by": isText, "salt": isText, "weights": listOf(isWeight)}
	serveShape = shape{"variant": isText, "split": objectOf(splitShape)}
	ruleShape  = shape{"id": isText, "name": isText, "when": isCondition, "serve": objectOf(serveShape)}
	flagShape  = shape{
		"key": isText, "type": isText, "state": isText, "offVariant": isText,
		"variants": isObject, "metadata": isObject, "clientVisible": isBool,
		"prerequisites": listOf(objectOf(shape{"flag": isText, "variants": listOf(isText)})),
		"overrides":     listOf(objectOf(shape{"variant": isText, "targetingKeys": listOf(isText)})),
		"rules":         listOf(objectOf(ruleShape)),
		"default":       objectOf(serveShape),
	}
	segmentShape = shape{
		"key": isText, "name": isText, "included": listOf(isText), "excluded": listOf(isText), "when": isCondition,
		"shards": objectOf(shape{"included": isInteger, "excluded": isInteger}),
	}
	keysShape = shape{"segment": isText, "list": isText, "shard": isInteger, "keys": listOf(isText)}
)

func isText(v any) bool   { _, ok := v.(string); return ok }
func isBool(v any) bool   { _, ok := v.(bool); return ok }
func isObject(v any) bool { _, ok := v.(Object); return ok }
func isList(v any) bool   { _, ok := v.([]any); return ok }

func isInteger(v any) bool {
	f, ok := v.(float64)
	return ok && f == float64(int64(f))
}

func isWeight(v any) bool {
	pair, _ := v.([]any)
	return len(pair) == 2 && isText(pair[0]) && isInteger(pair[1])
}

func isCondition(v any) bool {
	c, ok := v.(Object)
	return ok && decodes(c, shape{
		"all": listOf(isCondition), "any": listOf(isCondition), "not": isCondition,
		"segment": isText, "attribute": isText, "op": isText, "values": isList,
	})
}

func objectOf(s shape) func(any) bool {
	return func(v any) bool {
		o, ok := v.(Object)
		return ok && decodes(o, s)
	}
}

func listOf(fits func(any) bool) func(any) bool {
	return func(v any) bool {
		list, ok := v.([]any)
		return ok && !slices.ContainsFunc(list, func(e any) bool { return e != nil && !fits(e) })
	}
}
