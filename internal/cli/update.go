package cli

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strings"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/gen"
)

// updateCmd changes a flag: its definition, or with --env its configuration there.
type updateCmd struct {
	Key string `arg:"" help:"Key of the flag."`

	Enable             bool   `group:"Configuration:" help:"With --env: put its targeting in force."`
	Disable            bool   `group:"Configuration:" help:"With --env: serve its off variant to everybody."`
	Default            string `group:"Configuration:" placeholder:"NAME" help:"With --env: the variant that is served where no rule matches."`
	Outcome            `embed:"" group:"Configuration:"`
	OffVariant         string   `group:"Configuration:" placeholder:"NAME" help:"With --env: the variant that is served while it is disabled."`
	Override           []string `group:"Configuration:" sep:"none" placeholder:"NAME=KEY" help:"With --env: serve a variant to a targeting key; once for each."`
	RemoveOverride     []string `group:"Configuration:" sep:"none" placeholder:"KEY" help:"With --env: serve a targeting key as the rules say; once for each."`
	Prerequisite       []string `group:"Configuration:" sep:"none" placeholder:"FLAG=NAME" help:"With --env: demand that another flag resolves to a variant; once for each."`
	RemovePrerequisite []string `group:"Configuration:" sep:"none" placeholder:"FLAG" help:"With --env: demand nothing of another flag; once for each."`
	Operations         string   `group:"Configuration:" placeholder:"JSON" help:"With --env: a list of operations of the API, or @FILE, after all others."`

	Description   *string  `group:"Definition:" placeholder:"TEXT" help:"What it is for; empty for nothing."`
	Owner         *string  `group:"Definition:" placeholder:"NAME" help:"Who answers for it; empty for nobody."`
	Tag           []string `group:"Definition:" sep:"none" placeholder:"TAG" help:"A tag, in the place of all there are; once for each, empty for none."`
	Variant       []string `group:"Definition:" sep:"none" placeholder:"NAME=VALUE" help:"Add a variant, or change its value; once for each."`
	RemoveVariant []string `group:"Definition:" sep:"none" placeholder:"NAME" help:"Remove a variant that nothing serves; once for each."`
	ClientVisible *bool    `group:"Definition:" negatable:"" help:"Let browsers and apps see it."`
	Permanent     *bool    `group:"Definition:" negatable:"" help:"It is meant to stay, and is archived only by force."`

	Configure `embed:""`
}

// Run changes it.
func (c *updateCmd) Run(ctx context.Context, s *screen) error {
	operations, err := c.operations()
	if err != nil {
		return err
	}
	defines := c.Description != nil || c.Owner != nil || len(c.Tag) > 0 || len(c.Variant) > 0 || len(c.RemoveVariant) > 0 ||
		c.ClientVisible != nil || c.Permanent != nil
	switch {
	case len(operations) > 0 && defines:
		return misused("the definition and the configuration in an environment are changed one after the other; give the options of one of them")
	case len(operations) > 0:
		return c.operate(ctx, s, c.Key, operations...)
	case !defines:
		return misused("what is to change? Give such as --default with --env, or --owner; see wigwag flags update --help")
	}
	patch, err := c.patch(ctx)
	if err != nil {
		return err
	}
	return writeDefinition(ctx, s, &c.Remote, &c.Attempt, func(client *gen.Client) (*http.Response, error) {
		return client.PatchDefinitionWithApplicationMergePatchPlusJSONBody(ctx, c.Project, c.Key,
			&gen.PatchDefinitionParams{WigwagComment: c.header(), DryRun: c.dryRun()}, patch)
	})
}

