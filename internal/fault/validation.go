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
	for i, p := range validation.Problems {
		fields[i] = Field{Path: p.Path, Message: p.Message}
	}
	return &Error{Kind: Invalid, Message: summary(fields), Fields: fields}
}

// summary words the first few fields, and how many more there are.
func summary(fields []Field) string {
	var texts []string
	for _, f := range fields[:min(len(fields), told)] {
		texts = append(texts, feature.Problem{Path: f.Path, Message: f.Message}.String())
	}
	message := strings.Join(texts, "; ")
	if more := len(fields) - len(texts); more > 0 {
		message += fmt.Sprintf("; and %d more", more)
	}
	return message
}

// OfFields returns an error of a kind with the first most of some fields, nil where
// there are none.
func OfFields(kind Kind, fields []Field, most int) error {
	if len(fields) == 0 {
		return nil
	}
	fields = fields[:min(len(fields), most)]
	return &Error{Kind: kind, Message: summary(fields), Fields: fields}
}
