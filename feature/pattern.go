package feature

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
	"unicode/utf8"
)

// CompilePattern compiles the regular expression of a matches condition. It
// accepts that part of RE2 which JavaScript reads the same way under its flag u,
// apart from what . and \s stand for. The error tells a person what to write
// instead; it does not repeat the pattern.
func CompilePattern(pattern string) (*regexp.Regexp, error) {
	switch {
	case pattern == "":
		return nil, errors.New("the regular expression is empty")
	case len(pattern) > MaxPatternBytes:
		return nil, fmt.Errorf("the regular expression has %d bytes; at most %d are allowed", len(pattern), MaxPatternBytes)
	}
	compiled, err := regexp.Compile(pattern)
	if err == nil {
		scan := patternScan{rest: pattern}
		if err := scan.check(); err != nil {
			return nil, err
		}
		return compiled, nil
	}
	// What Go cannot compile may be a form that has a clearer message.
	var syntaxError *syntax.Error
	if errors.As(err, &syntaxError) {
		err = fmt.Errorf("the regular expression does not compile: %s: %.40s", syntaxError.Code, strings.ToValidUTF8(syntaxError.Expr, "\uFFFD"))
		if strings.HasPrefix(syntaxError.Expr, "(?") {
			err = errGroup
		}
	}
	return nil, err
}

var errGroup = errors.New(`the only group with a question mark is (?:…); flags such as (?i), named groups and look-around are not available`)

// patternScan walks a pattern that compiles and refuses what is not portable.
type patternScan struct {
	rest string
	// assertion says that ^, $, \b or \B came last: JavaScript repeats no assertion.
	assertion bool
}

func (s *patternScan) check() error {
	for s.rest != "" {
		assertion := false
		c := s.rest[0]
		switch c {
		case '\\':
			assertion = s.rest[1] == 'b' || s.rest[1] == 'B'
			if _, err := s.escape(false); err != nil {
				return err
			}
		case '[':
			if err := s.class(); err != nil {
				return err
			}
		case '(':
			if strings.HasPrefix(s.rest, "(?") && !strings.HasPrefix(s.rest, "(?:") {
				return errGroup
			}
			s.skip(1)
			if strings.HasPrefix(s.rest, "?:") {
				s.skip(2)
			}
		case '*', '+', '?':
			if s.assertion {
				return errAssertion
			}
			s.skip(1)
		case '{':
			n := countLength(s.rest)
			if n == 0 {
				return errors.New(`write \{ for an opening brace`)
			}
			if s.assertion {
				return errAssertion
			}
			s.skip(n)
		case '}', ']':
			return fmt.Errorf(`write \%c for a closing bracket or brace`, c)
		default:
			assertion = c == '^' || c == '$'
			s.skipRune()
		}
		s.assertion = assertion
	}
	return nil
}

var errAssertion = errors.New(`^, $, \b and \B cannot be repeated`)

func (s *patternScan) skip(n int) { s.rest = s.rest[n:] }

func (s *patternScan) skipRune() {
	_, size := utf8.DecodeRuneInString(s.rest)
	s.skip(size)
}

// countLength returns the length of a counted repetition such as {2,5} at the
// start of s, 0 where there is none.
func countLength(s string) int {
	end := strings.IndexByte(s, '}')
	if end < 0 {
		return 0
	}
	least, most, _ := strings.Cut(s[1:end], ",")
	if !isNumeric(least) || most != "" && !isNumeric(most) {
		return 0
	}
	return end + 1
}

// class walks a class from its opening to its closing bracket.
func (s *patternScan) class() error {
	s.skip(1)
	s.rest = strings.TrimPrefix(s.rest, "^")
	if strings.HasPrefix(s.rest, "]") {
		return errors.New(`write \] for a closing bracket inside a class`)
	}
	afterSet := false // after \d and its like, which JavaScript takes for no end of a range
	for s.rest[0] != ']' {
		set := false
		switch {
		case strings.HasPrefix(s.rest, "[:"):
			return errors.New(`classes such as [[:alpha:]] are not available; write ranges such as [A-Za-z]`)
		case s.rest[0] == '\\':
			var err error
			if set, err = s.escape(true); err != nil {
				return err
			}
		case s.rest[0] == '-' && s.rest[1] != ']' && (afterSet || startsSet(s.rest[1:])):
			return errors.New(`write \- for a hyphen beside \d, \w, \s or \p inside a class`)
		default:
			s.skipRune()
		}
		afterSet = set
	}
	s.skip(1)
	return nil
}

func startsSet(s string) bool {
	return len(s) > 1 && s[0] == '\\' && strings.IndexByte("dDsSwWpP", s[1]) >= 0
}

// escape walks an escape and reports whether it stands for a set of characters.
func (s *patternScan) escape(inClass bool) (set bool, err error) {
	c := s.rest[1]
	switch {
	case startsSet(s.rest) && c|0x20 != 'p':
		s.skip(2)
		return true, nil
	case c == 'p' || c == 'P':
		name, _, ok := strings.Cut(strings.TrimPrefix(s.rest[2:], "{"), "}")
		if s.rest[2] != '{' || !ok || !generalCategories[name] {
			return false, fmt.Errorf(`write \%c with a general category of Unicode in braces, such as \%c{L} or \%c{Lu}`, c, c, c)
		}
		s.skip(len(`\p{}`) + len(name))
		return true, nil
	case c == 'x':
		if s.rest[2] == '{' {
			return false, errors.New(`write the character itself, or \x with two digits, instead of \x{…}`)
		}
		s.skip(len(`\x00`))
		return false, nil
	case isDigit(c):
		return false, fmt.Errorf(`octal escapes such as \%c are not available; write \x with two hexadecimal digits`, c)
	case strings.IndexByte(`AzQECa`, c) >= 0:
		return false, fmt.Errorf(`\%c is not available; ^ and $ stand for the start and the end of the text`, c)
	case strings.IndexByte(`bBfnrtv^$\.*+?()[]{}|/`, c) >= 0 || c == '-' && inClass:
		s.skip(2)
		return false, nil
	default:
		return false, fmt.Errorf(`the backslash before %q is not needed; leave it out`, c)
	}
}

// generalCategories are those that Go and JavaScript know by these names and
// fill alike; the unassigned code points are left out.
var generalCategories = map[string]bool{
	"L": true, "Lu": true, "Ll": true, "Lt": true, "Lm": true, "Lo": true,
	"M": true, "Mn": true, "Mc": true, "Me": true,
	"N": true, "Nd": true, "Nl": true, "No": true,
	"P": true, "Pc": true, "Pd": true, "Ps": true, "Pe": true, "Pi": true, "Pf": true, "Po": true,
	"S": true, "Sm": true, "Sc": true, "Sk": true, "So": true,
	"Z": true, "Zs": true, "Zl": true, "Zp": true,
	"Cc": true, "Cf": true, "Co": true,
}
