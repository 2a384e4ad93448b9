package evaltest

import "slices"

// Object is a JSON object as encoding/json decodes it.
type Object = map[string]any

// Result is what a flag resolves to. Value is nil and Variant empty where
// ErrorCode is not.
type Result struct {
	Variant   string
	Reason    string
	Rule      string
	ErrorCode string
	Value     any
	// Trace is the JSON document of section 10 of api/evaluation.md.
	Trace Object
}

// Reference interprets one flag set. It is not safe for concurrent use: it
// remembers which documents it found at fault.
type Reference struct {
	flags    map[string]Object // nil for one that cannot be decoded
	segments map[string]Object
	shards   map[shardName][]string

	flagFaults    map[string]string
	segmentFaults map[string]string
	flagCosts     map[string]int
	segmentCosts  map[string]int
}

type shardName struct {
	segment, list string
	number        int
}

// NewReference returns the interpreter of a flag set, given as decoded JSON
// documents, each with its key.
func NewReference(flags, segments, keys []Object) *Reference {
	r := &Reference{
		flags: map[string]Object{}, segments: map[string]Object{}, shards: map[shardName][]string{},
		flagFaults: map[string]string{}, segmentFaults: map[string]string{},
		flagCosts: map[string]int{}, segmentCosts: map[string]int{},
	}
	for _, f := range flags {
		key, _ := f["key"].(string)
		r.flags[key] = nil
		if decodes(f, flagShape) {
			r.flags[key] = f
		}
	}
	for _, s := range segments {
		if decodes(s, segmentShape) {
			r.segments[text(s, "key")] = s
		}
	}
	for _, k := range keys {
		if decodes(k, keysShape) {
			number, _ := k["shard"].(float64)
			r.shards[shardName{text(k, "segment"), text(k, "list"), int(number)}] = texts(k, "keys")
		}
	}
	return r
}

// Resolve resolves a flag and traces it.
func (r *Reference) Resolve(key string, context Object) Result {
	f, known := r.flags[key]
	trace := Object{"flag": key, "steps": []any{}}
	if !known {
		return Result{Reason: "ERROR", ErrorCode: "FLAG_NOT_FOUND", Trace: trace}
	}
	if r.flagFault(key) != "" {
		return Result{Reason: "ERROR", ErrorCode: "PARSE_ERROR", Trace: trace}
	}
	step := func(s Object) { trace["steps"] = append(trace["steps"].([]any), s) }
	answer := func(variant, reason, rule string) Result {
		return Result{Variant: variant, Reason: reason, Rule: rule, Value: f["variants"].(Object)[variant], Trace: trace}
	}
	serve := func(what Object, reason, rule string) Result {
		split, _ := what["split"].(Object)
		if split == nil {
			return answer(text(what, "variant"), reason, rule)
		}
		by := text(split, "by")
		if by == "" {
			by = "targetingKey"
		}
		seen := Object{"step": "split", "by": by, "salt": split["salt"], "boundaries": boundaries(split)}
		step(seen)
		value, _ := lookup(context, by).(string)
		if value == "" {
			seen["variant"] = f["offVariant"]
			return answer(text(f, "offVariant"), "DEFAULT", rule)
		}
		hash := murmur3([]byte(text(split, "salt") + valid(value)))
		bucket := int(uint64(hash) * 100000 / (1 << 32))
		variant := pick(split, bucket)
		seen["value"], seen["hash"], seen["bucket"], seen["variant"] = valid(value), float64(hash), float64(bucket), variant
		return answer(variant, "SPLIT", rule)
	}

	step(Object{"step": "state", "state": f["state"]})
	if f["state"] == "DISABLED" {
		return answer(text(f, "offVariant"), "DISABLED", "")
	}
	for _, p := range objects(f, "prerequisites") {
		seen := Object{"step": "prerequisite", "flag": text(p, "flag"), "holds": false}
		if v := p["variants"]; len(texts(p, "variants")) > 0 {
			seen["variants"] = v
		}
		step(seen)
		if _, known := r.flags[text(p, "flag")]; known {
			other := r.Resolve(text(p, "flag"), context)
			seen["trace"] = other.Trace
			if other.ErrorCode == "" {
				seen["variant"] = other.Variant
				seen["holds"] = slices.Contains(texts(p, "variants"), other.Variant)
			}
		}
		if seen["holds"] == false {
			return answer(text(f, "offVariant"), "PREREQUISITE_FAILED", "")
		}
	}
	targetingKey, _ := lookup(context, "targetingKey").(string)
	for _, o := range objects(f, "overrides") {
		holds := targetingKey != "" && slices.Contains(texts(o, "targetingKeys"), targetingKey)
		step(Object{"step": "override", "variant": o["variant"], "holds": holds})
		if holds {
			return answer(text(o, "variant"), "TARGETING_MATCH", "")
		}
	}
	for _, rule := range objects(f, "rules") {
		id, name := text(rule, "id"), text(rule, "name")
		when := r.holds(rule["when"].(Object), context)
		seen := Object{"step": "rule", "rule": id, "holds": when["holds"], "when": when}
		if name != "" {
			seen["name"] = name
		}
		step(seen)
		if when["holds"] == true {
			return serve(rule["serve"].(Object), "TARGETING_MATCH", id)
		}
	}
	step(Object{"step": "default"})
	if len(objects(f, "prerequisites"))+len(objects(f, "overrides"))+len(objects(f, "rules")) == 0 {
		return serve(f["default"].(Object), "STATIC", "")
	}
	return serve(f["default"].(Object), "DEFAULT", "")
}

