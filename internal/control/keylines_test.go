package control

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/fault"
)

func TestReadKeyLines(t *testing.T) {
	for _, test := range []struct {
		name, text        string
		keys              []string
		blank, duplicates int
		lines             []string // at fault
	}{
		{name: "nothing"},
		{name: "one", text: "a", keys: []string{"a"}},
		{name: "sorted", text: "b\na\nc\n", keys: []string{"a", "b", "c"}},
		{name: "no line break at the end", text: "b\na", keys: []string{"a", "b"}},
		{name: "CRLF", text: "b\r\na\r\n\r\n", keys: []string{"a", "b"}, blank: 1},
		{name: "blank", text: "\n\na\n\n", keys: []string{"a"}, blank: 3},
		{name: "twice", text: "a\nb\na\na\n", keys: []string{"a", "b"}, duplicates: 2},
		{name: "spaces are of the key", text: " a\na \n", keys: []string{" a", "a "}},
		{name: "byte order mark", text: "\uFEFFa\nb\n", keys: []string{"a", "b"}},
		{name: "umlaut", text: "Größe\n", keys: []string{"Größe"}},
		{name: "longest", text: strings.Repeat("x", 512) + "\n", keys: []string{strings.Repeat("x", 512)}},
		{name: "too long", text: "a\n" + strings.Repeat("x", 513) + "\nb\n", lines: []string{"line 2"}},
		{name: "longer than the buffer", text: strings.Repeat("x", 3*lineBuffer) + "\n\tb\n", lines: []string{"line 1", "line 2"}},
		{name: "as long as the buffer", text: strings.Repeat("x", lineBuffer) + "\na\n", lines: []string{"line 1"}},
		{name: "control character", text: "a\n\nb\tc\n", lines: []string{"line 3"}},
		{name: "not UTF-8", text: "a\n\xff\n", lines: []string{"line 2"}},
		{name: "return inside", text: "a\rb\n", lines: []string{"line 1"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			lines, err := ReadKeyLines(iotest.OneByteReader(strings.NewReader(test.text)))
			var known *fault.Error
			if errors.As(err, &known) {
				var named []string
				for _, field := range known.Fields {
					named = append(named, field.Path)
				}
				if known.Kind != fault.Invalid || !slices.Equal(named, test.lines) || !strings.HasPrefix(known.Message, test.lines[0]) {
					t.Fatalf("%v, lines %q; want %q", err, named, test.lines)
				}
				return
			}
			if err != nil || test.lines != nil {
				t.Fatalf("%v, want faults in %q", err, test.lines)
			}
			if !slices.Equal(lines.Keys, test.keys) || lines.Blank != test.blank || lines.Duplicates != test.duplicates {
				t.Errorf("%+v, want %q, %d blank, %d duplicates", lines, test.keys, test.blank, test.duplicates)
			}
		})
	}
}

func TestReadKeyLinesNamesSome(t *testing.T) {
	_, err := ReadKeyLines(strings.NewReader(strings.Repeat("\t\n", 100)))
	var known *fault.Error
	if !errors.As(err, &known) || len(known.Fields) != maxNamedLines || !contains(err, "and 99 more lines") {
		t.Errorf("%v, with %d fields", err, len(known.Fields))
	}
}

func TestReadKeyLinesFails(t *testing.T) {
	broken := errors.New("broken")
	_, err := ReadKeyLines(io.MultiReader(strings.NewReader("a\n\t\nb"), iotest.ErrReader(broken)))
	if !errors.Is(err, broken) {
		t.Errorf("error is %v", err)
	}
}

func TestReadKeyLinesTooMany(t *testing.T) {
	var text bytes.Buffer
	for i := range feature.MaxSegmentKeys + 1 {
		fmt.Fprintf(&text, "%d\n", i)
	}
	_, err := ReadKeyLines(&text)
	if !fault.Is(err, fault.Invalid) || !contains(err, fmt.Sprintf("line %d", feature.MaxSegmentKeys+1)) {
		t.Errorf("error is %v", err)
	}
}

// FuzzReadKeyLines holds the reader against a plain splitting of the text, and
// checks that what was read comes back from what is written of it.
func FuzzReadKeyLines(f *testing.F) {
	for _, seed := range []string{"", "a", "a\nb\n", "\r\n\r\r\n", "\uFEFFa", "a\x00", "\xff\n", strings.Repeat("y", lineBuffer) + "\nz", "\n\uFEFF\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var (
			want  []string
			blank int
			bad   bool
			count int
		)
		rest := strings.TrimPrefix(text, byteOrderMark)
		if len(text) >= lineBuffer && len(rest) < len(text) {
			return // where the first line is at fault in any case, or has a mark
		}
		for rest != "" {
			line, after, ended := strings.Cut(rest, "\n")
			if rest = after; ended {
				line = strings.TrimSuffix(line, "\r")
			}
			switch {
			case line == "":
				blank++
			case !feature.ValidTargetingKey(line):
				bad = true
			default:
				want = append(want, line)
				count++
			}
		}
		slices.Sort(want)
		want = slices.Compact(want)
		lines, err := ReadKeyLines(strings.NewReader(text))
		if bad != (err != nil) {
			t.Fatalf("error is %v; at fault: %t", err, bad)
		}
		if bad {
			if !fault.Is(err, fault.Invalid) {
				t.Fatal(err)
			}
			return
		}
		if !slices.Equal(lines.Keys, want) || lines.Blank != blank || lines.Duplicates != count-len(want) {
			t.Fatalf("%+v, want %q, %d blank", lines, want, blank)
		}
		if len(want) > 0 && strings.HasPrefix(want[0], byteOrderMark) {
			return
		}
		again, err := ReadKeyLines(strings.NewReader(strings.Join(want, "\n")))
		if err != nil || !slices.Equal(again.Keys, want) {
			t.Fatalf("written and read again: %+v, %v", again, err)
		}
	})
}
