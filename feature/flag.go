package feature

// Type is the type of a flag: of every value that its variants hold.
type Type string

// The types of flags.
const (
	TypeBoolean Type = "boolean"
	TypeString  Type = "string"
	TypeNumber  Type = "number"
	TypeObject  Type = "object"
)

// Types lists every type of flag, in the order of the documentation.
var Types = []Type{TypeBoolean, TypeString, TypeNumber, TypeObject}

// State says whether a flag's targeting is in force.
type State string

// The states of a flag. A disabled flag serves its off variant to everybody.
const (
	StateEnabled  State = "ENABLED"
	StateDisabled State = "DISABLED"
)

// States lists every state of a flag.
var States = []State{StateEnabled, StateDisabled}

// Flag is one item of a flag set: the definition of a flag joined with its
// configuration in one environment, in the form that SDKs receive.
type Flag struct {
	Definition
	Configuration
}

// Definition is what a flag is in every environment of its project, as far as
// SDKs are told.
type Definition struct {
	Key  string `json:"key"`
	Type Type   `json:"type"`
	// Variants keeps the order in which people wrote them.
	Variants Variants `json:"variants"`
	// ClientVisible flags, and what they need, are in the client projection.
	ClientVisible bool `json:"clientVisible,omitempty"`
	// Metadata is handed to applications with each resolution; its values are
	// booleans, numbers and strings.
	Metadata Metadata `json:"metadata,omitempty"`
}

// Configuration is what a flag does in one environment.
type Configuration struct {
	State State `json:"state"`
	// OffVariant is served when the flag is disabled, when a prerequisite fails
	// and when a split has nothing to split by.
	OffVariant    string         `json:"offVariant"`
	Prerequisites []Prerequisite `json:"prerequisites,omitempty"`
	Overrides     []Override     `json:"overrides,omitempty"`
	Rules         []Rule         `json:"rules,omitempty"`
	// Default is served when no rule matches.
	Default Serve `json:"default"`
}

// Variant is one of a flag's possible values, by name.
type Variant struct {
	Key   string
	Value Value
}

// Prerequisite demands that another flag resolves to one of some variants.
type Prerequisite struct {
	Flag     string   `json:"flag"`
	Variants []string `json:"variants"`
}

// Override serves a variant to specific targeting keys, before any rule.
type Override struct {
	Variant       string   `json:"variant"`
	TargetingKeys []string `json:"targetingKeys"`
}

// Rule serves something to the contexts for which its condition holds. ID is
// unique in the flag and stays with the rule through edits and reorderings.
type Rule struct {
	ID    string    `json:"id"`
	Name  string    `json:"name,omitempty"`
	When  Condition `json:"when"`
	Serve Serve     `json:"serve"`
}

// Serve is what is served: either one variant or a split.
type Serve struct {
	Variant string `json:"variant,omitempty"`
	Split   *Split `json:"split,omitempty"`
}

// SplitTotal is what the weights of a split sum to: a weight is a thousandth of
// a percent.
const SplitTotal = 100_000

// Split spreads contexts over variants by a hash of one attribute.
type Split struct {
	// By names the attribute that is hashed, targetingKey where empty.
	By string `json:"by,omitempty"`
	// Salt is hashed before the attribute; it never changes by itself.
	Salt    string   `json:"salt"`
	Weights []Weight `json:"weights"`
}

// Attribute returns the name of the attribute that the split hashes.
func (s *Split) Attribute() string {
	if s.By == "" {
		return TargetingKeyAttribute
	}
	return s.By
}

// Weight is a variant's part of a split, in thousandths of a percent. In JSON it
// is the pair ["on",25000].
type Weight struct {
	Variant string
	Weight  int
}

// Operator compares an attribute with the values of a condition.
type Operator string

