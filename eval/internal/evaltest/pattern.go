package evaltest

import (
	"regexp"
	"strings"
)

const (
	categories = `(?:Lu|Ll|Lt|Lm|Lo|L|Mn|Mc|Me|M|Nd|Nl|No|N|Pc|Pd|Ps|Pe|Pi|Pf|Po|P|Sm|Sc|Sk|So|S|Zs|Zl|Zp|Z|Cc|Cf|Co)`
	sets       = `\\[dDwWsS]|\\[pP]\{` + categories + `\}`
	escapes    = `\\[fnrtv^$\\.*+?()\[\]{}|/]|\\x[0-9A-Fa-f]{2}`
	assertions = `[\^$]|\\[bB]`
)

var (
	tokenPattern = regexp.MustCompile(`(?s)\[\^?(?:\\.|[^\\\]])+\]|` + sets + `|` + escapes + `|` + assertions +
		`|\((?:\?:)?|\{[0-9]+(?:,[0-9]*)?\}|[^\\\[\](){}]|\)`)
	setPattern        = regexp.MustCompile(`^(?:` + sets + `)$`)
	assertionPattern  = regexp.MustCompile(`^(?:` + assertions + `)$`)
	classTokenPattern = regexp.MustCompile(`(?s)` + sets + `|` + escapes + `|\\-|[^\\]`)
)

// portable reports whether a pattern is in the subset of RE2 that section 6 of
// api/evaluation.md defines.
func portable(pattern string) bool {
	if _, err := regexp.Compile(pattern); err != nil || pattern == "" || len(pattern) > 512 {
		return false
	}
	tokens := tokenPattern.FindAllString(pattern, -1)
	if strings.Join(tokens, "") != pattern {
		return false
	}
	for i, token := range tokens {
		repeats := strings.Contains("*+?{", token[:1])
		if i > 0 && (repeats && assertionPattern.MatchString(tokens[i-1]) || token == "?" && tokens[i-1] == "(") {
			return false
		}
		if token[0] == '[' && !portableClass(token) {
			return false
		}
	}
	return true
}

func portableClass(class string) bool {
	body := strings.TrimPrefix(class[1:len(class)-1], "^")
	tokens := classTokenPattern.FindAllString(body, -1)
	if strings.Join(tokens, "") != body || body[0] == ']' {
		return false
	}
	for i, token := range tokens {
		last := i == len(tokens)-1
		if token == "[" && !last && tokens[i+1] == ":" {
			return false
		}
		if token == "-" && !last && (i > 0 && setPattern.MatchString(tokens[i-1]) || setPattern.MatchString(tokens[i+1])) {
			return false
		}
	}
	return true
}