func boundaries(split Object) []any {
	list, sum := []any{}, 0.0
	for _, w := range split["weights"].([]any) {
		sum += w.([]any)[1].(float64)
		list = append(list, []any{w.([]any)[0], sum})
	}
	return list
}

func pick(split Object, bucket int) string {
	sum := 0.0
	for _, w := range split["weights"].([]any) {
		sum += w.([]any)[1].(float64)
		if float64(bucket) < sum {
			return w.([]any)[0].(string)
		}
	}
	return "" // not reached: the weights sum to 100,000
}

// holds returns the node of a trace; its member holds is the result.
func (r *Reference) holds(c, context Object) Object {
	node := Object{"holds": false}
	switch formOf(c) {
	case "all":
		asked := []any{}
		node["holds"] = true
		for _, member := range objects(c, "all") {
			n := r.holds(member, context)
			asked = append(asked, n)
			if n["holds"] == false {
				node["holds"] = false
				break
			}
		}
		node["all"] = asked
	case "any":
		asked := []any{}
		for _, member := range objects(c, "any") {
			n := r.holds(member, context)
			asked = append(asked, n)
			if n["holds"] == true {
				node["holds"] = true
				break
			}
		}
		node["any"] = asked
	case "not":
		n := r.holds(c["not"].(Object), context)
		node["not"], node["holds"] = n, n["holds"] == false
	case "segment":
		r.inSegment(text(c, "segment"), context, node)
	default:
		values, _ := c["values"].([]any)
		node["attribute"], node["op"] = c["attribute"], c["op"]
		if len(values) > 0 {
			node["values"] = values
		}
		seen := lookup(context, text(c, "attribute"))
		if seen != nil {
			node["value"] = seen
			node["holds"] = compare(text(c, "op"), seen, values)
		}
	}
	return node
}

func (r *Reference) inSegment(key string, context, node Object) {
	segment := r.segments[key]
	node["segment"] = key
	if targetingKey, _ := lookup(context, "targetingKey").(string); targetingKey != "" {
		if r.listed(segment, "included", targetingKey) {
			node["by"], node["holds"] = "included", true
			return
		}
		if r.listed(segment, "excluded", targetingKey) {
			node["by"] = "excluded"
			return
		}
	}
	when, _ := segment["when"].(Object)
	if when == nil {
		node["by"] = "none"
		return
	}
	n := r.holds(when, context)
	node["by"], node["when"], node["holds"] = "when", n, n["holds"]
}

func (r *Reference) listed(segment Object, list, targetingKey string) bool {
	shards, _ := segment["shards"].(Object)
	count, _ := shards[list].(float64)
	if count == 0 {
		return slices.Contains(texts(segment, list), targetingKey)
	}
	shard := int(uint64(murmur3([]byte(valid(targetingKey)))) * uint64(count) / (1 << 32))
	return slices.Contains(r.shards[shardName{text(segment, "key"), list, shard}], targetingKey)
}
