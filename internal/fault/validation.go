package fault

import (
	"errors"
	"fmt"
	"strings"

	"github.com/wigwag/wigwag/feature"
)

// told is how many problems of a document the message names; Fields has all.
const told = 3

// OfValidation turns a [*feature.ValidationError] into an [*Error] of kind Invalid
// with its fields. Other errors, nil included, are returned as they are.
func OfValidation(err error) error {
	var validation *feature.ValidationError
	if !errors.As(err, &validation) {
		return err
	}
	fields := make([]Field, len(validation.Problems))
	var texts []string
	for i, p := range validation.Problems {
		fields[i] = Field{Path: p.Path, Message: p.Message}
		if i < told {
			texts = append(texts, p.String())
		}
	}
	message := strings.Join(texts, "; ")
	if more := len(fields) - len(texts); more > 0 {
		message += fmt.Sprintf("; and %d more", more)
	}
	return &Error{Kind: Invalid, Message: message, Fields: fields}
}
