package control

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/fault"
)

// KeyLines are targeting keys that were read from text.
type KeyLines struct {
	// Keys are sorted, each once.
	Keys []string
	// Blank and Duplicates count the lines that are no key of their own.
	Blank, Duplicates int
}

const (
	// maxNamedLines is how many lines at fault are named.
	maxNamedLines = 20
	// lineBuffer holds every line that can be a key.
	lineBuffer = 4096
)

// byteOrderMark is what some programs begin a text with; it is not part of the
// first key.
const byteOrderMark = "\uFEFF"

// ReadKeyLines reads targeting keys, one a line; lines end with LF or CRLF. Empty
// lines and repeated keys are counted and left out. Everything else is taken as it
// is, spaces included. Lines that are no targeting keys, or more keys than a list
// may have, are an Invalid that names the lines, after the text was read to its
// end; an error of the reader is returned as it is.
func ReadKeyLines(r io.Reader) (KeyLines, error) {
	var (
		lines KeyLines
		bad   badLines
	)
	text := bufio.NewReaderSize(r, lineBuffer)
	for number := 1; ; number++ {
		line, long, err := readLine(text)
		if err != nil && !errors.Is(err, io.EOF) {
			return KeyLines{}, err
		}
		if number == 1 {
			line = bytes.TrimPrefix(line, []byte(byteOrderMark))
		}
		key := string(line)
		switch {
		case key == "" && err != nil: // after the last line break
		case key == "":
			lines.Blank++
		case long || !feature.ValidTargetingKey(key):
			bad.add(number, "%.80q is no targeting key; use 1 to %d bytes of text without control characters", key, feature.MaxTargetingKeyBytes)
		case len(lines.Keys) == feature.MaxSegmentKeys:
			bad.add(number, "there are more than %d keys; describe the group by a condition instead", feature.MaxSegmentKeys)
		default:
			lines.Keys = append(lines.Keys, key)
		}
		if err != nil {
			break
		}
	}
	if err := bad.fault(); err != nil {
		return KeyLines{}, err
	}
	slices.Sort(lines.Keys)
	read := len(lines.Keys)
	lines.Keys = slices.Compact(lines.Keys)
	lines.Duplicates = read - len(lines.Keys)
	return lines, nil
}

// readLine returns a line without its end, valid until the next call; io.EOF comes
// with the last one. A line that is longer than the buffer is long, and only its
// beginning is returned.
func readLine(r *bufio.Reader) (line []byte, long bool, err error) {
	line, err = r.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		line = bytes.Clone(line)
		for errors.Is(err, bufio.ErrBufferFull) {
			_, err = r.ReadSlice('\n')
		}
		return line, true, err
	}
	line, broken := bytes.CutSuffix(line, []byte("\n"))
	if broken {
		line = bytes.TrimSuffix(line, []byte("\r"))
	}
	return line, false, err
}

// badLines are the lines that are at fault: the first ones, and how many in all.
type badLines struct {
	named []fault.Field
	count int
}

func (b *badLines) add(number int, format string, args ...any) {
	b.count++
	if len(b.named) < maxNamedLines {
		b.named = append(b.named, fault.Field{Path: fmt.Sprintf("line %d", number), Message: fmt.Sprintf(format, args...)})
	}
}

// fault returns nil where no line is at fault.
func (b *badLines) fault() error {
	if b.count == 0 {
		return nil
	}
	first := b.named[0].Path + ": " + b.named[0].Message
	if b.count > 1 {
		first = fmt.Sprintf("%s (and %d more lines)", first, b.count-1)
	}
	e := fault.New(fault.Invalid, "%s", first)
	e.Fields = b.named
	return e
}
