package feature

import (
	"strings"
	"unicode/utf8"
)

// The shapes of names, as regular expressions that hold in Go and JavaScript
// alike. The flag set schema states the same.
const (
	// KeyPattern is the shape of flag keys and of segment keys.
	KeyPattern = `^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$`
	// VariantKeyPattern is the shape of variant keys.
	VariantKeyPattern = `^[A-Za-z0-9_-]{1,64}$`
	// RuleIDPattern is the shape of rule ids.
	RuleIDPattern = `^[A-Za-z0-9_-]{1,64}$`
	// SaltPattern is the shape of a split's salt.
	SaltPattern = `^[A-Za-z0-9._:-]{1,64}$`
)

// The limits of documents. They are checked on every write; an evaluator does
// not count on them. Lengths are in bytes of UTF-8.
const (
	// MaxDepth is how deep objects and lists nest in a document that
	// [DecodeStrict] reads; the document itself is level 1.
	MaxDepth = 32
	// MaxFlagBytes is the size of a flag as [Encode] writes it.
	MaxFlagBytes = 512 << 10

	// MaxKeyBytes is the length of a flag key or segment key.
	MaxKeyBytes = 128
	// MaxVariantKeyBytes is the length of a variant key.
	MaxVariantKeyBytes = 64
	// MaxRuleIDBytes is the length of a rule id.
	MaxRuleIDBytes = 64
	// MaxSaltBytes is the length of a split's salt.
	MaxSaltBytes = 64
	// MaxNameBytes is the length of the name that people give to a rule or a
	// segment, and of the name of a metadata entry.
	MaxNameBytes = 256
	// MaxAttributeBytes is the length of an attribute name, dots included.
	MaxAttributeBytes = 256
	// MaxTargetingKeyBytes is the length of a targeting key that an override or
	// a segment lists. An evaluation context may hold a longer one.
	MaxTargetingKeyBytes = 512

	// MaxVariants is how many variants a flag has.
	MaxVariants = 100
	// MaxMetadata is how many entries a flag's metadata has.
	MaxMetadata = 50
	// MaxPrerequisites is how many prerequisites a flag names.
	MaxPrerequisites = 20
	// MaxPrerequisiteCost is how many evaluations one evaluation of a flag may
	// take: 1 for itself and the cost of each prerequisite. The same holds for a
	// segment and the segments that its condition names.
	MaxPrerequisiteCost = 1_000
	// MaxOverrideKeys is how many targeting keys all overrides of a flag list.
	MaxOverrideKeys = 1_000
	// MaxRules is how many rules a flag has.
	MaxRules = 200

	// MaxConditions is how many conditions all rules of a flag, or a segment,
	// have; all, any and not count as one each, besides what they hold.
	MaxConditions = 500
	// MaxConditionDepth is how deep conditions nest; a condition that holds no
	// other is one level.
	MaxConditionDepth = 10
	// MaxConditionValues is how many values a condition compares with.
	MaxConditionValues = 1_000
	// MaxValueBytes is the length of a string among a condition's values.
	MaxValueBytes = 1_024
	// MaxPatternBytes is the length of a regular expression.
	MaxPatternBytes = 512

	// MaxSegmentKeys is how many targeting keys each list of a segment has.
	MaxSegmentKeys = 1_000_000
	// MaxInlineKeys is how many targeting keys a segment's list has at most to be
	// part of the segment's own item; a longer list is cut into shards.
	MaxInlineKeys = 1_000
)

// ValidKey reports whether s can be a flag key or a segment key.
func ValidKey(s string) bool {
	return s != "" && len(s) <= MaxKeyBytes && isAlphanumeric(s[0]) && all(s, isKeyByte)
}

// ValidVariantKey reports whether s can be a variant key.
func ValidVariantKey(s string) bool {
	return s != "" && len(s) <= MaxVariantKeyBytes && all(s, isFieldByte)
}

// ValidTargetingKey reports whether an override or a segment can list s: it is
// not empty, not too long, and holds no control character.
func ValidTargetingKey(s string) bool { return isPlain(s, MaxTargetingKeyBytes) }

func validRuleID(s string) bool { return s != "" && len(s) <= MaxRuleIDBytes && all(s, isFieldByte) }

// ValidSalt reports whether s can be the salt of a split.
func ValidSalt(s string) bool { return s != "" && len(s) <= MaxSaltBytes && all(s, isSaltByte) }

func isAlphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z'
}

func isKeyByte(c byte) bool { return isAlphanumeric(c) || c == '.' || c == '_' || c == '-' }

func isSaltByte(c byte) bool { return isKeyByte(c) || c == ':' }

func all(s string, is func(byte) bool) bool {
	for i := range len(s) {
		if !is(s[i]) {
			return false
		}
	}
	return true
}

// isPlain reports whether s is UTF-8 of 1 to limit bytes and without control
// characters, those of C1 included.
func isPlain(s string, limit int) bool {
	return s != "" && len(s) <= limit && utf8.ValidString(s) && !strings.ContainsFunc(s, isControl)
}

func isControl(r rune) bool { return r < ' ' || 0x7f <= r && r <= 0x9f }
