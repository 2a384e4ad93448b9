package cli

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"go.yaml.in/yaml/v4"
)

// configFile is an option that names a YAML file with values of the command's
// other options: the keys are the names of the flags.
type configFile string

// BeforeResolve reads the file; kong calls it, for every command where the file is
// named by the environment.
func (configFile) BeforeResolve(c *kong.Context, trace *kong.Path) error {
	name, _ := c.FlagValue(trace.Flag).(configFile)
	if name == "" || !slices.Contains(c.Selected().Flags, trace.Flag) {
		return nil // the variable may be set where another command is called
	}
	values, err := readConfig(string(name), c.Selected().Flags)
	if err != nil {
		return err
	}
	c.AddResolver(values)
	return nil
}

// configValues are the values of a file by the names of flags, each of the type
// of its flag. As a resolver they come behind flags and environment.
type configValues map[string]string

// Validate has nothing to check that reading did not.
func (configValues) Validate(*kong.Application) error { return nil }

// Resolve returns the value of a flag unless the environment has one.
func (v configValues) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	for _, name := range flag.Envs {
		if _, ok := os.LookupEnv(name); ok {
			return nil, nil
		}
	}
	if value, ok := v[flag.Name]; ok {
		return value, nil
	}
	return nil, nil
}

// readConfig reads a file for some flags. Its errors name the file and the line,
// never a value: somebody will put a secret there.
func readConfig(name string, flags []*kong.Flag) (configValues, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	values := configValues{}
	var document yaml.Node
	loader, err := yaml.NewLoader(strings.NewReader(string(text)))
	if err != nil {
		return nil, err
	}
	if err := loader.Load(&document); err != nil {
		if isEmpty(string(text)) {
			return values, nil
		}
		return nil, fmt.Errorf("%s is not YAML: %s", name, lastPart(err))
	}
	if len(document.Content) == 0 {
		return values, nil
	}
	root := document.Content[0]
	if root.ShortTag() == "!!null" {
		return values, nil
	}
	if root.Kind != yaml.MappingNode {
		return nil, fmt.Errorf("%s:%d: write one option a line, such as addr: :8080", name, root.Line)
	}
	for i := 0; i+1 < len(root.Content); i += 2 {
		key, value := root.Content[i], root.Content[i+1]
		at := fmt.Sprintf("%s:%d: ", name, key.Line)
		flag := find(flags, key.Value)
		if flag == nil {
			return nil, errors.New(at + unknownKey(key.Value, flags))
		}
		if _, twice := values[key.Value]; twice {
			return nil, errors.New(at + key.Value + " is given twice; leave one out")
		}
		if wrong := check(flag, value); wrong != "" {
			return nil, errors.New(at + key.Value + " " + wrong)
		}
		values[key.Value] = value.Value
	}
	return values, nil
}

// isEmpty reports whether a file says nothing but comments.
func isEmpty(text string) bool {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" && line != "---" && !strings.HasPrefix(line, "#") {
			return false
		}
	}
	return true
}

// lastPart is an error of the YAML library without what it is doing.
func lastPart(err error) string {
	text := err.Error()
	if i := strings.Index(text, ") at "); i >= 0 {
		return strings.TrimPrefix(text[i+len(") "):], " ")
	}
	return text
}

// find returns the flag that a file may name so.
func find(flags []*kong.Flag, name string) *kong.Flag {
	for _, flag := range flags {
		if flag.Name == name && name != "help" && flag.Target.Type() != reflect.TypeFor[configFile]() {
			return flag
		}
	}
	return nil
}

func unknownKey(key string, flags []*kong.Flag) string {
	if slices.Contains(secretOptions, key) {
		return key + " is a secret and not accepted here; give it as " + variable(key) + ", or name a file that holds it: " + key + "-file"
	}
	var known []string
	for _, flag := range flags {
		if find(flags, flag.Name) != nil {
			known = append(known, flag.Name)
		}
	}
	return fmt.Sprintf("there is no option %.40q; the options are %s", key, strings.Join(known, ", "))
}

// check says what is wrong with the value of a flag in a file, empty where
// nothing is.
func check(flag *kong.Flag, value *yaml.Node) string {
	expected, tag := "a text", "!!str"
	switch target := flag.Target; {
	case target.Kind() == reflect.Int:
		expected, tag = "a whole number", "!!int"
	case target.Type() == durationType:
		expected = "a duration such as 5s"
	case flag.Enum != "":
		expected = "one of " + strings.Join(flag.EnumSlice(), ", ")
	}
	if value.Kind != yaml.ScalarNode || value.ShortTag() != tag {
		return "must be " + expected
	}
	if flag.Enum != "" && !flag.EnumMap()[value.Value] {
		return "must be " + expected
	}
	decoded := reflect.New(flag.Target.Type()).Elem()
	scan := kong.Scan().PushTyped(value.Value, kong.FlagValueToken)
	if err := flag.Mapper.Decode(&kong.DecodeContext{Value: flag.Value, Scan: scan}, decoded); err != nil {
		return "must be " + expected
	}
	return ""
}
