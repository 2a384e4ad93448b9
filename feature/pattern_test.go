package feature

import (
	"regexp"
	"strings"
	"testing"
)

func TestCompilePattern(t *testing.T) {
	for _, pattern := range []string{
		`b+c`, `^ab$`, `^a.c$`, `^\d+$`, `\bcat\B`, `^[a-c_-]+$`, `^[^a-c]+$`, `^(?:cat|dog)s?$`, `^(ab){2}$`, `a{2,}?`, `a{2,3}`, `\.\*\(\)\/`,
		`\x41`, `\t\n\f\r\v`, `\p{Lu}\P{L}`, `[\p{Nd}.]`, `[\]\-\\^[]+`, `[\d-]+`, `[a\-z]`, `(|a)`, `()`, `[+--]`, `[[a]`, `é{2}`, `日本`, `[ä-ü]`,
		`[a-z-9]`, `a|^b`, `\{\}\]`, `[{}]`, strings.Repeat("a", MaxPatternBytes),
	} {
		if compiled, err := CompilePattern(pattern); err != nil || compiled.String() != pattern {
			t.Errorf("%s: %v", pattern, err)
		}
	}
	for pattern, want := range map[string]string{
		``:                                     "is empty",
		`(`:                                    "missing closing )",
		`a**`:                                  "invalid nested repetition",
		`a{1001}`:                              "invalid repeat count",
		`*a`:                                   "missing argument",
		`[b-a]`:                                "invalid character class range",
		`(?i)a`:                                "(?:…)",
		`a(?i:b)`:                              "(?:…)",
		`(?P<n>a)`:                             "(?:…)",
		`(?<n>a)`:                              "(?:…)",
		`(?=a)`:                                "(?:…)",
		`(?!a)`:                                "(?:…)",
		`(?<=a)b`:                              "(?:…)",
		`[[:alpha:]]`:                          "[A-Za-z]",
		`[x[:^digit:]]`:                        "[A-Za-z]",
		`\Aa`:                                  `\A is not available`,
		`a\z`:                                  `\z is not available`,
		`\Qa.b\E`:                              `\Q is not available`,
		`\C`:                                   `invalid escape sequence: \C`,
		`\a`:                                   `\a is not available`,
		`[\a]`:                                 `\a is not available`,
		`\0`:                                   "octal",
		`\012`:                                 "octal",
		`\123`:                                 "octal",
		`\1`:                                   "does not compile",
		`\pN`:                                  `\p{L}`,
		`[\PN]`:                                `\P{L}`,
		`\p{Greek}`:                            `\p{L}`,
		`\p{^L}`:                               `\p{L}`,
		`\p{C}`:                                `\p{L}`,
		`\x{1F600}`:                            `\x with two digits`,
		`a\@b`:                                 "not needed",
		`a\-b`:                                 "not needed",
		`a{`:                                   `\{`,
		`a{,3}`:                                `\{`,
		`a}`:                                   `\}`,
		`a]`:                                   `\]`,
		`[]a]`:                                 `\]`,
		`[^]a]`:                                `\]`,
		`^*`:                                   "cannot be repeated",
		`a$?`:                                  "cannot be repeated",
		`\b+`:                                  "cannot be repeated",
		`^{2}`:                                 "cannot be repeated",
		`[\d-z]`:                               `\- for a hyphen`,
		`[a-\d]`:                               "",
		`[-\d]`:                                `\- for a hyphen`,
		"\xff":                                 "invalid UTF-8",
		strings.Repeat("a", MaxPatternBytes+1): "at most 512",
	} {
		compiled, err := CompilePattern(pattern)
		if err == nil || compiled != nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60s: %v, %v; want an error with %q", pattern, compiled, err, want)
		}
	}
}

func FuzzCompilePattern(f *testing.F) {
	for _, pattern := range []string{`U|u`, `.|\n`, `^(?:a|b)+$`, `[\d-z]`, `\p{Lu}[^\]\-]`, `(?i)x`, `a{2,3}?`, `\Q\E`, `[[:alpha:]]`, `\x{41}`, `\`, `[`, `[a-`} {
		f.Add(pattern)
	}
	f.Fuzz(func(t *testing.T, pattern string) {
		compiled, err := CompilePattern(pattern)
		if (compiled == nil) == (err == nil) {
			t.Fatalf("CompilePattern(%q) = %v, %v", pattern, compiled, err)
		}
		if err != nil {
			return
		}
		// The rules once more, by other means: an accepted class ends at the first
		// bracket that is not escaped.
		bare := anyEscape.ReplaceAllStringFunc(pattern, func(escape string) string {
			if !goodEscape.MatchString(escape) {
				t.Errorf("%q holds the escape %s", pattern, escape)
			}
			return "x"
		})
		bare = anyClass.ReplaceAllStringFunc(bare, func(class string) string {
			if strings.Contains(class[1:], "[:") {
				t.Errorf("%q holds the class %s", pattern, class)
			}
			return "x"
		})
		if found := notPortable.FindString(bare); found != "" {
			t.Errorf("%q holds %s", pattern, found)
		}
	})
}

var (
	anyEscape   = regexp.MustCompile(`(?s)\\(x[0-9A-Fa-f]{2}|[pP]\{[A-Za-z]+\}|.)`)
	goodEscape  = regexp.MustCompile(`^\\([dDwWsSbBfnrtv^$\\.*+?()\[\]{}|/-]|x[0-9A-Fa-f]{2}|[pP]\{([LMNPSZ][a-z]?|Cc|Cf|Co)\})$`)
	anyClass    = regexp.MustCompile(`\[[^\]]+\]`)
	notPortable = regexp.MustCompile(`\(\?[^:]|[\[\]]|[$^]([*+?]|\{[0-9])|\{[^0-9]|\{$`)
)
