package sse

// AppendEvent appends one event with the empty line that ends it.
//
// An empty event name or id leaves its line out: the event is then a "message",
// and keeps the id of the one before it. Both must hold no line break and no NUL;
// what follows such a byte is left out, so that a name can never add a line of
// its own. The data is cut into data lines at LF, CR and CRLF, and read back with
// LF between them.
func AppendEvent(b []byte, event, id string, data []byte) []byte {
	if event = singleLine(event); event != "" {
		b = append(append(append(b, "event: "...), event...), '\n')
	}
	if id = singleLine(id); id != "" {
		b = append(append(append(b, "id: "...), id...), '\n')
	}
	for more := true; more; {
		var line []byte
		line, data, more = cutLine(data)
		b = append(append(append(b, "data: "...), line...), '\n')
	}
	return append(b, '\n')
}

// AppendComment appends a comment, which readers ignore and proxies forward: a
// heartbeat. Text with line breaks becomes several comments.
func AppendComment(b []byte, text string) []byte {
	for rest, more := []byte(text), true; more; {
		var line []byte
		line, rest, more = cutLine(rest)
		b = append(append(append(b, ':'), line...), '\n')
	}
	return b
}

// cutLine returns what stands before the first line break, what stands after it,
// and whether there was one.
func cutLine(data []byte) (line, rest []byte, found bool) {
	for i, c := range data {
		switch {
		case c == '\n':
			return data[:i], data[i+1:], true
		case c == '\r' && i+1 < len(data) && data[i+1] == '\n':
			return data[:i], data[i+2:], true
		case c == '\r':
			return data[:i], data[i+1:], true
		}
	}
	return data, nil, false
}

func singleLine(s string) string {
	for i := range len(s) {
		if s[i] == '\n' || s[i] == '\r' || s[i] == 0 {
			return s[:i]
		}
	}
	return s
}
