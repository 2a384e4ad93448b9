package control

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/fault"
)

// Limits of the schema of an object flag.
const (
	maxSchemaBytes = 64 << 10
	// maxSchemaSize is the greatest number of schemas that one is made of, those
	// that references repeat counted each time: it bounds what checking a value
	// costs.
	maxSchemaSize = 10_000
)

// dialect is the one version of JSON Schema that schemas are read in, and
// dialectVersion the library's number of it.
const (
	dialect        = "https://json-schema.org/draft/2020-12/schema"
	dialectVersion = 2020
)

// schemaURL is where the schema is for its own references.
const schemaURL = "wigwag://flag/schema"

// checkSchema checks that the schema of a definition is one, and that the value of
// every variant conforms to it.
func checkSchema(d *Definition) error {
	if d.Schema == nil {
		return nil
	}
	if d.Type != feature.TypeObject {
		return fault.InvalidField("schema", "only object flags have one, and this is a %s flag; leave it out", d.Type)
	}
	schema, err := compileSchema(d.Schema)
	if err != nil {
		return err
	}
	var problems []feature.Problem
	for i := range d.Variants {
		variant := &d.Variants[i]
		value, err := decodeForSchema(&variant.Value)
		if err != nil {
			return err
		}
		var invalid *jsonschema.ValidationError
		switch err := schema.Validate(value); {
		case err == nil:
		case errors.As(err, &invalid):
			problems = append(problems, schemaProblems("variants."+variant.Key, invalid)...)
		default:
			return fmt.Errorf("check variant %s against its schema: %w", variant.Key, err)
		}
	}
	if len(problems) == 0 {
		return nil
	}
	return fault.OfValidation(&feature.ValidationError{Problems: problems[:min(len(problems), feature.MaxProblems)]})
}

func compileSchema(document *feature.Value) (*jsonschema.Schema, error) {
	if size := len(document.AppendJSON(nil)); size > maxSchemaBytes {
		return nil, fault.InvalidField("schema", "it has %d bytes as JSON, at most %d are allowed", size, maxSchemaBytes)
	}
	if document.Kind() != feature.KindObject {
		return nil, fault.InvalidField("schema", `it is a %s; a schema is an object such as {"required":["model"]}`, document.Kind())
	}
	value, err := decodeForSchema(document)
	if err != nil {
		return nil, err
	}
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	compiler.UseLoader(noLoader{})
	if err := compiler.AddResource(schemaURL, value); err != nil {
		return nil, schemaFault(err)
	}
	schema, err := compiler.Compile(schemaURL)
	if err != nil {
		return nil, schemaFault(err)
	}
	m := schemaMeasure{known: make(map[*jsonschema.Schema]int)}
	if size := m.size(schema); m.foreign {
		return nil, fault.InvalidField("schema", "it is of another version of JSON Schema; write it in %s", dialect)
	} else if m.circular {
		return nil, fault.InvalidField("schema", "a reference leads back to what it is part of; spell it out to the depth that values have")
	} else if size > maxSchemaSize {
		return nil, fault.InvalidField("schema", "with everything that its references repeat it is made of more than %d schemas; simplify it", maxSchemaSize)
	}
	return schema, nil
}

// decodeForSchema returns a value as the library has values.
func decodeForSchema(v *feature.Value) (any, error) {
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(v.AppendJSON(nil)))
	if err != nil {
		return nil, fmt.Errorf("decode a value for its schema: %w", err)
	}
	return value, nil
}

// noLoader refuses what is not in the schema itself.
type noLoader struct{}

var errRemote = errors.New("it refers to another document; put what is needed into $defs and refer to that")

func (noLoader) Load(string) (any, error) { return nil, errRemote }

// schemaFault says what is wrong with a schema.
func schemaFault(err error) error {
	var wrong *jsonschema.SchemaValidationError
	var invalid *jsonschema.ValidationError
	switch {
	case errors.Is(err, errRemote):
		return fault.InvalidField("schema", "%s", errRemote).Because(err)
	case errors.As(err, &wrong) && errors.As(wrong.Err, &invalid):
		return fault.OfValidation(&feature.ValidationError{Problems: schemaProblems("schema", invalid)})
	default:
		return fault.InvalidField("schema", "%s", strings.ReplaceAll(err.Error(), schemaURL, ""))
	}
}

var english = message.NewPrinter(language.English)

// schemaProblems returns the innermost reasons for which a value does not conform,
// each with its place.
func schemaProblems(field string, e *jsonschema.ValidationError) []feature.Problem {
	if len(e.Causes) == 0 {
		at := ""
		if len(e.InstanceLocation) > 0 {
			at = "at " + pointer(e.InstanceLocation) + ": "
		}
		return []feature.Problem{{Path: field, Message: at + e.ErrorKind.LocalizedString(english)}}
	}
	var problems []feature.Problem
	for _, cause := range e.Causes {
		problems = append(problems, schemaProblems(field, cause)...)
		if len(problems) > feature.MaxProblems {
			break
		}
	}
	return problems
}

// pointer returns a place in a value, such as /sizes/0.
func pointer(location []string) string {
	escape := strings.NewReplacer("~", "~0", "/", "~1")
	text := ""
	for _, part := range location {
		text += "/" + escape.Replace(part)
	}
	if len(text) > 100 {
		text = strconv.Quote(text[:100]) + "…"
	}
	return text
}

// schemaMeasure counts what a schema is made of.
type schemaMeasure struct {
	// known are the sizes of schemas; 0 is one that is being measured.
	known             map[*jsonschema.Schema]int
	circular, foreign bool
}

// size returns the number of schemas, those that references repeat counted each
// time, or something above maxSchemaSize.
func (m *schemaMeasure) size(s *jsonschema.Schema) int {
	if s == nil {
		return 0
	}
	if size, known := m.known[s]; known {
		m.circular = m.circular || size == 0
		return size
	}
	m.known[s] = 0
	m.foreign = m.foreign || s.DraftVersion != dialectVersion
	size := 1
	for part := range parts(s) {
		size = min(size+m.size(part), maxSchemaSize+1)
	}
	m.known[s] = size
	return size
}
