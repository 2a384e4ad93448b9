package flagfile

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// Split writes a document as files of a folder, one for each flag and each segment:
// flags/KEY.yaml and segments/KEY.yaml. The names are relative, with slashes.
func Split(d *Document, format Format) []Source {
	files := make([]Source, 0, len(d.Flags)+len(d.Segments))
	keys := make([]string, len(d.Flags))
	for i := range d.Flags {
		keys[i] = d.Flags[i].Key
	}
	names := fileNames("flags", keys, format)
	for i := range d.Flags {
		files = append(files, Source{names[i], Encode(&Document{Flags: d.Flags[i : i+1]}, format)})
	}
	keys = make([]string, len(d.Segments))
	for i := range d.Segments {
		keys[i] = d.Segments[i].Key
	}
	names = fileNames("segments", keys, format)
	for i := range d.Segments {
		files = append(files, Source{names[i], Encode(&Document{Segments: d.Segments[i : i+1]}, format)})
	}
	return files
}

// fileNames returns the names of files for keys. Keys that differ in case alone,
// which some systems take for one name, are told apart by a hash.
func fileNames(folder string, keys []string, format Format) []string {
	folded := make(map[string]int, len(keys))
	for _, key := range keys {
		folded[strings.ToLower(key)]++
	}
	names := make([]string, len(keys))
	for i, key := range keys {
		name := key
		if folded[strings.ToLower(key)] > 1 {
			sum := sha256.Sum256([]byte(key))
			name += "~" + hex.EncodeToString(sum[:4])
		}
		names[i] = folder + "/" + name + "." + string(format)
	}
	return names
}
