package feature

import (
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestNamesHaveTheShapeOfTheirPatterns(t *testing.T) {
	for _, shape := range []struct {
		pattern string
		valid   func(string) bool
	}{
		{KeyPattern, ValidKey},
		{VariantKeyPattern, ValidVariantKey},
		{RuleIDPattern, validRuleID},
		{SaltPattern, ValidSalt},
	} {
		pattern := regexp.MustCompile(shape.pattern)
		check := func(t rapid.TB, s string) {
			// In Go, $ without a flag is the end of the text alone.
			if got, want := shape.valid(s), pattern.MatchString(s); got != want {
				t.Errorf("%q is %v, %s says %v", s, got, shape.pattern, want)
			}
		}
		for _, s := range []string{"", ".", "..", ".a", "-a", "_", "a", "A.b_c-9", "a:b", "a b", "a/b", "é", "a\n", "\xff"} {
			check(t, s)
		}
		for _, n := range []int{63, 64, 65, 127, 128, 129} {
			check(t, strings.Repeat("a", n))
		}
		rapid.Check(t, func(t *rapid.T) {
			check(t, rapid.StringMatching(`[A-Za-z0-9._:-]{0,4}[ -~]?[A-Za-z0-9._:-]{0,4}`).Draw(t, "name"))
		})
	}
}

func TestValidTargetingKey(t *testing.T) {
	for _, key := range []string{"a", "user 42", "é", "日本", `"quoted"`, strings.Repeat("a", MaxTargetingKeyBytes)} {
		if !ValidTargetingKey(key) {
			t.Errorf("%q is refused", key)
		}
	}
	for _, key := range []string{"", "a\n", "\x00", "\x7f", "\u0085", "\xff", strings.Repeat("a", MaxTargetingKeyBytes+1), strings.Repeat("é", 257)} {
		if ValidTargetingKey(key) {
			t.Errorf("%q is accepted", key)
		}
	}
}
