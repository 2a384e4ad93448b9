package flagfile

import (
	"fmt"
	"slices"
)

// The limits of what people note on a flag, in bytes and in number: those of the
// server.
const (
	maxDescription = 2000
	maxOwner       = 200
	maxTags        = 20
	maxTag         = 64
)

// notes checks what people note on a flag.
func (f *faults) notes(e *entry, d *Definition, what string) {
	report := func(path, format string, args ...any) {
		f.add(e.place("", path), "%s: %s: %s", what, path, fmt.Sprintf(format, args...))
	}
	text := func(path, text string, most int) {
		if len(text) > most {
			report(path, "it has %d bytes, at most %d are allowed; shorten it", len(text), most)
		}
	}
	text("description", d.Description, maxDescription)
	text("owner", d.Owner, maxOwner)
	if len(d.Tags) > maxTags {
		report("tags", "there are %d, at most %d are allowed", len(d.Tags), maxTags)
		return
	}
	for i, tag := range d.Tags {
		path := fmt.Sprintf("tags[%d]", i)
		switch {
		case tag == "":
			report(path, "a tag is not empty; leave it out")
		case slices.Contains(d.Tags[:i], tag):
			report(path, "%q is there twice; leave one out", tag)
		}
		text(path, tag, maxTag)
	}
}
