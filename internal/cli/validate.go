package cli

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"github.com/wigwag/wigwag/internal/flagfile"
)

// validateCmd checks flags files without a server.
type validateCmd struct {
	Paths  []string `arg:"" name:"file" help:"Files in YAML or JSON, and folders of them; all are read as one. - is the standard input."`
	Output `embed:""`
}

// faultAt is a fault as -o json prints it.
type faultAt struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Message string `json:"message"`
}

// Run prints what is wrong with them.
func (c *validateCmd) Run(_ context.Context, s *screen) error {
	document, files, err := readFiles(c.Paths)
	if err == nil {
		err = document.Check()
	}
	var faults flagfile.Faults
	if err != nil && !errors.As(err, &faults) {
		return err
	}
	if c.json() {
		listed := make([]faultAt, len(faults))
		for i, fault := range faults {
			listed[i] = faultAt{fault.File, fault.Line, fault.Column, fault.Message}
		}
		body, failed := json.Marshal(map[string]any{"valid": err == nil, "faults": listed})
		if failed != nil {
			return failed
		}
		if body, failed = c.form(body); failed != nil {
			return failed
		}
		s.json(body)
		return faulty(err, func(string, ...any) {})
	}
	if err != nil {
		return faulty(err, s.line)
	}
	what := []string{counted(len(document.Flags), "flag"), counted(len(document.Segments), "segment")}
	if environments := document.Environments(); len(environments) > 0 {
		what = append(what, "in "+strings.Join(environments, ", "))
	}
	s.line("%s: valid: %s", counted(files, "file"), strings.Join(what, ", "))
	return nil
}