// The operators; api/evaluation.md says what each accepts.
const (
	OpIn         Operator = "in"
	OpContains   Operator = "contains"
	OpStartsWith Operator = "starts_with"
	OpEndsWith   Operator = "ends_with"
	OpMatches    Operator = "matches"
	OpLT         Operator = "lt"
	OpLTE        Operator = "lte"
	OpGT         Operator = "gt"
	OpGTE        Operator = "gte"
	OpBefore     Operator = "before"
	OpAfter      Operator = "after"
	OpSemverEQ   Operator = "semver_eq"
	OpSemverLT   Operator = "semver_lt"
	OpSemverLTE  Operator = "semver_lte"
	OpSemverGT   Operator = "semver_gt"
	OpSemverGTE  Operator = "semver_gte"
	OpInCIDR     Operator = "in_cidr"
	OpExists     Operator = "exists"
)

// Operators lists every operator, in the order of the documentation.
var Operators = []Operator{
	OpIn, OpContains, OpStartsWith, OpEndsWith, OpMatches, OpLT, OpLTE, OpGT, OpGTE, OpBefore, OpAfter,
	OpSemverEQ, OpSemverLT, OpSemverLTE, OpSemverGT, OpSemverGTE, OpInCIDR, OpExists,
}

// Condition is a node of a tree. Exactly one of its forms is filled: All, Any,
// Not, Segment, or Attribute with Op and Values.
type Condition struct {
	All []Condition `json:"all,omitempty"`
	Any []Condition `json:"any,omitempty"`
	Not *Condition  `json:"not,omitempty"`
	// Segment is the key of a segment that holds the context.
	Segment   string   `json:"segment,omitempty"`
	Attribute string   `json:"attribute,omitempty"`
	Op        Operator `json:"op,omitempty"`
	Values    []Value  `json:"values,omitempty"`
}

// Segment is a named group of contexts in one environment: included targeting
// keys win, then excluded ones, then the condition.
type Segment struct {
	Key      string     `json:"key"`
	Name     string     `json:"name,omitempty"`
	Included []string   `json:"included,omitempty"`
	Excluded []string   `json:"excluded,omitempty"`
	When     *Condition `json:"when,omitempty"`
	// Shards says into how many items of kind keys a list was cut that is too
	// long to be sent whole; Included or Excluded is then empty.
	Shards Shards `json:"shards,omitzero"`
}

// Shards counts the shard items of a segment's lists; zero is an inline list.
// The counts are powers of two.
type Shards struct {
	Included int `json:"included,omitempty"`
	Excluded int `json:"excluded,omitempty"`
}

// ListName names one of the two key lists of a segment.
type ListName string

// The lists of a segment.
const (
	ListIncluded ListName = "included"
	ListExcluded ListName = "excluded"
)

// SegmentKeys is one shard of a segment's list: the targeting keys whose
// [ShardOf] is its number.
type SegmentKeys struct {
	Segment string   `json:"segment"`
	List    ListName `json:"list"`
	Shard   int      `json:"shard"`
	Keys    []string `json:"keys"`
}

// FlagSet is everything one environment serves: the unit of compilation. Items
// are sorted by key and never changed in place; a new version is a new FlagSet
// that shares the items that did not change.
type FlagSet struct {
	Flags    []*Flag
	Segments []*Segment
	Keys     []*SegmentKeys
}

// EachSegment calls visit for each mention of a segment in the flag's rules.
func (f *Flag) EachSegment(visit func(key string)) {
	for i := range f.Rules {
		f.Rules[i].When.eachSegment(visit)
	}
}

// EachSegment calls visit for each mention of another segment in the segment's
// condition.
func (s *Segment) EachSegment(visit func(key string)) {
	if s.When != nil {
		s.When.eachSegment(visit)
	}
}

func (c *Condition) eachSegment(visit func(key string)) {
	if c.Segment != "" {
		visit(c.Segment)
	}
	for i := range c.All {
		c.All[i].eachSegment(visit)
	}
	for i := range c.Any {
		c.Any[i].eachSegment(visit)
	}
	if c.Not != nil {
		c.Not.eachSegment(visit)
	}
}
