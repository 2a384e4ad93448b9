package fault

import "strings"

// Within returns the error as one of a part of a larger request: the paths of its
// fields begin with where that part is, such as changes[3]. An error without
// fields names the part as its field.
func (e *Error) Within(path string) *Error {
	inner := *e
	if len(e.Fields) == 0 {
		inner.Fields = []Field{{Path: path, Message: e.Message}}
		inner.Message = path + ": " + e.Message
		return &inner
	}
	return e.Relocated(func(below string) string { return Join(path, below) })
}

// Relocated returns the error with the paths of its fields changed.
func (e *Error) Relocated(locate func(path string) string) *Error {
	moved := *e
	moved.Fields = make([]Field, len(e.Fields))
	for i, f := range e.Fields {
		moved.Fields[i] = Field{Path: locate(f.Path), Message: f.Message}
	}
	moved.Message = summary(moved.Fields)
	return &moved
}

// Join returns the path of a field below another.
func Join(path, below string) string {
	if path == "" || below == "" || strings.HasPrefix(below, "[") {
		return path + below
	}
	return path + "." + below
}