// operations are what the options say of the configuration.
func (c *updateCmd) operations() ([]operation, error) {
	var list []operation
	if c.Enable && c.Disable {
		return nil, misused("--enable and --disable are both given; leave one out")
	}
	if c.Enable {
		list = append(list, operation{"op": "enable"})
	}
	if c.Disable {
		list = append(list, operation{"op": "disable"})
	}
	serve, err := c.serve("--default", c.Default)
	switch {
	case err != nil:
		return nil, err
	case serve != nil && serve.Split != nil:
		o := operation{"op": "setSplit", "default": true, "weights": serve.Split.Weights}
		if serve.Split.By != "" {
			o["by"] = serve.Split.By
		}
		list = append(list, o)
	case serve != nil:
		list = append(list, operation{"op": "setDefault", "variant": serve.Variant})
	}
	if c.OffVariant != "" {
		list = append(list, operation{"op": "setOffVariant", "variant": c.OffVariant})
	}
	if len(c.RemoveOverride) > 0 {
		list = append(list, operation{"op": "removeOverride", "targetingKeys": c.RemoveOverride})
	}
	for _, argument := range c.Override {
		variant, key, ok := strings.Cut(argument, "=")
		if !ok || variant == "" || key == "" {
			return nil, misused("--override %q is not of the form NAME=KEY, such as on=user-42", argument)
		}
		list = append(list, operation{"op": "addOverride", "variant": variant, "targetingKeys": []string{key}})
	}
	for _, flag := range c.RemovePrerequisite {
		list = append(list, operation{"op": "removePrerequisite", "flag": flag})
	}
	for _, argument := range c.Prerequisite {
		flag, variant, ok := strings.Cut(argument, "=")
		if !ok || flag == "" || variant == "" {
			return nil, misused("--prerequisite %q is not of the form FLAG=NAME, such as payments-v2=on", argument)
		}
		list = append(list, operation{"op": "addPrerequisite", "flag": flag, "variants": []string{variant}})
	}
	if c.Operations == "" {
		return list, nil
	}
	text, err := readDocument("--operations", c.Operations)
	if err != nil {
		return nil, err
	}
	var more []operation
	if err := json.Unmarshal(text, &more); err != nil {
		return nil, misused(`--operations is no list of operations, such as '[{"op":"enable"}]'`)
	}
	return append(list, more...), nil
}

// patch is what the options say of the definition. The values of variants are read
// as the flag's type wants them.
func (c *updateCmd) patch(ctx context.Context) (json.RawMessage, error) {
	patch := map[string]any{}
	text := func(name string, value *string) {
		switch {
		case value == nil:
		case *value == "":
			patch[name] = nil
		default:
			patch[name] = *value
		}
	}
	text("description", c.Description)
	text("owner", c.Owner)
	if len(c.Tag) == 1 && c.Tag[0] == "" {
		patch["tags"] = nil
	} else if len(c.Tag) > 0 {
		patch["tags"] = c.Tag
	}
	if c.ClientVisible != nil {
		patch["clientVisible"] = *c.ClientVisible
	}
	if c.Permanent != nil {
		patch["permanent"] = *c.Permanent
	}
	variants := map[string]any{}
	for _, name := range c.RemoveVariant {
		variants[name] = nil
	}
	if len(c.Variant) > 0 {
		var definition gen.Definition
		if _, err := c.call(ctx, &definition, func(client *gen.Client) (*http.Response, error) {
			return client.GetDefinition(ctx, c.Project, c.Key)
		}); err != nil {
			return nil, err
		}
		read, err := readVariants(definition.Type, c.Variant)
		if err != nil {
			return nil, err
		}
		for i := range read {
			variants[read[i].Key] = read[i].Value
		}
	}
	if len(variants) > 0 {
		patch["variants"] = variants
	}
	return encodeAsIs(patch)
}

// replaceCmd replaces a configuration.
type replaceCmd struct {
	Key       string `arg:"" help:"Key of the flag."`
	File      string `short:"f" required:"" placeholder:"FILE" help:"The whole configuration in JSON, such as wigwag flags get prints with -o json; - is the standard input."`
	Configure `embed:""`
}

// Run replaces it.
func (c *replaceCmd) Run(ctx context.Context, s *screen) error {
	if err := c.Scope.check(); err != nil {
		return err
	}
	read := func() ([]byte, error) { return os.ReadFile(c.File) }
	if c.File == "-" {
		read = func() ([]byte, error) { return io.ReadAll(os.Stdin) }
	}
	document, err := read()
	if err != nil {
		return err
	}
	var value feature.Value
	if err := feature.DecodeStrict(document, &value); err != nil {
		return misused("%s: %s", c.File, err)
	}
	return c.write(ctx, s, func(client *gen.Client) (*http.Response, error) {
		return client.PutFlag(ctx, c.Project, c.Env, c.Key, &gen.PutFlagParams{WigwagComment: c.header(), DryRun: c.dryRun()}, document)
	})
}
