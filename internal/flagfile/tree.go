package flagfile

import (
	"bytes"
	"path/filepath"
	"strings"
	"unicode/utf8"
)

const (
	// maxFileBytes is the size of one file.
	maxFileBytes = 64 << 20
	// maxNesting is how deep values nest in a file; documents inside it have the
	// limit of package feature besides.
	maxNesting = 64
	// maxAliased is how many values all aliases of a YAML file may repeat, so that
	// a small file cannot unfold to a large one.
	maxAliased = 100_000
)

// Source is a file that was read.
type Source struct {
	// Name is what faults call it; one that ends in .json is read as JSON, any
	// other as YAML.
	Name string
	Text []byte
}

// isJSON reports whether a file of that name holds JSON.
func isJSON(name string) bool { return strings.EqualFold(filepath.Ext(name), ".json") }

// tree reads a file. It returns nil where the file is empty, or cannot be read
// because of a fault.
func (f *faults) tree(source Source) *node {
	if len(source.Text) > maxFileBytes {
		f.cannotRead(Place{File: source.Name}, "the file has %d bytes; at most %d are read: split it into a folder of files", len(source.Text), maxFileBytes)
		return nil
	}
	if bad := invalidUTF8(source.Text); bad >= 0 {
		f.cannotRead(placeOf(source, bad), "this is not UTF-8; save the file as UTF-8")
		return nil
	}
	if isJSON(source.Name) {
		return f.jsonTree(source)
	}
	return f.yamlTree(source)
}

// invalidUTF8 returns the offset of the first byte that is not UTF-8, -1 where
// all are.
func invalidUTF8(text []byte) int {
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return -1
}

// placeOf returns the place of an offset.
func placeOf(source Source, offset int) Place {
	before := source.Text[:min(offset, len(source.Text))]
	return Place{
		File:   source.Name,
		Line:   bytes.Count(before, []byte("\n")) + 1,
		Column: utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:]) + 1,
	}
}

// once reports a name that an object has already.
func (f *faults) once(seen map[string]Place, name string, at Place) bool {
	first, twice := seen[name]
	if twice {
		f.add(at, "%.80q is given in line %d already; keep one of them", name, first.Line)
		return false
	}
	seen[name] = at
	return true
}
