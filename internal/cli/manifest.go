package cli

import (
	"context"
	"fmt"
	"math"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/flagfile"
)

// generateCmd makes files for other tools.
type generateCmd struct {
	Manifest manifestCmd `cmd:"" help:"Write OpenFeature's flag manifest, from which its command line generates code."`
}

// manifestSchema is the schema that the manifest is of.
const manifestSchema = "https://raw.githubusercontent.com/open-feature/cli/main/schema/v0/flag-manifest.json"

// manifestCmd writes OpenFeature's flag manifest.
type manifestCmd struct {
	Paths  []string `arg:"" optional:"" name:"file" help:"Flags files and folders of them to make it from. Without any, it is made from the server."`
	Env    string   `short:"e" placeholder:"KEY" help:"Take the values to fall back on from what is off in this environment. Without it, they are what is off in most environments."`
	Out    string   `short:"o" placeholder:"FILE" help:"Write a file. Default the standard output."`
	Target `embed:""`
}

// Run writes it.
func (c *manifestCmd) Run(ctx context.Context, s *screen) error {
	document, err := c.document(ctx, s)
	if err != nil {
		return faulty(err, s.problem)
	}
	text, err := manifest(document, c.Env)
	if err != nil {
		return err
	}
	if c.Out == "" {
		_, err := s.out.Write(text)
		return err
	}
	if err := writeFile(c.Out, text); err != nil {
		return err
	}
	s.line("Wrote %s: %s", plain(c.Out), counted(len(document.Flags), "flag"))
	return nil
}

func (c *manifestCmd) document(ctx context.Context, s *screen) (*flagfile.Document, error) {
	if len(c.Paths) > 0 {
		document, _, err := readFiles(c.Paths)
		if err == nil {
			err = document.Check()
		}
		return document, err
	}
	reader := newStateReader(&c.Target, s)
	var named []string
	if c.Env != "" {
		named = []string{c.Env}
	}
	environments, err := reader.known(ctx, named)
	if err != nil {
		return nil, err
	}
	state, err := reader.state(ctx, environments)
	if err != nil {
		return nil, err
	}
	return state.Document(), nil
}

// manifest returns the manifest of flags: of each its type, the value that code is
// to fall back on, and its description.
func manifest(document *flagfile.Document, environment string) ([]byte, error) {
	flags := make([]feature.Attribute, len(document.Flags))
	for i := range document.Flags {
		flag := &document.Flags[i]
		off := flag.Variants.Get(offVariant(flag, environment))
		if off == nil { // not reached: what the flag says of its variants was checked
			return nil, fmt.Errorf("flag %s has no variant to fall back on", flag.Key)
		}
		fields := []feature.Attribute{
			{Name: "flagType", Value: feature.StringValue(manifestType(flag))},
			{Name: "defaultValue", Value: off.Value},
		}
		if flag.Description != "" {
			fields = append(fields, feature.Attribute{Name: "description", Value: feature.StringValue(flag.Description)})
		}
		flags[i] = feature.Attribute{Name: flag.Key, Value: feature.ObjectValue(fields...)}
	}
	return flagfile.Indented(feature.ObjectValue(
		feature.Attribute{Name: "$schema", Value: feature.StringValue(manifestSchema)},
		feature.Attribute{Name: "flags", Value: feature.ObjectValue(flags...)},
	)), nil
}

// offVariant returns what is off in an environment; where none is named, or the flag
// is not configured there, what is off in most, of as many the first of the
// variants.
func offVariant(flag *flagfile.Flag, environment string) string {
	if configuration, ok := flag.Environments[environment]; ok {
		return configuration.OffVariant
	}
	if len(flag.Environments) == 0 {
		return flagfile.Initial(flag.Definition.Definition).OffVariant
	}
	times := map[string]int{}
	for _, configuration := range flag.Environments {
		times[configuration.OffVariant]++
	}
	most := ""
	for i := range flag.Variants {
		if key := flag.Variants[i].Key; times[key] > times[most] {
			most = key
		}
	}
	return most
}

// manifestType returns the manifest's word for a flag's type: numbers are whole
// there, or not.
func manifestType(flag *flagfile.Flag) string {
	if flag.Type != feature.TypeNumber {
		return string(flag.Type)
	}
	for i := range flag.Variants {
		if n, _ := flag.Variants[i].Value.Number(); n != math.Trunc(n) || math.Abs(n) > 1<<53 {
			return "float"
		}
	}
	return "integer"
}
