package cli

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/gen"
)

// createCmd creates a flag.
type createCmd struct {
	Key           string   `arg:"" help:"Key of the flag."`
	Type          string   `default:"boolean" enum:"boolean,string,number,object" placeholder:"TYPE" help:"Type of its values: boolean, string, number or object. Default ${default}."`
	Variant       []string `sep:"none" placeholder:"NAME=VALUE" help:"A variant, such as on=true; once for each. A boolean flag has on and off by itself."`
	Description   string   `placeholder:"TEXT" help:"What it is for."`
	Owner         string   `placeholder:"NAME" help:"Who answers for it."`
	Tag           []string `sep:"none" placeholder:"TAG" help:"A tag; once for each."`
	ClientVisible bool     `help:"Let browsers and apps see it."`
	Permanent     bool     `help:"It is meant to stay, and is archived only by force."`
	Schema        string   `placeholder:"JSON" help:"For an object flag: the JSON Schema of its values, or @FILE."`
	Remote        `embed:""`
	Attempt       `embed:""`
}

// Run creates it.
func (c *createCmd) Run(ctx context.Context, s *screen) error {
	variants, err := readVariants(feature.Type(c.Type), c.Variant)
	if err != nil {
		return err
	}
	definition := gen.Definition{
		Definition: feature.Definition{
			Key: c.Key, Type: feature.Type(c.Type), Variants: variants, ClientVisible: c.ClientVisible,
		},
		Description: c.Description, Owner: c.Owner, Tags: c.Tag, Permanent: c.Permanent,
	}
	if definition.Schema, err = readSchema(c.Schema); err != nil {
		return err
	}
	var written gen.DefinitionWritten
	body, err := c.call(ctx, &written, func(client *gen.Client) (*http.Response, error) {
		return client.CreateFlag(ctx, c.Project, &gen.CreateFlagParams{WigwagComment: c.header(), DryRun: c.dryRun()}, definition)
	})
	if err != nil {
		return err
	}
	if c.json() {
		s.json(body)
		return nil
	}
	if c.DryRun {
		c.printChanges(s, written.Changes)
		return nil
	}
	rows := [][]string{
		{"flag", s.paint(strong, written.Item.Key)},
		{"type", s.paint(neutral, string(written.Item.Type))},
		{"variants", s.paint(neutral, describeVariants(written.Item.Variants))},
		{"position", s.paint(neutral, written.Position.String())},
	}
	environments := slices.Sorted(maps.Keys(written.Environments))
	for _, name := range environments {
		rows = append(rows, []string{s.paint(neutral, "in "+name), s.state("DISABLED") + ", position " + written.Environments[name].String()})
	}
	s.fields(rows...)
	if len(environments) > 0 {
		s.line("\nEnable it with: wigwag flags enable %s --env %s", plain(written.Item.Key), plain(environments[0]))
	}
	return nil
}

// readSchema reads a JSON Schema, or @FILE with one; nil where nothing is given.
func readSchema(argument string) (*feature.Value, error) {
	if argument == "" {
		return nil, nil
	}
	text := []byte(argument)
	if name, ok := strings.CutPrefix(argument, "@"); ok {
		var err error
		if text, err = os.ReadFile(name); err != nil {
			return nil, err
		}
	}
	schema := new(feature.Value)
	if err := json.Unmarshal(text, schema); err != nil || schema.Kind() != feature.KindObject {
		return nil, misused(`--schema is no JSON object; write such as '{"required":["model"]}', or @FILE`)
	}
	return schema, nil
}

// readVariants reads NAME=VALUE for a type of flag. A string's value is taken as
// it stands, every other one is JSON.
func readVariants(of feature.Type, arguments []string) (feature.Variants, error) {
	variants := make(feature.Variants, 0, len(arguments))
	if len(arguments) == 0 && of != feature.TypeBoolean {
		return nil, misused("a %s flag needs variants, such as --variant %s", of, sampleVariants[of])
	}
	for _, argument := range arguments {
		name, text, ok := strings.Cut(argument, "=")
		if !ok || name == "" {
			return nil, misused("--variant %q is not of the form NAME=VALUE, such as %s", argument, sampleVariants[of])
		}
		if variants.Get(name) != nil {
			return nil, misused("--variant %s is given twice; leave one out", name)
		}
		value := feature.StringValue(text)
		if of != feature.TypeString {
			if err := json.Unmarshal([]byte(text), &value); err != nil || value.Kind() != kinds[of] {
				return nil, misused("--variant %s: %q is no %s; write such as %s", name, text, of, sampleVariants[of])
			}
		}
		variants = append(variants, feature.Variant{Key: name, Value: value})
	}
	return variants, nil
}

var kinds = map[feature.Type]feature.ValueKind{
	feature.TypeBoolean: feature.KindBool,
	feature.TypeNumber:  feature.KindNumber,
	feature.TypeObject:  feature.KindObject,
}

var sampleVariants = map[feature.Type]string{
	feature.TypeBoolean: "on=true",
	feature.TypeString:  "short=Pay",
	feature.TypeNumber:  "low=10",
	feature.TypeObject:  `baseline={"model":"bm25"}`,
}
