package feature

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// MaxProblems is how many problems of one document are reported; what is wrong
// beyond them is found once they are mended.
const MaxProblems = 20

// Problem is one thing that is wrong with a document.
type Problem struct {
	// Path is where it is, in the names of the JSON document, such as
	// rules[2].serve.split.weights; empty is the document itself.
	Path string
	// Message tells a person what is wrong and what to write instead.
	Message string
}

// String returns the path and the message.
func (p Problem) String() string {
	if p.Path == "" {
		return p.Message
	}
	return p.Path + ": " + p.Message
}

// ValidationError says everything that is wrong with a document, up to
// [MaxProblems]. There is at least one problem.
type ValidationError struct{ Problems []Problem }

func (e *ValidationError) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.String()
	}
	return strings.Join(lines, "; ")
}

// problems collects what is wrong; beyond MaxProblems it only says that it is
// full.
type problems struct{ found []Problem }

func (p *problems) add(path, format string, args ...any) {
	if !p.full() {
		p.found = append(p.found, Problem{path, fmt.Sprintf(format, args...)})
	}
}

// addError reports err at a path; the paths of a ValidationError are taken as
// lying below it.
func (p *problems) addError(path string, err error) {
	var nested *ValidationError
	if !errors.As(err, &nested) {
		p.add(path, "%s", err)
		return
	}
	for _, problem := range nested.Problems {
		p.add(joinPath(path, problem.Path), "%s", problem.Message)
	}
}

func (p *problems) full() bool { return len(p.found) >= MaxProblems }

// err returns a nil error, not a nil *ValidationError, where nothing is wrong.
func (p *problems) err() error {
	if len(p.found) == 0 {
		return nil
	}
	return &ValidationError{p.found}
}

func joinPath(path, below string) string {
	if path == "" || below == "" || below[0] == '[' {
		return path + below
	}
	return path + "." + below
}

// fieldPath appends a field's name, quoted where it could be misread as a path.
func fieldPath(path, name string) string {
	if !all(name, isFieldByte) || name == "" {
		return path + fmt.Sprintf("[%.60q]", name)
	}
	return joinPath(path, name)
}

func isFieldByte(c byte) bool { return isAlphanumeric(c) || c == '_' || c == '-' }

func indexPath(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

// names lists names for a message, and only counts those beyond the first ten.
func names[S ~string](list []S) string {
	const shown = 10
	var b strings.Builder
	for i, name := range list {
		switch {
		case i == shown && len(list) > shown+1:
			fmt.Fprintf(&b, " and %d more", len(list)-shown)
			return b.String()
		case i > 0:
			b.WriteString(", ")
		}
		b.WriteString(string(name))
	}
	return b.String()
}
