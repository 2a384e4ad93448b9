package evaltest

import (
	"fmt"
	"regexp"
	"slices"
)

const (
	maxCost   = 1000
	maxShards = 65536
)

var saltPattern = regexp.MustCompile(`^[A-Za-z0-9._:-]{1,64}$`)

// flagFault says why a known flag does not compile, empty if it does.
func (r *Reference) flagFault(key string) string {
	if fault, known := r.flagFaults[key]; known {
		return fault
	}
	fault := "it cannot be decoded"
	if f := r.flags[key]; f != nil {
		fault = r.checkFlag(f)
	}
	if fault == "" && r.onCycle(key, r.prerequisitesOf) {
		fault = "it is on a cycle"
	}
	if fault == "" && r.flagCost(key) > maxCost {
		fault = "it costs too much"
	}
	r.flagFaults[key] = fault
	return fault
}

// segmentFault says why a segment does not compile, empty if it does.
func (r *Reference) segmentFault(key string) string {
	if fault, known := r.segmentFaults[key]; known {
		return fault
	}
	fault := ""
	segment := r.segments[key]
	switch {
	case segment == nil:
		fault = "there is no such segment"
	case r.onCycle(key, r.segmentsOf):
		fault = "it is on a cycle"
	case !r.whole(segment, "included") || !r.whole(segment, "excluded"):
		fault = "a shard is missing"
	default:
		if when, _ := segment["when"].(Object); when != nil {
			fault = r.checkCondition(when)
		}
		if fault == "" && r.segmentCost(key) > maxCost {
			fault = "it costs too much"
		}
	}
	r.segmentFaults[key] = fault
	return fault
}

// whole reports whether all shards of a list are there.
func (r *Reference) whole(segment Object, list string) bool {
	shards, _ := segment["shards"].(Object)
	count, _ := shards[list].(float64)
	if count < 0 || count > maxShards {
		return false
	}
	for i := range int(count) {
		if _, there := r.shards[shardName{text(segment, "key"), list, i}]; !there {
			return false
		}
	}
	return true
}

func (r *Reference) onCycle(key string, next func(string) []string) bool {
	return r.leadsTo(key, key, map[string]bool{}, next)
}

// leadsTo reports whether one or more steps from a key arrive at the target.
func (r *Reference) leadsTo(from, target string, been map[string]bool, next func(string) []string) bool {
	for _, key := range next(from) {
		if key == target {
			return true
		}
		if !been[key] {
			been[key] = true
			if r.leadsTo(key, target, been, next) {
				return true
			}
		}
	}
	return false
}

func (r *Reference) prerequisitesOf(key string) []string {
	var keys []string
	for _, p := range objects(r.flags[key], "prerequisites") {
		keys = append(keys, text(p, "flag"))
	}
	return keys
}

func (r *Reference) segmentsOf(key string) []string {
	when, _ := r.segments[key]["when"].(Object)
	return mentions(when)
}

// mentions lists the segments in a condition, each as often as it is there.
func mentions(c Object) []string {
	var keys []string
	if key := text(c, "segment"); key != "" {
		keys = append(keys, key)
	}
	for _, member := range append(objects(c, "all"), objects(c, "any")...) {
		keys = append(keys, mentions(member)...)
	}
	if member, _ := c["not"].(Object); member != nil {
		keys = append(keys, mentions(member)...)
	}
	return keys
}

// flagCost is asked only of flags that are on no cycle.
func (r *Reference) flagCost(key string) int {
	if cost, known := r.flagCosts[key]; known {
		return cost
	}
	cost := 1
	for _, other := range r.prerequisitesOf(key) {
		if _, known := r.flags[other]; known && !r.onCycle(other, r.prerequisitesOf) {
			cost += r.flagCost(other)
		}
	}
	r.flagCosts[key] = cost
	return cost
}

// segmentCost is asked only of segments whose condition has no fault.
func (r *Reference) segmentCost(key string) int {
	if cost, known := r.segmentCosts[key]; known {
		return cost
	}
	cost := 1
	for _, other := range r.segmentsOf(key) {
		cost += r.segmentCost(other)
	}
	r.segmentCosts[key] = cost
	return cost
}

func (r *Reference) checkFlag(f Object) string {
	variants, _ := f["variants"].(Object)
	types := map[string]func(any) bool{"boolean": isBool, "string": isText, "number": isNumber, "object": isObject}
	fits := types[text(f, "type")]
	if fits == nil {
		return "unknown type"
	}
	if state := text(f, "state"); state != "ENABLED" && state != "DISABLED" {
		return "unknown state"
	}
	for key, value := range variants {
		if !fits(value) {
			return fmt.Sprintf("variant %s is of another type", key)
		}
	}
	if _, known := variants[text(f, "offVariant")]; !known {
		return "unknown off variant"
	}
	for _, o := range objects(f, "overrides") {
		if _, known := variants[text(o, "variant")]; !known {
			return "an override has an unknown variant"
		}
	}
	for _, rule := range objects(f, "rules") {
		when, _ := rule["when"].(Object)
		if fault := r.checkCondition(when); fault != "" {
			return fault
		}
		serve, _ := rule["serve"].(Object)
		if fault := checkServe(serve, variants); fault != "" {
			return fault
		}
	}
	otherwise, _ := f["default"].(Object)
	return checkServe(otherwise, variants)
}

func checkServe(serve, variants Object) string {
	variant := text(serve, "variant")
	split, _ := serve["split"].(Object)
	if (variant == "") == (split == nil) {
		return "not exactly one of variant and split"
	}
	if split == nil {
		if _, known := variants[variant]; !known {
			return "unknown variant"
		}
		return ""
	}
	if !saltPattern.MatchString(text(split, "salt")) {
		return "bad salt"
	}
	weights, _ := split["weights"].([]any)
	sum, seen := 0.0, map[string]bool{}
	for _, w := range weights {
		pair, _ := w.([]any)
		if pair == nil {
			return "a weight that is none"
		}
		variant, weight := pair[0].(string), pair[1].(float64)
		if _, known := variants[variant]; !known || seen[variant] || weight < 0 {
			return "a weight is negative, or of a variant that is unknown or has one already"
		}
		seen[variant] = true
		sum += weight
	}
	if sum != 100000 {
		return "the weights do not sum to 100,000"
	}
	return ""
}

// formOf names the one form of a condition, empty where it has none or several.
func formOf(c Object) string {
	var forms []string
	for _, name := range []string{"all", "any", "not"} {
		if c[name] != nil {
			forms = append(forms, name)
		}
	}
	if text(c, "segment") != "" {
		forms = append(forms, "segment")
	}
	if text(c, "attribute") != "" || text(c, "op") != "" {
		forms = append(forms, "attribute")
	}
	if len(forms) != 1 {
		return ""
	}
	return forms[0]
}

func (r *Reference) checkCondition(c Object) string {
	switch form := formOf(c); form {
	case "":
		return "not exactly one form"
	case "all", "any":
		for _, member := range objects(c, form) {
			if fault := r.checkCondition(member); fault != "" {
				return fault
			}
		}
	case "not":
		return r.checkCondition(c["not"].(Object))
	case "segment":
		if r.segmentFault(text(c, "segment")) != "" {
			return "a segment is unknown or does not compile"
		}
	default:
		if text(c, "attribute") == "" {
			return "no attribute"
		}
		op := text(c, "op")
		if !slices.Contains(operators, op) {
			return "unknown operator"
		}
		values, _ := c["values"].([]any)
		for _, value := range values {
			if !operand(op, value) {
				return "a value that the operator does not take"
			}
		}
	}
	return ""
}
