package flagfile

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// maxFaults bounds how many faults are collected; what is wrong beyond them is
// found once they are mended.
const maxFaults = 200

// Place is a place in a file. Line and column count from 1, columns in
// characters; they are zero where only the file is known.
type Place struct {
	File         string
	Line, Column int
}

// String returns file:line:column, as far as it is known.
func (p Place) String() string {
	switch {
	case p.Line == 0:
		return p.File
	case p.Column == 0:
		return fmt.Sprintf("%s:%d", p.File, p.Line)
	default:
		return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
	}
}

// Fault is one thing that is wrong in a file.
type Fault struct {
	Place
	// Message says what is wrong and what to write instead.
	Message string
}

// String returns the place and the message.
func (f Fault) String() string {
	if at := f.Place.String(); at != "" {
		return at + ": " + f.Message
	}
	return f.Message
}

// Faults is the error of files: at least one fault, sorted by place.
type Faults []Fault

func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i := range f {
		lines[i] = f[i].String()
	}
	return strings.Join(lines, "\n")
}

// faults collects what is wrong.
type faults struct {
	found Faults
	// unread says that something was not read, so that what its absence would mean
	// is not worth reporting.
	unread bool
}

// cannotRead adds a fault because of which something is not read.
func (f *faults) cannotRead(at Place, format string, args ...any) {
	f.unread = true
	f.add(at, format, args...)
}

func (f *faults) add(at Place, format string, args ...any) {
	if len(f.found) < maxFaults {
		f.found = append(f.found, Fault{at, fmt.Sprintf(format, args...)})
	}
}

// err returns what was collected, nil where nothing was.
func (f *faults) err() error {
	if len(f.found) == 0 {
		return nil
	}
	slices.SortStableFunc(f.found, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return slices.Compact(f.found)
}
