package evaltest

import (
	"bytes"
	"encoding/json"
)

// AppendLine appends the line of a case that enters the accumulated hash, as
// vectors/README.md defines it.
func AppendLine(b []byte, flag string, r *Result) ([]byte, error) {
	var value bytes.Buffer
	encoder := json.NewEncoder(&value) // of a map, it sorts the members
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(r.Value); err != nil {
		return nil, err
	}
	for _, field := range []string{flag, r.Variant, r.Reason, r.Rule, r.ErrorCode} {
		b = append(append(b, field...), '\t')
	}
	return append(b, value.Bytes()...), nil // Encode ended it with a line feed
}
